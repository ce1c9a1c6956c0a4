"""The parallax zero point, against the published formula for one star at a time."""

import math
import sys

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.archive import _parallax, correct_parallax
from msaestimator.exceptions import ColumnError, MissingDependencyError, UnitMismatchError
from msaestimator.schema import StarTable

# Lindegren et al. 2021, tables 9 and 10: G, then q_jk in microarcseconds.
TERMS_5 = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (3, 0), (4, 0))
TABLE_9 = """
13.1 -37.99  2.63 16.14 -5.7 14.0 -1257 107.9 104.3
15.9 -38.33  5.61 15.42    0 18.7 -1189 243.8 155.2
16.1 -31.05  2.83  8.59    0 15.5 -1404 105.5 170.7
17.5 -29.18 -0.09  2.41    0 24.5 -1165 189.7 325.0
19.0 -18.40  5.98 -6.46    0  5.5     0     0 276.6
"""
TERMS_6 = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0))
TABLE_10 = """
13.1 -38.29  2.59 16.20 -10.5  1.4  0.4  -960
15.9 -36.83  4.20 15.76  22.3 11.1 10.0 -1367
16.1 -28.37  1.99  9.28  50.4 17.2 13.7 -1351
17.5 -24.68 -1.37  3.52  86.8 19.8 21.3 -1380
19.0 -15.32  4.01 -6.03  29.2 14.1  0.4  -563
"""


def published_zero_point(magnitude, color, latitude, terms, table):
    """Return equations A.3 to A.5 for one star, in mas."""
    grid, *coefficients = np.array([line.split() for line in table.split("\n")[1:-1]], float).T
    c = (
        1.0,
        min(max(color - 1.48, -0.24), 0.24),
        min(max(1.48 - color, 0.0), 0.24) ** 3,
        min(color - 1.24, 0.0),
        max(color - 1.72, 0.0),
    )
    sine = math.sin(math.radians(latitude))
    b = (1.0, sine, sine**2 - 1 / 3)
    return 1e-3 * sum(
        np.interp(magnitude, grid, q) * c[j] * b[k]
        for (j, k), q in zip(terms, coefficients, strict=True)
    )


def make_table(**changes):
    """Return three stars of five, six and two parameters, but for the columns given."""
    columns = {
        "source_id": 2**60 + np.arange(3),
        "parallax": [1.0, 0.5, np.nan] * u.mas,
        "phot_g_mean_mag": [15.0, 17.0, 20.5] * u.mag,
        "nu_eff_used_in_astrometry": [1.5, np.nan, np.nan] / u.um,
        "pseudocolour": [np.nan, 1.4, np.nan] / u.um,
        "ecl_lat": [30.0, -60.0, 10.0] * u.deg,
        "astrometric_params_solved": np.array([31, 95, 3], dtype=np.int16),
    }
    return StarTable(columns | changes)


EXPECTED = [
    published_zero_point(15.0, 1.5, 30.0, TERMS_5, TABLE_9),
    published_zero_point(17.0, 1.4, -60.0, TERMS_6, TABLE_10),
    np.nan,
]


def assert_corrected(corrected, expected=EXPECTED):
    assert corrected["parallax_zero_point"].unit == u.mas
    np.testing.assert_allclose(corrected["parallax_zero_point"].value, expected, atol=6e-7)


def test_follows_the_published_formula():
    table = make_table()
    corrected = correct_parallax(table, "lindegren2021")
    assert isinstance(corrected, StarTable)
    assert_corrected(corrected)
    # The zero point is negative, so corrected parallaxes are larger.
    np.testing.assert_allclose(
        corrected["parallax"].value, [1.0 - EXPECTED[0], 0.5 - EXPECTED[1], np.nan], atol=6e-7
    )
    assert corrected["parallax"][0] > table["parallax"][0] == 1 * u.mas
    assert "parallax_zero_point" not in table.colnames


@given(
    st.lists(
        st.tuples(st.floats(13.2, 18.9), st.floats(1.25, 1.71), st.floats(-90, 90), st.booleans()),
        min_size=1,
        max_size=6,
    )
)
def test_follows_the_published_formula_everywhere(stars):
    magnitude, color, latitude, five = (np.array(values) for values in zip(*stars, strict=True))
    table = StarTable(
        {
            "parallax": np.ones(len(stars)),
            "phot_g_mean_mag": magnitude,
            "nu_eff_used_in_astrometry": np.where(five, color, np.nan),
            "pseudocolour": np.where(five, np.nan, color),
            "ecl_lat": latitude,
            "astrometric_params_solved": np.where(five, 31, 95),
        }
    )
    terms = {True: (TERMS_5, TABLE_9), False: (TERMS_6, TABLE_10)}
    expected = [published_zero_point(g, nu, beta, *terms[five]) for g, nu, beta, five in stars]
    assert_corrected(correct_parallax(table, "lindegren2021"), expected)


@pytest.mark.parametrize(
    ("magnitude", "added"),
    [(8.0, 0.0), (13.0, 0.0), (14.0, 0.005), (15.5, 0.0125), (17.0, 0.02), (20.0, 0.02)],
)
def test_leung_lifts_the_zero_point_of_faint_stars(magnitude, added):
    table = make_table(phot_g_mean_mag=[magnitude] * 3 * u.mag)
    zero_points = [
        correct_parallax(table, correction)["parallax_zero_point"].to_value("mas")
        for correction in ("lindegren2021", "leung2023")
    ]
    np.testing.assert_allclose(zero_points[1] - zero_points[0], [added, added, np.nan])


