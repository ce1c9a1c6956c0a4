"""What tells a training from another, and what is said of the difference."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.schema import GAIA_DR3, GAIA_DR4
from msaestimator.training import RunIdentity

PARAMETERS = st.dictionaries(
    st.sampled_from(["lr", "labels", "device"]), st.floats(0, 1) | st.text() | st.none()
)


def differences(here, there, of_here=(), of_there=()):
    """Return the clauses about two runs, one of which went through a file."""
    first, second = RunIdentity.of(here, dict(of_here)), RunIdentity.of(there, dict(of_there))
    return first.differences(json.loads(json.dumps(second.as_json())))


@given(PARAMETERS, PARAMETERS)
def test_only_equal_parameters_do_not_differ(first, second):
    found = differences(first, second)
    different = {name for name in {*first, *second} if first.get(name, 9) != second.get(name, 9)}
    assert len(found) == len(different)
    assert {clause.split("`")[1] for clause in found} == different


def test_data_are_told_apart():
    x = np.arange(12.0).reshape(3, 4)
    changed = x.copy()
    changed[1, 2] = np.nextafter(changed[1, 2], 9)
    runs = [(), (x,), (changed,), (x.reshape(4, 3),), (x.T,), (x[:2],), (x, x), (x, changed)]
    for i, first in enumerate(runs):
        for j, second in enumerate(runs):
            found = differences({}, {}, {"stars": first}, {"stars": second})
            assert found == ([] if i == j else ["the stars differ"])
    assert not differences({}, {}, {"stars": [x]}, {"stars": [np.asfortranarray(x)]})


@pytest.mark.parametrize(
    ("here", "there", "clause"),
    [
        ({"lr": 0.002}, {"lr": 0.003}, "`lr` is 0.002 here and 0.003 there"),
        ({"loss": "l1"}, {"loss": "l2"}, '`loss` is "l1" here and "l2" there'),
        ({"widths": (8, 4)}, {"widths": (8, 8)}, "`widths` is [8, 4] here and [8, 8] there"),
        ({"schema": GAIA_DR3}, {"schema": GAIA_DR4}, "`schema` is another"),
        ({"schema": GAIA_DR3}, {"schema": None}, "`schema` is another"),
        ({"new": 1}, {}, "`new` is no parameter there"),
        ({}, {"old": 1}, "`old` is no parameter here"),
    ],
)
def test_what_is_said(here, there, clause):
    assert differences(here, there) == [clause]
    assert not differences(here, here)


def test_random_states_are_alike_in_the_next_process():
    first, second = ({"random_state": np.random.RandomState(0)} for _ in range(2))
    assert not differences(first, second)
    assert differences(first, {"random_state": 0})


@pytest.mark.parametrize("random_state", [None, 0])
def test_stars_that_were_drawn_anew(random_state):
    parameters = {"random_state": random_state}
    found = differences(parameters, parameters, {"stars": [np.zeros(1)]}, {"stars": [np.ones(1)]})
    hint = ["with a `random_state` of None they are drawn anew each time"]
    assert found == ["the stars differ"] + (hint if random_state is None else [])
