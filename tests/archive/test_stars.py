"""From archive rows to stars: magnitude errors by hand, one form for all services."""

import math
from dataclasses import replace

import astropy.units as u
import numpy as np
import pyarrow as pa
import pytest

from msaestimator.archive import SERVICES, ArchiveFlag
from msaestimator.archive._adql import surveys_of
from msaestimator.archive._companions import COMPANIONS
from msaestimator.archive._releases import RELEASES
from msaestimator.archive._rows import align, arrow_schema
from msaestimator.archive._stars import make_stars, merge_companions, spectra_table
from msaestimator.schema import GAIA_DR3, StarTable

DR3 = RELEASES["dr3"]
IDS = np.array([11, 2**53 + 1, 2**62 + 1])
# Riello et al. 2021, the errors of the Vega zero points in their table of the passbands.
ZERO_POINT_ERRORS = {"g": 0.0027553202, "bp": 0.0027901700, "rp": 0.0037793818}
VALUES = {"float": 1.5, "integer": 31, "boolean": True, "string": "AAA"}


def rows(columns, ids=IDS, found=(True, True, True), **values):
    """Return rows in which every value is known, but for the columns given."""
    schema = arrow_schema(columns)
    arrays = [pa.array(ids)]
    for column in columns:
        plain = [1.0] * column.size if column.kind == "array" else VALUES[column.kind]
        given = values.get(column.name, [plain] * len(ids))
        arrays.append(pa.array(given, schema.field(column.name).type))
    return pa.Table.from_arrays(arrays, schema=schema).append_column("found", pa.array(found))


def columns_at(service, release=DR3):
    surveys = surveys_of(release, service)
    return release.source + tuple(c for survey in surveys for c in survey.columns)


def stars_of(service=SERVICES["esa"], release=DR3, spectra=None, found=(True,) * 3, **values):
    features = rows(columns_at(service, release), found=found, **values)
    return make_stars(release, features, rows(release.xp) if spectra is None else spectra)


@pytest.mark.parametrize("band", ZERO_POINT_ERRORS)
def test_magnitude_errors_are_those_of_flux_and_zero_point(band):
    stars = stars_of(**{f"phot_{band}_mean_flux_over_error": [1000.0, 20.0, None]})
    error = stars[f"phot_{band}_mean_mag_error"]
    assert error.unit == u.mag
    by_hand = [
        math.sqrt((1.0857362047581296 / ratio) ** 2 + ZERO_POINT_ERRORS[band] ** 2)
        for ratio in (1000.0, 20.0)
    ]
    np.testing.assert_allclose(error.value, [*by_hand, np.nan], rtol=1e-12)


def test_no_flux_at_all_is_no_certainty():
    error = stars_of(phot_g_mean_flux_over_error=[0.0, 1e-9, np.inf])["phot_g_mean_mag_error"]
    np.testing.assert_allclose(
        error.value, [np.inf, 1.0857362e9, ZERO_POINT_ERRORS["g"]], rtol=1e-6
    )


def expected_columns(release):
    """Return the schema's columns but reddening, and their errors."""
    names = set()
    for member in release.schema.members:
        if member.block != "dust":
            names |= {member.name, member.error} - {None}
    return names


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_every_service_gives_one_form(service, release):
    stars = stars_of(service, release)
    assert isinstance(stars, StarTable)
    assert stars.colnames[0] == "source_id"
    assert stars.colnames[-1] == "archive_flags"
    assert expected_columns(release) <= set(stars.colnames)
    assert "ebv" not in stars.colnames
    assert "found" not in stars.colnames
    assert stars["source_id"].tolist() == IDS.tolist()
    for column in set(release.schema.members) - set(release.schema.arrays):
        if column.block != "dust":
            for name in filter(None, (column.name, column.error)):
                assert stars[name].unit == u.Unit(column.unit), name


def test_what_a_service_has_not_is_missing():
    stars = stars_of(SERVICES["ari"])
    for block in ("wise", "skymapper", "sdss", "ps1", "tmass"):
        for name in GAIA_DR3.block(block):
            assert np.isnan(stars[name].value).all()
            assert stars[name].unit == u.mag


def test_what_a_service_has_keeps_its_value_unit_and_kind():
    stars = stars_of(
        parallax=[1.0, None, -2.5],
        in_qso_candidates=[True, None, False],
        tmass_ph_qual=["AAA", None, "U"],
        sdss_flags_g=[2**60 + 1, None, 0],
    )
    np.testing.assert_array_equal(stars["parallax"].to_value("mas"), [1.0, np.nan, -2.5])
    assert stars["pmra_error"].unit == u.mas / u.yr
    assert stars["sdss_flags_g"].tolist() == [2**60 + 1, None, 0]
    assert stars["sdss_flags_g"].dtype == np.int64
    assert stars["in_qso_candidates"].tolist() == [True, None, False]
    assert stars["tmass_ph_qual"].tolist() == ["AAA", None, "U"]
    assert not np.ma.isMaskedArray(stars["has_xp_continuous"])


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_spectra_have_the_sizes_of_the_release(release):
    spectra = align(rows(release.xp), np.array([11, 12, 2**62 + 1]))
    for table in (spectra_table(release, spectra), stars_of(release=release, spectra=spectra)):
        for array in release.schema.arrays:
            for name in (array.name, array.error):
                values = np.asarray(table[name])
                assert values.shape == (3, array.size)
                np.testing.assert_array_equal(values[:, 0], [1.0, np.nan, 1.0])
        assert table["bp_n_relevant_bases"].tolist() == [31, None, 31]
    assert spectra_table(release, spectra)["source_id"].tolist() == [11, 12, 2**62 + 1]


