"""Labels that stars may have: what is absent is unknown, what is there is read as ever."""

import numpy as np
import pytest

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import labels_at_hand

UNITS = {"teff": "K", "logg": "dex", "fe_h": "dex"}


def test_absent_columns_are_unknown_and_others_in_the_units_asked_for():
    labels = StarTable({"fe_h": [0.1, np.nan], "teff": [5.0, 6.0], "mass": [1.0, 1.0]})
    labels["teff"].unit = "kK"
    expected = [[5000.0, np.nan, 0.1], [6000.0, np.nan, np.nan]]
    np.testing.assert_allclose(labels_at_hand(None, labels, UNITS), expected)
    np.testing.assert_allclose(labels_at_hand(labels, None, UNITS), expected)


def test_an_array_has_all():
    values = np.array([[5000.0, 4.5, 0.1], [6000.0, np.nan, -0.1]])
    np.testing.assert_array_equal(labels_at_hand(None, values, UNITS), values)


def test_a_table_without_any_is_refused():
    with pytest.raises(ColumnError, match="teff"):
        labels_at_hand(StarTable({"mass": [1.0]}), None, UNITS)
