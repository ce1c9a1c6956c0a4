"""The HTTP session: every request has a timeout and a bounded number of retries."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from msaestimator.archive._waiting import Waiting

__all__ = ["ArchiveSession", "ServiceToken", "open_session", "words_of"]

RETRIED = (429, 500, 502, 503, 504)
"""Status codes of failures that pass; a query error of TAP is 400 and does not."""

LONGEST_WAIT = 120.0
"""Most seconds to wait before one retry, whatever ``Retry-After`` says."""


class ArchiveSession(requests.Session):
    """A session that tells of the retries it makes.

    Attributes
    ----------
    waiting : Waiting
        Listener that is told.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting = Waiting()


def open_session(timeout: float, max_retries: int, auth: AuthBase | None = None) -> ArchiveSession:
    """Return a session that retries with exponentially growing pauses.

    Parameters
    ----------
    timeout : float
        Seconds without a byte from the server before a request fails.
    max_retries : int
        Retries of one request; ``Retry-After`` is honoured, up to two minutes.
    auth : AuthBase, optional
        Object that authorizes requests, such as a `ServiceToken`.
    """
    session = ArchiveSession()
    retry = _BoundedRetry(
        waiting=session.waiting,
        total=max_retries,
        backoff_factor=0.5,
        backoff_jitter=0.25,
        status_forcelist=RETRIED,
        # Queries change nothing, so any of them may be sent again.
        allowed_methods=None,
        raise_on_status=False,
        respect_retry_after_header=True,
    )
    adapter = _TimeoutAdapter(timeout, max_retries=retry)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"msaestimator/{version('msaestimator')}"
    session.auth = auth
    return session


def words_of(error: Exception | None) -> str:
    """Return what a failed connection says, without the objects it says it of."""
    words = str(error.args[-1]) if error is not None and error.args else str(error)
    return re.sub(r"^HTTPS?Connection(Pool)?\(.*?\): ", "", words).rstrip(".")


class ServiceToken(AuthBase):
    """Authorization of requests to one service, and to no other address an answer may name.

    Parameters
    ----------
    authorization : str
        Value of the header ``Authorization``.
    urls : iterable of str
        The service's addresses; any address with scheme, host and port of one of them is the
        service.
    """

    def __init__(self, authorization: str, urls: Iterable[str]) -> None:
        self.authorization = authorization
        self.origins = {_origin(url) for url in urls}

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if _origin(request.url) in self.origins:
            request.headers["Authorization"] = self.authorization
        return request


def _origin(url: str | None) -> tuple[str, str]:
    """Return scheme, and host with port."""
    parts = urlsplit(url or "")
    return parts.scheme, parts.netloc


class _TimeoutAdapter(HTTPAdapter):
    """Adapter that gives a timeout to requests without one."""

    def __init__(self, timeout: float, **settings: Any) -> None:
        self.timeout = timeout
        super().__init__(**settings)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **settings: Any
    ) -> requests.Response:
        if settings.get("timeout") is None:
            settings["timeout"] = self.timeout
        return super().send(request, *args, **settings)


class _BoundedRetry(Retry):
    """Retries whose pauses are bounded, whatever a server says, and told of."""

    def __init__(self, *args: Any, waiting: Waiting, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.waiting = waiting

    def new(self, **changes: Any) -> Self:
        return super().new(waiting=self.waiting, **changes)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        *args: Any,
        **settings: Any,
    ) -> Self:
        counted = super().increment(method, url, response, error, *args, **settings)
        reason = (
            f"{response.status} {response.reason}" if response is not None else words_of(error)
        )
        number = len(counted.history)
        self.waiting.tell(f"retry {number} of {number + int(counted.total or 0)}: {reason}")
        return counted

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        wait = super().get_retry_after(response)
        return None if wait is None else min(wait, LONGEST_WAIT)
