"""From source ids to parameters and to a fit, at an archive on this machine."""

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from catalogue import SPECIAL

from msaestimator.archive import ArchiveFlag
from msaestimator.dust import add_reddening
from msaestimator.exceptions import (
    ArchiveError,
    ArchiveWarning,
    ColumnError,
    MissingColumnWarning,
    RenamedColumnWarning,
)
from msaestimator.results import PredictionFlag
from msaestimator.schema import GAIA_DR3, FeatureSchema

UNKNOWN = 4242
BANDS = ["has_bp", "has_rp"]
BLOCKS = ["wise", "skymapper", "sdss", "ps1", "tmass", "gaia", "dust", "astrometry"]
BRIGHT = "SELECT source_id FROM gaiadr3.gaia_source WHERE phot_g_mean_mag < 10.2"


@pytest.fixture(scope="session")
def ids(catalogue):
    """All source ids; the first are those of the planted cases."""
    return np.array(catalogue["gaiadr3.gaia_source"]["source_id"])


@pytest.fixture
def predict(regressor, loopback):
    """Predict with the map that ships with the package."""
    return lambda stars: regressor.predict_from_gaia(stars, loopback, dust_map="sfd-lowres")


def assert_same(predictions, expected):
    assert predictions.colnames == expected.colnames
    for name in expected.colnames:
        values = [np.asarray(getattr(t[name], "value", t[name])) for t in (predictions, expected)]
        if values[0].dtype.kind == "f":
            # What members disagree on is a small difference of large numbers, in single precision.
            label, end = name.removesuffix("_epistemic"), name.endswith("_epistemic")
            atol = max(1e-6, 1e-7 * np.nanmax(expected[label].value, initial=0)) if end else 0.0
            np.testing.assert_allclose(*values, rtol=1e-5, atol=atol, err_msg=name)
        else:
            np.testing.assert_array_equal(*values, err_msg=name)


def test_a_row_an_id_in_order(predict, ids):
    asked = [int(ids[7]), UNKNOWN, int(ids[3]), int(ids[7]), int(ids[500])]
    table = predict(asked)
    assert table["source_id"].tolist() == asked
    assert_same(table[[0]], table[[3]])
    alone = [predict([one]) for one in asked]
    for row, one in enumerate(alone):
        assert_same(table[[row]], one)


def test_an_unknown_id_is_a_row_that_says_so(predict, ids):
    (row,) = predict([UNKNOWN])
    assert np.isnan(row["teff"])
    assert np.isnan(row["logg_upper"])
    assert PredictionFlag.NO_FEATURES in PredictionFlag(row["flags"])
    assert ArchiveFlag.NOT_FOUND in ArchiveFlag(row["archive_flags"])
    assert not any(row[name] for name in row.colnames if name.startswith("has_"))


def test_the_columns(predict, regressor, stars, ids):
    table, plain = predict(ids[:3]), regressor.predict_table(stars[:1])
    seen = [*BANDS, *(f"has_{block}" for block in BLOCKS)]
    assert set(table.colnames) == {*plain.colnames, "archive_flags", *seen}
    assert table.colnames[: len(plain.colnames)] == plain.colnames
    assert table["teff"].unit == u.K
    for name in seen:
        assert table[name].dtype == bool


def test_is_what_the_stars_themselves_give(predict, regressor, load_plain, ids):
    changed = "no_xp no_bp no_rp xp_flag_but_no_spectrum no_g_magnitude no_survey_at_all"
    rows = [
        row
        for name, row in SPECIAL.items()
        if name not in f"{changed} extended_2mass two_parameter".split()
    ]
    known = load_plain(None)
    place = {one: row for row, one in enumerate(known["source_id"].tolist())}
    expected = known[[place[one] for one in ids[rows].tolist()]]
    expected = regressor.predict_table(add_reddening(expected, "sfd-lowres"))
    assert np.isfinite(expected["teff"]).all()
    assert_same(predict(ids[rows])[expected.colnames], expected)


def test_ids_a_query_and_a_table_are_one_way(predict, regressor, loopback, catalogue):
    by_query = predict(BRIGHT)
    source = catalogue["gaiadr3.gaia_source"]
    magnitude = source["phot_g_mean_mag"].filled(np.nan)
    bright = np.asarray(source["source_id"][magnitude < 10.2])
    assert len(bright) > 10
    assert sorted(by_query["source_id"]) == sorted(bright)
    assert_same(predict(by_query["source_id"]), by_query)
    fetched = loopback.fetch_features(by_query["source_id"])
    assert_same(predict(fetched), by_query)
    assert_same(predict(QTable(fetched)), by_query)
    reddened = add_reddening(fetched, "sfd-lowres")
    # A column that fit did not see is worth a warning.
    known = regressor.reader_.without_unseen(reddened)
    assert_same(regressor.predict_table(known), by_query[PLAIN])


