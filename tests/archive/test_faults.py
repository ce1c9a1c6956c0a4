"""What a failing service ends in: the right answer, or one error with nothing lost."""

import re
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from comparing import assert_same
from standin import faults

from msaestimator.archive import ArchiveFlag
from msaestimator.archive._answers import error_message
from msaestimator.exceptions import ArchiveError, ArchiveWarning

N_CHUNKS, CHUNK_SIZE = 2, 5
TIMEOUT, FOREVER = 0.6, 10**6
LOST = "the connection was lost in the middle of the answer"
BUSY = ", 'Pool empty. Unable to fetch a connection'"
OTHER_WAY = "ignore:.*did not answer the query that joins all surveys"

# Where a service can fail, and the call that meets it there.
PLACES = {
    "sync": "fetch_features",
    "async": "fetch_features",
    "job": "fetch_features",
    "result": "fetch_features",
    "datalink": "fetch_xp",
}
CONNECTIONS = {
    "refuses": (faults.Refuse(), r"no answer from 127\.0\.0\.1:\d+: Remote end closed"),
    "hangs": (faults.Hang(60.0), r"no answer from 127\.0\.0\.1:\d+: Read timed out"),
    "500": (faults.Status(500), f"HTTP 500 Internal Server Error{BUSY}"),
    "page": (faults.HtmlPage(), "answer starts|it starts '<!DOCTYPE html>"),
}
STATUSES = {
    "502": (faults.Status(502), f"HTTP 502 Bad Gateway{BUSY}"),
    "503": (faults.Status(503), f"HTTP 503 Service Unavailable{BUSY}"),
    "503 until": (faults.Status(503, retry_after=7), f"HTTP 503 Service Unavailable{BUSY}"),
    "429": (faults.Status(429, retry_after=7), f"HTTP 429 Too Many Requests{BUSY}"),
}
BODIES = {
    "dies": (faults.DieMidBody(), LOST),
    "truncated": (
        faults.Truncated(),
        "not a whole (VOTable; it starts '|zip file. Asking again)",
    ),
}
ROWS = {
    "overflow": (faults.Overflow(), "the service cut the answer off after 0 rows"),
    "null ids": (faults.NullIds(), "without source_id"),
    "foreign ids": (faults.ForeignIds(), "sources nobody asked for, such as 1"),
    "column missing": (faults.ColumnMissing("source_id"), "'source_id' is not in the answer"),
    "column renamed": (faults.ColumnRenamed("source_id", "id"), "which has id, "),
}
CASES = [
    pytest.param(fault, place, came, id=f"{name}-{place}")
    for named, places in (
        (CONNECTIONS, PLACES),
        (STATUSES, ("sync", "datalink")),
        (BODIES, ("sync", "result", "datalink")),
        (ROWS, ("result", "datalink")),
    )
    for name, (fault, came) in named.items()
    for place in places
    # DataLink has no word for overflow, and its FITS files none for a missing integer.
    if (name, place) not in {("overflow", "datalink"), ("null ids", "datalink")}
]
# One column too few is taken for a no, and another query asked; DataLink has none by then.
PASSING = [case for case in CASES if not re.match("column.*datalink", case.id)]


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """Return the pauses that were asked for between retries, and do not make them."""
    pauses = []
    clock = SimpleNamespace(sleep=pauses.append, time=time.time)
    monkeypatch.setattr("urllib3.util.retry.time", clock)
    monkeypatch.setattr("msaestimator.archive._tap.FIRST_POLL", 0.01)
    return pauses


@pytest.fixture
def service(esa):
    """Few columns, and the spectra only for those who ask for them."""
    return replace(esa, surveys=(), serves_xp=False)


@pytest.fixture
def archive(service, make_archive, tmp_path):
    """Return a function that makes an archive that goes to a place in small chunks."""

    def make(place, fault=None, **settings):
        settings = {
            "service": service,
            "cache": tmp_path,
            "chunk_size": CHUNK_SIZE,
            "quality_cuts": "none",
            "asynchronous": place != "sync",
            "timeout": TIMEOUT if isinstance(fault, faults.Hang) else 10.0,
            "max_retries": 1,
        } | settings
        return make_archive(**settings)

    return make


