"""A tiny generalist, and how its answers are compared."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator.schema import StarTable, Token, Vocabulary


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
def giants():
    """Mock giants: ages follow from masses but for 5 %, and log g from neither."""
    rng = np.random.default_rng(0)
    log_mass, scatter, logg = rng.normal(size=(3, 600))
    mass = 10 ** (0.1 + 0.07 * log_mass)
    return StarTable(
        {
            "logg": (2.4 + 0.3 * logg) * u.dex,
            "mass": mass * u.Msun,
            "age": 3 * mass**-2.5 * 10 ** (0.02 * scatter) * u.Gyr,
        }
    )


@pytest.fixture(scope="session")
def giant_model(make_generalist, giants):
    """A generalist that has learned how mass and age of these belong together."""
    words = Vocabulary(
        (
            Token("logg", "dex", "label"),
            Token("mass", "solMass", "label", log=True),
            Token("age", "Gyr", "label", log=True),
        )
    )
    settings = {"vocabulary": words, "n_inputs": (0, 2), "n_requests": 3, "block_dropout": 0.0}
    return make_generalist(**settings, max_epochs=40, lr=1e-2, embedding_dim=16).fit(giants)


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
