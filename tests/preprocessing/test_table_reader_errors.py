"""What the table reader refuses, and what it warns of."""

import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from msaestimator.exceptions import ColumnError, MissingColumnWarning
from msaestimator.preprocessing import read_features
from msaestimator.schema import GAIA_DR3, GAIA_DR4
from msaestimator.tables import column_names


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.array(["12.5", "n/a"]), "must hold numbers, got strings. Convert it, with NaN"),
        (np.array([b"12.5", b"n/a"]), "must hold numbers, got strings"),
        (np.array(["12.5", None], dtype=object), r"must hold numbers, got '12.5' \(str\)"),
        (np.array([{}, None], dtype=object), r"must hold numbers, got {} \(dict\)"),
        (np.array([1j, 2]), "must hold numbers, got complex numbers"),
        (np.array(["2016-01-01", "NaT"], dtype="M8[D]"), "must hold numbers, got dates"),
        (
            np.array([1.0, np.inf]),
            "must be finite or NaN, got 1 values infinite in .*, the first in row 1",
        ),
        (
            np.array([-np.inf, np.inf]),
            "must be finite or NaN, got 2 values infinite in .*, the first in row 0",
        ),
        (np.array([1.0, 1e60]), "got 1 values infinite in single precision, the first in row 1"),
        (np.ones((2, 3)), r"must hold one number a star, got shape \(2, 3\)"),
        (np.ones((2, 1)), r"must hold one number a star, got shape \(2, 1\)"),
    ],
)
@pytest.mark.parametrize("name", ["j_m", "bp_7"])
def test_what_is_not_one_number_a_star(values, text, name):
    with pytest.raises(ColumnError, match=f"Column {name!r} .*{text}"):
        read_features(Table({name: values}), GAIA_DR3)


@pytest.mark.parametrize("values", [["12.5", "n/a"], pd.Categorical(["a", "b"])])
def test_strings_in_a_data_frame(values):
    with pytest.raises(ColumnError, match="Column 'j_m' must hold numbers, got '"):
        read_features(pd.DataFrame({"j_m": values}), GAIA_DR3)


@pytest.mark.parametrize(
    ("shape", "found"), [((2, 51), "51"), ((2, 56), "56"), ((2,), "1"), ((2, 5, 11), "5 x 11")]
)
def test_wrong_number_of_coefficients_names_the_other_release(shape, found):
    with pytest.raises(
        ColumnError,
        match=f"'bp_coefficients' must have 55 coefficients a star, got {found}. .*GAIA_DR4",
    ):
        read_features(Table({"bp_coefficients": np.ones(shape)}), GAIA_DR3)


def test_dr3_spectra_with_the_dr4_schema_and_dr4_ones_with_it():
    table = Table({"bp_coefficients": np.ones((2, 55))})
    with pytest.raises(ColumnError, match="must have 51 coefficients a star, got 55. .*GAIA_DR3"):
        read_features(table, GAIA_DR4)
    table = Table({"bp_coefficients": np.ones((2, 51)), "rp_coefficients": np.ones((2, 55))})
    assert np.isfinite(read_features(table, GAIA_DR4)).sum() == 2 * 106


def test_rows_of_different_length():
    frame = pd.DataFrame({"bp_coefficients": [np.ones(55), np.ones(51)]})
    with pytest.raises(ColumnError, match=r"as many values in every row, got \[51, 55\]"):
        read_features(frame, GAIA_DR3)


def test_coefficients_twice():
    table = Table({"rp_coefficients": np.ones((1, 55)), "rp_1": [1.0]})
    with pytest.raises(
        ColumnError, match="RP coefficients must come once, got both 'rp_coeff.* and 'rp_1'. Drop"
    ):
        read_features(table, GAIA_DR3)


@pytest.mark.parametrize(("schema", "name"), [(GAIA_DR3, "bp_56"), (GAIA_DR4, "bp_52")])
def test_surplus_scalar_coefficient(schema, name):
    size = schema.arrays[0].size
    with pytest.raises(ColumnError, match=f"has {size} BP coefficients, got a column '{name}'"):
        read_features(Table({"bp_1": [1.0], name: [1.0]}), schema)


def test_duplicate_columns_of_a_data_frame():
    frame = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["j_m", "h_m", "j_m"])
    with pytest.raises(ColumnError, match="must be distinct, got j_m more than once"):
        read_features(frame, GAIA_DR3)


def test_no_known_column():
    with pytest.raises(
        ColumnError,
        match="None of the 2 columns is a feature of the schema 'gaia_dr3'. Did you mean 'parall",
    ):
        read_features(Table({"paralax": [1.0], "colour": [2.0]}), GAIA_DR3)


def test_a_plain_array_is_no_table():
    assert column_names(np.ones((2, 138))) is None
    with pytest.raises(ColumnError, match="must be a table, read by the names"):
        read_features(np.ones((2, 138)), GAIA_DR3)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("paralax", "parallax"),
        ("PARALLAX", "parallax"),
        ("phot_g_meanmag", "phot_g_mean_mag"),
        ("phot_g_mean_magg", "phot_g_mean_mag"),
        ("pm_ra", "pmra"),
        ("bp_coeficients", "bp_coefficients"),
    ],
)
def test_a_nearly_right_name_warns(name, near):
    with pytest.warns(
        MissingColumnWarning, match=f"{name!r} is not a feature of .* and is ignored. .* {near!r}"
    ):
        matrix = read_features(Table({"j_m": [1.0], name: [2.0]}), GAIA_DR3)
    assert np.isfinite(matrix).sum() == 1


def test_names_of_other_quantities_do_not_warn():
    others = [
        "catwise_w3",
        "parallax_error",
        "phot_g_mean_mag_error",
        "ra",
        "bp_rp",
        "source_id",
        "teff",
        "u",
    ]
    others += [array.error for array in GAIA_DR3.arrays]
    others += [column.error for column in GAIA_DR3.columns if column.error]
    table = Table({name: [1.0] for name in ["j_m", *dict.fromkeys(others)]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(read_features(table, GAIA_DR3)).sum() == 1


def test_a_column_that_is_there_needs_no_near_miss():
    read_features(Table({"parallax": [1.0], "Parallax": [2.0]}), GAIA_DR3)
