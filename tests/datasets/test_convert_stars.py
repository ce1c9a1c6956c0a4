"""Bulk files as parquet: the same stars in another order, whatever happens on the way."""

import errno
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from common.bulk_files import write_checksums, write_pair

from msaestimator import StarTable
from msaestimator.datasets import (
    HATS_INDEX,
    StarDataset,
    _convert_stars,
    _whole_files,
    convert_stars,
    hats_index,
    hats_partition,
)
from msaestimator.exceptions import ColumnError
from msaestimator.tables import write_stars

N = 60


@pytest.fixture(scope="module")
def bulk(tmp_path_factory):
    """Two pairs of files of 60 stars in all, one without BP, with their checksums."""
    folder = tmp_path_factory.mktemp("bulk")
    truth = [
        write_pair(folder, first, last, n, per_spectrum=1, without_bp=[3])
        for first, last, n in ((0, 3111, 40), (3112, 5000, 20))
    ]
    write_checksums(folder)
    return folder, {name: np.concatenate([t[name] for t in truth]) for name in truth[0]}


@pytest.fixture
def copies(bulk, tmp_path):
    """Copies of the files, which a test may break."""
    folder = tmp_path / "bulk"
    folder.mkdir()
    for path in bulk[0].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def convert(paths, output, **options):
    return convert_stars(paths, output, progress=False, **options)


def all_of(folder):
    """Return all stars of a folder; they are few."""
    (stars,) = StarDataset(folder).batches(10_000)
    return stars


def check(stars, truth):
    """Compare stars in any order with the truth."""
    places = {source_id: row for row, source_id in enumerate(truth["source_id"].tolist())}
    rows = [places[source_id] for source_id in np.asarray(stars["source_id"]).tolist()]
    assert sorted(rows) == [*range(N)]
    for name in ("ra", "phot_g_mean_mag", "parallax", "bp_coefficients", "rp_coefficient_errors"):
        values = np.asarray(getattr(stars[name], "value", stars[name]))
        values = np.where(getattr(stars[name], "mask", False), np.nan, values)
        np.testing.assert_array_equal(values, truth[name][rows].astype(values.dtype))
        assert values.dtype == (np.float64 if name == "ra" else np.float32)
    assert stars["parallax"].unit == u.mas


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def interrupt(after):
    """Return a stand-in for the renaming of files that stops at one."""
    replace, calls = os.replace, []

    def stop(source, target):
        calls.append(target)
        if len(calls) > after:
            raise KeyboardInterrupt
        replace(source, target)

    return stop


def test_random_order_is_that_of_the_random_index(bulk, tmp_path, monkeypatch):
    monkeypatch.setattr(_convert_stars, "ROW_GROUP", 8)
    output = convert(bulk[0], tmp_path / "train", rows_per_file=25)
    stars = all_of(output)
    check(stars, bulk[1])
    assert np.all(np.diff(stars["random_index"]) > 0)
    assert [path.name for path in StarDataset(output).files] == [
        f"part-{number:05d}.parquet" for number in range(3)
    ]
    assert max(fragment.n_rows for fragment in StarDataset(output).fragments) == 8
    assert not output.with_name("train.unfinished").exists()


def test_sky_order_is_a_catalogue(bulk, tmp_path):
    output = convert(bulk[0], tmp_path / "sky", order="sky", rows_per_file=30)
    stars = all_of(output)
    check(stars, bulk[1])
    index = hats_index(stars["ra"].value, stars["dec"].value)
    np.testing.assert_array_equal(stars[HATS_INDEX], index)
    assert np.all(np.diff(index) >= 0)
    listing = (output / "partition_info.csv").read_text().splitlines()[1:]
    for order, pixel in [map(int, line.split(",")) for line in listing]:
        rows = pq.read_table(output / hats_partition(order, pixel))
        assert 0 < len(rows) <= 30
        assert set(rows[HATS_INDEX].to_numpy() >> 2 * (29 - order)) == {pixel}
        parent = np.sum(index >> 2 * (29 - order + 1) == pixel >> 2)
        assert order == 0 or parent > 30, "It could have been larger."
    assert "obs_collection=sky\n" in (output / "hats.properties").read_text()


