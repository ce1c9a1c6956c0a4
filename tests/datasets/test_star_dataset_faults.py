"""Files of stars that are at fault: each message tells the file and what to do."""

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from msaestimator import StarTable
from msaestimator.datasets import StarDataset
from msaestimator.exceptions import ColumnError
from msaestimator.tables import write_stars

COLUMNS = {
    "source_id": pa.array([1, 2, 3], pa.int64()),
    "teff": pa.array([5000.0, 5100.0, None]),
    "bp_coefficients": pa.array([[1.0, 2.0], None, [3.0, 4.0]]),
    "name": pa.array(["a", "b", None]),
}


@pytest.fixture
def folder(tmp_path):
    """Three files of the same columns."""
    for name in ("a", "b", "c"):
        pq.write_table(pa.table(COLUMNS), tmp_path / f"{name}.parquet")
    return tmp_path


def rewrite(folder, **changes):
    """Write the second file with other columns; None leaves one out."""
    columns = {n: c for n, c in (COLUMNS | changes).items() if c is not None}
    pq.write_table(pa.table(columns), folder / "b.parquet")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file or folder '.*nothing'"):
        StarDataset(tmp_path / "nothing")
    with pytest.raises(ColumnError, match=r"must have files of stars, got none: parquet or HDF5"):
        StarDataset(tmp_path)
    with pytest.raises(ColumnError, match="must name at least one file or folder, got none"):
        StarDataset([])


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "stars.fits").touch()
    with pytest.raises(ColumnError, match=r"got 'stars.fits'\. Write it as parquet: write_stars"):
        StarDataset(tmp_path / "stars.fits")


def test_a_file_that_is_named_twice(folder):
    with pytest.raises(ColumnError, match=r"each file once, got '.*a\.parquet' twice\. Its stars"):
        StarDataset([folder, folder / "a.parquet"])
    (folder / "d.parquet").symlink_to(folder / "a.parquet")
    with pytest.raises(ColumnError, match=r"got '.*d\.parquet' twice, also as '.*a\.parquet'"):
        StarDataset(folder)


def test_an_empty_file(folder):
    (folder / "b.parquet").write_bytes(b"")
    with pytest.raises(ColumnError, match=r"b\.parquet' is empty\. Download or write it anew"):
        StarDataset(folder)


def test_a_truncated_file(folder):
    path = folder / "b.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ColumnError, match=r"b\.parquet' cannot be read as parquet: .* anew"):
        StarDataset(folder)


def test_a_file_that_vanishes(folder):
    stars = StarDataset(folder)
    (folder / "b.parquet").unlink()
    assert len(stars.read(stars.fragments[0])) == 3
    with pytest.raises(FileNotFoundError, match=r"b\.parquet' is not there any more\. Bring it"):
        stars.read(stars.fragments[1])
    with pytest.raises(FileNotFoundError, match=r"b\.parquet' is not there any more"):
        [*stars.batches(2)]


def test_a_corrupt_row_group(tmp_path):
    path = tmp_path / "x.parquet"
    numbers = np.random.default_rng(0).normal(size=3000)
    table = pa.table({"source_id": np.arange(3000), "teff": numbers})
    pq.write_table(table, path, row_group_size=1000, compression="zstd", use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(1).column(1)
    content = bytearray(path.read_bytes())
    start = column.data_page_offset
    content[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(content)
    stars = StarDataset(path)
    assert len(stars.read(stars.fragments[0])) == 1000
    assert len(stars.read(stars.fragments[1], ["source_id"])) == 1000
    with pytest.raises(ColumnError, match=r"Row group 1 of the file '.*x\.parquet' cannot be re"):
        stars.read(stars.fragments[1])


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_missing_in_one_file(folder, name):
    rewrite(folder, **{name: None})
    with pytest.raises(
        ColumnError, match=rf"b\.parquet' lacks '{name}', which '.*a\.parquet' has\. Write .* anew"
    ):
        StarDataset(folder)
    others = [other for other in COLUMNS if other != name]
    assert len(StarDataset(folder, columns=others)) == 9


def test_a_column_that_one_file_has_more(folder):
    rewrite(folder, logg=pa.array([4.0, 4.1, 4.2]))
    with pytest.raises(ColumnError, match=r"a\.parquet' lacks 'logg', which '.*b\.parquet' has"):
        StarDataset(folder)


WRONG = {
    "source_id": (pa.array([1.0, 2.0, 3.0]), "floats in .* and integers"),
    "teff": (pa.array(["5000", "5100", None]), "text in .* and numbers"),
    "bp_coefficients": (pa.array([1.0, 2.0, 3.0]), "numbers in .* and arrays of numbers"),
    "name": (pa.array([True, False, None]), "bool in .* and text"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_type_in_one_file_of_many(folder, name):
    column, words = WRONG[name]
    rewrite(folder, **{name: column})
    with pytest.raises(
        ColumnError, match=rf"'{name}' must be of one kind in all files, got {words}"
    ):
        StarDataset(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"teff": pa.array([5000, 5100, 5200], pa.int16())},
        {"teff": pa.array([5000.0, 5100.0, None], pa.float32())},
        {"teff": pa.nulls(3)},
        {"bp_coefficients": pa.nulls(3)},
        {"bp_coefficients": pa.array([[], [], None])},
        {"bp_coefficients": pa.array([[1, 2], [3, 4], [5, 6]])},
        {"source_id": pa.array([1, 2, 3], pa.int32())},
    ],
)
def test_types_that_mean_the_same(folder, changes):
    rewrite(folder, **changes)
    (stars,) = StarDataset(folder).batches(9)
    assert len(stars) == 9
    assert stars["source_id"].dtype.kind == "i"


def test_another_unit_in_one_file(tmp_path):
    for name, unit in (("a", u.mas), ("b", u.arcsec)):
        write_stars(StarTable({"parallax": [1.0] * unit}), tmp_path / f"{name}.parquet")
    with pytest.raises(ColumnError, match="'parallax' must be in one unit in all files, got arcs"):
        StarDataset(tmp_path)
    pq.write_table(pa.table({"parallax": [1.0]}), tmp_path / "b.parquet")
    with pytest.raises(ColumnError, match=r"got no unit in '.*b\.parquet' and mas in '.*a\.par"):
        StarDataset(tmp_path)


@pytest.mark.parametrize("at_once", [2, 20_000_000])
def test_stars_that_are_in_several_files(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr("msaestimator.datasets._twice.AT_ONCE", at_once)
    big = 5937083312263887616
    for name, ids in {"a": [1, big], "b": [2, big + 1], "c": [3, 4]}.items():
        pq.write_table(pa.table({"source_id": ids}), tmp_path / f"{name}.parquet")
    stars = StarDataset(tmp_path)
    stars.check_ids()
    pq.write_table(pa.table({"source_id": [3, big + 1]}), tmp_path / "c.parquet")
    with pytest.raises(ColumnError, match=rf"source_id {big + 1} is in '.*b\.p.*' and '.*c\.p"):
        stars.check_ids()
    pq.write_table(pa.table({"source_id": [5, 5]}), tmp_path / "c.parquet")
    with pytest.raises(ColumnError, match=r"source_id 5 is in '.*c\.parquet' twice\. Leave one"):
        stars.check_ids()
    pq.write_table(pa.table({"source_id": [5, None]}), tmp_path / "c.parquet")
    with pytest.raises(ColumnError, match=r"of .*c\.parquet must all be known, got 1 of 2"):
        stars.check_ids()
