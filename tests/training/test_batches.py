"""Every star once an epoch, and results that do not depend on the batches."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from msaestimator.training import TensorBatches, map_batches

CPU = torch.device("cpu")
SIZES = st.integers(1, 60)


def numbered(n_stars):
    rows = torch.arange(n_stars)
    return TensorDataset(rows, -rows)


@given(SIZES, SIZES, st.booleans())
def test_every_star_comes_once_an_epoch(n_stars, batch_size, shuffle):
    batches = TensorBatches(numbered(n_stars), batch_size, shuffle=shuffle)
    drawn = list(batches)
    assert len(drawn) == len(batches)
    assert [len(x) for x, _ in drawn[:-1]] == [batch_size] * (len(drawn) - 1)
    features, targets = (torch.cat(parts) for parts in zip(*drawn, strict=True))
    torch.testing.assert_close(targets, -features)
    assert sorted(features.tolist()) == list(range(n_stars))


def test_shuffles_anew_in_each_epoch_and_alike_after_the_same_seed():
    batches = TensorBatches(numbered(100), 30, shuffle=True)

    def epoch():
        return torch.cat([x for x, _ in batches]).tolist()

    torch.manual_seed(1)
    first, second = epoch(), epoch()
    torch.manual_seed(1)
    assert first == epoch()
    assert first != second
    assert first != list(range(100))


def test_keeps_the_order_unless_asked_to_shuffle():
    drawn = torch.cat([x for x, _ in TensorBatches(numbered(50), 7)])
    assert drawn.tolist() == list(range(50))


@given(SIZES, SIZES)
def test_mapped_rows_do_not_depend_on_the_batches(n_stars, batch_size):
    x = np.random.default_rng(n_stars).normal(size=(n_stars, 3)).astype(np.float32)
    largest = 0

    def outer_product(rows):
        nonlocal largest
        largest = max(largest, len(rows))
        return rows[:, :, None] * rows[:, None, :]

    result = map_batches(outer_product, x, batch_size=batch_size, device=CPU, precision="float32")
    np.testing.assert_allclose(result, x[:, :, None] * x[:, None, :])
    assert result.dtype == np.float32
    assert largest <= batch_size


def test_a_network_gives_the_same_rows_in_batches_of_any_size():
    x = np.random.default_rng(0).normal(size=(100, 20)).astype(np.float32)
    network = torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.ELU(), torch.nn.Linear(30, 2))
    whole, *parts = (
        map_batches(network, x, batch_size=size, device=CPU, precision="float32")
        for size in (100, 1, 7, 64)
    )
    for part in parts:
        np.testing.assert_allclose(part, whole, rtol=1e-5, atol=1e-6)


def test_mapping_records_no_gradients():
    network = torch.nn.Linear(2, 2)
    seen = []

    def spy(rows):
        seen.append(network(rows))
        return seen[-1]

    map_batches(spy, np.ones((3, 2), np.float32), batch_size=2, device=CPU, precision="float32")
    assert not any(output.requires_grad for output in seen)


def test_bfloat16_gives_float32_results_near_those_of_float32():
    x = np.random.default_rng(0).normal(size=(50, 20)).astype(np.float32)
    network = torch.nn.Linear(20, 5)
    exact, rounded = (
        map_batches(network, x, batch_size=16, device=CPU, precision=precision)
        for precision in ("float32", "bfloat16")
    )
    assert rounded.dtype == np.float32
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(rounded, exact, atol=0.05)


def test_unknown_precision():
    with pytest.raises(ValueError, match="`precision` must be one of .*, got 'float16'"):
        map_batches(
            torch.nn.Identity(),
            np.ones((1, 1), np.float32),
            batch_size=1,
            device=CPU,
            precision="float16",
        )
