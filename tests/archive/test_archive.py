"""Stars as the archive gives them, against the catalogue joined by pandas."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from catalogue import SPECIAL

from msaestimator.archive import SERVICES, ArchiveFlag
from msaestimator.schema import StarTable

UNKNOWN = 2**62 + 1
GAIA = [
    "ra",
    "dec",
    "l",
    "b",
    "ecl_lat",
    "parallax",
    "parallax_error",
    "pmra",
    "pmra_error",
    "pmdec",
    "pmdec_error",
    "ruwe",
    "astrometric_params_solved",
    "nu_eff_used_in_astrometry",
    "pseudocolour",
    "phot_g_mean_mag",
    "phot_bp_mean_mag",
    "phot_rp_mean_mag",
    "phot_g_mean_flux_over_error",
    "phot_bp_mean_flux_over_error",
    "phot_rp_mean_flux_over_error",
    "phot_bp_rp_excess_factor",
    "has_xp_continuous",
    "in_qso_candidates",
    "in_galaxy_candidates",
]


def pairs(same, **others):
    """Return what a survey's columns are called here, and there."""
    return {name: name for name in same.split()} | others


SURVEYS = {
    "tmass_psc_xsc": (
        "gaiadr1.tmass_original_valid",
        "designation",
        pairs(
            "j_m j_msigcom h_m h_msigcom ks_m ks_msigcom",
            tmass_ph_qual="ph_qual",
            tmass_ext_key="ext_key",
            tmass_distance="angular_distance",
        ),
    ),
    "panstarrs1": (
        "gaiadr2.panstarrs1_original_valid",
        "obj_id",
        pairs(
            " ".join(f"{band}_mean_psf_mag {band}_mean_psf_mag_error" for band in "grizy"),
            ps1_obj_info_flag="obj_info_flag",
            ps1_quality_flag="quality_flag",
            ps1_distance="angular_distance",
        ),
    ),
    "sdssdr13": (
        "external.sdssdr13_photoprimary",
        "objid",
        pairs(
            " ".join(f"psfmag_{band} psfmagerr_{band}" for band in "ugriz"),
            **{f"sdss_flags_{band}": f"flags_{band}" for band in "ugriz"},
            sdss_type="type",
            sdss_distance="angular_distance",
        ),
    ),
    "skymapperdr2": (
        "external.skymapperdr2_master",
        "object_id",
        pairs(
            " ".join(f"{band}_psf e_{band}_psf" for band in "uvgriz"),
            smss_flags="flags",
            smss_nimaflags="nimaflags",
            smss_class_star="class_star",
            smss_distance="angular_distance",
        ),
    ),
}


def frame(table):
    """Return a table as a DataFrame that keeps nulls and integers apart."""
    columns = {}
    for name in table.colnames:
        values = pd.Series(np.ma.getdata(table[name]).tolist(), dtype=object)
        columns[name] = values.mask(np.ma.getmaskarray(table[name]), None)
    return pd.DataFrame(columns)


@pytest.fixture(scope="session")
def joined(catalogue):
    """The catalogue, one row a source, under our names."""
    rows = frame(catalogue["gaiadr3.gaia_source"])[["source_id", *GAIA]]
    for survey, (table, key, names) in SURVEYS.items():
        matches = frame(catalogue[f"gaiadr3.{survey}_best_neighbour"])
        nearest = matches.sort_values("angular_distance").drop_duplicates("source_id")
        originals = nearest.merge(
            frame(catalogue[table]), left_on="original_ext_source_id", right_on=key
        )
        ours = pd.DataFrame({name: originals[theirs] for name, theirs in names.items()})
        ours.insert(0, "source_id", originals["source_id"])
        rows = rows.merge(ours, on="source_id", how="left")
    rows = rows.merge(frame(catalogue["external.xgboost_table1"]), on="source_id", how="left")
    dr4 = frame(catalogue["dr4.master"]).set_index("gaia_dr3_id1")
    rows = rows.set_index("source_id", drop=False)
    for name, theirs in SURVEYS["skymapperdr2"][2].items():
        theirs = "gaia_dr3_dist1" if name == "smss_distance" else theirs
        rows.loc[dr4.index, name] = dr4[theirs]
    return rows.reset_index(drop=True)


def plain(column):
    """Return a column as a list, None where masked or NaN."""
    values = np.ma.getdata(getattr(column, "value", column)).tolist()
    masked = np.ma.getmaskarray(column).tolist()
    return [
        None if m or value != value else value for value, m in zip(values, masked, strict=True)
    ]


