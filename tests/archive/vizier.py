"""VizieR on this machine: an answer in its form about a table of a few rows."""

import io
from pathlib import Path
from urllib.parse import unquote_plus

from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

__all__ = ["Vizier"]

DATA = Path(__file__).parent / "data"


class Vizier(BaseAdapter):
    """VizieR's service, which sends the content of a file, and keeps what it was asked."""

    def __init__(self):
        super().__init__()
        self.answer, self.status, self.queries = DATA / "vizier_apogee.xml", 200, []

    def send(self, request, **_):
        """Return the content of the file."""
        assert request.url == "https://vizier.cds.unistra.fr/viz-bin/votable"
        body = request.body if isinstance(request.body, str) else request.body.decode()
        self.queries.append(
            dict(line.partition("=")[::2] for line in unquote_plus(body).split("\n"))
        )
        raw = HTTPResponse(
            io.BytesIO(self.answer.read_bytes()),
            {"Content-Type": "text/xml"},
            self.status,
            preload_content=False,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self):
        """Do nothing."""
