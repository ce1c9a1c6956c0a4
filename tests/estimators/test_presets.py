"""The thesis's settings, number by number, and its networks' sizes."""

import numpy as np
import pytest
import torch

from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
    estimators,
)
from msaestimator.estimators import PRESETS
from msaestimator.preprocessing import StarReader
from msaestimator.schema import GAIA_DR3
from msaestimator.uncertainty import IntervalModel

MCKAY_AUTOENCODER = {
    "hidden_widths": (2048, 2048, 1024, 1024, 512, 512, 256, 256),
    "d_embedding": 16,
    "n_frequencies": 48,
    "sentinel": -9999.0,
    "mask_ratio": 0.6,
    "xp_mask_ratio": 0.9,
    "loss": "l1",
    "lr": 1e-5,
    "lr_schedule": "exponential",
    "batch_size": 1024,
    "max_epochs": 80,
}
MCKAY_REGRESSOR = {
    "labels": ("teff", "logg", "fe_h", "alpha_fe", "age", "parallax"),
    "quantiles": (0.16, 0.5, 0.84),
    "mask_ratio": 0.6,
    "xp_mask_ratio": 0.9,
    "prediction_weight": 0.8,
    "reconstruction_weight": 0.2,
    "encoder_lr": 1e-5,
    "batch_size": 512,
    "max_epochs": 100,
}
KINDS = (MaskedStellarAutoencoder, StellarParameterRegressor, StellarFoundationModel)


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture
def thesis_encoder():
    """The thesis's autoencoder on its 138 features, without memory for its weights."""
    encoder = MaskedStellarAutoencoder.from_preset("mckay2025")
    encoder.reader_ = StarReader(GAIA_DR3)
    encoder.reader_.schema_, encoder.reader_.feature_names_ = GAIA_DR3, GAIA_DR3.names
    encoder.contrasts_ = {}
    with torch.device("meta"):
        encoder.module_ = encoder._build_module()
    return encoder


def test_autoencoder_has_the_thesis_settings():
    settings = MaskedStellarAutoencoder.from_preset("mckay2025").get_params(deep=False)
    assert MCKAY_AUTOENCODER.items() <= settings.items()


def test_regressor_has_the_thesis_settings_and_encoder():
    regressor = StellarParameterRegressor.from_preset("mckay2025")
    assert MCKAY_REGRESSOR.items() <= regressor.get_params(deep=False).items()
    assert MCKAY_AUTOENCODER.items() <= regressor.encoder.get_params(deep=False).items()


def test_the_thesis_feeds_coefficients_that_no_flux_divides():
    steps = MaskedStellarAutoencoder.from_preset("mckay2025").preprocessor.named_steps
    assert list(steps) == ["stellarfeatures", "robustscaler"]


def test_autoencoder_is_of_the_thesis_size(thesis_encoder):
    assert n_parameters(thesis_encoder.module_) == 53_784_704


def test_head_is_of_the_thesis_size(thesis_encoder):
    regressor = StellarParameterRegressor.from_preset("mckay2025", n_members=1)
    regressor.encoder_, regressor.intervals_ = thesis_encoder, IntervalModel()
    regressor.intervals_.labels_ = regressor.labels
    with torch.device("meta"):
        head = regressor._build_module().head
    assert n_parameters(head) == 7_481_618


def test_a_small_net_learns_with_the_thesis_settings(stars):
    encoder = MaskedStellarAutoencoder.from_preset(
        "mckay2025", hidden_widths=(16, 8), n_frequencies=4, d_embedding=4, max_epochs=2
    ).fit(stars)
    regressor = StellarParameterRegressor.from_preset(
        "mckay2025", encoder=encoder, labels=("teff", "logg"), head_widths=(8,), max_epochs=2
    ).fit(stars)
    assert np.isfinite(regressor.predict(stars)).all()
    assert not any("normalized" in name for name in encoder.feature_names_)
    assert np.isfinite(regressor.net_.history[:, "train_loss"]).all()


@pytest.mark.parametrize("kind", [MaskedStellarAutoencoder, StellarParameterRegressor])
def test_changes_and_defaults(kind):
    assert kind.from_preset("mckay2025", lr=0.5).lr == 0.5
    assert (
        kind.from_preset("default").get_params(deep=False).keys()
        == kind().get_params(deep=False).keys()
    )


@pytest.mark.parametrize(
    ("kind", "paper"), [*zip(KINDS, ("mckay2025", "mckay2025", "zhang2026"), strict=True)]
)
def test_unknown_preset(kind, paper):
    """What is offered instead are the estimator's own presets, each of which works."""
    message = rf"must be one of \['default', '{paper}'\], got '{paper[:5]}'.*mean '{paper}'\?"
    with pytest.raises(ValueError, match=message):
        kind.from_preset(paper[:5])
    for name in ("default", paper):
        kind.from_preset(name)


@pytest.mark.parametrize(
    ("kind", "preset", "others"),
    [
        (StellarFoundationModel, "mckay2025", "MaskedStellarAutoencoder, StellarParameterReg"),
        (MaskedStellarAutoencoder, "zhang2026", "StellarFoundationModel"),
    ],
)
def test_a_preset_of_another_estimator(kind, preset, others):
    with pytest.raises(ValueError, match=f"{preset!r} is of {others}.*, not of {kind.__name__}"):
        kind.from_preset(preset)


def test_presets_name_parameters_that_exist():
    for preset in PRESETS.values():
        for name, settings in preset.items():
            kind = getattr(estimators, name)
            assert settings.keys() <= kind().get_params(deep=False).keys()


def test_a_changed_estimator_leaves_the_preset_as_it_is():
    first = MaskedStellarAutoencoder.from_preset("mckay2025")
    first.preprocessor.set_params(robustscaler__with_centering=False)
    second = MaskedStellarAutoencoder.from_preset("mckay2025")
    assert second.preprocessor.get_params()["robustscaler__with_centering"]
