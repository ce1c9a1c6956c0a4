"""The command ``msa``: files in, files out, and messages a person can act on."""

import re

import numpy as np
import pytest
from astropy.table import Table

from msaestimator import StarTable, StellarParameterRegressor
from msaestimator.cli import main
from msaestimator.exceptions import MissingColumnWarning
from msaestimator.saving import _released_models
from msaestimator.tables import read_stars, write_stars
from msaestimator.tables._file_formats import FORMATS
from msaestimator.training import MaskedNet

# So few stars are too few to calibrate on.
pytestmark = pytest.mark.filterwarnings("ignore::msaestimator.exceptions.CalibrationWarning")

ENDINGS = (".fits", ".ecsv", ".parquet", ".vot")


@pytest.fixture(scope="module")
def model(regressor, tmp_path_factory):
    """A folder with a saved regressor."""
    folder = tmp_path_factory.mktemp("model")
    regressor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def sample(other_stars):
    """Stars as a person keeps them in a file."""
    sample = other_stars[[n for n in other_stars.colnames if not n.endswith("errors")]]
    sample.meta.clear()  # FITS would warn of its long names
    return sample


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.mark.parametrize("ending", FORMATS)
def test_files_come_back(sample, tmp_path, ending):
    path = tmp_path / f"stars{ending}"
    write_stars(sample, path)
    read = read_stars(path)
    assert isinstance(read, StarTable)
    assert read.colnames == sample.colnames
    for name in sample.colnames:
        values = getattr(read[name], "unmasked", read[name])  # NaN is masked in a VOTable
        expected = np.asarray(sample[name])
        # Text tells no type: 1.1 is read as float64, and is the float32 that it was.
        np.testing.assert_array_equal(np.asarray(values).astype(expected.dtype), expected)
        if ending != ".csv" and name in ("teff", "logg", "phot_g_mean_mag", "ra"):
            assert read[name].unit == sample[name].unit


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("written", ENDINGS)
def test_predict(model, regressor, sample, tmp_path, capsys, ending, written):
    source, target = tmp_path / f"stars{ending}", tmp_path / "new" / f"predictions{written}"
    write_stars(sample, source)
    assert run("predict", model, source, target) == 0
    assert "Wrote 100 rows" in capsys.readouterr().out
    table = read_stars(target)
    np.testing.assert_array_equal(table["source_id"], sample["source_id"])
    assert table["source_id"].dtype.kind == "i"
    assert table["teff"].unit == "K"
    assert table["logg_upper"].unit == "dex"
    np.testing.assert_allclose(
        np.asarray(table["teff"].value), regressor.predict(sample)[:, 0], rtol=1e-5
    )
    assert "flags" in table.colnames


@pytest.mark.parametrize("ending", ENDINGS)
def test_fit(sample, tmp_path, capsys, ending):
    source, folder = tmp_path / f"stars{ending}", tmp_path / "model"
    write_stars(sample, source)
    assert run("fit", source, folder, "--epochs", 1, "--labels", "teff", "logg") == 0
    printed = capsys.readouterr()
    assert f"Saved teff, logg to {folder}" in printed.out
    assert "fine-tuning: 100%" in printed.err
    loaded = StellarParameterRegressor.from_pretrained(folder)
    assert loaded.labels_ == ("teff", "logg")
    assert np.isfinite(loaded.predict(sample)).all()


def test_fit_takes_the_labels_there_are_and_other_stars_to_pretrain_on(sample, tmp_path):
    labelled, unlabelled = tmp_path / "labelled.ecsv", tmp_path / "unlabelled.parquet"
    write_stars(sample[:60], labelled)
    write_stars(sample[[n for n in sample.colnames if n != "teff"]], unlabelled)
    folder = tmp_path / "model"
    assert run("fit", labelled, folder, "--epochs", 1, "--pretrain-on", unlabelled) == 0
    labels = StellarParameterRegressor.from_pretrained(folder).labels_
    assert labels == ("teff", "logg", "fe_h", "alpha_m")


def test_fit_resumes(sample, tmp_path):
    source = tmp_path / "stars.parquet"
    write_stars(sample, source)
    arguments = ("--epochs", 1, "--labels", "logg", "--checkpoint", tmp_path / "checkpoints")
    for folder in ("first", "second"):
        assert run("fit", source, tmp_path / folder, *arguments) == 0
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2
    first, second = (
        StellarParameterRegressor.from_pretrained(tmp_path / folder).predict(sample)
        for folder in ("first", "second")
    )
    np.testing.assert_array_equal(first, second)


def test_fit_goes_on_to_more_epochs(sample, tmp_path, capsys):
    """A longer pre-training, and a fine-tuning that starts from it: another one."""
    source = tmp_path / "stars.parquet"
    write_stars(sample, source)
    words = ("--labels", "logg", "--checkpoint", tmp_path / "checkpoints")
    assert run("fit", source, tmp_path / "first", "--epochs", 1, *words) == 0
    capsys.readouterr()
    assert run("fit", source, tmp_path / "second", "--epochs", 2, *words) == 0
    assert re.search(r"pre-training:\s+50%.*1/2", capsys.readouterr().err)
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {
        "pretraining.safetensors",
        "finetuning-1.safetensors",
        "finetuning-2.safetensors",
    }


