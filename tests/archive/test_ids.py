"""Source ids: every integer survives, and nothing else gets through."""

import re
from dataclasses import replace

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, Table
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.archive import SERVICES, GaiaArchive, check_source_ids
from msaestimator.exceptions import ColumnError

LARGEST = 2**63 - 1
BEYOND_FLOATS = 2**53 + 1
SEQUENCES = {
    "list": list,
    "tuple": tuple,
    "int64": lambda ids: np.array(ids, dtype=np.int64),
    "uint64": lambda ids: np.array(ids, dtype=np.uint64),
    "big-endian": lambda ids: np.array(ids, dtype=">i8"),
    "objects": lambda ids: np.array(ids, dtype=object),
    "NumPy scalars": lambda ids: [np.int64(one) for one in ids],
    "Series": lambda ids: pd.Series(ids, dtype="int64"),
    "nullable Series": lambda ids: pd.Series(ids, dtype="Int64"),
    "column": lambda ids: Table({"source_id": np.array(ids, dtype=np.int64)})["source_id"],
    "nothing masked": lambda ids: MaskedColumn(np.array(ids, dtype=np.int64)),
}


@pytest.mark.parametrize("make", SEQUENCES.values(), ids=SEQUENCES)
@given(st.lists(st.integers(1, LARGEST) | st.integers(BEYOND_FLOATS, BEYOND_FLOATS + 9)))
def test_ids_survive_in_order_with_duplicates(make, ids):
    checked = check_source_ids(make(ids))
    assert checked.dtype == np.int64
    assert checked.dtype.isnative
    assert checked.tolist() == ids


@pytest.mark.parametrize(
    "wrong",
    [
        1.0,
        float(BEYOND_FLOATS),
        np.float32(7),
        np.nan,
        np.inf,
        "5937083312263887616",
        b"5937083312263887616",
        True,
        np.True_,
        None,
        pd.NA,
        np.ma.masked,
        0,
        -1,
        LARGEST + 1,
        2**64,
        np.uint64(LARGEST + 1),
        1j,
        [1],
        [1, 2],
    ],
    ids=repr,
)
@given(st.lists(st.integers(1, LARGEST), max_size=3), st.lists(st.integers(1, LARGEST)))
def test_one_wrong_among_ids_is_found(wrong, before, after):
    given = [*before, wrong, *after]
    if isinstance(wrong, list) and not (before or after):
        given.append(wrong[0])
    place = f"({type(wrong).__name__}) at position {len(before)}. Read the ids as int64"
    with pytest.raises(ColumnError, match=re.escape(place)):
        check_source_ids(given)


@pytest.mark.parametrize(
    ("array", "position"),
    [
        (np.array([1.0, 2.0]), 0),
        (np.array(["1", "2"]), 0),
        (np.array([True, False]), 0),
        (np.array([5, 0, -1]), 1),
        (np.array([5, 6, LARGEST + 1], dtype=np.uint64), 2),
        (np.array([1, 2]) * u.one, 0),
        (pd.Series([1.0, 2.0]), 0),
        (pd.Series([1, None], dtype="Int64"), 1),
        (pd.Series([1, None]), 0),
    ],
)
def test_arrays_of_something_else_are_refused(array, position):
    with pytest.raises(ColumnError, match=rf"`source_ids` must be.* at position {position}\."):
        check_source_ids(array)


@pytest.mark.parametrize("make", [np.ma.array, MaskedColumn])
def test_missing_ids_are_counted(make):
    with pytest.raises(ColumnError, match="must all be known, got 2 masked. Select the others"):
        check_source_ids(make([1, 2, 3], mask=[True, False, True]))


@pytest.mark.parametrize(
    ("given", "n_dimensions"),
    [
        (1, 0),
        (np.int64(1), 0),
        (np.array(1), 0),
        ("12", 0),
        (b"12", 0),
        (None, 0),
        ({1, 2}, 0),
        pytest.param(iter([1]), 0, id="iterator"),
        ([[1, 2]], 2),
        (np.ones((1, 1), dtype=int), 2),
        (pd.DataFrame({"source_id": [1]}), 2),
    ],
    ids=repr,
)
def test_what_is_not_one_dimensional_is_refused(given, n_dimensions):
    with pytest.raises(ColumnError, match=rf"of {n_dimensions} dimensions. Write one id as \[id"):
        check_source_ids(given)


@pytest.mark.parametrize("nothing", [[], (), np.array([]), np.array([], dtype=int)])
def test_no_ids_are_no_trouble(nothing):
    checked = check_source_ids(nothing)
    assert checked.dtype == np.int64
    assert checked.shape == (0,)


@pytest.mark.parametrize("wrong", [[1, 2.0], ["1"], [True], [0], [np.nan], 1])
@pytest.mark.parametrize("method", ["fetch_features", "fetch_xp"])
def test_nothing_is_sent_of_wrong_ids(server, tmp_path, method, wrong):
    service = replace(SERVICES["local"], tap_url=server.tap_url)
    archive = GaiaArchive(service, cache=tmp_path, companions=(), progress=False)
    with pytest.raises(ColumnError, match="`source_ids` must be"):
        getattr(archive, method)(wrong)
    assert server.requests == []
    assert list(tmp_path.iterdir()) == []
