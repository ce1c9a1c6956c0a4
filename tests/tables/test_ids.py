"""Source ids: every one survives, however it is kept, and nothing else gets through."""

import re

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.exceptions import ColumnError, RenamedColumnWarning
from msaestimator.tables import check_source_ids, is_source_id, source_ids_of

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
    "column of matrix": lambda ids: np.array(ids, dtype=np.int64).reshape(-1, 1),
    "lists of one": lambda ids: [[one] for one in ids] or np.zeros((0, 1), int),
    "Series": lambda ids: pd.Series(ids, dtype="int64"),
    "nullable Series": lambda ids: pd.Series(ids, dtype="Int64"),
    "Series of objects": lambda ids: pd.Series(ids, dtype=object),
    "Series of Arrow": lambda ids: pd.Series(ids, dtype=pd.ArrowDtype(pa.int64())),
    "Index": lambda ids: pd.Index(ids, dtype="int64"),
    "Arrow": lambda ids: pa.array(ids, pa.int64()),
    "Arrow in chunks": lambda ids: pa.chunked_array([pa.array([one]) for one in ids], pa.int64()),
    "column": lambda ids: Table({"source_id": np.array(ids, dtype=np.int64)})["source_id"],
    "nothing masked": lambda ids: MaskedColumn(np.array(ids, dtype=np.int64)),
    "Masked": lambda ids: Masked(np.array(ids, dtype=np.int64)),
}
TEXTS = {
    "list": lambda ids: [str(one) for one in ids],
    "names": lambda ids: [f"Gaia DR3 {one}" for one in ids],
    "names of the early release": lambda ids: [f"Gaia EDR3 {one}" for one in ids],
    "bytes": lambda ids: np.array([str(one) for one in ids], dtype="S19"),
    "array": lambda ids: np.array([f" {one} " for one in ids], dtype="U40"),
    "column": lambda ids: Table({"a": np.array([f"Gaia DR3 {one}" for one in ids], "U40")})["a"],
    "Series": lambda ids: pd.Series([str(one) for one in ids], dtype="str"),
    "Series of names": lambda ids: pd.Series([f"gaia dr3 {one}" for one in ids], dtype="str"),
    "Arrow": lambda ids: pa.array([f"Gaia DR3 {one}" for one in ids], pa.string()),
}
TABLES = {
    "Table": lambda ids: Table({"source_id": ids, "ra": np.ones(len(ids))}),
    "QTable": lambda ids: QTable({"ra": np.ones(len(ids)) * u.deg, "source_id": ids}),
    "masked Table": lambda ids: Table({"source_id": ids}, masked=True),
    "DataFrame": lambda ids: pd.DataFrame({"ra": 1.0, "source_id": ids}),
    "index": lambda ids: pd.DataFrame({"source_id": ids, "ra": 1.0}).set_index("source_id"),
    "one of two indices": lambda ids: pd.DataFrame(
        {"source_id": ids, "field": 1, "ra": 1.0}
    ).set_index(["field", "source_id"]),
    "Arrow": lambda ids: pa.table({"source_id": ids}),
    "dict": lambda ids: {"source_id": ids},
    "list of dicts": lambda ids: [{"source_id": one} for one in ids],
    "records": lambda ids: np.array(
        [(one, 1.0) for one in ids], dtype=[("source_id", "i8"), ("ra", "f8")]
    ),
}
MISSING = {
    "masked array": lambda ids, gone: np.ma.MaskedArray(ids, mask=gone),
    "masked column": lambda ids, gone: MaskedColumn(ids, mask=gone),
    "Masked": lambda ids, gone: Masked(np.array(ids), mask=gone),
    "None": lambda ids, gone: [None if g else one for one, g in zip(ids, gone, strict=True)],
    "NaN": lambda ids, gone: [np.nan if g else one for one, g in zip(ids, gone, strict=True)],
    "pd.NA": lambda ids, gone: pd.Series(ids, dtype="Int64").mask(gone),
    "pd.NA among objects": lambda ids, gone: pd.Series(ids, dtype=object).mask(gone, pd.NA),
    "Arrow": lambda ids, gone: pa.array(ids, pa.int64(), mask=np.array(gone)),
    "Arrow in pandas": lambda ids, gone: pd.Series(
        pa.array(ids, pa.int64(), mask=np.array(gone)).to_pandas(types_mapper=pd.ArrowDtype)
    ),
    "masked text": lambda ids, gone: MaskedColumn([str(one) for one in ids], mask=gone),
    "blank text": lambda ids, gone: [
        "" if g else str(one) for one, g in zip(ids, gone, strict=True)
    ],
    "null in text": lambda ids, gone: [
        b"null" if g else f"Gaia DR3 {one}".encode() for one, g in zip(ids, gone, strict=True)
    ],
    "text of pandas": lambda ids, gone: pd.Series([str(one) for one in ids], dtype="str").mask(
        gone
    ),
}
IDS = [BEYOND_FLOATS, LARGEST, 4242, 5937083312263887617]
many_ids = st.lists(st.integers(1, LARGEST) | st.integers(BEYOND_FLOATS, BEYOND_FLOATS + 9))