def test_an_interrupted_fit_says_how_to_go_on(sample, tmp_path, capsys, monkeypatch):
    source = tmp_path / "stars.parquet"
    write_stars(sample, source)

    def interrupted(net, *args, **kwargs):
        if len(net.history) == 2:
            raise KeyboardInterrupt
        return step(net, *args, **kwargs)

    step = MaskedNet.train_step
    monkeypatch.setattr(MaskedNet, "train_step", interrupted)
    words = ("--epochs", 3, "--labels", "logg", "--checkpoint", tmp_path / "run")
    assert run("fit", source, tmp_path / "model", *words) == 130
    error = capsys.readouterr().err
    assert "msa: The pre-training was interrupted after 1 of 3 epochs." in error
    assert f"{tmp_path / 'run' / 'pretraining.safetensors'}': the same call, on the same" in error
    assert not (tmp_path / "model").exists()
    monkeypatch.setattr(MaskedNet, "train_step", step)
    assert run("fit", source, tmp_path / "model", *words) == 0


def test_the_released_model_is_the_default(
    model, regressor, sample, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "weights" / "gaia-xp" / "StellarParameterRegressor"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(model)
    monkeypatch.setattr(_released_models, "RELEASED", tmp_path / "weights")
    source = tmp_path / "stars.parquet"
    write_stars(sample, source)
    for name, words in {"default": [], "named": ["gaia-xp"], "folder": [model]}.items():
        target = tmp_path / f"{name}.ecsv"
        assert run("predict", *words, source, target) == 0
        np.testing.assert_allclose(
            np.asarray(read_stars(target)["teff"].value),
            regressor.predict(sample)[:, 0],
            rtol=1e-5,
        )
    capsys.readouterr()
    message = failure(capsys, "predict", "gaia-xq", source, tmp_path / "out.fits")
    assert "there is gaia-xp. Did you mean 'gaia-xp'?" in message


def test_columns_that_the_model_never_saw(model, regressor, sample, tmp_path):
    more = sample.copy()
    more["parallax"] = np.ones(len(more))
    source, target = tmp_path / "stars.parquet", tmp_path / "out.parquet"
    write_stars(more, source)
    with pytest.warns(MissingColumnWarning, match="Column 'parallax': ignored"):
        assert run("predict", model, source, target) == 0
    np.testing.assert_allclose(
        np.asarray(read_stars(target)["teff"].value), regressor.predict(sample)[:, 0], rtol=1e-5
    )


def failure(capsys, *arguments):
    """Return what a command that must fail says."""
    assert run(*arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("msa: ")
    assert "Traceback" not in printed.err
    return printed.err


def test_unknown_ending(model, sample, tmp_path, capsys):
    source = tmp_path / "stars.csvv"
    source.write_text("j_m\n1.0\n")
    message = failure(capsys, "predict", model, source, tmp_path / "out.fits")
    assert "must be one of .fits" in message
    assert "got 'stars.csvv'" in message


def test_unknown_ending_of_the_output(model, sample, tmp_path, capsys):
    source = tmp_path / "stars.parquet"
    write_stars(sample, source)
    message = failure(capsys, "predict", model, source, tmp_path / "out.txt")
    assert "got 'out.txt'" in message
    assert not (tmp_path / "out.txt").exists()


def test_missing_file(model, tmp_path, capsys):
    message = failure(capsys, "predict", model, tmp_path / "none.fits", tmp_path / "out.fits")
    assert "There is no file" in message
    assert "none.fits" in message


def test_missing_model(sample, tmp_path, capsys):
    message = failure(
        capsys, "predict", tmp_path / "none", tmp_path / "a.fits", tmp_path / "b.fits"
    )
    assert "There is no saved estimator in" in message


def test_file_that_is_not_what_its_ending_says(model, tmp_path, capsys):
    source = tmp_path / "stars.fits"
    source.write_text("These are not stars.")
    failure(capsys, "predict", model, source, tmp_path / "out.fits")


def test_columns_of_no_use(model, tmp_path, capsys):
    source = tmp_path / "stars.ecsv"
    Table({"colour": [1.0]}).write(source)
    message = failure(capsys, "predict", model, source, tmp_path / "out.fits")
    assert "None of the 1 columns is a feature" in message


def test_unknown_label(sample, tmp_path, capsys):
    source = tmp_path / "stars.parquet"
    write_stars(sample, source)
    message = failure(capsys, "fit", source, tmp_path / "m", "--epochs", 1, "--labels", "tef")
    assert "Did you mean 'teff'?" in message.splitlines()[-1]
    assert "pre-training" not in message, "A typo must not cost a pre-training."


def test_wrong_unit(sample, model, tmp_path, capsys):
    source = tmp_path / "stars.ecsv"
    bright = Table(sample)
    bright["j_m"].unit = "Jy"
    bright.write(source)
    message = failure(capsys, "predict", model, source, tmp_path / "out.fits")
    assert "Column 'j_m' must be in mag" in message


@pytest.mark.parametrize("arguments", [(), ("predict",), ("fit", "a.fits"), ("train",)])
def test_incomplete_commands_show_the_usage(capsys, arguments):
    with pytest.raises(SystemExit, match="2"):
        run(*arguments)
    assert "usage: msa" in capsys.readouterr().err


def test_ctrl_c(sample, model, tmp_path, capsys, monkeypatch):
    source = tmp_path / "stars.parquet"
    write_stars(sample, source)

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(StellarParameterRegressor, "predict_table", interrupted)
    assert run("predict", model, source, tmp_path / "out.fits") == 130
    assert capsys.readouterr().err == "msa: Interrupted.\n"
