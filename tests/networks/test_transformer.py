"""The token transformer: what its answers may depend on, what they cost, and its size."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from msaestimator import StellarFoundationModel
from msaestimator.networks import StellarTransformer, TokenEmbedding
from msaestimator.preprocessing import TokenReader

N_TOKENS, BATCH, N_KNOWN = 120, 5, 9


def small(dropout=0.0, n_tokens=N_TOKENS):
    torch.manual_seed(4)
    return StellarTransformer(n_tokens, 8, (4, 2), (12, 10), (4, 2, 1), (9, 8, 7), (6, 5), dropout)


def known_of(n_known=N_KNOWN, batch=BATCH):
    """Return values and distinct tokens of stars."""
    tokens = torch.rand(batch, N_TOKENS).topk(n_known, dim=1).indices
    return torch.randn(batch, n_known), tokens


def of_preset(n_more=0):
    """Return the paper's network without its memory, with further tokens."""
    estimator = StellarFoundationModel.from_preset("zhang2026")
    estimator.reader_ = TokenReader()
    estimator.reader_.vocabulary_ = range(len(estimator.vocabulary) + n_more)
    with torch.device("meta"):
        return estimator._build_module()


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def assert_same(found, expected):
    """Compare pairs of mean and log variance to float precision."""
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.fixture
def module(double):
    return small().eval()


class TestEmbedding:
    def test_equals_the_formula(self, double):
        embedding, (values, tokens) = TokenEmbedding(N_TOKENS, 6), known_of()
        linear = values[..., None] * embedding.weight[tokens] + embedding.bias[tokens]
        expected = linear * torch.special.ndtr(linear)
        torch.testing.assert_close(embedding(values, tokens), expected)

    def test_a_question_is_the_weight_alone(self):
        embedding, tokens = TokenEmbedding(N_TOKENS, 6), known_of()[1]
        assert torch.all(embedding.ask(tokens) == embedding.weight[tokens])

    def test_starts_xavier_uniform(self):
        embedding = TokenEmbedding(N_TOKENS, 128)
        for table in (embedding.weight, embedding.bias):
            bound = (6 / (N_TOKENS + 128)) ** 0.5
            assert table.abs().max().item() == pytest.approx(bound, rel=1e-2)

    def test_starts_as_wide_as_asked(self):
        embedding = TokenEmbedding(N_TOKENS, 4096, scale=0.7)
        for table in (embedding.weight, embedding.bias):
            assert table.std().item() == pytest.approx(0.7, rel=0.02)


class TestSize:
    def test_of_the_paper(self):
        assert count(of_preset()) == 8_845_785

    def test_of_its_parent_with_a_row_for_padding(self):
        assert count(of_preset(n_more=1)) == 8_846_041

    def test_by_parts(self):
        def linear(n_in, n_out):
            return n_in * n_out + n_out

        def block(width):
            # Query, key, value and output; a learned key and value; two norms.
            attention = 4 * linear(128, 128) + 2 * 128
            return attention + linear(128, width) + linear(width, 128) + 4 * 128

        widths = [128, 3096, 1548, 774, 387]
        parts = {
            "embedding": 2 * 120 * 128,
            "encoder": block(1024) + block(512),
            "decoder": block(3096) + block(1548) + block(774),
            "head": sum(linear(*pair) for pair in zip(widths, widths[1:], strict=False)),
            "mean": linear(387, 1),
            "log_variance": linear(387, 1),
        }
        module = of_preset()
        assert {name: count(part) for name, part in module.named_children()} == parts


