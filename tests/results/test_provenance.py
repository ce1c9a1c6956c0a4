"""Where answers are from stands in their table, and in the files it is written to."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

import msaestimator
from msaestimator.results import provenance
from msaestimator.schema import StarTable
from msaestimator.tables import read_stars, write_stars

ARCHIVE = {"gaia_release": "Gaia DR3", "gaia_service": "ESA", "gaia_date": "2026-11-28"}
EVERYTHING = {
    "model": "gaia-xp",
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
    assert provenance("gaia-xp", "0f3a", "APOGEE DR17", stars) == EVERYTHING


def test_stars_that_were_in_a_file_meanwhile():
    stars = StarTable(meta={name.upper(): value for name, value in ARCHIVE.items()})
    assert provenance("gaia-xp", "0f3a", "APOGEE DR17", stars) == EVERYTHING


@pytest.mark.parametrize("stars", [None, np.zeros((2, 3)), "text", [1]])
def test_stars_without_notes(stars):
    assert "release" not in provenance("mine", "0f3a", stars=stars)


@pytest.mark.parametrize(
    "ending", ["fits", "fits.gz", "ecsv", "parquet", "feather", "vot", "xml.gz"]
)
def test_what_is_written_keeps_it(tmp_path, ending):
    notes = {"flags": ["1 NO_XP: none", "2 OTHER: one"], "n": 7}
    table = StarTable({"teff": [5772.0] * u.K}, meta=EVERYTHING | notes)
    write_stars(table, tmp_path / f"table.{ending}")
    meta = read_stars(tmp_path / f"table.{ending}").meta
    meta = {name.lower(): value for name, value in meta.items()}
    assert meta.pop("n") in (7, "7")
    assert meta.items() >= (EVERYTHING | {"flags": notes["flags"]}).items()
    # What was predicted, written and read can be asked about again.
    assert provenance("b", "c", stars=StarTable(meta=ARCHIVE)).keys() >= {"release", "received"}


@pytest.mark.parametrize("ending", ["fits", "ecsv", "parquet", "vot"])
def test_a_model_of_any_name(tmp_path, ending):
    table = StarTable({"teff": [5772.0] * u.K}, meta={"model": "modèle", "lines": ["é", "e"]})
    write_stars(table, tmp_path / f"table.{ending}")
    meta = read_stars(tmp_path / f"table.{ending}").meta
    found = {name.lower(): value for name, value in meta.items()}
    as_text = "mod\\xe8le" if ending == "fits" else "modèle"
    assert found["model"] == as_text
    assert len(found["lines"]) == 2


@pytest.mark.parametrize("ending", ["fits", "ecsv", "parquet"])
def test_files_keep_it_without_a_word(tmp_path, ending):
    table = QTable({"teff": [5772.0] * u.K}, meta=EVERYTHING)
    path = tmp_path / f"table.{ending}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table.write(path)
        meta = QTable.read(path).meta
    assert {name.lower(): value for name, value in meta.items()} == EVERYTHING
