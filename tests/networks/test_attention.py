"""Attention beside torch's own, and a transformer block beside its formula."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from msaestimator.networks import Attention, TransformerBlock

BATCH, N_QUERIES, N_ENTRIES, DIM, N_HEADS = 3, 4, 6, 8, 2


def torchs_own(attention):
    """Return torch's layer with the same weights."""
    layer = nn.MultiheadAttention(DIM, attention.n_heads, add_bias_kv=True, batch_first=True)
    query, memory, output = (
        attention.project_query,
        attention.project_memory,
        attention.project_output,
    )
    key, value = attention.learned_entry.chunk(2, dim=-1)
    weights = {
        "in_proj_weight": torch.cat([query.weight, memory.weight]),
        "in_proj_bias": torch.cat([query.bias, memory.bias]),
        "out_proj.weight": output.weight,
        "out_proj.bias": output.bias,
        "bias_k": key,
        "bias_v": value,
    }
    layer.load_state_dict(weights)
    return layer.to(output.weight.dtype).eval()


@pytest.fixture
def attention(double):
    """An attention whose every parameter is drawn, so that none can stand in for another."""
    attention = Attention(DIM, N_HEADS).eval()
    for parameter in attention.parameters():
        nn.init.normal_(parameter)
    return attention


@pytest.fixture
def query(double):
    return torch.randn(BATCH, N_QUERIES, DIM)


@pytest.fixture
def memory(double):
    return torch.randn(BATCH, N_ENTRIES, DIM)


@pytest.fixture(params=["all there", "some absent", "a star without any"])
def absent(request):
    """Which entries are padding, as both layers take it."""
    if request.param == "all there":
        return None
    absent = torch.zeros(BATCH, N_ENTRIES, dtype=torch.bool)
    absent[0, 1] = absent[1, 2:] = True
    if request.param == "a star without any":
        absent[2] = True
    return absent


