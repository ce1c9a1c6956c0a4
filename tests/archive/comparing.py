"""Tables compared to the last bit."""

import numpy as np
from astropy.table import Table

__all__ = ["assert_same"]


def assert_same(table: Table, expected: Table) -> None:
    """Check that two tables have the same columns, values and missing values."""
    assert table.colnames == expected.colnames
    for name in expected.colnames:
        values, others = np.ma.array(table[name]), np.ma.array(expected[name])
        np.testing.assert_array_equal(values.mask, others.mask, err_msg=name)
        np.testing.assert_array_equal(values.filled(), others.filled(), err_msg=name)
