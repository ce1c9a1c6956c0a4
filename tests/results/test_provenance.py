"""Where answers are from stands in their table, and in the files it is written to."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

import msaestimator
from msaestimator.results import provenance
from msaestimator.schema import StarTable

ARCHIVE = {"gaia_release": "Gaia DR3", "gaia_service": "ESA", "gaia_date": "2026-11-28"}
EVERYTHING = {
    "model": "apogee-xp",
    "model_id": "0f3a",
    "version": f"msaestimator {msaestimator.__version__}",
    "scale": "APOGEE DR17",
    "release": "Gaia DR3",
    "service": "ESA",
    "received": "2026-11-28",
}


def test_what_is_known_is_told():
    assert provenance("mine", "0f3a").keys() == {"model", "model_id", "version"}
    stars = StarTable(meta=ARCHIVE | {"flags": ["other things"]})
    assert provenance("apogee-xp", "0f3a", "APOGEE DR17", stars) == EVERYTHING


def test_stars_that_were_in_a_file_meanwhile():
    stars = StarTable(meta={name.upper(): value for name, value in ARCHIVE.items()})
    assert provenance("apogee-xp", "0f3a", "APOGEE DR17", stars) == EVERYTHING


@pytest.mark.parametrize("stars", [None, np.zeros((2, 3)), "text", [1]])
def test_stars_without_notes(stars):
    assert "release" not in provenance("mine", "0f3a", stars=stars)


@pytest.mark.parametrize("ending", ["fits", "ecsv", "parquet"])
def test_files_keep_it_without_a_word(tmp_path, ending):
    table = QTable({"teff": [5772.0] * u.K}, meta=EVERYTHING)
    path = tmp_path / f"table.{ending}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table.write(path)
        meta = QTable.read(path).meta
    assert {name.lower(): value for name, value in meta.items()} == EVERYTHING
