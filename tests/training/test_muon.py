"""Orthogonal steps of weight matrices, and AdamW's of all else."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import polar
from torch import nn
from torch.optim import AdamW

from msaestimator.training._muon import LEAST_SIDE, Muon, orthogonalized


def matrix(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def steps(optimizer_class, parameters, gradients, **settings):
    """Return the parameters after a step along each of some gradients."""
    parameters = [nn.Parameter(p.clone()) for p in parameters]
    optimizer = optimizer_class(parameters, **settings)
    for gradient in gradients:
        for parameter, part in zip(parameters, gradient, strict=True):
            parameter.grad = part.clone()
        optimizer.step()
    return [p.detach() for p in parameters]


@given(
    st.integers(LEAST_SIDE, 60),
    st.integers(LEAST_SIDE, 60),
    st.integers(0, 99),
    st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_singular_values_are_alike_and_vectors_kept(n, m, seed, scale):
    # Of condition number ten: what the iteration reaches in its few rounds.
    u, _, v = torch.linalg.svd(matrix(n, m, seed=seed), full_matrices=False)
    given_values = torch.linspace(0.1, 1.0, min(n, m))
    made = orthogonalized(scale * (u * given_values) @ v)
    values = torch.diag(u.mT @ made @ v.mT)
    assert 0.65 < values.min() <= values.max() < 1.25
    assert torch.allclose(made, (u * values) @ v, atol=1e-4)


def test_near_the_closest_orthogonal_matrix():
    given_matrix = matrix(40, 20)
    exact, _ = polar(given_matrix.numpy())
    made = orthogonalized(given_matrix).numpy()
    cosine = (made * exact).sum() / np.linalg.norm(made) / np.linalg.norm(exact)
    assert cosine > 0.98


def test_transposed_and_stacked_matrices_alike():
    stack = matrix(3, 20, 30)
    made = orthogonalized(stack)
    for given_matrix, alone in zip(stack, made, strict=True):
        assert torch.allclose(orthogonalized(given_matrix), alone, atol=1e-5)
        assert torch.allclose(orthogonalized(given_matrix.mT).mT, alone, atol=1e-5)


def test_no_gradient_is_no_step():
    start = matrix(20, 20)
    (end,) = steps(Muon, [start], [[torch.zeros(20, 20)]], lr=0.1, weight_decay=0.0)
    assert torch.equal(start, end)


@pytest.mark.parametrize("shape", [(20, 80), (80, 20), (2, 30, 40)])
def test_first_step_is_the_orthogonal_gradient_of_adamws_usual_size(shape):
    gradient = matrix(*shape, seed=1)
    start = torch.zeros(shape)
    (end,) = steps(Muon, [start], [[gradient]], lr=0.01, weight_decay=0.0)
    length = 0.01 * 0.2 * math.sqrt(max(shape[-2:]))
    assert torch.allclose(end, -length * orthogonalized(gradient), atol=1e-6)
    assert float(end.square().mean().sqrt()) == pytest.approx(0.01 * 0.2, rel=0.2)


def test_second_step_is_of_nesterovs_mean():
    first, second = matrix(20, 30, seed=1), matrix(20, 30, seed=2)
    zero = torch.zeros(20, 30)
    (once,) = steps(Muon, [zero], [[first]], lr=1.0, weight_decay=0.0)
    (twice,) = steps(Muon, [zero], [[first], [second]], lr=1.0, weight_decay=0.0)
    mean = 0.95 * 0.05 * first + 0.05 * second
    expected = -0.2 * math.sqrt(30) * orthogonalized(0.95 * mean + 0.05 * second)
    assert torch.allclose(twice - once, expected, atol=1e-4)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has one since 2.9")
@pytest.mark.parametrize("shape", [(40, 20), (20, 40)])
def test_steps_as_that_of_torch(shape):
    gradients = [[matrix(*shape, seed=k)] for k in range(3)]
    settings = {"lr": 0.1, "weight_decay": 0.1}
    (ours,) = steps(Muon, [matrix(*shape)], gradients, **settings)
    theirs = partial(torch.optim.Muon, adjust_lr_fn="match_rms_adamw")
    (expected,) = steps(theirs, [matrix(*shape)], gradients, **settings)
    # Theirs is computed in bfloat16.
    assert torch.allclose(ours, expected, atol=2e-3)
    assert not torch.allclose(ours, matrix(*shape), atol=2e-2)


def test_weights_decay_apart_from_the_step():
    start, gradient = matrix(20, 20), [[matrix(20, 20, seed=1)]]
    (free,) = steps(Muon, [start], gradient, lr=0.1, weight_decay=0.0)
    (decayed,) = steps(Muon, [start], gradient, lr=0.1, weight_decay=0.5)
    assert torch.allclose(free - decayed, 0.1 * 0.5 * start, atol=1e-6)


@pytest.mark.parametrize("shape", [(20,), (LEAST_SIDE - 1, 50), (50, LEAST_SIDE - 1), (30, 1, 40)])
def test_what_is_no_wide_matrix_is_adamws(shape):
    parameters = [matrix(*shape), matrix(20, 20)]
    gradients = [[matrix(*shape, seed=k), matrix(20, 20, seed=9 + k)] for k in range(3)]
    settings = {"lr": 0.05, "weight_decay": 0.1}
    ours, theirs = (steps(kind, parameters, gradients, **settings) for kind in (Muon, AdamW))
    assert torch.equal(ours[0], theirs[0])
    assert not torch.allclose(ours[1], theirs[1], atol=1e-2)


def test_takes_a_closure_as_any_optimizer():
    weight = nn.Parameter(matrix(20, 20))
    optimizer = Muon([weight], lr=0.2, weight_decay=0.0)

    def closure():
        optimizer.zero_grad()
        loss = weight.square().mean()
        loss.backward()
        return loss

    losses = [float(optimizer.step(closure).detach()) for _ in range(30)]
    assert losses[-1] < 0.2 * losses[0]
