import io
import threading
import zipfile

import numpy as np
import pytest
import requests
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse
from astropy.table import Table
from catalogue import SPECIAL
from pyvo.dal import DALOverflowWarning, DALQueryError, DALServiceError, TAPService
from standin import StandIn, faults

ALL_FEATURES = """SELECT u.source_id, g.ra, g.parallax, g.astrometric_params_solved,
  g.has_xp_continuous, tm.j_m, tm.ph_qual AS tmass_ph_qual, aw.w1mpro, ps.g_mean_psf_mag,
  ps.obj_info_flag AS ps1_obj_info_flag, sd.psfmag_u, sd.flags_g, sm.u_psf,
  sm.flags AS smss_flags, smx.angular_distance AS smss_distance, xg.catwise_w1
FROM TAP_UPLOAD.ids AS u
JOIN gaiadr3.gaia_source AS g ON g.source_id = u.source_id
LEFT OUTER JOIN gaiadr3.tmass_psc_xsc_best_neighbour AS tmx ON tmx.source_id = g.source_id
LEFT OUTER JOIN gaiadr1.tmass_original_valid AS tm
  ON tm.designation = tmx.original_ext_source_id
LEFT OUTER JOIN gaiadr3.allwise_best_neighbour AS awx ON awx.source_id = g.source_id
LEFT OUTER JOIN gaiadr1.allwise_original_valid AS aw
  ON aw.designation = awx.original_ext_source_id
LEFT OUTER JOIN gaiadr3.panstarrs1_best_neighbour AS psx ON psx.source_id = g.source_id
LEFT OUTER JOIN gaiadr2.panstarrs1_original_valid AS ps
  ON ps.obj_id = psx.original_ext_source_id
LEFT OUTER JOIN gaiadr3.sdssdr13_best_neighbour AS sdx ON sdx.source_id = g.source_id
LEFT OUTER JOIN "external".sdssdr13_photoprimary AS sd
  ON sd.objid = sdx.original_ext_source_id
LEFT OUTER JOIN gaiadr3.skymapperdr2_best_neighbour AS smx ON smx.source_id = g.source_id
LEFT OUTER JOIN "external".skymapperdr2_master AS sm
  ON sm.object_id = smx.original_ext_source_id
LEFT OUTER JOIN "external".xgboost_table1 AS xg ON xg.source_id = g.source_id"""
MAGNITUDES = "SELECT source_id, phot_g_mean_mag FROM gaiadr3.gaia_source"
SPECTRA = "gaiadr3.xp_continuous_mean_spectrum"


@pytest.fixture
def session():
    """A session that closes what pyvo leaves half read."""
    responses = []
    with requests.Session() as session:
        session.hooks["response"].append(lambda response, **_: responses.append(response))
        yield session
        for response in responses:
            response.close()


@pytest.fixture
def tap(server, session):
    return TAPService(server.tap_url, session=session)


@pytest.fixture
def source(catalogue):
    return catalogue["gaiadr3.gaia_source"]


@pytest.fixture
def spectra(server, session):
    """Return a function that asks DataLink and gives the HTTP answer."""

    def ask(ids, **changes):
        form = {"ID": ",".join(map(str, ids)), "RETRIEVAL_TYPE": "XP_CONTINUOUS"}
        form |= {"DATA_STRUCTURE": "RAW", "FORMAT": "votable", "USE_ZIP_ALWAYS": "true"}
        return session.post(server.datalink_url, data=form | changes)

    return ask


def members(response):
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return {name: io.BytesIO(archive.read(name)) for name in archive.namelist()}


def upload(ids):
    return {"ids": Table({"source_id": np.asarray(ids, dtype=np.int64)})}


def rows(results):
    return np.asarray(results["source_id"]).tolist()


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("n_ids", [10, 5000])
def test_all_features_are_those_of_the_catalogue(tap, server, catalogue, source, mode, n_ids):
    known = np.asarray(source["source_id"])
    ids = np.concatenate([known, np.arange(5000 - len(known))])[:n_ids]
    run = tap.run_sync if mode == "sync" else tap.run_async
    table = run(ALL_FEATURES, uploads=upload(ids)).to_table()
    twice = known[SPECIAL["fan_out"]]
    assert sorted(table["source_id"]) == sorted([*np.intersect1d(ids, known), twice])
    assert server.requests[0].ids == ids.tolist()
    assert not server.jobs
    where = {star: row for row, star in enumerate(table["source_id"].tolist())}
    survey = catalogue["external.xgboost_table1"]
    for star, magnitude in zip(survey["source_id"].tolist(), survey["catwise_w1"], strict=True):
        assert star not in where or table["catwise_w1"][where[star]] == magnitude
    lonely = table[where[known[SPECIAL["no_survey_at_all"]]]]
    for name in ("j_m", "tmass_ph_qual", "w1mpro", "g_mean_psf_mag", "flags_g", "smss_flags"):
        assert np.ma.is_masked(lonely[name]) or lonely[name] == ""


