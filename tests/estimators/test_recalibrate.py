"""A regressor corrected for stars of one's own selection, and what becomes of the correction."""

import copy
from pathlib import Path

import numpy as np
import pytest

from msaestimator import StarTable, StellarParameterRegressor
from msaestimator.exceptions import CalibrationWarning

OFFSET = 1.0  # dex, about the error of so small a network


@pytest.fixture(scope="module")
def own(other_stars):
    """Stars of a survey whose log g is larger."""
    own = other_stars.copy()
    own["logg"] = own["logg"] + OFFSET * own["logg"].unit
    return own


@pytest.fixture(scope="module")
def recalibrated(regressor, own):
    """A copy of the regressor, corrected for these."""
    return copy.deepcopy(regressor).recalibrate(own)


def test_medians_move_to_the_scale_of_the_stars(regressor, recalibrated, other_stars, own):
    moved = recalibrated.predict(other_stars) - regressor.predict(other_stars)
    plain = copy.deepcopy(regressor).recalibrate(other_stars)
    difference = recalibrated.predict(other_stars) - plain.predict(other_stars)
    assert np.median(difference[:, 1]) == pytest.approx(OFFSET, abs=0.3)
    np.testing.assert_allclose(difference[:, 2], 0, atol=1e-9)
    residual = own["logg"].value - recalibrated.predict(other_stars)[:, 1]
    before = own["logg"].value - regressor.predict(other_stars)[:, 1]
    assert abs(np.median(residual)) < 0.3 * abs(np.median(before))
    assert np.isfinite(moved).all()


def test_all_answers_are_of_one_distribution(recalibrated, other_stars):
    quantiles = recalibrated.predict_quantiles(other_stars)
    table = recalibrated.predict_table(other_stars)
    np.testing.assert_allclose(recalibrated.predict(other_stars), quantiles[..., 1])
    np.testing.assert_allclose(
        recalibrated.predict_interval(other_stars, 0.68), quantiles[..., [0, 2]]
    )
    np.testing.assert_allclose(table["logg"].value, quantiles[:, 1, 1])
    assert (np.diff(quantiles, axis=-1) >= 0).all()


def test_comes_back_from_a_folder(recalibrated, other_stars, tmp_path):
    recalibrated.save_pretrained(tmp_path)
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    assert loaded.fingerprint == recalibrated.fingerprint
    np.testing.assert_array_equal(
        loaded.predict_quantiles(other_stars), recalibrated.predict_quantiles(other_stars)
    )


def test_another_model_by_its_fingerprint_and_name(regressor, recalibrated, other_stars):
    ours, theirs = (
        model.predict_table(other_stars[:3]).meta for model in (recalibrated, regressor)
    )
    assert ours["model_id"] == recalibrated.fingerprint != regressor.fingerprint
    assert ours["model"] == f"{theirs['model']}, recalibrated"


def test_starts_from_the_calibration_each_time(recalibrated, own, other_stars):
    again = copy.deepcopy(recalibrated).recalibrate(own)
    assert again.fingerprint == recalibrated.fingerprint
    np.testing.assert_array_equal(again.predict(other_stars), recalibrated.predict(other_stars))


def test_a_new_calibration_forgets_it(regressor, recalibrated, own):
    model = copy.deepcopy(recalibrated).calibrate(own)
    assert model.recalibration_ is None
    np.testing.assert_allclose(model.predict(own), regressor.predict(own))


def test_order_of_the_stars_does_not_matter(regressor, recalibrated, own, other_stars):
    backwards = copy.deepcopy(regressor).recalibrate(own[::-1]).predict_quantiles(other_stars)
    forwards = recalibrated.predict_quantiles(other_stars)
    # In units of what is predicted: an [Fe/H] may be as good as zero.
    width = forwards[..., -1:] - forwards[..., :1]
    np.testing.assert_allclose(backwards / width, forwards / width, rtol=0, atol=1e-5)


def test_labels_may_come_apart_and_lack_some(regressor, recalibrated, own, other_stars):
    model = copy.deepcopy(regressor).recalibrate(own, StarTable({"logg": own["logg"]}))
    ours, theirs = model.predict(other_stars), regressor.predict(other_stars)
    np.testing.assert_allclose(ours[:, [0, 2]], theirs[:, [0, 2]], rtol=1e-6)
    np.testing.assert_allclose(ours[:, 1], recalibrated.predict(other_stars)[:, 1])


def test_a_label_that_few_know_is_named(regressor, own):
    few = own.copy()
    few["teff"][49:] = np.nan
    told = r"The quantiles of 'teff' \(49 stars\) are not recalibrated but as they were"
    with pytest.warns(CalibrationWarning, match=told) as caught:
        copy.deepcopy(regressor).recalibrate(few)
    assert [Path(warning.filename) for warning in caught] == [Path(__file__)]


def test_refuses_too_few_stars(regressor, own):
    before = regressor.fingerprint
    few = r"`recalibrate` needs at least 50 stars with a known label, got 49\. Pass more stars"
    with pytest.raises(ValueError, match=few):
        regressor.recalibrate(own[:49])
    assert regressor.fingerprint == before
