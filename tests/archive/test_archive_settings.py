"""Settings of the archive: names, tokens, the cache, releases, corrections."""

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from catalogue import SPECIAL
from comparing import assert_same
from standin import Database, StandIn, faults

from msaestimator.archive import ArchiveFlag
from msaestimator.archive._companions import COMPANIONS
from msaestimator.exceptions import ArchiveError, ArchiveWarning, ColumnError

TOKEN = "a-very-secret-token"


@pytest.fixture
def few(source_ids):
    """The planted cases."""
    return source_ids[: len(SPECIAL)]


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"service": "eas"}, "`service` must be one of esa, aip, ari, local, got 'eas'"),
        ({"release": "dr33"}, "`release` must be one of dr3, dr4, got 'dr33'. Did you mean 'dr3'"),
        ({"quality_cuts": "mckay2052"}, "`quality_cuts` must be.*Did you mean 'mckay2025'"),
        ({"quality_cuts": ["sdss_flag"]}, "`quality_cuts` must be.*Did you mean 'sdss_flags'"),
        ({"companions": ["catwise"]}, "`companions` must be.*Did you mean 'catwise2020'"),
        ({"parallax_correction": "leung"}, "`parallax_correction` must be.*'leung2023'"),
        ({"chunk_size": 0}, "`chunk_size` must be at least 1, got 0"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_sent(
    server, make_archive, few, setting, complaint
):
    for method, given in (
        ("fetch_features", few),
        ("fetch_xp", few),
        ("query", "SELECT source_id FROM gaiadr3.gaia_source"),
    ):
        with pytest.raises(ValueError, match=complaint):
            getattr(make_archive(**setting), method)(given)
    assert server.requests == []


def test_a_token_goes_to_the_service_only(database, make_archive, esa, few, server, tmp_path):
    with StandIn(database) as own:
        own.n_correlations = 3
        service = replace(esa, tap_url=own.tap_url, datalink_url=own.datalink_url)
        archive = make_archive(
            service, token=TOKEN, companions=None, cache=tmp_path, asynchronous=True
        )
        archive.fetch_features(few)
        archive.query("SELECT TOP 2 source_id FROM gaiadr3.gaia_source")
        assert {request.kind for request in own.requests} > {"async", "job", "datalink"}
        assert all(
            request.headers["authorization"] == f"Token {TOKEN}" for request in own.requests
        )
        own.inject(faults.Status(400), on="any", times=9)
        with pytest.raises(ArchiveError, match="your query") as error:
            archive.query("SELECT source_id FROM gaiadr3.gaia_source")
    assert {request.kind for request in server.requests} >= {"sync", "async"}
    assert all("authorization" not in request.headers for request in server.requests)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) >= 4
    assert not any(TOKEN.encode() in path.read_bytes() or TOKEN in str(path) for path in kept)
    assert TOKEN not in repr(archive) + str(error.value) + repr(error.value.__cause__)


def test_without_a_token_nobody_is_named(server, make_archive, few):
    make_archive().fetch_features(few)
    assert all("authorization" not in request.headers for request in server.requests)


def test_what_is_cached_needs_no_server(database, make_archive, esa, source_ids, tmp_path):
    asked = source_ids[:30]
    with StandIn(database) as server:
        server.n_correlations = 3
        service = replace(esa, tap_url=server.tap_url, datalink_url=server.datalink_url)
        archive = make_archive(
            service, cache=tmp_path, companions=["skymapper_dr4"], max_retries=0
        )
        first = archive.fetch_features(asked)
        # A spectrum that is announced and not delivered is asked for each time.
        asked = np.delete(asked, SPECIAL["xp_flag_but_no_spectrum"])
        n_requests = len(server.requests)
        archive.fetch_features(asked)
        assert len(server.requests) == n_requests
    offline = archive.fetch_features(asked[::-1])
    assert offline["source_id"].tolist() == asked[::-1].tolist()
    n = SPECIAL["xp_flag_but_no_spectrum"]
    np.testing.assert_array_equal(offline["j_m"].value[::-1], np.delete(first["j_m"].value, n))
    assert len(archive.fetch_xp(asked[5:9])) == 4
    with pytest.raises(ArchiveError, match="ESA Gaia archive"):
        archive.fetch_features(source_ids[:40])


