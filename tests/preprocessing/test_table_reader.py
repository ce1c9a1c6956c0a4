"""The same stars give the same matrix in whatever table they come."""

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import Column as TableColumn
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.preprocessing import open_stars, read_column, read_features, read_labels
from msaestimator.schema import GAIA_DR3, GAIA_DR4, Column
from msaestimator.tables import column_names

GARBAGE = 1.25e30  # what lies beneath a mask


def numbers(stars):
    """Return {name: plain array} of a StarTable, NaN where missing."""
    return {
        name: np.asarray(getattr(stars[name], "value", stars[name])) for name in stars.colnames
    }


def scalar_columns(stars):
    """Return {name: 1-D array} with the coefficients as bp_1 ... rp_55."""
    return dict(zip(GAIA_DR3.names, read_features(stars, GAIA_DR3).T, strict=True))


def masked(values):
    missing = np.isnan(values)
    return np.where(missing, GARBAGE, values), missing


def masked_columns(stars):
    table = Table()
    for name, values in numbers(stars).items():
        filled, missing = masked(values)
        table[name] = MaskedColumn(filled, mask=missing)
    return table


def units_as_text(stars):
    table = Table(numbers(stars))
    for name in table.colnames:
        table[name].unit = str(stars[name].unit or "")
    return table


def masked_quantities(stars):
    table = QTable()
    for name, values in numbers(stars).items():
        filled, missing = masked(values)
        unit = stars[name].unit
        table[name] = Masked(filled if unit is None else filled * unit, mask=missing)
    return table


def structured(stars, number="f8"):
    columns = numbers(stars)
    dtype = [(name, number, values.shape[1:]) for name, values in columns.items()]
    array = np.empty(len(stars), dtype)
    for name, values in columns.items():
        array[name] = values
    return array


def masked_structured(stars):
    array = np.ma.array(structured(stars))
    for name, values in numbers(stars).items():
        filled, missing = masked(values)
        array[name] = np.ma.array(filled, mask=missing)
    return array


def object_frame(stars, missing_row):
    """A DataFrame with an array in each cell, as pandas reads it from parquet."""
    columns = {}
    for name, values in numbers(stars).items():
        if values.ndim == 1:
            columns[name] = values
        else:
            cells = [missing_row if np.isnan(row).all() else row for row in values]
            columns[name] = pd.Series(cells, dtype=object)
    return pd.DataFrame(columns)


def object_column(stars):
    """A masked column of arrays, as a VOTable's variable-length arrays are read."""
    table = Table(numbers(stars))
    for array in GAIA_DR3.arrays:
        values = np.asarray(table[array.name])
        cells = np.empty(len(values), dtype=object)
        cells[:] = list(values)
        missing = np.isnan(values).all(axis=1)
        cells[missing] = "no spectrum"
        table[array.name] = MaskedColumn(cells, mask=missing)
    return table


def arrow_frame(stars):
    frame = object_frame(stars, None)
    kinds = {"f": pa.float64(), "O": pa.list_(pa.float64())}
    return frame.astype({n: pd.ArrowDtype(kinds[d.kind]) for n, d in frame.dtypes.items()})


def frame_of(stars, dtype):
    return pd.DataFrame(scalar_columns(stars)).astype(dtype)


KINDS = {
    "StarTable": lambda stars: stars,
    "QTable": QTable,
    "Table with units": Table,
    "Table without units": lambda stars: Table(numbers(stars)),
    "unit as text": units_as_text,
    "-9999": lambda stars: Table(
        {name: np.where(np.isnan(v), -9999, v) for name, v in numbers(stars).items()}
    ),
    "MaskedColumn": masked_columns,
    "Masked Quantity": masked_quantities,
    "Table with scalar coefficients": lambda stars: Table(scalar_columns(stars)),
    "DataFrame": lambda stars: frame_of(stars, "float64"),
    "DataFrame with nullable Float64": lambda stars: frame_of(stars, "Float64"),
    "DataFrame with objects": lambda stars: frame_of(stars, object),
    "DataFrame with arrays": lambda stars: object_frame(stars, np.full(55, np.nan)),
    "DataFrame with arrays or None": lambda stars: object_frame(stars, None),
    "DataFrame with arrays or NaN": lambda stars: object_frame(stars, np.nan),
    "DataFrame with arrays or NA": lambda stars: object_frame(stars, pd.NA),
    "DataFrame with lists": lambda stars: object_frame(stars, []),
    "DataFrame of pyarrow": arrow_frame,
    "masked column of arrays": object_column,
    "structured array": structured,
    "big-endian structured array": lambda stars: structured(stars, ">f8"),
    "masked structured array": masked_structured,
    "record array": lambda stars: structured(stars).view(np.recarray),
    "other column order": lambda stars: stars[stars.colnames[::-1]],
}


