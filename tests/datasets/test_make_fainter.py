"""Stars made fainter, against the archive's own faint stars and against themselves."""

import astropy.units as u
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table, vstack
from scipy.stats import ks_2samp

from msaestimator.datasets import load_apogee_xp, make_fainter, make_mock_survey
from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.schema import G_BAND, GAIA_DR3, StarTable

ZERO_POINT = 25.6873668671
SCALARS = [column for column in GAIA_DR3.columns if column.block not in ("xp", "dust")]
# Orders 1, 2, 6, 16, 31, 55 of BP and RP.
ORDERS = [0, 1, 5, 15, 30, 54]
# Medians of the archive's coefficient errors relative to the G flux, of the stars of one field
# with G about this, in 1e-5.
FIELD_ERRORS = {
    15.025: (
        [9.649, 8.185, 7.122, 7.407, 3.496, 0.252],
        [7.111, 6.513, 6.790, 7.228, 5.087, 0.303],
    ),
    16.515: (
        [18.592, 15.691, 13.967, 14.955, 8.376, 0.752],
        [15.625, 14.329, 14.819, 15.706, 11.631, 0.994],
    ),
    17.449: (
        [30.407, 26.444, 24.633, 26.137, 17.470, 1.726],
        [27.703, 25.472, 25.959, 27.737, 21.747, 2.295],
    ),
}
# Medians of the first two coefficients over their errors, of the same stars, BP then RP.
FIELD_SIGNAL = {
    15.0: ([606, 85.1], [1029, 133]),
    16.0: ([400, 52.8], [649, 78.2]),
    16.75: ([260, 35.1], [445, 48.0]),
    17.5: ([172, 22.2], [311, 30.7]),
}


@pytest.fixture(scope="module")
def real():
    """Real stars far brighter than what they are made, some of all kinds."""
    stars = load_apogee_xp()
    return stars[stars[G_BAND].value < 11.5]


@pytest.fixture(scope="module")
def mock():
    """Stars with every feature and known truth, G 12 to 15."""
    stars = make_mock_survey(3000, random_state=3)
    magnitude = stars[G_BAND].value
    return stars[(magnitude > 12) & (magnitude < 15)]


@pytest.fixture(scope="module")
def crowd(mock):
    """One star that every survey but one sees, 2,000 times, far from the limits."""
    needed = [c.name for c in SCALARS if c.block != "sdss"]
    complete = np.all([np.isfinite(mock[name].value) for name in needed], axis=0)
    complete &= mock["u_psf"].value < 17.3
    infrared = np.where(complete, mock["ks_m"].value, np.inf)
    return mock[np.full(2000, np.argmin(infrared))]


def relative(table, array, name):
    return table[name] / 10 ** ((ZERO_POINT - table[G_BAND].value[:, np.newaxis]) / 2.5)


def features(table):
    """Return every feature and error with its name, one number a star."""
    for column in SCALARS:
        for name in filter(None, (column.name, column.error)):
            yield name, table[name].value
    for array in GAIA_DR3.arrays:
        for name in (array.name, array.error):
            for order in ORDERS:
                yield f"{name}[{order}]", table[name][:, order]


@pytest.mark.parametrize("g", FIELD_ERRORS)
def test_errors_are_those_of_the_archive(real, g):
    faint = make_fainter(real, g, random_state=0)
    for array, expected in zip(GAIA_DR3.arrays, FIELD_ERRORS[g], strict=True):
        error = relative(faint, array, array.error)
        np.testing.assert_allclose(1e5 * np.median(error, axis=0)[ORDERS], expected, rtol=0.06)
        # From star to star 0.065 dex, in all of a band's coefficients at once.
        scatter = np.log10(error / np.median(error, axis=0))
        low, high = np.percentile(scatter[:, 0], [16, 84])
        assert 0.05 < (high - low) / 2 < 0.09
        assert np.corrcoef(scatter[:, 3], scatter[:, 30])[0, 1] > 0.7


@pytest.mark.parametrize("g", FIELD_SIGNAL)
def test_signal_to_noise_is_that_of_field_stars(g):
    """The kinds of stars differ, the share of their light in a band does not much."""
    stars = load_apogee_xp("test")
    faint = make_fainter(stars[stars[G_BAND].value < 13.5], g, random_state=0)
    for array, expected in zip(GAIA_DR3.arrays, FIELD_SIGNAL[g], strict=True):
        ratio = np.abs(faint[array.name] / faint[array.error])
        np.testing.assert_allclose(np.median(ratio, axis=0)[:2], expected, rtol=0.15)
        # The highest orders are noise: |z| of a normal distribution has the median 0.67.
        assert 0.6 < np.median(ratio[:, 25:]) < 1.0