def test_a_cache_in_the_home_folder(make_archive, few, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    make_archive(cache="~/answers").fetch_features(few[:2])
    assert list((tmp_path / "answers").rglob("*.parquet"))


def test_absence_is_remembered_too(server, make_archive, few, tmp_path):
    archive = make_archive(cache=tmp_path)
    unknown = [*few[:2].tolist(), 2**62 + 1]
    archive.fetch_features(unknown)
    n_requests = len(server.requests)
    flags = archive.fetch_features(unknown)["archive_flags"]
    assert ArchiveFlag(flags[2]) == ArchiveFlag.NOT_FOUND
    assert len(server.requests) == n_requests


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"surveys": ("tmass",)},
        {"columns": {"gaiadr3.gaia_source.ruwe": "bp_rp"}},
        {"quoted_schemas": ("external",)},
    ],
)
def test_another_service_or_content_is_cached_apart(
    server, make_archive, esa, few, tmp_path, changes
):
    make_archive(cache=tmp_path).fetch_features(few)
    n_requests = len(server.requests)
    other = make_archive(replace(esa, **changes), cache=tmp_path).fetch_features(few)
    assert len(server.requests) > n_requests
    if "columns" in changes:
        assert other["ruwe"][0] != make_archive(cache=tmp_path).fetch_features(few)["ruwe"][0]


def test_cuts_and_corrections_are_not_a_reason_to_ask_again(server, make_archive, few, tmp_path):
    settings = {"cache": tmp_path, "companions": ["skymapper_dr4"]}
    asked = np.delete(few, SPECIAL["xp_flag_but_no_spectrum"])
    raw = make_archive(quality_cuts="none", **settings).fetch_features(asked)
    n_requests = len(server.requests)
    cut = make_archive(**settings).fetch_features(asked)
    some = make_archive(quality_cuts=["tmass_extended"], **settings).fetch_features(asked)
    corrected = make_archive(parallax_correction="lindegren2021", **settings).fetch_features(asked)
    assert len(server.requests) == n_requests
    n_missing = [np.isnan(table["j_m"].value).sum() for table in (raw, cut, some)]
    assert n_missing == [1, 2, 2]
    assert np.isnan(cut["psfmag_g"].value).sum() > np.isnan(some["psfmag_g"].value).sum()
    zero_point = corrected["parallax_zero_point"]
    known = np.isfinite(zero_point)
    assert known.sum() > 10
    np.testing.assert_allclose(
        (corrected["parallax"] + zero_point)[known].value, raw["parallax"][known].value
    )
    assert "parallax_zero_point" not in cut.colnames


def test_the_cache_is_astropys_unless_told(make_archive, few, tmp_path, monkeypatch):
    default, named = tmp_path / "msaestimator" / "archive", tmp_path / "named"
    default.parent.mkdir()  # astropy 7 uses the folder only if it is there
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    make_archive(cache=False).fetch_features(few)
    assert list(tmp_path.rglob("*.parquet")) == []
    for folder, cache in ((default, True), (named, str(named))):
        make_archive(cache=cache).fetch_features(few)
        assert [path.name for path in folder.iterdir()] == ["esa"]
        assert len(list(folder.rglob("*.parquet"))) == 2


@pytest.fixture(scope="module")
def next_release(catalogue):
    """A few stars as the next release may have them, with 51 coefficients in BP."""
    tables = {}
    for name, table in catalogue.items():
        if name.startswith("gaiadr3."):
            name, table = name.replace("gaiadr3", "gaiadr4"), table[:30].copy()
        if name.endswith("xp_continuous_mean_spectrum"):
            for column in ("bp_coefficients", "bp_coefficient_errors"):
                table[column] = table[column][:, :51]
        tables[name] = table
    database = Database(tables)
    yield database
    database.close()