def test_types_units_and_nulls_survive(tap, source):
    table = tap.run_sync(ALL_FEATURES, uploads=upload(source["source_id"])).to_table()
    dtypes = {name: table[name].dtype for name in table.colnames}
    assert dtypes["source_id"] == dtypes["flags_g"] == np.int64
    assert dtypes["has_xp_continuous"].kind == "b"
    assert dtypes["astrometric_params_solved"] == np.int16
    assert dtypes["ra"] == np.float64
    assert dtypes["psfmag_u"] == np.float32
    assert dtypes["tmass_ph_qual"].kind == "U"
    assert (table["parallax"].unit, table["smss_distance"].unit) == ("mas", "arcsec")
    known = {star: row for row, star in enumerate(source["source_id"].tolist())}
    order = [known[star] for star in table["source_id"].tolist()]
    np.testing.assert_array_equal(table["parallax"].mask, source["parallax"].mask[order])
    np.testing.assert_array_equal(table["parallax"].data, source["parallax"].data[order])
    np.testing.assert_array_equal(table["has_xp_continuous"], source["has_xp_continuous"][order])


def test_arrays_come_whole_and_nulls_as_nulls(tap, catalogue):
    table = tap.run_sync(f"SELECT * FROM {SPECTRA}").to_table()
    ours = catalogue[SPECTRA]
    for name in ("bp_coefficients", "rp_coefficient_errors", "bp_n_relevant_bases"):
        assert table[name].dtype == ours[name].dtype
        np.testing.assert_array_equal(table[name].mask, ours[name].mask)
        np.testing.assert_array_equal(table[name].compressed(), ours[name].compressed())


def test_answers_are_valid_votables(server, session):
    for query in (MAGNITUDES, f"SELECT TOP 3 * FROM {SPECTRA}", "SELECT nothing"):
        response = session.post(f"{server.tap_url}/sync", data={"QUERY": query})
        parse(io.BytesIO(response.content), verify="exception")


@pytest.mark.parametrize("radius", [0.5, 5.0, 170.0])
@pytest.mark.parametrize("centre", [(0.0, 89.0), (359.9, -30.0), (180.0, 5.0)])
def test_geometry_is_astropys(tap, source, centre, radius):
    position = SkyCoord(*centre, unit="deg")
    distance = position.separation(SkyCoord(source["ra"], source["dec"])).deg
    ra, dec = centre
    cone = f"1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {ra}, {dec}, {radius}))"
    select = f"SELECT source_id, DISTANCE(POINT(ra, dec), POINT({ra}, {dec})) AS distance"
    results = tap.run_sync(f"{select} FROM gaiadr3.gaia_source WHERE {cone}")
    inside = distance <= radius
    assert rows(results) == source["source_id"][inside].tolist()
    np.testing.assert_allclose(results["distance"], distance[inside], atol=1e-9)


def test_names_with_slashes_reserved_schemas_top_and_lists(tap, server, catalogue):
    count = tap.run_sync('SELECT COUNT(*) AS n FROM "II/365/catwise"')
    assert count["n"].tolist() == [len(catalogue["II/365/catwise"])]
    assert len(tap.run_sync("SELECT TOP 7 * FROM external.xgboost_table1")) == 7
    ids = catalogue["dr4.master"]["gaia_dr3_id1"][:3].tolist()
    listed = ", ".join(map(str, ids))
    query = f"SELECT gaia_dr3_id1 AS source_id FROM dr4.master WHERE gaia_dr3_id1 IN ({listed})"
    assert sorted(rows(tap.run_sync(query))) == sorted(ids)
    assert server.requests[-1].ids == ids


