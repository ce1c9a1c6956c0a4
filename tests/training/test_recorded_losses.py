"""Losses come into the history late and together where reading them costs, and all the same."""

import math

import numpy as np
import pytest
import torch
from skorch.history import History

from msaestimator.training import Processes, ReconstructionObjective
from msaestimator.training import _recorded_losses as recorded
from msaestimator.training._recorded_losses import READ_EVERY, RecordedLosses


class LostObjective(ReconstructionObjective):
    """A loss that is no number."""

    def forward(self, *args):
        return super().forward(*args) * math.nan


ALONE = Processes()
CPU, GPU = torch.device("cpu"), torch.device("cuda")


def record(device, n_batches, processes=ALONE):
    """Return a history of losses 0, 1, … of 10, 11, … stars, and what was there after each."""
    history = History()
    history.new_epoch()
    losses = RecordedLosses(history, "train", processes, device)
    known = []
    for n in range(n_batches):
        history.new_batch()
        losses.add(torch.tensor(float(n), requires_grad=True), 10 + n)
        known.append(sum("train_loss" in batch for batch in history[-1]["batches"]))
    losses.flush()
    return history, known


@pytest.mark.parametrize(("device", "every"), [(CPU, 1), (GPU, READ_EVERY)])
def test_all_are_recorded_some_at_a_time(device, every):
    history, known = record(device, 40)
    assert history[-1, "batches", :, "train_loss"] == list(range(40))
    assert history[-1, "batches", :, "train_batch_size"] == list(range(10, 50))
    assert known == [n // every * every for n in range(1, 41)]


def test_nothing_is_no_error():
    history, _ = record(CPU, 0)
    assert history[-1]["batches"] == []


def test_is_the_mean_over_the_stars_of_all(monkeypatch):
    """Of another process with losses that are larger by 3 and three times the stars."""

    def add_other(self, sums):
        loss, n_stars = sums[0] / sums[1], sums[1]
        sums += torch.stack([(loss + 3) * 3 * n_stars, 3 * n_stars])

    monkeypatch.setattr(Processes, "sum", add_other)
    history, _ = record(CPU, 20, Processes(0, 2))
    expected = np.arange(20) + 3 * 0.75
    np.testing.assert_allclose(history[-1, "batches", :, "train_loss"], expected, rtol=1e-6)
    assert history[-1, "batches", :, "train_batch_size"] == [4 * (10 + n) for n in range(20)]


def test_a_lost_loss_that_is_read_late_ends_the_training(make_net, data, monkeypatch):
    """The history of all batches of the epoch is read at its end alone."""
    original = recorded.RecordedLosses.__init__

    def read_late(self, *args):
        original(self, *args)
        self.every = 1000

    monkeypatch.setattr(recorded.RecordedLosses, "__init__", read_late)
    net = make_net(criterion=LostObjective(range(6), 1, hidden_only=False))
    with pytest.raises(FloatingPointError, match="got nan in epoch 1"):
        net.partial_fit(data)
