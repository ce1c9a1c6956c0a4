"""Weights to the sky's mix, against the mock sky that a biased sample was chosen from."""

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import vstack
from sklearn.exceptions import NotFittedError

from msaestimator.datasets import SkyMix, load_apogee_xp, make_mock_sky
from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.schema import G_BAND

COLUMNS = [
    *(G_BAND, "phot_bp_mean_mag", "phot_rp_mean_mag", "ebv"),
    *("teff", "logg", "fe_h"),
]


@pytest.fixture(scope="module")
def sky():
    """Stars in the proportions of the sky, G 13 to 18."""
    stars = make_mock_sky(80_000, 18.0, random_state=5)[COLUMNS]
    return stars[stars[G_BAND].value > 13]


@pytest.fixture(scope="module")
def chosen(sky):
    """A sample of these with most dwarfs, and most stars rich in metals, left out."""
    is_giant, is_poor = sky["logg"].value < 3.5, sky["fe_h"].value < -0.5
    kept = np.where(is_giant, 1.0, 0.4) * np.where(is_poor, 1.0, 0.5)
    return sky[np.random.default_rng(0).uniform(size=len(sky)) < kept]


@pytest.fixture(scope="module")
def mix(chosen):
    return SkyMix().fit(chosen)


@pytest.fixture(scope="module")
def draws():
    """Four times the same real stars, each at its own G or fainter."""
    stars = load_apogee_xp("train")[COLUMNS]
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(4):
        fainter = rng.uniform(0.0, np.maximum(18.9 - stars[G_BAND].value, 0.0)) * u.mag
        copies = stars.copy()
        for name in COLUMNS[:3]:
            copies[name] = stars[name] + fainter
        drawn.append(copies)
    return drawn


@pytest.fixture(scope="module")
def copies(draws):
    return vstack(draws)


@pytest.fixture(scope="module")
def weights(copies):
    return SkyMix().fit(copies).weights(copies)


def color_of(stars):
    return (stars["phot_bp_mean_mag"] - stars["phot_rp_mean_mag"]).value


def cells(stars):
    """Return the class of G, BP - RP and E(B-V) that a star is seen in, and that of G."""
    seen = stars[G_BAND].value, color_of(stars), stars["ebv"].value
    edges = [14, 15, 16, 17], [*np.arange(0.25, 2.1, 0.25), 2.5, 3.0], [0.1, 0.5]
    g, *others = (np.digitize(v, e) for v, e in zip(seen, edges, strict=True))
    return np.ravel_multi_index([g, *others], [len(e) + 1 for e in edges]), g


@pytest.mark.parametrize(
    ("name", "limit"), [("logg", 3.5), ("fe_h", -1.0), ("fe_h", -0.5), ("teff", 5000)]
)
def test_shares_at_each_g_color_and_reddening_are_the_skys(sky, chosen, mix, name, limit):
    of_sky, _ = cells(sky)
    number = np.bincount(of_sky, minlength=165)
    share = np.bincount(of_sky, sky[name].value < limit, minlength=165) / np.maximum(number, 1)
    of_chosen, g = cells(chosen)
    weights, is_less = mix.weights(chosen), chosen[name].value < limit
    for magnitude in range(5):
        here = g == magnitude
        wanted = np.average(share[of_chosen[here]], weights=weights[here])
        biased = np.average(is_less[here])
        found = np.average(is_less[here], weights=weights[here])
        # Weights are nearer to one where the sample is small.
        allowed = 0.02 if here.sum() > 3000 else 0.6 * abs(biased - wanted) + 0.01
        assert found == pytest.approx(wanted, abs=allowed)


def test_the_skys_own_stars_weigh_one(sky):
    weights = SkyMix().fit(sky).weights(sky)
    assert weights.std() < 0.2
    assert np.percentile(np.abs(weights - 1), 90) < 0.3


def test_mean_is_one_at_each_g(copies, weights):
    of_g = np.digitize(copies[G_BAND].value, np.arange(11, 20))
    for magnitude in np.unique(of_g):
        assert weights[of_g == magnitude].mean() == pytest.approx(1.0, abs=1e-9)
    assert weights.min() > 0


def test_a_further_draw_weighs_the_same_on_average(draws):
    weights = SkyMix().fit(vstack(draws[:3])).weights(draws[3])
    of_g = np.digitize(draws[3][G_BAND].value, np.arange(12, 19))
    for magnitude in np.unique(of_g):
        assert weights[of_g == magnitude].mean() == pytest.approx(1.0, abs=0.2)