def column(table, name, schema=GAIA_DR3):
    return read_features(table, schema)[:, schema.names.index(name)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_gives_the_same_matrix(kind, stars, matrix_of):
    table = KINDS[kind](stars)
    assert open_stars(table, GAIA_DR3) is not None
    matrix = read_features(table, GAIA_DR3)
    assert matrix.dtype == np.float64
    assert np.isnan(matrix).any()
    np.testing.assert_array_equal(matrix, matrix_of(stars))


@pytest.mark.parametrize("kind", KINDS)
def test_reading_leaves_the_table_alone(kind, stars):
    table = KINDS[kind](stars)
    before = KINDS[kind](stars)
    read_features(table, GAIA_DR3)
    for name in column_names(table):
        assert repr(table[name]) == repr(before[name])


@pytest.mark.parametrize("kind", ["float16", "float32", "int64", "uint8", ">i4", ">f4", "bool"])
def test_every_number_type(kind):
    values = np.array([1, 0, 1], dtype=kind)
    for table in (Table({"j_m": values}), np.array(list(zip(values)), [("j_m", kind)])):
        np.testing.assert_array_equal(column(table, "j_m"), [1.0, 0.0, 1.0])


def test_fits_round_trip(stars, matrix_of, tmp_path):
    stars.write(tmp_path / "stars.fits")
    for reader in (Table, QTable, StarTable):
        table = reader.read(tmp_path / "stars.fits")
        np.testing.assert_array_equal(read_features(table, GAIA_DR3), matrix_of(stars))


@pytest.mark.parametrize(
    ("name", "quantity", "expected"),
    [
        ("parallax", 2.0 * u.mas, 2.0),
        ("parallax", 0.002 * u.arcsec, 2.0),
        ("parallax", 2000.0 * u.uas, 2.0),
        ("parallax", 2.0 / 3.6e6 * u.deg, 2.0),
        ("pmra", 0.5 * u.arcsec / u.yr, 500.0),
        ("j_m", 11.5 * u.mag, 11.5),
        ("j_m", 11500.0 * u.mmag, 11.5),
        ("j_m", 11.5 * u.ABmag, 11.5),
        ("j_m", u.Magnitude(11.5), 11.5),
        ("ebv", 30.0 * u.mmag, 0.03),
    ],
)
@pytest.mark.parametrize("kind", [QTable, Table])
def test_units_are_converted(kind, name, quantity, expected):
    quantity = quantity.reshape(1)
    np.testing.assert_allclose(column(kind({name: quantity}), name), [expected], rtol=1e-14)
    hidden = Masked(quantity.repeat(2), mask=[False, True])
    np.testing.assert_allclose(column(QTable({name: hidden}), name), [expected, np.nan])


@pytest.mark.parametrize(
    ("name", "unit", "text"),
    [
        (
            "j_m",
            u.Jy,
            r"must be in mag .*, got Jy \(spectral flux density\)\. A flux is not a mag",
        ),
        ("phot_g_mean_mag", u.electron / u.s, "got electron / s .*A flux is not a magnitude"),
        ("parallax", u.mag, "must be in mas .*, got mag .* correct its unit"),
        ("pmra", u.mas, r"must be in mas / yr .*, got mas \(angle\)"),
        ("bp_coefficients", u.mag, "must be in no unit .*, got mag"),
        ("ebv", u.dimensionless_unscaled, "must be in mag .*, got dimensionless"),
    ],
)
def test_units_of_another_kind_are_an_error(name, unit, text):
    values = np.ones((2, 55) if name == "bp_coefficients" else 2)
    with pytest.raises(UnitMismatchError, match=f"Column {name!r} .*{text}"):
        read_features(QTable({name: values * unit}), GAIA_DR3)


def test_a_unit_astropy_does_not_know_is_an_error_too():
    # As the Gaia archive writes it.
    unit = u.Unit("'electron'.s**-1", parse_strict="silent")
    with pytest.raises(UnitMismatchError, match="A flux is not a magnitude"):
        read_features(Table({"phot_g_mean_mag": TableColumn([1e4], unit=unit)}), GAIA_DR3)


@pytest.mark.parametrize("unit", [u.dex(u.cm / u.s**2), u.dex, u.dimensionless_unscaled, None])
def test_surface_gravity_in_any_of_its_notations(unit):
    values = np.array([4.4, np.nan])
    table = QTable({"logg": values if unit is None else values * unit})
    np.testing.assert_array_equal(read_labels(table, {"logg": "dex"})[:, 0], values)


@pytest.mark.parametrize(
    "values",
    [
        [11.0, -9999.0] * u.mag,
        [11000.0, -9999.0] * u.mmag,
        np.array([11, -9999]),
        np.array([11, -9999], dtype=">i2"),
        np.array([11, -9999], dtype="float16"),
        np.array([11, -9999], dtype="float32"),
        [11.0, np.nan] * u.mag,
        MaskedColumn([11.0, np.inf], mask=[False, True]),
    ],
    ids=["mag", "mmag", "int", "big-endian", "float16", "float32", "NaN", "mask over inf"],
)
def test_missing_is_nan(values):
    np.testing.assert_array_equal(column(Table({"j_m": values}), "j_m"), [11.0, np.nan])


def test_minus_9999_in_another_unit_is_missing_and_its_converted_value_is_not():
    pmra = [0.001, -9999.0, -9.999] * u.arcsec / u.yr
    np.testing.assert_allclose(column(QTable({"pmra": pmra}), "pmra"), [1.0, np.nan, -9999.0])


def test_absent_columns_are_nan(stars, matrix_of):
    expected = matrix_of(stars)
    del stars["bp_coefficients"], stars["ebv"]
    absent = np.isin(GAIA_DR3.names, ["ebv", *(f"bp_{n}" for n in range(1, 56))])
    expected[:, absent] = np.nan
    np.testing.assert_array_equal(read_features(stars, GAIA_DR3), expected)


def test_some_scalar_coefficients_may_be_absent():
    table = Table({"bp_2": [3.0], "rp_55": [4.0]})
    matrix = read_features(table, GAIA_DR3)
    assert np.isfinite(matrix).sum() == 2
    assert (column(table, "bp_2"), column(table, "rp_55")) == (3.0, 4.0)


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([None, None], dtype=object),
        pd.Series([np.nan, np.nan]),
        pd.Series([[], []]),
        pd.Series([np.full(55, np.nan)] * 2),
    ],
)
def test_spectra_of_no_star(cells):
    frame = pd.DataFrame({"bp_coefficients": cells, "j_m": [10.0, 11.0]})
    matrix = read_features(frame, GAIA_DR3)
    assert np.isfinite(matrix).sum() == 2
    np.testing.assert_array_equal(column(frame, "j_m"), [10.0, 11.0])


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.null()])
@pytest.mark.parametrize("cells", [[None, None], [None, []], [[], []]])
def test_spectra_of_no_star_in_arrow(kind, cells):
    """A part of a catalogue in which no star has a spectrum does not know how long one is."""
    if kind == pa.null():
        cells = [None, None]
    table = pa.table({"bp_coefficients": pa.array(cells, kind), "j_m": [10.0, 11.0]})
    matrix = read_features(table, GAIA_DR3)
    assert np.isfinite(matrix).sum() == 2