@pytest.mark.parametrize("make", SEQUENCES.values(), ids=SEQUENCES)
@given(many_ids)
def test_ids_survive_in_order_with_duplicates(make, ids):
    checked = check_source_ids(make(ids))
    assert checked.dtype == np.int64
    assert checked.dtype.isnative
    assert checked.tolist() == ids


@pytest.mark.parametrize("make", TEXTS.values(), ids=TEXTS)
@given(many_ids)
def test_text_is_read_to_the_last_digit(make, ids):
    assert check_source_ids(make(ids)).tolist() == ids


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("kind", [list, SEQUENCES["objects"], SEQUENCES["int64"]])
def test_a_table_is_asked_for_its_column(make, kind):
    table = make(kind(IDS))
    assert check_source_ids(table).tolist() == IDS
    out = source_ids_of(table)
    assert (out.dtype, out.tolist()) == (np.int64, IDS)
    assert not np.ma.isMaskedArray(out)


@pytest.mark.parametrize(
    "one",
    [
        BEYOND_FLOATS,
        np.int64(BEYOND_FLOATS),
        np.array(BEYOND_FLOATS),
        str(BEYOND_FLOATS),
        str(BEYOND_FLOATS).encode(),
        f" Gaia DR3 {BEYOND_FLOATS}\n",
        f"gaia edr3 {BEYOND_FLOATS}",
        [[BEYOND_FLOATS]],
        {"source_id": BEYOND_FLOATS},
    ],
    ids=repr,
)
def test_one_id_by_itself(one):
    assert check_source_ids(one).tolist() == [BEYOND_FLOATS]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("5937083312263887616", True),
        (b"5937083312263887616", True),
        (" Gaia DR3 5937083312263887616 ", True),
        ("Gaia DR2 5937083312263887616", True),
        ("SELECT source_id FROM gaiadr3.gaia_source", False),
        ("18 Sco", False),
        ("5.9e18", False),
        ("", False),
        (5937083312263887616, False),
    ],
)
def test_text_that_is_one_id(text, is_one):
    assert is_source_id(text) is is_one


@pytest.mark.parametrize(
    "wrong",
    [
        1.0,
        float(BEYOND_FLOATS),
        np.float32(7),
        np.inf,
        "5937083312263887616.0",
        "5.9e18",
        "18 Sco",
        b"star",
        True,
        np.True_,
        0,
        -1,
        LARGEST + 1,
        2**64,
        str(2**63),
        "0",
        np.uint64(LARGEST + 1),
        1j,
        [1, 2],
    ],
    ids=repr,
)
@given(st.lists(st.integers(1, LARGEST), max_size=3), st.lists(st.integers(1, LARGEST)))
def test_one_wrong_among_ids_is_found(wrong, before, after):
    given = [*before, wrong, *after]
    if isinstance(wrong, list) and not (before or after):
        given.append(1)
    place = rf"got .* \(\w+\) at position {len(before)}\. .*(Read the|Text must be the digits)"
    with pytest.raises(ColumnError, match=f"`source_ids` must be integers.*{place}"):
        check_source_ids(given)


@pytest.mark.parametrize(
    ("array", "position"),
    [
        (np.array([1.0, 2.0]), 0),
        (np.array([np.nan, 2.0]), 1),
        (np.array(["x", "2"]), 0),
        (np.array([True, False]), 0),
        (np.array([5, 0, -1]), 1),
        (np.array([5, 6, LARGEST + 1], dtype=np.uint64), 2),
        (np.array([1, 2]) * u.one, 0),
        (np.array(["2016-01-01"], dtype="M8[ns]"), 0),
        (pd.Series([1.0, 2.0]), 0),
        (pd.Series([1, None]), 0),
        (pa.array([1.0]), 0),
        (1.5, 0),
    ],
    ids=str,  # pyarrow's repr has an address in it
)
def test_arrays_of_something_else_are_refused(array, position):
    with pytest.raises(ColumnError, match=rf"`source_ids` must be.* at position {position}\."):
        check_source_ids(array)


@pytest.mark.parametrize(
    "table",
    [
        Table({"source_id": [5937083312263887616.0, 1.0]}),
        pd.DataFrame({"source_id": [5937083312263887616, None]}),
        pd.DataFrame({"source_id": [5937083312263887616.0]}).set_index("source_id"),
        {"source_id": [1, 2.0]},
        pa.table({"source_id": [1.5]}),
    ],
    ids=lambda table: type(table).__name__,
)
@pytest.mark.parametrize("read", [check_source_ids, source_ids_of])
def test_floats_of_a_table_are_refused_with_reason_and_remedy(read, table):
    with pytest.raises(ColumnError) as raised:
        read(table)
    message = str(raised.value)
    assert message.startswith("Column 'source_id' must be integers between 1 and 2**63 - 1, got ")
    assert "no room for ids beyond 2**53" in message
    assert "dtype={'source_id': 'int64'}" in message