PLAIN = ["source_id"]
PLAIN += [
    f"{label}{end}"
    for label in ("teff", "logg", "fe_h")
    for end in ("", "_err", "_lower", "_upper", "_aleatoric", "_epistemic", "_flags")
]
PLAIN += ["flags"]


def test_a_table_that_is_there_asks_nobody(predict, loopback, server, ids):
    fetched = loopback.fetch_features(ids[:5])
    server.requests.clear()
    predict(fetched)
    assert server.requests == []


@pytest.mark.parametrize(
    ("case", "missing"),
    [
        ("complete", ()),
        ("no_xp", ("bp", "rp")),
        ("no_bp", ("bp",)),
        ("no_rp", ("rp",)),
        ("xp_flag_but_no_spectrum", ("bp", "rp")),
        ("two_parameter", ("astrometry",)),
        ("no_survey_at_all", ("tmass", "wise", "ps1", "sdss", "skymapper")),
        ("extended_2mass", ("tmass",)),
        ("not_a_star_sdss", ("sdss",)),
        ("saturated_sdss", ()),
        ("bad_skymapper_flags", ("skymapper",)),
    ],
)
def test_what_a_star_was_seen_by(predict, ids, case, missing):
    (row,) = predict(ids[[SPECIAL[case]]])
    unseen = {name for name in row.colnames if name.startswith("has_") and not row[name]}
    assert unseen == {f"has_{name}" for name in missing}
    flags = PredictionFlag(row["flags"])
    n_bands = len({"bp", "rp"} & set(missing))
    assert (PredictionFlag.NO_XP in flags) == (n_bands == 2)
    assert (PredictionFlag.PARTIAL_XP in flags) == (n_bands == 1)


@pytest.mark.parametrize(
    ("case", "flag"),
    [
        ("xp_flag_but_no_spectrum", ArchiveFlag.XP_NOT_DELIVERED),
        ("two_parameter", ArchiveFlag.TWO_PARAMETER),
        ("qso_candidate", ArchiveFlag.EXTRAGALACTIC_CANDIDATE),
        ("galaxy_candidate", ArchiveFlag.EXTRAGALACTIC_CANDIDATE),
        ("extended_2mass", ArchiveFlag.CUT_TMASS),
    ],
)
def test_flags_of_the_archive(predict, ids, case, flag):
    complete, special = predict(ids[[SPECIAL["complete"], SPECIAL[case]]])["archive_flags"]
    assert complete & flag == 0
    assert special & flag == flag


def test_bad_ids_are_refused_before_anything_is_sent(predict, server, ids):
    for wrong in ([float(ids[0])], ["18 Sco"], "18 Sco", [int(ids[0]), 0], ids[0] / 2, [None]):
        with pytest.raises(ColumnError, match="`source_ids` must"):
            predict(wrong)
    with pytest.raises(ColumnError, match="Column 'source_id' must be integers.*got 5.*float"):
        predict(Table({"source_id": [5937083312263887616.0]}))
    with pytest.raises(ColumnError, match="Column 'source_id' must all be known, got 1 of 2"):
        predict(pd.DataFrame({"source_id": pd.array([ids[0], None], dtype="Int64")}))
    with pytest.raises(ColumnError, match="must have the column 'source_id', got source, ra"):
        predict(Table({"source": ids[:2], "ra": [1.0, 2.0]}))
    assert server.requests == []


@pytest.fixture(scope="session")
def listed(ids):
    """Five ids, one twice, one that nobody knows."""
    return [int(ids[7]), UNKNOWN, int(ids[3]), int(ids[7]), int(ids[12])]


