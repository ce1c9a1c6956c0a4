"""The generalist in pipelines and searches, saved and loaded, with presets and in bfloat16."""

import json

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline

from msaestimator import MaskedStellarAutoencoder, StellarFoundationModel
from msaestimator.exceptions import CheckpointError, ColumnError
from msaestimator.preprocessing import StellarFeatures, XPCoefficientScaler
from msaestimator.schema import GENERALIST, ZHANG2026, StarTable, Token

LABELS = ["teff", "logg", "fe_h"]

pytestmark = [
    # loky replaces a worker whose memory has grown, and says so.
    pytest.mark.filterwarnings("ignore:A worker stopped while some jobs:UserWarning"),
    # Everything is asked for, told or not.
    pytest.mark.filterwarnings("ignore::msaestimator.exceptions.ToldRequestWarning"),
]


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_pipeline(make_generalist, stars, other_stars, output):
    pipeline = make_pipeline(
        StellarFeatures(), XPCoefficientScaler(), make_generalist()
    ).set_output(transform=output)
    pipeline.fit(stars, stars[LABELS])
    assert pipeline.predict(other_stars).shape == (100, 3)
    assert np.isfinite(pipeline.score(other_stars, other_stars[LABELS]))
    model = pipeline[-1]
    assert model.labels_ == tuple(LABELS)
    assert not model.fitted_on_table_
    n_coefficients = sum(token.startswith(("normalized", "x")) for token in model.trained_tokens)
    assert n_coefficients >= 110
    assert model.request(pipeline[:-1].transform(other_stars), "teff")["teff"].unit == "K"


def test_pipelines_of_arrays_and_frames_are_the_same(make_generalist, stars):
    predicted = [
        make_pipeline(StellarFeatures(), XPCoefficientScaler(), make_generalist(max_epochs=1))
        .set_output(transform=output)
        .fit(stars, stars[LABELS])
        .predict(stars)
        for output in ("default", "pandas")
    ]
    np.testing.assert_array_equal(*predicted)


def test_as_a_step_before_another(make_generalist, few):
    pipeline = make_pipeline(make_generalist(), KNeighborsRegressor())
    y = np.linspace(0, 1, len(few))
    assert pipeline.fit(few, y).predict(few).shape == y.shape
    frame = pipeline[0].set_output(transform="pandas").transform(few)
    assert list(frame.columns) == [f"vector{i}" for i in range(8)]


def test_splitting(generalist, stars):
    train, test = train_test_split(stars, test_size=0.25, random_state=0)
    assert (len(train), len(test)) == (225, 75)
    assert np.isfinite(generalist.score(test))


@pytest.mark.parametrize("with_y", [False, True])
def test_grid_search(make_generalist, few, with_y):
    search = GridSearchCV(
        make_generalist(labels=["teff", "logg"], max_epochs=1),
        {"n_requests": [2, 4], "vocabulary": [None, ZHANG2026]},
        cv=2,
        error_score="raise",
    ).fit(few, few[["teff", "logg"]] if with_y else None)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(few).shape == (100, 2)


def test_cross_validation(make_generalist, few):
    scores = cross_val_score(make_generalist(), few, cv=3, error_score="raise")
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()


def test_clones_and_parameters(fitted, few):
    copied = clone(fitted)
    assert not hasattr(copied, "module_")
    assert copied.get_params() == fitted.get_params()
    copied.set_params(n_requests=3, vocabulary=ZHANG2026)
    assert (copied.n_requests, copied.vocabulary) == (3, ZHANG2026)
    assert (fitted.n_requests, fitted.vocabulary) == (8, None)
    np.testing.assert_array_equal(clone(fitted).fit(few).predict(few), fitted.predict(few))
    with pytest.raises(ValueError, match="Invalid parameter 'n_request'"):
        copied.set_params(n_request=3)


def test_every_parameter_is_stored_as_it_is():
    parameters = StellarFoundationModel().get_params()
    marks = {name: object() for name in parameters}
    assert StellarFoundationModel(**marks).get_params(deep=False) == marks


def test_joblib_round_trip(generalist, other_stars, tmp_path):
    joblib.dump(generalist, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(other_stars), generalist.predict(other_stars))


