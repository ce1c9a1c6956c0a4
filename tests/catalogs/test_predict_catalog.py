"""A model over files: the same answers whatever files, chunks, order and processes."""

import json
import subprocess
import sys

import astropy.units as u
import numpy as np
import pyarrow.parquet as pq
import pytest

from msaestimator.catalogs import predict_catalog
from msaestimator.datasets import HATS_INDEX, StarDataset, hats_index
from msaestimator.exceptions import CatalogError, CatalogWarning, ColumnError
from msaestimator.schema import StarTable

SIZES = (50, 1, 29, 20)


@pytest.fixture
def expected(regressor, other_stars):
    return regressor.predict_table(other_stars)


def run(model, stars, output, **options):
    return predict_catalog(model, stars, output, progress=False, **options)


def properties_of(folder):
    lines = (folder / "hats.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_files_to_a_catalogue(
    regressor, other_stars, expected, write_files, answers_of, assert_same_answers, tmp_path
):
    folder = write_files(other_stars, SIZES)
    report = run(regressor, folder, tmp_path / "out")
    assert (report.n_answered, report.n_skipped, report.n_stars) == (4, 0, 100)
    assert str(report) == f"{tmp_path / 'out'}: 4 files with 100 stars answered, 0 finished before"
    found = answers_of(tmp_path / "out")
    assert_same_answers(found, expected)
    assert found["ra"].unit == u.deg
    np.testing.assert_array_equal(found[HATS_INDEX], hats_index(found["ra"], found["dec"]))
    assert found.meta["flags"] == expected.meta["flags"]
    properties = properties_of(tmp_path / "out")
    assert properties["hats_nrows"] == "100"
    assert properties["msaestimator_model_id"] == regressor.fingerprint
    common = pq.read_schema(tmp_path / "out" / "dataset" / "_common_metadata")
    assert common.metadata[b"msaestimator_card"].decode() == regressor.card
    assert common.field("teff").metadata[b"unit"] == b"K"
    assert (tmp_path / "out" / "MODEL_CARD.md").read_text() == regressor.card
    assert not [*(tmp_path / "out").rglob(".*")]


@pytest.mark.parametrize(
    ("sizes", "order", "batch_size"), [((100,), 1, 7), ((33, 67), -1, 1000), ((10,) * 10, -1, 3)]
)
def test_same_numbers_whatever_files_and_chunks(
    regressor,
    other_stars,
    expected,
    write_files,
    answers_of,
    assert_same_answers,
    tmp_path,
    sizes,
    order,
    batch_size,
):
    folder = write_files(other_stars[::order], sizes)
    run(regressor, [*folder.iterdir()], tmp_path / "out", batch_size=batch_size)
    assert_same_answers(answers_of(tmp_path / "out"), expected)


def test_partitions_keep_files_and_rows(
    regressor, other_stars, write_files, answers_of, assert_same_answers, tmp_path
):
    """A catalogue of answers is itself one to ask about, if the stars go along."""
    run(regressor, write_files(other_stars, (100,)), tmp_path / "sky")
    sky = StarDataset(tmp_path / "sky")
    order = {star: row for row, star in enumerate(other_stars["source_id"].tolist())}
    for path in sky.files:
        (answers,) = sky.file_batches(path, 1000, ["source_id", HATS_INDEX])
        rows = other_stars[[order[star] for star in answers["source_id"].tolist()]]
        rows[HATS_INDEX] = answers[HATS_INDEX]
        rows.write(path, overwrite=True)
    report = run(regressor, tmp_path / "sky", tmp_path / "out")
    assert report.n_answered == len(sky.files)
    assert_same_answers(answers_of(tmp_path / "out"), regressor.predict_table(other_stars))
    found = StarDataset(tmp_path / "out")
    names = [path.relative_to(tmp_path / "out") for path in found.files]
    assert names == [path.relative_to(tmp_path / "sky") for path in sky.files]
    for first, second in zip(found.files, StarDataset(tmp_path / "sky").files, strict=True):
        ids = [pq.read_table(path)["source_id"].to_pylist() for path in (first, second)]
        assert ids[0] == ids[1]
    assert run(regressor, tmp_path / "sky", tmp_path / "out").n_skipped == len(sky.files)


