"""From source ids to the generalist's answers, at an archive on this machine."""

import numpy as np
import pytest

from msaestimator.archive import ArchiveFlag
from msaestimator.dust import add_reddening
from msaestimator.exceptions import ArchiveError, ColumnError, ToldRequestWarning
from msaestimator.results import PredictionFlag

UNKNOWN = 4242


@pytest.fixture(scope="session")
def ids(catalogue):
    """All source ids; the first are those of the planted cases."""
    return np.array(catalogue["gaiadr3.gaia_source"]["source_id"])


@pytest.fixture
def predict(generalist, loopback):
    """Ask with the map that ships with the package."""
    return lambda stars, **asked: generalist.predict_from_gaia(
        stars, loopback, dust_map="sfd-lowres", **asked
    )


def test_a_row_an_id_in_order(predict, ids, assert_same):
    asked = [int(ids[7]), UNKNOWN, int(ids[3]), int(ids[7]), int(ids[40])]
    table = predict(asked)
    assert table["source_id"].tolist() == asked
    assert_same(table[:1], table[3:4])
    for row, one in enumerate(asked):
        assert_same(predict([one]), table[row : row + 1])


def test_the_columns(predict, generalist, ids):
    table = predict(ids[:3])
    ends = ("", "_err", "_lower", "_upper", "_flags")
    labels = [name + end for name in generalist.labels_ for end in ends]
    assert table.colnames[: len(labels) + 2] == ["source_id", *labels, "flags"]
    seen = set(table.colnames[len(labels) + 2 :])
    assert {"archive_flags", "has_bp", "has_rp", "has_tmass", "has_dust"} <= seen
    assert table["teff"].unit == "K"
    assert table["has_bp"].dtype == bool


def test_requests(predict, ids):
    with pytest.warns(ToldRequestWarning, match="'bp_rp', 'relative_bp_1': asked for and told"):
        table = predict(ids[:3], requests=["bp_rp", "relative_bp_1"])
    of_color = ["bp_rp", "bp_rp_err", "bp_rp_lower", "bp_rp_upper", "bp_rp_flags"]
    assert table.colnames[:7] == ["source_id", *of_color, "relative_bp_1"]
    assert "teff" not in table.colnames
    with pytest.warns(ToldRequestWarning, match="'ebv'"):
        assert "ebv" in predict(ids[:1], requests="ebv").colnames


def test_an_unknown_id_is_a_row_that_says_so(predict, ids):
    answers = predict([UNKNOWN, int(ids[0])])
    assert PredictionFlag.NOTHING_KNOWN in PredictionFlag(answers["flags"][0])
    assert ArchiveFlag.NOT_FOUND in ArchiveFlag(answers["archive_flags"][0])
    assert not any(answers[0][name] for name in answers.colnames if name.startswith("has_"))
    assert PredictionFlag.NOTHING_KNOWN not in PredictionFlag(answers["flags"][1])
    assert np.isfinite(answers["teff"]).all(), "Nothing known is the answer for any star."


def test_is_what_the_stars_themselves_give(predict, generalist, loopback, stars, ids, assert_same):
    fetched = add_reddening(loopback.fetch_features(ids[20:30]), "sfd-lowres")
    known = fetched[[name for name in stars.colnames if name in fetched.colnames]]
    expected = generalist.request(known, generalist.labels_)
    assert_same(predict(ids[20:30])[expected.colnames], expected)
    assert_same(predict(loopback.fetch_features(ids[20:30])), predict(ids[20:30]))


def no_dust(coords):
    raise AssertionError("No reddening is needed.")


def test_a_model_without_reddening_asks_for_none(make_generalist, few, loopback, ids):
    bare = few[[name for name in few.colnames if name != "ebv"]]
    table = (
        make_generalist(max_epochs=1)
        .fit(bare)
        .predict_from_gaia(ids[:3], loopback, dust_map=no_dust)
    )
    assert np.isfinite(table["teff"]).all()
    assert not table["has_dust"].any()


def test_wrong_requests_and_ids_are_refused_before_anything_is_sent(predict, server, ids):
    with pytest.raises(ColumnError, match="has no 'tef'.*mean 'teff'"):
        predict(ids[:2], requests="tef")
    for wrong in ([float(ids[0])], ["18 Sco"], float(ids[0]), [None]):
        with pytest.raises(ColumnError, match="`source_ids` must"):
            predict(wrong)
    assert server.requests == []


def test_models_that_cannot_be_asked(make_generalist, loopback, server, ids):
    with pytest.raises(ValueError, match="is not fitted yet"):
        make_generalist().predict_from_gaia(ids[:2], loopback)
    x = np.random.default_rng(0).normal(size=(20, 3))
    matrix = make_generalist(max_epochs=1).fit(x, x[:, 0])
    with pytest.raises(ColumnError, match="was fitted on a matrix of features"):
        matrix.predict_from_gaia(ids[:2], loopback)
    assert server.requests == []


def test_no_stars(predict):
    answer = predict("SELECT source_id FROM gaiadr3.gaia_source WHERE ra < 0")
    assert len(answer) == 0
    assert {"source_id", "teff", "flags", "archive_flags", "has_bp"} <= set(answer.colnames)


def test_what_the_archive_says_is_passed_on(predict):
    with pytest.raises(ArchiveError, match="no such column"):
        predict("SELECT colour FROM gaiadr3.gaia_source")