def test_one_row(stars, matrix_of):
    np.testing.assert_array_equal(read_features(stars[:1], GAIA_DR3), matrix_of(stars[:1]))


def test_no_row(stars):
    assert read_features(stars[:0], GAIA_DR3).shape == (0, 138)


@given(
    values=hnp.arrays(
        st.sampled_from(["<f4", ">f4", "<f8", ">f8"]),
        st.integers(1, 20),
        elements=st.floats(-30, 40, width=16),
    ),
    data=st.data(),
)
def test_missing_is_what_was_made_missing_and_nothing_else(values, data):
    ways = st.sampled_from(["keep", "nan", "-9999", "mask"])
    way = np.array([data.draw(ways) for _ in values])
    written = values.copy()
    written[way == "nan"] = np.nan
    written[way == "-9999"] = -9999
    table = Table({"j_m": MaskedColumn(written, mask=way == "mask")})
    expected = np.where(way == "keep", values.astype(np.float64), np.nan)
    np.testing.assert_array_equal(column(table, "j_m"), expected)


def test_a_users_band(stars, matrix_of):
    schema = GAIA_DR3.with_columns(Column("cfis_u", unit="mag", block="cfis"))
    expected = np.column_stack([matrix_of(stars), np.arange(len(stars))])
    stars["cfis_u"] = 1000.0 * np.arange(len(stars)) * u.mmag
    np.testing.assert_allclose(read_features(stars, schema), expected, rtol=1e-14)