class TestAttention:
    def test_finds_what_torchs_own_does(self, attention, query, memory, absent):
        expected, _ = torchs_own(attention)(query, memory, memory, key_padding_mask=absent)
        found = attention(query, attention.read(memory), absent)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)

    def test_weights_are_torchs_own(self, attention, query, memory, absent):
        _, expected = torchs_own(attention)(query, memory, memory, key_padding_mask=absent)
        weights = attention.weights(query, attention.read(memory), absent)
        torch.testing.assert_close(weights, expected, rtol=0, atol=1e-12)

    def test_weights_sum_to_one_and_are_zero_where_absent(self, attention, query, memory, absent):
        weights = attention.weights(query, attention.read(memory), absent)
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(BATCH, N_QUERIES))
        if absent is not None:
            hidden = absent[:, None].expand(-1, N_QUERIES, -1)
            assert torch.all(weights[..., :-1][hidden] == 0)
        assert torch.all(weights[..., -1] > 0)

    def test_weights_are_those_of_forward(self, attention, query, memory, absent):
        """With one head, what is found is the weighted mean of the values."""
        attention.n_heads = 1
        entries = attention.read(memory)
        weighted = attention.weights(query, entries, absent) @ entries[1][:, 0]
        found = attention(query, entries, absent)
        torch.testing.assert_close(found, attention.project_output(weighted))

    def test_an_empty_memory_has_the_learned_entry(self, attention, query):
        found = attention(query, attention.read(torch.empty(BATCH, 0, DIM)))
        value = attention.learned_entry[..., DIM:]
        expected = attention.project_output(value).expand(BATCH, N_QUERIES, -1)
        torch.testing.assert_close(found, expected)

    def test_what_was_read_has_an_entry_more(self, attention, memory):
        shape = (BATCH, N_HEADS, N_ENTRIES + 1, DIM // N_HEADS)
        assert [part.shape for part in attention.read(memory)] == [shape, shape]

    def test_dropout_acts_in_training_alone(self, query, memory):
        attention = Attention(DIM, N_HEADS, dropout=0.5)
        entries = attention.read(memory)
        assert torch.any(attention(query, entries) != attention(query, entries))
        attention.eval()
        assert torch.all(attention(query, entries) == attention(query, entries))

    def test_dropout_is_of_the_weights(self, attention, query, memory, absent, monkeypatch):
        """Without its draws, training finds what is found afterwards."""
        dropped = []
        monkeypatch.setattr(F, "dropout", lambda x, p: (dropped.append((x, p)), x)[1])
        entries = attention.read(memory)
        expected = attention(query, entries, absent)
        assert not dropped
        attention.train().dropout = 0.3
        torch.testing.assert_close(attention(query, entries, absent), expected)
        ((weights, chance),) = dropped
        assert chance == 0.3
        torch.testing.assert_close(weights.mean(dim=1), attention.weights(query, entries, absent))

    def test_derivatives(self, attention, query, memory, absent):
        def find(query, memory):
            return attention(query, attention.read(memory), absent)

        inputs = query.requires_grad_(), memory.requires_grad_()
        assert torch.autograd.gradcheck(find, inputs, fast_mode=True)

    def test_starts_as_torchs_own(self):
        """Same bounds, and the same spread of the learned entry."""
        ours, theirs = Attention(256, 4), nn.MultiheadAttention(256, 4, add_bias_kv=True)
        bound = theirs.in_proj_weight.abs().max().item()
        for layer in (ours.project_query, ours.project_memory):
            assert layer.weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
            assert not layer.bias.any()
        assert not ours.project_output.bias.any()
        learned = torch.cat([theirs.bias_k, theirs.bias_v], dim=-1)
        # 512 draws each, whose spreads are known to 3 %.
        assert ours.learned_entry.std().item() == pytest.approx(learned.std().item(), rel=0.25)


def hand_written(block, query, memory, absent):
    """Return the formula of a post-norm block: add, normalise, twice."""

    def normalise(x, norm):
        centred = x - x.mean(dim=-1, keepdim=True)
        spread = (x.var(dim=-1, keepdim=True, unbiased=False) + norm.eps).sqrt()
        return centred / spread * norm.weight + norm.bias

    def gelu(x):
        return x * 0.5 * (1 + torch.erf(x / 2**0.5))

    found, _ = torchs_own(block.attention)(query, memory, memory, key_padding_mask=absent)
    query = normalise(query + found, block.norm_attention)
    hidden = gelu(query @ block.widen.weight.T + block.widen.bias)
    dense = hidden @ block.narrow.weight.T + block.narrow.bias
    return normalise(query + dense, block.norm_dense)


class TestBlock:
    @pytest.fixture
    def block(self, double):
        block = TransformerBlock(DIM, N_HEADS, width=12, dropout=0.3).eval()
        for parameter in block.parameters():
            nn.init.normal_(parameter)
        return block

    def test_equals_the_formula(self, block, query, memory, absent):
        expected = hand_written(block, query, memory, absent)
        torch.testing.assert_close(block(query, memory, absent), expected, rtol=0, atol=1e-12)

    def test_queries_do_not_see_each_other(self, block, query, memory, absent):
        together = block(query, memory, absent)
        for number in range(N_QUERIES):
            alone = block(query[:, [number]], memory, absent)
            torch.testing.assert_close(alone, together[:, [number]])

    def test_what_is_absent_does_not_matter(self, block, query, memory, absent):
        if absent is None:
            absent = torch.rand(BATCH, N_ENTRIES) < 0.5
        junk = memory.masked_fill(absent[..., None], 1e6)
        torch.testing.assert_close(block(query, junk, absent), block(query, memory, absent))

    def test_dropout_acts_in_training_alone(self, block, query, memory):
        block.train()
        assert torch.any(block(query, memory) != block(query, memory))
        block.eval()
        assert torch.all(block(query, memory) == block(query, memory))


@given(
    n_heads=st.sampled_from([1, 2, 4, 8]),
    n_entries=st.integers(0, 5),
    n_queries=st.integers(0, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape(n_heads, n_entries, n_queries, seed):
    torch.manual_seed(seed)
    block = TransformerBlock(DIM, n_heads, width=3, dropout=0.0).double().eval()
    query, memory = torch.randn(2, n_queries, DIM), torch.randn(2, n_entries, DIM)
    query, memory = query.double(), memory.double()
    found = block(query, memory)
    assert found.shape == (2, n_queries, DIM)
    if n_queries:
        expected = hand_written(block, query, memory, None)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


def test_starts_with_kaiming_uniform_dense_layers():
    block = TransformerBlock(64, 4, width=128, dropout=0.0)
    for layer in (block.widen, block.narrow):
        n_in = layer.in_features
        assert layer.weight.abs().max().item() == pytest.approx((6 / n_in) ** 0.5, rel=1e-2)
        assert layer.bias.abs().max().item() == pytest.approx(n_in**-0.5, rel=0.1)