def assert_same_stars(ours, theirs):
    assert set(ours.colnames) == set(theirs.colnames)
    for name in ours.colnames:
        values, others = ours[name], theirs[name]
        assert getattr(values, "unit", None) == getattr(others, "unit", None), name
        if np.ndim(values) == 2:
            np.testing.assert_array_equal(np.asarray(values), np.asarray(others))
        else:
            assert plain(values) == plain(others), name


def test_every_value_is_that_of_the_catalogue(fetched, joined):
    assert isinstance(fetched, StarTable)
    assert len(fetched) == 2001
    assert set(joined.columns) <= set(fetched.colnames)
    for name in joined.columns:
        expected = [None if pd.isna(value) else value for value in joined[name].tolist()]
        assert plain(fetched[name]) == expected, name


@pytest.mark.parametrize("name", ["coefficients", "coefficient_errors", "n_relevant_bases"])
@pytest.mark.parametrize("band", ["bp", "rp"])
def test_every_spectrum_is_that_of_the_catalogue(catalogue, fetched, band, name):
    spectra = catalogue["gaiadr3.xp_continuous_mean_spectrum"]
    row = {one: number for number, one in enumerate(spectra["source_id"].tolist())}
    has_one = np.array([one in row for one in fetched["source_id"].tolist()])
    values = np.ma.asarray(fetched[f"{band}_{name}"]).astype(float).filled(np.nan)
    assert np.isnan(values[~has_one]).all()
    order = [row[one] for one in fetched["source_id"][has_one].tolist()]
    theirs = np.ma.asarray(spectra[f"{band}_{name}"][order]).astype(float).filled(np.nan)
    np.testing.assert_array_equal(values[has_one], theirs)


def test_rows_are_in_the_order_asked(make_archive, fetched, source_ids):
    rows = np.array([5, 1999, 3, 5, 0, 700, 3])
    asked = [*source_ids[rows].tolist(), UNKNOWN, 2**53 + 1, UNKNOWN]
    stars = make_archive(quality_cuts="none").fetch_features(asked)
    assert stars["source_id"].tolist() == asked
    assert plain(stars["phot_g_mean_mag"]) == plain(fetched["phot_g_mean_mag"][rows]) + [None] * 3
    unknown = stars[-3:]
    assert (unknown["archive_flags"] == ArchiveFlag.NOT_FOUND).all()
    for name in set(stars.colnames) - {"source_id", "archive_flags"}:
        values = np.ma.asarray(getattr(unknown[name], "value", unknown[name]))
        assert np.ma.getmaskarray(values).all() or np.isnan(values).all(), name


def test_no_ids_give_no_rows_and_ask_nothing(server, make_archive, fetched):
    stars = make_archive().fetch_features([])
    assert len(stars) == 0
    assert set(stars.colnames) == set(fetched.colnames)
    assert len(make_archive().fetch_xp(np.array([], dtype=int))) == 0
    assert server.requests == []


EXPECTED_FLAGS = {
    "complete": 0,
    "no_xp": 0,
    "no_bp": 0,
    "no_rp": 0,
    "xp_flag_but_no_spectrum": ArchiveFlag.XP_NOT_DELIVERED,
    "two_parameter": ArchiveFlag.TWO_PARAMETER,
    "no_g_magnitude": 0,
    "no_survey_at_all": 0,
    "extended_2mass": ArchiveFlag.CUT_TMASS,
    "fan_out": 0,
    "qso_candidate": ArchiveFlag.EXTRAGALACTIC_CANDIDATE,
    "galaxy_candidate": ArchiveFlag.EXTRAGALACTIC_CANDIDATE,
    "saturated_sdss": ArchiveFlag.CUT_SDSS,
    "sentinel_sdss": ArchiveFlag.CUT_SDSS,
    "not_a_star_sdss": ArchiveFlag.CUT_SDSS,
    "extended_ps1": ArchiveFlag.CUT_PS1,
    "bad_skymapper_flags": ArchiveFlag.CUT_SKYMAPPER,
    "far_skymapper_match": ArchiveFlag.CUT_SKYMAPPER,
    "skymapper_dr2_only": ArchiveFlag.SKYMAPPER_DR2,
    "low_class_star": ArchiveFlag.CUT_SKYMAPPER,
}


@pytest.fixture
def cut(make_archive, source_ids):
    """The planted cases with both companions and the thesis's cuts."""
    archive = make_archive(companions=None)
    return archive.fetch_features(source_ids[: len(SPECIAL)])


