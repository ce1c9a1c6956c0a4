"""What is waited for is told on the line of progress."""

import io
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from standin import faults

from msaestimator.archive._waiting import Waiting
from msaestimator.exceptions import ArchiveError


class Terminal(io.StringIO):
    """What a person sees."""

    def isatty(self):
        return True

    @property
    def lines(self):
        """Every state of the line, in order."""
        return self.getvalue().replace("\n", "\r").split("\r")


@pytest.fixture
def terminal():
    """What the archive's standard error is."""
    return Terminal()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    clock = SimpleNamespace(sleep=lambda _: None, time=time.time)
    monkeypatch.setattr("urllib3.util.retry.time", clock)
    # Which cut the lines: pytest's own processes are told a width.
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("msaestimator.archive._tap.FIRST_POLL", 0.01)


@pytest.fixture
def archive(esa, make_archive, tmp_path, terminal, monkeypatch):
    """Return a function that makes an archive that shows its progress."""

    def make(**settings):
        # Not in the fixture: pytest sets its own between that and the test.
        monkeypatch.setattr("sys.stderr", terminal)
        settings = {"progress": True, "max_retries": 3, "cache": tmp_path} | settings
        return make_archive(
            replace(esa, surveys=(), serves_xp=False, datalink_url=None), **settings
        )

    return make


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.Status(503), "503 Service Unavailable"),
        (faults.Status(429, retry_after=7), "429 Too Many Requests"),
        (faults.Refuse(), "Remote end closed connection without response"),
        (faults.Hang(60.0), "Read timed out. (read timeout=0.3)"),
    ],
)
def test_a_retry_is_told_with_its_reason_until_it_is_over(
    server, archive, terminal, source_ids, fault, reason
):
    server.inject(fault, times=2)
    archive(timeout=0.3 if isinstance(fault, faults.Hang) else 10.0).fetch_features(source_ids[:3])
    told = [line for line in terminal.lines if "retry" in line]
    assert all(line.startswith("ESA Gaia archive: features:") for line in told)
    assert all(reason in line for line in told)
    assert "retry 1 of 3: " in told[0]
    assert "retry 2 of 3: " in told[-1]
    last = [line for line in terminal.lines if line.strip()][-1]
    assert "3/3" in last
    assert "retry" not in last


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.JobError("out of disk"), "the job ended in phase ERROR: out of disk"),
        (faults.HtmlPage(), "no job was made; the answer starts '<!DOCTYPE html>"),
    ],
)
def test_another_attempt_at_a_chunk_is_told(server, archive, terminal, source_ids, fault, reason):
    server.inject(fault, on="async")
    archive(asynchronous=True).fetch_xp(source_ids[:3])
    assert f"retry 1 of 2: {reason}" in terminal.getvalue()


def test_a_query_tells_of_retries_too(server, archive, terminal):
    server.inject(faults.Status(503), on="async")
    archive().query("SELECT TOP 3 source_id FROM gaiadr3.gaia_source")
    told = [line for line in terminal.lines if "retry" in line]
    assert told
    assert told[0].startswith("ESA Gaia archive: your query [00:0")
    assert "retry 1 of 3: 503 Service Unavailable]" in told[0]


def test_what_is_not_shown_is_not_told(server, archive, terminal, source_ids):
    server.inject(faults.Status(503))
    archive(progress=False).fetch_features(source_ids[:3])
    archive(progress=False).query("SELECT TOP 3 source_id FROM gaiadr3.gaia_source")
    assert terminal.getvalue() == ""


def test_the_last_failure_is_no_retry(server, archive, terminal, source_ids):
    server.inject(faults.Status(503), times=9)
    with pytest.raises(ArchiveError, match="HTTP 503"):
        archive(max_retries=1).fetch_features(source_ids[:3])
    assert "retry 1 of 1" in terminal.getvalue()
    assert "retry 2" not in terminal.getvalue()


def test_without_a_line_nobody_is_told():
    waiting = Waiting()
    waiting.tell("retry 1 of 5")
    waiting.is_over()