class TestRequests:
    @pytest.mark.parametrize("n_requests", [3, 110])
    @pytest.mark.parametrize("batch", [0, 1, 16])
    def test_all_in_one_pass_are_one_at_a_time(self, n_requests, batch):
        """To single precision, in which the package computes."""
        module = small().eval()
        values, tokens = known_of(batch=batch)
        requests = torch.randperm(N_TOKENS)[:n_requests]
        together = module(values, tokens, requests)
        alone = [module(values, tokens, request[None]) for request in requests]
        looped = [torch.cat(parts, dim=1) for parts in zip(*alone, strict=True)]
        for ours, theirs in zip(together, looped, strict=True):
            assert ours.shape == (batch, n_requests)
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)

    def test_each_block_reads_the_stars_once(self, module):
        read = []
        for block in [*module.encoder, *module.decoder]:
            block.attention.project_memory.register_forward_hook(
                lambda layer, inputs, _: read.append((layer, inputs[0].shape))
            )
        module(*known_of(), torch.arange(110))
        assert len({layer for layer, _ in read}) == len(read) == 5
        assert {shape for _, shape in read} == {(BATCH, N_KNOWN, 8)}

    def test_may_differ_from_star_to_star(self, module):
        values, tokens = known_of()
        requests = torch.randint(N_TOKENS, (BATCH, 3))
        alone = [module(values[[star]], tokens[[star]], requests[star]) for star in range(BATCH)]
        expected = [torch.cat(parts) for parts in zip(*alone, strict=True)]
        assert_same(module(values, tokens, requests), expected)

    def test_none(self, module):
        answers = module(*known_of(), torch.empty(0, dtype=torch.long))
        assert [part.shape for part in answers] == [(BATCH, 0)] * 2


class TestKnown:
    @settings(max_examples=25)
    @given(order=st.permutations(range(N_KNOWN)))
    def test_their_order_does_not_matter(self, order):
        module = small().double().eval()
        torch.manual_seed(1)
        values, tokens = known_of()
        values, order = values.double(), torch.tensor(order)
        requests = torch.arange(4)
        assert_same(
            module(values[:, order], tokens[:, order], requests), module(values, tokens, requests)
        )

    @settings(max_examples=25)
    @given(
        n_padding=st.integers(0, 200), junk=st.sampled_from([0.0, 1.0, -1e6]), first=st.booleans()
    )
    def test_padding_does_not_matter(self, n_padding, junk, first):
        module = small().double().eval()
        torch.manual_seed(1)
        values, tokens = known_of()
        values, requests = values.double(), torch.arange(4)
        parts = [
            (values, torch.full((BATCH, n_padding), junk).double()),
            (tokens, torch.randint(N_TOKENS, (BATCH, n_padding))),
            (torch.zeros(BATCH, N_KNOWN).bool(), torch.ones(BATCH, n_padding).bool()),
        ]
        padded = [torch.cat(pair[::-1] if first else pair, dim=1) for pair in parts]
        found = module(padded[0], padded[1], requests, padded[2])
        assert_same(found, module(values, tokens, requests))

    def test_each_star_may_have_its_own_number(self, module):
        values, tokens = known_of()
        absent = torch.arange(N_KNOWN) >= torch.tensor([0, 1, 4, 8, 9])[:, None]
        together = module(values, tokens, torch.arange(4), absent)
        alone = [
            module(values[[star]][:, seen], tokens[[star]][:, seen], torch.arange(4))
            for star, seen in enumerate(~absent)
        ]
        assert_same(together, [torch.cat(parts) for parts in zip(*alone, strict=True)])

    def test_more_than_training_shows(self, module):
        answers = module(*known_of(n_known=N_TOKENS), torch.arange(3))
        assert all(torch.isfinite(part).all() for part in answers)

    def test_stars_with_the_same_tokens_can_share_them(self, module):
        values, tokens = known_of()
        tokens[:] = tokens[0]
        requests = torch.arange(4)
        assert_same(module(values, tokens[0], requests), module(values, tokens, requests))

    def test_every_value_and_its_token_matter(self, module):
        values, tokens = known_of(batch=1)
        values.requires_grad_()
        mean, log_variance = module(values, tokens, torch.arange(4))
        for part in (mean, log_variance):
            (gradient,) = torch.autograd.grad(part.sum(), values, retain_graph=True)
            assert torch.all(gradient != 0)
        others = (tokens + 1) % N_TOKENS
        assert torch.all(module(values, others, torch.arange(4))[0] != mean)


class TestNothingKnown:
    def test_is_answered_alike_for_all_stars(self, module):
        mean, log_variance = module(*known_of(n_known=0), torch.arange(110))
        for part in (mean, log_variance):
            assert part.shape == (BATCH, 110)
            assert torch.isfinite(part).all()
            torch.testing.assert_close(part, part[:1].expand_as(part))
        assert len(mean[0].unique()) > 100  # each request has its own answer

    def test_is_answered_as_padding_alone(self, module):
        requests = torch.arange(4)
        padding = module(*known_of(), requests, torch.ones(BATCH, N_KNOWN, dtype=torch.bool))
        assert_same(padding, module(*known_of(n_known=0), requests))

    def test_has_finite_gradients(self, module):
        mean, log_variance = module(
            *known_of(), torch.arange(4), torch.ones(BATCH, N_KNOWN, dtype=torch.bool)
        )
        (mean + log_variance).sum().backward()
        used = [p.grad for p in module.parameters() if p.grad is not None]
        assert all(torch.isfinite(gradient).all() for gradient in used)


