"""Answers say which model they are from, and models are told apart."""

import copy
import pickle
import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import FunctionTransformer

import msaestimator
from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)
from msaestimator.schema import StarTable

KINDS = (MaskedStellarAutoencoder, StellarParameterRegressor, StellarFoundationModel)
FIXTURES = ("msa", "regressor", "generalist")


@pytest.fixture(scope="module")
def released():
    """The released models, by class."""
    return {kind: kind.from_pretrained("gaia-xp") for kind in KINDS}


@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.ToldRequestWarning")
@pytest.mark.parametrize(
    "ask",
    [
        lambda models, stars: models[StellarParameterRegressor].predict_table(stars),
        lambda models, stars: models[StellarFoundationModel].request(stars, "logg"),
        lambda models, stars: models[StellarFoundationModel].sample(stars, "logg", random_state=0),
        lambda models, stars: models[StellarFoundationModel].spectrum(stars),
        lambda models, stars: models[MaskedStellarAutoencoder].reconstruct(stars),
    ],
)
def test_every_table_says_where_it_is_from(released, other_stars, ask):
    features = other_stars.copy()
    features.keep_columns(
        [n for n in features.colnames if not n.startswith(("alpha", "parallax"))]
    )
    features.meta = {"GAIA_RELEASE": "Gaia DR3", "gaia_date": "2026-11-28"}
    meta = ask(released, features).meta
    assert meta["model"] == "gaia-xp"
    assert meta["scale"] == "APOGEE DR17"
    assert meta["version"] == f"msaestimator {msaestimator.__version__}"
    assert (meta["release"], meta["received"]) == ("Gaia DR3", "2026-11-28")
    assert meta["model_id"] in {model.fingerprint for model in released.values()}
    assert re.fullmatch("[0-9a-f]{16}", meta["model_id"])


def test_what_an_archive_told_is_noted(regressor, loopback, catalogue):
    ids = np.array(catalogue["gaiadr3.gaia_source"]["source_id"])[:3]
    meta = regressor.predict_from_gaia(ids, loopback, dust_map="sfd-lowres").meta
    assert meta["model"] == "StellarParameterRegressor"
    assert (meta["release"], meta["service"]) == ("Gaia DR3", loopback.service.title)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", meta["received"])


def test_the_same_question_has_the_same_answer(regressor, other_stars):
    first, second = (regressor.predict_table(other_stars).meta for _ in range(2))
    assert first == second


def test_a_folder_gives_its_name(regressor, other_stars, tmp_path):
    regressor.save_pretrained(tmp_path / "mine")
    loaded = StellarParameterRegressor.from_pretrained(tmp_path / "mine")
    assert loaded.predict_table(other_stars).meta["model"] == "mine"
    assert "scale" not in loaded.predict_table(other_stars).meta


@pytest.mark.parametrize("fixture", FIXTURES)
def test_a_fingerprint_is_the_same_however_a_model_came(request, fixture, tmp_path):
    model = request.getfixturevalue(fixture)
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path, device="cpu")
    loaded.set_params(verbose=3, inference_batch_size=7, lr=1.0)
    for other in (loaded, pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        other.__dict__.pop("_fingerprint", None)
        assert other.fingerprint == model.fingerprint


@pytest.mark.parametrize("kind", KINDS)
def test_a_released_model_that_is_saved_stays_itself(released, kind, tmp_path):
    released[kind].save_pretrained(tmp_path / "copy")
    loaded = kind.from_pretrained(tmp_path / "copy")
    assert loaded.fingerprint == released[kind].fingerprint
    assert loaded.label_scale == "APOGEE DR17"
    assert loaded.card == released[kind].card


def test_models_have_fingerprints_of_their_own(request, make_regressor, msa, stars, tmp_path):
    models = [request.getfixturevalue(fixture) for fixture in FIXTURES]
    models += [make_regressor(msa, max_epochs=1, random_state=n).fit(stars) for n in range(2)]
    models[0].save_pretrained(tmp_path, dtype="float16")
    models.append(MaskedStellarAutoencoder.from_pretrained(tmp_path))
    assert len({model.fingerprint for model in models}) == len(models)


def test_training_on_and_calibrating_make_another(make_regressor, msa, stars, other_stars):
    model = make_regressor(msa, max_epochs=1, warm_start=True).fit(stars)
    seen = [model.fingerprint]
    for go_on in (model.fit, model.calibrate, model.fit):
        go_on(stars)
        seen.append(model.fingerprint)
    assert len(set(seen)) == len(seen)
    assert msa.fingerprint != model.encoder_.fingerprint


def test_what_is_trained_on_is_no_released_model(make_regressor, stars, tmp_path):
    model = StellarParameterRegressor.from_pretrained("gaia-xp")
    model.set_params(labels=("teff", "logg"), resample_labels=(), label_weights=None)
    model.set_params(encoder="gaia-xp", max_epochs=0, calibration_fraction=0.0).fit(stars)
    assert model.label_scale is None
    assert model.predict_table(stars).meta["model"] == "StellarParameterRegressor"
    assert "# StellarParameterRegressor" in model.card
    tuned = make_regressor("gaia-xp", max_epochs=0).fit(stars[:60])
    assert tuned.encoder_.card != StellarParameterRegressor.from_pretrained("gaia-xp").card


def test_surveys_tell_the_scale(make_regressor, msa, stars, tmp_path):
    survey = np.where(np.arange(len(stars)) % 3 == 0, "galah", "apogee")
    model = make_regressor(msa, max_epochs=1).fit(stars, survey=survey)
    assert model.predict_table(stars).meta["scale"] == "apogee"
    model.save_pretrained(tmp_path)
    assert StellarParameterRegressor.from_pretrained(tmp_path).label_scale == "apogee"


def test_parts_of_ones_own_count(make_regressor, make_msa, stars):
    class Own(BaseEstimator):
        def __init__(self, factor=1.0):
            self.factor = factor

        def fit(self, truth, quantiles, groups, extra):
            self.slope_ = self.factor
            return self

        def predict(self, quantiles, groups, extra, levels):
            return quantiles

    x = np.random.default_rng(0).normal(size=(300, 5))
    seen = set()
    for factor in (1.0, 2.0, 2.0):
        model = make_regressor(
            make_msa(preprocessor=FunctionTransformer(feature_names_out="one-to-one")),
            calibrator=Own(factor),
            labels=("logg",),
            max_epochs=1,
            calibration_fraction=0.3,
        ).fit(x, 3 + x[:, 0] / 2)
        seen.add(model.fingerprint)
    assert len(seen) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["card", "fingerprint", "valid_ranges"])
def test_an_unfitted_model_has_none(kind, name):
    with pytest.raises(NotFittedError):
        getattr(kind(), name)


def test_meta_of_stars_is_not_changed(regressor, other_stars):
    stars = StarTable(other_stars, meta={"gaia_date": "2026-11-28"})
    regressor.predict_table(stars)
    assert stars.meta == {"gaia_date": "2026-11-28"}
