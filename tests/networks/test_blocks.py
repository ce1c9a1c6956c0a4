"""Residual blocks against their formula in numpy."""

import numpy as np
import pytest
import torch
from scipy.special import ndtr

from msaestimator.networks import PreNormBlock, ResidualBlock, residual_stack


def layer_norm(x, norm):
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt(x.var(axis=-1, keepdims=True) + norm.eps)
    return scaled * norm.weight.detach().numpy() + norm.bias.detach().numpy()


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def linear(x, layer):
    assert layer.bias is None
    return x @ layer.weight.detach().numpy().T


def by_hand(block, x):
    first, first_norm, _, _, second, second_norm = block.body
    hidden = elu(layer_norm(linear(x, first), first_norm))
    hidden = layer_norm(linear(hidden, second), second_norm)
    if isinstance(block.skip, torch.nn.Identity):
        return elu(hidden + x)
    return elu(hidden + layer_norm(linear(x, block.skip[0]), block.skip[1]))


def with_random_norms(module):
    """Give each LayerNorm a scale and shift of its own, so that none can stand in for another."""
    for layer in module.modules():
        if isinstance(layer, torch.nn.LayerNorm):
            torch.nn.init.normal_(layer.weight)
            torch.nn.init.normal_(layer.bias)
    return module


@pytest.mark.parametrize(("n_in", "n_out"), [(6, 6), (6, 4), (3, 8)])
def test_equals_the_formula(double, n_in, n_out):
    block = with_random_norms(ResidualBlock(n_in, n_out, dropout=0.5)).eval()
    x = torch.randn(9, n_in)
    np.testing.assert_allclose(block(x).detach(), by_hand(block, x.numpy()), atol=1e-12)


@pytest.mark.parametrize(
    ("n_in", "n_out", "n_parameters"), [(8, 8, 2 * 64 + 4 * 8), (8, 4, 32 + 16 + 32 + 6 * 4)]
)
def test_each_layer_has_a_norm_of_its_own(n_in, n_out, n_parameters):
    block = ResidualBlock(n_in, n_out, dropout=0.0)
    assert sum(p.numel() for p in block.parameters()) == n_parameters


@pytest.mark.parametrize(("n_in", "n_out"), [(3, 3), (3, 2)])
def test_derivatives(double, n_in, n_out):
    block = ResidualBlock(n_in, n_out, dropout=0.0)
    assert torch.autograd.gradcheck(block, torch.randn(2, n_in, requires_grad=True))


def test_dropout_acts_in_training_alone():
    block = ResidualBlock(6, 6, dropout=0.5)
    x = torch.randn(4, 6)
    assert torch.any(block(x) != block(x))
    block.eval()
    assert torch.all(block(x) == block(x))


def test_a_stack_is_its_blocks_in_turn():
    stack = residual_stack(5, [4, 4, 3], dropout=0.0, block="mckay2025")
    assert [(b.body[0].in_features, b.body[0].out_features) for b in stack] == [
        (5, 4),
        (4, 4),
        (4, 3),
    ]
    x = torch.randn(2, 5)
    expected = x
    for block in stack:
        expected = block(expected)
    torch.testing.assert_close(stack(x), expected, rtol=0, atol=0)


@pytest.mark.parametrize("block", ["prenorm", "mckay2025"])
def test_huge_inputs_stay_finite(block):
    stack = residual_stack(4, [4, 3], dropout=0.0, block=block)
    assert torch.isfinite(stack(torch.full((2, 4), 1e15))).all()


@pytest.mark.parametrize(("n_in", "n_out"), [(6, 6), (6, 4)])
def test_a_pre_norm_block_adds_to_its_input(double, n_in, n_out):
    block = with_random_norms(PreNormBlock(n_in, n_out, dropout=0.5)).eval()
    x = torch.randn(9, n_in)
    norm, first, _, _, second = block.body
    z = x.numpy()
    z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)
    z = z * norm.weight.detach().numpy() + norm.bias.detach().numpy()
    z = z @ first.weight.detach().numpy().T + first.bias.detach().numpy()
    z = z * ndtr(z)
    z = z @ second.weight.detach().numpy().T + second.bias.detach().numpy()
    passed = x if n_in == n_out else block.skip(x)
    np.testing.assert_allclose(block(x).detach(), passed.detach().numpy() + z, atol=1e-12)


def test_a_pre_norm_stack_ends_in_a_norm():
    stack = residual_stack(4, [4, 8], dropout=0.0, block="prenorm")
    output = stack(torch.randn(5, 4)).detach()
    np.testing.assert_allclose(output.mean(1), 0, atol=1e-6)
    np.testing.assert_allclose(output.var(1, unbiased=False), 1, atol=1e-3)
