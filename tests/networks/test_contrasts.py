"""Fixed combinations of features: what they are, and when they are missing."""

import numpy as np
import pytest
import torch

from msaestimator.networks import Contrasts, MaskedAutoencoder

NAN = float("nan")
WEIGHTS = np.array([[1.0, 0.0], [-1.0, 2.0], [0.0, 0.5]], dtype=np.float32)


@pytest.fixture
def contrasts():
    return Contrasts(WEIGHTS, [0.25, 0.0])


def test_are_linear(contrasts):
    x = torch.randn(5, 3)
    expected = x.numpy() @ WEIGHTS - np.array([0.25, 0.0])
    np.testing.assert_allclose(contrasts(x), expected, atol=1e-6)


def test_are_missing_with_any_feature_in_them_and_no_other(contrasts):
    x = torch.tensor([[NAN, 1.0, 2.0], [1.0, NAN, 2.0], [1.0, 1.0, NAN]])
    missing = contrasts(x).isnan().tolist()
    assert missing == [[True, False], [True, True], [False, True]]


def test_are_neither_trained_nor_rounded_with_the_weights(contrasts):
    assert list(contrasts.parameters()) == []
    assert contrasts.state_dict() == {}


def test_small_differences_of_large_numbers_survive_bfloat16():
    contrasts = Contrasts([[1.0], [-1.0]], [0.0])
    x = torch.tensor([[15.0, 14.99]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert contrasts(x).item() == pytest.approx(0.01, rel=1e-3)


def test_the_autoencoder_sees_them(contrasts):
    sizes = {"d_embedding": 3, "n_frequencies": 2, "frequency_scale": 0.1, "dropout": 0.0}
    autoencoder = MaskedAutoencoder(3, 3, [4], contrasts=contrasts, **sizes)
    assert autoencoder.embedding.weight.shape[0] == 5
    x = torch.randn(2, 3)
    before = autoencoder(x)
    contrasts.weights.mul_(2)
    assert (autoencoder(x) != before).any()
