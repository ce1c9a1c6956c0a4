"""Periodic embeddings, feature by feature, and what stands for a missing value."""

import numpy as np
import pytest
import torch

from msaestimator.networks import PeriodicEmbedding

NAN = float("nan")


def by_hand(embedding, x):
    """Return ReLU(W_f [cos 2 pi c x, sin 2 pi c x] + l_f x + b_f), one by one."""
    frequencies, weight, bias = (
        p.detach().numpy() for p in (embedding.frequencies, embedding.weight, embedding.bias)
    )
    slope = np.zeros_like(bias) if embedding.slope is None else embedding.slope.detach().numpy()
    vectors = np.empty((*x.shape, bias.shape[1]))
    for star, feature in np.ndindex(*x.shape):
        angle = 2 * np.pi * frequencies[feature] * x[star, feature]
        waves = np.concatenate([np.cos(angle), np.sin(angle)])
        straight = slope[feature] * x[star, feature] + bias[feature]
        vectors[star, feature] = np.maximum(waves @ weight[feature] + straight, 0)
    return vectors


@pytest.fixture
def embedding(double):
    return PeriodicEmbedding(5, d_embedding=4, n_frequencies=3, frequency_scale=0.5)


@pytest.mark.parametrize("sentinel", [None, -9999.0])
@pytest.mark.parametrize("linear_term", [True, False])
def test_equals_the_formula(double, sentinel, linear_term):
    embedding = PeriodicEmbedding(5, 4, 3, 0.5, sentinel, linear_term)
    x = torch.randn(7, 5)
    np.testing.assert_allclose(embedding(x).detach(), by_hand(embedding, x.numpy()), atol=1e-12)


def test_missing_is_the_learned_vector_of_its_feature(embedding):
    x = torch.randn(6, 5)
    missing = torch.rand(6, 5) < 0.4
    vectors = embedding(x.masked_fill(missing, NAN)).detach()
    expected = np.where(
        missing[:, :, None], embedding.missing.detach(), by_hand(embedding, x.numpy())
    )
    np.testing.assert_allclose(vectors, expected, atol=1e-12)


def test_sentinel_is_a_value_like_any_other(double):
    embedding = PeriodicEmbedding(5, 4, 3, 0.5, sentinel=-9999.0)
    assert not hasattr(embedding, "missing")
    x = torch.full((1, 5), NAN)
    written = torch.full((1, 5), -9999.0)
    torch.testing.assert_close(embedding(x), embedding(written), rtol=0, atol=0)


def test_gradients_of_a_missing_feature_reach_its_vector_alone(embedding):
    x = torch.randn(6, 5)
    x[:, 2] = NAN
    embedding(x).sum().backward()
    observed = [0, 1, 3, 4]
    for parameter in (embedding.frequencies, embedding.weight, embedding.bias):
        assert torch.all(parameter.grad[2] == 0)
        assert parameter.grad[observed].abs().sum() > 0
    assert torch.all(embedding.missing.grad[2] == 6)  # once a star
    assert torch.all(embedding.missing.grad[observed] == 0)
    assert all(torch.isfinite(p.grad).all() for p in embedding.parameters())


def test_sentinel_swamps_the_frequencies_gradients_and_the_vector_does_not(double):
    """The reason for the learned vector."""

    def largest_gradient(sentinel):
        torch.manual_seed(0)
        embedding = PeriodicEmbedding(1, 4, 8, 0.01, sentinel)
        embedding(torch.tensor([[0.5], [NAN]])).sum().backward()
        return embedding.frequencies.grad.abs().max()

    assert largest_gradient(-9999.0) > 1000 * largest_gradient(None)


def test_derivatives(embedding):
    x = torch.randn(3, 5, requires_grad=True)
    assert torch.autograd.gradcheck(embedding, x)


def test_derivatives_to_the_parameters(embedding):
    x = torch.randn(3, 5)
    x[0, 1] = NAN
    names = [name for name, _ in embedding.named_parameters()]

    def vectors(*parameters):
        named = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(embedding, named, x)

    parameters = tuple(p.detach().requires_grad_() for p in embedding.parameters())
    assert torch.autograd.gradcheck(vectors, parameters)


def test_a_feature_depends_on_its_own_value_alone(embedding):
    jacobian = torch.autograd.functional.jacobian(embedding, torch.randn(1, 5))[0, :, :, 0]
    reach = jacobian.abs().sum(dim=1)
    assert torch.all(reach.fill_diagonal_(0) == 0)


def test_initial_frequencies_are_a_normal_cut_at_three_sigma():
    frequencies = PeriodicEmbedding(200, 1, 100, frequency_scale=0.01).frequencies
    assert frequencies.abs().max() <= 0.03
    # A normal cut at three sigma has 0.9866 of its standard deviation.
    assert abs(frequencies.std().item() / 0.009866 - 1) < 0.02
    assert abs(frequencies.mean().item()) < 3e-4


def test_new_parameters_differ(embedding):
    before = {name: p.detach().clone() for name, p in embedding.named_parameters()}
    embedding.reset_parameters(0.5)
    assert all(torch.any(p != before[name]) for name, p in embedding.named_parameters())


@pytest.mark.parametrize("x", [0.0, -0.0, 1e-30, 1e10, -3.4e38])
def test_any_finite_value_has_a_finite_vector(x):
    embedding = PeriodicEmbedding(2, 4, 3, 0.01)
    vectors = embedding(torch.full((1, 2), x))
    vectors.sum().backward()
    assert torch.isfinite(vectors).all()


def test_no_star():
    assert PeriodicEmbedding(5, 4, 3, 0.01)(torch.empty(0, 5)).shape == (0, 5, 4)


def test_repr_tells_the_sizes(embedding):
    assert "n_features=5, d_embedding=4, n_frequencies=3" in repr(embedding)