def test_overflow_is_told(tap, database, session):
    assert len(tap.run_sync(MAGNITUDES, maxrec=5)) == 5
    with StandIn(database, row_limit=8) as small:
        limited = TAPService(small.tap_url, session=session)
        with pytest.warns(DALOverflowWarning, match="truncated"):
            assert len(limited.run_sync(MAGNITUDES)) == 8
        with pytest.warns(DALOverflowWarning, match="truncated"):
            assert len(limited.run_async(MAGNITUDES)) == 8
        assert len(limited.run_sync("SELECT TOP 8 ra FROM gaiadr3.gaia_source")) == 8


def test_errors_are_error_documents(tap, database, session):
    for run in (tap.run_sync, tap.run_async):
        with pytest.raises(DALQueryError, match="no such column"):
            run("SELECT colour FROM gaiadr3.gaia_source")
    with pytest.raises(DALQueryError, match="syntax error"):
        tap.run_sync("DELETE FROM gaiadr3.gaia_source")
    with StandIn(database, upload_limit=1000) as small:
        limited = TAPService(small.tap_url, session=session)
        with pytest.raises(DALQueryError, match="larger than 1000 bytes"):
            limited.run_sync(ALL_FEATURES, uploads=upload(range(1000)))


def test_jobs_live_until_they_are_deleted(tap, server):
    job = tap.submit_job(MAGNITUDES)
    assert (job.phase, list(server.jobs)) == ("PENDING", [job.job_id])
    job.run().wait()
    assert job.phase == "COMPLETED"
    assert len(job.fetch_result()) == len(job.fetch_result())
    job.delete()
    assert not server.jobs
    assert [r.kind for r in server.requests][0] == "async"
    assert [r.kind for r in server.requests][-1] == "delete"


def test_a_job_that_never_ends_can_be_aborted(tap, server):
    server.inject(faults.JobNeverEnds(), on="job")
    job = tap.submit_job(MAGNITUDES).run()
    assert job.phase == "EXECUTING"
    job.abort()
    assert job.phase == "ABORTED"


def test_a_job_can_fail(tap, server):
    server.inject(faults.JobError("out of disk"), on="job")
    with pytest.raises(DALQueryError, match="out of disk"):
        tap.run_async(MAGNITUDES)
    assert not server.jobs


@pytest.mark.parametrize("structure", ["RAW", "DATAMODEL_GAIA", "INDIVIDUAL"])
@pytest.mark.parametrize("form", ["votable", "fits", "csv", "ecsv"])
def test_spectra_are_those_of_the_catalogue(spectra, server, catalogue, source, structure, form):
    server.n_correlations = 10
    ids = source["source_id"][: len(SPECIAL)].tolist()
    ours = catalogue[SPECTRA]
    files = members(spectra(ids, DATA_STRUCTURE=structure, FORMAT=form))
    served = {}
    reader = {"csv": "ascii.csv", "ecsv": "ascii.ecsv"}.get(form, form)
    for name, content in files.items():
        table = Table.read(content, format=reader)
        assert len(table.colnames) == 26
        served |= {row["source_id"]: row for row in table}
        if structure == "INDIVIDUAL":
            assert name.startswith(f"XP_CONTINUOUS-Gaia DR3 {table['source_id'][0]}.")
    assert len(files) == (len(served) if structure == "INDIVIDUAL" else 1)
    expected = ours[np.isin(ours["source_id"], ids)]
    assert sorted(served) == sorted(expected["source_id"])
    for row in expected:
        for name in ("bp_coefficients", "rp_coefficients"):
            values = np.ma.compressed(row[name])
            np.testing.assert_array_equal(read(served[row["source_id"]][name]), values)


def read(cell):
    """Return an array however it was written; absent is empty."""
    if isinstance(cell, str):
        return np.array([float(one) for one in cell.strip("()").split(",")])
    return np.zeros(0) if np.ma.is_masked(cell) and np.ndim(cell) == 0 else np.ma.getdata(cell)


def test_spectra_have_all_their_correlations(spectra, source):
    ((name, content),) = members(spectra([f"Gaia DR3 {source['source_id'][0]}"])).items()
    table = Table.read(content, format="votable")
    assert name == "XP_CONTINUOUS_RAW.xml"
    assert table["rp_coefficient_correlations"][0].shape == (1485,)


