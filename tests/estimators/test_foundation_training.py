"""The generalist's training: what counts in it, settings, stopping and resuming."""

import warnings

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from msaestimator import StellarFoundationModel
from msaestimator.exceptions import CheckpointError
from msaestimator.schema import GAIA_DR3, ZHANG2026

LABEL_NAMES = ["teff", "logg", "fe_h"]
LABELS = {name[:4] for name in LABEL_NAMES}


def test_stars_of_which_nothing_is_known_teach_nothing(make_generalist, few, weights):
    more = few[list(range(len(few))) + [0, 1]]
    for name in more.colnames:
        more[name][-2:] = np.nan
    assert weights(make_generalist().fit(more)) == weights(make_generalist().fit(few))


def test_the_same_again(make_generalist, few, fitted, weights):
    assert weights(make_generalist().fit(few)) == weights(fitted)
    assert weights(make_generalist(random_state=7).fit(few)) != weights(fitted)
    before = torch.random.get_rng_state()
    make_generalist().fit(few)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_errors_of_measurements_count(make_generalist, few, fitted, weights):
    worse = few.copy()
    worse["teff_err"] *= 10
    unknown = few.copy()
    for name in LABEL_NAMES:
        unknown[f"{name}_err"][:] = np.nan
    without = few[[name for name in few.colnames if not name.endswith("_err")]]
    assert weights(make_generalist().fit(worse)) != weights(fitted)
    assert weights(make_generalist().fit(unknown)) == weights(make_generalist().fit(without))


@pytest.mark.parametrize(
    "changes",
    [
        {"resample_noise": True},
        {"request_by": "token"},
        {"block_dropout": 0.5},
        {"block_dropout": {"label": 0.9, "bp": 0.1}},
        {"n_inputs": (0, 3)},
        {"n_requests": 500},
        {"asinh": False},
        {"beta": 0.0},
        {"embedding_scale": None},
        {"dropout": 0.3},
        {"lr_schedule": "cosine_restarts"},
        {"gradient_clip": None},
        {"encoder_heads": (), "encoder_widths": ()},
    ],
    ids=str,
)
def test_settings_that_train(make_generalist, few, fitted, weights, changes):
    model = make_generalist(**changes).fit(few)
    assert np.isfinite(model.predict(few)).all()
    assert np.isfinite(model.net_.history[:, "train_loss"]).all()
    assert weights(model) != weights(fitted)


def test_optimizer_is_muon_unless_told(make_generalist, few, weights):
    """Of networks with matrices wide enough for it."""
    wide = {"embedding_dim": 16}
    default, muon, adamw = (
        weights(make_generalist(**wide | chosen).fit(few))
        for chosen in ({}, {"optimizer": "muon"}, {"optimizer": "adamw"})
    )
    assert default == muon
    assert default != adamw


def test_no_epochs(make_generalist, few):
    model = make_generalist(max_epochs=0).fit(few)
    assert np.isfinite(model.predict(few)).all()
    assert not hasattr(model, "net_")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_inputs": (5, 3)}, r"`n_inputs` must be a fewest and a most .* got \(5, 3\)"),
        ({"n_inputs": (-1, 3)}, "`n_inputs` must be"),
        ({"n_inputs": (0, 0)}, "`n_inputs` must be"),
        ({"n_inputs": 5}, "`n_inputs` must be .* got 5"),
        ({"n_inputs": (1, 2, 3)}, "`n_inputs` must be"),
        ({"n_requests": 0}, "`n_requests` must be at least 1, got 0"),
        ({"request_by": "star"}, "`request_by` must be one of 'block', 'token', got 'star'"),
        ({"block_dropout": 1.5}, r"`block_dropout` must be between 0 and 1, got 1\.5"),
        ({"block_dropout": {"bp": -0.1}}, r"`block_dropout` must be between .* got {'bp': -0\.1}"),
        ({"block_dropout": {"labels": 0.5}}, r"blocks .*\(bp, .* got 'labels'.* mean 'label'\?"),
        ({"beta": 2}, "`beta` must be between 0 and 1, got 2"),
        ({"embedding_scale": 0.0}, r"`embedding_scale` must be positive or None, got 0\.0"),
        ({"dropout": -0.1}, "`dropout` must be between 0 and 1"),
        ({"encoder_heads": (3,)}, r"`encoder_heads` must .* divide `embedding_dim` \(8\)"),
        ({"decoder_heads": (2,)}, "`decoder_heads` must have as many blocks as `decoder_widths`"),
        ({"encoder_heads": (0,)}, "`encoder_heads` must"),
        ({"max_epochs": -1}, "`max_epochs` must be at least 0, got -1"),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
        ({"inference_batch_size": 0}, "`inference_batch_size` must be at least 1"),
        ({"lr_schedule": "linear"}, "`lr_schedule`|schedule"),
        ({"precision": "float16"}, "`precision` must be"),
        ({"device": "abacus"}, "abacus"),
    ],
    ids=str,
)
def test_bad_parameters(make_generalist, few, changes, message):
    with pytest.raises(ValueError, match=message):
        make_generalist(**changes).fit(few)


