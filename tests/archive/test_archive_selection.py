"""Stars chosen on the server: around a position, and by a query of one's own."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from standin import StandIn, faults

from msaestimator.exceptions import ArchiveError, ColumnError


@pytest.mark.parametrize("row", [0, 17, 1500])
@pytest.mark.parametrize("radius", [5 * u.deg, "300 arcmin"])
def test_a_cone_has_all_its_stars_the_nearest_first(make_archive, catalogue, row, radius):
    source = catalogue["gaiadr3.gaia_source"]
    center = SkyCoord(source["ra"][row], source["dec"][row], unit="deg").galactic
    separation = SkyCoord(source["ra"], source["dec"]).separation(center)
    inside = np.flatnonzero(separation < 5 * u.deg)
    nearest_first = inside[np.argsort(separation[inside])]
    stars = make_archive().cone_search(center, radius)
    assert stars["source_id"].tolist() == source["source_id"][nearest_first].tolist()
    assert stars["source_id"][0] == source["source_id"][row]
    assert len(stars) > 3


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (360.0, 0.0), (10.0, 90.0), (0.0, -90.0)])
def test_cones_reach_over_poles_and_the_meridian(make_archive, catalogue, ra, dec):
    center = SkyCoord(ra, dec, unit="deg")
    source = catalogue["gaiadr3.gaia_source"]
    separation = SkyCoord(source["ra"], source["dec"]).separation(center)
    expected = np.asarray(source["source_id"])[np.argsort(separation)[:5]]
    radius = np.sort(separation)[4] + 1e-6 * u.deg
    assert make_archive().cone_search(center, radius)["source_id"].tolist() == expected.tolist()


def test_an_empty_cone_is_an_empty_table(make_archive, fetched):
    stars = make_archive().cone_search(SkyCoord(1.0, 89.9, unit="deg"), 1e-9 * u.arcsec)
    assert len(stars) == 0
    assert set(stars.colnames) == set(fetched.colnames)


@pytest.mark.parametrize(
    "radius", [0 * u.deg, "-1 deg", 181 * u.deg, [1, 2] * u.deg, np.nan * u.deg]
)
def test_radii_that_are_none_are_refused(server, make_archive, radius):
    with pytest.raises(ColumnError, match=r"`radius` must be one angle in \(0, 180\] deg, got"):
        make_archive().cone_search(SkyCoord(1.0, 2.0, unit="deg"), radius)
    assert server.requests == []


@pytest.mark.parametrize("center", [SkyCoord([1, 2], [3, 4], unit="deg"), (1.0, 2.0), "M 31"])
def test_centers_that_are_none_are_refused(server, make_archive, center):
    with pytest.raises(ColumnError, match="`center` must be one SkyCoord, got"):
        make_archive().cone_search(center, 1 * u.deg)
    assert server.requests == []


BRIGHT = (
    "SELECT source_id, phot_g_mean_mag, bp_rp AS colour, random_name FROM "
    "(SELECT *, 'b' AS random_name FROM gaiadr3.gaia_source) AS g "
    "WHERE phot_g_mean_mag < 8 ORDER BY phot_g_mean_mag"
)


@pytest.mark.parametrize("asynchronous", [None, True, False])
def test_a_query_selects_and_keeps_its_own_columns(make_archive, catalogue, asynchronous):
    source = catalogue["gaiadr3.gaia_source"]
    order = np.ma.argsort(source["phot_g_mean_mag"], fill_value=99)
    order = order[np.ma.filled(source["phot_g_mean_mag"][order] < 8, False)]
    stars = make_archive(asynchronous=asynchronous).query(BRIGHT)
    assert stars["source_id"].tolist() == source["source_id"][order].tolist()
    np.testing.assert_array_equal(stars["colour"], source["bp_rp"][order])
    assert stars["phot_g_mean_mag"].unit == u.mag
    assert stars.colnames.count("phot_g_mean_mag") == 1
    assert stars.colnames[-2:] == ["colour", "random_name"]


def test_a_query_may_give_a_source_twice(make_archive, special):
    star = special["fan_out"]
    stars = make_archive().query(
        "SELECT source_id, original_ext_source_id FROM gaiadr3.tmass_psc_xsc_best_neighbour "
        f"WHERE source_id = {star}"
    )
    assert stars["source_id"].tolist() == [star, star]
    assert len(set(stars["original_ext_source_id"])) == 2
    assert stars["j_m"][0] == stars["j_m"][1]


def test_a_query_must_give_source_ids(server, make_archive):
    with pytest.raises(ColumnError, match="must have the column 'source_id', got ra, other"):
        make_archive().query("SELECT ra, source_id AS other FROM gaiadr3.gaia_source")
    assert {request.kind for request in server.requests} <= {"async", "job", "result", "delete"}


def test_an_answer_may_have_its_ids_in_capitals(server, make_archive, special):
    server.inject(faults.ColumnRenamed("source_id", "SOURCE_ID"), on="result", times=1)
    query = f"SELECT source_id FROM gaiadr3.gaia_source WHERE source_id = {special['no_xp']}"
    stars = make_archive(asynchronous=True).query(query)
    assert stars["source_id"].tolist() == [special["no_xp"]]
    assert "SOURCE_ID" not in stars.colnames


def test_a_query_that_fails_says_where_and_what(make_archive):
    query = "SELECT source_id FROM gaiadr3.gaia_sauce"
    with pytest.raises(ArchiveError, match="ESA Gaia archive, your query:.*gaia_sauce.*It was"):
        make_archive().query(query)


def test_an_answer_that_is_cut_off_is_an_error(database, make_archive, esa):
    with StandIn(database, row_limit=100) as server:
        archive = make_archive(replace(esa, tap_url=server.tap_url))
        with pytest.raises(ArchiveError, match="your query: .*after 100 rows"):
            archive.query("SELECT source_id FROM gaiadr3.gaia_source")


def test_a_large_query_is_asked_for_in_full(server, make_archive):
    assert len(make_archive().query("SELECT TOP 30 source_id FROM gaiadr3.gaia_source")) == 30
    assert int(server.requests[0].form["MAXREC"]) > 1_000_000
