"""Told quantities that no star has together are told from those of ordinary stars."""

import numpy as np
import pytest

from msaestimator.outliers import OUTLIER_SCORE, TokenOutliers
from msaestimator.schema import Token, Vocabulary

NAN = np.nan
SPECTRUM = tuple(Token(f"c{order}", block="spectrum") for order in range(30))
VOCABULARY = Vocabulary(
    (
        *SPECTRUM,
        Token("color", block="color", recipe="difference", columns=("u", "v")),
        Token("a", block="label"),
        Token("b", block="label"),
        Token("never", block="label"),
    )
)
A, B, NEVER = (VOCABULARY.index([name])[0] for name in ("a", "b", "never"))


def draw(n_stars, seed=0):
    """Two quantities that are nearly the same, one that nobody has, and a spectrum of noise."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_stars, len(VOCABULARY)))
    values[:, B] = values[:, A] + rng.normal(0, 0.1, n_stars)
    values[:, NEVER] = NAN
    return values


def pairs(*points):
    """Return stars of whom only the two quantities are told."""
    values = np.full((len(points), len(VOCABULARY)), NAN)
    values[:, [A, B]] = points
    return values


@pytest.fixture(scope="module")
def outliers():
    return TokenOutliers().fit(draw(6000), VOCABULARY)


def test_one_in_a_hundred_ordinary_stars_is_flagged(outliers):
    flagged = outliers.score(draw(20_000, seed=1)) >= OUTLIER_SCORE
    assert 0.005 < flagged.mean() < 0.015


def test_rates_are_those_of_ordinary_stars(outliers):
    scores = outliers.score(draw(20_000, seed=1))
    for rate in (0.5, 0.1, 0.03):
        assert (scores >= -np.log10(rate)).mean() == pytest.approx(rate, rel=0.25)


def test_what_is_ordinary_alone_and_not_together(outliers):
    scores = outliers.score(pairs([1, 1], [-1, -1], [1, -1], [-1, 1], [1.5, 0.0]))
    assert (scores >= OUTLIER_SCORE).tolist() == [False, False, True, True, True]
    alone = outliers.score(pairs([1, NAN], [NAN, -1]))
    assert np.isnan(alone).all()


def test_farther_is_rarer(outliers):
    scores = outliers.score(pairs([0, 0.3], [0, 0.6], [0, 1.2], [0, 5.0]))
    assert (np.diff(scores) > 0).all()


def test_stars_do_not_see_each_other(outliers):
    values = draw(300, seed=2)
    values[::3, A] = NAN
    values[1::3, : len(SPECTRUM)] = NAN
    scores = outliers.score(values)
    np.testing.assert_allclose(outliers.score(values[::-1])[::-1], scores)
    np.testing.assert_allclose(outliers.score(values[4:5]), scores[4:5])
    assert outliers.score(values[:0]).shape == (0,)


def test_spectra_and_colors_are_not_compared(outliers):
    assert outliers.tokens_.tolist() == [A, B]
    values = draw(50, seed=3)
    noisy = values.copy()
    noisy[:, : len(SPECTRUM) + 1] *= 100
    np.testing.assert_array_equal(outliers.score(noisy), outliers.score(values))


def test_a_quantity_that_no_star_had_is_not_compared(outliers):
    values = pairs([1, 1])
    values[:, NEVER] = 99.0
    np.testing.assert_array_equal(outliers.score(values), outliers.score(pairs([1, 1])))


def test_nothing_is_said_by_too_few_stars():
    values = draw(3000)
    values[300:, B] = NAN
    assert np.isnan(TokenOutliers().fit(values, VOCABULARY).score(pairs([1, -1]))).all()
    assert np.isnan(TokenOutliers().fit(draw(300), VOCABULARY).score(pairs([1, -1]))).all()


def test_asked_again_it_says_the_same(outliers):
    """Also where it is asked by other words in between, of which it keeps what it found."""
    values = draw(40, seed=5)
    first = outliers.score(values)
    outliers.score(pairs([1, NAN], [NAN, 1]))
    np.testing.assert_array_equal(outliers.score(values), first)


def test_nothing_to_compare():
    colors = draw(900)
    colors[:, A:] = NAN
    assert np.isnan(TokenOutliers().fit(colors, VOCABULARY).score(draw(5))).all()


def test_only_some_stars_are_kept(outliers):
    assert outliers.reference_.shape == (2000, 2)
    again = TokenOutliers().fit(draw(6000), VOCABULARY)
    np.testing.assert_array_equal(again.reference_, outliers.reference_)


def test_a_further_training_keeps_half_of_the_first(outliers):
    further = draw(6000, seed=4)
    further[:, A] += 6
    further[:, B] += 6
    both = TokenOutliers().fit(further, VOCABULARY, outliers)
    assert both.reference_.shape == (2000, 2)
    scores = both.score(pairs([0, 0], [6, 6], [0, 6], [6, 0]))
    assert (scores >= OUTLIER_SCORE).tolist() == [False, False, True, True]
    assert (outliers.score(pairs([6, 6])) >= OUTLIER_SCORE).all(), "The first is as it was."
