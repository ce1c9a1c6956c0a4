"""The pseudo-luminosity of scaled features."""

import numpy as np
import pytest
import torch

from msaestimator.networks import MaskedAutoencoder, PseudoLuminosity
from msaestimator.schema import pseudo_luminosity

ZERO, UNIT = (14.0, 1.5), (2.0, 0.5)


@pytest.fixture
def part():
    return PseudoLuminosity([2, 0], ZERO, UNIT, center=0.5, width=2.0)


def test_is_that_of_magnitude_and_parallax(part):
    x = torch.randn(50, 3)
    magnitude, parallax = x[:, 2].numpy() * 2.0 + 14.0, x[:, 0].numpy() * 0.5 + 1.5
    expected = np.arcsinh(pseudo_luminosity(parallax, magnitude) / 100.0)
    np.testing.assert_allclose(part(x)[:, 0], (expected - 0.5) / 2.0, rtol=1e-5)
    assert part(x).shape == (50, len(part))


def test_is_missing_with_either(part):
    x = torch.zeros(3, 3)
    x[0, 0] = x[1, 2] = x[2, 1] = torch.nan
    assert part(x)[:, 0].isnan().tolist() == [True, True, False]


def test_does_not_change_with_distance(part):
    """A star at twice the distance has half the parallax and 5 log10(2) more magnitudes."""
    near = torch.tensor([[1.0, 0.0, -0.5]])
    parallax, magnitude = near[0, 0] * 0.5 + 1.5, near[0, 2] * 2.0 + 14.0
    far = near.clone()
    far[0, 0] = (parallax / 2 - 1.5) / 0.5
    far[0, 2] = (magnitude + 5 * np.log10(2) - 14.0) / 2.0
    torch.testing.assert_close(part(near), part(far))


def test_is_one_more_input_of_an_autoencoder(part):
    settings = {"d_embedding": 2, "n_frequencies": 2, "frequency_scale": 0.1, "dropout": 0.0}
    torch.manual_seed(0)
    module = MaskedAutoencoder(3, 3, (4,), luminosity=part, **settings)
    assert module.entrance.in_features == 4 * 2
    x = torch.randn(5, 3)
    assert module(x).shape == (5, 3)
    assert not any("luminosity" in name for name in module.state_dict())
