"""The gradient boosting that the models are measured against."""

import numpy as np
import pytest

from msaestimator.metrics import BoostingBaseline, hide_xp, two_half_table

LABELS = ("teff", "logg", "fe_h")


@pytest.fixture(scope="module")
def baseline(stars):
    return BoostingBaseline(LABELS, max_iter=15).fit(stars)


def test_predicts_every_star(baseline, other_stars):
    for table in (other_stars, hide_xp(other_stars)):
        predicted = baseline.predict(table)
        assert predicted.shape == (100, 3)
        assert np.isfinite(predicted).all()


def test_stars_without_xp_are_predicted_by_the_photometry_set(baseline, stars, other_stars):
    # Trained on photometry alone, it has never seen a coefficient.
    photometric = BoostingBaseline(LABELS, max_iter=15).fit(hide_xp(stars))
    hidden = hide_xp(other_stars)
    np.testing.assert_allclose(baseline.predict(hidden), photometric.predict(hidden))


def test_each_star_is_predicted_by_the_set_it_calls_for(baseline, other_stars):
    mixed = other_stars.copy()
    mixed["bp_coefficients"][:40] = np.nan
    mixed["rp_coefficients"][:40] = np.nan
    predicted = baseline.predict(mixed)
    np.testing.assert_array_equal(predicted[:40], baseline.predict(hide_xp(other_stars))[:40])
    np.testing.assert_array_equal(predicted[40:], baseline.predict(other_stars)[40:])


def test_unknown_labels_are_left_out(stars, other_stars):
    gappy = stars.copy()
    gappy["fe_h"][50:] = np.nan
    partly = BoostingBaseline(LABELS, max_iter=15).fit(gappy)
    few = BoostingBaseline(("fe_h",), max_iter=15).fit(gappy[:50])
    assert np.isfinite(partly.predict(other_stars)).all()
    assert few.predict(other_stars).shape == (100, 1)


def test_a_fixed_random_state_is_identical(baseline, stars, other_stars):
    again = BoostingBaseline(LABELS, max_iter=15).fit(stars)
    np.testing.assert_array_equal(again.predict(other_stars), baseline.predict(other_stars))


def test_has_a_two_half_table(baseline, other_stars):
    table = two_half_table(baseline, other_stars)
    assert len(table) == 2 * len(LABELS)
    assert np.isfinite(table["mae"]).all()