def test_dense_stars_go_to_small_partitions(
    regressor, other_stars, write_files, answers_of, monkeypatch, tmp_path
):
    monkeypatch.setattr("msaestimator.catalogs._partitions.PARTITION", 500)
    run(regressor, write_files(other_stars, SIZES), tmp_path / "out")
    found = StarDataset(tmp_path / "out")
    assert int(properties_of(tmp_path / "out")["hats_order"]) > 0
    for path in found.files:
        (answers,) = found.file_batches(path, 1000)
        order, pixel = (int(path.parts[-3][7:]), int(path.stem[5:]))
        assert {*np.asarray(answers[HATS_INDEX]) >> 2 * (29 - order)} == {pixel}
        assert np.all(np.diff(answers[HATS_INDEX]) >= 0)
    assert len(found) == 100


def test_finished_files_are_skipped(regressor, other_stars, write_files, tmp_path):
    folder = write_files(other_stars[:80], (50, 30))
    run(regressor, folder, tmp_path / "out")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.parquet")}
    again = run(regressor, folder, tmp_path / "out", batch_size=3)
    assert (again.n_answered, again.n_skipped) == (0, 2)
    after = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.parquet")}
    assert before == after
    # One file is new, one has other stars.
    write_files(other_stars[::-1], (50, 30, 20))
    (folder / "1.parquet").write_bytes((folder / "0.parquet").read_bytes())
    write_files(other_stars[:50], (50,))
    with pytest.warns(CatalogWarning, match="are in the catalogue more than once"):
        more = run(regressor, folder, tmp_path / "out")
    assert (more.n_answered, more.n_skipped) == (2, 1)
    assert properties_of(tmp_path / "out")["hats_nrows"] == "120"


def test_files_that_went_away_stay_in_the_catalogue(
    regressor, other_stars, expected, write_files, answers_of, assert_same_answers, tmp_path
):
    folder = write_files(other_stars, SIZES)
    for path in sorted(folder.iterdir()):
        run(regressor, path, tmp_path / "out")
        path.unlink()
    assert_same_answers(answers_of(tmp_path / "out"), expected)


def test_another_model_or_question_is_refused(regressor, msa, other_stars, write_files, tmp_path):
    folder = write_files(other_stars, (100,))
    run(regressor, folder, tmp_path / "out")
    with pytest.raises(CatalogError, match=r"holds the answers of StellarP.* to predict_table"):
        run(regressor, folder, tmp_path / "out", methods="outlier_score")
    with pytest.raises(CatalogError, match="not of MaskedStellarAutoencoder"):
        run(msa, folder, tmp_path / "out")
    assert run(msa, folder, tmp_path / "out", overwrite=True).n_answered == 1
    assert StarDataset(tmp_path / "out").columns[-1] == "latent"


def test_replacing_by_several_processes_is_refused(
    regressor, msa, other_stars, write_files, monkeypatch, tmp_path
):
    folder = write_files(other_stars, (100,))
    run(regressor, folder, tmp_path / "out")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(CatalogError, match="Delete the folder first"):
        run(msa, folder, tmp_path / "out", overwrite=True)


