"""The HTTP session: every request has a timeout and a bounded number of retries."""

from importlib.metadata import version
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

__all__ = ["open_session"]

RETRIED = (429, 500, 502, 503, 504)
"""Status codes that pass; a query error of TAP is 400 and does not."""

LONGEST_WAIT = 120.0
"""Seconds to wait at most before one retry, whatever ``Retry-After`` says."""


def open_session(
    timeout: float, max_retries: int, authorization: str | None = None
) -> requests.Session:
    """Return a session that retries with exponentially growing pauses.

    Parameters
    ----------
    timeout : float
        Seconds without a byte from the server before a request fails.
    max_retries : int
        Retries of one request; ``Retry-After`` is honoured, up to two minutes.
    authorization : str, optional
        Value of the header ``Authorization``. It is dropped when a redirect leads elsewhere.
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
    if authorization is not None:
        session.headers["Authorization"] = authorization
    return session


class _TimeoutAdapter(HTTPAdapter):
    """Gives a timeout to requests that come without one."""

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
    """Does not sleep for a day because a server says so."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        wait = super().get_retry_after(response)
        return None if wait is None else min(wait, LONGEST_WAIT)
