"""Surveys' labels: offsets between them are found, and predictions are on one scale."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn
from sklearn.model_selection import cross_val_score

from msaestimator import StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp
from msaestimator.exceptions import ColumnError
from msaestimator.surveys import SurveyOffsets

LABELS = ("teff", "logg", "fe_h")


def draw(n_stars=1500, n_features=6, noise=0.05, seed=0):
    """Features and labels that follow from them, about normal."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n_stars, 3))
    mixing = rng.normal(size=(3, n_features))
    X = y @ mixing + noise * rng.normal(size=(n_stars, n_features))
    return X.astype(np.float32), y, rng


def smooth(y):
    """Known offsets: one constant, one with a slope, one bent."""
    clipped = np.clip(np.nan_to_num(y), -2.0, 2.0)
    return np.stack([np.full(len(y), 0.4), 0.2 * clipped[:, 0], 0.15 * clipped[:, 2] ** 2], 1)


def learn(X, y, surveys, **settings):
    offsets = SurveyOffsets(LABELS, **settings)
    return offsets, offsets.fit_transform(X, y, surveys)


def rms(values):
    return np.sqrt(np.nanmean(np.square(values), axis=0))


@pytest.fixture(scope="module")
def two_surveys(stars):
    """300 real stars of which half have labels with offsets, the survey of each, and these."""
    mixed = stars.copy()
    rng = np.random.default_rng(0)
    mixed["survey"] = np.where(rng.random(len(stars)) < 0.4, "galah", "apogee")
    other = mixed["survey"] == "galah"
    mixed["logg"][other] += 0.8 * u.dex
    mixed["teff"][other] *= 1.1
    return mixed


@pytest.fixture(scope="module")
def told(make_regressor, msa, two_surveys):
    """A regressor that knows of the surveys."""
    return make_regressor(msa, max_epochs=10, batch_size=64).fit(two_surveys, survey="survey")


@pytest.mark.parametrize("unevenly", [False, True])
def test_known_offsets_are_found(unevenly):
    X, y, rng = draw()
    chance = 1 / (1 + np.exp(-1.5 * y[:, 0])) if unevenly else 0.5
    surveys = np.where(rng.random(len(y)) < chance, "b", "a")
    truth = smooth(y)
    offsets, corrected = learn(X, y + truth * (surveys == "b")[:, None], surveys, reference="a")
    assert offsets.reference_ == "a"
    assert (rms(offsets.offset("b", y) - truth) < [0.06, 0.09, 0.09]).all()
    assert (rms(corrected - y) < [0.05, 0.07, 0.07]).all()
    np.testing.assert_array_equal(corrected[surveys == "a"], y[surveys == "a"])


def test_three_surveys_numbered():
    X, y, rng = draw()
    surveys = rng.choice([3, 5, 17], len(y))
    shift = np.select([surveys == 3, surveys == 5], [0.5, -0.3], 0.0)
    offsets, _ = learn(X, y + shift[:, None], surveys, reference=17)
    np.testing.assert_allclose(np.median(offsets.offset(3, y), axis=0), 0.5, atol=0.06)
    np.testing.assert_allclose(np.median(offsets.offset(5, y), axis=0), -0.3, atol=0.06)
    np.testing.assert_array_equal(offsets.offset(17, y), 0.0)


def test_labels_of_further_stars_come_to_the_same_scale():
    """Without the features too, and as far as labels of stars that were learned from do."""
    X, y, rng = draw()
    surveys = rng.choice(["a", "b"], len(y))
    shift = smooth(y) * (surveys == "b")[:, None]
    offsets, corrected = learn(X, y + shift, surveys, reference="a")
    further = y + shift
    further[::7, 0] = np.nan
    found = offsets.transform(further.astype(np.float32), surveys)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(found), np.isnan(further))
    assert (rms(found - y) < [0.05, 0.07, 0.07]).all()
    np.testing.assert_allclose(found[::7, 1:], further[::7, 1:] - shift[::7, 1:], atol=0.5)
    np.testing.assert_array_equal(found[surveys == "a"], further[surveys == "a"].astype("f4"))
    known = np.isfinite(further).all(axis=1)
    assert (rms(found - corrected)[1:] < 0.05).all()
    back = found[known] + offsets.offset("b", found[known])
    of_b = surveys[known] == "b"
    np.testing.assert_allclose(back[of_b], further[known][of_b], atol=0.01)
    with pytest.raises(ValueError, match="must be a survey of fit, one of .'a', 'b'., got 'c'"):
        offsets.transform(y[:1], np.array(["c"]))