@pytest.fixture
def ids(fetched):
    """Stars with spectra, shuffled."""
    with_xp = np.flatnonzero(fetched["has_xp_continuous"])[-N_CHUNKS * CHUNK_SIZE :]
    return np.random.default_rng(0).permutation(fetched["source_id"][with_xp])


@pytest.fixture(scope="session")
def undisturbed():
    """What each call gives when nothing goes wrong, filled as the tests go."""
    return {}


@pytest.fixture
def check(make_archive, service, undisturbed, ids):
    """Return a function that compares a call's table with the undisturbed one."""

    def check(table, call):
        if call not in undisturbed:
            archive = make_archive(replace(service, datalink_url=None), quality_cuts="none")
            undisturbed[call] = getattr(archive, call)(ids)
        assert_same(table, undisturbed[call])

    return check


def asked(server, place):
    """Return the distinct ids of the requests that came to a place."""
    kind = place if place in ("sync", "datalink") else "async"
    return sorted({one for r in server.requests if r.kind == kind for one in r.ids})


@pytest.mark.filterwarnings(OTHER_WAY)
@pytest.mark.parametrize(("fault", "place", "came"), PASSING)
def test_what_happens_once_is_healed(server, archive, check, ids, fault, place, came):
    server.inject(fault, on=place, after=1)
    call = PLACES[place]
    check(getattr(archive(place, fault), call)(ids), call)
    assert not server.jobs


@pytest.mark.parametrize(("fault", "place", "came"), CASES)
def test_what_lasts_ends_in_one_error_and_loses_nothing(
    server, archive, check, ids, tmp_path, fault, place, came
):
    # Jobs are looked at more than once, so they fail from the first look on.
    n_received = 0 if place == "job" else 1
    server.inject(fault, on=place, times=FOREVER, after=n_received)
    call = getattr(archive(place, fault), PLACES[place])
    start = time.monotonic()
    with pytest.raises(ArchiveError, match=came) as raised:
        call(ids)
    assert time.monotonic() - start < 10.0
    assert len(server.requests) < 50
    product = "XP spectra" if place == "datalink" else "features"
    message = str(raised.value)
    assert message.startswith(f"ESA Gaia archive, {product}, chunk {n_received + 1} of 2 (ids: 5,")
    assert re.search(r"[.?] (Asking|Try|Check|Ask) ", message), "what to do"
    assert f"{n_received} of 2 chunks this time, is kept in '{tmp_path}" in message
    assert message.endswith("the same call goes on from there.")
    assert not server.jobs

    server.recover()
    server.requests.clear()
    check(call(ids), PLACES[place])
    assert asked(server, place) == sorted(ids)[CHUNK_SIZE * n_received :]


@pytest.mark.parametrize("times", [1, FOREVER])
@pytest.mark.parametrize("fault", [faults.Shuffled(), faults.Duplicated()])
@pytest.mark.parametrize("place", ["result", "datalink"])
def test_order_and_repetition_do_not_matter(server, archive, check, ids, fault, place, times):
    server.inject(fault, on=place, times=times)
    check(getattr(archive(place), PLACES[place])(ids), PLACES[place])


@pytest.mark.parametrize("fault", [faults.EmptyResult(), faults.FewerRows(2)])
@pytest.mark.parametrize("place", ["result", "datalink"])
def test_rows_left_out_are_asked_for_again(server, archive, check, ids, fault, place):
    server.inject(fault, on=place, after=1)
    check(getattr(archive(place), PLACES[place])(ids), PLACES[place])
    kind = "async" if place == "result" else place
    _, second, again, *_ = (r.ids for r in server.requests if r.kind == kind)
    assert len(again) == (2 if isinstance(fault, faults.FewerRows) else 5)
    assert set(again) <= set(second)


def test_an_empty_catalogue_is_not_remembered(server, archive, check, ids):
    server.inject(faults.EmptyResult(), times=FOREVER)
    call = archive("sync").fetch_features
    assert (call(ids)["archive_flags"] == ArchiveFlag.NOT_FOUND).all()
    server.recover()
    check(call(ids), "fetch_features")


