"""Our queries against GAVO DaCHS, a real TAP server: ``python scripts/dachs.py up`` starts it.

The oracle is the catalogue the server was filled with, joined by pandas.
"""

import runpy
from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from catalogue import SPECIAL, make_catalogue

from msaestimator.archive import SERVICES, ArchiveFlag, GaiaArchive
from msaestimator.archive._failures import Overflow
from msaestimator.archive._session import open_session
from msaestimator.archive._tap import run_query
from msaestimator.exceptions import ArchiveError

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SERVER = runpy.run_path(str(ROOT / "scripts/dachs.py"))
N_IDS = 20_000

# Of each survey: its table, the key, and the columns that get a prefix here.
SURVEYS = {
    "tmass_psc_xsc": (
        *("gaiadr1.tmass_original_valid", "designation"),
        *("tmass", "ph_qual ext_key"),
    ),
    "panstarrs1": (
        *("gaiadr2.panstarrs1_original_valid", "obj_id"),
        *("ps1", "obj_info_flag quality_flag"),
    ),
    "sdssdr13": (
        *("external.sdssdr13_photoprimary", "objid"),
        *("sdss", "type flags_u flags_g flags_r flags_i flags_z"),
    ),
    "skymapperdr2": (
        *("external.skymapperdr2_master", "object_id"),
        *("smss", "flags nimaflags class_star distance"),
    ),
}
# The zero points of EDR3: https://www.cosmos.esa.int/web/gaia/edr3-passbands
ZERO_POINT_ERRORS = {"g": 0.0027553202, "bp": 0.0027901700, "rp": 0.0037793818}


@pytest.fixture(scope="module")
def catalogue():
    if not SERVER["available"]():
        pytest.fail(f"No server at {SERVER['URL']}: run `python scripts/dachs.py up` as root.")
    return make_catalogue(n_stars=SERVER["N_STARS"])


@pytest.fixture(scope="module")
def ids(catalogue):
    """Return the known ids, unknown ones beyond 2**53, and one twice, in no order."""
    known = np.asarray(catalogue["gaiadr3.gaia_source"]["source_id"])
    unknown = 9_000_000_000_000_000_001 + np.arange(N_IDS - len(known) - 1)
    return np.random.default_rng(0).permutation([*known, *unknown, known[0]])


@pytest.fixture(scope="module")
def expected(catalogue):
    """Return a row a star: what is in the catalogue, of two neighbours the nearer."""
    frames = {name: to_pandas(table) for name, table in catalogue.items()}
    rows = frames["gaiadr3.gaia_source"].set_index("source_id")
    for survey, (original, key, prefix, prefixed) in SURVEYS.items():
        links = frames[f"gaiadr3.{survey}_best_neighbour"].sort_values("angular_distance")
        links = links.drop_duplicates("source_id").set_index("source_id")
        matched = frames[original].set_index(key).reindex(links["original_ext_source_id"])
        matched = matched.set_index(links.index).assign(distance=links["angular_distance"])
        matched = matched.rename(columns={name: f"{prefix}_{name}" for name in prefixed.split()})
        rows = rows.join(matched[matched.columns.difference(rows.columns)])
    return rows.join(frames["external.xgboost_table1"].set_index("source_id"))


def to_pandas(table):
    flat = [name for name in table.colnames if table[name].ndim == 1]
    return table[flat].to_pandas(use_nullable_int=True)


def open_archive(**settings):
    """Return an archive that keeps and cuts nothing, so that what came is what is compared."""
    defaults = {"service": "local", "cache": False, "quality_cuts": "none", "progress": False}
    return GaiaArchive(**defaults | settings)


def assert_same_stars(stars, expected, ids):
    """Compare every catalogue column of every row; unknown ids have nothing."""
    np.testing.assert_array_equal(stars["source_id"], ids)
    wanted = expected.reindex(ids)
    known = np.isin(ids, expected.index)
    not_found = (stars["archive_flags"] & ArchiveFlag.NOT_FOUND) != 0
    np.testing.assert_array_equal(not_found, ~known)
    compared = [name for name in stars.colnames if name in wanted]
    assert len(compared) > 70
    for name in compared:
        assert_same_values(stars[name], wanted[name], name)
    for band, zero_point_error in ZERO_POINT_ERRORS.items():
        noise = 2.5 / np.log(10) / wanted[f"phot_{band}_mean_flux_over_error"].astype(float)
        got = stars[f"phot_{band}_mean_mag_error"].to_value("mag")
        np.testing.assert_allclose(got, np.hypot(noise, zero_point_error), rtol=1e-6)


def assert_same_values(got, wanted, name):
    values = np.ma.getdata(getattr(got, "value", got))
    missing = np.ma.getmaskarray(got)
    if values.dtype.kind == "f":
        missing = missing | np.isnan(values)
    np.testing.assert_array_equal(missing, wanted.isna(), err_msg=name)
    np.testing.assert_array_equal(values[~missing], wanted.dropna(), err_msg=name)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("n_ids", [10, N_IDS])
