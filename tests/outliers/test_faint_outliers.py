"""Scores that stars and their fainter copies taught: as many false alarms at every brightness."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator import StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp, make_fainter
from msaestimator.exceptions import ColumnError
from msaestimator.outliers import (
    DensityOutliers,
    FaintInputOutliers,
    InputOutliers,
    LatentOutliers,
    OutlierModel,
)
from msaestimator.preprocessing import Features, Measurements
from msaestimator.results import PredictionFlag
from msaestimator.schema import G_BAND, GAIA_DR3

XP = ("bp_coefficients", "rp_coefficients")
TMASS = ("j_m", "h_m", "ks_m")
SURVEYS = tuple(c.name for c in GAIA_DR3.columns if c.block in ("ps1", "sdss", "skymapper"))
N_LATENT = 4


def g_of(stars):
    """Return stars' G in mag."""
    return np.asarray(stars[G_BAND].value, dtype=float)


def shuffled(stars):
    """Return stars in another order: that of the table is the sky's."""
    return stars[np.random.default_rng(0).permutation(len(stars))]


def faintly(stars, seed):
    """Return stars at a G between their own and 19."""
    rng = np.random.default_rng(seed)
    return make_fainter(stars, rng.uniform(g_of(stars), 19.0), seed)


def features_of(stars):
    """Return features with nothing but what the table has."""
    measured = Measurements(stars, GAIA_DR3)
    return Features(measured.values.astype(np.float32), columns=None, measured=measured)


@pytest.fixture(scope="module")
def many():
    return shuffled(load_apogee_xp("train"))[:3000]


@pytest.fixture(scope="module")
def others():
    stars = load_apogee_xp("test")
    return shuffled(stars)[:1500]


@pytest.fixture(scope="module")
def detector(many):
    copies = [features_of(faintly(many, seed)) for seed in (1, 2)]
    return FaintInputOutliers().fit(features_of(many), copies)


@pytest.mark.parametrize("g", [13.0, 15.0, 16.5, 17.5, 18.5])
def test_as_many_false_alarms_at_every_brightness(detector, others, g):
    score = detector.score(features_of(make_fainter(others[g_of(others) <= g], g, 0)))
    # By the rates of 3,000 stars: thrice what is asked is not chance.
    assert 0.02 < np.mean(score >= 1) < 0.16
    assert np.mean(score >= 2) < 0.03


@pytest.mark.parametrize("g", [13.0, 17.5])
@pytest.mark.parametrize("has_xp", [True, False])
def test_what_is_bluer_than_all_stars_is_odd(detector, many, others, g, has_xp):
    color = many["phot_bp_mean_mag"] - many["phot_rp_mean_mag"]
    bluest = many[np.argsort(color.value)[:3]]
    hotter = make_fainter(bluest[g_of(bluest) <= g], g, 0)
    hotter["phot_bp_mean_mag"] -= 0.3 * u.mag
    if not has_xp:
        for name in XP:
            hotter[name] = np.nan * hotter[name]
    assert (detector.score(features_of(hotter)) >= 2).all()


@pytest.mark.parametrize("g", [13.0, 16.5])
def test_spectra_of_other_stars_are_odd_at_any_brightness(detector, others, g):
    swapped = others.copy()
    swapped["bp_coefficients"] = others["bp_coefficients"][::-1]
    score = detector.score(features_of(make_fainter(swapped[g_of(others) <= g], g, 0)))
    assert np.mean(score >= 1) > 0.9


def test_more_noise_is_no_oddity_if_it_is_told(detector, others):
    rng = np.random.default_rng(0)
    noisy = others.copy()
    for name in XP:
        errors = f"{name[:-1]}_errors"
        noisy[name] = noisy[name] + 5 * noisy[errors] * rng.standard_normal((len(others), 55))
        noisy[errors] = 5 * noisy[errors]
    told = detector.score(features_of(noisy))
    for name in XP:
        noisy[f"{name[:-1]}_errors"] = np.nan * noisy[f"{name[:-1]}_errors"]
    untold = detector.score(features_of(noisy))
    assert np.mean(told >= 2) < 0.05
    assert np.mean(untold >= 2) > 0.1


def test_a_star_is_scored_alone_as_among_others(detector, others):
    whole = detector.score(features_of(others[:20]))
    alone = [detector.score(features_of(others[i : i + 1]))[0] for i in range(20)]
    np.testing.assert_allclose(alone, whole, rtol=1e-6)


@pytest.mark.parametrize("level", [0.5, 1.0, 2.0])
def test_stars_that_reach_a_score_are_those_that_have_it(detector, others, level):
    stars = others.copy()
    stars["bp_coefficients"][:200] = others["bp_coefficients"][:200][::-1]
    for name in XP:
        stars[name][100:300] = np.nan
    features = features_of(stars)
    reached = detector.reaches(features, level)
    np.testing.assert_array_equal(reached, detector.score(features) >= level)
    assert 0 < reached.sum() < len(stars)