@pytest.mark.parametrize("fault", [faults.EmptyResult(), faults.FewerRows(2)])
def test_spectra_left_out_are_missing_and_not_remembered(server, archive, check, ids, fault):
    server.inject(fault, on="datalink", times=FOREVER)
    call = archive("datalink").fetch_xp
    assert np.isnan(call(ids)["bp_coefficients"]).all(axis=1).sum() > 2
    server.recover()
    check(call(ids), "fetch_xp")


@pytest.mark.parametrize("column", ["phot_g_mean_mag", "bp_coefficients"])
def test_a_column_that_was_away_once_is_got_another_way(server, archive, check, ids, column):
    place = "datalink" if column.startswith("bp_") else "sync"
    server.inject(faults.ColumnMissing(column), on=place)
    call = getattr(archive(place), PLACES[place])
    if place == "sync":
        with pytest.warns(ArchiveWarning, match=f"column '{column}' is not in the answer"):
            table = call(ids)
    else:
        table = call(ids)
    check(table, PLACES[place])


def test_a_pause_asked_for_is_made_and_others_grow(server, archive, ids, waits):
    server.inject(faults.Status(503, retry_after=7))
    archive("sync").fetch_features(ids)
    assert waits == [7.0]
    waits.clear()
    server.inject(faults.Status(429, retry_after=86_400))
    archive("sync", cache=False).fetch_features(ids)
    assert waits == [120.0]
    waits.clear()
    server.inject(faults.Status(503), times=4)
    archive("sync", cache=False, max_retries=4).fetch_features(ids)
    assert [int(wait) for wait in waits] == [1, 2, 4]


def test_jobs_that_fail_are_run_again(server, archive, check, service, ids):
    by_tap = replace(service, datalink_url=None)
    server.inject(faults.JobError("out of disk"), times=2, after=1)
    check(archive("result", service=by_tap).fetch_xp(ids), "fetch_xp")
    assert not server.jobs


@pytest.mark.parametrize("call", ["fetch_features", "fetch_xp"])
@pytest.mark.parametrize(
    ("fault", "came"),
    [
        (faults.JobError("out of disk"), "the job ended in phase ERROR: out of disk. Try later"),
        (faults.JobNeverEnds(), r"/job\d+ was still EXECUTING after 0.2 s. Try later"),
    ],
)
def test_jobs_that_never_succeed_are_deleted(
    server, archive, check, service, ids, call, fault, came
):
    by_tap = replace(service, datalink_url=None)
    server.inject(fault, times=FOREVER, after=1)
    fetch = getattr(archive("job", service=by_tap, job_timeout=0.2), call)
    with pytest.raises(ArchiveError, match=f"chunk 2 of 2 .*{came}.*`job_timeout`. What was"):
        fetch(ids)
    assert not server.jobs
    server.recover()
    server.requests.clear()
    check(fetch(ids), call)
    assert asked(server, "job") == sorted(ids)[CHUNK_SIZE:]
    server.requests.clear()
    check(fetch(ids), call)
    assert not server.requests


def test_a_job_that_cannot_be_deleted_is_no_error(server, archive, check, ids):
    server.inject(faults.Status(500), on="delete", times=FOREVER)
    check(archive("result").fetch_features(ids), "fetch_features")
    assert len(server.jobs) == N_CHUNKS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"out of disk\n", "out of disk"),
        (b"<html><body>Sorry</body></html>", ""),
        (b"", ""),
        (
            b'<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE '
            b'type="results"><INFO name="QUERY_STATUS" value="ERROR"> no table x </INFO>'
            b"</RESOURCE></VOTABLE>",
            "no table x",
        ),
    ],
)
def test_a_service_is_quoted_in_its_own_words(content, message):
    assert error_message(content) == message


def test_a_query_of_ones_own_fails_with_its_text(server, archive):
    with pytest.raises(ArchiveError, match=r"your query: .*no such column.*It was: SELECT colour"):
        archive("job").query("SELECT colour FROM gaiadr3.gaia_source")
    assert not server.jobs
