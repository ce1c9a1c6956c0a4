"""Faults: nothing that is finished is lost, and a message names the file and the remedy."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from msaestimator.catalogs import BatchPredictor, predict_catalog
from msaestimator.datasets import StarDataset
from msaestimator.exceptions import CatalogError, CatalogWarning

SIZES = (30, 30, 40)


@pytest.fixture
def folder(other_stars, write_files):
    return write_files(other_stars, SIZES)


def run(model, stars, output, **options):
    return predict_catalog(model, stars, output, progress=False, **options)


def change(path, **columns):
    """Write a file anew with other columns; None takes one out."""
    table = pq.read_table(path)
    for name, values in columns.items():
        number = table.column_names.index(name)
        table = table.remove_column(number)
        if values is not None:
            table = table.add_column(number, name, pa.array(values))
    pq.write_table(table, path)


def truncate(path):
    path.write_bytes(path.read_bytes()[:5000])


def corrupt(path):
    """Change bytes of the first columns, which the footer does not tell."""
    content = bytearray(path.read_bytes())
    content[4:2000] = bytes(1996)
    path.write_bytes(content)


DAMAGES = {
    "truncated": (truncate, "cannot be read as parquet"),
    "corrupt": (corrupt, "row group 0 of the file .* cannot be read as parquet"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "without a column": (lambda path: change(path, j_m=None), "lacks the column 'j_m'"),
    "without positions": (lambda path: change(path, dec=None), "lacks the column 'dec'"),
    "of another type": (lambda path: change(path, j_m=["bright"] * 30), "'j_m' must"),
    "ids that are floats": (
        lambda path: change(path, source_id=np.arange(1.0, 31.0)),
        "'source_id' must be integers",
    ),
    "stars without position": (
        lambda path: change(path, ra=[np.nan, *range(29)]),
        "must have a position, finite 'ra' and 'dec'",
    ),
}


@pytest.mark.filterwarnings("ignore:column j_m has a unit")
@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_file_concerns_no_other(regressor, folder, tmp_path, kind):
    damage, message = DAMAGES[kind]
    whole = (folder / "1.parquet").read_bytes()
    damage(folder / "1.parquet")
    with pytest.warns(CatalogWarning, match=rf"(?is)1\.parquet: .*{message}.*Mend them"):
        report = run(regressor, folder, tmp_path / "out")
    assert [failure.path.name for failure in report.failures] == ["1.parquet"]
    assert len(StarDataset(tmp_path / "out")) == report.n_stars == 70
    (folder / "1.parquet").write_bytes(whole)
    again = run(regressor, folder, tmp_path / "out")
    assert (again.n_answered, again.n_skipped, again.failures) == (1, 2, ())
    assert len(StarDataset(tmp_path / "out")) == 100


def test_a_file_that_vanished(regressor, folder, tmp_path):
    stars = StarDataset(folder)
    (folder / "1.parquet").unlink()
    with pytest.warns(CatalogWarning, match=r"1\.parquet.* is not there any more"):
        run(regressor, stars, tmp_path / "out")
    assert len(StarDataset(tmp_path / "out")) == 70


def test_a_file_without_rows(regressor, folder, tmp_path):
    pq.write_table(pq.read_table(folder / "1.parquet")[:0], folder / "1.parquet")
    report = run(regressor, folder, tmp_path / "out")
    assert (report.n_answered, report.n_skipped, report.n_stars) == (2, 1, 70)


def test_no_file_can_be_answered(regressor, folder, tmp_path):
    for path in folder.iterdir():
        truncate(path)
    with pytest.warns(CatalogWarning, match="3 files could not be answered"):
        report = run(regressor, folder, tmp_path / "out")
    assert len(report.failures) == 3


@pytest.fixture
def during(monkeypatch):
    """Return a function that lets something happen while the n-th batch is answered."""

    def let(happen, n):
        answer = BatchPredictor.__call__
        count = iter(range(1, 1000))

        def call(predictor, stars):
            if next(count) == n:
                happen()
            return answer(predictor, stars)

        monkeypatch.setattr(BatchPredictor, "__call__", call)

    return let


def test_a_file_that_changes_while_it_is_read(regressor, folder, during, tmp_path):
    during(lambda: change(folder / "0.parquet", j_m=None), 1)
    with pytest.warns(CatalogWarning, match=r"0\.parquet: the file has changed while it was read"):
        run(regressor, folder, tmp_path / "out")


def test_ctrl_c(regressor, folder, during, monkeypatch, tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    with monkeypatch.context():
        during(interrupt, 2)
        with pytest.raises(KeyboardInterrupt, match=r"1 of 3 files are finished.*Start again"):
            run(regressor, folder, tmp_path / "out")
    assert [*(tmp_path / "out" / ".unfinished").iterdir()] == []
    assert run(regressor, folder, tmp_path / "out").n_skipped == 1


def test_two_runs_on_one_output(regressor, folder, during, tmp_path):
    """The second overtakes the first, whose file is finished by then."""
    inner = []
    during(lambda: inner.append(run(regressor, folder, tmp_path / "out")), 2)
    outer = run(regressor, folder, tmp_path / "out")
    assert (inner[0].n_answered, inner[0].n_skipped) == (2, 1)
    assert outer.failures == inner[0].failures == ()
    assert len(StarDataset(tmp_path / "out")) == 100


def test_full_disk(regressor, folder, monkeypatch, tmp_path):
    write = pq.ParquetWriter.write_table
    count = iter(range(100))

    def full(writer, *arguments, **options):
        if next(count):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(writer, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_table", full)
        with pytest.raises(CatalogError, match=r"out' cannot be written to: .*No space left"):
            run(regressor, folder, tmp_path / "out")
    assert [*(tmp_path / "out" / ".unfinished").iterdir()] == []
    assert run(regressor, folder, tmp_path / "out").n_skipped == 1


def test_read_only_output(regressor, folder, monkeypatch, tmp_path):
    def refuse(*arguments, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(CatalogError, match=r"Read-only file system. Make room or allow it"):
        run(regressor, folder, tmp_path / "out")


def test_output_that_is_a_file(regressor, folder, tmp_path):
    (tmp_path / "out").write_text("precious")
    with pytest.raises(CatalogError, match="cannot be written to"):
        run(regressor, folder, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "precious"


def test_clocks_do_not_matter(regressor, folder, tmp_path):
    run(regressor, folder, tmp_path / "out")
    for path in folder.iterdir():
        os.utime(path, (2e9, 2e9))
    for path in (tmp_path / "out").rglob("*.parquet"):
        os.utime(path, (1e9, 1e9))
    assert run(regressor, folder, tmp_path / "out").n_skipped == 3


def test_damaged_answers_are_made_anew(regressor, folder, tmp_path):
    run(regressor, folder, tmp_path / "out")
    truncate(tmp_path / "out" / "answers" / "1.parquet")
    assert run(regressor, folder, tmp_path / "out").n_answered == 1


def test_answers_of_another_model_among_them(regressor, folder, tmp_path):
    run(regressor, folder, tmp_path / "out")
    stray = tmp_path / "out" / "answers" / "stray.parquet"
    stray.write_bytes((folder / "0.parquet").read_bytes())
    with pytest.raises(CatalogError, match=r"stray\.parquet' must hold the answers of the model"):
        run(regressor, folder, tmp_path / "out")


def test_another_file_of_the_same_name(regressor, folder, other_stars, write_files, tmp_path):
    run(regressor, folder, tmp_path / "out")
    moved = folder.rename(tmp_path / "moved")
    assert run(regressor, moved, tmp_path / "out").n_skipped == 3
    other = write_files(other_stars[::-1], (100,), "other")
    with pytest.warns(CatalogWarning, match=r"would replace those about .*xp/0.parquet'. Give"):
        run(regressor, other, tmp_path / "out")
    assert len(StarDataset(tmp_path / "out")) == 100


def test_ids_in_two_files(regressor, other_stars, write_files, tmp_path):
    twice = other_stars[[*range(100), 7, 8, 7]]
    folder = write_files(twice, (50, 53))
    with pytest.warns(CatalogWarning, match="2 source ids are in the catalogue more than once"):
        report = run(regressor, folder, tmp_path / "out")
    assert {*report.duplicates} == {*other_stars["source_id"][[7, 8]].tolist()}
    assert len(StarDataset(tmp_path / "out")) == 103


KILLED = """
import sys
from msaestimator import StellarParameterRegressor
from msaestimator.catalogs import predict_catalog
model = StellarParameterRegressor.from_pretrained(sys.argv[1])
predict_catalog(model, sys.argv[2], sys.argv[3], batch_size=1, progress=False)
"""


def test_a_worker_that_is_killed(
    regressor, folder, other_stars, answers_of, assert_same_answers, tmp_path
):
    regressor.save_pretrained(tmp_path / "model")
    arguments = [tmp_path / "model", folder, tmp_path / "out"]
    worker = subprocess.Popen([sys.executable, "-c", KILLED, *arguments])
    first = tmp_path / "out" / "answers" / "0.parquet"
    until = time.monotonic() + 300
    while not first.exists() and time.monotonic() < until:
        time.sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL
    assert not (tmp_path / "out" / "hats.properties").exists()
    assert run(regressor, folder, tmp_path / "out").n_skipped >= 1
    found = answers_of(tmp_path / "out")
    assert_same_answers(found, regressor.predict_table(other_stars))
    assert not [*(tmp_path / "out").rglob(".*")]
