"""Masses, ages, radii, distances and extinctions of stars, by isochrones."""

from functools import cache

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, Table

from msaestimator.datasets import load_isochrone_grid, match_isochrones
from msaestimator.datasets._isochrone_grid import apparent_magnitudes
from msaestimator.datasets._isochrone_library import BANDS, load_isochrone_library
from msaestimator.datasets._stellar_evidence import total_metallicity
from msaestimator.datasets._weighted_quantiles import weighted_quantiles
from msaestimator.exceptions import ColumnError, RenamedColumnWarning, UnitMismatchError
from msaestimator.schema import GAIA_DR3, StarTable

FOUND = ("mass", "age", "radius", "distance", "a_v")
SPECTRA = ("teff", "logg", "fe_h", "alpha_m")
FLOORS = {"teff": 0.01, "logg": 0.05, "fe_h": 0.05, "magnitude": 0.03, "parallax": 0.02}
"""What the docstring says that errors are raised by."""


@cache
def mock_stars(n_stars=600, *, giants=False):
    """Return stars drawn from the prior that the docstring states, with noise, and their truth.

    Drawn by importance from even phases of the isochrones; the mass that a phase spans is found
    by differences.
    """
    rng, grid, n_drawn = np.random.RandomState(1), load_isochrone_grid(), 200_000
    component = rng.choice(3, n_drawn, p=[0.85, 0.13, 0.02])
    fe_h = np.array([-0.05, -0.5, -1.5])[component]
    fe_h = np.clip(fe_h + np.array([0.2, 0.3, 0.5])[component] * rng.normal(size=n_drawn), -4, 0.5)
    age, eep = rng.uniform(0.1, 13.8, n_drawn), rng.uniform(203, 807, n_drawn)
    log_age = np.log10(age) + 9.0
    before, star, after = (grid.at(fe_h, log_age, eep + step) for step in (-1.0, 0.0, 1.0))
    mass = star["initial_mass"]
    weight = np.where(mass < 0.5, mass**-1.3, 0.5 * mass**-2.3)
    weight *= np.clip(after["initial_mass"] - before["initial_mass"], 0, None)
    weight *= (star["logg"] < 3.5) | (not giants)
    chosen = rng.choice(n_drawn, n_stars, p=weight / weight.sum())
    star = {name: values[chosen] for name, values in star.items()}
    distance = rng.gamma(3.0, 2.0, n_stars)
    a_v = np.abs(rng.normal(0.0, 0.05 + distance))
    radius = np.sqrt(star["star_mass"] * 10.0 ** (4.438 - star["logg"]))
    truth = dict(zip(FOUND, (star["star_mass"], age[chosen], radius, distance, a_v), strict=True))
    teff = 10.0 ** star["log_teff"]
    told = {
        "teff": (teff, 60.0, "teff_err", FLOORS["teff"] * teff),
        "logg": (star["logg"], 0.08, "logg_err", FLOORS["logg"]),
        "fe_h": (fe_h[chosen], 0.06, "fe_h_err", FLOORS["fe_h"]),
        "parallax": (1.0 / distance - 0.03, 0.03, "parallax_error", FLOORS["parallax"]),
    }
    for band, magnitude in apparent_magnitudes(star, distance, a_v).items():
        if band in BANDS:
            told[band] = (magnitude, 0.02, GAIA_DR3[band].error, FLOORS["magnitude"])
    stars = StarTable({"source_id": np.arange(n_stars) + 2**60})
    for name, (values, error, error_name, floor) in told.items():
        stars[name] = values + np.hypot(error, floor) * rng.normal(size=n_stars)
        stars[error_name] = np.full(n_stars, error)
    return stars, truth


def without(stars, *names):
    return stars[[name for name in stars.colnames if not name.startswith(names)]]


def one(**columns):
    """Return what is found of one star."""
    return match_isochrones({name: [value] for name, value in columns.items()})[0]


def error_of(stars, name="mass"):
    return np.median(match_isochrones(stars)[f"{name}_err"].value)