def test_noise_is_as_large_as_the_errors_say(crowd):
    """What was added, measured from the copies, makes the new errors of the old ones."""
    own_g = crowd[G_BAND].value[0]
    faint = make_fainter(crowd, own_g + 1.505, random_state=0)
    # 1.505 mag fainter is a quarter of the flux, at twice the distance.
    kept = {"mag": 1.0, "mas": 0.5, "mas / yr": 0.5}
    moved = {"mag": 1.505, "mas": 0.0, "mas / yr": 0.0}
    for column in SCALARS:
        before = crowd[column.name].value[0]
        if column.error is None or column.name == G_BAND or np.isnan(before):
            continue
        factor, shift = kept[column.unit], moved[column.unit]
        added = faint[column.name].value - (factor * before + shift)
        own, total = (t[column.error].value[0] for t in (crowd, faint))
        expected = np.sqrt(total**2 - (factor * own) ** 2)
        assert added.std() == pytest.approx(expected, rel=0.08, abs=3e-4), column.name
        assert abs(added.mean()) < 4 * expected / 2000**0.5 + 1e-4, column.name
    for array in GAIA_DR3.arrays:
        added = faint[array.name] - 0.25 * crowd[array.name]
        own = 0.25 * crowd[array.error]
        # With the error of each star, which scatters.
        z = added / np.sqrt(faint[array.error] ** 2 - own**2)
        assert z.std() == pytest.approx(1.0, abs=0.02)
        # BP's first coefficients share the noise of G, and no others do.
        correlation = np.corrcoef(z[:, 5:].T)
        assert np.abs(correlation - np.eye(len(correlation))).max() < 0.13


def test_parallaxes_stay_true_within_their_errors(mock):
    faint = make_fainter(mock, 17.0, random_state=0)
    growth = (faint["true_distance"] / mock["true_distance"]).to_value(u.one)
    np.testing.assert_allclose(5 * np.log10(growth), 17.0 - mock[G_BAND].value, atol=0.01)
    np.testing.assert_allclose(
        faint["true_distance"].to(u.mas, u.parallax()), faint["true_parallax"], rtol=1e-12
    )
    z = ((faint["parallax"] - faint["true_parallax"]) / faint["parallax_error"]).to_value(u.one)
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert z.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(z)))
    # Gaia DR3's median at G = 17 as published, and its motions' beside it.
    assert np.median(faint["parallax_error"].value) == pytest.approx(0.08, rel=0.1)
    for name, factor in (("pmra", 1.03), ("pmdec", 0.89)):
        ratio = faint[f"{name}_error"].value / faint["parallax_error"].value
        np.testing.assert_allclose(ratio, factor, rtol=0.02)
        slope = np.polyfit(mock[name].value / growth, faint[name].value, 1)[0]
        assert slope == pytest.approx(1.0, abs=0.01)


def test_twice_fainter_is_once(crowd):
    own_g = crowd[G_BAND].value[0]
    once = make_fainter(crowd, own_g + 1.6, random_state=1)
    twice = make_fainter(make_fainter(crowd, own_g + 0.8, 2), own_g + 1.6, random_state=3)
    compared = 0
    for (name, one), (_, two) in zip(features(once), features(twice), strict=True):
        if np.isnan(one).all():
            assert np.isnan(two).all(), name
        elif "err" in name or "sig" in name or name.startswith("e_"):
            np.testing.assert_allclose(np.median(two), np.median(one), rtol=0.02, err_msg=name)
        elif name != G_BAND:
            assert ks_2samp(one, two).pvalue > 1e-4, name
            compared += 1
    assert compared > 30


def test_noise_of_another_distance_is_told_apart(crowd):
    """The test above can fail: half the way, scaled the rest, has too little noise."""
    own_g = crowd[G_BAND].value[0]
    once = make_fainter(crowd, own_g + 1.6, random_state=1)
    half = make_fainter(crowd, own_g + 0.8, random_state=2)
    scaled = half["parallax"].value / 10**0.16
    assert ks_2samp(once["parallax"].value, scaled).pvalue < 1e-6


def test_a_star_that_stays_is_the_same(mock):
    same = make_fainter(mock, mock[G_BAND], random_state=0)
    for name, values in features(same):
        before = dict(features(mock))[name]
        kept = np.isfinite(values)
        np.testing.assert_allclose(values[kept], before[kept], rtol=1e-12, err_msg=name)
        assert kept.sum() >= 0.99 * np.isfinite(before).sum(), name