def test_faint_stars_far_from_the_plane_are_dwarfs(copies, weights):
    """Few stars of G > 15 without dust are giants, by any model of the Galaxy."""
    is_giant = copies["logg"].value < 3.5
    seen = (copies[G_BAND].value > 15) & (copies["ebv"].value < 0.1) & (color_of(copies) < 1.0)
    assert is_giant[seen].mean() > 0.15
    assert np.average(is_giant[seen], weights=weights[seen]) < 0.08


def test_red_stars_behind_dust_stay_giants(copies, weights):
    is_giant = copies["logg"].value < 3.5
    seen = (copies[G_BAND].value < 16) & (copies["ebv"].value > 0.5) & (color_of(copies) > 2.5)
    assert np.average(is_giant[seen], weights=weights[seen]) > 0.9


def test_order_of_rows_does_not_matter(chosen, mix):
    rows = np.random.default_rng(2).permutation(len(chosen))
    weights = mix.weights(chosen)
    np.testing.assert_array_equal(mix.weights(chosen[rows]), weights[rows])
    again = SkyMix().fit(chosen[rows]).weights(chosen)
    np.testing.assert_allclose(again, weights, rtol=1e-9)


def test_a_stars_weight_does_not_depend_on_the_other_rows(chosen, mix):
    np.testing.assert_array_equal(mix.weights(chosen[:3]), mix.weights(chosen)[:3])


@pytest.mark.parametrize("name", [G_BAND, "teff", "logg"])
def test_stars_of_unknown_kind_weigh_one(chosen, mix, name):
    stars = chosen.copy()
    stars[name][::2] = np.nan
    weights = mix.weights(stars)
    np.testing.assert_array_equal(weights[::2], 1.0)
    np.testing.assert_array_equal(weights[1::2], mix.weights(chosen)[1::2])
    of_labelled = SkyMix().fit(stars[1::2]).weights(stars)
    np.testing.assert_array_equal(SkyMix().fit(stars).weights(stars), of_labelled)


@pytest.mark.parametrize("name", ["phot_bp_mean_mag", "ebv", "fe_h"])
def test_what_else_is_unknown_may_be(chosen, mix, name):
    absent, unknown = chosen.copy(), chosen.copy()
    absent.remove_column(name)
    unknown[name] = np.nan * unknown[name].unit
    for fitted in (mix, SkyMix().fit(absent)):
        weights = fitted.weights(unknown)
        assert np.isfinite(weights).all()
        np.testing.assert_array_equal(fitted.weights(absent), weights)
    is_giant = chosen["logg"].value < 3.5
    assert weights[is_giant].mean() < 0.8 * weights[~is_giant].mean()


def test_kinds_that_the_sky_model_lacks_weigh_one(chosen, mix):
    subdwarf = chosen[:1].copy()
    subdwarf["teff"], subdwarf["logg"] = 30_000 * u.K, 5.7 * u.dex
    assert mix.weights(subdwarf) == 1.0


def test_no_star_speaks_for_all(copies, weights):
    of_g = np.digitize(copies[G_BAND].value, np.arange(11, 20))
    for magnitude in np.unique(of_g):
        here = weights[(of_g == magnitude) & (weights != 1.0)]
        assert here.max() / here.min() < 200.001


def test_any_container_and_unit(chosen, mix):
    frame = pd.DataFrame({name: chosen[name].value for name in COLUMNS})
    np.testing.assert_array_equal(mix.weights(frame), mix.weights(chosen))
    other = chosen.copy()
    other["phot_rp_mean_mag"] = (1000 * other["phot_rp_mean_mag"].value) * u.mmag
    np.testing.assert_allclose(mix.weights(other), mix.weights(chosen))


@pytest.mark.parametrize("name", [G_BAND, "teff", "logg"])
def test_needed_columns_are_asked_for(chosen, name):
    stars = chosen.copy()
    stars.remove_column(name)
    with pytest.raises(ColumnError, match=f"of which '{name}' is absent"):
        SkyMix().fit(stars)


def test_stars_without_labels_cannot_be_fitted(chosen):
    stars = chosen.copy()
    stars["logg"] = np.nan * u.dex
    with pytest.raises(ColumnError, match="which no star has all of"):
        SkyMix().fit(stars)


def test_other_physical_types_are_refused(chosen):
    stars = chosen.copy()
    stars["teff"] = stars["teff"].value * u.s
    with pytest.raises(UnitMismatchError, match="'teff'"):
        SkyMix().fit(stars)


def test_weights_need_a_fit(chosen):
    with pytest.raises(NotFittedError):
        SkyMix().weights(chosen)