@pytest.mark.parametrize("giants", [False, True])
@pytest.mark.parametrize("hidden", [(), ("parallax",), (*BANDS, "parallax"), SPECTRA])
def test_intervals_of_mock_stars_hold_the_truth(hidden, giants):
    stars, truth = mock_stars(giants=giants)
    matched = match_isochrones(without(stars, *hidden) if hidden else stars)
    for name in FOUND[: 3 if BANDS[0] in hidden else 5]:
        low, high = (matched[f"{name}_{end}"].value for end in ("lower", "upper"))
        assert np.mean((low <= truth[name]) & (truth[name] <= high)) == pytest.approx(
            0.68, abs=0.06
        )
        # Giants alone are not the prior's stars: to photometry, some could be dwarfs.
        if not giants:
            assert np.mean(truth[name] < low) == pytest.approx(0.16, abs=0.05)
    # Chi squared of the best model has at most as many degrees of freedom as measurements.
    assert -6.0 < np.median(matched["log_likelihood"]) < 0.0


def test_giants_are_weighed_and_dated():
    stars, truth = mock_stars(giants=True)
    matched = match_isochrones(stars)
    for name, limit in {"mass": 0.2, "radius": 0.2, "distance": 0.12, "a_v": 0.2}.items():
        off = np.abs(matched[name].value - truth[name])
        off = off if name == "a_v" else off / truth[name]
        assert np.median(off) < limit
    assert np.corrcoef(matched["age"].value, truth["age"])[0, 1] > 0.5


def test_posterior_is_that_of_all_models_together():
    library = load_isochrone_library()
    teff, logg, m_h = 4800.0, 2.5, -0.3
    errors = np.hypot([50 / 4800, 0.1, 0.05], [0.01, 0.05, 0.05]) / [np.log(10), 1, 1]
    off = (library["parameters"] - [np.log10(teff), logg, m_h]) / errors
    weight = np.exp(library.log_prior - 0.5 * (off**2).sum(axis=-1)).reshape(1, -1)
    expected = weighted_quantiles(library["mass"].reshape(1, -1), weight, (0.5, 0.16, 0.84))[0]
    found = one(teff=teff, teff_err=50.0, logg=logg, logg_err=0.1, fe_h=m_h, fe_h_err=0.05)
    names = ("mass", "mass_lower", "mass_upper")
    np.testing.assert_allclose([found[n].value for n in names], expected, atol=0.04)


def test_the_sun_is_the_sun():
    sun = one(
        teff=5772.0, teff_err=10.0, logg=4.438, logg_err=0.01, fe_h=0.0, fe_h_err=0.01,
        parallax=100.0, parallax_error=0.02, phot_g_mean_mag=4.67, phot_bp_mean_mag=4.99,
        phot_rp_mean_mag=4.18,
    )  # fmt: skip
    assert sun["mass"].value == pytest.approx(1.0, abs=0.04)
    assert sun["radius"].value == pytest.approx(1.0, abs=0.05)
    assert sun["distance"].value == pytest.approx(0.01, rel=0.01)
    assert sun["age_lower"] < 4.6 * u.Gyr < sun["age_upper"]


def test_order_and_company_do_not_matter():
    stars = mock_stars()[0][:150]
    matched = match_isochrones(stars)
    order = np.random.RandomState(0).permutation(len(stars))
    shuffled, few = match_isochrones(stars[order]), match_isochrones(stars[:7])
    for name in matched.colnames:
        np.testing.assert_allclose(shuffled[name], matched[name][order], rtol=1e-6)
        np.testing.assert_allclose(few[name], matched[name][:7], rtol=1e-6)


@pytest.mark.parametrize("error", ["teff_err", "logg_err", "fe_h_err"])
def test_larger_errors_make_wider_intervals(error):
    stars = without(mock_stars(giants=True)[0], *BANDS, "parallax")[:200]
    worse = stars.copy()
    worse[error] *= 4
    assert error_of(worse) > 1.1 * error_of(stars)


def test_a_parallax_helps():
    stars, truth = mock_stars(giants=True)
    near = truth["distance"] < 3.0
    stars, truth = without(stars[near], "logg"), truth["distance"][near]
    stars["logg"] = np.full(len(stars), 2.5)
    stars["logg_err"] = np.full(len(stars), 1.0)
    off = [
        np.median(np.abs(match_isochrones(table)["distance"].value - truth))
        for table in (stars, without(stars, "parallax"))
    ]
    assert off[0] < 0.5 * off[1]
    assert error_of(stars, "distance") < 0.5 * error_of(without(stars, "parallax"), "distance")


