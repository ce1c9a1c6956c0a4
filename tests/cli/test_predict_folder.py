"""``msa predict`` on a folder of files: a catalogue, gone on with by the same command."""

import pytest

from msaestimator.cli import main
from msaestimator.datasets import StarDataset
from msaestimator.tables import read_stars, write_stars


@pytest.fixture
def folder(other_stars, tmp_path):
    """Two files of stars."""
    names = [name for name in other_stars.colnames if name != "ebv"]
    for number in range(2):
        rows = other_stars[names][50 * number : 50 * (number + 1)]
        write_stars(rows, tmp_path / "xp" / f"{number}.parquet")
    return tmp_path / "xp"


@pytest.fixture
def predict(bare_model):
    """Return a function that runs the command on these words."""
    return lambda *words: main(["predict", str(bare_model[1]), *map(str, words)])


def test_folder_to_catalogue(predict, folder, tmp_path, capsys):
    assert predict(folder, tmp_path / "out") == 0
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'out'}: 2 files with 100 stars answered, 0 finished before\n"
    assert "stars/s" in told.err
    assert len(StarDataset(tmp_path / "out")) == 100
    assert predict(folder, tmp_path / "out") == 0
    assert "2 finished before" in capsys.readouterr().out


def test_files_that_fail_make_the_command_fail(predict, folder, tmp_path, capsys):
    (folder / "2.parquet").write_bytes(b"no file of stars")
    assert predict(folder, tmp_path / "out") == 1
    told = capsys.readouterr().err
    assert "1 files could not be answered:" in told
    assert "2.parquet: The file" in told
    assert told.endswith(f"msa: 1 files of '{folder}' are not answered.\n")
    assert len(StarDataset(tmp_path / "out")) == 100


def test_folder_to_a_table_stays_a_table(predict, folder, tmp_path):
    assert predict(folder, tmp_path / "out.ecsv") == 0
    assert len(read_stars(tmp_path / "out.ecsv")) == 100


def test_hdu_of_a_folder(predict, folder, tmp_path, capsys):
    assert predict(folder, tmp_path / "out", "--hdu", "1") == 1
    assert "--hdu names a table of a file, not of a folder" in capsys.readouterr().err
