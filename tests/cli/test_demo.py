"""The demonstration, on few stars and for one epoch."""

import contextlib
import io
from functools import partial

import numpy as np
import pytest
from astropy.table import QTable

from msaestimator import StellarParameterRegressor
from msaestimator.cli import DEMO_LABELS, _demo, main, pretraining_gain
from msaestimator.datasets import load_apogee_xp
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
        predictions["teff"].value[:50], model.predict(test[:50])[:, 0], rtol=1e-5
    )


def test_prints_the_tables_and_the_verdict(demo):
    _, printed, _ = demo
    assert "300 real stars to learn from" in printed
    assert "The two-half table" in printed
    for word in (*DEMO_LABELS, "gradient boosting", "fine-tuned MSA"):
        assert word in printed
    assert "Pre-training pays" in printed or "Pre-training does NOT pay" in printed


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
