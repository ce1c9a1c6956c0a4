"""Devices, precisions and random numbers."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from msaestimator.exceptions import PrecisionWarning
from msaestimator.training import autocast, check_speed, resolve_device, seeded

CPU = torch.device("cpu")


def draw(random_state, **kwargs):
    with seeded(random_state, CPU, **kwargs):
        return torch.rand(3).tolist()


def test_auto_is_cuda_where_there_is_one():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected
    assert resolve_device("cpu") == CPU


def test_unknown_device():
    with pytest.raises(ValueError, match="`device` must be 'auto', 'cpu', .*, got 'gpu'"):
        resolve_device("gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_where_there_is_none():
    with pytest.raises(ValueError, match="`device` is 'cuda:0' but torch sees no CUDA device"):
        resolve_device("cuda:0")


@pytest.mark.parametrize(
    ("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_precision_of_the_computations(precision, dtype):
    with autocast(CPU, precision):
        assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype


def test_unknown_precision():
    with pytest.raises(ValueError, match="`precision` must be one of .*, got 'half'"):
        autocast(CPU, "half")


@pytest.mark.parametrize("capability", ["AVX2", "DEFAULT", "AVX512", "SVE256"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_slow_precision(capability, precision, device, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    is_slow = (precision, device) == ("bfloat16", "cpu") and capability in ("AVX2", "DEFAULT")
    message = f"it has {capability}.*six times as long.*Set precision='float32'"
    with pytest.warns(PrecisionWarning, match=message) if is_slow else nullcontext():
        check_speed(torch.device(device), precision)


def test_a_seed_fixes_the_numbers():
    assert draw(7) == draw(7)
    assert draw(7) != draw(8)
    assert draw(None) != draw(None)


def test_a_random_state_moves_on():
    state = np.random.RandomState(0)
    first, second = draw(state), draw(state)
    assert first != second
    assert first == draw(np.random.RandomState(0))


def test_skip_tells_blocks_of_one_seed_apart():
    blocks = [tuple(draw(7, skip=skip)) for skip in range(5)]
    assert len(set(blocks)) == 5
    assert list(blocks[3]) == draw(7, skip=3)


def test_the_caller_keeps_its_random_numbers():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    draw(7)
    torch.testing.assert_close(torch.rand(4), expected, rtol=0, atol=0)


def test_the_caller_keeps_its_random_numbers_after_an_error():
    def fail():
        with seeded(7, CPU):
            torch.rand(1)
            raise RuntimeError("inside the block")

    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="inside the block"):
        fail()
    assert torch.equal(torch.get_rng_state(), before)
