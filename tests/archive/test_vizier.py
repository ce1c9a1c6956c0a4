"""Columns of a catalogue by VizieR's answer, in the form that VizieR gives it."""

import sys

import numpy as np
import pytest
import requests

from msaestimator.archive import fetch_vizier
from msaestimator.exceptions import ArchiveError, MissingDependencyError
from msaestimator.schema import StarTable
from msaestimator.tables import raw_column

TABLE = "III/286/catalog"
COLUMNS = {"source_id": ["Gaia", "GaiaEDR3"], "fe_h": ["[Fe/H]"], "logg": ["logg", "log(g)"]}


def test_columns_by_our_names_and_in_order(vizier):
    stars = fetch_vizier(TABLE, COLUMNS)
    assert isinstance(stars, StarTable)
    assert stars.colnames == [*COLUMNS]
    assert stars["source_id"].dtype == np.int64
    assert stars["source_id"].tolist() == [2772097619417608704, None, 3]
    values, _, unit = raw_column(stars["logg"])
    np.testing.assert_allclose(values, [4.123, 4.4, 4.0], rtol=1e-6)
    assert str(unit) == "[cm/s2]"
    assert raw_column(stars["fe_h"]).mask.tolist() == [False, False, True]


def test_all_rows_of_all_names_are_asked(vizier):
    fetch_vizier(TABLE, COLUMNS)
    (query,) = vizier.queries
    assert query["-source"] == TABLE
    assert query["-out.max"] == "unlimited"
    assert query["-out"].split(",") == ["Gaia", "GaiaEDR3", "[Fe/H]", "logg", "log(g)"]


def test_answers_are_not_kept(vizier):
    """Astroquery would keep them pickled."""
    fetch_vizier(TABLE, COLUMNS)
    fetch_vizier(TABLE, COLUMNS)
    assert len(vizier.queries) == 2


def test_a_column_that_is_not_there(vizier):
    with pytest.raises(ArchiveError, match=r"must have the column Mass or mass, got GaiaEDR3, AP"):
        fetch_vizier(TABLE, {"mass": ["Mass", "mass"]})


@pytest.mark.parametrize("content", ["<html>Sorry</html>", "<?xml version='1.0'?><VOTABLE/>", ""])
def test_an_answer_without_a_table(vizier, tmp_path, content):
    vizier.answer = tmp_path / "answer.xml"
    vizier.answer.write_text(content)
    with pytest.raises(ArchiveError, match=r"VizieR \(III/286/catalog\): the answer is not a VOT"):
        fetch_vizier(TABLE, COLUMNS)


def test_failures_of_vizier_are_told(vizier, monkeypatch):
    vizier.status = 500
    with pytest.raises(ArchiveError, match=r"VizieR \(III/286/catalog\): 500 .*Check the network"):
        fetch_vizier(TABLE, COLUMNS)
    monkeypatch.setattr(vizier, "send", _refuse)
    with pytest.raises(ArchiveError, match=r"nobody is there\. Check the network"):
        fetch_vizier(TABLE, COLUMNS)


def _refuse(request, **_):
    raise requests.ConnectionError("nobody is there")


def test_without_astroquery_it_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "astroquery.vizier", None)
    with pytest.raises(MissingDependencyError, match=r"pip install msaestimator\[names\]"):
        fetch_vizier(TABLE, COLUMNS)
