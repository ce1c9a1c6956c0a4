"""What a table says of the generalist's quantities, in whatever form it comes."""

import warnings
from dataclasses import replace

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from msaestimator import StarTable
from msaestimator.exceptions import MissingColumnWarning, MissingValueWarning, UnitMismatchError
from msaestimator.preprocessing import open_tokens, read_tokens
from msaestimator.results import request_table
from msaestimator.schema import (
    G_BAND,
    G_ZERO_POINT,
    GAIA_DR3,
    GAIA_DR4,
    GENERALIST,
    LABELS,
    ZHANG2026,
    Token,
    Vocabulary,
    vocabulary_of,
)

LOG_LUMINOSITY = Vocabulary((replace(GENERALIST["pseudo_luminosity"], log=True),))

GARBAGE = 1.25e30  # what lies beneath a mask


@pytest.fixture(scope="module")
def table():
    """Stars with spectra, magnitudes, a parallax and labels, a quarter missing, and errors."""
    rng = np.random.default_rng(0)
    stars = StarTable()

    def put(name, low, high, unit="", shape=()):
        values = rng.uniform(low, high, (40, *shape))
        values[rng.random(40) < 0.25] = np.nan
        stars[name] = values if shape else values * u.Unit(unit)

    for band in ("bp", "rp"):
        put(f"{band}_coefficients", -1e3, 1e3, shape=(55,))
        put(f"{band}_coefficient_errors", 0.1, 1.0, shape=(55,))
    for name in ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m"):
        put(name, 9.0, 17.0, "mag")
    for name in ("phot_bp_mean_mag_error", "phot_rp_mean_mag_error", "j_msigcom", "h_msigcom"):
        put(name, 0.01, 0.1, "mag")
    put("parallax", 0.1, 10.0, "mas")
    put("parallax_error", 0.01, 0.1, "mas")
    put("ebv", 0.0, 1.0, "mag")
    put("teff", 3500.0, 7000.0, "K")
    put("teff_err", 10.0, 100.0, "K")
    put("age", 0.1, 13.0, "Gyr")
    return stars


def plain(stars):
    """Return {name: array} without units, float64, NaN where missing."""
    return {n: np.asarray(getattr(stars[n], "value", stars[n]), float) for n in stars.colnames}


def one(**columns):
    """Return what a table of one star's numbers says, by token."""
    stars = Table({name: [value] for name, value in columns.items()})
    values, errors = read_tokens(stars, GENERALIST)
    return dict(zip(GENERALIST.names, zip(values[0], errors[0], strict=True), strict=True))


def by_hand(stars):
    """The recipes in plain numpy: {token: (values, errors)}."""
    c = plain(stars)
    flux = 10.0 ** (0.4 * (G_ZERO_POINT - c["phot_g_mean_mag"]))
    expected = {}
    for band in ("bp", "rp"):
        for i in range(55):
            expected[f"relative_{band}_{i + 1}"] = (
                c[f"{band}_coefficients"][:, i] / flux,
                np.nan_to_num(c[f"{band}_coefficient_errors"][:, i]) / flux,
            )
    bp, rp = (np.nan_to_num(c[f"phot_{band}_mean_mag_error"]) for band in ("bp", "rp"))
    j, h = (np.nan_to_num(c[f"{band}_msigcom"]) for band in ("j", "h"))
    floor = 0.00279**2 + 0.003779**2
    scale = 10.0 ** (c["phot_g_mean_mag"] / 5.0)
    nothing = np.zeros(len(j))
    bands = {"phot_bp_mean_mag": bp, "phot_rp_mean_mag": rp, "j_m": j, "h_m": h}
    for band, error in bands.items():
        expected[f"color_{band}"] = (c["phot_g_mean_mag"] - c[band], error)
    return expected | {
        "color_ks_m": (c["phot_g_mean_mag"] - c["ks_m"], nothing),
        "phot_g_mean_mag": (c["phot_g_mean_mag"], nothing),
        "bp_rp": (c["phot_bp_mean_mag"] - c["phot_rp_mean_mag"], np.sqrt(bp**2 + rp**2 + floor)),
        "j_h": (c["j_m"] - c["h_m"], np.sqrt(j**2 + h**2)),
        "j_ks": (c["j_m"] - c["ks_m"], j),
        "ebv": (np.maximum(c["ebv"], np.exp(-7.0)), np.zeros(len(j))),
        "pseudo_luminosity": (
            c["parallax"] * scale,
            np.nan_to_num(c["parallax_error"]) * scale,
        ),
        "teff": (c["teff"], np.nan_to_num(c["teff_err"])),
        "age": (c["age"], np.zeros(len(j))),
    }