@pytest.mark.parametrize("correction", ["lindegren2021", "leung2023"])
@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("phot_g_mean_mag", [5.9, 21.1, 15.0] * u.mag),
        ("phot_g_mean_mag", [np.nan, np.nan, 15.0] * u.mag),
        ("nu_eff_used_in_astrometry", [1.05, 1.5, 1.5] / u.um),
        ("nu_eff_used_in_astrometry", [1.95, 1.5, 1.5] / u.um),
        ("pseudocolour", [1.4, 1.2, 1.4] / u.um),
        ("pseudocolour", [1.4, np.nan, 1.4] / u.um),
        ("ecl_lat", MaskedColumn([10.0, 10.0, 10.0], mask=[True, True, False], unit="deg")),
        ("astrometric_params_solved", MaskedColumn([31, 95, 3], mask=[True, True, False])),
        ("astrometric_params_solved", [3, 3, 3]),
    ],
)
def test_what_cannot_be_corrected_stays_raw(column, values, correction):
    table = make_table(**{column: values})
    corrected = correct_parallax(table, correction)
    same = np.isnan(corrected["parallax_zero_point"].value)
    assert same.any()
    np.testing.assert_array_equal(corrected["parallax"][same], table["parallax"][same])
    assert np.all(corrected["parallax"][~same] != table["parallax"][~same])


def test_nothing_is_subtracted_from_an_unknown_parallax():
    table = make_table(parallax=[np.nan, 0.5, np.nan] * u.mas)
    assert_corrected(correct_parallax(table, "leung2023"), [np.nan, EXPECTED[1] + 0.02, np.nan])


def test_the_raw_parallax_is_recovered():
    table = make_table(phot_g_mean_mag=[15.0, 21.5, 20.0] * u.mag)
    corrected = correct_parallax(table, "leung2023")
    zero_point = corrected["parallax_zero_point"]
    raw = np.where(np.isnan(zero_point), corrected["parallax"], corrected["parallax"] + zero_point)
    np.testing.assert_allclose(raw.to_value("mas"), table["parallax"].value, rtol=1e-15)


def test_nothing_else_changes():
    table = make_table()
    corrected = correct_parallax(table, "lindegren2021")
    assert corrected.colnames == [*table.colnames, "parallax_zero_point"]
    for name in set(table.colnames) - {"parallax"}:
        np.testing.assert_array_equal(corrected[name], table[name])


def test_units_are_converted_and_kept():
    other = make_table(
        parallax=[1e-3, 0.5e-3, np.nan] * u.arcsec,
        ecl_lat=np.radians([30.0, -60.0, 10.0]) * u.rad,
        nu_eff_used_in_astrometry=[1.5e6, np.nan, np.nan] / u.m,
    )
    corrected = correct_parallax(other, "lindegren2021")
    assert_corrected(corrected)
    assert corrected["parallax"].unit == u.arcsec
    np.testing.assert_allclose(
        corrected["parallax"].value[:2], [1e-3 - 1e-3 * EXPECTED[0], 5e-4 - 1e-3 * EXPECTED[1]],
        atol=6e-10,
    )  # fmt: skip


@pytest.mark.parametrize("with_units", [True, False])
def test_masked_and_bare_columns_are_read(with_units):
    plain = Table()
    for name, column in make_table().items():
        values = np.asarray(getattr(column, "value", column))
        missing = np.isnan(values)
        filled = np.where(missing, -1, values).astype(values.dtype)
        plain[name] = MaskedColumn(filled, mask=missing)
        plain[name].unit = column.unit if with_units else None
    corrected = correct_parallax(plain, "lindegren2021")
    assert_corrected(corrected)
    np.testing.assert_array_equal(corrected["parallax"].mask, [False, False, True])
    parallax = u.Quantity(corrected["parallax"][:2], u.mas).value
    np.testing.assert_allclose(parallax, [1.0 - EXPECTED[0], 0.5 - EXPECTED[1]], atol=6e-7)


def test_single_precision_is_enough():
    table = make_table(phot_g_mean_mag=np.float32([15.0, 17.0, 20.5]) * u.mag)
    assert_corrected(correct_parallax(table, "lindegren2021"))


def test_no_star_is_no_trouble():
    assert len(correct_parallax(make_table()[:0], "leung2023")) == 0


def test_corrects_no_table_twice():
    corrected = correct_parallax(make_table(), "lindegren2021")
    with pytest.raises(ColumnError, match="must have raw parallaxes.*'parallax_zero_point'"):
        correct_parallax(corrected, "leung2023")


def test_refuses_what_it_cannot_use():
    table = make_table()
    with pytest.raises(ValueError, match="must be one of lindegren2021.*Did you mean 'linde"):
        correct_parallax(table, "lindegren2020")
    with pytest.raises(UnitMismatchError, match="'ecl_lat' must be in deg.*got mas / yr"):
        correct_parallax(make_table(ecl_lat=[1, 2, 3] * u.mas / u.yr), "leung2023")
    table.remove_columns(["ecl_lat", "nu_eff_used_in_astrometry"])
    with pytest.raises(ColumnError, match="nu_eff_used_in_astrometry, ecl_lat.*gaia_source_lite"):
        correct_parallax(table, "lindegren2021")


def test_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "zero_point", None)
    _parallax._zpt.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"pip install msaestimator\[zeropoint\]"):
        correct_parallax(make_table(), "lindegren2021")
