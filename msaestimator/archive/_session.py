"""The HTTP session: every request has a timeout and a bounded number of retries."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

__all__ = ["ServiceToken", "open_session"]

RETRIED = (429, 500, 502, 503, 504)
"""Status codes of failures that pass; a query error of TAP is 400 and does not."""

LONGEST_WAIT = 120.0
"""Most seconds to wait before one retry, whatever ``Retry-After`` says."""


def open_session(
    timeout: float, max_retries: int, auth: AuthBase | None = None
) -> requests.Session:
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
    retry = _BoundedRetry(
        total=max_retries,
        backoff_factor=0.5,
        backoff_jitter=0.25,
        status_forcelist=RETRIED,
        # Queries change nothing, so any of them may be sent again.
        allowed_methods=None,
        raise_on_status=False,
        respect_retry_after_header=True,
    )
    session = requests.Session()
    adapter = _TimeoutAdapter(timeout, max_retries=retry)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"msaestimator/{version('msaestimator')}"
    session.auth = auth
    return session


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
    """Retries whose pauses are bounded, whatever a server says."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        wait = super().get_retry_after(response)
        return None if wait is None else min(wait, LONGEST_WAIT)
