"""Several tables of stars as one."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table

from msaestimator.datasets import join_stars
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable

FIRST = QTable({"source_id": [3, 1], "teff": [5000.0, 6000.0] * u.K})


def test_each_star_is_there_once_as_it_is_first():
    more = QTable({"source_id": [1, 2, 2], "teff": [1.0, 4000.0, 3.0] * u.K})
    joined = join_stars([FIRST, more])
    assert isinstance(joined, StarTable)
    np.testing.assert_array_equal(joined["source_id"], [3, 1, 2])
    np.testing.assert_array_equal(joined["teff"], [5000.0, 6000.0, 4000.0] * u.K)


def test_units_are_those_of_the_first_table():
    in_kilokelvin = QTable({"source_id": [7], "teff": [5.5] * u.kK})
    np.testing.assert_allclose(join_stars([FIRST, in_kilokelvin])["teff"][-1].to_value("K"), 5500)


def test_values_without_unit_are_in_it_and_masked_ones_missing():
    plain = Table({"source_id": [7, 8], "teff": MaskedColumn([5.0, 6.0], mask=[False, True])})
    np.testing.assert_array_equal(join_stars([FIRST, plain])["teff"][-2:].value, [5.0, np.nan])


def test_columns_are_those_of_the_first_table():
    more = QTable({"source_id": [7], "teff": [5500.0] * u.K, "logg": [4.0] * u.dex})
    assert join_stars([FIRST, more]).colnames == ["source_id", "teff"]


def test_columns_that_a_table_lacks_are_missing():
    first = FIRST.copy()
    first["bp_coefficients"] = np.ones((2, 55), dtype=np.float32)
    first["flag"] = ["a", "b"]
    more = QTable({"source_id": [7, 8], "flag": ["c", "d"], "logg": [4.0, 5.0] * u.dex})
    joined = join_stars([first, more])
    assert joined["teff"].unit == "K"
    np.testing.assert_array_equal(joined["teff"].value, [5000.0, 6000.0, np.nan, np.nan])
    assert joined["bp_coefficients"].dtype == np.float32
    known = np.isfinite(joined["bp_coefficients"])
    np.testing.assert_array_equal(known, np.repeat([[True], [True], [False], [False]], 55, axis=1))
    for name in ("source_id", "flag"):
        lacking = more[[n for n in more.colnames if n != name]]
        with pytest.raises(ColumnError, match=f"must have '{name}', which the first.*'?logg"):
            join_stars([first, lacking])
