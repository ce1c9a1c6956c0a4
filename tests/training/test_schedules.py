"""Learning rates are the formulas', batch by batch."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

from msaestimator.training import SCHEDULES, Schedule

FORMULAS = {
    "constant": lambda epoch, total: 1.0,
    "cosine": lambda epoch, total: (
        min(20 * epoch / total, 1.0) * math.cos(0.5 * math.pi * min(epoch / total, 1.0)) ** 2
    ),
    "cosine_plateau": lambda epoch, total: (
        min(20 * epoch / total, 1.0)
        * (max(math.cos(math.pi * epoch / total) ** 2, 0.3) if 2 * epoch < total else 0.3)
    ),
    # torch's own, see below, in the paper's numbers: 1e-4 to 1e-10 within an eighth.
    "cosine_restarts": lambda epoch, total: (
        (1e-10 + (1e-4 - 1e-10) * math.cos(math.pi / 2 * (8 * int(epoch) / total % 1)) ** 2) / 1e-4
    ),
    "exponential": lambda epoch, total: math.exp(int(epoch) * math.log(0.95)),
    "halving": lambda epoch, total: 2.0 ** -(int(epoch) // 10),
}


@pytest.mark.parametrize("name", sorted(SCHEDULES))
@given(
    n_batches=st.integers(0, 5000),
    max_epochs=st.integers(1, 100),
    batches_per_epoch=st.integers(1, 50),
)
def test_factors_are_the_formulas(name, n_batches, max_epochs, batches_per_epoch):
    # The rate of a batch is that of its middle.
    epoch = (n_batches + 0.5) / batches_per_epoch
    expected = FORMULAS[name](epoch, max_epochs)
    factor = Schedule(name, max_epochs, batches_per_epoch)(n_batches)
    assert factor == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.integers(1, 40), st.integers(1, 40))
def test_every_step_of_a_cosine_moves_the_weights(max_epochs, batches_per_epoch):
    schedule = Schedule("cosine", max_epochs, batches_per_epoch)
    factors = [schedule(n) for n in range(max_epochs * batches_per_epoch)]
    assert all(0 < factor <= 1 for factor in factors)


def test_cosine_rises_then_falls():
    factors = [Schedule("cosine", 100, 1)(n) for n in range(100)]
    assert factors[:5] == sorted(factors[:5])
    assert factors[5:] == sorted(factors[5:], reverse=True)


def test_restarts_are_torchs_own():
    """As Leung & Bovy (2024) train: 512 epochs from 1e-4 to 1e-10, eight times, by epoch."""
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1e-4)
    scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=512, eta_min=1e-10)
    schedule = Schedule("cosine_restarts", 4096, batches_per_epoch=3)
    for epoch in range(4096):
        rates = [1e-4 * schedule(3 * epoch + batch) for batch in range(3)]
        assert rates == pytest.approx([optimizer.param_groups[0]["lr"]] * 3, rel=1e-9)
        optimizer.step()
        scheduler.step()


@given(st.integers(1, 300), st.integers(1, 40))
def test_every_step_with_restarts_moves_the_weights(max_epochs, batches_per_epoch):
    schedule = Schedule("cosine_restarts", max_epochs, batches_per_epoch)
    factors = [schedule(n) for n in range(max_epochs * batches_per_epoch)]
    assert all(1e-6 <= factor <= 1 for factor in factors)
    assert factors[0] == 1


def test_every_schedule_has_a_formula_here():
    assert set(FORMULAS) == set(SCHEDULES)


def test_unknown_schedule():
    with pytest.raises(ValueError, match="must be one of .*'halving'.*, got 'step'"):
        Schedule("step", 10, 1)
