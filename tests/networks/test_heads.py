"""Quantiles never cross, members never meet."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.networks import (
    MaskedAutoencoder,
    MemberLinear,
    QuantileHead,
    QuantileRegressor,
)

odd = st.integers(0, 5).map(lambda n: 2 * n + 1)


def head_of(n_quantiles=3, n_members=1, widths=(7, 5), dropout=0.0):
    return QuantileHead(
        4, 2, widths, n_quantiles=n_quantiles, n_members=n_members, dropout=dropout
    )


def softplus(x):
    return np.logaddexp(0.0, x)


def one_member(head, member, latent):
    """Return the quantiles of one member by plain linear layers, one step outwards at a time."""

    def layer(linears, x):
        return torch.nn.functional.linear(x, linears.weight[member].T, linears.bias[member, 0])

    hidden = latent
    for linears in head.hidden:
        if isinstance(linears, MemberLinear):
            hidden = layer(linears, hidden).relu()
    outputs = [layer(x, hidden).detach().numpy() for x in (head.median, head.below, head.above)]
    median, below, above = (np.stack(np.split(x, head.n_labels, axis=1), axis=1) for x in outputs)
    lower = [median[..., 0]]
    upper = [median[..., 0]]
    for step in range(below.shape[-1]):
        lower.insert(0, lower[0] - softplus(below[..., step]))
        upper.append(upper[-1] + softplus(above[..., step]))
    return np.stack(lower[:-1] + upper, axis=-1)


def test_an_input_of_all_members_is_that_of_each(double):
    layer = MemberLinear(3, 5, 2)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(4, 5)
    expected = layer(x.expand(3, 4, 5))
    assert expected.shape == (3, 4, 2)
    torch.testing.assert_close(layer(x), expected)


def test_thesis_size():
    with torch.device("meta"):
        head = QuantileHead(
            256, 6, [2048, 2048, 1024, 512, 256], n_quantiles=3, n_members=1, dropout=0
        )
    assert sum(parameter.numel() for parameter in head.parameters()) == 7_481_618


@pytest.mark.parametrize("n_quantiles", [1, 3, 5])
@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("widths", [[], [7], [7, 5]])
def test_equals_a_loop_over_members(double, n_quantiles, n_members, widths):
    head = head_of(n_quantiles, n_members, widths)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    latent = torch.randn(6, 4)
    found = head(latent).detach().numpy()
    assert found.shape == (6, n_members, 2, n_quantiles)
    for member in range(n_members):
        np.testing.assert_allclose(found[:, member], one_member(head, member, latent), atol=1e-12)


@given(
    n_quantiles=odd,
    n_members=st.integers(1, 3),
    scale=st.sampled_from([0.0, 1.0, 100.0, 1e6]),
    seed=st.integers(0, 2**32 - 1),
)
def test_quantiles_never_cross(n_quantiles, n_members, scale, seed):
    torch.manual_seed(seed)
    quantiles = head_of(n_quantiles, n_members)(scale * torch.randn(10, 4))
    assert quantiles.shape == (10, n_members, 2, n_quantiles)
    assert torch.isfinite(quantiles).all()
    assert torch.all(quantiles.diff(dim=-1) >= 0)


def test_the_middle_quantile_is_the_median_layer(double):
    head, latent = head_of(5), torch.randn(6, 4)
    expected = head.median(head.hidden(latent[None]))[0]
    torch.testing.assert_close(head(latent)[:, 0, :, 2], expected)


def test_members_start_different():
    quantiles = head_of(3, n_members=2)(torch.randn(6, 4))
    assert torch.all(quantiles[:, 0] != quantiles[:, 1])


@pytest.mark.parametrize("member", [0, 1, 2])
def test_a_members_weights_change_its_output_alone(member):
    head, latent = head_of(3, n_members=3), torch.randn(6, 4)
    before = head(latent)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter[member] += 0.5
    changed = (head(latent) != before).flatten(2).all(dim=2)
    assert changed.tolist() == [[index == member for index in range(3)]] * 6


def test_a_members_loss_has_no_gradient_to_the_others():
    head = head_of(3, n_members=3)
    head(torch.randn(6, 4))[:, 1].sum().backward()
    for parameter in head.parameters():
        assert torch.all(parameter.grad[[0, 2]] == 0)
    assert head.median.weight.grad[1].abs().sum() > 0


def test_initial_weights_are_xavier_normal_and_biases_zero():
    layer = MemberLinear(2, 300, 100)
    assert torch.all(layer.bias == 0)
    for weight in layer.weight:
        assert abs(weight.std().item() / np.sqrt(2 / 400) - 1) < 0.03
        assert abs(weight.mean().item()) < 0.002


def test_dropout_acts_in_training_alone():
    head, latent = head_of(dropout=0.5), torch.randn(6, 4)
    assert torch.any(head(latent) != head(latent))
    head.eval()
    assert torch.all(head(latent) == head(latent))


def test_derivatives(double):
    head = head_of(5, n_members=2)
    assert torch.autograd.gradcheck(head, torch.randn(2, 4, requires_grad=True))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_quantiles_have_at_least_single_precision(dtype, expected):
    head = head_of(3).to(dtype)
    assert head(torch.randn(2, 4, dtype=dtype)).dtype == expected


def test_no_star():
    assert head_of(3, n_members=2)(torch.empty(0, 4)).shape == (0, 2, 2, 3)


def test_repr_tells_the_sizes():
    assert "n_members=2, n_in=300, n_out=100" in repr(MemberLinear(2, 300, 100))


def test_without_reconstruction_the_quantiles_are_the_same():
    autoencoder = MaskedAutoencoder(
        4, 3, [6, 5], d_embedding=2, n_frequencies=2, frequency_scale=0.1, dropout=0.0
    )
    head = QuantileHead(5, 2, (4,), n_quantiles=3, n_members=2, dropout=0.0)
    x = torch.randn(3, 4)
    both = QuantileRegressor(autoencoder, head)(x)
    quantiles, reconstruction = QuantileRegressor(autoencoder, head, reconstructs=False)(x)
    assert reconstruction is None
    torch.testing.assert_close(quantiles, both[0])
