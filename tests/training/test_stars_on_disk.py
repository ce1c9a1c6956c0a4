"""Batches of stars that are read piece by piece."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.training import StarsOnDisk, star_batches
from msaestimator.training import _plan as plan_module

SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=12)


class Numbered:
    """Pieces whose only feature is a star's number, and whose targets tell the epoch too."""

    def __init__(self, sizes):
        self.sizes = np.array(sizes)
        self.starts = np.cumsum(sizes) - sizes

    def read(self, piece, epoch):
        numbers = np.float32(self.starts[piece] + np.arange(self.sizes[piece]))[:, None]
        return [numbers, numbers + 10_000 * np.float32(epoch)]

    def read_ids(self, piece):
        return 1000 + self.starts[piece] + np.arange(self.sizes[piece])

    @property
    def identity(self):
        return {"stars": [self.sizes]}


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(plan_module, "WINDOW", 40)


def numbers_of(batches):
    """Return the numbers of the stars of each batch."""
    return [np.rint(x[:, 0].numpy()).astype(int) for x, _ in batches]


@given(SIZES, st.integers(1, 70), st.integers(1, 9))
def test_every_star_comes_once_an_epoch_in_whole_batches(sizes, size, epoch):
    stars = StarsOnDisk(Numbered(sizes), seed=3)
    stars.begin(epoch)
    batches = star_batches(stars, size, shuffle=True)
    drawn = numbers_of(batches)
    assert [len(batch) for batch in drawn[:-1]] == [size] * (len(drawn) - 1)
    assert len(drawn) == len(batches)
    assert sorted(np.concatenate(drawn)) == list(range(sum(sizes)))


def test_epochs_differ_and_come_again():
    stars = StarsOnDisk(Numbered([9] * 20), seed=3)
    seen = {}
    for epoch in (1, 2, 1):
        stars.begin(epoch)
        x, y = (torch.cat(parts) for parts in zip(*stars.batches(25), strict=True))
        np.testing.assert_array_equal(y - x, 10_000 * epoch)
        order = x[:, 0].tolist()
        assert seen.setdefault(epoch, order) == order
    assert seen[1] != seen[2]


def test_neighbours_in_a_file_are_apart():
    """Of 20 pieces of 10, few of a batch of 20 are followed by their neighbour."""
    drawn = np.concatenate(numbers_of(StarsOnDisk(Numbered([10] * 20), seed=3).batches(20)))
    assert (np.diff(drawn) == 1).mean() < 0.1
    assert len(np.unique(drawn[:20] // 10)) > 2


@given(SIZES, st.integers(1, 20), st.integers(0, 5))
def test_ids_are_those_of_the_batch(sizes, size, number):
    batches = star_batches(StarsOnDisk(Numbered(sizes), seed=3), size, shuffle=True)
    number %= len(batches)
    drawn = numbers_of(batches)[number]
    assert sorted(batches.ids_of(number)) == sorted(1000 + drawn)


@given(st.lists(st.integers(5, 30), min_size=4, max_size=12), st.integers(2, 9))
def test_processes_have_as_many_batches_and_no_star_in_common(sizes, size):
    stars = StarsOnDisk(Numbered(sizes), seed=3)
    parts = [numbers_of(stars.batches(size, rank, 2)) for rank in range(2)]
    assert {len(part) for part in parts} == {stars.n_batches(size, 2)}
    for first, second in zip(*parts, strict=True):
        assert len(first) + len(second) == size
    drawn = np.concatenate([*parts[0], *parts[1]])
    assert len(np.unique(drawn)) == len(drawn)


def test_processes_need_pieces():
    with pytest.raises(ValueError, match="3 processes need as many row groups, .* 10 stars in 2"):
        StarsOnDisk(Numbered([5, 5]), seed=3).batches(4, 0, 3)


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.99])
def test_stars_held_out_are_never_trained_on(fraction):
    whole = StarsOnDisk(Numbered([9] * 20), seed=3)
    training, validation = whole.split(fraction, seed=5)
    held_out = validation.tensors[0][:, 0].numpy()
    np.testing.assert_array_equal(validation.tensors[1], validation.tensors[0])
    assert len(held_out) == np.ceil(fraction * 180).clip(max=179)
    drawn = np.concatenate(numbers_of(training.batches(25)))
    assert sorted([*drawn, *held_out]) == list(range(180))
    ids = [training.ids_of(number, 25) for number in range(training.n_batches(25))]
    assert sorted(np.concatenate(ids) - 1000) == sorted(drawn)


def test_stars_that_were_left_out_are_neither_trained_on_nor_held_out():
    left_out = {2: np.array([0, 4]), 7: np.arange(9)}
    whole = StarsOnDisk(Numbered([9] * 10), 3, left_out)
    training, validation = whole.split(0.3, seed=5)
    held_out = validation.tensors[0][:, 0].numpy()
    drawn = np.concatenate(numbers_of(training.batches(25)))
    there = np.setdiff1d(np.arange(90), [18, 22, *range(63, 72)])
    assert len(held_out) == np.ceil(0.3 * len(there))
    assert sorted([*drawn, *held_out]) == there.tolist()
    ids = [training.ids_of(number, 25) for number in range(training.n_batches(25))]
    assert sorted(np.concatenate(ids) - 1000) == sorted(drawn)
    assert whole.left_out == left_out


class Weighed(Numbered):
    """Pieces whose stars have weights in an epoch, by their numbers."""

    def read(self, piece, epoch):
        x, y = super().read(piece, epoch)
        return [x, y, x[:, 0] + 0.5] if epoch else [x, y]


def test_weights_come_with_the_targets():
    stars = StarsOnDisk(Weighed([9] * 10), seed=3)
    for x, (_, weights) in stars.batches(25):
        np.testing.assert_array_equal(weights, x[:, 0] + 0.5)
    assert len(stars.split(0.3, seed=5)[1].tensors) == 2


def test_stars_held_out_are_from_all_over_and_few():
    _, validation = StarsOnDisk(Numbered([2_000] * 50), seed=3).split(0.9, seed=5)
    held_out = validation.tensors[0][:, 0].numpy()
    assert len(held_out) == 20_000
    assert len(np.unique(held_out // 2_000)) == 50


@pytest.mark.parametrize("fraction", [0.0, 1.0, 2])
def test_a_fraction_that_is_none(fraction):
    with pytest.raises(ValueError, match="`validation_fraction` must be between 0 and 1, got"):
        StarsOnDisk(Numbered([9]), seed=3).split(fraction, seed=5)