def test_the_next_release_warns_and_has_its_own_shape(next_release, make_archive, esa, few):
    with StandIn(next_release) as server:
        service = replace(esa, tap_url=server.tap_url, datalink_url=None)
        archive = make_archive(service, release="dr4", companions=["skymapper_dr4"])
        assert repr(archive) == "GaiaArchive('esa', release='dr4')"
        with pytest.warns(ArchiveWarning, match="Gaia DR4 is not verified"):
            stars = archive.fetch_features(few)
        # SkyMapper knows the sources of DR3 only.
        assert not any("dr4.master" in r.form.get("QUERY", "") for r in server.requests)
    assert stars.meta["gaia_release"] == "Gaia DR4"
    assert np.asarray(stars["bp_coefficients"]).shape == (len(few), 51)
    assert np.isfinite(np.asarray(stars["rp_coefficients"][0])).all()


def test_the_releases_are_cached_apart(next_release, make_archive, esa, few, tmp_path):
    make_archive(replace(esa, datalink_url=None), cache=tmp_path).fetch_features(few)
    with StandIn(next_release) as server:
        service = replace(esa, tap_url=server.tap_url, datalink_url=None)
        with pytest.warns(ArchiveWarning, match="not verified"):
            make_archive(service, release="dr4", cache=tmp_path).fetch_features(few)
        assert len(server.requests) > 0
    assert {path.name for path in (tmp_path / "esa").iterdir()} == {"dr3", "dr4"}


def test_a_companion_that_fails_is_stood_in_for(database, make_archive, few, monkeypatch):
    with StandIn(database) as gone:
        gone.inject(faults.Status(400), on="any", times=99)
        companion = replace(COMPANIONS["skymapper_dr4"], tap_url=gone.tap_url)
        monkeypatch.setitem(COMPANIONS, "skymapper_dr4", companion)
        archive = make_archive(companions=["skymapper_dr4"], max_retries=0)
        with pytest.warns(ArchiveWarning, match="SkyMapper DR4.*skymapper magnitudes stand in"):
            stars = archive.fetch_features(few)
    assert np.isfinite(stars["u_psf"].value[0])
    assert stars["archive_flags"][0] & ArchiveFlag.SKYMAPPER_DR2


def test_a_table_says_where_it_is_from(make_archive, few):
    stars = make_archive().fetch_features(few)
    assert stars.meta["gaia_release"] == "Gaia DR3"
    assert stars.meta["gaia_service"] == "ESA Gaia archive"
    today = datetime.now(UTC).date()
    # Midnight may pass meanwhile.
    assert stars.meta["gaia_date"] in {str(today), str(today - timedelta(days=1))}


def test_what_was_kept_came_when_it_was_kept(make_archive, source_ids, tmp_path):
    archive = make_archive(cache=tmp_path)
    archive.fetch_features(source_ids[:3])
    for path in tmp_path.rglob("*.parquet"):
        os.utime(path, (datetime(2026, 6, 26, 12, tzinfo=UTC).timestamp(),) * 2)
    assert archive.fetch_features(source_ids[:3]).meta["gaia_date"] == "2026-06-26"
    both = archive.fetch_features(source_ids[:6]).meta["gaia_date"]
    assert both.startswith("2026-06-26 to 20")


def test_what_nobody_was_asked_for_has_no_day(make_archive):
    assert "gaia_date" not in make_archive().fetch_features([]).meta


@pytest.mark.parametrize("wrong", [[1, 2.0], ["x"], [True], [0], [None], np.array([1.5])])
@pytest.mark.parametrize("method", ["fetch_features", "fetch_xp"])
def test_nothing_is_sent_of_wrong_ids(server, make_archive, tmp_path, method, wrong):
    archive = make_archive(cache=tmp_path)
    with pytest.raises(ColumnError, match="`source_ids` must"):
        getattr(archive, method)(wrong)
    assert server.requests == []
    assert list(tmp_path.iterdir()) == []


def test_ids_in_any_form_are_the_same_stars(make_archive, few):
    archive = make_archive()
    texts = [f"Gaia DR3 {one}" for one in few]
    table = Table({"name": texts, "source_id": few})
    expected = archive.fetch_xp(few)
    for given in (few.reshape(-1, 1), texts, few.astype("U19"), table, table.to_pandas()):
        assert_same(archive.fetch_xp(given), expected)
    assert archive.fetch_xp(texts[0])["source_id"].tolist() == [few[0]]


