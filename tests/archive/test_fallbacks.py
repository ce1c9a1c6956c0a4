"""What stands in when a service cannot do all that is asked of it."""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from comparing import assert_same
from standin import StandIn, faults

from msaestimator.archive import ArchiveFlag
from msaestimator.archive._companions import COMPANIONS
from msaestimator.exceptions import ArchiveError, ArchiveWarning

NAMES = {"skymapper_dr4": "SkyMapper DR4", "catwise2020": "CatWISE2020 at VizieR"}


@pytest.fixture(autouse=True)
def _look_at_jobs_often(monkeypatch):
    monkeypatch.setattr("msaestimator.archive._tap.FIRST_POLL", 0.01)


@pytest.fixture
def ids(source_ids):
    """The planted cases and 10 ordinary stars."""
    return source_ids[:30]


@pytest.fixture
def service(esa):
    """A survey with and one without a cross-match, and no spectra."""
    return replace(esa, surveys=("tmass", "wise", "skymapper"), serves_xp=False)


@pytest.fixture
def make_archive(make_archive, service):
    """Return a function that makes an archive there."""
    return partial(make_archive, service)


@pytest.fixture
def catwise(database, monkeypatch):
    """CatWISE's service, on a server of its own."""
    with StandIn(database) as server:
        moved = replace(COMPANIONS["catwise2020"], tap_url=server.tap_url)
        monkeypatch.setitem(COMPANIONS, "catwise2020", moved)
        yield server


def queries(server):
    return [request.form["QUERY"] for request in server.requests if "QUERY" in request.form]


@pytest.mark.parametrize(
    ("fault", "asynchronous", "said"),
    [
        (faults.Status(400), False, "HTTP 400 Bad Request, 'Pool empty"),
        (faults.Status(504), False, "HTTP 504 Gateway Timeout, 'Pool empty"),
        (faults.Hang(60.0), False, r"no answer from 127.0.0.1:\d+: Read timed out"),
        (faults.JobError("joins too much"), True, "phase ERROR: joins too much"),
        (faults.JobNeverEnds(), True, "was still EXECUTING after 0.3 s"),
    ],
)
def test_surveys_have_queries_of_their_own_if_they_cannot_be_joined(
    server, make_archive, ids, fault, asynchronous, said
):
    settings = {"max_retries": 0, "timeout": 1.0, "job_timeout": 0.3}
    archive = make_archive(chunk_size=15, asynchronous=asynchronous, **settings)
    expected = archive.fetch_features(ids)
    server.requests.clear()
    server.inject(fault)
    with pytest.warns(ArchiveWarning, match="each survey has its own query") as warned:
        table = archive.fetch_features(ids)
    assert_same(table, expected)
    (message,) = (str(warning.message) for warning in warned)
    assert message.startswith("ESA Gaia archive did not answer the query that joins all surveys: ")
    assert re.search(said, message)
    # One attempt to join, then, for each of two chunks, Gaia and three surveys.
    assert len(queries(server)) == 1 + 2 * 4
    assert not server.jobs


def test_a_service_that_is_away_is_not_asked_in_another_way(server, make_archive, ids):
    server.inject(faults.Refuse(), times=100)
    with pytest.raises(ArchiveError, match=r"no answer .* Nothing is kept, since there is no"):
        make_archive(max_retries=1).fetch_features(ids)
    assert len(server.requests) == 2


def test_a_companion_that_works_is_used(make_archive, catalogue, catwise, ids):
    table = make_archive(companions=["catwise2020"], quality_cuts="none").fetch_features(ids)
    theirs = catalogue["II/365/catwise"]
    source = catalogue["gaiadr3.gaia_source"][: len(ids)]
    there = np.isin(source["ra"], theirs["RA_ICRS"])
    where = [int(np.flatnonzero(theirs["RA_ICRS"] == ra)[0]) for ra in source["ra"][there]]
    for ours, name in (("catwise_w1", "W1mproPM"), ("catwise_w2_error", "e_W2mproPM")):
        values = np.ma.array(theirs[name][where], dtype=float).filled(np.nan)
        np.testing.assert_array_equal(table[ours].value[there], values)
    wise = (table["archive_flags"] & ArchiveFlag.WISE_XGBOOST) > 0
    np.testing.assert_array_equal(wise, ~there & np.isfinite(table["catwise_w1"].value))
    assert 0 < there.sum() < len(ids)
    assert not catwise.jobs


@pytest.mark.parametrize("fault", [faults.Refuse(), faults.HtmlPage(), faults.Status(500)])
def test_older_magnitudes_stand_in_for_a_companion(make_archive, catwise, ids, fault):
    expected = make_archive().fetch_features(ids)
    catwise.inject(fault, on="any", times=100)
    archive = make_archive(companions=["catwise2020"], max_retries=0)
    with pytest.warns(ArchiveWarning, match="CatWISE2020 at VizieR.* chunk 1 of 1 ") as warned:
        table = archive.fetch_features(ids)
    assert len(warned) == 1
    assert "own wise magnitudes stand in" in str(warned[0].message)
    assert_same(table, expected)
    seen = np.isfinite(table["catwise_w1"].value)
    np.testing.assert_array_equal((table["archive_flags"] & ArchiveFlag.WISE_XGBOOST) > 0, seen)


def test_all_companions_may_fail(server, make_archive, monkeypatch, database, ids):
    expected = make_archive().fetch_features(ids)
    with StandIn(database) as closed:
        url = closed.tap_url
    for name in NAMES:
        monkeypatch.setitem(COMPANIONS, name, replace(COMPANIONS[name], tap_url=url))
    archive = make_archive(companions=list(NAMES), max_retries=0)
    with pytest.warns(ArchiveWarning, match="Connection refused. Check the network") as warned:
        table = archive.fetch_features(ids)
    titles = [str(warning.message).partition(",")[0] for warning in warned]
    assert titles == list(NAMES.values())
    assert_same(table, expected)
    older = ArchiveFlag.SKYMAPPER_DR2 | ArchiveFlag.WISE_XGBOOST
    assert (table["archive_flags"] & older == older).sum() > 10


def test_a_companion_that_fails_once_is_asked_again(make_archive, catwise, ids):
    archive = make_archive(companions=["catwise2020"])
    expected = archive.fetch_features(ids)
    catwise.inject(faults.JobError("out of disk"))
    catwise.inject(faults.Truncated(), on="result")
    assert_same(archive.fetch_features(ids), expected)
    assert not catwise.jobs