@pytest.mark.parametrize("bad", [{"vocabulary": ("teff", "logg")}, {"vocabulary": GAIA_DR3}])
def test_what_is_no_vocabulary(make_generalist, few, bad):
    with pytest.raises(TypeError, match="`vocabulary` must be a Vocabulary"):
        make_generalist(**bad).fit(few)


def test_warm_start_goes_on(make_generalist, few, fitted, weights):
    model = make_generalist().fit(few)
    scaler = model.scaler_
    model.set_params(warm_start=True, random_state=1)
    model.fit(few[:60])
    assert model.scaler_ is scaler
    assert weights(model) != weights(fitted)
    assert weights(model.set_params(max_epochs=0).fit(few)) == weights(model)


def test_warm_start_takes_labels_as_the_first_fit_does(make_generalist, few, weights):
    features, labels = few[[n for n in few.colnames if n[:4] not in LABELS]], few[LABEL_NAMES]
    settings = {"warm_start": True, "labels": LABEL_NAMES}
    first, second = (make_generalist(**settings).fit(features, labels) for _ in range(2))
    first.fit(features, labels)
    second.fit(features, np.column_stack([labels[name].value for name in LABEL_NAMES]))
    assert weights(first) == weights(second)
    with pytest.raises(ValueError, match=r"the labels must stay \('teff', 'logg', 'fe_h'\)"):
        first.set_params(labels=["teff"]).fit(features, labels[["teff"]])


def test_early_stopping(make_generalist, few):
    model = make_generalist(
        max_epochs=200, early_stopping=True, n_iter_no_change=2, lr=0.3, lr_schedule="constant"
    ).fit(few)
    assert len(model.net_.history) < 200
    assert np.isfinite(model.net_.history[:, "valid_loss"]).all()


class Stop(Callback):
    """Raise once some epochs are over and in the checkpoint."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 4:
            raise RuntimeError("power cut")


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_stopped_training_ends_where_an_uninterrupted_one_does(
    make_generalist, few, weights, tmp_path, early_stopping
):
    def make(**changes):
        return make_generalist(max_epochs=6, dropout=0.2, early_stopping=early_stopping, **changes)

    path = tmp_path / "checkpoint"
    with pytest.raises(RuntimeError, match="power cut"):
        make(checkpoint=path, callbacks=[("stop", Stop())]).fit(few)
    resumed, whole = make(checkpoint=path).fit(few), make().fit(few)
    assert resumed.net_.n_epochs_resumed == 3
    assert weights(resumed) == weights(whole)
    losses = [model.net_.history[:, "train_loss"] for model in (resumed, whole)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    "changes", [{"n_requests": 4}, {"vocabulary": ZHANG2026}, {"n_inputs": (1, 9)}], ids=str
)
def test_a_checkpoint_of_other_parameters(make_generalist, few, tmp_path, changes):
    path = tmp_path / "checkpoint"
    make_generalist(max_epochs=1, checkpoint=path).fit(few)
    with pytest.raises(CheckpointError, match=r"of another run: `\w+` is "):
        make_generalist(max_epochs=1, checkpoint=path, **changes).fit(few)


def test_no_warning_of_what_is_unknown(few):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        StellarFoundationModel.from_preset("default", max_epochs=1, n_requests=1).fit(few[:8])