def test_flags_say_what_is_not_there():
    spectra = align(rows(DR3.xp), IDS)
    spectra = spectra.set_column(
        spectra.schema.get_field_index("found"), "found", pa.array([False, False, True])
    )
    stars = stars_of(
        spectra=spectra,
        found=(False, True, True),
        has_xp_continuous=[None, True, True],
        astrometric_params_solved=[None, 31, 3],
    )
    assert [ArchiveFlag(flag) for flag in stars["archive_flags"]] == [
        ArchiveFlag.NOT_FOUND,
        ArchiveFlag.XP_NOT_DELIVERED,
        ArchiveFlag.TWO_PARAMETER,
    ]
    assert stars["archive_flags"].dtype == np.int32


def test_no_star_is_a_table_all_the_same():
    features = rows(columns_at(SERVICES["esa"]), IDS[:0], ()).cast(
        rows(columns_at(SERVICES["esa"])).schema
    )
    spectra = rows(DR3.xp, IDS[:0], ()).cast(rows(DR3.xp).schema)
    stars = make_stars(DR3, features, spectra)
    assert len(stars) == 0
    assert stars.colnames == stars_of().colnames
    merge_companions(stars, {})


DR4_ROWS = {"u_psf": [15.0, 15.5], "smss_flags": [1, 2], "smss_distance": [0.1, 0.2]}


def companion_rows(name, ids, **values):
    columns = COMPANIONS[name].columns
    return align(rows(columns, np.array(ids), (True,) * len(ids), **values), IDS)


def test_companions_stand_in_the_place_of_the_archive():
    stars = stars_of(u_psf=[18.0, 18.1, None], smss_flags=[7, None, None])
    merge_companions(
        stars, {"skymapper_dr4": companion_rows("skymapper_dr4", [11, 2**53 + 1], **DR4_ROWS)}
    )
    np.testing.assert_array_equal(stars["u_psf"].value, [15.0, 15.5, np.nan])
    assert stars["u_psf"].unit == u.mag
    assert stars["smss_flags"].tolist() == [1, 2, None]
    np.testing.assert_array_equal(stars["smss_distance"].to_value("arcsec"), [0.1, 0.2, 1.5])
    older = stars["archive_flags"] & ArchiveFlag.SKYMAPPER_DR2
    # The third star still has the v magnitude of DR2.
    assert (older != 0).tolist() == [False, False, True]


def test_a_companion_without_the_star_leaves_it_and_says_so():
    missing = dict.fromkeys(("catwise_w1", "catwise_w2"), [10.0, None, None])
    stars = stars_of(**missing)
    found = companion_rows("catwise2020", [2**53 + 1], catwise_w1_error=[0.02])
    merge_companions(stars, {"catwise2020": found})
    np.testing.assert_array_equal(stars["catwise_w1"].value, [10.0, 1.5, np.nan])
    np.testing.assert_array_equal(stars["catwise_w1_error"].value, [np.nan, 0.02, np.nan])
    older = stars["archive_flags"] & ArchiveFlag.WISE_XGBOOST
    assert (older != 0).tolist() == [True, False, False]


def test_companions_fill_what_a_service_has_not():
    stars = stars_of(SERVICES["ari"])
    assert "smss_class_star" not in stars.colnames
    merge_companions(stars, {"skymapper_dr4": companion_rows("skymapper_dr4", [11], u_psf=[15.0])})
    np.testing.assert_array_equal(stars["u_psf"].value, [15.0, np.nan, np.nan])
    np.testing.assert_array_equal(stars["smss_class_star"].value, [1.5, np.nan, np.nan])
    assert stars["smss_flags"].tolist() == [31, None, None]
    assert not (stars["archive_flags"] & ArchiveFlag.SKYMAPPER_DR2).any()


def test_only_magnitudes_from_the_archive_are_called_older():
    nothing = {
        name: [None] * 3 for name in (*GAIA_DR3.block("skymapper"), *GAIA_DR3.block("wise"))
    }
    nothing |= {GAIA_DR3[name].error: [None] * 3 for name in GAIA_DR3.block("skymapper")}
    stars = stars_of(**nothing)
    merge_companions(stars, {})
    assert not stars["archive_flags"].any()
    without = replace(SERVICES["esa"], surveys=("skymapper",))
    stars = stars_of(without)
    merge_companions(stars, {})
    assert (stars["archive_flags"] == ArchiveFlag.SKYMAPPER_DR2).all()
