"""The released models answer what they answered when they were released."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

# The packaged stars have columns that a released model has not learned from: it ignores them.
# Quantities are asked for, told or not.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore::msaestimator.exceptions.{name}")
    for name in ("MissingColumnWarning", "ToldRequestWarning")
]

SCRIPT = Path(__file__).parents[2] / "scripts" / "release" / "golden_answers.py"
TOLERANCE = 1e-5
"""Of a column's largest absolute value: sums are ordered differently by other BLAS builds."""
DISAGREEMENT = 5
"""How much more members' disagreement may be off, a small difference of large numbers."""


@pytest.fixture(scope="module")
def script():
    """The script that stores the answers, as a module."""
    spec = importlib.util.spec_from_file_location("golden_answers", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["gaia-xp", "gaia-xp-fast"])
def name(request):
    """Name of released models."""
    return request.param


@pytest.fixture(scope="module")
def stored(script, name):
    with np.load(script.GOLDEN / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def answers(script, name):
    return script.golden_answers(name)


def allowed(name, values):
    """Return how far each of the last axis's columns may be off."""
    tolerance = TOLERANCE * (DISAGREEMENT if name.endswith("_epistemic") else 1)
    size = np.abs(values).reshape(len(values), -1)
    largest = np.nanmax(np.where(np.isfinite(size), size, 0.0), axis=0)
    return tolerance * largest.reshape(values.shape[1:])


def test_answers_are_neither_lost_nor_new(answers, stored):
    assert answers.keys() == stored.keys()


def test_numbers_are_as_they_were(answers, stored):
    for name, expected in stored.items():
        if expected.dtype.kind != "f":
            continue
        found = answers[name]
        assert found.shape == expected.shape, name
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected), err_msg=name)
        off = np.nan_to_num(np.abs(found - expected))
        assert (off <= allowed(name, expected)).all(), f"{name} is off by up to {off.max():.3g}."


def test_ids_and_flags_are_as_they_were(answers, stored):
    for name, expected in stored.items():
        if expected.dtype.kind != "f" and not name.endswith("similar_indices"):
            assert answers[name].dtype == expected.dtype, name
            np.testing.assert_array_equal(answers[name], expected, err_msg=name)


def test_neighbors_are_as_they_were(answers, stored):
    """But for two that are equally far, which may change places."""
    for name, expected in stored.items():
        if name.endswith("similar_indices"):
            distances = stored[name.replace("indices", "distances")]
            gap = np.diff(distances, axis=1, append=np.inf) > TOLERANCE * distances
            clear = gap & np.roll(gap, 1, axis=1)
            clear[:, 0] = gap[:, 0]
            assert clear.mean() > 0.9, name
            np.testing.assert_array_equal(answers[name][clear], expected[clear], err_msg=name)
