"""The demonstration, on few stars and for one epoch."""

import contextlib
import io
from functools import partial

import numpy as np
import pytest
from astropy.table import QTable

from msaestimator import StellarParameterRegressor
from msaestimator.cli import (
    DEMO_LABELS,
    FULL,
    SHORT,
    DemoLength,
    _demo,
    compare_models,
    main,
    pretraining_gain,
)
from msaestimator.datasets import load_apogee_xp, split_by_source_id
from msaestimator.estimators import DEFAULT_MODEL
from msaestimator.metrics import BoostingBaseline

# So few stars are too few to calibrate on.
pytestmark = pytest.mark.filterwarnings("ignore::msaestimator.exceptions.CalibrationWarning")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the demonstration once; return its folder and what it printed."""

    output = tmp_path_factory.mktemp("demo") / "results"
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        # Eight thousand trees are most of the time.
        patch.setattr(_demo, "BoostingBaseline", partial(BoostingBaseline, max_iter=3))
        status = main(["demo", "--epochs", "1", "--stars", "300", "--output", str(output)])
    assert status == 0
    return output, out.getvalue(), err.getvalue()


def test_writes_its_results(demo):
    output, _, _ = demo
    assert {path.name for path in output.iterdir()} == {
        "named_stars.ecsv",
        "scores.ecsv",
        "predictions.ecsv",
        "kiel.png",
        "residuals.png",
        "model",
    }
    for figure in ("kiel.png", "residuals.png"):
        assert (output / figure).read_bytes().startswith(b"\x89PNG")


def test_scores_every_model_on_both_halves(demo):
    scores = QTable.read(demo[0] / "scores.ecsv")
    models = ["fine-tuned MSA", "without pre-training", "gradient boosting"]
    assert list(dict.fromkeys(scores["model"])) == models
    assert len(scores) == len(models) * 2 * len(DEMO_LABELS)
    assert np.isfinite(scores["mae"]).all()


def test_predicts_the_test_stars_with_the_saved_model(demo):
    test = load_apogee_xp("test")
    predictions = QTable.read(demo[0] / "predictions.ecsv")
    np.testing.assert_array_equal(predictions["source_id"], test["source_id"])
    assert predictions["teff"].unit == "K"
    model = StellarParameterRegressor.from_pretrained(demo[0] / "model")
    np.testing.assert_allclose(
        predictions["teff"].value[:50],
        model.predict(model.reader_.without_unseen(test[:50]))[:, 0],
        rtol=1e-5,
    )


def test_prints_the_tables_and_the_verdict(demo):
    _, printed, _ = demo
    assert "300 real stars to learn from, 300 of them with labels" in printed
    assert "The two-half table" in printed
    for word in (*DEMO_LABELS, "gradient boosting", "fine-tuned MSA"):
        assert word in printed
    assert "Pre-training pays" in printed or "Pre-training does NOT pay" in printed


def test_begins_with_the_released_model(demo):
    output, printed, _ = demo
    assert printed.startswith(f"What the released model {DEFAULT_MODEL} says of ")
    answers = QTable.read(output / "named_stars.ecsv")
    assert split_by_source_id(answers["source_id"]).all()
    assert printed.index(answers["apogee_id"][0]) < printed.index("real stars to learn from")
    released = StellarParameterRegressor.from_pretrained(DEFAULT_MODEL)
    test = load_apogee_xp("test")
    row = np.flatnonzero(test["source_id"] == answers["source_id"][2])
    expected = released.predict_table(released.reader_.without_unseen(test[row]))["logg"]
    np.testing.assert_allclose(answers["logg"][2].value, expected.value[0], rtol=1e-5)


def test_shows_progress(demo):
    assert "pre-training: 100%" in demo[2]
    assert "fine-tuning: 100%" in demo[2]


@pytest.mark.parametrize(("pretrained", "gain"), [(0.5, 0.5), (1.0, 0.0), (2.0, -1.0)])
def test_gain_is_the_geometric_mean_of_smaller_errors(pretrained, gain):
    scores = QTable(
        {
            "model": ["fine-tuned MSA"] * 2 + ["without pre-training"] * 2,
            "half": ["full XP"] * 4,
            "mae": [4.0 * pretrained, 0.1 * pretrained, 4.0, 0.1],
        }
    )
    assert pretraining_gain(scores, "full XP") == pytest.approx(gain)


@pytest.fixture
def trained(monkeypatch):
    """Let `compare_models` train nothing; return what each model was given, by its name."""
    calls = []

    class Recorded:
        def __init__(self, *args, **parameters):
            self.parameters = parameters

        def fit(self, stars):
            calls.append((type(self).__name__, self.parameters.get("max_epochs"), stars))
            return self

    for name in ("MaskedStellarAutoencoder", "StellarParameterRegressor", "BoostingBaseline"):
        monkeypatch.setattr(_demo, name, type(name, (Recorded,), {}))
    monkeypatch.setattr(_demo, "two_half_table", lambda model, stars: QTable({"mae": [1.0]}))
    return calls


@pytest.mark.parametrize(
    ("length", "epochs", "n_labelled"),
    [
        (DemoLength(pretraining=3, fine_tuning=2, n_labelled=7), (3, 2), 7),
        (FULL, (None, None), 20),
    ],
)
def test_labels_are_learned_of_as_many_stars_as_asked(trained, length, epochs, n_labelled):
    stars = load_apogee_xp("train")[:20]
    compare_models(stars, stars, length, 0)
    names = [name for name, _, _ in trained]
    assert names == [
        "MaskedStellarAutoencoder",
        *["StellarParameterRegressor"] * 2,
        "BoostingBaseline",
    ]
    assert [call[1] for call in trained] == [epochs[0], epochs[1], epochs[1], None]
    assert [len(call[2]) for call in trained] == [20, n_labelled, n_labelled, n_labelled]


def test_learns_from_nothing_that_tells_of_a_hidden_spectrum(trained):
    stars = load_apogee_xp("train")[:20]
    assert {"g_mean_psf_mag", "parallax"} <= set(stars.colnames)
    compare_models(stars, stars, FULL, 0)
    for _, _, given in trained:
        assert {"bp_coefficients", "ks_m", "ebv", "teff", "teff_err"} <= set(given.colnames)
        assert not {"g_mean_psf_mag", "parallax"} & set(given.colnames)


@pytest.mark.parametrize(
    ("arguments", "length"),
    [
        ([], SHORT),
        (["--full"], FULL),
        (["--epochs", "4"], DemoLength(pretraining=4, fine_tuning=4, n_labelled=SHORT.n_labelled)),
        (["--full", "--epochs", "4"], DemoLength(pretraining=4, fine_tuning=4)),
    ],
)
def test_takes_its_length_from_the_options(monkeypatch, tmp_path, arguments, length):
    asked = {}
    monkeypatch.setattr(_demo, "run_demo", lambda output, **given: asked.update(given))
    assert main(["demo", *arguments, "--stars", "9", "--output", str(tmp_path)]) == 0
    assert asked == {"length": length, "n_stars": 9, "random_state": 0}