def test_floats_are_the_only_ones_split_by_bytes(bulk, tmp_path):
    output = convert(bulk[0], tmp_path / "train")
    group = pq.ParquetFile(output / "part-00000.parquet").metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    encodings = {column.path_in_schema: column.encodings for column in columns}
    assert "BYTE_STREAM_SPLIT" in encodings["bp_coefficients.list.element"]
    assert "BYTE_STREAM_SPLIT" in encodings["ra"]
    assert "BYTE_STREAM_SPLIT" not in encodings["source_id"]
    assert {column.compression for column in columns} == {"ZSTD"}


@pytest.fixture(scope="module", params=["random", "sky"])
def whole(request, bulk, tmp_path_factory):
    """An order, and what an undisturbed conversion makes of it."""
    output = tmp_path_factory.mktemp("whole") / "train"
    return request.param, convert(bulk[0], output, order=request.param, rows_per_file=25)


@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_conversion_goes_on_where_it_was_stopped(bulk, whole, tmp_path, monkeypatch, after):
    order, expected = whole
    output = tmp_path / "train"
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt(after))
        with pytest.raises(KeyboardInterrupt):
            convert(bulk[0], output, order=order, rows_per_file=25)
    assert not output.exists()
    workplace = output.with_name("train.unfinished")
    before = {path: path.stat().st_mtime_ns for path in workplace.rglob("*.arrow")}
    assert len(before) == min(after, 2)
    read = []
    monkeypatch.setattr(_convert_stars, "check_sum", lambda path: read.append(path), raising=True)
    convert(bulk[0], output, order=order, rows_per_file=25)
    assert len(read) == 4 - 2 * len(before)
    assert bytes_of(output) == bytes_of(expected)
    assert not workplace.exists()


def test_what_is_finished_is_left_alone(bulk, tmp_path, monkeypatch):
    output = convert(bulk[0], tmp_path / "train")
    monkeypatch.setattr(_convert_stars, "_write_runs", None)
    assert convert(bulk[0], output) == output


@pytest.mark.parametrize(
    ("options", "words"),
    [({"order": "sky"}, "order 'random'"), ({"rows_per_file": 7}, "rows_per_file 100000")],
)
def test_an_output_of_another_conversion(bulk, tmp_path, options, words):
    output = convert(bulk[0], tmp_path / "train")
    with pytest.raises(ColumnError, match=rf"train' was converted from {words}\. Choose another"):
        convert(bulk[0], output, **options)


def test_an_output_of_other_files(bulk, copies, tmp_path):
    output = convert(bulk[0], tmp_path / "train")
    next(copies.glob("Xp*_003112*")).unlink()
    with pytest.raises(ColumnError, match="from other files, such as 'Xp.*_003112-005000.csv.gz'"):
        convert(copies, output)


def test_an_output_that_holds_something_else(bulk, tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "mine").write_text("")
    with pytest.raises(ColumnError, match=r"train' must be a new folder, got one .* other files"):
        convert(bulk[0], tmp_path / "train")
    (tmp_path / "train" / "mine").unlink()
    assert len(StarDataset(convert(bulk[0], tmp_path / "train"))) == N


def test_a_file_that_is_not_what_the_archive_sent(bulk, copies, tmp_path):
    """The other file is read, and not again once this one is right."""
    broken = next(copies.glob("GaiaSource_000000*"))
    content = broken.read_bytes()
    broken.write_bytes(content[:-10])
    with pytest.raises(ColumnError, match=r"1 of 2 files are at fault; .* have the MD5 .* anew\."):
        convert(copies, tmp_path / "train")
    runs = [*(tmp_path / "train.unfinished").glob("*.arrow")]
    assert len(runs) == 1
    written = runs[0].stat().st_mtime_ns
    broken.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_convert_stars.shutil, "rmtree", lambda path: None)
        convert(copies, tmp_path / "train")
    assert runs[0].stat().st_mtime_ns == written
    check(all_of(tmp_path / "train"), bulk[1])


