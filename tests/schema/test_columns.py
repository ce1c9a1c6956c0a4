"""A coefficient array knows its scalar columns and the columns beside it."""

import pytest

from msaestimator.schema import CoefficientArray, Column, Label


@pytest.mark.parametrize("size", [1, 51, 55])
def test_scalar_columns_are_numbered_from_one(size):
    array = CoefficientArray("bp_coefficients", "bp", size)
    assert [column.name for column in array.columns] == [f"bp_{n + 1}" for n in range(size)]
    assert {column.block for column in array.columns} == {"xp"}
    assert all(column.reconstructed and not column.protected for column in array.columns)
    assert array.columns[-1].description == f"BP spectrum, coefficient {size} of {size}"


def test_companion_columns_are_the_archives():
    array = CoefficientArray("rp_coefficients", "rp", 55)
    assert array.error == "rp_coefficient_errors"
    assert array.relevant_bases == "rp_n_relevant_bases"


def test_a_users_column_is_a_magnitude_that_may_be_hidden_and_reconstructed():
    column = Column("cfis_u")
    assert (column.unit, column.block, column.error) == ("mag", "user", None)
    assert column.reconstructed
    assert not column.protected


def test_label_error_column():
    assert Label("teff", "K", (2000.0, 60000.0)).error == "teff_err"