def test_features(expected, ids, n_ids, asynchronous):
    stars = open_archive(asynchronous=asynchronous).fetch_features(ids[:n_ids])
    assert_same_stars(stars, expected, ids[:n_ids])


def test_planted_cases(expected, catalogue):
    """Every kind of trouble the catalogue knows."""
    planted = np.asarray(catalogue["gaiadr3.gaia_source"]["source_id"])[: len(SPECIAL)]
    assert_same_stars(open_archive().fetch_features(planted), expected, planted)


def test_chunks_and_single_surveys_give_the_same(ids):
    """DaCHS takes the query of all surveys; the one-query-a-survey way gives the same."""
    single = replace(SERVICES["local"], joins_all=False)
    whole = open_archive().fetch_features(ids[:300])
    parts = open_archive(service=single, chunk_size=77).fetch_features(ids[:300])
    assert whole.colnames == parts.colnames
    assert to_pandas(whole).equals(to_pandas(parts))


@pytest.mark.parametrize("n_ids", [10, N_IDS])
def test_spectra(catalogue, ids, n_ids):
    spectra = catalogue["gaiadr3.xp_continuous_mean_spectrum"]
    row_of = {source_id: row for row, source_id in enumerate(spectra["source_id"].tolist())}
    rows = np.array([row_of.get(one, -1) for one in ids[:n_ids].tolist()])
    got = open_archive().fetch_xp(ids[:n_ids])
    np.testing.assert_array_equal(got["source_id"], ids[:n_ids])
    for band in ("bp", "rp"):
        for name in (f"{band}_coefficients", f"{band}_coefficient_errors"):
            wanted = spectra[name].astype(float).filled(np.nan)[rows]
            wanted[rows < 0] = np.nan
            np.testing.assert_array_equal(got[name], wanted)
        name = f"{band}_n_relevant_bases"
        wanted = np.ma.array(spectra[name])[rows]
        wanted[rows < 0] = np.ma.masked
        np.testing.assert_array_equal(np.ma.getmaskarray(got[name]), wanted.mask)
        np.testing.assert_array_equal(np.ma.filled(got[name], 0), wanted.filled(0))


def test_cone(catalogue, expected):
    source = catalogue["gaiadr3.gaia_source"]
    sky = SkyCoord(source["ra"], source["dec"], unit="deg")
    distance = sky[0].separation(sky)
    nearest_first = np.argsort(distance)[: (distance < 3 * u.deg).sum()]
    inside = np.asarray(source["source_id"])[nearest_first]
    assert len(inside) > 1
    stars = open_archive().cone_search(sky[0], 3 * u.deg)
    assert_same_stars(stars, expected, inside)


def test_query_keeps_its_own_columns(expected):
    stars = open_archive().query(
        "SELECT TOP 50 source_id, 2 * parallax AS twice FROM gaiadr3.gaia_source "
        "WHERE phot_g_mean_mag < 12 ORDER BY phot_g_mean_mag"
    )
    brightest = expected.sort_values("phot_g_mean_mag")["phot_g_mean_mag"].to_numpy()[:50]
    np.testing.assert_array_equal(stars["phot_g_mean_mag"].value, brightest)
    np.testing.assert_array_equal(stars["twice"].value, 2 * stars["parallax"].value)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_refused_query_says_why(asynchronous):
    archive = open_archive(asynchronous=asynchronous)
    with pytest.raises(ArchiveError, match="nothing_of_the_kind"):
        archive.query("SELECT nothing_of_the_kind FROM gaiadr3.gaia_source")


@pytest.mark.parametrize("asynchronous", [False, True])
def test_query_is_not_cut_at_the_servers_default(asynchronous):
    """The server's default limit is 2000 rows, as ESA's is for synchronous queries."""
    archive = open_archive(asynchronous=asynchronous)
    stars = archive.query("SELECT TOP 2100 source_id FROM gaiadr3.gaia_source")
    assert len(stars) == 2100


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_cut_off_answer_is_noticed(mode):
    with (
        open_session(timeout=60, max_retries=0) as session,
        pytest.raises(Overflow, match="cut the answer off after"),
    ):
        run_query(
            session,
            SERVICES["local"].tap_url,
            "SELECT source_id FROM gaiadr3.gaia_source",
            max_rows=100,
            mode=mode,
        )


def test_upload_beyond_the_limit_is_refused():
    """DaCHS takes 0.5 MB with a synchronous query, 12 bytes an id; with a job, 20 MB."""
    greedy = replace(SERVICES["local"], ids_per_xp_query=60_000)
    archive = open_archive(service=greedy, asynchronous=False)
    with pytest.raises(ArchiveError, match="Would only accept 0 bytes"):
        archive.fetch_xp(np.arange(1, 60_000))
