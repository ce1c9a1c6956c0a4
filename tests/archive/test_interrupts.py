"""Fetches that are stopped halfway: nothing is lost, nothing is left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from comparing import assert_same
from standin import faults

from msaestimator.archive import _tap

N_CHUNKS, CHUNK_SIZE = 20, 3

# The server lives in the process of the tests.
FETCH = """
import signal
import sys
from dataclasses import replace

# Tests that run in the background of a shell have it ignored, and so have their children.
signal.signal(signal.SIGINT, signal.default_int_handler)
from msaestimator.archive import SERVICES, GaiaArchive

tap_url, cache, chunk_size, *ids = sys.argv[1:]
service = replace(SERVICES["esa"], tap_url=tap_url, surveys=(), serves_xp=False)
archive = GaiaArchive(
    service, cache=cache, companions=(), chunk_size=int(chunk_size), progress=False
)
print("ready", flush=True)
stars = archive.fetch_features([int(one) for one in ids])
print(len(stars))
"""


@pytest.fixture(autouse=True)
def _look_at_jobs_often(monkeypatch):
    monkeypatch.setattr(_tap, "FIRST_POLL", 0.01)


@pytest.fixture
def ids(source_ids):
    """Enough stars for 20 chunks."""
    return source_ids[: N_CHUNKS * CHUNK_SIZE]


@pytest.fixture
def archive(esa, make_archive, tmp_path):
    """What the other process makes, in this one."""
    gaia = replace(esa, surveys=(), serves_xp=False)
    return make_archive(gaia, cache=tmp_path, chunk_size=CHUNK_SIZE)


@pytest.fixture
def start(server, ids, tmp_path):
    """Return a function that starts the same fetch in another process."""
    processes = []

    def start():
        arguments = [server.tap_url, tmp_path, CHUNK_SIZE, *ids]
        process = subprocess.Popen(
            [sys.executable, "-c", FETCH, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def wait_for_files(folder, n_files):
    give_up = time.monotonic() + 30.0
    while len(list(folder.rglob("*.parquet"))) < n_files:
        assert time.monotonic() < give_up, "the other process does not fetch"
        time.sleep(0.01)


def finish(server, archive, ids, folder):
    """Fetch what is missing and return how many chunks were there, all of it checked."""
    n_kept = len(list(folder.rglob("*.parquet")))
    server.delay = 0.0
    server.requests.clear()
    table = archive.fetch_features(ids)
    asked = [one for request in server.requests for one in request.ids]
    assert sorted(asked) == sorted(ids)[n_kept * CHUNK_SIZE :]
    archive.cache, archive.chunk_size = False, None
    assert_same(table, archive.fetch_features(ids))
    return n_kept


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_process_stopped_halfway(server, archive, start, ids, tmp_path, stop):
    # The second half takes long enough that a busy machine stops the process within it.
    server.delay = 0.25
    process = start()
    wait_for_files(tmp_path, N_CHUNKS // 2)
    process.send_signal(stop)
    output, errors = process.communicate(timeout=30.0)
    assert process.returncode != 0
    assert output == "ready\n"
    if stop == signal.SIGINT:
        assert errors.count("Traceback") == 1
        message = errors.splitlines()[-1]
        chunk = int(re.search(r"Interrupted in chunk (\d+) of 20 of ESA Gaia", message)[1])
        assert f"{chunk - 1} of 20 chunks this time, is kept in '{tmp_path}" in message
    n_kept = finish(server, archive, ids, tmp_path)
    assert N_CHUNKS // 2 <= n_kept < N_CHUNKS


def test_two_processes_share_a_cache(server, archive, start, ids, tmp_path):
    server.delay = 0.02
    process = start()
    assert process.stdout.readline() == "ready\n"
    assert len(archive.fetch_features(ids)) == len(ids)
    output, errors = process.communicate(timeout=60.0)
    assert (output, errors, process.returncode) == ("60\n", "", 0)
    assert finish(server, archive, ids, tmp_path) == N_CHUNKS


@pytest.mark.parametrize("mode", ["sync", "job"])
def test_an_interrupt_says_where_it_came(server, archive, ids, tmp_path, monkeypatch, mode):
    archive.asynchronous = mode == "job"
    target = _tap._read_votable if mode == "sync" else _tap._wait
    answers = iter(range(3))

    def interrupted(*arguments):
        if next(answers, None) is None:
            raise KeyboardInterrupt
        return target(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(_tap, target.__name__, interrupted)
        with pytest.raises(KeyboardInterrupt, match="in chunk 4 of 20 .* 3 of 20 chunks this"):
            archive.fetch_features(ids)
    assert not server.jobs
    archive.asynchronous = False
    assert finish(server, archive, ids, tmp_path) == 3


@pytest.fixture
def _heeds_ctrl_c():
    """In the background of a shell it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heeds_ctrl_c")
def test_a_job_that_is_waited_for_is_deleted_on_interrupt(server, archive, ids, monkeypatch):
    archive.asynchronous = True
    server.inject(faults.JobNeverEnds())

    def press_ctrl_c(_):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(_tap.time, "sleep", press_ctrl_c)
    with pytest.raises(KeyboardInterrupt, match="Interrupted in chunk 1 of 20 of ESA Gaia"):
        archive.fetch_features(ids)
    assert not server.jobs
    assert [request.kind for request in server.requests][-1] == "delete"


def test_without_a_cache_an_interrupt_says_so(esa, make_archive, ids, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_tap, "_read_votable", interrupt)
    with pytest.raises(KeyboardInterrupt, match="Nothing is kept, since there is no cache"):
        make_archive(esa).fetch_features(ids)