def test_no_offsets_stay_near_zero():
    X, y, rng = draw()
    surveys = rng.choice(["a", "b"], len(y))
    offsets, corrected = learn(X, y, surveys)
    assert rms(offsets.offset("b", y)).max() < 0.02
    assert rms(corrected - y).max() < 0.02


def test_surveys_that_share_few_stars():
    X, y, _ = draw()
    surveys = np.where(y[:, 0] > 0, "hot", "cool")
    truth = smooth(y)
    offsets, _ = learn(X, y + truth * (surveys == "hot")[:, None], surveys, reference="cool")
    # A slope in Teff cannot be told; it is not guessed either.
    assert (rms(offsets.offset("hot", y) - truth) < [0.06, 0.25, 0.25]).all()


def test_outliers_weigh_little():
    X, y, rng = draw()
    surveys = rng.choice(["a", "b"], len(y))
    wild = y + 0.4 * (surveys == "b")[:, None]
    wild[rng.random(len(y)) < 0.02] += 20.0
    offsets, _ = learn(X, wild, surveys, reference="a")
    np.testing.assert_allclose(np.median(offsets.offset("b", y), axis=0), 0.4, atol=0.1)


def test_a_label_that_a_survey_lacks():
    X, y, rng = draw()
    surveys = rng.choice(["a", "b"], len(y), p=[0.6, 0.4])
    truth = smooth(y)
    mixed = y + truth * (surveys == "b")[:, None]
    mixed[surveys == "b", 2] = np.nan
    offsets, corrected = learn(X, mixed, surveys)
    assert offsets.reference_ == "a"
    np.testing.assert_array_equal(np.isnan(corrected), np.isnan(mixed))
    np.testing.assert_allclose(offsets.offset("b", y)[:, 2], 0.0, atol=1e-9)
    assert (rms((offsets.offset("b", y) - truth)[:, :2]) < [0.06, 0.09]).all()


def test_the_survey_with_most_stars_is_the_reference_by_default():
    X, y, rng = draw(300)
    offsets, _ = learn(X, y, rng.choice(["a", "b", "c"], len(y), p=[0.2, 0.5, 0.3]))
    assert offsets.reference_ == "b"
    assert list(offsets.surveys_) == ["a", "b", "c"]


def test_one_survey_changes_nothing(make_regressor, msa, stars, weights):
    plain = make_regressor(msa).fit(stars)
    told = make_regressor(msa).fit(stars, survey=["apogee"] * len(stars))
    assert weights(told) == weights(plain)
    assert plain.survey_offsets_ is None
    np.testing.assert_array_equal(told.survey_offset(stars, "apogee"), 0.0)


def test_the_reference_decides_the_scale(make_regressor, msa, two_surveys, other_stars, told):
    assert told.survey_offsets_.reference_ == "apogee"
    other = make_regressor(msa, max_epochs=10, batch_size=64, reference_survey="galah")
    other.fit(two_surveys, survey="survey")
    shift = other.predict(other_stars) - told.predict(other_stars)
    offset = told.survey_offset(other_stars, "galah")
    # A tenth of 5,000 K and 0.8 dex were put in; offsets learned from 300 stars are small rather
    # than large, and a network learns little in a blink.
    np.testing.assert_allclose(np.median(offset[:, :2], axis=0), [450.0, 0.7], rtol=0.4)
    np.testing.assert_allclose(np.median(shift[:, :2], axis=0), [450.0, 0.7], rtol=0.4)
    np.testing.assert_array_equal(told.survey_offset(other_stars, "apogee"), 0.0)


def test_offsets_of_a_star_without_features(told, other_stars):
    empty = other_stars[:2].copy()
    for name in ("bp_coefficients", "rp_coefficients", "phot_g_mean_mag", "phot_bp_mean_mag"):
        empty[name][0] = np.nan
    for name in ("phot_rp_mean_mag", "j_m", "h_m", "ks_m", "ebv"):
        empty[name][0] = np.nan
    offset = told.survey_offset(empty, "galah")
    assert np.isnan(offset[0]).all()
    assert np.isfinite(offset[1]).all()