def masked(values):
    missing = np.isnan(values)
    return np.where(missing, GARBAGE, values), missing


def structured(stars):
    columns = plain(stars)
    array = np.empty(len(stars), [(n, "f8", v.shape[1:]) for n, v in columns.items()])
    for name, values in columns.items():
        array[name] = values
    return array


def one_by_one(stars):
    """Return {name: 1-D array} with coefficients as bp_1 … rp_55."""
    columns = {}
    for name, values in plain(stars).items():
        if values.ndim == 1:
            columns[name] = values
            continue
        band, ending = name[:2], "_error" if name.endswith("errors") else ""
        columns |= {f"{band}_{i}{ending}": column for i, column in enumerate(values.T, 1)}
    return columns


def masked_columns(stars):
    table = Table()
    for name, values in plain(stars).items():
        filled, missing = masked(values)
        table[name] = MaskedColumn(filled, mask=missing)
    return table


def masked_quantities(stars):
    table = QTable()
    for name, values in plain(stars).items():
        filled, missing = masked(values)
        unit = stars[name].unit
        table[name] = Masked(filled if unit is None else filled * unit, mask=missing)
    return table


FORMS = {
    "StarTable": lambda stars: stars,
    "QTable": QTable,
    "Table with units": Table,
    "Table without units": lambda stars: Table(plain(stars)),
    "-9999": lambda stars: Table(
        {name: np.where(np.isnan(v), -9999, v) for name, v in plain(stars).items()}
    ),
    "MaskedColumn": masked_columns,
    "Masked Quantity": masked_quantities,
    "scalar coefficients": lambda stars: Table(one_by_one(stars)),
    "DataFrame": lambda stars: pd.DataFrame(one_by_one(stars)),
    "DataFrame with arrays": lambda stars: pd.DataFrame(
        {n: v if v.ndim == 1 else list(v) for n, v in plain(stars).items()}
    ),
    "structured array": structured,
    "other order": lambda stars: stars[stars.colnames[::-1]],
    "with strangers": lambda stars: Table(plain(stars) | {"my_notes": ["x"] * len(stars)}),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_gives_the_recipes(table, form):
    values, errors = read_tokens(form(table), GENERALIST)
    expected = by_hand(table)
    for position, name in enumerate(GENERALIST.names):
        value, error = expected.get(name, (np.full(len(table), np.nan), np.zeros(len(table))))
        np.testing.assert_allclose(values[:, position], value, rtol=1e-12, err_msg=name)
        known = np.isfinite(value)
        np.testing.assert_allclose(errors[known, position], error[known], rtol=1e-12, err_msg=name)
    assert np.isfinite(errors).all()
    assert values.dtype == errors.dtype == np.float64


def test_units_are_converted():
    stars = QTable(
        {
            "teff": [5.0] * u.kK,
            "teff_err": [50.0] * u.K,
            "age": [4e9] * u.yr,
            "age_error": [100.0] * u.Myr,
            "phot_bp_mean_mag": [15500.0] * u.mmag,
            "phot_rp_mean_mag": [15.0] * u.mag,
            "phot_g_mean_mag": [15.0] * u.mag,
            "parallax": [1000.0] * u.uas,
        }
    )
    values, errors = (
        pd.Series(rows[0], GENERALIST.names) for rows in read_tokens(stars, GENERALIST)
    )
    assert values["teff"] == pytest.approx(5000.0)
    assert errors["teff"] == pytest.approx(50.0)
    assert values["age"] == pytest.approx(4.0)
    assert errors["age"] == pytest.approx(0.1)
    assert values["bp_rp"] == pytest.approx(0.5)
    assert values["pseudo_luminosity"] == pytest.approx(1000.0)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ([1.0] * u.m, "teff"),
        ([1.0] * u.K, "age"),
        ([1.0] * u.Jy, "phot_g_mean_mag"),
        ([1.0] * u.mag, "teff_err"),
        ([1.0] * u.km, "parallax_error"),
    ],
)
def test_units_of_another_kind(column, name):
    stars = QTable({"teff": [5.0] * u.kK, "phot_g_mean_mag": [9.0], "parallax": [1.0]})
    stars[name] = column
    with pytest.raises(UnitMismatchError, match=f"Column '{name}' must be in "):
        read_tokens(stars, GENERALIST)


