"""What the reader of quantities refuses."""

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from msaestimator.exceptions import ColumnError, MissingValueWarning
from msaestimator.preprocessing import read_tokens
from msaestimator.schema import G_BAND, GENERALIST

BP = np.ones((2, 55))


def read(**columns):
    return read_tokens(Table(columns), GENERALIST)


@pytest.mark.parametrize(
    "columns",
    [
        {"teff": [5000.0, 5000.0], "teff_err": [10.0, -1.0]},
        {"teff": [np.nan, np.nan], "teff_error": [np.nan, -1.0]},
        {"j_m": [9.0, 9.0], "h_m": [9.0, 9.0], "j_msigcom": [0.1, -0.1]},
        {"bp_1": [1.0, 1.0], G_BAND: [9.0, 9.0], "bp_1_error": [0.0, -1e-3]},
    ],
)
def test_negative_errors(columns):
    name = next(n for n in columns if "err" in n or "sig" in n)
    text = f"Column '{name}' must hold standard errors, .* in 1 rows, the first in row 1. Set"
    with pytest.raises(ColumnError, match=text):
        read(**columns)


def test_negative_errors_among_coefficients_name_the_column_the_table_has():
    errors = np.ones((2, 55))
    errors[1, 30] = -1.0
    with pytest.raises(ColumnError, match="'bp_coefficient_errors' must hold .* in row 1"):
        read(bp_coefficients=BP, bp_coefficient_errors=errors, phot_g_mean_mag=[9.0, 9.0])


@pytest.mark.parametrize("columns", [{"bp_coefficients": BP}, {"bp_1": [1.0, 1.0]}])
def test_coefficients_without_g(columns):
    with pytest.raises(
        ColumnError, match="'bp_1' is divided by .* 'phot_g_mean_mag', and it is a"
    ):
        read(**columns)


@pytest.mark.parametrize("size", [51, 54, 56])
@pytest.mark.parametrize("name", ["bp_coefficients", "rp_coefficient_errors"])
def test_another_number_of_coefficients(name, size):
    columns = {"bp_coefficients": BP, "rp_coefficients": BP, G_BAND: [9.0, 9.0]}
    text = f"'{name}' must have 55 coefficients a star, got {size}.* or the vocabulary of it"
    with pytest.raises(ColumnError, match=text):
        read(**columns | {name: np.ones((2, size))})


def test_coefficients_in_two_forms():
    with pytest.raises(ColumnError, match="once, got both 'bp_coefficients' and 'bp_3'. Drop one"):
        read(bp_coefficients=BP, bp_3=[1.0, 1.0], phot_g_mean_mag=[9.0, 9.0])


def test_duplicates():
    frame = pd.DataFrame([[1.0, 2.0]], columns=["teff", "teff"])
    with pytest.raises(ColumnError, match="must be distinct, got teff more than once"):
        read_tokens(frame, GENERALIST)


@pytest.mark.parametrize("columns", [{"tefff": [1.0]}, {"magnitude": [1.0], "x": [2.0]}, {}])
def test_no_known_quantity(columns):
    with pytest.raises(ColumnError, match=f"None of the {len(columns)} columns is a quantity"):
        read(**columns)


def test_no_known_quantity_says_the_nearest():
    with pytest.raises(ColumnError, match="Did you mean 'teff'"):
        read(tefff=[1.0])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["5000"], "must hold numbers, got strings"),
        ([np.inf], "must be finite or NaN"),
        ([[5000.0, 6000.0]], "must hold one number a star"),
    ],
)
def test_what_is_not_one_number_a_star(values, text):
    for name in ("teff", "teff_err"):
        with pytest.raises(ColumnError, match=f"Column '{name}' {text}"):
            read(**{"teff": [1.0], name: values})


@pytest.mark.parametrize(
    ("columns", "token"),
    [
        ({"bp_1": [1.0, 1.0], G_BAND: [9.0, 9999.0]}, "relative_bp_1"),
        ({"parallax": [1.0, 1.0], G_BAND: [9.0, 9999.0]}, "pseudo_luminosity"),
    ],
)
def test_magnitudes_that_are_none(columns, token):
    text = f"taken as missing: {G_BAND}: 1 of 2 outside -30 to 40 mag, the first 9999 in row 1"
    with pytest.warns(MissingValueWarning, match=text):
        values, _ = read(**columns)
    known = np.isfinite(values[:, GENERALIST.index([token])[0]])
    np.testing.assert_array_equal(known, [True, False])