@pytest.mark.parametrize("names", [("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS")])
def test_processes_share_the_files(
    regressor,
    other_stars,
    expected,
    write_files,
    answers_of,
    assert_same_answers,
    monkeypatch,
    tmp_path,
    names,
):
    folder = write_files(other_stars, SIZES)
    (folder / "4.parquet").write_bytes(b"PAR1 no more")
    monkeypatch.setenv(names[1], "2")
    monkeypatch.setenv(names[0], "0")
    with pytest.warns(CatalogWarning, match="1 files could not be answered"):
        first = run(regressor, folder, tmp_path / "out")
    assert (first.n_answered, first.n_waiting, len(first.failures)) == (2, 2, 1)
    assert "2 left to other processes" in str(first)
    assert not (tmp_path / "out" / "hats.properties").exists()
    monkeypatch.setenv(names[0], "1")
    with pytest.warns(CatalogWarning, match=r"4\.parquet: "):
        second = run(regressor, folder, tmp_path / "out")
    assert (second.n_answered, second.n_waiting) == (2, 0)
    assert second.failures == first.failures
    assert_same_answers(answers_of(tmp_path / "out"), expected)
    assert not [*(tmp_path / "out").rglob(".*")]


def test_progress_tells_speed_and_time_left(regressor, other_stars, write_files, capsys, tmp_path):
    predict_catalog(regressor, write_files(other_stars, (100,)), tmp_path / "out")
    told = capsys.readouterr().err
    assert "100/100" in told
    assert "stars/s" in told
    assert "<" in told  # of "00:00<00:00": the time taken, and left


@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.ToldRequestWarning")
def test_questions_of_other_estimators(
    msa, generalist, other_stars, write_files, answers_of, tmp_path
):
    folder = write_files(other_stars, (60, 40))
    order = np.argsort(other_stars["source_id"])
    run(msa, folder, tmp_path / "latent")
    found = answers_of(tmp_path / "latent")["latent"]
    np.testing.assert_allclose(found, msa.transform(other_stars)[order], rtol=1e-4, atol=1e-5)
    run(generalist, folder, tmp_path / "asked", requests=["bp_rp", "teff"])
    found = answers_of(tmp_path / "asked")
    assert found["teff"].unit == u.K
    asked = generalist.request(other_stars, ["bp_rp"])["bp_rp"][order]
    np.testing.assert_allclose(found["bp_rp"].value, asked.value, rtol=1e-4)
    identity = json.loads((tmp_path / "asked" / "msaestimator.json").read_text())
    assert identity["requests"] == ["bp_rp", "teff"]


@pytest.mark.parametrize("output", ["xp", "xp/out", "."])
def test_output_among_the_stars(regressor, other_stars, write_files, tmp_path, output):
    folder = write_files(other_stars, (100,))
    with pytest.raises(ColumnError, match="must be apart from the stars"):
        run(regressor, folder, tmp_path / output)


def test_a_folder_of_other_files_is_left_alone(regressor, other_stars, write_files, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    with pytest.raises(CatalogError, match="must be empty, or a catalogue of answers"):
        run(regressor, write_files(other_stars, (100,)), tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "thesis.tex").read_text() == "precious"


def test_batches_of_no_stars(regressor, tmp_path):
    with pytest.raises(ValueError, match="`batch_size` must be at least 1, got 0"):
        run(regressor, tmp_path, tmp_path / "out", batch_size=0)


MEASURED = """
import re, sys
from pathlib import Path
from msaestimator import StellarParameterRegressor
from msaestimator.catalogs import predict_catalog
model = StellarParameterRegressor.from_pretrained(sys.argv[1])
for stars, output in zip(sys.argv[2::2], sys.argv[3::2]):
    predict_catalog(model, stars, output, batch_size=1000, progress=False)
    # What resource tells of a child begins with the peak of its parent.
    status = Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) // 1024)
"""


def test_memory_is_bounded(regressor, stars, write_files, tmp_path):
    regressor.save_pretrained(tmp_path / "model")
    many = StarTable(stars[np.arange(20_000) % len(stars)])
    many["source_id"] = np.arange(1, len(many) + 1)
    few = write_files(many[:2000], (2000,), "few")
    # Row groups are read whole: it is their size that the memory goes by.
    lot = write_files(many, (2000,) * 10, "lot")
    folders = [few, tmp_path / "out0", lot, tmp_path / "out1"]
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, tmp_path / "model", *folders],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    before, after = map(int, told)
    # The stars alone are 35 MB as float64, and what is made of them as much again.
    assert after - before < 40
    assert after < 1500
