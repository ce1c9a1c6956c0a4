"""Ensembles of whole networks, beside those of heads on one network."""

import numpy as np
import pytest
import torch

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp

SMALL = {
    "labels": ("teff", "logg"),
    "max_epochs": 1,
    "head_widths": (8,),
    "random_state": 0,
    "calibration_fraction": 0.0,
}


@pytest.fixture(scope="module")
def stars():
    return load_apogee_xp("train")[:120]


@pytest.fixture(scope="module")
def encoder(stars):
    return MaskedStellarAutoencoder(hidden_widths=(16, 8), max_epochs=1, random_state=0).fit(stars)


@pytest.fixture(scope="module")
def fitted(stars, encoder):
    return StellarParameterRegressor(encoder, ensemble="independent", n_members=3, **SMALL).fit(
        stars
    )


def weights(regressor, pattern):
    return {n: v for n, v in regressor.module_.state_dict().items() if pattern in n}


def test_members_share_nothing(fitted):
    entrances = [v for n, v in weights(fitted, "entrance.weight").items()]
    assert len(entrances) == 3
    assert not torch.equal(entrances[0], entrances[1])


def test_all_start_from_the_pre_training(stars, encoder):
    regressor = StellarParameterRegressor(
        encoder, ensemble="independent", n_members=2, **{**SMALL, "max_epochs": 0}
    ).fit(stars)
    for name, value in weights(regressor, "autoencoder").items():
        own = name.split("autoencoder.")[1]
        assert torch.equal(value, encoder.module_.state_dict()[own])
    heads = list(weights(regressor, "head.hidden.0.weight").values())
    assert not torch.equal(heads[0], heads[1])


def test_without_pre_training_each_has_first_weights_of_its_own(stars):
    regressor = StellarParameterRegressor(
        ensemble="independent", n_members=2, **{**SMALL, "max_epochs": 0}
    ).fit(stars)
    first, second = weights(regressor, "entrance.weight").values()
    assert not torch.equal(first, second)


def test_quantiles_are_those_of_the_members(fitted, stars):
    features = torch.from_numpy(fitted.reader_.transform(stars[:5]).values)
    together = fitted.module_.quantiles(features)
    assert together.shape == (5, 3, 2, 3)
    for index, member in enumerate(fitted.module_.members):
        torch.testing.assert_close(together[:, index], member.quantiles(features)[:, 0])


def test_is_saved_and_loaded(fitted, stars, tmp_path):
    fitted.save_pretrained(tmp_path)
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded.predict(stars), fitted.predict(stars))


def test_trains_on_with_warm_start(stars, encoder):
    regressor = StellarParameterRegressor(
        encoder, ensemble="independent", n_members=2, warm_start=True, **SMALL
    ).fit(stars)
    before = regressor.predict(stars)
    assert np.abs(regressor.fit(stars).predict(stars) - before).max() > 0


def test_unknown_kind(stars):
    with pytest.raises(ValueError, match="one of 'shared', 'independent', got 'bagged'"):
        StellarParameterRegressor(ensemble="bagged", **SMALL).fit(stars)