@pytest.fixture
def fetched_once(server, make_archive, source_ids, tmp_path):
    """An archive offline, with a cache of 30 stars and one that nobody has."""
    asked = [*source_ids[:30].tolist(), 4242]
    archive = make_archive(cache=tmp_path, companions=["skymapper_dr4"])
    archive.fetch_features(asked)
    server.requests.clear()
    offline = make_archive(cache=tmp_path, companions=["skymapper_dr4"], offline=True)
    return asked, archive, offline


def test_offline_the_cache_is_enough(server, fetched_once):
    """An id without a row and a spectrum that was not delivered are known too."""
    asked, archive, offline = fetched_once
    table = offline.fetch_features(asked[::-1])
    # The spectrum of a star without one was never asked for.
    with_xp = [one for row, one in enumerate(asked[:30]) if row != SPECIAL["no_xp"]]
    spectra = offline.fetch_xp(with_xp)
    assert server.requests == []
    flags = table["archive_flags"][::-1]
    assert ArchiveFlag.NOT_FOUND in ArchiveFlag(flags[30])
    undelivered = SPECIAL["xp_flag_but_no_spectrum"]
    assert ArchiveFlag.XP_NOT_DELIVERED in ArchiveFlag(flags[undelivered])
    missing = np.isnan(spectra["bp_coefficients"]).all(axis=1)
    assert asked[undelivered] in spectra["source_id"][missing]
    online = archive.fetch_features(asked[::-1])
    assert {one for request in server.requests for one in request.ids} == {asked[undelivered]}
    assert_same(table, online)


@pytest.mark.parametrize("method", ["fetch_features", "fetch_xp"])
def test_offline_what_the_cache_lacks_is_counted_and_shown(
    server, fetched_once, source_ids, tmp_path, method
):
    *_, offline = fetched_once
    product = {"fetch_features": "features", "fetch_xp": "XP spectra"}[method]
    lacking = sorted(source_ids[30:40].tolist())
    message = (
        f"ESA Gaia archive, {product}: 10 of 15 ids are not in the cache '{tmp_path}', such as "
        f"{', '.join(map(str, lacking[:3]))}, and offline=True asks no service. Fetch them once "
        "with offline=False, or leave them out."
    )
    with pytest.raises(ArchiveError, match=re.escape(message)):
        getattr(offline, method)(source_ids[25:40][::-1])
    assert server.requests == []


def test_offline_a_companion_that_is_not_in_the_cache_is_a_warning(
    server, fetched_once, make_archive, tmp_path
):
    asked, *_ = fetched_once
    offline = make_archive(cache=tmp_path, companions=["catwise2020"], offline=True)
    with pytest.warns(ArchiveWarning, match=r"CatWISE.* 30 of 30 ids are not.*stand in"):
        offline.fetch_features(asked)
    assert server.requests == []


def test_offline_nothing_can_be_selected(server, fetched_once):
    *_, offline = fetched_once
    with pytest.raises(ArchiveError, match="your query: the cache does not keep which ids"):
        offline.query("SELECT source_id FROM gaiadr3.gaia_source")
    with pytest.raises(ArchiveError, match="Pass the ids themselves to fetch_features"):
        offline.cone_search(SkyCoord(10, 10, unit="deg"), "1 deg")
    assert server.requests == []


def test_offline_without_a_cache_is_refused(server, make_archive, few):
    with pytest.raises(ValueError, match="`offline` needs a `cache`, got offline=True"):
        make_archive(offline=True, cache=False).fetch_features(few)


def test_a_spectrum_that_came_late_is_used_offline(server, make_archive, few, tmp_path):
    server.inject(faults.FewerRows(2), on="datalink", times=9)
    make_archive(cache=tmp_path).fetch_xp(few)
    server.recover()
    late = make_archive(cache=tmp_path).fetch_xp(few)
    server.requests.clear()
    assert_same(make_archive(cache=tmp_path, offline=True).fetch_xp(few), late)
    assert server.requests == []
