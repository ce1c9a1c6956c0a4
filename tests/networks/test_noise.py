"""Noise of the measurement errors, before features are hidden."""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp, kstest, norm

from msaestimator.networks import GroupMask, NoisyMask

N_STARS, N_FEATURES = 3000, 4


@pytest.fixture
def x():
    features = torch.arange(N_FEATURES).repeat(N_STARS, 1) + 10.0
    errors = torch.arange(N_FEATURES).repeat(N_STARS, 1) / 4.0
    return torch.cat([features, errors], dim=1)


@pytest.fixture
def noisy():
    return NoisyMask(GroupMask(range(N_FEATURES), [0.0, 0.0, 0.0, 0.5]))


@pytest.mark.parametrize("feature", [1, 2])
def test_noise_is_normal_of_a_fraction_of_the_error(x, noisy, feature):
    (shown,), _ = noisy(x)
    rng = np.random.default_rng(0)
    expected = rng.random(100_000) * rng.normal(size=100_000) * feature / 4
    assert ks_2samp(shown[:, feature] - x[:, feature], expected).pvalue > 1e-6


def test_a_star_has_one_fraction_for_all_its_features():
    x = torch.cat([torch.zeros(3, 20_000), torch.ones(3, 20_000)], dim=1)
    (shown,), _ = NoisyMask(GroupMask([0] * 20_000, [0.0]))(x)
    deviations = shown.std(dim=1)
    assert deviations.max() < 1
    for noise, deviation in zip(shown, deviations, strict=True):
        assert kstest(noise, norm(0, deviation).cdf).pvalue > 1e-6


def test_a_feature_without_error_is_as_it_was(x, noisy):
    (shown,), _ = noisy(x)
    assert torch.all(shown[:, 0] == 10.0)


def test_what_is_hidden_is_of_the_features_alone(x, noisy):
    (shown,), hidden = noisy(x)
    assert shown.shape == hidden.shape == (N_STARS, N_FEATURES)
    torch.testing.assert_close(shown.isnan(), hidden)
    assert 0.4 < hidden[:, 3].float().mean() < 0.6


def test_what_is_missing_stays_missing(x, noisy):
    x[:, 1] = torch.nan
    (shown,), _ = noisy(x)
    assert shown[:, 1].isnan().all()


def test_draws_anew_and_leaves_the_stars_alone(x, noisy):
    before = x.clone()
    first, second = (noisy(x)[0][0][:, 2] for _ in range(2))
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1]) < 5 / N_STARS**0.5
    torch.testing.assert_close(x, before)
