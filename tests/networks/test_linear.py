"""Linear layers by oneDNN beside torch's own, in double precision."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from msaestimator.networks import BlockTransformer, Linear, StellarTransformer

N_IN, N_OUT = 160, 96
SHAPES = [(N_IN,), (1, N_IN), (70, N_IN), (7, 11, N_IN), (0, N_IN), (3, 0, N_IN)]
SIZES = (8, (4, 2), (12, 10), (4, 2), (9, 8), (6, 5), 0.0)


@pytest.fixture
def layer():
    torch.manual_seed(3)
    return Linear(N_IN, N_OUT)


@pytest.fixture
def by_torch(monkeypatch):
    """A list that grows with each layer that torch's own code computes."""
    calls, own = [], nn.Linear.forward
    monkeypatch.setattr(nn.Linear, "forward", lambda *args: (calls.append(1), own(*args))[1])
    return calls


def exact(layer, x):
    """Return the formula's value in double precision."""
    parts = (part.double() for part in (x, layer.weight, layer.bias))
    return F.linear(*parts)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("trains", [False, True])
def test_is_the_formula_to_single_precision(layer, shape, trains):
    x = torch.randn(shape)
    with torch.inference_mode(not trains):
        found = layer(x)
    assert found.shape == (*shape[:-1], N_OUT)
    assert found.layout is torch.strided
    torch.testing.assert_close(found.double(), exact(layer, x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "rearranged",
    [lambda x: x[:1].expand(5, -1, -1), lambda x: x.transpose(0, 1), lambda x: x[:, ::2]],
)
@pytest.mark.parametrize("trains", [False, True])
def test_takes_views(layer, rearranged, trains):
    x = rearranged(torch.randn(5, 6, N_IN))
    with torch.inference_mode(not trains):
        torch.testing.assert_close(layer(x).double(), exact(layer, x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_the_formulas(layer, shape):
    x = torch.randn(shape, requires_grad=True)
    weights = torch.randn(N_OUT, dtype=torch.float64)
    leaves = (x, layer.weight, layer.bias)
    found = torch.autograd.grad((layer(x).double() @ weights).sum(), leaves)
    expected = torch.autograd.grad((exact(layer, x) @ weights).sum(), leaves)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-4)


def test_onednn_computes_it(layer, by_torch):
    layer(torch.randn(2, N_IN))
    with torch.inference_mode():
        layer(torch.randn(2, N_IN))
    assert not by_torch


def test_is_left_to_torch_by_its_own_switch(layer, by_torch):
    x = torch.randn(70, N_IN)
    with torch.backends.mkldnn.flags(enabled=False, allow_tf32=None):
        found = layer(x)
    assert by_torch
    assert torch.equal(found, F.linear(x, layer.weight, layer.bias))


def test_other_precisions_are_left_to_torch(layer, by_torch):
    x = torch.randn(70, N_IN)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    assert layer.double()(x.double()).dtype == torch.float64
    assert len(by_torch) == 2


def test_weights_have_torchs_names(layer):
    assert layer.state_dict().keys() == nn.Linear(N_IN, N_OUT).state_dict().keys()


@pytest.mark.parametrize(
    "network", [StellarTransformer(12, *SIZES), BlockTransformer([0, 0, 1, 2], *SIZES)]
)
def test_all_layers_of_the_transformers_are_such(network):
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    assert layers
    assert all(isinstance(layer, Linear) for layer in layers)