def test_every_planted_case_has_its_flag(cut):
    flags = dict(zip(SPECIAL, map(ArchiveFlag, cut["archive_flags"]), strict=True))
    assert flags == EXPECTED_FLAGS


def test_cuts_blank_what_they_cut_and_nothing_else(cut, catalogue):
    blank = {name for name in SPECIAL if np.isnan(cut["j_m"].value[SPECIAL[name]])}
    assert blank == {"no_survey_at_all", "extended_2mass"}
    always = {"no_survey_at_all", "not_a_star_sdss"}
    for band, extra in (("u", {"sentinel_sdss"}), ("g", {"saturated_sdss"}), ("i", set())):
        blank = {n for n in SPECIAL if np.isnan(cut[f"psfmag_{band}"].value[SPECIAL[n]])}
        assert blank == always | extra
    # The nearer of two neighbours is the star.
    designations = catalogue["gaiadr1.tmass_original_valid"]
    far = designations[designations["designation"] == "99999999+9999999"]["j_m"][0]
    assert cut["j_m"].value[SPECIAL["fan_out"]] == pytest.approx(far - 3.0, abs=1e-4)


def test_catwise_comes_by_position_with_errors(cut, catalogue):
    catwise = catalogue["II/365/catwise"]
    place = SkyCoord(catwise["RA_ICRS"], catwise["DE_ICRS"])
    nearest, separation, _ = SkyCoord(cut["ra"], cut["dec"]).match_to_catalog_sky(place)
    seen = separation < 1 * u.arcsec
    assert seen.sum() == len(SPECIAL) - 1
    for ours, theirs in (("catwise_w1", "W1mproPM"), ("catwise_w2_error", "e_W2mproPM")):
        expected = np.where(
            seen, np.ma.filled(catwise[theirs].astype(float), np.nan)[nearest], np.nan
        )
        np.testing.assert_array_equal(cut[ours].value, expected)


def test_without_companions_rows_say_what_stands_in(make_archive, source_ids):
    archive = make_archive(quality_cuts="none")
    older = ArchiveFlag.SKYMAPPER_DR2 | ArchiveFlag.WISE_XGBOOST
    flags = archive.fetch_features(source_ids[: len(SPECIAL)])["archive_flags"] & older
    expected = [0 if name == "no_survey_at_all" else older for name in SPECIAL]
    assert flags.tolist() == expected


WAYS = {
    "as jobs": ({}, {"asynchronous": True}),
    "synchronously": ({}, {"asynchronous": False}),
    "one survey at a time": ({"joins_all": False}, {}),
    "ids listed": ({"uploads": False}, {}),
    "ids listed, by survey": ({"uploads": False, "joins_all": False}, {}),
    "spectra by TAP": ({"datalink_url": None}, {}),
    "quoted": ({"quoted_schemas": ("external",)}, {}),
    "chunks of 5": ({}, {"chunk_size": 5}),
    "chunks of 13": ({}, {"chunk_size": 13}),
    "chunks of 1000": ({}, {"chunk_size": 1000}),
    "the limits of the service": ({"ids_per_query": 15, "ids_per_xp_query": 6}, {}),
}


@pytest.mark.parametrize(("changes", "settings"), WAYS.values(), ids=WAYS)
def test_every_way_gives_the_same_stars(make_archive, esa, fetched, source_ids, changes, settings):
    rows = np.array([*range(26), 3, 0])
    asked = source_ids[rows]
    archive = make_archive(
        replace(esa, **changes), companions=["skymapper_dr4"], quality_cuts="none", **settings
    )
    assert_same_stars(archive.fetch_features(asked), fetched[rows])
    spectra = archive.fetch_xp(asked)
    assert_same_stars(spectra, fetched[rows][spectra.colnames])


def test_a_service_without_surveys_gives_gaia(server, make_archive, fetched, source_ids):
    ari = replace(SERVICES["ari"], tap_url=server.tap_url)
    stars = make_archive(ari, quality_cuts="none").fetch_features(source_ids[:90])
    for name in (*GAIA, "bp_n_relevant_bases", "phot_g_mean_mag_error"):
        assert plain(stars[name]) == plain(fetched[name][:90])
    assert np.isnan(stars["j_m"].value).all()
    assert {len(request.files) for request in server.requests} == {0}
    assert max(request.n_ids for request in server.requests) <= 40