LISTS = {
    "text": lambda ids: [str(one) for one in ids],
    "names": lambda ids: np.array([f"Gaia DR3 {one}" for one in ids]),
    "(n, 1)": lambda ids: np.reshape(ids, (-1, 1)),
    "Table": lambda ids: Table({"source_id": ids, "name": ["a"] * 5, "ra": np.ones(5)}),
    "QTable": lambda ids: QTable({"teff": np.ones(5) * u.K, "source_id": ids}),
    "Table of names": lambda ids: Table({"source_id": [f"Gaia DR3 {one}" for one in ids]}),
    "DataFrame": lambda ids: pd.DataFrame({"rank": range(5), "source_id": ids}),
    "index": lambda ids: pd.DataFrame({"source_id": ids, "rank": 1}).set_index("source_id"),
    "Int64": lambda ids: pd.DataFrame({"source_id": pd.array(ids, dtype="Int64")}),
    "Arrow": lambda ids: pa.table({"source_id": ids}),
    "dict": lambda ids: {"source_id": ids},
    "list of dicts": lambda ids: [{"source_id": one} for one in ids],
}


@pytest.mark.parametrize("make", LISTS.values(), ids=LISTS)
def test_a_list_of_ids_in_any_form(predict, listed, make):
    assert_same(predict(make(listed)), predict(listed))


@pytest.mark.parametrize("kind", [Table, pd.DataFrame])
def test_other_names_of_the_columns_are_told_once(predict, listed, kind):
    expected = predict(Table({"source_id": listed, "ebv": [0.1] * 5}))
    with pytest.warns(RenamedColumnWarning, match="'Source' for 'source_id'") as caught:
        assert_same(predict(kind({"Source": listed, "E_B-V_": [0.1] * 5})), expected)
    assert len(caught) == 1


def test_stars_by_other_names_are_taken_as_they_are(predict, stars, server):
    some = stars[:4]
    upper = some.copy()
    upper.rename_columns(upper.colnames, [name.upper() for name in upper.colnames])
    with pytest.warns(RenamedColumnWarning, match="'SOURCE_ID' for 'source_id'"):
        assert_same(predict(upper), predict(some))
    assert "SOURCE_ID" in upper.colnames
    assert server.requests == []


def test_one_id_by_itself_is_no_query(predict, ids):
    one = int(ids[7])
    for given in (one, np.int64(one), str(one), f"Gaia DR3 {one}", f"{one}".encode()):
        assert_same(predict(given), predict([one]))


def test_reddening_beside_ids_is_kept(regressor, loopback, ids):
    listed = Table({"source_id": ids[:3], "ebv": [0.1, 0.2, 0.3] * u.mag})
    fetched = loopback.fetch_features(ids[:3])
    fetched["ebv"] = listed["ebv"]
    expected = regressor.predict_from_gaia(fetched, loopback, dust_map=no_dust)
    table = regressor.predict_from_gaia(listed, loopback, dust_map=no_dust)
    assert_same(table, expected)
    assert table["has_dust"].all()


@pytest.mark.parametrize("kind", [Table, pd.DataFrame])
def test_features_beside_ids_are_used_with_a_warning(predict, stars, server, kind):
    some = {"source_id": stars["source_id"][:4], "ra": [1.0] * 4, "dec": [2.0] * 4}
    some["phot_g_mean_mag"] = stars["phot_g_mean_mag"][:4].value
    message = r"phot_g_mean_mag, so nothing is asked.*Pass stars\['source_id'\] to fetch all"
    with (
        pytest.warns(MissingColumnWarning, match="absent here"),
        pytest.warns(ArchiveWarning, match=message),
    ):
        table = predict(kind(some))
    assert table["source_id"].tolist() == some["source_id"].tolist()
    assert server.requests == []


def test_a_data_frame_of_stars_is_used_as_it_is(predict, stars, to_frame, server):
    assert_same(predict(to_frame(stars[:4])), predict(stars[:4]))
    assert server.requests == []


def test_a_regressor_of_a_matrix_is_refused_before_anything_is_sent(
    make_regressor, make_msa, loopback, server, ids
):
    rng = np.random.default_rng(0)
    matrix, labels = rng.normal(size=(40, 6)), rng.uniform([4000, 1], [5000, 4], size=(40, 2))
    regressor = make_regressor(make_msa(max_epochs=1), labels=("teff", "logg"), max_epochs=1)
    regressor.fit(matrix, labels)
    with pytest.raises(ColumnError, match="was fitted on a matrix of features"):
        regressor.predict_from_gaia(ids[:2], loopback)
    assert server.requests == []


def test_an_unfitted_regressor_is_refused(make_regressor, loopback, server, ids):
    with pytest.raises(ValueError, match="is not fitted yet"):
        make_regressor().predict_from_gaia(ids[:2], loopback)
    assert server.requests == []


