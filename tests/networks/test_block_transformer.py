"""The block transformer: which quantities it looks at, and which it answers."""

import pytest
import torch

from msaestimator.networks import BlockEmbedding, BlockTransformer, Contrasts

BLOCKS = [0, 0, 0, 1, 2, 2]


@pytest.fixture
def network():
    torch.manual_seed(0)
    return BlockTransformer(BLOCKS, 8, (2,), (12,), (4, 2), (9, 8), (6,), 0.0).eval()


@pytest.fixture
def values():
    torch.manual_seed(1)
    values = torch.randn(5, len(BLOCKS))
    values[torch.rand(values.shape) < 0.3] = torch.nan
    return values


def test_answers_are_of_all_quantities_of_the_asked_blocks(network, values):
    assert network.words_of([2, 0]) == [4, 5, 0, 1, 2]
    mean, log_variance, factors = network(values, [2, 0])
    assert factors is None
    assert mean.shape == log_variance.shape == (5, 5)


def test_questions_never_look_at_each_other(network, values):
    together = network(values, [1, 0, 2])
    apart = [network(values, [block]) for block in (1, 0, 2)]
    for part in (0, 1):
        torch.testing.assert_close(together[part], torch.cat([a[part] for a in apart], 1))


def test_stars_never_look_at_each_other(network, values):
    for row in range(len(values)):
        alone = network(values[[row]], [0])[0]
        torch.testing.assert_close(alone[0], network(values, [0])[0][row])


def test_unknown_is_not_zero(network, values):
    zero = values.nan_to_num(0.0)
    assert (network(values, [0])[0] != network(zero, [0])[0]).any()


def test_what_lies_beneath_an_unknown_does_not_matter_to_gradients(network, values):
    values.requires_grad_(True)
    sum(part.sum() for part in network(values, [0, 1, 2])[:2]).backward()
    unknown = values.detach().isnan()
    assert (values.grad[unknown] == 0).all()
    assert (values.grad[~unknown] != 0).any()


def test_nothing_known_is_answered(network):
    mean, log_variance, _ = network(torch.full((2, len(BLOCKS)), torch.nan), [0, 1, 2])
    assert mean.isfinite().all()
    assert log_variance.isfinite().all()


def test_without_an_encoder_or_a_head():
    network = BlockTransformer(BLOCKS, 8, (), (), (2,), (9,), (), 0.0)
    assert network(torch.randn(3, len(BLOCKS)), [1])[0].shape == (3, 1)


def test_attention_and_the_learned_entry_share_what_there_is(network, values):
    attention = network.attention(values, [2, 1])
    assert attention.shape == (5, 2, 3)
    assert (attention > 0).all()
    assert (attention.sum(-1) < 1).all()


def test_attention_is_what_the_answer_comes_from(values):
    """With one decoder block whose values are those of one entry, the answer is this entry's."""
    network = BlockTransformer(BLOCKS, 4, (), (), (1,), (3,), (), 0.0).eval()
    memory = network.encode(values)
    block = network.decoder[0].attention
    query = network.questions[[1]].expand(len(values), -1, -1)
    entries = block.read(memory)
    whole = torch.cat([network.attention(values, [1]), torch.zeros(len(values), 1, 1)], -1)
    whole[..., -1] = 1 - whole.sum(-1)
    found = block.project_output((whole[:, None] @ entries[1]).transpose(1, 2).flatten(2))
    torch.testing.assert_close(found, block(query, entries))


@pytest.mark.parametrize(("size", "width"), [(1, 16), (2, 20), (55, 20)])
def test_small_blocks_have_small_embeddings(size, width):
    embedding = BlockEmbedding(range(size), 10)
    assert embedding.layers[0].out_features == width
    assert embedding(torch.randn(3, size)).shape == (3, 10)


@pytest.fixture
def make_network():
    def make(**changes):
        torch.manual_seed(0)
        network = BlockTransformer(BLOCKS, 8, (2,), (12,), (4, 2), (9, 8), (6,), 0.0, **changes)
        return network.eval()

    return make


def test_factors_are_of_all_answers_and_do_not_move_them(make_network, values):
    network = make_network(n_factors=3)
    mean, _, factors = network(values, [2, 0])
    assert factors.shape == (5, 5, 4)
    factors.sum().backward()
    moved = {name for name, part in network.named_parameters() if part.grad is not None}
    assert moved == {
        n for n, _ in network.named_parameters() if n.startswith(("error", "factors"))
    } - {
        "factors.1.weight",
        "factors.1.bias",
    }


def test_contrasts_are_told_to_their_block(make_network, values):
    """The answer follows a sum that is known, and no other block's embedding changes."""
    weights = torch.zeros(len(BLOCKS), 1)
    weights[[0, 3]] = torch.tensor([[30.0], [-30.0]])
    network = make_network(contrasts={1: Contrasts(weights, [0.5])}, asinh=True)
    told = values.nan_to_num(0.3)
    inputs = []
    for part in network.embeddings:
        part.layers.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    network(told, [0])
    assert [part.shape[1] for part in inputs] == [6, 3, 4]
    expected = (30.0 * (told[:, 0].sinh() - told[:, 3].sinh()) - 0.5).asinh()
    torch.testing.assert_close(inputs[1][:, 2], expected)


def test_contrasts_of_an_unknown_are_told_as_zero(make_network, values):
    weights = torch.ones(len(BLOCKS), 1)
    network = make_network(contrasts={0: Contrasts(weights, [0.5])})
    values[:, 5] = torch.nan
    seen = []
    network.embeddings[0].layers[0].register_forward_hook(lambda *part: seen.append(part[1][0]))
    network(values, [0])
    assert torch.equal(seen[0][:, -1], torch.zeros(5))
