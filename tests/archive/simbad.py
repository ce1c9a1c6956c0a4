"""SIMBAD on this machine: an answer in its form about a few names."""

import io
import re
from email.parser import BytesParser
from pathlib import Path

from astropy.table import Table
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

__all__ = ["NAMES", "Simbad"]

DATA = Path(__file__).parent / "data"
NAMES = ["18 Sco", "HD 49933", "Barnard's star", "alf Cen", "Nobody 1", "GJ 65"]


class Simbad(BaseAdapter):
    """SIMBAD's TAP service: its capabilities, and what it has of `NAMES`."""

    def __init__(self):
        super().__init__()
        self.answer, self.status, self.queries = DATA / "simbad_names.xml", 200, []

    def send(self, request, **_):
        """Return the content of a file, the rows that are about the names asked."""
        status, content = 200, (DATA / "simbad_capabilities.xml").read_text()
        if not request.url.endswith("/capabilities"):
            assert request.url == "https://simbad.cds.unistra.fr/simbad/sim-tap/sync"
            query, upload = _form(request)
            self.queries.append((query, upload))
            status, content = self.status, _about(upload, self.answer.read_text())
        raw = HTTPResponse(
            io.BytesIO(content.encode()),
            {"Content-Type": "application/x-votable+xml"},
            status,
            preload_content=False,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self):
        """Do nothing."""


def _form(request):
    """Return the query of a request, and the names it brings."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts = {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in BytesParser().parsebytes(head + request.body).get_payload()
    }
    (upload,) = (part for part in parts.values() if part.startswith(b"<?xml"))
    table = Table.read(io.BytesIO(upload), format="votable")
    return parts["QUERY"].decode(), table


def _about(upload, answer):
    """Return the answer about the names of an upload, under its numbers."""
    numbers = dict(upload["user_specified_id", "object_number_id"].iterrows())

    def renumbered(row):
        number = numbers.get(NAMES[int(row[1])])
        return "" if number is None else f"<TR><TD>{number}</TD>{row[2]}</TR>"

    return re.sub("<TR><TD>([0-9]+)</TD>(.*)</TR>", renumbered, answer)