class TestGradients:
    def test_reach_every_parameter(self, module):
        mean, log_variance = module(*known_of(), torch.arange(4))
        (mean + log_variance).sum().backward()
        for name, parameter in module.named_parameters():
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.any(), name

    def test_do_not_come_from_padding(self, module):
        values, tokens = torch.randn(BATCH, 6, requires_grad=True), torch.arange(6)
        absent = torch.zeros(BATCH, 6, dtype=torch.bool)
        absent[:, 4:] = True
        mean, log_variance = module(values, tokens, torch.tensor([10, 11]), absent)
        (mean + log_variance).sum().backward()
        assert torch.all((values.grad != 0) == ~absent)
        for table, used in (
            (module.embedding.weight, {0, 1, 2, 3, 10, 11}),
            (module.embedding.bias, {0, 1, 2, 3}),
        ):
            assert set(table.grad.any(dim=1).nonzero()[:, 0].tolist()) == used

    def test_derivatives(self, module):
        values, tokens = known_of(n_known=3, batch=2)
        assert torch.autograd.gradcheck(
            lambda known: module(known, tokens, torch.arange(2)), values.requires_grad_()
        )


class TestAttention:
    def test_is_the_softmax_of_the_last_block(self, module):
        """Of what that block is given in a pass, by torch's own layer."""
        given_to = []
        module.decoder[-1].register_forward_hook(lambda _, inputs, __: given_to.extend(inputs))
        stars = (*known_of(), torch.arange(4))
        module(*stars)
        answer, memory, _ = given_to
        layer = module.decoder[-1].attention
        query = layer.project_query(answer)  # the last block has one head
        key, _ = layer.project_memory(memory).chunk(2, dim=-1)
        learned, _ = layer.learned_entry.chunk(2, dim=-1)
        key = torch.cat([key, learned.expand(BATCH, 1, -1)], dim=1)
        scores = torch.einsum("bqd,bkd->bqk", query, key) / 8**0.5
        expected = scores.exp() / scores.exp().sum(dim=-1, keepdim=True)
        torch.testing.assert_close(module.attention(*stars), expected[..., :N_KNOWN])

    def test_shape_and_range(self, module):
        weights = module.attention(*known_of(), torch.arange(4))
        assert weights.shape == (BATCH, 4, N_KNOWN)
        assert torch.all(weights > 0)
        assert torch.all(weights.sum(dim=-1) < 1)

    def test_follows_the_order_of_what_is_known(self, module):
        (values, tokens), order = known_of(), torch.randperm(N_KNOWN)
        moved = module.attention(values[:, order], tokens[:, order], torch.arange(4))
        expected = module.attention(values, tokens, torch.arange(4))[..., order]
        torch.testing.assert_close(moved, expected)

    def test_to_nothing_is_empty(self, module):
        assert module.attention(*known_of(n_known=0), torch.arange(4)).shape == (BATCH, 4, 0)


def test_dropout_acts_in_training_alone():
    module, stars = small(dropout=0.5), (*known_of(), torch.arange(4))
    assert torch.any(module(*stars)[0] != module(*stars)[0])
    module.eval()
    assert torch.all(module(*stars)[0] == module(*stars)[0])


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e10, -1e15])
def test_any_finite_value_has_a_finite_answer(value):
    _, tokens = known_of()
    answers = small()(torch.full((BATCH, N_KNOWN), value), tokens, torch.arange(4))
    assert all(torch.isfinite(part).all() for part in answers)


def test_mixed_precision_is_close():
    module, stars = small().eval(), (*known_of(), torch.arange(4))
    with torch.autocast("cpu", torch.bfloat16):
        found = module(*stars)
    for ours, theirs in zip(found, module(*stars), strict=True):
        torch.testing.assert_close(ours.float(), theirs, rtol=0.1, atol=0.1)
