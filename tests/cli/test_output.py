"""What ``msa`` reads and writes: paths, tables within files, and what it will not replace."""

import os

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from msaestimator import StellarParameterRegressor
from msaestimator.cli import main
from msaestimator.tables import read_stars, write_stars


@pytest.fixture(scope="module")
def model(regressor, tmp_path_factory):
    """A folder with a saved regressor."""
    folder = tmp_path_factory.mktemp("model")
    regressor.save_pretrained(folder)
    return folder


@pytest.fixture
def sample(other_stars):
    """Stars as a person keeps them in a file."""
    return other_stars[:20][[n for n in other_stars.colnames if not n.endswith("errors")]]


@pytest.fixture
def source(sample, tmp_path):
    """The stars in a file."""
    path = tmp_path / "stars.parquet"
    write_stars(sample, path)
    return path


@pytest.fixture
def no_work(monkeypatch):
    """Fail whatever loads a model."""

    def load(*args):
        pytest.fail("This is found out before a model is loaded.")

    monkeypatch.setattr(StellarParameterRegressor, "from_pretrained", load)


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture
def failure(capsys):
    """Return a function that gives what a command that must fail says."""

    def fail(*arguments):
        assert run(*arguments) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("msa: ")
        assert printed.err.count("\n") == 1
        return printed.err

    return fail


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("out.txt", "ending must be one of .fits"),
        ("out", "ending must be one of .fits"),
        ("out.parquet.gz", "ending must be one of .fits"),
        ("older.csv", "older.csv' exists. Choose another name, or replace it by"),
        ("folder.csv", "folder.csv' is a folder"),
        ("older.csv/out.csv", "older.csv' is a file, not a folder"),
    ],
)
@pytest.mark.usefixtures("no_work")
def test_the_output_is_checked_before_any_work(source, tmp_path, failure, output, reason):
    (tmp_path / "older.csv").write_text("older")
    (tmp_path / "folder.csv").mkdir()
    assert reason in failure("predict", source, tmp_path / output)
    assert reason in failure("predict", tmp_path / output, "--source-id", 1)
    assert (tmp_path / "older.csv").read_text() == "older"


@pytest.mark.usefixtures("no_work")
def test_the_input_is_never_replaced(source, tmp_path, failure):
    content = source.read_bytes()
    (tmp_path / "link.parquet").symlink_to(source)
    for output in (source, tmp_path / "link.parquet", tmp_path / "new" / ".." / source.name):
        assert "is the input" in failure("predict", source, output, "--overwrite")
        assert "is the input" in failure("predict", output, "--ids", source, "--overwrite")
    assert "or lies in it" in failure("predict", tmp_path, tmp_path / "out.parquet")
    assert source.read_bytes() == content


def test_overwrite(model, source, tmp_path, capsys):
    output = tmp_path / "out.csv"
    output.write_text("older")
    assert run("predict", model, source, output, "--overwrite") == 0
    assert "Wrote 20 rows" in capsys.readouterr().out
    assert len(read_stars(output)) == 20


@pytest.mark.filterwarnings("ignore:The intervals of 'teff'")
def test_home(model, sample, tmp_path, monkeypatch, capsys):
    """A shell leaves ``~`` as it is within quotes and after ``=``."""
    monkeypatch.setenv("HOME", str(tmp_path))
    write_stars(sample, "~/stars.csv")
    os.rename(model, tmp_path / "model")
    try:
        assert run("predict", "~/model", "~/stars.csv", "~/out/out.csv") == 0
        assert len(read_stars(tmp_path / "out" / "out.csv")) == 20
        words = ("--epochs", 0, "--labels", "teff", "--pretrain-on=~/stars.csv")
        assert run("fit", "~/stars.csv", "~/fitted", *words, "--checkpoint=~/run") == 0
    finally:
        os.rename(tmp_path / "model", model)
    assert (tmp_path / "fitted" / "config.json").is_file()
    assert not (tmp_path / "~").exists()
    assert StellarParameterRegressor.from_pretrained("~/fitted").labels_ == ("teff",)
    capsys.readouterr()