def test_saved_and_loaded_is_the_same_to_the_bit(generalist, other_stars, weights, tmp_path):
    generalist.save_pretrained(tmp_path / "first")
    loaded = StellarFoundationModel.from_pretrained(tmp_path / "first")
    assert weights(loaded) == weights(generalist)
    words = generalist.words
    names = words["name"][words["can_be_asked"]].tolist()
    first, second = generalist.request(other_stars, names), loaded.request(other_stars, names)
    for name in first.colnames:
        np.testing.assert_array_equal(first[name], second[name])
    np.testing.assert_array_equal(loaded.predict(other_stars), generalist.predict(other_stars))
    assert loaded.score(other_stars) == generalist.score(other_stars)
    loaded.save_pretrained(tmp_path / "second")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "first" / name).read_bytes() == (
            tmp_path / "second" / name
        ).read_bytes()


def test_a_vocabulary_of_ones_own_is_saved(make_generalist, few, tmp_path):
    vocabulary = GENERALIST.with_tokens(Token("vsini", "km / s", log=True, error_floor=0.1))
    more = few.copy()
    more["vsini"] = np.linspace(5, 50, len(few))
    more["is_odd"] = np.arange(len(few)) % 2
    model = make_generalist(vocabulary=vocabulary, labels=("vsini",), max_epochs=1).fit(more)
    model.save_pretrained(tmp_path)
    loaded = StellarFoundationModel.from_pretrained(tmp_path)
    assert loaded.vocabulary == loaded.vocabulary_ == vocabulary
    np.testing.assert_array_equal(loaded.predict(more), model.predict(more))
    assert loaded.request(few, "vsini")["vsini"].unit == "km / s"


def test_a_matrix_is_saved(make_generalist, tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 3))
    model = make_generalist(max_epochs=1).fit(x, x[:, 0])
    model.save_pretrained(tmp_path)
    loaded = StellarFoundationModel.from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert loaded.predict(x).shape == (40,)


def test_altered_files_are_refused(fitted, tmp_path):
    fitted.save_pretrained(tmp_path)
    weights, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="is absent, truncated or altered"):
        StellarFoundationModel.from_pretrained(tmp_path)
    weights.write_bytes(content)
    description = json.loads(config.read_text())
    description["estimator"]["parameters"]["embedding_dim"] = 16
    config.write_text(json.dumps(description))
    with pytest.raises(CheckpointError, match="another schema or architecture"):
        StellarFoundationModel.from_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="holds a StellarFoundationModel, not a Masked"):
        MaskedStellarAutoencoder.from_pretrained(tmp_path)


def test_an_unfitted_one_is_not_saved(make_generalist, tmp_path):
    with pytest.raises(ValueError, match="not fitted yet"):
        make_generalist().save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.PrecisionWarning")
def test_the_preset_of_the_paper(stars):
    model = StellarFoundationModel.from_preset(
        "zhang2026",
        embedding_dim=16,
        encoder_widths=(16, 8),
        decoder_widths=(16, 8, 8),
        head_widths=(16, 8),
        max_epochs=1,
        device="cpu",
        random_state=0,
    )
    paper = {
        "n_inputs": (5, 64),
        "n_requests": 1,
        "lr": 1e-4,
        "batch_size": 1024,
        "precision": "bfloat16",
        "lr_schedule": "cosine_restarts",
        "decoder_heads": (16, 8, 4),
    }
    assert paper.items() <= model.get_params().items()
    model.fit(stars[:64])
    assert len(model.vocabulary_) == 120
    assert model.labels_ == ("teff", "logg")
    with pytest.raises(ColumnError, match="and bp_rp it only tells"):
        model.request(stars[:64], "bp_rp")
    answer = model.request(stars[:64], ["teff", "j_h", "relative_bp_1"])
    assert all(np.isfinite(answer[name]).all() for name in answer.colnames)


@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.PrecisionWarning")
def test_bfloat16_is_close_to_float32(fitted, few):
    names = ["teff", "logg", "bp_rp"]
    exact = fitted.request(few, names)
    half = clone(fitted).set_params(precision="bfloat16").fit(few)
    half.module_.load_state_dict(fitted.module_.state_dict())
    rough = half.request(few, names)
    for name in names:
        difference = ((rough[name] - exact[name]) / exact[f"{name}_err"]).value
        assert 0 < abs(difference).max() < 0.1
    assert half.predict(few).dtype == fitted.predict(few).dtype == np.float64
    assert half.transform(few).dtype == np.float32


def test_repr(make_generalist):
    text = repr(make_generalist(vocabulary=ZHANG2026))
    assert "StellarFoundationModel" in text
    assert StarTable.__name__ not in text
