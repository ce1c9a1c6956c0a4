"""The session's token goes to one origin; no server makes a client wait for a day."""

import pytest
from standin import StandIn
from urllib3 import HTTPResponse

from msaestimator.archive._session import LONGEST_WAIT, ServiceToken, open_session


def authorization(server):
    return [request.headers.get("authorization") for request in server.requests]


def test_a_token_is_for_its_own_origin_alone(server, database):
    """Neither a host nor a port that an answer names is the service's."""
    token = ServiceToken("Token secret", [server.tap_url])
    with StandIn(database) as other, open_session(5, 0, token) as session:
        for url in (server.tap_url, server.datalink_url, other.tap_url):
            session.get(f"{url}/nothing", timeout=5)
        session.get(f"{server.tap_url.replace('127.0.0.1', 'localhost')}/nothing", timeout=5)
        assert authorization(server) == ["Token secret", "Token secret", None]
        assert authorization(other) == [None]


@pytest.mark.parametrize(("said", "waited"), [("3", 3.0), ("86400", LONGEST_WAIT), (None, None)])
def test_retry_after_is_honoured_within_bounds(said, waited):
    headers = {} if said is None else {"Retry-After": said}
    with open_session(5, 2) as session:
        retries = session.get_adapter("https://").max_retries
        assert retries.get_retry_after(HTTPResponse(headers=headers, status=503)) == waited