def test_surveys_as_a_column_or_an_array(make_regressor, msa, two_surveys, told, weights):
    names = np.asarray(two_surveys["survey"])
    for survey in (names, names.tolist(), names.astype(object)):
        fit = make_regressor(msa, max_epochs=10, batch_size=64).fit(two_surveys, survey=survey)
        assert weights(fit) == weights(told)


def test_a_matrix_of_features(two_surveys):
    X, y, rng = draw(100)
    surveys = rng.integers(2, size=len(X))
    regressor = StellarParameterRegressor(max_epochs=1, device="cpu", calibration_fraction=0)
    regressor.fit(X, y, survey=surveys)
    assert regressor.survey_offset(X, 1).shape == (100, 3)


def test_surveys_are_split_with_the_stars(make_regressor, msa, two_surveys):
    scores = cross_val_score(
        make_regressor(msa, max_epochs=1),
        two_surveys,
        cv=2,
        params={"survey": np.asarray(two_surveys["survey"])},
        error_score="raise",
    )
    assert np.isfinite(scores).all()


def test_warm_start_keeps_the_reference(make_regressor, msa, two_surveys):
    regressor = make_regressor(msa, max_epochs=1, warm_start=True)
    regressor.fit(two_surveys, survey="survey")
    few = two_surveys[:100]
    mixed = two_surveys.take([*np.flatnonzero(two_surveys["survey"] == "galah"), 0, 1, 2])
    mixed["survey"][-3:] = "apogee"
    regressor.fit(mixed, survey="survey")
    assert regressor.survey_offsets_.reference_ == "apogee"
    offsets = regressor.survey_offsets_
    regressor.fit(few)
    assert regressor.survey_offsets_ is offsets


def test_saved_and_loaded(told, other_stars, tmp_path):
    told.save_pretrained(tmp_path)
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    np.testing.assert_array_equal(
        loaded.survey_offset(other_stars, "galah"), told.survey_offset(other_stars, "galah")
    )
    assert loaded.survey_offsets_.reference_ == "apogee"


def fit_with(survey, n_stars=3, **settings):
    stars = load_apogee_xp()[:n_stars]
    if isinstance(survey, MaskedColumn):
        stars["which"] = survey
        survey = "which"
    return StellarParameterRegressor(**settings).fit(stars, survey=survey)


@pytest.mark.parametrize(
    ("survey", "message"),
    [
        ([1.0, 2.0, 2.0], "`survey` must be strings or integers, .* got float"),
        ([True, False, True], "`survey` must be strings or integers, .* got bool"),
        (np.array([1, "a", 2], dtype=object), "must be strings or integers, .* got int and str"),
        (["a", "b"], r"`survey` must have one value a star, 3, got shape \(2,\)"),
        (["a", " ", "b"], "masked or empty for 1 of 3 stars, the first in row 1"),
        (np.array(["a", None, np.nan], dtype=object), "masked or empty for 2 of 3 stars"),
        (MaskedColumn(["a", "b", "c"], mask=[0, 0, 1]), "masked or empty for 1 of 3 .* row 2"),
        (MaskedColumn([1, 2, 3], mask=[1, 0, 1]), "masked or empty for 2 of 3 stars, .* row 0"),
        ("tef", "The table has no column 'tef' of surveys. Did you mean 'teff'?"),
    ],
)
def test_refuses_what_names_no_survey(survey, message):
    with pytest.raises(ColumnError, match=message):
        fit_with(survey)


def test_a_matrix_has_no_column_of_surveys():
    X, y, _ = draw(20)
    with pytest.raises(ColumnError, match="`survey` must be an array where stars are a matrix"):
        StellarParameterRegressor().fit(X, y, survey="which")


def test_unknown_reference():
    with pytest.raises(ValueError, match="`reference_survey` must be .*'galah'.* mean 'galah'"):
        fit_with(["apogee", "galah", "galah"], reference_survey="gala", labels=("teff",))


def test_a_reference_without_surveys(stars):
    with pytest.raises(ValueError, match="`reference_survey` is 'a', but fit was not told"):
        fit_with(None, reference_survey="a")


def test_unknown_survey(told, regressor, stars):
    with pytest.raises(ValueError, match="`survey` must be a survey of fit, .* mean 'galah'"):
        told.survey_offset(stars, "gala")
    with pytest.raises(ValueError, match="`survey_offset` needs a fit on labels of several"):
        regressor.survey_offset(stars, "gala")