def test_names_of_stars_are_refused_with_the_way_to_their_ids():
    with pytest.raises(ColumnError, match=r"got '18 Sco' \(str\).*archive\.resolve_names finds"):
        check_source_ids(["18 Sco"])


@pytest.mark.parametrize("release", ["DR1", "DR2", "DR4"])
def test_ids_of_another_release_are_refused(release):
    with pytest.raises(ColumnError, match=rf"of Gaia DR3, got 'Gaia {release} 7' at position 1"):
        check_source_ids(["Gaia DR3 7", f"Gaia {release} 7"])


def test_text_names_the_release_that_is_asked():
    assert check_source_ids("Gaia DR4 7", release="dr4").tolist() == [7]
    with pytest.raises(ColumnError, match="must be ids of Gaia DR4, got 'Gaia DR3 7'"):
        check_source_ids("Gaia DR3 7", release="dr4")
    assert source_ids_of({"source_id": ["Gaia DR4 7"]}).tolist() == [7]
    with pytest.raises(ColumnError, match="must be ids of Gaia DR3, got 'Gaia DR2 7'"):
        source_ids_of({"source_id": ["Gaia DR2 7"]})


@pytest.mark.parametrize("make", MISSING.values(), ids=MISSING)
def test_missing_ids_come_out_masked_and_the_others_exact(make):
    gone = [False, True, False, True]
    given = make(IDS, gone)
    out = source_ids_of({"source_id": given})
    assert out.dtype == np.int64
    assert out.mask.tolist() == gone
    assert out.tolist() == [IDS[0], None, IDS[2], None]
    assert not out.data[gone].any(), "No number stands beneath the mask."


@pytest.mark.parametrize("nothing", [[None, None], [np.nan, np.nan], np.full(2, np.nan), ["", ""]])
def test_nothing_but_missing_ids(nothing):
    assert source_ids_of({"source_id": nothing}).mask.all()


@pytest.mark.parametrize("make", MISSING.values(), ids=MISSING)
def test_missing_ids_cannot_be_asked(make):
    message = "must all be known, got 2 of 4 masked or missing, the first at position 1. Select"
    with pytest.raises(ColumnError, match=re.escape(message)):
        check_source_ids(make(IDS, [False, True, False, True]))


def test_numbers_of_ones_own_go_out_as_they_are():
    ids = [0, -9999, 12]
    assert source_ids_of({"source_id": ids}).tolist() == ids
    assert source_ids_of({"source_id": [str(one) for one in ids]}).tolist() == ids


@pytest.mark.parametrize(
    "stars", [np.ones((3, 2)), [[1.0, 2.0]], Table({"ra": [1.0]}), {"a": [1]}]
)
def test_stars_without_ids(stars):
    assert source_ids_of(stars) is None


def test_a_table_without_ids_cannot_be_asked():
    with pytest.raises(ColumnError, match="must have the column 'source_id', got source_ids, ra"):
        check_source_ids(Table({"source_ids": [1], "ra": [1.0]}))
    with pytest.raises(ColumnError, match=r"The table 'a\.csv' must have the column 'source_id'"):
        check_source_ids(Table({"ra": [1.0]}), name="'a.csv'")
    with pytest.raises(ColumnError, match=r"Column 'source_id' of 'a\.csv' must be integers"):
        check_source_ids(Table({"source_id": [1.0]}), name="'a.csv'")


@pytest.mark.parametrize("name", ["SOURCE_ID", "Source_ID", "Source", "DR3Name"])
def test_other_names_of_the_ids_are_told(name):
    given = [f"Gaia DR3 {one}" for one in IDS] if name == "DR3Name" else IDS
    with pytest.warns(RenamedColumnWarning, match=f"Column '{name}' is taken for 'source_id'"):
        assert check_source_ids(Table({"ra": np.ones(4), name: given})).tolist() == IDS


def test_ids_by_two_names_are_refused():
    with pytest.raises(ColumnError, match="got SOURCE_ID, Source_ID"):
        check_source_ids(Table({"SOURCE_ID": [1], "Source_ID": [2]}))


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        (None, "()"),
        ({1, 2}, "()"),
        pytest.param(iter([1]), "()", id="iterator"),
        ([[1, 2]], "(1, 2)"),
        (np.ones((2, 1, 1), dtype=int), "(2, 1, 1)"),
    ],
    ids=repr,
)
def test_what_is_not_one_id_a_star_is_refused(given, shape):
    with pytest.raises(ColumnError, match=re.escape(f"of shape {shape}.")):
        check_source_ids(given)


@pytest.mark.parametrize("nothing", [[], (), np.array([]), np.array([], dtype=int), pd.Series([])])
def test_no_ids_are_no_trouble(nothing):
    checked = check_source_ids(nothing)
    assert checked.dtype == np.int64
    assert checked.shape == (0,)
