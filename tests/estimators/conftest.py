"""A tiny generalist, and how its answers are compared."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def few(stars):
    """100 stars with three labels, colours and reddening, of scalar columns only."""
    labels = [name + end for name in ("teff", "logg", "fe_h") for end in ("", "_err")]
    colors = ["phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m", "ebv"]
    return stars[:100][colors + labels]


@pytest.fixture(scope="session")
def fitted(make_generalist, few):
    """A tiny generalist fitted on these."""
    return make_generalist().fit(few)


@pytest.fixture(scope="session")
def assert_same():
    """Return a function that compares tables of answers, to single precision."""

    def compare(first, second, rtol=1e-5):
        assert first.colnames == second.colnames
        for name in first.colnames:
            assert getattr(first[name], "unit", None) == getattr(second[name], "unit", None)
            values = [np.asarray(getattr(t[name], "value", t[name])) for t in (first, second)]
            if values[0].dtype.kind == "f":
                np.testing.assert_allclose(*values, rtol=rtol, atol=rtol, err_msg=name)
            else:
                np.testing.assert_array_equal(*values, err_msg=name)

    return compare