def test_a_column_of_the_tokens_own_name_goes_before_its_recipe():
    found = one(bp_rp=1.0, phot_bp_mean_mag=12.0, phot_rp_mean_mag=12.5)
    assert found["bp_rp"][0] == 1.0
    found = one(relative_bp_1=2.0, relative_bp_1_err=0.5, bp_1=7.0, phot_g_mean_mag=12.0)
    assert found["relative_bp_1"] == (2.0, 0.5)


@pytest.mark.parametrize("missing", [np.nan, -9999.0])
def test_unknown_errors_are_zero(missing):
    assert one(teff=5000.0, teff_err=missing)["teff"] == (5000.0, 0.0)
    known = one(j_m=9.0, h_m=8.5, j_msigcom=0.1, h_msigcom=missing)["j_h"]
    np.testing.assert_allclose(known, (0.5, 0.1))


def test_the_error_of_a_missing_value_is_zero():
    found = one(
        teff=np.nan, teff_err=20.0, parallax=1.0, parallax_error=0.1, phot_g_mean_mag=np.nan
    )
    assert found["pseudo_luminosity"][1] == 0.0


@given(hnp.arrays(float, 5, elements=st.floats(-20.0, 20.0) | st.just(np.nan)))
def test_parallaxes_without_a_logarithm_are_missing_and_said_so(parallax):
    stars = Table({"parallax": parallax, G_BAND: np.full(5, 12.0)})
    unusable = parallax <= 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = read_tokens(stars, LOG_LUMINOSITY)[0][:, 0]
    np.testing.assert_array_equal(np.isnan(found), unusable | np.isnan(parallax))
    assert len(caught) == unusable.any()
    if unusable.any():
        assert caught[0].category is MissingValueWarning
        assert f"{unusable.sum()} of 5 stars have a 'pseudo_luminosity'" in str(caught[0].message)


def test_parallaxes_that_noise_makes_negative_are_missing_without_a_word():
    """The last is too far below zero for noise, and worth a warning alone."""
    stars = Table({"parallax": [-0.4, 0.0, 0.3, -0.6]})
    stars["parallax_error"], stars[G_BAND] = 0.1, 12.0
    found = read_tokens(stars[:3], LOG_LUMINOSITY)[0][:, 0]
    assert np.isnan(found).tolist() == [True, True, False]
    with pytest.warns(MissingValueWarning, match="1 of 4 stars have a 'pseudo_luminosity'"):
        found = read_tokens(stars, LOG_LUMINOSITY)[0][:, 0]
    assert np.isnan(found).tolist() == [True, True, False, True]


@pytest.mark.parametrize("vocabulary", [ZHANG2026, GENERALIST])
def test_negative_parallaxes_are_kept_where_learned_as_they_are(vocabulary):
    stars = Table({"parallax": [-1.0, 0.0], "parallax_error": [0.5, 0.5], G_BAND: [10.0, 10.0]})
    position = vocabulary.names.index("pseudo_luminosity")
    values, errors = read_tokens(stars, vocabulary)
    np.testing.assert_allclose(values[:, position], [-100.0, 0.0])
    np.testing.assert_allclose(errors[:, position], 50.0)


