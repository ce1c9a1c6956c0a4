"""The labels' units, ranges and logarithms."""

import astropy.units as u
import pytest

from msaestimator.exceptions import ColumnError
from msaestimator.schema import GAIA_DR3, LABELS, SPECTROSCOPIC_LABELS, get_label


@pytest.mark.parametrize("name", LABELS)
def test_label_is_well_formed(name):
    label = get_label(name)
    low, high = label.limits
    assert label.name == name
    assert low < high
    assert u.Unit(label.unit)
    assert label.symbol


def test_which_labels_are_learned_as_logarithms():
    assert {name for name in LABELS if LABELS[name].log} == {
        "teff",
        "age",
        "mass",
        "parallax",
        "distance",
    }


def test_logarithmic_labels_have_no_negative_range():
    assert all(label.limits[0] >= 0 for label in LABELS.values() if label.log)


def test_labels_looked_for_in_a_table_are_not_features():
    assert set(SPECTROSCOPIC_LABELS) <= set(LABELS)
    assert not set(SPECTROSCOPIC_LABELS) & set(GAIA_DR3.names)


@pytest.mark.parametrize(("name", "near"), [("tef", "teff"), ("fe-h", "fe_h"), ("ages", "age")])
def test_unknown_label_names_the_nearest(name, near):
    with pytest.raises(ColumnError, match=f"Unknown label {name!r}; known are teff, .*{near!r}"):
        get_label(name)
