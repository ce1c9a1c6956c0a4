"""Names of stars become Gaia ids by SIMBAD's answer, in the form that SIMBAD gives it."""

import io
import re
import sys
from email.parser import BytesParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests
from astropy.table import Column, MaskedColumn, Table
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from msaestimator.archive import NAME_STATUS, _names, resolve_names
from msaestimator.archive._session import open_session
from msaestimator.exceptions import ArchiveError, ColumnError, MissingDependencyError
from msaestimator.schema import StarTable

DATA = Path(__file__).parent / "data"
NAMES = ["18 Sco", "HD 49933", "Barnard's star", "alf Cen", "Nobody 1", "GJ 65"]
IDS = [4345775217221821312, 3113219385210477440, 4472832130942575872, None, None, None]
STATUS = ["resolved", "resolved", "resolved", "no id", "unknown", "several ids"]


class Simbad(BaseAdapter):
    """SIMBAD's TAP service: its capabilities, and one answer whatever the query."""

    def __init__(self):
        super().__init__()
        self.answer, self.status, self.queries = DATA / "simbad_names.xml", 200, []

    def send(self, request, **_):
        """Return the content of a file."""
        status, path = 200, DATA / "simbad_capabilities.xml"
        if not request.url.endswith("/capabilities"):
            assert request.url == "https://simbad.cds.unistra.fr/simbad/sim-tap/sync"
            self.queries.append(_form(request))
            status, path = self.status, self.answer
        raw = HTTPResponse(
            io.BytesIO(path.read_bytes()),
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


@pytest.fixture
def simbad(monkeypatch):
    """SIMBAD on this machine."""
    service = Simbad()

    def open_here(*settings):
        session = open_session(*settings)
        session.mount("https://simbad.cds.unistra.fr/", service)
        return session

    monkeypatch.setattr(_names, "open_session", open_here)
    return service


def test_a_row_a_name_in_order_with_what_is_known_of_it(simbad):
    stars = resolve_names(NAMES)
    assert isinstance(stars, StarTable)
    assert stars.colnames == ["name", "source_id", "status", "main_id", "candidates"]
    assert stars["name"].tolist() == NAMES
    assert stars["source_id"].dtype == np.int64
    assert stars["source_id"].tolist() == IDS
    assert stars["status"].tolist() == STATUS
    assert set(STATUS) == set(NAME_STATUS)
    assert stars["main_id"].tolist() == [
        "*  18 Sco",
        "HD  49933",
        "NAME Barnard's star",
        "* alf Cen",
        None,
        "GJ    65",
    ]
    assert stars["candidates"][:2].tolist() == [str(one) for one in IDS[:2]]
    assert stars["candidates"][3:].tolist() == ["", "", "5140693571158946048 5140693571158739840"]


def test_simbad_is_asked_once_for_each_name(simbad):
    stars = resolve_names([*NAMES, NAMES[0], f" {NAMES[0]} "])
    ((query, upload),) = simbad.queries
    assert query == _names.QUERY
    assert upload["user_specified_id"].tolist() == NAMES
    assert upload["object_number_id"].tolist() == list(range(len(NAMES)))
    assert stars["source_id"].tolist() == [*IDS, IDS[0], IDS[0]]


@pytest.mark.parametrize("kind", [tuple, np.array, Column, MaskedColumn, pd.Series])
def test_names_in_any_sequence(simbad, kind):
    assert resolve_names(kind(NAMES))["source_id"].tolist() == IDS


def test_gaia_names_are_ids_already(simbad):
    stars = resolve_names(["Gaia DR3 5937083312263887616", "gaia edr3 464858539679433344"])
    assert stars["source_id"].tolist() == [5937083312263887616, 464858539679433344]
    assert stars["status"].tolist() == ["resolved"] * 2
    assert stars["main_id"].mask.all()
    assert simbad.queries == []
    assert resolve_names("Gaia DR3 5937083312263887616")["source_id"][0] == 5937083312263887616


def test_no_names(simbad):
    stars = resolve_names([])
    assert len(stars) == 0
    assert stars["source_id"].dtype == np.int64
    assert simbad.queries == []


@pytest.mark.parametrize(
    "wrong", [["18 Sco", ""], ["18 Sco", " "], ["x", None], ["x", 12], pd.Series(["x", 12])]
)
def test_what_is_no_name_is_refused(simbad, wrong):
    message = re.escape(f"`names` must be names of stars, such as '18 Sco', got {wrong[1]!r}")
    with pytest.raises(ColumnError, match=f"{message}.* at position 1"):
        resolve_names(wrong)
    assert simbad.queries == []


def test_many_names_are_asked_in_parts(simbad, monkeypatch):
    monkeypatch.setattr(_names, "NAMES_PER_QUERY", len(NAMES))
    resolve_names([*NAMES, *(f"{name} B" for name in NAMES)])
    assert [len(upload) for _, upload in simbad.queries] == [len(NAMES)] * 2


def test_an_answer_without_all_names_is_an_error(simbad):
    with pytest.raises(ArchiveError, match="SIMBAD: the answer must have all 7 names, got 6"):
        resolve_names([*NAMES, "one more"])


def test_failures_of_simbad_are_told(simbad, tmp_path, monkeypatch):
    simbad.answer, simbad.status = tmp_path / "page.html", 500
    simbad.answer.write_text("<html>The server is down</html>")
    with pytest.raises(
        ArchiveError, match=r"SIMBAD \(names: 1, the first '18 Sco'\): 500 .*Check the"
    ):
        resolve_names("18 Sco")
    monkeypatch.setattr(simbad, "send", _refuse)
    with pytest.raises(ArchiveError, match=r"Connection failed .*\. Check the network"):
        resolve_names("18 Sco")


def _refuse(request, **_):
    raise requests.ConnectionError("nobody is there")


def test_without_astroquery_it_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "astroquery.simbad", None)
    with pytest.raises(MissingDependencyError, match=r"pip install msaestimator\[names\]"):
        resolve_names("18 Sco")


def test_one_thing_that_is_no_name(simbad):
    with pytest.raises(ColumnError, match=r"got 12 \(int\) at position 0"):
        resolve_names(12)