@pytest.mark.parametrize("ebv", [-0.1, 0.0, 1e-5])
def test_little_reddening_is_no_reddening(ebv):
    assert one(ebv=ebv)["ebv"][0] == pytest.approx(np.exp(-7.0))


def test_a_spectrum_no_star_has_is_missing():
    stars = Table({G_BAND: [12.0, 13.0], "bp_coefficients": [np.nan, np.nan]})
    stars["bp_coefficient_errors"] = [np.nan, np.nan]
    values, errors = read_tokens(stars, GENERALIST)
    assert np.array(GENERALIST.names)[np.isfinite(values).any(axis=0)].tolist() == [G_BAND]
    assert not errors.any()


def test_no_star_at_all(table):
    values, errors = read_tokens(table[:0], GENERALIST)
    assert values.shape == errors.shape == (0, len(GENERALIST))


def test_dr4_spectra_with_their_vocabulary():
    stars = Table({G_BAND: [12.0], "bp_coefficients": np.ones((1, 51))})
    vocabulary = vocabulary_of(GAIA_DR4)
    known = np.isfinite(read_tokens(stars, vocabulary)[0][0])
    assert np.array(vocabulary.names)[known].tolist() == [
        *(f"relative_bp_{order}" for order in range(1, 52)),
        G_BAND,
    ]


def test_a_vocabulary_of_some_coefficients_reads_these():
    high = Vocabulary(tuple(t for t in GENERALIST.tokens if t.name == "relative_bp_55"))
    coefficients = np.arange(55.0)[np.newaxis]
    values, _ = read_tokens(Table({G_BAND: [G_ZERO_POINT], "bp_coefficients": coefficients}), high)
    np.testing.assert_allclose(values, [[54.0]])


def test_a_user_adds_a_quantity_in_one_line():
    vocabulary = GENERALIST.with_tokens(Token("vsini", "km / s"))
    stars = QTable({"vsini": [3000.0] * u.m / u.s, "vsini_err": [0.5] * u.km / u.s})
    values, errors = read_tokens(stars, vocabulary)
    assert (values[0, -1], errors[0, -1]) == (3.0, 0.5)


def test_answers_are_read_back_as_the_same_quantities():
    rng = np.random.default_rng(0)
    shape = (4, len(GENERALIST))
    values, errors = rng.uniform(0.01, 1.0, shape), rng.uniform(0.02, 0.2, shape)
    answers = request_table(
        GENERALIST.names,
        values,
        errors,
        units={token.name: token.unit for token in GENERALIST.tokens},
        identifiers=np.arange(4),
        flags=np.zeros(4, int),
    )
    names = [name for name in LABELS if name in GENERALIST]
    answers = StarTable(answers)
    for name in names:
        answers[name] = answers[name] * 0 + LABELS[name].limits[1] * answers[name].unit
        values[:, GENERALIST.index([name])[0]] = LABELS[name].limits[1]
    found = read_tokens(answers, GENERALIST)
    floors = np.array([token.error_floor for token in GENERALIST.tokens])
    np.testing.assert_array_equal(found[0], values)
    np.testing.assert_allclose(found[1], np.hypot(errors, floors))


@pytest.mark.parametrize("name", ["teff", "bp_coefficients", "rp_55", "parallax", G_BAND])
def test_tables_with_a_quantity_are_told(name):
    assert open_tokens(pd.DataFrame({name: [1.0]}), GENERALIST) is not None
    assert open_tokens(pd.DataFrame({f"my_{name}": [1.0]}), GENERALIST) is None
    assert open_tokens(np.ones((2, 3)), GENERALIST) is None


def test_gaia_columns_are_those_of_the_schema():
    parts = {c for token in GENERALIST.tokens for c in token.columns}
    assert parts <= set(GAIA_DR3.names)


def test_near_misses_of_names_warn():
    stars = Table({"teff": [5000.0], "phot_g_mean_mags": [12.0]})
    with pytest.warns(MissingColumnWarning, match="'phot_g_mean_mags' .* mean 'phot_g_mean_mag'"):
        read_tokens(stars, GENERALIST)