def test_distance_can_be_undone(mock):
    """By the recipe of the docstring, within the errors of the copy."""
    faint = make_fainter(mock, 16.5, random_state=0)
    modulus = (faint[G_BAND] - mock[G_BAND]).value
    recipes = {"mag": (1.0, modulus), "mas": (10 ** (0.2 * modulus), 0.0)}
    for name, error_name, unit in (
        ("j_m", "j_msigcom", "mag"),
        ("phot_bp_mean_mag", "phot_bp_mean_mag_error", "mag"),
        ("parallax", "parallax_error", "mas"),
    ):
        factor, shift = recipes[unit]
        back = factor * faint[name].value - shift
        z = (back - mock[name].value) / (factor * faint[error_name].value)
        assert np.nanstd(z) < 1.05, name
        assert np.nanmax(np.abs(z)) < 6, name
    for array in GAIA_DR3.arrays:
        factor = 10 ** (0.4 * modulus[:, np.newaxis])
        z = (factor * faint[array.name] - mock[array.name]) / (factor * faint[array.error])
        assert np.nanstd(z) < 1.05


def test_spectra_vanish_where_the_archive_ends(real):
    magnitude = np.linspace(17.0, 18.0, len(real))
    faint = make_fainter(real, magnitude, random_state=0)
    np.testing.assert_array_equal(faint[G_BAND].value, magnitude.astype(np.float32))
    for array in GAIA_DR3.arrays:
        for name in (array.name, array.error):
            gone = np.isnan(faint[name])
            np.testing.assert_array_equal(gone, np.repeat(magnitude[:, None] > 17.65, 55, axis=1))


def test_two_mass_ends():
    magnitude = np.linspace(9.0, 13.0, 4000)
    bands = dict.fromkeys(("j_m", "h_m", "ks_m"), magnitude)
    faint = make_fainter(StarTable({G_BAND: np.full(4000, 12.0), **bands}), 17.0, random_state=0)
    for name, limit in (("j_m", 16.6), ("h_m", 15.9), ("ks_m", 15.1)):
        expected = magnitude + 5.0
        measured = np.isfinite(faint[name])
        # Of five standard errors at the limit, two are left 1 mag beyond.
        assert measured[expected > limit + 1.0].mean() < 0.01
        assert measured[expected < limit - 0.7].mean() > 0.99
        assert measured[np.abs(expected - limit) < 0.1].mean() == pytest.approx(0.5, abs=0.1)
        error = faint[GAIA_DR3[name].error]
        np.testing.assert_array_equal(np.isfinite(error), measured)


def test_far_beyond_its_limit_no_survey_sees_a_star():
    """Noise that is normal in magnitudes would bring every sixth of them back."""
    stars = StarTable({G_BAND: np.full(2000, 12.0), "ks_m": np.full(2000, 11.0)})
    assert np.isnan(make_fainter(stars, 19.5, random_state=0)["ks_m"]).all()


def test_saturated_surveys_begin():
    stars = StarTable({G_BAND: [10.0, 10.0], "r_mean_psf_mag": [9.8, 9.8]})
    gone = np.isnan(make_fainter(stars, [13.0, 15.0], 0)["r_mean_psf_mag"])
    assert gone.tolist() == [True, False]


def test_footprints():
    generator = np.random.default_rng(0)
    n = 500
    stars = StarTable(
        {
            "ra": generator.uniform(0, 360, n) * u.deg,
            "dec": np.degrees(np.arcsin(generator.uniform(-1, 1, n))) * u.deg,
            G_BAND: np.full(n, 14.0),
            **{
                name: np.full(n, 14.5)
                for block in ("ps1", "sdss", "skymapper")
                for name in GAIA_DR3.block(block)
            },
        }
    )
    faint = make_fainter(stars, 16.0, random_state=0)
    latitude = SkyCoord(stars["ra"], stars["dec"]).galactic.b.deg
    dec = stars["dec"].value
    seen = {
        "ps1": dec > -30,
        "skymapper": dec < 2,
        "sdss": (latitude > 20) & (dec > -3),
    }
    for block, where in seen.items():
        for name in GAIA_DR3.block(block):
            np.testing.assert_array_equal(np.isfinite(faint[name]), where, err_msg=name)
    # Where it is not known where a star is, a survey sees it.
    stars["ra"][0] = np.nan
    for unplaced in (stars[:1], stars[G_BAND, "psfmag_r", "r_psf"]):
        faint = make_fainter(unplaced, 16.0, random_state=0)
        assert np.isfinite(faint["psfmag_r"]).all()
        assert np.isfinite(faint["r_psf"]).all()