def test_a_smaller_schema_ignores_the_rest(stars):
    schema = GAIA_DR3.without_blocks("xp", "astrometry")
    expected = read_features(stars, GAIA_DR3)[:, np.isin(GAIA_DR3.names, schema.names)]
    np.testing.assert_array_equal(read_features(stars, schema), expected)


def test_dr4(stars_of, matrix_of):
    stars = stars_of(GAIA_DR4, missing=0.3)
    matrix = read_features(stars, GAIA_DR4)
    assert matrix.shape == (len(stars), 134)
    np.testing.assert_array_equal(matrix, matrix_of(stars, GAIA_DR4))


def test_read_column_in_a_unit():
    stars = StarTable({"distance": [1.0, np.nan] * u.kpc})
    np.testing.assert_array_equal(read_column(stars, "distance", "pc"), [1000.0, np.nan])


def test_labels_come_in_the_order_asked():
    stars = StarTable({"logg": [4.4, -9999.0], "teff": [5.772, 4.0] * u.kK})
    np.testing.assert_array_equal(
        read_labels(stars, {"teff": "K", "logg": "dex"}), [[5772.0, 4.4], [4000.0, np.nan]]
    )


@pytest.mark.parametrize(
    ("units", "text"),
    [
        ({"tef": "K"}, "but tef is absent. Did you mean 'teff'"),
        ({"age": "Gyr", "mass": "solMass"}, "but age, mass are absent"),
    ],
)
def test_absent_labels(units, text):
    with pytest.raises(ColumnError, match=text):
        read_labels(Table({"teff": [5772.0]}), units)


def test_labels_of_a_plain_array():
    with pytest.raises(ColumnError, match="must be a table, read by the names of its columns"):
        read_labels(np.ones((3, 1)), {"teff": "K"})


def test_a_label_is_one_number_a_star():
    with pytest.raises(ColumnError, match="'teff' must hold one number a star"):
        read_labels(Table({"teff": np.ones((2, 3))}), {"teff": "K"})


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.ones((2, 138)), False),
        ([[1.0, 2.0]], False),
        (Table({"anything": [1.0]}), True),
        (np.zeros(2, dtype=[("anything", "f8")]), True),
        (pd.DataFrame({"j_m": [1.0]}), True),
        (pd.DataFrame({"bp_coefficients": [np.ones(55)]}), True),
        (pd.DataFrame({"paralax": [1.0]}), True),
        (pd.DataFrame({"a": [1.0], "b": [1.0]}), False),
        (pd.DataFrame({0: [1.0], 1: [1.0]}), False),
        (pd.DataFrame({"j_m": [1.0], "normalized_bp_1": [1.0]}), False),
    ],
)
def test_stars_are_told_from_prepared_features(X, expected):
    assert (open_stars(X, GAIA_DR3) is not None) is expected


@pytest.mark.filterwarnings("ignore:.*dex.*")  # VOTable has no such unit, and astropy says so.
@pytest.mark.parametrize("kind", [Table, QTable])
def test_dex_from_a_votable(tmp_path, kind):
    path = tmp_path / "stars.vot"
    QTable({"logg": [1.5, 4.0] * u.dex}).write(path, format="votable")
    np.testing.assert_array_equal(read_labels(kind.read(path), {"logg": "dex"}), [[1.5], [4.0]])
