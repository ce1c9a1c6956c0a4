"""Names of stars become Gaia ids by SIMBAD's answer, in the form that SIMBAD gives it."""

import re
import sys

import numpy as np
import pandas as pd
import pytest
import requests
from astropy.table import Column, MaskedColumn
from simbad import NAMES

from msaestimator.archive import NAME_STATUS, _names, resolve_names
from msaestimator.exceptions import ArchiveError, ColumnError, MissingDependencyError
from msaestimator.schema import StarTable

IDS = [4345775217221821312, 3113219385210477440, 4472832130942575872, None, None, None]
STATUS = ["resolved", "resolved", "resolved", "no id", "unknown", "several ids"]


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
    monkeypatch.setattr(_names, "NAMES_PER_QUERY", 4)
    assert resolve_names(NAMES[::-1])["source_id"].tolist() == IDS[::-1]
    assert [len(upload) for _, upload in simbad.queries] == [4, 2]


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