def test_no_star_is_as_unusual_as_can_be(detector, others):
    assert not detector.reaches(features_of(others[:5]), np.inf).any()


def test_a_matrix_is_refused():
    with pytest.raises(ColumnError, match="needs stars of a table"):
        FaintInputOutliers().fit(Features(np.zeros((9, 2)), columns=None))


def test_latent_vectors_are_as_rare_at_every_brightness():
    rng = np.random.default_rng(0)

    def draw(n):
        g = rng.uniform(9, 19, n)
        return rng.standard_normal((n, N_LATENT)) * (1 + (g > 16))[:, None], g

    latent, g = draw(8000)
    latent[0] = np.nan
    alike = np.zeros(8000, dtype=int)
    detector = LatentOutliers().fit(latent, g, rng.random(8000) < 0.5, alike)
    latent, g = draw(8000)
    latent[0] = np.nan
    score = detector.score(latent, g, alike)
    assert np.isnan(score[0])
    for there in (g < 15, g > 17):
        assert np.mean(score[there] >= 2) == pytest.approx(0.01, abs=0.006)


@pytest.fixture(scope="module")
def fitted(regressor, stars):
    """A regressor whose outliers were learned with copies, of latent vectors as they come."""
    reader = regressor.reader_
    features, copy = (reader.transform(t) for t in (stars, faintly(stars, 3)))
    rng = np.random.default_rng(0)
    latents = [rng.standard_normal((2, len(stars), N_LATENT)) for _ in range(2)]
    model = OutlierModel().fit(features, latents[0], np.arange(50), [(copy, latents[1])])
    return model, features, copy


def test_copies_make_detectors_of_every_brightness(fitted):
    model, features, copy = fitted
    assert isinstance(model.detector_, FaintInputOutliers)
    assert all(isinstance(d, LatentOutliers) for d in model.latent_detectors_)
    lacking = np.isnan(np.concatenate([features.values, copy.values])).mean(axis=0)
    np.testing.assert_allclose(model.lacking_, lacking)


def test_far_latent_vectors_are_flagged(fitted):
    model, features, _ = fitted
    far = np.full((len(features), N_LATENT), 30.0)
    near = np.zeros_like(far)
    hidden = np.ones(features.values.shape[1])
    for latent, expected in ((far, True), (near, False)):
        flags = model.flags(features, latent, hidden)
        assert (((flags & PredictionFlag.EXTRAPOLATION) > 0) == expected).all()


def test_without_copies_all_is_as_it_was(fitted):
    _, features, _ = fitted
    latents = np.random.default_rng(0).standard_normal((2, len(features), N_LATENT))
    model = OutlierModel().fit(features, latents, np.arange(50))
    assert isinstance(model.detector_, InputOutliers)
    assert all(isinstance(d, DensityOutliers) for d in model.latent_detectors_)


def test_saved_and_loaded_it_says_the_same(regressor, stars, other_stars, tmp_path):
    regressor.save_pretrained(tmp_path / "before")
    changed = StellarParameterRegressor.from_pretrained(tmp_path / "before")
    probe = faintly(other_stars, 5)
    reader = changed.reader_
    features, copy = (reader.transform(t) for t in (stars, faintly(stars, 3)))
    rng = np.random.default_rng(0)
    n_latent = changed.encoder_.hidden_widths[-1]
    latents = [rng.standard_normal((2, len(stars), n_latent)) for _ in range(2)]
    reader.extend_range(copy)
    changed.outliers_ = OutlierModel().fit(
        features, latents[0], np.arange(50), [(copy, latents[1])]
    )
    changed.save_pretrained(tmp_path / "after")
    loaded = StellarParameterRegressor.from_pretrained(tmp_path / "after")
    scores = (model.outlier_score(probe) for model in (changed, loaded))
    np.testing.assert_allclose(*scores, rtol=1e-9)
    flags = (model.predict_table(probe)["flags"] for model in (changed, loaded))
    np.testing.assert_array_equal(*flags)


@pytest.mark.parametrize("lacking", [TMASS, SURVEYS, TMASS + SURVEYS])
@pytest.mark.parametrize("has_xp", [True, False])
def test_stars_that_lack_columns_raise_as_many_alarms(detector, others, lacking, has_xp):
    """All stars of the fit had them."""
    stars = others.copy()
    for name in (*lacking, *(() if has_xp else XP)):
        if name in stars.colnames:
            stars[name] = np.nan * stars[name]
    score = detector.score(features_of(stars))
    assert 0.05 < np.mean(score >= 1) < 0.15
    assert np.mean(score >= 2) < 0.03
