"""XP coefficients from DataLink: real answers in four formats, and the client."""

import csv
import importlib.util
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io.votable import parse
from catalogue import SPECIAL
from standin import faults
from standin._datalink import products

from msaestimator.archive import SERVICES, GaiaArchive
from msaestimator.archive._datalink import DataLink, read_products
from msaestimator.archive._failures import Malformed, Refused, RequestFailure
from msaestimator.archive._releases import RELEASES
from msaestimator.archive._rows import arrow_schema, float_array
from msaestimator.archive._session import open_session

REAL = "gaia_dr3_source_id_5937083312263887616_dl_products_{}.zip"
SOURCE_ID = 5937083312263887616
COLUMNS = RELEASES["dr3"].xp
HERE = Path(__file__).parent / "data" / REAL.format("csv")
# Importing astroquery.gaia would call ESA.
WHEEL = Path(importlib.util.find_spec("astroquery").origin).parent / "gaia" / "tests" / "data"
FORMATS = ("csv", "ecsv", "fits", "votable")
SPECTRA = "gaiadr3.xp_continuous_mean_spectrum"


def read(path):
    with open(path, "rb") as file:
        return read_products(file, COLUMNS)


def zipped(members):
    """Return a zip file in memory of contents by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer


def test_the_real_answer_is_read_to_the_last_digit():
    with zipfile.ZipFile(HERE) as archive:
        (member,) = (name for name in archive.namelist() if "CONTINUOUS" in name)
        (row,) = csv.DictReader(io.TextIOWrapper(archive.open(member)))
    (ours,) = read(HERE).to_pylist()
    assert ours.pop("source_id") == int(row["source_id"]) == SOURCE_ID
    for name, value in ours.items():
        theirs = row[name].strip("()")
        if isinstance(value, list):
            assert value == [float(number) for number in theirs.split(",")]
            assert len(value) == 55
        else:
            assert value == int(theirs)


def test_our_copy_is_the_one_of_astroquery():
    assert HERE.read_bytes() == (WHEEL / HERE.name).read_bytes()


@pytest.mark.parametrize("ending", ["ecsv", "fits", "vot"])
def test_real_answers_agree_in_every_format(ending):
    real, rows = read(HERE), read(WHEEL / REAL.format(ending))
    assert rows.schema == real.schema
    for column in COLUMNS:
        if column.kind == "array":
            # CSV has the errors, which are of single precision, in fewer digits.
            np.testing.assert_allclose(
                float_array(rows, column), float_array(real, column), rtol=1e-6
            )
        else:
            assert rows[column.name].to_pylist() == real[column.name].to_pylist()
    assert rows["source_id"].to_pylist() == [SOURCE_ID]


def test_a_votable_agrees_with_astropy_itself():
    path = WHEEL / REAL.format("vot")
    with zipfile.ZipFile(path) as archive:
        (member,) = (name for name in archive.namelist() if "CONTINUOUS" in name)
        theirs = parse(io.BytesIO(archive.read(member)), verify="ignore").get_first_table().array
    for column in COLUMNS:
        if column.kind == "array":
            ours = float_array(read(path), column)[0]
            np.testing.assert_array_equal(ours, theirs[column.name][0])


def test_other_products_are_passed_over():
    with zipfile.ZipFile(HERE) as archive:
        others = [name for name in archive.namelist() if "CONTINUOUS" not in name]
        contents = {name: archive.read(name) for name in others}
    assert sorted(name.partition("-")[0] for name in others) == ["MCMC_MSC", "XP_SAMPLED"]
    assert read_products(zipped(contents), COLUMNS) == arrow_schema(COLUMNS).empty_table()
    assert read_products(zipped({}), COLUMNS).num_rows == 0


def test_what_is_not_a_whole_zip_is_malformed():
    content = HERE.read_bytes()
    with pytest.raises(Malformed, match="not a whole zip"):
        read_products(io.BytesIO(content[: len(content) // 2]), COLUMNS)
    with zipfile.ZipFile(HERE) as archive:
        offset = archive.infolist()[2].header_offset + 2000
    altered = content[:offset] + bytes([content[offset] ^ 255]) + content[offset + 1 :]
    with pytest.raises(Malformed, match="zip"):
        read_products(io.BytesIO(altered), COLUMNS)


def test_what_is_not_such_a_table_is_refused_by_name():
    member = {"XP_CONTINUOUS_RAW.csv": "source_id,bp_coefficients\n1,(1.0)\n"}
    with pytest.raises(Refused, match=r"'XP_CONTINUOUS_RAW.csv' in the zip.*has 1 elements"):
        read_products(zipped(member), COLUMNS)
    member = {"XP_CONTINUOUS_RAW.csv": "source_id,teff\n1,5000\n"}
    with pytest.raises(Refused, match="'bp_coefficients' is not in the answer, which has source"):
        read_products(zipped(member), COLUMNS)
    with pytest.raises(Refused, match=r"known endings are .xml, .vot, .fits, .ecsv, .csv"):
        read_products(zipped({"XP_CONTINUOUS.hdf5": b""}), COLUMNS)


@pytest.mark.parametrize("ending", ["xml", "fits", "ecsv"])
def test_a_member_that_cannot_be_read_is_malformed(ending):
    with pytest.raises(Malformed, match=rf"'XP_CONTINUOUS.{ending}' in the zip cannot be read"):
        read_products(zipped({f"XP_CONTINUOUS.{ending}": b"<html>no</html"}), COLUMNS)


@pytest.mark.parametrize("structure", ["RAW", "INDIVIDUAL"])
@pytest.mark.parametrize("kind", FORMATS)
def test_missing_bands_are_missing_in_every_format(catalogue, kind, structure):
    source_id = np.asarray(catalogue["gaiadr3.gaia_source"]["source_id"])
    wanted = source_id[[SPECIAL[name] for name in ("complete", "no_bp", "no_rp")]]
    spectra = catalogue[SPECTRA]
    spectra = spectra[np.isin(spectra["source_id"], wanted)]
    form = {"DATA_STRUCTURE": structure, "FORMAT": kind, "USE_ZIP_ALWAYS": "true"}
    content, _ = products(spectra, form, 3)
    rows = read_products(io.BytesIO(content), COLUMNS)
    assert rows["source_id"].to_pylist() == spectra["source_id"].tolist()
    for column in COLUMNS:
        theirs = spectra[column.name]
        if column.kind == "array":
            np.testing.assert_array_equal(
                float_array(rows, column), np.ma.filled(theirs.astype(float), np.nan)
            )
        else:
            assert rows[column.name].to_pylist() == theirs.tolist()
    assert rows["bp_coefficients"].null_count == rows["rp_coefficients"].null_count == 1


@pytest.fixture
def client(server):
    server.n_correlations = 3
    with open_session(timeout=5, max_retries=0) as session:
        yield DataLink(session, server.datalink_url, "Gaia DR3", COLUMNS)


def test_a_request_says_what_it_wants(server, client, catalogue):
    ids = np.array(catalogue[SPECTRA]["source_id"][:3])
    assert sorted(client.fetch(ids)["source_id"].to_pylist()) == sorted(ids.tolist())
    (request,) = server.requests
    assert request.form == {
        "ID": ",".join(map(str, ids)),
        "RELEASE": "Gaia DR3",
        "DATA_STRUCTURE": "DATAMODEL_GAIA",
        "RETRIEVAL_TYPE": "XP_CONTINUOUS",
        "FORMAT": "fits",
        "USE_ZIP_ALWAYS": "true",
    }


@pytest.mark.parametrize("status", [400, 500])
def test_an_older_server_is_asked_in_its_own_words_and_once(server, client, catalogue, status):
    server.datamodel_gaia_status = status
    ids = np.array(catalogue[SPECTRA]["source_id"][:3])
    for _ in range(2):
        assert len(client.fetch(ids)) == 3
    structures = [request.form["DATA_STRUCTURE"] for request in server.requests]
    assert structures == ["DATAMODEL_GAIA", "RAW", "RAW"]


@pytest.mark.parametrize("status", [400, 500])
def test_a_server_that_knows_neither_name_says_so(server, client, catalogue, status):
    server.inject(faults.Status(status), on="datalink", times=9)
    with pytest.raises(RequestFailure, match=f"HTTP {status}.*Pool empty"):
        client.fetch(np.array(catalogue[SPECTRA]["source_id"][:3]))


def test_sources_without_a_spectrum_are_not_in_the_answer(client, catalogue):
    source_id = np.asarray(catalogue["gaiadr3.gaia_source"]["source_id"])
    assert client.fetch(source_id[[SPECIAL["no_xp"]]]).num_rows == 0
    assert client.fetch(np.array([1, 2])) == arrow_schema(COLUMNS).empty_table()


def test_no_request_is_for_more_than_the_server_takes(server, catalogue):
    server.n_correlations = 3
    service = replace(
        SERVICES["esa"], tap_url=server.tap_url, datalink_url=server.datalink_url, companions=()
    )
    archive = GaiaArchive(service, cache=False, progress=False)
    here = np.array(catalogue[SPECTRA]["source_id"][:20])
    ids = np.concatenate([np.arange(1, 6001), here])
    spectra = archive.fetch_xp(ids)
    assert np.array_equal(spectra["source_id"], ids)
    found = np.isfinite(np.asarray(spectra["rp_coefficients"])).any(axis=1)
    assert np.array_equal(np.flatnonzero(found), 6000 + np.flatnonzero(found[6000:]))
    assert found.sum() >= 19
    asked = {request.ids[0]: request.n_ids for request in server.requests}
    assert set(asked.values()) <= {3010, 2990, 3000}
    assert {request.kind for request in server.requests} == {"datalink"}