def test_checksums_by_other_writers(copies, tmp_path):
    listing = copies / "_MD5SUM.txt"
    lines = [line.split() for line in listing.read_text().splitlines()]
    listing.write_text("".join(f"{digest.upper()} *./x/{name}\n" for digest, name in lines))
    convert(copies, tmp_path / "train")
    wrong = "".join(f"{'0' * 32}  {name}\n" for _, name in lines)
    listing.write_text(wrong)
    with pytest.raises(ColumnError, match="2 of 2 files are at fault"):
        convert(copies, tmp_path / "again")
    listing.unlink()
    convert(copies, tmp_path / "again")


def test_many_failures_are_counted(copies, tmp_path, monkeypatch):
    monkeypatch.setattr(_convert_stars, "SHOWN", 1)
    for path in copies.glob("Xp*"):
        path.write_bytes(b"")
    with pytest.raises(ColumnError, match=r"2 of 2 files .* And 1 more\."):
        convert(copies, tmp_path / "train")


def test_a_star_that_is_there_twice(copies, tmp_path):
    for path in copies.glob("*_000000-003111.csv.gz"):
        twin = path.name.replace("000000-003111", "000000-003110")
        (copies / twin).write_bytes(path.read_bytes())
    with pytest.raises(ColumnError, match=r"40 are there twice, such as .*03110.* and .*03111"):
        convert(copies, tmp_path / "train")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk(tmp_path):
    with (
        pytest.raises(OSError, match=r"x' cannot be written: the disk is full\. Free some space"),
        _whole_files.whole_file(tmp_path / "x"),
        pa.OSFile("/dev/full", "wb") as file,
    ):
        file.write(b"stars")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EROFS, "it is read-only. Choose another folder"),
        (errno.EACCES, "it may not be written to. Change that"),
    ],
)
def test_an_output_that_cannot_be_written(bulk, tmp_path, monkeypatch, code, words):
    """What was finished before is kept, and goes on once there is room."""
    replace, calls = os.replace, []

    def fail(source, target):
        calls.append(target)
        if len(calls) > 1:
            raise OSError(code, os.strerror(code))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match=f"cannot be written: {words}"):
            convert(bulk[0], tmp_path / "train")
    assert len([*(tmp_path / "train.unfinished").iterdir()]) == 1
    check(all_of(convert(bulk[0], tmp_path / "train")), bulk[1])


def test_stars_of_parquet(tmp_path):
    stars = StarTable({"source_id": [5, 4, 3], "ra": [1.0, 2.0, 3.0] * u.deg})
    stars["dec"] = [0.0, 0.5, np.nan] * u.deg
    write_stars(stars, tmp_path / "x.parquet")
    with pytest.raises(ColumnError, match="'random' needs the column 'random_index', got"):
        convert(tmp_path / "x.parquet", tmp_path / "out")
    with pytest.raises(ColumnError, match=r"'dec' of '.*x\.parquet' must be known of every star"):
        convert(tmp_path / "x.parquet", tmp_path / "out", order="sky")
    write_stars(stars[:2], tmp_path / "x.parquet", overwrite=True)
    output = convert(tmp_path / "x.parquet", tmp_path / "out", order="sky")
    assert sorted(all_of(output)["source_id"].tolist()) == [4, 5]
    again = convert(output, tmp_path / "again", order="sky")
    assert all_of(again).colnames == all_of(output).colnames


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": "size"}, "`order` must be 'random' or 'sky', got 'size'"),
        ({"rows_per_file": 0}, "`rows_per_file` must be at least 1, got 0"),
    ],
)
def test_choices_that_there_are_not(tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        convert(tmp_path, tmp_path / "out", **options)


def test_progress_is_told(bulk, tmp_path, capsys):
    convert_stars(bulk[0], tmp_path / "train")
    told = capsys.readouterr().err
    assert "Reading: 100%" in told
    assert "Writing: 100%" in told
