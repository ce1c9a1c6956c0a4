"""The order of stars on disk: every one once, the same for the same seed, shared by processes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.training import plan
from msaestimator.training._plan import WINDOW

SIZES = st.lists(st.integers(1, WINDOW), min_size=1, max_size=40).map(np.array)


@given(SIZES, st.integers(0, 2**32 - 1), st.integers(1, 99))
def test_one_process_reads_every_piece_once(sizes, seed, epoch):
    windows = plan(seed, epoch, 0, 1, sizes)
    assert sorted(np.concatenate(windows)) == list(range(len(sizes)))


@given(SIZES, st.integers(1, 5))
def test_processes_read_as_many_pieces_each_and_none_in_common(sizes, world):
    read = [np.concatenate(plan(3, 1, rank, world, sizes)) for rank in range(world)]
    assert {len(part) for part in read} == {len(sizes) // world}
    assert len(np.unique(np.concatenate(read))) == len(sizes) // world * world


@given(SIZES)
def test_a_window_holds_so_many_stars_but_for_its_last_piece(sizes):
    for window in plan(0, 1, 0, 1, sizes):
        assert sizes[window[:-1]].sum() < WINDOW


def test_windows_are_as_few_as_they_can_be():
    assert [len(window) for window in plan(0, 1, 0, 1, np.full(25, WINDOW // 10))] == [10, 10, 5]


@pytest.mark.parametrize(("seed", "epoch"), [(1, 1), (0, 2)])
def test_order_follows_from_seed_and_epoch(seed, epoch):
    sizes = np.full(30, 7)
    first, again, other = (
        np.concatenate(plan(*numbers, 0, 1, sizes)) for numbers in ((0, 1), (0, 1), (seed, epoch))
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