def test_alpha_elements_count_as_metals():
    np.testing.assert_allclose(total_metallicity(np.array([-1.0, 0.2]), np.array([0.0, 0.0])),
                               [-1.0, 0.2])  # fmt: skip
    # Salaris et al. 1993: twice as many alpha elements are 0.214 dex more metals.
    assert total_metallicity(-0.5, np.log10(2.0)) == pytest.approx(-0.5 + np.log10(1.638))
    star = {"teff": 4700.0, "logg": 2.4, "fe_h_err": 0.05, "m_h_err": 0.05}
    enhanced = one(**star, fe_h=-0.6, alpha_m=0.3, alpha_m_err=1e-9)
    scaled = one(**star, fe_h=float(total_metallicity(-0.6, 0.3)))
    assert enhanced["mass"].value == pytest.approx(scaled["mass"].value, rel=1e-6)
    same = one(**star, fe_h=-0.6, alpha_fe=0.3, alpha_fe_err=1e-9, alpha_m=0.0)
    assert enhanced["mass"].value == pytest.approx(same["mass"].value, rel=1e-6)
    # The total metallicity counts them already.
    total = one(**star, m_h=float(total_metallicity(-0.6, 0.3)), alpha_m=0.3)
    assert total["mass"].value == pytest.approx(scaled["mass"].value, rel=1e-6)
    assert enhanced["mass"].value > 1.02 * one(**star, fe_h=-0.6)["mass"].value


def test_what_nothing_is_known_of_is_nan():
    stars = Table(mock_stars(giants=True)[0][:6])
    stars["teff"][:3] = np.nan
    for band in BANDS[1:]:
        stars[band][0] = -9999.0  # no temperature
    for band in BANDS:
        stars[band][1] = np.nan  # no temperature either
    stars["logg"] = MaskedColumn(stars["logg"], mask=[False, False, True, True, False, False])
    stars["parallax"][3] = np.nan  # no luminosity
    for band in BANDS:
        stars[band][4] = 99.99  # but spectroscopy
    matched = match_isochrones(stars)
    for name in (*FOUND, "mass_err", "age_lower", "a_v_upper", "log_likelihood"):
        known = [False, False, True, False, not name.startswith(("distance", "a_v")), True]
        np.testing.assert_array_equal(np.isfinite(matched[name]), known, err_msg=name)


def test_columns_have_units_and_describe_themselves():
    stars, _ = mock_stars()
    matched = match_isochrones(stars[:3])
    suffixes = ("", "_err", "_lower", "_upper")
    names = [name + suffix for name in FOUND for suffix in suffixes]
    assert matched.colnames == ["source_id", *names, "log_likelihood"]
    np.testing.assert_array_equal(matched["source_id"], stars["source_id"][:3])
    units = dict(zip(FOUND, (u.solMass, u.Gyr, u.solRad, u.kpc, u.mag), strict=True))
    for name, unit in units.items():
        assert {matched[name + suffix].unit for suffix in suffixes} == {unit}
        assert (matched[f"{name}_lower"] <= matched[name]).all()
        assert (matched[name] <= matched[f"{name}_upper"]).all()
        half = (matched[f"{name}_upper"] - matched[f"{name}_lower"]) / 2
        np.testing.assert_allclose(matched[f"{name}_err"], half)
    assert all(matched[name].info.description for name in matched.colnames[1:])
    assert "MIST" in matched.meta["credit"]


def test_any_container_and_unit():
    stars, _ = mock_stars()
    expected = match_isochrones(stars[:5])
    frame = pd.DataFrame({name: np.asarray(stars[name][:5]) for name in stars.colnames})
    in_units = StarTable(stars[:5])
    in_units["teff"] = stars["teff"][:5] / 1000 * u.kK
    in_units["teff_err"] = stars["teff_err"][:5] * u.K
    in_units["parallax"] = stars["parallax"][:5] / 1000 * u.arcsec
    in_units["logg"] = stars["logg"][:5] * u.dex(u.cm / u.s**2)
    for table in (frame, in_units, frame.set_index("source_id"), frame.to_dict("list")):
        found = match_isochrones(table)
        np.testing.assert_array_equal(found["source_id"], stars["source_id"][:5])
        for name in FOUND:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)


def test_errors_by_the_names_of_predictions_and_defaults():
    stars, _ = mock_stars()
    stars = without(stars, *BANDS[3:])[:5]
    renamed = stars.copy()
    for name in ("parallax", *BANDS[:3]):
        renamed.rename_column(GAIA_DR3[name].error, f"{name}_err")
    expected = match_isochrones(stars)
    np.testing.assert_array_equal(match_isochrones(renamed)["mass"], expected["mass"])
    unknown = {name: [value] for name, value in (("teff", 5000.0), ("logg", 3.0), ("fe_h", -0.2))}
    default = {"teff_err": [100.0], "logg_err": [0.1], "fe_h_err": [0.1]}
    missing = {"teff_err": [np.nan], "logg_err": [-9999.0], "fe_h_err": [0.0]}
    found = [match_isochrones(unknown | errors)["mass"][0] for errors in ({}, default, missing)]
    assert found[0] == found[1] == found[2]