def test_what_does_not_depend_on_distance_stays(real):
    before = real.copy()
    faint = make_fainter(real, 15.0, random_state=0)
    assert faint.colnames[: len(real.colnames)] == real.colnames
    for name in ("source_id", "ra", "dec", "ebv", "teff", "teff_err", "logg", "fe_h", "alpha_m"):
        np.testing.assert_array_equal(faint[name], real[name])
    for name in real.colnames:
        np.testing.assert_array_equal(real[name], before[name])
        assert faint[name].dtype == real[name].dtype
        assert getattr(faint[name], "unit", None) == getattr(real[name], "unit", None)
    assert faint.meta == real.meta


def test_missing_stays_missing():
    stars = StarTable(
        {
            G_BAND: [12.0, 12.0, 12.0],
            "j_m": MaskedColumn([11.0, 99.0, 11.0], mask=[False, False, True]),
            "j_msigcom": [0.02, 0.02, np.nan],
            "parallax": [1.0, np.nan, -9999.0],
            "bp_coefficients": np.vstack([np.ones((1, 55)), np.full((2, 55), np.nan)]),
        }
    )
    faint = make_fainter(stars, 14.0, random_state=0)
    for name in ("j_m", "j_msigcom", "parallax", "parallax_error"):
        assert np.isfinite(np.asarray(faint[name])).tolist() == [True, False, False], name
    for name in ("bp_coefficients", "bp_coefficient_errors"):
        assert np.isfinite(faint[name]).sum(axis=1).tolist() == [55, 0, 0], name


def test_an_error_that_is_not_known_is_typical():
    stars = StarTable(
        {G_BAND: [12.0] * 3, "ks_m": [11.0] * 3, "ks_msigcom": [0.5, np.nan, -999.0]}
    )
    without = make_fainter(stars[G_BAND, "ks_m"], 15.0, random_state=0)
    faint = make_fainter(stars, 15.0, random_state=0)
    # 0.02 mag, and 0.2 at 15.1.
    typical = np.hypot(0.02, 0.2 * 10 ** (0.4 * (14.0 - 15.1)))
    np.testing.assert_allclose(without["ks_msigcom"], typical, rtol=0.01)
    np.testing.assert_allclose(faint["ks_msigcom"][1:], typical, rtol=0.01)
    assert faint["ks_msigcom"][0] == pytest.approx(np.hypot(0.5, typical), rel=0.01)
    np.testing.assert_array_equal(faint["ks_m"], without["ks_m"])


def test_fewer_bases_are_relevant():
    stars = StarTable(
        {
            G_BAND: [11.0, 11.0, 17.0, 17.0],
            "bp_coefficients": np.ones((4, 55)),
            "bp_n_relevant_bases": MaskedColumn([20, 3, 3, 7], mask=[False, False, False, True]),
        }
    )
    faint = make_fainter(stars, [17.0, 17.5, 17.0, 17.0], random_state=0)
    numbers = faint["bp_n_relevant_bases"]
    # The archive's medians fall from 20 or so to 3.
    assert 2 <= numbers[0] <= 5
    assert numbers[1] == 1
    assert numbers[2] == 3
    assert np.ma.is_masked(numbers[3])
    assert numbers.dtype == stars["bp_n_relevant_bases"].dtype


def test_seed_makes_the_noise(mock):
    first, again, other = (make_fainter(mock, 16.0, random_state=seed) for seed in (5, 5, 6))
    for name in first.colnames:
        assert np.asarray(first[name]).tobytes() == np.asarray(again[name]).tobytes(), name
    assert not np.any(first["parallax"] == other["parallax"])


def test_any_container(real):
    """Units that a container cannot state are the schema's."""
    names = ["source_id", G_BAND, "j_m", "bp_coefficients", "teff"]
    few = Table(real[names])[:20]
    frame = pd.DataFrame(
        {n: list(few[n]) if few[n].ndim > 1 else np.asarray(few[n]) for n in names}
    )
    arrow = pa.Table.from_pandas(frame)
    columns = {name: np.asarray(few[name]) for name in names}
    expected = make_fainter(few, 15.0, random_state=0)
    containers = [
        frame,
        frame.set_index("source_id"),
        arrow,
        pl.from_arrow(arrow),
        columns,
        few.as_array(),
        [dict(zip(names, row, strict=True)) for row in few],
    ]
    for stars in containers:
        faint = make_fainter(stars, 15.0, random_state=0)
        assert isinstance(faint, StarTable)
        for name in (*names, "j_msigcom", "bp_coefficient_errors"):
            values = np.asarray(faint[name]).astype(expected[name].dtype)
            np.testing.assert_allclose(values, np.asarray(expected[name]), rtol=1e-5)


