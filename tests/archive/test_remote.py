"""The real services, for anyone with a network: ``pytest -m remote_data tests/archive``.

The star is the one whose real DataLink answer astroquery ships with its tests.
"""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from msaestimator.archive import ArchiveFlag, GaiaArchive, resolve_names
from msaestimator.schema import GAIA_DR3

pytestmark = pytest.mark.remote_data

STAR = 5937083312263887616
FIRST_BP_COEFFICIENT = 3325.74309396
UNKNOWN = 1


@pytest.fixture
def open_archive(tmp_path):
    """Return a function that opens an archive whose cache is empty."""
    return lambda service, **settings: GaiaArchive(service, cache=tmp_path, **settings)


@pytest.mark.parametrize("service", ["esa", "aip", "ari"])
def test_every_service_gives_the_same_star(open_archive, service):
    stars = open_archive(service, companions=()).fetch_features([UNKNOWN, STAR])
    assert stars["source_id"].tolist() == [UNKNOWN, STAR]
    assert ArchiveFlag.NOT_FOUND in ArchiveFlag(int(stars["archive_flags"][0]))
    assert ArchiveFlag.NOT_FOUND not in ArchiveFlag(int(stars["archive_flags"][1]))
    assert set(GAIA_DR3.block("gaia")) < set(stars.colnames)
    np.testing.assert_allclose(stars["bp_coefficients"][1, 0], FIRST_BP_COEFFICIENT, rtol=1e-9)
    assert np.isnan(stars["bp_coefficients"][0]).all()


def test_esa_runs_a_job(open_archive):
    stars = open_archive("esa", companions=(), asynchronous=True).fetch_features([STAR])
    assert np.isfinite(stars["phot_g_mean_mag"].value).all()


def test_esa_searches_a_cone_and_takes_a_query(open_archive):
    archive = open_archive("esa", companions=())
    star = archive.fetch_features([STAR])
    around = archive.cone_search(SkyCoord(star["ra"][0], star["dec"][0]), 5 * u.arcsec)
    assert around["source_id"][0] == STAR
    selected = archive.query(f"SELECT source_id FROM gaiadr3.gaia_source WHERE source_id = {STAR}")
    assert selected["source_id"].tolist() == [STAR]


def test_companions_answer(open_archive, recwarn):
    """Their answers may be empty, but a failure would be an ArchiveWarning."""
    open_archive("esa").fetch_features([STAR])
    assert [str(warning.message) for warning in recwarn] == []


def test_simbad_resolves_names():
    stars = resolve_names(["18 Sco", "alf Cen", "no such star"])
    assert stars["source_id"].tolist() == [4345775217221821312, None, None]
    assert stars["status"].tolist()[::2] == ["resolved", "unknown"]
