"""Released models are found by name, and a folder by its path."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import msaestimator
from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
    predict_from_gaia,
)
from msaestimator.datasets import load_apogee_xp
from msaestimator.exceptions import CheckpointError, MissingColumnWarning, SucceededModelWarning
from msaestimator.metrics import hide_xp, nmad
from msaestimator.saving import _released_models


@pytest.fixture
def released(regressor, generalist, tmp_path, monkeypatch):
    """The folder of released models, of which there is one."""
    for estimator in (regressor, generalist):
        estimator.save_pretrained(tmp_path / "weights" / "gaia-xp" / type(estimator).__name__)
    monkeypatch.setattr(_released_models, "RELEASED", tmp_path / "weights")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "weights"


PACKAGED = sorted(_released_models.RELEASED.glob("*/*/config.json"))
"""The real models, once they are trained."""


@pytest.mark.parametrize("config", PACKAGED, ids=lambda path: f"{path.parts[-3]}-{path.parts[-2]}")
def test_packaged_models_predict_whatever_is_missing(config):
    kind, name = config.parent.name, config.parent.parent.name
    model = getattr(msaestimator, kind).from_pretrained(name)
    stars = load_apogee_xp("test")[:300]
    bare = stars[[n for n in stars.colnames if n not in ("ebv", "j_m", "bp_coefficients")]]
    for sample, largest in ((stars, 0.4), (hide_xp(stars), 0.8), (bare, 0.8)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingColumnWarning)
            predicted = model.predict(sample)
        logg = predicted[:, model.labels_.index("logg")]
        assert nmad(stars["logg"].value, logg) < largest


@pytest.mark.parametrize("folder", sorted({path.parent.parent for path in PACKAGED}))
def test_packaged_models_are_small_and_have_a_card(folder):
    assert (folder / "MODEL_CARD.md").is_file()
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 14e6


def used_weights(model):
    """Return the number of weights that predict uses."""
    parts = model.module_.autoencoder, model.module_.head
    named = [item for part in parts for item in part.named_parameters()]
    return sum(w.numel() for name, w in named if not name.startswith(("decoder", "exit")))


def test_the_fast_model_answers_as_its_teacher_does():
    teacher, fast = map(StellarParameterRegressor.from_pretrained, ("gaia-xp", "gaia-xp-fast"))
    assert fast.labels_ == teacher.labels_
    assert fast.units_ == teacher.units_
    assert 4 * used_weights(fast) < used_weights(teacher)
    stars = teacher.reader_.without_unseen(load_apogee_xp("test"))
    for name in ("teff", "logg", "fe_h", "alpha_m"):
        column, truth = fast.labels_.index(name), stars[name].value
        errors = [nmad(truth, model.predict(stars)[:, column]) for model in (fast, teacher)]
        assert errors[0] < 1.2 * errors[1]


def test_a_name_of_before_is_that_of_the_successor(released, other_stars, monkeypatch):
    monkeypatch.setattr(_released_models, "SUCCESSORS", {"older": "gaia-xp"})
    with pytest.warns(SucceededModelWarning, match="'older' no longer ships: 'gaia-xp'") as seen:
        model = StellarParameterRegressor.from_pretrained("older")
    assert seen[0].filename == __file__
    assert model.predict_table(other_stars[:3]).meta["model"] == "gaia-xp"


def test_a_name_of_before_without_successor_is_unknown(released, monkeypatch):
    monkeypatch.setattr(_released_models, "SUCCESSORS", {"older": "newer"})
    with pytest.raises(CheckpointError, match="no folder 'older'"):
        StellarParameterRegressor.from_pretrained("older")


@pytest.mark.parametrize("which", ["regressor", "generalist"])
def test_by_name(request, released, other_stars, which):
    estimator = request.getfixturevalue(which)
    loaded = type(estimator).from_pretrained("gaia-xp")
    np.testing.assert_array_equal(loaded.predict(other_stars), estimator.predict(other_stars))


def test_a_name_goes_before_a_folder_of_that_name(released, regressor, make_regressor, stars):
    other = make_regressor(labels=("logg",), max_epochs=0).fit(stars)
    other.save_pretrained("gaia-xp")
    other.save_pretrained("mine")
    load = StellarParameterRegressor.from_pretrained
    assert load("gaia-xp").labels_ == regressor.labels_
    for folder in ("./gaia-xp", Path("gaia-xp"), "mine", Path("mine")):
        assert load(folder).labels_ == other.labels_


def test_stars_of_an_archive_in_one_call(
    make_regressor, stars, released, esa_is_here, loopback, catalogue, tmp_path
):
    bare = stars[[name for name in stars.colnames if name != "ebv"]]
    regressor = make_regressor(labels=("teff", "logg"), max_epochs=1).fit(bare)
    regressor.save_pretrained(released / "gaia-xp" / "StellarParameterRegressor")
    ids = np.array(catalogue["gaiadr3.gaia_source"]["source_id"])[[5, 3]]
    expected = regressor.predict_from_gaia(ids, loopback)
    for table in (
        predict_from_gaia(ids),
        predict_from_gaia(ids, loopback, model="gaia-xp"),
        predict_from_gaia(ids, model=released / "gaia-xp" / "StellarParameterRegressor"),
    ):
        assert table.colnames == expected.colnames
        assert table["source_id"].tolist() == ids.tolist()
        np.testing.assert_allclose(table["teff"].value, expected["teff"].value, rtol=1e-5)


@pytest.mark.parametrize("name", ["gaia_xp", "gaia-xq"])
def test_unknown_name(released, name):
    message = f"no folder '{name}', nor a released model of that name: there is gaia-xp. Did you"
    with pytest.raises(CheckpointError, match=message):
        StellarParameterRegressor.from_pretrained(name)


def test_a_path_is_no_name(released):
    for folder in ("./apogee_xp", Path("apogee_xp")):
        with pytest.raises(CheckpointError, match="There is no saved estimator in"):
            StellarParameterRegressor.from_pretrained(folder)


def test_no_model_of_that_kind(released):
    shutil.rmtree(released / "gaia-xp" / "StellarParameterRegressor")
    for kind in (MaskedStellarAutoencoder, StellarParameterRegressor):
        message = f"'gaia-xp' is of StellarFoundationModel, not of {kind.__name__}"
        with pytest.raises(CheckpointError, match=message):
            kind.from_pretrained("gaia-xp")


@pytest.mark.parametrize("name", ["gaia-xp", "folder"])
def test_autoencoder_of_a_regressor(released, regressor, other_stars, name):
    regressor.save_pretrained("folder")
    loaded = MaskedStellarAutoencoder.from_pretrained(name, device="cpu")
    expected = regressor.encoder_.transform(other_stars)
    np.testing.assert_array_equal(loaded.transform(other_stars), expected)
    loaded.save_pretrained("again")
    again = MaskedStellarAutoencoder.from_pretrained("again")
    np.testing.assert_array_equal(again.transform(other_stars), expected)


def test_autoencoder_of_an_ensemble(make_regressor, msa, stars, tmp_path):
    settings = {"ensemble": "independent", "max_epochs": 1}
    regressor = make_regressor(msa, **settings).fit(stars[:100])
    regressor.save_pretrained(tmp_path)
    loaded = MaskedStellarAutoencoder.from_pretrained(tmp_path)
    expected = regressor.encoder_.transform(stars)
    np.testing.assert_array_equal(loaded.transform(stars), expected)


def test_a_generalist_has_no_autoencoder(released):
    folder = released / "gaia-xp" / "StellarFoundationModel"
    with pytest.raises(CheckpointError, match="holds a StellarFoundationModel, not a Masked"):
        MaskedStellarAutoencoder.from_pretrained(folder)


@pytest.mark.parametrize("kind", [StellarParameterRegressor, StellarFoundationModel])
def test_on_a_device(released, other_stars, kind):
    model = kind.from_pretrained("gaia-xp", device="cpu")
    assert model.device == "cpu"
    assert getattr(model, "encoder_", model).device == "cpu"
    with pytest.raises(ValueError, match="`device` must be 'auto', 'cpu', 'cuda' or"):
        kind.from_pretrained("gaia-xp", device="gpu")


@pytest.mark.parametrize("encoder", ["gaia-xp", Path("folder")])
def test_an_encoder_by_name(released, make_regressor, msa, stars, weights, encoder):
    msa.save_pretrained("folder")
    settings = {"labels": ("logg",), "max_epochs": 1}
    by_name = make_regressor(encoder, **settings)
    assert clone(by_name).encoder == by_name.get_params()["encoder"] == encoder
    given = MaskedStellarAutoencoder.from_pretrained(encoder)
    by_name.fit(stars)
    assert weights(by_name) == weights(make_regressor(given, **settings).fit(stars))
    by_name.save_pretrained("mine")
    loaded = StellarParameterRegressor.from_pretrained("mine")
    assert loaded.encoder == str(encoder)
    np.testing.assert_array_equal(loaded.predict(stars), by_name.predict(stars))


def test_an_encoder_of_an_unknown_name(released, make_regressor, stars):
    with pytest.raises(CheckpointError, match="there is gaia-xp. Did you mean 'gaia-xp'"):
        make_regressor("gaia-xq").fit(stars)


def test_an_encoder_by_name_in_a_grid_search(released, make_regressor, stars):
    search = GridSearchCV(
        make_regressor(labels=("logg",), max_epochs=1), {"encoder": ["gaia-xp", None]}, cv=2
    )
    assert search.fit(stars[:60]).best_params_["encoder"] in ("gaia-xp", None)


def test_no_released_models_at_all(released):
    shutil.rmtree(released)
    with pytest.raises(CheckpointError, match="of that name: there is none"):
        StellarFoundationModel.from_pretrained("gaia-xp")
