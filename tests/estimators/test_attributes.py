"""Fitted attributes that the documentation lists are there, and belong to the fit."""

import inspect
import re

import pytest

ESTIMATORS = ["msa", "regressor", "generalist"]
# What only a fit on named columns, by a part that is asked for, or a correction has.
NONE_HERE = {"error_calibration_", "recalibration_", "survey_offsets_"}


def documented(estimator):
    """Return the names in the section Attributes of an estimator's docstring."""
    text = inspect.getdoc(type(estimator))
    (section,) = re.findall(r"^Attributes\n-+\n(.*?)\n\w+\n-+$", text, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^(\S.*?)(?: :.*)?$", section.replace("\\\n", ""), re.MULTILINE)
    return {name.strip() for line in lines for name in line.split(",")}


@pytest.mark.parametrize("fixture", ESTIMATORS)
def test_documented_attributes_are_readable(request, fixture):
    estimator = request.getfixturevalue(fixture)
    names = documented(estimator)
    assert {"module_", "net_", "reader_", "n_features_in_", "feature_names_in_"} <= names
    for name in names:
        assert (getattr(estimator, name) is None) <= (name in NONE_HERE | {"calibrator_"}), name


@pytest.mark.parametrize("make", ["make_msa", "make_regressor", "make_generalist"])
def test_they_belong_to_the_fit(request, make):
    estimator = request.getfixturevalue(make)()
    assert not {name for name in documented(estimator) if hasattr(estimator, name)}
