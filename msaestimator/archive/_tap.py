"""One TAP query at a time: uploads, jobs, and answers read to the end."""

import io
import time
import warnings
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import urljoin

import requests
from astropy.io.votable import from_table, parse
from astropy.io.votable.exceptions import VOWarning
from astropy.table import Table
from pyvo.dal import DALOverflowWarning, DALQueryError, TAPQuery, TAPResults

from msaestimator.archive._answers import answer_of, beginning, error_message
from msaestimator.archive._failures import (
    Failed,
    JobError,
    Malformed,
    Overflow,
    Refused,
    RequestFailure,
)

__all__ = ["Mode", "run_query"]

Mode = Literal["sync", "async"]

WAITING_PHASES = frozenset({"PENDING", "QUEUED", "EXECUTING", "HELD", "SUSPENDED", "UNKNOWN"})
FIRST_POLL, LONGEST_POLL = 0.1, 10.0
"""Seconds between looks at a job's phase: the first, and the longest they grow to."""


def run_query(
    session: requests.Session,
    url: str,
    query: str,
    *,
    upload: Table | None = None,
    max_rows: int | None = None,
    mode: Mode = "sync",
    job_timeout: float = 3600.0,
) -> Table:
    """Return the whole answer of one query.

    Parameters
    ----------
    session : requests.Session
    url : str
        Base of the TAP service.
    query : str
        The query, in ADQL.
    upload : Table, optional
        Table that the query calls ``TAP_UPLOAD.ids``.
    max_rows : int, optional
        Rows to ask for; the service may have a lower limit.
    mode : {"sync", "async"}
        Way to run the query. A job of its own, deleted afterwards, suits queries of minutes.
    job_timeout : float
        Seconds after which a job is given up and deleted.

    Raises
    ------
    Failed, JobError, Malformed, Overflow, Refused, Unreachable
        The query failed; the class tells what can be done about it.
    """
    files = {} if upload is None else {"ids": _votable_bytes(upload)}
    uploads = {name: io.BytesIO(content) for name, content in files.items()}
    form = TAPQuery(url, query, mode=mode, maxrec=max_rows, uploads=uploads)
    request = {"data": form, "files": files}
    if mode == "sync":
        with answer_of(session, "POST", form.queryurl, **request) as answer:
            content = answer.content
    else:
        content = _run_job(session, form.queryurl, request, job_timeout)
    return _read_votable(content, url)


def _votable_bytes(table: Table) -> bytes:
    """Return a table as a binary VOTable, a quarter the size of what pyvo would send."""
    buffer = io.BytesIO()
    from_table(table).to_xml(buffer, tabledata_format="binary2")
    return buffer.getvalue()


def _run_job(
    session: requests.Session, url: str, request: dict[str, Any], job_timeout: float
) -> bytes:
    """Return the answer of a query that runs as a job."""
    # Not pyvo's AsyncTAPJob: it leaves the job behind when the first look at it fails.
    with answer_of(session, "POST", url, allow_redirects=False, **request) as answer:
        if not answer.is_redirect:
            raise Malformed(f"no job was made; the answer starts {beginning(answer.content)}")
        job = urljoin(url, answer.headers["Location"])
    try:
        # Not with the query itself: DaCHS leaves such a job PENDING if nothing is uploaded.
        with answer_of(session, "POST", f"{job}/phase", data={"PHASE": "RUN"}):
            pass
        _wait(session, job, job_timeout)
        with answer_of(session, "GET", f"{job}/results/result") as answer:
            return answer.content
    finally:
        # Should this fail, the answer is here all the same, and services clear up in time.
        with (
            suppress(RequestFailure),
            answer_of(session, "DELETE", job, allow_redirects=False),
        ):
            pass


def _wait(session: requests.Session, job: str, job_timeout: float) -> None:
    """Wait until a job is done; raise if it failed or takes too long."""
    give_up = time.monotonic() + job_timeout
    pause = FIRST_POLL
    while (phase := _phase(session, job)) in WAITING_PHASES:
        if time.monotonic() + pause > give_up:
            raise Failed(f"job {job} was still {phase} after {job_timeout:g} s")
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_POLL)
    if phase in ("ERROR", "ABORTED"):
        raise JobError(f"the job ended in phase {phase}: {_reason(session, job)}")


def _phase(session: requests.Session, job: str) -> str:
    with answer_of(session, "GET", f"{job}/phase") as answer:
        phase = answer.content.strip()
    if not phase.isalpha():
        raise Malformed(f"the job has no phase; the answer starts {beginning(phase)}")
    return phase.decode()


def _reason(session: requests.Session, job: str) -> str:
    """Return the service's own reason why a job failed."""
    with suppress(RequestFailure), answer_of(session, "GET", f"{job}/error") as answer:
        return error_message(answer.content) or "no reason given"
    return "no reason given"


def _read_votable(content: bytes, url: str) -> Table:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore", VOWarning)
        warnings.simplefilter("always", DALOverflowWarning)
        try:
            results = TAPResults(parse(io.BytesIO(content), verify="ignore"), url=url)
            results.check_overflow_warning()
            table = results.to_table()
        except DALQueryError as error:
            raise Refused(str(error.reason)) from error
        # The parser fails in as many ways as documents can be broken.
        except Exception as error:
            raise Malformed(
                f"the answer is not a whole VOTable; it starts {beginning(content)}"
            ) from error
    if any(issubclass(warning.category, DALOverflowWarning) for warning in caught):
        raise Overflow(f"the service cut the answer off after {len(table)} rows")
    return table