def test_no_stars(predict):
    answer = predict("SELECT source_id FROM gaiadr3.gaia_source WHERE ra < 0")
    assert len(answer) == 0
    assert {"source_id", "teff", "flags", "archive_flags", "has_bp"} <= set(answer.colnames)


def test_what_the_archive_says_is_passed_on(predict):
    with pytest.raises(ArchiveError, match="no such column"):
        predict("SELECT colour FROM gaiadr3.gaia_source")


def test_reddening_of_ones_own(regressor, loopback, ids):
    asked = []

    def dust_map(coords):
        asked.append(len(coords))
        return np.full(len(coords), 0.7)

    dusty = regressor.predict_from_gaia(ids[:4], loopback, dust_map=dust_map)
    clear = regressor.predict_from_gaia(ids[:4], loopback, dust_map=lambda c: np.zeros(len(c)))
    assert asked == [4]
    assert (dusty["teff"] != clear["teff"]).all()


def no_dust(coords):
    raise AssertionError("No reddening is needed.")


def test_a_model_without_reddening_asks_for_none(make_regressor, make_msa, stars, loopback, ids):
    bare = stars[[name for name in stars.colnames if name != "ebv"]]
    regressor = make_regressor(make_msa(max_epochs=1), max_epochs=1).fit(bare)
    table = regressor.predict_from_gaia(ids[:3], loopback, dust_map=no_dust)
    assert np.isfinite(table["teff"]).all()
    assert not table["has_dust"].any()


@pytest.fixture(scope="session")
def learn(make_msa):
    """Return a function that pre-trains for an epoch."""
    return lambda stars, archive: make_msa(max_epochs=1).fit_from_gaia(
        stars, archive, dust_map="sfd-lowres"
    )


def test_fit_leaves_candidates_out(learn, make_msa, loopback, ids, weights):
    with pytest.warns(ArchiveWarning, match="2 of 40 sources are left out") as caught:
        fitted = learn(ids[:40], loopback)
    assert [one.filename for one in caught] == [__file__]
    galaxies = [SPECIAL["qso_candidate"], SPECIAL["galaxy_candidate"]]
    chosen = loopback.fetch_features(np.delete(ids[:40], galaxies))
    by_hand = make_msa(max_epochs=1).fit(add_reddening(chosen, "sfd-lowres"))
    assert weights(fitted) == weights(by_hand)


def test_fit_learns_every_survey(learn, loopback, ids):
    fitted = learn(ids[20:120], loopback)
    assert {"ebv", "catwise_w1", "psfmag_u", "u_psf", "parallax"} <= set(fitted.feature_names_)
    latent = fitted.transform(add_reddening(loopback.fetch_features(ids[:2]), "sfd-lowres"))
    assert np.isfinite(latent).all()


def test_fit_on_a_query(learn, loopback, weights):
    stars = loopback.query(BRIGHT)
    assert weights(learn(BRIGHT, loopback)) == weights(learn(stars, loopback))


def test_fit_on_a_cone(learn, loopback, catalogue):
    source = catalogue["gaiadr3.gaia_source"]
    center = SkyCoord(source["ra"][100], source["dec"][100], unit="deg")
    stars = loopback.cone_search(center, 8 * u.deg)
    assert len(stars) > 10
    assert learn(stars, loopback).n_features_in_ == 138


def test_fit_keeps_reddening_that_stars_bring(learn, loopback, stars, weights, make_msa):
    """Nor do stars from elsewhere need the archive's flags."""
    assert weights(learn(stars, loopback)) == weights(make_msa(max_epochs=1).fit(stars))


def test_fit_adds_reddening_that_stars_lack(learn, loopback, stars, weights, make_msa):
    bare = stars[[name for name in stars.colnames if name != "ebv"]]
    reddened = add_reddening(bare, "sfd-lowres")
    assert weights(learn(bare, loopback)) == weights(make_msa(max_epochs=1).fit(reddened))


def test_fit_without_reddening_in_the_schema(make_msa, loopback, ids):
    members = tuple(m for m in GAIA_DR3.members if m.block != "dust")
    schema = FeatureSchema(GAIA_DR3.release, members)
    fitted = make_msa(schema=schema, max_epochs=1).fit_from_gaia(
        ids[20:60], loopback, dust_map=no_dust
    )
    assert "ebv" not in fitted.feature_names_


def test_fit_refuses_bad_ids_before_anything_is_sent(learn, loopback, server):
    with pytest.raises(ColumnError, match="`source_ids` must be"):
        learn([1.5], loopback)
    assert server.requests == []
