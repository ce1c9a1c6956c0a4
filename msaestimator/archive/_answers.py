"""An HTTP answer, or the failure that came instead of it."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from astropy.io.votable import parse
from pyvo.dal import DALQueryError, TAPResults
from urllib3.exceptions import ReadTimeoutError

from msaestimator.archive._failures import (
    Failed,
    Malformed,
    Refused,
    RequestFailure,
    Unreachable,
)
from msaestimator.archive._session import words_of

__all__ = ["answer_of", "beginning", "error_message"]

TOO_MUCH = frozenset({500, 504})
"""Status codes of a service that tried and did not manage; 502 and 503 say: not now."""

PASSING = frozenset({408, 429})
"""Status codes below 500 of failures that pass."""

LONGEST_START, LONGEST_MESSAGE = 60, 200
"""Characters of an answer, and of a service's own words, to put into an error."""


@contextmanager
def answer_of(
    session: requests.Session, method: str, url: str, **settings: Any
) -> Iterator[requests.Response]:
    """Give an answer whose status is good, its body unread, and close it in the end.

    Raises
    ------
    Failed, Refused, Unreachable
        No answer came, or one with a bad status.
    Malformed
        The connection was lost while the body was read.
    """
    try:
        response = session.request(method, url, stream=True, **settings)
    except requests.RequestException as error:
        raise _no_answer(error, url) from error
    with response:
        try:
            if not response.ok:
                raise _bad_status(response)
            yield response
        except requests.RequestException as error:
            raise Malformed("the connection was lost in the middle of the answer") from error


def beginning(content: bytes) -> str:
    """Return the beginning of an answer, to show in an error."""
    return repr(content.lstrip()[:LONGEST_START].decode(errors="replace"))


def error_message(content: bytes) -> str:
    """Return the message of an error document of TAP or of plain text, or an empty string."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            TAPResults(parse(io.BytesIO(content), verify="ignore"))
    except DALQueryError as error:
        return str(error.reason).strip()
    # The parser fails in as many ways as documents can be something else.
    except Exception:
        text = content.decode(errors="replace").strip()
        return "" if text.startswith("<") else text[:LONGEST_MESSAGE]
    return ""


def _no_answer(error: requests.RequestException, url: str) -> RequestFailure:
    """Return the failure to get any answer, in the words of what happened last."""
    # Under the retries lies what the last of them met.
    reason = getattr(error.args[0], "reason", error) if error.args else error
    failure = Failed if isinstance(reason, ReadTimeoutError) else Unreachable
    return failure(f"no answer from {urlsplit(url).netloc}: {words_of(reason)}")


def _bad_status(response: requests.Response) -> RequestFailure:
    """Return the failure that a status is, with the service's own words if it has any."""
    status = response.status_code
    failure: type[RequestFailure]
    if status < 500 and status not in PASSING:
        failure = Refused
    else:
        failure = Failed if status in TOO_MUCH else Unreachable
    words = error_message(response.content)
    return failure(f"HTTP {status} {response.reason}" + (words and f", {words!r}"))
