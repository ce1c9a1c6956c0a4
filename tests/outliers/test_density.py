"""How odd stars are: rates that hold on other stars, whatever order, brightness or gaps."""

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import multivariate_normal, norm
from sklearn.decomposition import PCA

from msaestimator import StarTable, StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp
from msaestimator.outliers import BrightnessFreeView, DensityOutliers, FalseAlarmRate
from msaestimator.outliers._density import fit_density, hold_back
from msaestimator.preprocessing import Measurements
from msaestimator.results import PredictionFlag
from msaestimator.schema import GAIA_DR3

FLAG = PredictionFlag
XP = ("bp_coefficients", "rp_coefficients")
XP_ERRORS = ("bp_coefficient_errors", "rp_coefficient_errors")
TMASS = ("j_m", "h_m", "ks_m")


def read(stars):
    """Return the values of stars and their errors."""
    measured = Measurements(stars, GAIA_DR3)
    return measured.values, measured.errors


def without(stars, *names, rows=slice(None)):
    """Return stars that miss columns, in some rows."""
    stars = stars.copy()
    for name in names:
        stars[name][rows] = np.nan
    return stars


def emission(stars):
    """Return stars whose spectra have what no star has."""
    stars = stars.copy()
    for name in XP:
        stars[name] = stars[name] + 20 * np.median(np.abs(stars[name]), axis=1)[:, None]
    return stars


def flagged(regressor, stars, flag):
    """Return which stars have a flag."""
    return (np.asarray(regressor.predict_table(stars)["flags"]) & flag) > 0


@pytest.fixture(scope="module")
def many(load_plain):
    """2,000 real stars, and 1,000 others."""
    stars = load_plain("train")
    return stars[:2000], stars[2000:3000]


@pytest.fixture(scope="module")
def learned(make_regressor, make_msa, many):
    """A regressor that has seen many stars, if not for long, and half of them held back."""
    brief = make_regressor(make_msa(max_epochs=1), max_epochs=1, calibration_fraction=0.5)
    return brief.fit(many[0])


class TestFalseAlarmRate:
    def test_scores_are_the_logarithms_of_tail_fractions(self):
        misfit = norm.rvs(size=20_000, random_state=0)
        rate = FalseAlarmRate().fit(misfit)
        expected = -np.log10(norm.sf([0.0, 1.0, 2.0, 3.0]))
        np.testing.assert_allclose(rate.score(np.array([0.0, 1, 2, 3])), expected, atol=0.15)

    def test_noise_that_explains_the_misfit_is_no_oddity(self):
        rng = np.random.default_rng(0)
        noise = rng.uniform(-1, 1, 20_000)
        rate = FalseAlarmRate().fit(10**noise * rng.standard_normal(20_000), noise)
        level = rng.uniform(-0.9, 0.9, 20_000)
        score = rate.score(10**level * rng.standard_normal(20_000), level)
        for low in (-0.9, 0.0, 0.6):
            share = np.mean(score[(level > low) & (level < low + 0.3)] > 1)
            assert share == pytest.approx(0.1, abs=0.03)

    def test_unknown_noise_counts_as_the_median(self):
        rng = np.random.default_rng(0)
        noise = rng.uniform(0, 1, 2001)
        rate = FalseAlarmRate().fit(10**noise * rng.standard_normal(2001), noise)
        misfit = np.array([0.3, 2.0])
        known = rate.score(misfit, np.full(2, np.median(noise)))
        np.testing.assert_allclose(rate.score(misfit, np.array([np.nan, np.nan])), known)
        np.testing.assert_allclose(rate.score(misfit), known)

    @given(hnp.arrays(float, st.integers(1, 40), elements=st.floats(-1e6, 1e6)))
    def test_scores_rise_with_the_misfit_and_are_finite(self, misfit):
        score = FalseAlarmRate().fit(misfit).score(np.linspace(-2e6, 2e6, 50))
        assert np.isfinite(score).all()
        assert (np.diff(score) >= -1e-9).all()

    def test_nan_stays_nan(self):
        assert np.isnan(FalseAlarmRate().fit(np.arange(9.0)).score(np.array([np.nan])))[0]


