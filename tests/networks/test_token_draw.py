"""What training shows of stars and asks of them, counted."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, kstest, norm

from msaestimator.networks import TokenDraw

NAN = float("nan")
N_STARS = 4000
# Two blocks of three tokens, and one of two that no star has asked.
BLOCKS = [0, 0, 0, 1, 1, 1, 2, 2]
WEIGHTS = [1.0, 1.0, 1.0, 2.0, 2.0, 4.0, 0.0, 0.0]
N_TOKENS = len(BLOCKS)


def draw_of(**changes):
    settings = {"n_inputs": (1, 6), "n_requests": 2}
    return TokenDraw(BLOCKS, WEIGHTS, **settings | changes)


def make_stars(n_stars=N_STARS, *, unknown=0.0, error=0.1):
    """Return stars whose values tell their token, some of them unknown."""
    values = torch.arange(N_TOKENS).expand(n_stars, -1) + 10.0
    values = values.masked_fill(torch.rand(n_stars, N_TOKENS) < unknown, NAN)
    return torch.stack([values, torch.full_like(values, error)], dim=1)


def seen_of(shown, n_stars=N_STARS):
    """Return how often each token is shown of each star, (n_stars, n_tokens)."""
    _, tokens, _, absent = shown
    places = torch.ones_like(tokens) if absent is None else (~absent).long()
    return torch.zeros(n_stars, N_TOKENS, dtype=torch.long).scatter_add_(1, tokens, places)


def asked_of(requests, n_stars=N_STARS):
    """Return how often each token is asked of each star and counted."""
    counts = torch.zeros(n_stars, N_TOKENS, dtype=torch.long)
    return counts.scatter_add_(1, requests.tokens, requests.counted.long())


def is_near(number, of, probability):
    """Tell whether a number of events is within its binomial bounds."""
    low, high = binom.interval(1 - 1e-6, of, probability)
    return low <= number <= high


@given(
    bounds=st.tuples(st.integers(0, 10), st.integers(1, 10)).map(sorted),
    n_requests=st.integers(1, 10),
    unknown=st.sampled_from([0.0, 0.3, 0.9]),
    block_dropout=st.sampled_from([0.0, 0.5, 1.0, (0.0, 0.0, 1.0)]),
    resample_noise=st.booleans(),
    n_stars=st.integers(1, 30),
    seed=st.integers(0, 2**32 - 1),
)
def test_laws_of_every_draw(
    bounds, n_requests, unknown, block_dropout, resample_noise, n_stars, seed
):
    torch.manual_seed(seed)
    stars = make_stars(n_stars, unknown=unknown)
    known = ~stars[:, 0].isnan()
    draw = draw_of(
        n_inputs=bounds,
        n_requests=n_requests,
        block_dropout=block_dropout,
        resample_noise=resample_noise,
    )
    shown, requests = draw(stars)
    values, tokens, asked, absent = shown
    seen, counted = seen_of(shown, n_stars), asked_of(requests, n_stars)
    # Shown tokens are known and distinct, and not more than allowed.
    assert torch.all(seen <= known.long())
    assert values.shape == tokens.shape
    assert tokens.shape[1] <= bounds[1]
    assert torch.isfinite(values).all()
    # Padding is told when there is any, and then every column has a star that fills it.
    assert absent is None or (absent.any() and not absent.all(dim=0).any())
    # Without hidden blocks a star has fewer than the least only if it knows fewer.
    if not block_dropout:
        least = known.sum(dim=1).clamp(max=bounds[0])
        assert torch.all(seen.sum(dim=1) >= least)
    # What is asked and counts is known, distinct and of some weight.
    assert asked is requests.tokens
    assert torch.all(counted <= (known & (torch.tensor(WEIGHTS) > 0)).long())
    assert requests.tokens.shape == (n_stars, min(n_requests, N_TOKENS))
    expected = (known & (torch.tensor(WEIGHTS) > 0)).sum(dim=1).clamp(max=n_requests)
    assert torch.all(counted.sum(dim=1) == expected)


class TestShown:
    def test_values_are_those_of_their_tokens(self):
        stars = make_stars(unknown=0.4)
        (values, tokens, _, absent), _ = draw_of()(stars)
        assert torch.all(values[~absent] == tokens[~absent] + 10.0)
        assert torch.all(values[absent] == 0)

    def test_every_number_of_inputs_comes_equally_often(self):
        draw, stars = draw_of(n_inputs=(2, 5)), make_stars(2)
        sizes = [draw(stars)[0][0].shape[1] for _ in range(2000)]
        assert set(sizes) == {2, 3, 4, 5}
        assert all(is_near(sizes.count(size), 2000, 1 / 4) for size in (2, 3, 4, 5))

    def test_every_token_comes_equally_often_at_every_place(self):
        (_, tokens, _, absent), _ = draw_of(n_inputs=(3, 3))(make_stars())
        assert absent is None
        for place in tokens.T:
            counts = torch.bincount(place, minlength=N_TOKENS)
            assert all(is_near(int(count), N_STARS, 1 / N_TOKENS) for count in counts)

    def test_stars_of_a_batch_are_shown_different_tokens(self):
        seen = seen_of(draw_of(n_inputs=(3, 3))(make_stars())[0]).double()
        pairs = (seen[1:] * seen[:-1])[:, 0].sum()
        assert is_near(int(pairs), N_STARS - 1, (3 / N_TOKENS) ** 2)

    def test_all_known_are_shown_if_more_are_allowed(self):
        stars = make_stars(unknown=0.4)
        seen = seen_of(draw_of(n_inputs=(9, 20))(stars)[0])
        assert torch.all(seen == (~stars[:, 0].isnan()).long())

    def test_a_star_that_knows_less_is_padded(self):
        stars = make_stars(2)
        stars[0, 0, 1:] = NAN
        (_, tokens, _, absent), _ = draw_of(n_inputs=(5, 5))(stars)
        assert tokens.shape == (2, 5)
        assert absent.sum(dim=1).tolist() == [4, 0]
        assert tokens[0][~absent[0]].tolist() == [0]

    def test_nothing_known(self):
        stars = make_stars(3, unknown=1.0)
        (values, tokens, _, absent), requests = draw_of()(stars)
        assert values.shape == tokens.shape == (3, 0)
        assert absent is None
        assert not requests.counted.any()


class TestBlockDropout:
    @pytest.fixture
    def seen(self):
        """What is shown, of everything that is not hidden."""
        shown, _ = draw_of(n_inputs=(N_TOKENS, N_TOKENS), block_dropout=0.3)(make_stars())
        return seen_of(shown)

    def test_hides_a_block_as_one(self, seen):
        for block in (slice(0, 3), slice(3, 6), slice(6, 8)):
            assert torch.all(seen[:, block].amax(dim=1) == seen[:, block].amin(dim=1))

    def test_rates_are_within_their_binomial_bounds(self, seen):
        for column in range(N_TOKENS):
            assert is_near(int(seen[:, column].sum()), N_STARS, 0.7)

    def test_blocks_and_stars_are_independent(self, seen):
        for first, second in [(0, 3), (0, 6), (3, 6)]:
            assert is_near(int((seen[:, first] * seen[:, second]).sum()), N_STARS, 0.49)
        assert is_near(int((seen[1:, 0] * seen[:-1, 0]).sum()), N_STARS - 1, 0.49)

    def test_each_block_has_its_own_rate(self):
        rates = (0.0, 0.3, 1.0)
        shown, _ = draw_of(n_inputs=(N_TOKENS, N_TOKENS), block_dropout=rates)(make_stars())
        counts = seen_of(shown).sum(dim=0).tolist()
        for count, block in zip(counts, BLOCKS, strict=True):
            assert is_near(count, N_STARS, 1 - rates[block])

    def test_does_not_hide_what_is_asked(self):
        stars = make_stars(300)
        shown, requests = draw_of(block_dropout=1.0)(stars)
        assert shown[0].shape == (300, 0)
        assert requests.counted.all()


def rate_of(token, n_drawn):
    """Return how likely a token is among one or two drawn by weight without replacement."""
    total = sum(WEIGHTS)
    first = WEIGHTS[token] / total
    others = WEIGHTS[:token] + WEIGHTS[token + 1 :]
    second = sum(other / total * WEIGHTS[token] / (total - other) for other in others)
    return first if n_drawn == 1 else first + second


@pytest.mark.parametrize("n_drawn", [1, 2])
class TestWeights:
    """A token's rate is that of being first, or second after any other; zero is never."""

    def test_of_requests(self, n_drawn):
        _, requests = draw_of(n_requests=n_drawn)(make_stars())
        counts = asked_of(requests).sum(dim=0)
        for token, count in enumerate(counts.tolist()):
            assert is_near(count, N_STARS, rate_of(token, n_drawn))

    def test_of_inputs(self, n_drawn):
        shown, _ = draw_of(input_weights=WEIGHTS, n_inputs=(n_drawn, n_drawn))(make_stars())
        counts = seen_of(shown).sum(dim=0)
        for token, count in enumerate(counts.tolist()):
            assert is_near(count, N_STARS, rate_of(token, n_drawn))