def test_scalar_coefficients_are_those_of_the_array(real):
    arrays = make_fainter(real, 15.0, random_state=0)
    scalars = real.copy()
    for array in GAIA_DR3.arrays:
        for order, column in enumerate(array.columns):
            scalars[column.name] = real[array.name][:, order]
        del scalars[array.name]
    del scalars["rp_7"]
    faint = make_fainter(scalars, 15.0, random_state=0)
    for array in GAIA_DR3.arrays:
        for order, column in enumerate(array.columns):
            if column.name != "rp_7":
                np.testing.assert_array_equal(faint[column.name], arrays[array.name][:, order])
    assert "rp_7" not in faint.colnames
    assert np.isnan(faint["rp_coefficient_errors"][:, 6]).all()


def test_names_of_other_catalogues(real):
    stars = real[G_BAND, "j_m"]
    expected = make_fainter(stars, 15.0, random_state=0)
    stars.rename_columns([G_BAND, "j_m"], ["Gmag", "Jmag"])
    faint = make_fainter(stars, 15.0, random_state=0)
    np.testing.assert_array_equal(faint["j_m"], expected["j_m"])


def test_units_are_converted():
    stars = StarTable({G_BAND: [12000.0] * u.mmag, "parallax": [1000.0] * u.uas})
    plain = StarTable({G_BAND: [12.0] * u.mag, "parallax": [1.0] * u.mas})
    faint = make_fainter(stars, [14000.0] * u.mmag, random_state=0)
    expected = make_fainter(plain, 14.0, random_state=0)
    for name in (G_BAND, "parallax"):
        assert faint[name][0] == expected[name][0]


def test_no_stars(real):
    assert len(make_fainter(real[:0], 15.0)) == len(make_fainter(real[:0], [])) == 0


def test_what_cannot_be_made_fainter(real):
    few = real[:10]
    with pytest.raises(ColumnError, match="needs their 'phot_g_mean_mag', which is absent"):
        make_fainter(few["teff", "logg"], 15.0)
    with pytest.raises(ColumnError, match="Stars must be a table"):
        make_fainter(np.ones((3, 4)), 15.0)
    unknown = few.copy()
    unknown[G_BAND][[2, 7]] = np.nan
    with pytest.raises(ColumnError, match="must be known of all stars.* rows 2, 7. Leave"):
        make_fainter(unknown, 15.0)
    text = Table({G_BAND: ["bright", "faint"]})
    with pytest.raises(ColumnError, match="'phot_g_mean_mag' must hold numbers"):
        make_fainter(text, 15.0)
    with pytest.raises(UnitMismatchError, match="must be in mag"):
        make_fainter(StarTable({G_BAND: [3.0] * u.Jy}), 15.0)
    short = few[G_BAND, "teff"]
    short["bp_coefficients"] = np.ones((10, 51))
    with pytest.raises(ColumnError, match="must have 55 coefficients a star.*10, 51"):
        make_fainter(short, 15.0)


def test_what_g_cannot_be(real):
    few = real[:10]
    with pytest.raises(ValueError, match=r"one number or one a star, \(10,\), got shape \(3,\)"):
        make_fainter(few, [15.0, 15.0, 15.0])
    with pytest.raises(ValueError, match="`g` must be finite, got nan for row 4"):
        make_fainter(few, np.where(np.arange(10) == 4, np.nan, 15.0))
    wanted = np.full(10, 15.0)
    wanted[3] = few[G_BAND].value[3] - 0.5
    with pytest.raises(ValueError, match=r"brighter than a star.* in row 3. Noise.*np.maximum"):
        make_fainter(few, wanted)
    with pytest.raises(ValueError, match="in rows 0, 1, 2, 3, 4 and 5 more"):
        make_fainter(few, 3.0)


def test_the_way_out_that_the_message_names(real, mock):
    both = vstack([real[G_BAND, "j_m"], mock[G_BAND, "j_m"]], metadata_conflicts="silent")
    faint = make_fainter(both, np.maximum(13.0, both[G_BAND].value), random_state=0)
    assert faint[G_BAND].value.min() == pytest.approx(13.0)
