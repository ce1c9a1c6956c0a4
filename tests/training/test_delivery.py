"""Batches come in order, ahead of time, on the device, and errors where they belong."""

import threading

import pytest
import torch

from msaestimator.training._delivery import AHEAD, delivered, prefetched


def test_comes_in_order_prepared():
    assert list(prefetched(range(50), lambda n: n * n)) == [n * n for n in range(50)]
    assert list(prefetched([], str)) == []


def test_is_prepared_ahead_by_one_other_thread():
    made, here = [], threading.get_ident()
    batches = prefetched(range(20), lambda n: made.append(threading.get_ident()) or n)
    next(batches)
    for taken in range(2, 18):
        next(batches)
        assert taken <= len(made) <= taken + AHEAD
    list(batches)
    assert len(made) == 20
    assert len(set(made)) == 1
    assert here not in made


def test_an_error_comes_where_its_batch_would():
    def fail_at_three():
        yield from range(3)
        raise OSError("no more")

    taken = []
    with pytest.raises(OSError, match="no more"):
        taken.extend(prefetched(fail_at_three(), int))
    batches = prefetched([1, 0, 2], lambda n: 1 / n)
    assert next(batches) == 1.0
    with pytest.raises(ZeroDivisionError):
        next(batches)


def test_no_thread_stays_behind_a_loop_that_was_left():
    before = threading.active_count()
    for _ in prefetched(range(1000), int):
        break
    assert threading.active_count() == before


def test_the_processor_gets_the_batches_themselves():
    batches = [(torch.zeros(2), torch.ones(2))]
    assert next(delivered(batches, torch.device("cpu"))) is batches[0]


def test_nested_tensors_are_sent():
    x, y, weights = (torch.zeros(2, n) for n in (1, 2, 3))
    (sent,) = delivered([(x, (y, weights))], torch.device("meta"))
    assert [part.device.type for part in (sent[0], *sent[1])] == ["meta"] * 3
    assert [part.shape for part in (sent[0], *sent[1])] == [(2, 1), (2, 2), (2, 3)]