class TestDensityOutliers:
    def test_density_is_that_of_a_gaussian_in_principal_components(self):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((90, 3)) @ rng.standard_normal((3, 8))
        X = X + 0.05 * rng.standard_normal(X.shape)
        density = DensityOutliers(n_directions=3).fit(X, held_back=np.arange(90) < 20)
        z = (X[20:] - X[20:].mean(axis=0)) / X[20:].std(axis=0)
        place = PCA(3, whiten=True).fit(z)
        expected = -multivariate_normal(np.zeros(3), 1.01 * np.eye(3)).logpdf(place.transform(z))
        misfit = density.misfit(X[20:])
        assert np.corrcoef(misfit, expected)[0, 1] > 0.999

    def test_a_missing_value_counts_as_its_likeliest(self):
        rng = np.random.default_rng(1)
        X = rng.standard_normal((400, 2)) @ rng.standard_normal((2, 6))
        density = DensityOutliers(n_directions=2).fit(X)
        gaps = X.copy()
        gaps[np.arange(400), rng.integers(6, size=400)] = np.nan
        np.testing.assert_allclose(density.misfit(gaps), density.misfit(X), atol=0.15)

    def test_gaps_in_training_do_no_harm(self):
        rng = np.random.default_rng(2)
        X = rng.standard_normal((600, 2)) @ rng.standard_normal((2, 6))
        gaps = X.copy()
        gaps[rng.random(600) < 0.5, 4:] = np.nan
        whole, holey = DensityOutliers(2).fit(X), DensityOutliers(2).fit(gaps)
        probe = X[:100] * 1.5
        assert np.corrcoef(whole.misfit(probe), holey.misfit(probe))[0, 1] > 0.98

    @given(st.integers(0, 60))
    def test_a_fifth_is_held_back_or_all_of_a_few(self, n):
        seen = np.arange(n + 3) >= 3
        held_back = hold_back(seen)
        assert not held_back[:3].any()
        assert held_back.sum() == (n if n < 10 else -(-n // 5))

    def test_fewer_than_two_vectors_teach_nothing(self):
        assert fit_density(np.full((5, 3), np.nan)) is None
        assert fit_density(np.zeros((1, 3))) is None
        assert np.isfinite(fit_density(np.zeros((2, 3))).score(np.ones((1, 3)))).all()


class TestBrightnessFreeView:
    def test_brightness_does_not_matter(self, stars):
        dimmed = stars.copy()
        for name in dimmed.colnames:
            if name in GAIA_DR3 and GAIA_DR3[name].reconstructed:
                dimmed[name] = dimmed[name] + 2.5 * u.mag
            elif "coefficient" in name:
                dimmed[name] = dimmed[name] / 10
        views, noises, disagreements = [], [], []
        view = BrightnessFreeView(GAIA_DR3)
        view.fit(*read(load_apogee_xp("train")[:400]))
        for table in (stars, dimmed):
            values, errors = read(table)
            views.append(view.transform(values))
            noises.append(view.noise(values, errors))
            disagreements.append(view.disagreement(values))
        np.testing.assert_allclose(*views, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(*noises, atol=1e-5)
        np.testing.assert_allclose(*disagreements, atol=0.02)

    def test_a_spectrum_gives_its_own_magnitudes_and_not_others(self, many):
        view = BrightnessFreeView(GAIA_DR3)
        view.fit(*read(many[0]))
        values, _ = read(many[1])
        swapped = values.copy()
        swapped[:, view.is_xp_] = values[::-1][:, view.is_xp_]
        assert np.median(view.disagreement(values)) < 2
        assert np.median(view.disagreement(swapped)) > 5

    def test_without_g_there_is_nothing_to_see(self, stars):
        view = BrightnessFreeView(GAIA_DR3)
        values, errors = read(without(stars, "phot_g_mean_mag"))
        assert view.fit(values, errors).transform(values).shape == (300, 0)


def test_as_many_stars_are_flagged_as_asked(learned, many):
    others = many[1]
    # One in a hundred; of 1,000 stars, by a rate of 1,000, thrice that is not chance.
    for table in (others, without(others, *XP), without(others, *TMASS)):
        assert np.mean(learned.outlier_score(table) > 1) == pytest.approx(0.1, abs=0.04)
        assert np.mean(flagged(learned, table, FLAG.INCONSISTENT_INPUTS)) < 0.03
    for table in (others, without(others, *XP)):
        assert np.mean(flagged(learned, table, FLAG.EXTRAPOLATION)) < 0.03


def test_odd_stars_score_high(learned, many):
    ordinary, odd = many[1], emission(many[1])
    score = learned.outlier_score(odd)
    assert np.mean(score[:, None] > learned.outlier_score(ordinary)) > 0.99
    np.testing.assert_array_equal(flagged(learned, odd, FLAG.INCONSISTENT_INPUTS), score >= 2)
    far = odd[:1]
    far["j_m"] = far["j_m"] + 20 * u.mag
    assert learned.outlier_score(far)[0] > learned.outlier_score(many[0]).max()


def test_noise_that_is_known_is_not_odd(learned, many):
    rng = np.random.default_rng(0)
    noisy = many[1].copy()
    for name, errors in zip(XP, XP_ERRORS, strict=True):
        noisy[name] = noisy[name] + 30 * noisy[errors] * rng.standard_normal((1000, 55))
        noisy[errors] = 30 * noisy[errors]
    unknown = noisy.copy()
    unknown.remove_columns(XP_ERRORS)
    assert np.mean(learned.outlier_score(noisy) > 2) < 0.05
    assert np.mean(learned.outlier_score(unknown) > 2) > 0.1


def test_score_does_not_depend_on_the_other_stars(regressor, other_stars):
    score = regressor.outlier_score(other_stars)
    order = np.random.default_rng(0).permutation(len(other_stars))
    np.testing.assert_allclose(
        regressor.outlier_score(other_stars[order]), score[order], rtol=1e-6
    )
    alone = [regressor.outlier_score(other_stars[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(alone, score[:5], rtol=1e-6)


def test_gaps_are_scored_and_stars_without_features_are_nan(regressor, other_stars):
    features = [n for n in other_stars.colnames if other_stars[n].dtype.kind == "f"]
    table = without(other_stars, *features, rows=[0])
    table = without(table, *XP, rows=[1])
    table = without(table, *TMASS, rows=[2])
    table = without(table, "bp_coefficients", rows=[3])
    score = regressor.outlier_score(table)
    assert np.isnan(score[0])
    assert np.isfinite(score[1:]).all()
    flags = np.asarray(regressor.predict_table(table)["flags"])
    assert flags[0] == FLAG.NO_FEATURES | FLAG.NO_XP
    assert not (flags & FLAG.MISSING_BLOCKS).any(), "Training hides each of these now and then."


def test_saved_and_loaded_it_scores_the_same(learned, many, tmp_path):
    others = without(many[1][:50], *XP, rows=slice(10))
    for dtype in ("float32", "float16"):
        learned.save_pretrained(tmp_path / dtype, dtype)
        loaded = StellarParameterRegressor.from_pretrained(tmp_path / dtype)
        scores = (model.outlier_score(others) for model in (loaded, learned))
        np.testing.assert_allclose(*scores, rtol=1e-9)
        if dtype == "float32":
            flags = (model.predict_table(others)["flags"] for model in (learned, loaded))
            np.testing.assert_array_equal(*flags)


def test_what_is_learned_is_small(learned):
    def size(value):
        if isinstance(value, np.ndarray):
            return value.nbytes
        if isinstance(value, list | tuple):
            return sum(map(size, value))
        return sum(map(size, vars(value).values())) if hasattr(value, "__dict__") else 0

    assert size(learned.novelty_) + size(learned.latent_novelties_) < 500_000


def test_a_matrix_is_scored_as_it_is(make_regressor):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 4))
    X[0] = np.nan
    regressor = make_regressor(labels=None).fit(X, np.nan_to_num(X[:, 0]))
    far = np.vstack([X[:3], np.full((1, 4), 50.0)])
    score = regressor.outlier_score(far)
    assert np.isnan(score[0])
    assert score[3] > np.nanmax(regressor.outlier_score(X))
    flags = np.asarray(regressor.predict_table(far)["flags"])
    assert FLAG.INCONSISTENT_INPUTS in FLAG(flags[3])
    assert FLAG.MISSING_BLOCKS not in FLAG(flags[0] | flags[3])


@pytest.mark.parametrize("columns", [("ebv", "j_m"), TMASS, (*TMASS, "phot_g_mean_mag")])
def test_tables_without_spectra_are_scored(make_regressor, stars, columns):
    table = StarTable({name: stars[name] for name in (*columns, "teff")})
    regressor = make_regressor(labels=("teff",), max_epochs=1).fit(table)
    assert np.isfinite(regressor.outlier_score(table)).all()
    assert not flagged(regressor, table, FLAG.MISSING_BLOCKS).any()


def test_twenty_stars_are_enough_for_a_score(make_regressor, stars):
    regressor = make_regressor(max_epochs=1).fit(stars[:20])
    assert np.isfinite(regressor.outlier_score(stars)).all()
    assert np.isfinite(regressor.predict_table(stars)["teff"]).all()


def test_a_model_without_a_score_says_so(learned, many, tmp_path):
    learned.save_pretrained(tmp_path)
    old = StellarParameterRegressor.from_pretrained(tmp_path)
    old.outliers_.detector_, old.outliers_.latent_detectors_ = None, []
    with pytest.raises(ValueError, match="`outlier_score` needs a regressor fitted on two stars"):
        old.outlier_score(many[1])
    assert not flagged(old, many[1], FLAG.EXTRAPOLATION | FLAG.INCONSISTENT_INPUTS).any()