class TestRequests:
    def test_rates_are_among_what_a_star_knows(self):
        stars = make_stars()
        stars[:, 0, 3:] = NAN
        counts = asked_of(draw_of(n_requests=1)(stars)[1]).sum(dim=0)
        assert all(is_near(int(count), N_STARS, 1 / 3) for count in counts[:3])
        assert not counts[3:].any()

    def test_do_not_depend_on_what_is_shown(self):
        """The copy is trained on purpose."""
        shown, requests = draw_of(n_inputs=(4, 4), n_requests=1)(make_stars())
        both = (seen_of(shown) * asked_of(requests)).sum()
        assert is_near(int(both), N_STARS, 4 / N_TOKENS)


class TestNoise:
    @pytest.fixture
    def stars(self):
        stars = make_stars()
        stars[:, 1] = torch.arange(N_TOKENS) / 4.0
        return stars

    @pytest.mark.parametrize("token", range(1, N_TOKENS))
    def test_is_normal_of_the_error(self, stars, token):
        draw = draw_of(n_inputs=(N_TOKENS, N_TOKENS), resample_noise=True)
        (values, tokens, _, _), _ = draw(stars)
        noise = values[tokens == token] - (token + 10.0)
        assert len(noise) == N_STARS
        assert kstest(noise, norm(0, token / 4).cdf).pvalue > 1e-6

    def test_is_none_without_an_error(self, stars):
        stars[:, 1] = 0
        (values, tokens, _, _), _ = draw_of(resample_noise=True)(stars)
        assert torch.all(values == tokens + 10.0)

    def test_leaves_the_targets_alone(self, stars):
        before = stars.clone()
        draw_of(resample_noise=True)(stars)
        assert torch.all(stars == before)

    def test_is_drawn_anew(self, stars):
        draw = draw_of(n_inputs=(N_TOKENS, N_TOKENS), resample_noise=True)
        torch.manual_seed(0)
        noise = [values[tokens == 5] for (values, tokens, _, _), _ in map(draw, [stars, stars])]
        correlation = torch.corrcoef(torch.stack(noise))[0, 1]
        assert abs(correlation) < 5 / N_STARS**0.5


def test_each_call_draws_anew_and_a_seed_repeats_it():
    draw = draw_of(n_inputs=(3, 3), block_dropout=0.3, resample_noise=True)
    stars = make_stars(50, unknown=0.3)

    def all_of(drawn):
        (values, tokens, asked, absent), requests = drawn
        parts = (values, tokens, asked, absent, requests.tokens, requests.counted)
        return torch.cat([part.double() for part in parts], 1)

    torch.manual_seed(3)
    first, second = all_of(draw(stars)), all_of(draw(stars))
    torch.manual_seed(3)
    assert torch.any(first != second)
    assert torch.all(all_of(draw(stars)) == first)


def test_does_not_change_the_stars():
    stars = make_stars(20, unknown=0.3)
    before = stars.clone()
    draw_of(block_dropout=0.5, resample_noise=True)(stars)
    torch.testing.assert_close(stars, before, equal_nan=True, rtol=0, atol=0)