def test_what_datalink_refuses(spectra, server):
    server.datamodel_gaia_status = 400
    assert spectra([1], DATA_STRUCTURE="DATAMODEL_GAIA").status_code == 400
    assert spectra([1]).status_code == 200
    assert spectra(range(5001)).status_code == 500
    assert spectra([1], RETRIEVAL_TYPE="RVS").status_code == 400


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.EmptyResult(), lambda ids: []),
        (faults.FewerRows(3), lambda ids: ids[:-3]),
        (faults.Duplicated(), lambda ids: [one for one in ids for _ in "12"]),
        (faults.ForeignIds(2), lambda ids: [*ids, 1, 2]),
    ],
)
@pytest.mark.parametrize("on", ["sync", "result"])
def test_faults_of_rows(tap, server, source, fault, expected, on):
    server.inject(fault, on=on)
    run = tap.run_sync if on == "sync" else tap.run_async
    ids = source["source_id"].tolist()
    assert rows(run(MAGNITUDES)) == expected(ids)
    assert rows(run(MAGNITUDES)) == ids


def test_faults_of_tables(tap, server, source):
    server.inject(faults.Shuffled())
    server.inject(faults.NullIds(4))
    server.inject(faults.ColumnMissing("phot_g_mean_mag"))
    server.inject(faults.ColumnRenamed("phot_g_mean_mag", "gmag"))
    server.inject(faults.Overflow())
    ids = source["source_id"].tolist()
    shuffled = rows(tap.run_sync(MAGNITUDES))
    assert shuffled != ids
    assert sorted(shuffled) == sorted(ids)
    assert tap.run_sync(MAGNITUDES).to_table()["source_id"].mask.nonzero()[0].tolist() == [
        0,
        1,
        2,
        3,
    ]
    assert tap.run_sync(MAGNITUDES).fieldnames == ("source_id",)
    assert tap.run_sync(MAGNITUDES).fieldnames == ("source_id", "gmag")
    with pytest.warns(DALOverflowWarning, match="truncated"):
        assert rows(tap.run_sync(MAGNITUDES)) == ids[: len(ids) // 2]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.Refuse(), requests.ConnectionError),
        (faults.Hang(5.0), requests.ReadTimeout),
        (faults.DieMidBody(), requests.exceptions.ChunkedEncodingError),
    ],
)
@pytest.mark.parametrize("place", ["sync", "datalink"])
def test_faults_of_connections(server, session, fault, error, place, source):
    server.inject(fault, on=place)
    url = f"{server.tap_url}/sync" if place == "sync" else server.datalink_url
    form = {"QUERY": MAGNITUDES, "ID": source["source_id"][0], "RETRIEVAL_TYPE": "XP_CONTINUOUS"}
    with pytest.raises(error):
        session.post(url, data=form, timeout=0.2)
    assert session.post(url, data=form, timeout=5.0).ok


def test_faults_of_http(server, session):
    server.inject(faults.Status(503, retry_after=7), on="any")
    server.inject(faults.HtmlPage(), on="any")
    server.inject(faults.Truncated(), times=2, after=1)
    answers = [
        session.post(f"{server.tap_url}/sync", data={"QUERY": MAGNITUDES}) for _ in range(6)
    ]
    assert (answers[0].status_code, answers[0].headers["Retry-After"]) == (503, "7")
    assert answers[1].text.startswith("<!DOCTYPE html>")
    whole = len(answers[2].content)
    assert [len(answer.content) for answer in answers[3:]] == [whole // 2, whole // 2, whole]
    assert len(server.requests) == 6


def test_a_failed_submission_leaves_no_job(tap, server):
    server.inject(faults.Status(500), on="async")
    with pytest.raises(DALServiceError, match="Pool empty"):
        tap.run_async(MAGNITUDES)
    assert not server.jobs


def test_capabilities_availability_and_the_list_of_jobs(server, session, tap):
    assert tap.hardlimit == server.row_limit
    assert "true" in session.get(f"{server.tap_url}/availability").text
    job = tap.submit_job(MAGNITUDES)
    assert job.job_id in session.get(f"{server.tap_url}/async").text
    assert session.get(f"{server.tap_url}/nothing").status_code == 404


def test_closing_leaves_no_thread(database, session):
    before = threading.active_count()
    with StandIn(database) as server:
        server.inject(faults.JobNeverEnds(), on="job")
        TAPService(server.tap_url, session=session).submit_job(MAGNITUDES).run()
        session.post(f"{server.tap_url}/sync", data={"QUERY": MAGNITUDES})
    assert threading.active_count() == before