@pytest.fixture
def several(sample, tmp_path):
    """The stars in the second table of a FITS file."""
    path = tmp_path / "several.fits"
    with_stars = tmp_path / "one.fits"
    write_stars(sample, with_stars)
    with fits.open(with_stars) as hdus:
        log = fits.BinTableHDU(Table({"a": [1]}), name="LOG")
        stars = hdus[1].copy()
        stars.name = "STARS"
        fits.HDUList([fits.PrimaryHDU(), log, stars]).writeto(path)
    return path


@pytest.mark.parametrize("hdu", ["2", "STARS", "stars"])
def test_a_table_of_several(model, several, sample, tmp_path, hdu):
    output = tmp_path / "out.fits"
    assert run("predict", model, several, output, "--hdu", hdu) == 0
    np.testing.assert_array_equal(read_stars(output)["source_id"], sample["source_id"])


@pytest.mark.filterwarnings("ignore:The intervals of 'teff'")
def test_fit_on_a_table_of_several(several, tmp_path, failure, capsys):
    words = ("--epochs", 0, "--labels", "teff")
    assert "2 tables, of which `hdu` (--hdu)" in failure("fit", several, tmp_path / "m", *words)
    assert run("fit", several, tmp_path / "m", *words, "--hdu", 2) == 0
    capsys.readouterr()


def test_several_tables_are_listed(model, several, tmp_path, failure):
    message = failure("predict", model, several, tmp_path / "out.fits")
    assert "1 'LOG' (1 rows: a); 2 'STARS' (20 rows: source_id, " in message
    message = failure("predict", model, several, tmp_path / "out.fits", "--hdu", "sky")
    assert "has no table 'sky'" in message


def test_hdu_without_a_file(tmp_path, failure):
    message = failure("predict", tmp_path / "out.fits", "--source-id", 1, "--hdu", 1)
    assert "--hdu names a table of a file: of the stars, or of --ids" in message


def test_stars_in_a_folder(model, sample, tmp_path, capsys):
    for number, part in enumerate((sample[:5], sample[5:])):
        write_stars(part, tmp_path / "parts" / f"part-{number}.parquet")
    assert run("predict", model, tmp_path / "parts", tmp_path / "out.parquet") == 0
    read = read_stars(tmp_path / "out.parquet")
    np.testing.assert_array_equal(read["source_id"], sample["source_id"])


def test_a_model_without_stars(model, tmp_path, failure):
    message = failure("predict", model, tmp_path / "out.fits")
    assert "needs either a table of stars or one of" in message


def test_a_file_that_cannot_be_read(model, tmp_path, failure):
    source = tmp_path / "stars.fits"
    source.write_text("<html>503</html>")
    message = failure("predict", model, source, tmp_path / "out.fits")
    assert f"The file {str(source)!r} cannot be read as FITS: its content is HTML" in message


def test_ids_that_are_no_text(model, tmp_path, failure):
    (tmp_path / "ids.txt").write_bytes(b"\x1f\x8b\x08\xff")
    message = failure("predict", model, tmp_path / "out.csv", "--ids", tmp_path / "ids.txt")
    assert "ids.txt' cannot be read as text of ids: 'utf-8' codec can't decode" in message


@pytest.mark.parametrize("text", ["11\n12\n", "source_id\n11\n12\n", "source_id,b\n11,x\n12,y\n"])
def test_ids_of_a_csv_file_with_or_without_a_header(tmp_path, text, monkeypatch):
    asked = []

    class Model:
        def predict_from_gaia(self, ids, archive):
            asked.append(list(ids))
            return Table({"source_id": ids})

    monkeypatch.setattr(StellarParameterRegressor, "from_pretrained", lambda name: Model())
    (tmp_path / "ids.csv").write_text(text)
    assert run("predict", tmp_path / "out.csv", "--ids", tmp_path / "ids.csv") == 0
    assert asked == [[11, 12]]
