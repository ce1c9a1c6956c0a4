"""Every container becomes a table of the same columns, by the names that they go by."""

import numpy as np
import pytest
from astropy.table import Table
from doors import COLUMNS, CONTAINERS, MASK, SPECTRA

from msaestimator import StarTable
from msaestimator.tables import as_table, named_columns


@pytest.mark.parametrize("container", sorted(set(CONTAINERS) - {"pandas ``DataFrame``"}))
def test_columns_are_those_of_the_container(container):
    columns = named_columns(CONTAINERS[container](COLUMNS)).renamed({"logg": "log_g"})
    table = as_table(columns)
    assert type(table) is StarTable
    assert set(table.colnames) == set(COLUMNS) - {"logg"} | {"log_g"}
    read = named_columns(table)
    ids, mask, _ = read.raw("source_id")
    np.testing.assert_array_equal(mask, MASK)
    assert [int(i) for i in ids[~MASK]] == [2**60 + 1, 7]
    logg, mask, _ = read.raw("log_g")
    np.testing.assert_array_equal(np.asarray(logg)[~MASK].astype(float), [2.0, 4.5])
    assert (mask | np.isnan(logg.astype(float)))[MASK].all()


def test_an_astropy_table_is_not_copied():
    table = Table({"bp_coefficients": SPECTRA.copy()})
    as_table(named_columns(table))["bp_coefficients"][0, 0] = 7.0
    assert table["bp_coefficients"][0, 0] == 7.0
