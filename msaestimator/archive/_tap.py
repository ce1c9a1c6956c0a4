"""One TAP query at a time, through pyvo: uploads, jobs, and answers read to the end."""

import io
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import requests
from astropy.io.votable import from_table, parse
from astropy.io.votable.exceptions import VOWarning
from astropy.table import Table
from pyvo.dal import (
    AsyncTAPJob,
    DALAccessError,
    DALOverflowWarning,
    DALQueryError,
    TAPQuery,
    TAPResults,
)

from msaestimator.archive._failures import Malformed, Overflow, Refused, Unreachable

__all__ = ["Mode", "run_query"]

Mode = Literal["sync", "async"]

FINAL_PHASES = frozenset({"COMPLETED", "ERROR", "ABORTED", "ARCHIVED"})
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
        ADQL.
    upload : Table, optional
        What the query calls ``TAP_UPLOAD.ids``.
    max_rows : int, optional
        Rows to ask for; the service may have a lower limit.
    mode : {"sync", "async"}
        A job of its own, deleted afterwards, is for what takes minutes.
    job_timeout : float
        Seconds after which a job is given up and deleted.

    Raises
    ------
    Malformed, Overflow, Refused, Unreachable
        By what can be done about it.
    """
    uploads = {} if upload is None else {"ids": _votable_bytes(upload)}
    request = (session, url, query, uploads, max_rows)
    try:
        with _closing_responses(session):
            content = _run_sync(*request) if mode == "sync" else _run_job(*request, job_timeout)
    except DALQueryError as error:
        raise Refused(str(error)) from error
    except DALAccessError as error:
        raise _failure_of(error) from error
    except (
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    ) as error:
        raise Malformed(f"the answer broke off ({error})") from error
    except requests.RequestException as error:
        raise Unreachable(str(error)) from error
    return _read_votable(content, url)


@contextmanager
def _closing_responses(session: requests.Session) -> Iterator[None]:
    """Close in the end the responses that pyvo leaves half read."""
    responses = []

    def note(response: requests.Response, **_: Any) -> None:
        responses.append(response.raw)

    session.hooks["response"].append(note)
    try:
        yield
    finally:
        session.hooks["response"].remove(note)
        for response in responses:
            response.close()


def _votable_bytes(table: Table) -> io.BytesIO:
    """Return a table as a binary VOTable, a quarter the size of what pyvo would send."""
    buffer = io.BytesIO()
    from_table(table).to_xml(buffer, tabledata_format="binary2")
    buffer.seek(0)
    return buffer


def _run_sync(
    session: requests.Session, url: str, query: str, uploads: dict, max_rows: int | None
) -> bytes:
    tap = TAPQuery(url, query, mode="sync", maxrec=max_rows, uploads=uploads, session=session)
    return _content(tap.submit())


def _run_job(
    session: requests.Session,
    url: str,
    query: str,
    uploads: dict,
    max_rows: int | None,
    job_timeout: float,
) -> bytes:
    job = AsyncTAPJob.create(url, query, maxrec=max_rows, uploads=uploads, session=session)
    try:
        job.run()
        _wait(job, job_timeout)
        job.raise_if_error()
        return _content(session.get(job.result_uri, stream=True))
    finally:
        _delete(job)


def _wait(job: AsyncTAPJob, job_timeout: float) -> None:
    give_up = time.monotonic() + job_timeout
    pause = FIRST_POLL
    while (phase := job.phase) not in FINAL_PHASES:
        if time.monotonic() + pause > give_up:
            raise Unreachable(f"job {job.url} was still {phase} after {job_timeout:g} s")
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_POLL)


def _delete(job: AsyncTAPJob) -> None:
    try:
        job.delete()
    except (DALAccessError, requests.RequestException) as error:
        # The answer is here all the same, and services clean up after themselves.
        warnings.warn(f"The job {job.url} could not be deleted: {error}", stacklevel=2)


def _content(response: requests.Response) -> bytes:
    """Return a response's body; a status other than 200 speaks through the body or itself."""
    with response:
        content = response.content
        if response.ok:
            return content
        message = _error_message(content)
        if response.status_code < 500 and response.status_code != 429:
            raise Refused(message or f"HTTP {response.status_code} {response.reason}")
        raise Unreachable(f"HTTP {response.status_code} {response.reason}. {message}".strip())


def _error_message(content: bytes) -> str:
    """Return what an error document of TAP says, or nothing if the body is not one."""
    try:
        _read_votable(content, "")
    except Refused as error:
        return str(error)
    except (Malformed, Overflow):
        return ""
    return ""


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
            start = content.lstrip()[:60].decode(errors="replace")
            raise Malformed(f"the answer is not a whole VOTable; it starts {start!r}") from error
    if any(issubclass(warning.category, DALOverflowWarning) for warning in caught):
        raise Overflow(f"the service cut the answer off after {len(table)} rows")
    return table


def _failure_of(error: DALAccessError) -> Exception:
    """Return our failure for an error that pyvo met on the way to a job's result."""
    cause = error.cause if hasattr(error, "cause") else None
    response = getattr(cause, "response", None)
    if response is not None and 400 <= response.status_code < 500 and response.status_code != 429:
        return Refused(_error_message(response.content) or str(error))
    return Unreachable(str(error))
