"""What is kept between calls: whole, unaltered, and never asked for twice."""

import hashlib
import os
import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from comparing import assert_same

from msaestimator.archive._cache import ABANDONED, Cache
from msaestimator.exceptions import ArchiveWarning

SCHEMA = pa.schema([("source_id", pa.int64()), ("w1", pa.float64())])
ALTERED = "is truncated, altered or of another form. It is deleted, and what it held is fetched"


@pytest.fixture
def ids(source_ids):
    """15 stars with spectra."""
    return source_ids[20:35]


@pytest.fixture
def archive(esa, make_archive, tmp_path):
    """Three chunks of Gaia alone, kept."""
    gaia = replace(esa, surveys=(), serves_xp=False)
    return make_archive(gaia, cache=tmp_path, chunk_size=5)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "product", SCHEMA)


def rows(*ids):
    return pa.table({"source_id": ids, "w1": [float(one) for one in ids]}, schema=SCHEMA)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-40])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def put_in_another_form(path):
    """Write a file that bears its own checksum and lacks a column."""
    table = pq.read_table(path).drop_columns(["phot_g_mean_mag"])
    path.unlink()
    pq.write_table(table, path)
    path.rename(path.with_stem(hashlib.sha256(path.read_bytes()).hexdigest()))


def put_text(path):
    """Write a text that bears its own checksum."""
    path.write_bytes(b"not parquet")
    path.rename(path.with_stem(hashlib.sha256(b"not parquet").hexdigest()))


@pytest.mark.parametrize("harm", [truncate, flip_a_bit, empty, put_in_another_form, put_text])
def test_a_harmed_file_is_fetched_again(server, archive, ids, tmp_path, harm):
    expected = archive.fetch_features(ids)
    files = sorted(tmp_path.rglob("*.parquet"))
    assert len(files) == 3
    lost = pq.read_table(files[1])["source_id"].to_pylist()
    harm(files[1])
    server.requests.clear()
    with pytest.warns(ArchiveWarning, match=ALTERED) as warned:
        table = archive.fetch_features(ids)
    assert len(warned) == 1
    assert_same(table, expected)
    (request,) = server.requests
    assert sorted(request.ids) == sorted(lost)
    assert sorted(tmp_path.rglob("*.parquet")) == files
    assert_same(archive.fetch_features(ids), expected)
    assert len(server.requests) == 1


def test_a_foreign_file_does_no_harm(archive, ids, tmp_path):
    expected = archive.fetch_features(ids)
    folder = next(tmp_path.rglob("*.parquet")).parent
    pq.write_table(rows(*ids.tolist()), folder / "stars.parquet")
    with pytest.warns(ArchiveWarning, match=ALTERED):
        assert_same(archive.fetch_features(ids), expected)
    (folder / "notes.txt").write_text("mine")
    assert_same(archive.fetch_features(ids), expected)
    assert (folder / "notes.txt").read_text() == "mine"


def test_what_was_left_half_written_is_cleared_up_in_time(cache):
    cache.store(rows(1, 2))
    for name, age in ((".old.part", ABANDONED + 60), (".new.part", 0.0)):
        path = cache.folder / name
        path.write_bytes(b"PAR1")
        os.utime(path, (time.time() - age,) * 2)
    assert cache.load(np.array([2, 3]))["source_id"].to_pylist() == [2]
    assert [path.name for path in cache.folder.glob(".*")] == [".new.part"]


def test_a_file_that_another_process_deletes_is_not_there(cache, monkeypatch):
    cache.store(rows(1))
    present = cache.folder / "gone.parquet"
    monkeypatch.setattr(type(cache.folder), "glob", lambda *_: iter([present]))
    assert len(cache.load(np.array([1]))) == 0


def test_a_store_that_fails_leaves_nothing_behind(cache, monkeypatch):
    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("msaestimator.archive._cache.os.replace", no_space)
    with pytest.raises(OSError, match="No space left on device"):
        cache.store(rows(1))
    assert list(cache.folder.iterdir()) == []


def test_no_rows_make_no_file(cache):
    cache.store(rows())
    assert not cache.folder.exists()
    assert len(cache.load(np.array([1]))) == 0


def test_more_ids_ask_only_for_the_new_ones(server, archive, ids):
    archive.fetch_features(ids[:7])
    server.requests.clear()
    table = archive.fetch_features(ids)
    assert table["source_id"].tolist() == ids.tolist()
    assert sorted(one for r in server.requests for one in r.ids) == sorted(ids[7:])


def test_another_content_is_kept_apart(server, archive, ids):
    archive.fetch_features(ids)
    archive.service = replace(archive.service, surveys=("tmass",))
    table = archive.fetch_features(ids)
    assert np.isfinite(table["j_m"].value).any()