def test_corrected_parallaxes_are_left_alone():
    stars = without(mock_stars(giants=True)[0], "logg")[:5]
    corrected = stars.copy()
    corrected["parallax"] += 0.03
    corrected["parallax_zero_point"] = np.full(5, -0.03) * u.mas
    found = match_isochrones(corrected)["distance"]
    np.testing.assert_allclose(found, match_isochrones(stars)["distance"], rtol=1e-6)


def test_other_catalogues_names():
    table = {"Teff": [5000.0], "log(g)": [3.0], "[Fe/H]": [-0.2], "e_Teff": [50.0]}
    with pytest.warns(RenamedColumnWarning, match="'Teff' for 'teff'"):
        found = match_isochrones(table)
    same = one(teff=5000.0, logg=3.0, fe_h=-0.2, teff_err=50.0)
    assert found["mass"][0] == same["mass"]
    with pytest.raises(ColumnError, match="must tell the stars' temperatures"):
        match_isochrones(table, aliases=False)


def test_impossible_stars_are_answered_and_told_by_the_likelihood():
    hot = one(teff=35_000.0, teff_err=500.0, logg=5.7, logg_err=0.05, fe_h=0.0)
    far = one(teff=5000.0, logg=4.6, fe_h=0.0, parallax=-50.0, parallax_error=0.02,
              phot_g_mean_mag=12.0)  # fmt: skip
    for star in (hot, far):
        assert np.isfinite([star[name].value for name in FOUND[:3]]).all()
        assert star["log_likelihood"] < -50


def test_no_stars():
    stars, _ = mock_stars()
    matched = match_isochrones(stars[:0])
    assert len(matched) == 0
    assert matched.colnames == match_isochrones(stars[:1]).colnames


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (np.ones((3, 4)), ColumnError, "must be a table"),
        ({"logg": [4.0], "j_m": [9.0]}, ColumnError, "temperatures: it needs 'teff' or two"),
        ({"teff": [5000.0], "j_m": [9.0]}, ColumnError, "luminosities: it needs 'logg', or"),
        ({"teff": ["hot"], "logg": [4.0]}, ColumnError, "Column 'teff' must be numbers"),
        ({"teff": [5000] * u.mag, "logg": [4.0]}, UnitMismatchError, "Column 'teff'"),
    ],
)
def test_tables_that_tell_nothing_are_refused(table, error, message):
    with pytest.raises(error, match=message):
        match_isochrones(table)


def test_prior_is_the_mass_function_along_the_isochrones():
    library = load_isochrone_library()
    weight = np.exp(library.log_prior.astype(float))
    weight /= weight.sum()
    assert 10.0 ** (library["log_age"][weight > 0].max() - 9.0) < 13.8
    # Stars that live longer than the Universe: the mass function itself, at all ages alike.
    mass, age = library["mass"], 10.0 ** (library["log_age"] - 9.0)
    dwarfs = mass < 0.7
    share = weight[dwarfs & (mass > 0.5)].sum() / weight[(mass > 0.2) & (mass < 0.5)].sum()
    mass_function = (0.5 * (0.5**-1.3 - 0.7**-1.3) / 1.3) / ((0.2**-0.3 - 0.5**-0.3) / 0.3)
    assert share == pytest.approx(mass_function, rel=0.03)
    counts, _ = np.histogram(age[dwarfs], bins=[1.0, 5.0, 9.0, 13.0], weights=weight[dwarfs])
    np.testing.assert_allclose(counts / counts.mean(), 1.0, atol=0.03)
    assert np.average(library["parameters"][..., 2], weights=weight) == pytest.approx(
        -0.14, abs=0.03
    )


def test_quantiles_of_weights():
    rng = np.random.RandomState(0)
    values, weights = rng.normal(size=(3, 50)), np.ones((3, 50))
    levels = (0.5, 0.16, 0.84)
    expected = np.quantile(values, levels, axis=1, method="hazen").T
    np.testing.assert_allclose(weighted_quantiles(values, 7 * weights, levels), expected)
    weights[:, values[0] > 0] = 1e-12
    assert (weighted_quantiles(values[:1], weights[:1], levels) <= 0).all()
