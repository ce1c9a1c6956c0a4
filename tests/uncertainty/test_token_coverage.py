"""The range of each quantity in training, and the flags of what lies beyond."""

import numpy as np
import pytest

from msaestimator.results import PredictionFlag
from msaestimator.uncertainty import TokenCoverage

NAN = np.nan
BEYOND_INPUT = PredictionFlag.OUT_OF_RANGE_INPUT
BEYOND_ANSWER = PredictionFlag.OUT_OF_RANGE_ANSWER
UNKNOWN_HERE = PredictionFlag.UNCONSTRAINED_LABEL


def draw(n_stars=1000, seed=0):
    """Values of Teff, of a label that hot stars lack, and of one that no star has."""
    values = np.random.default_rng(seed).normal(size=(n_stars, 3)).astype(np.float32)
    values[values[:, 0] > 1, 1] = NAN
    values[:, 2] = NAN
    return values


@pytest.fixture(scope="module")
def coverage():
    return TokenCoverage(0).fit(draw())


def test_numbers_and_ranges(coverage):
    values = draw()
    known = values[values[:, 0] <= 1, 1]
    assert coverage.n_known_.tolist() == [1000, len(known), 0]
    np.testing.assert_array_equal(coverage.range_[:, 0], [values[:, 0].min(), values[:, 0].max()])
    np.testing.assert_array_equal(coverage.range_[:, 1], [known.min(), known.max()])
    assert np.isnan(coverage.range_[:, 2]).all()


def test_no_star_of_the_training_is_beyond(coverage):
    assert not coverage.input_flags(draw()).any()


def test_inputs_beyond_either_end(coverage):
    low, high = coverage.range_[:, 0]
    inside = np.array([[low, NAN, NAN], [NAN, NAN, NAN], [NAN, NAN, 99.0]])
    outside = np.array([[low - 0.01, 0, NAN], [high + 0.01, NAN, NAN], [0, 99.0, NAN]])
    assert not coverage.input_flags(inside).any()
    assert (coverage.input_flags(outside) == BEYOND_INPUT).all()
    assert coverage.input_flags(outside).dtype == np.int32


def test_answers_beyond_their_range(coverage):
    high = coverage.range_[1, 1]
    nothing = np.full((3, 3), NAN)
    answers = np.array([[high, 0.0], [high + 0.1, 0.0], [NAN, 0.0]])
    flags = coverage.answer_flags(nothing, [1, 0], answers)
    assert flags.tolist() == [[0, 0], [BEYOND_ANSWER, 0], [0, 0]]


def test_a_label_that_no_star_of_this_teff_had(coverage):
    """By the Teff that is told, or else by that which is answered."""
    told = np.full((4, 3), NAN)
    told[:2, 0] = 0.5, 2.0
    answers = np.array([[0.0, 2.0], [0.0, 0.5], [0.0, 2.0], [0.0, 0.5]])
    flags = coverage.answer_flags(told, [1, 0], answers)
    assert flags[:, 0].tolist() == [0, UNKNOWN_HERE, UNKNOWN_HERE, 0]
    assert not flags[:, 1].any(), "Teff itself was known."


def test_teff_is_needed_for_labels_with_limits(coverage):
    assert coverage.with_teff([1]) == [1, 0]
    assert coverage.with_teff([0]) == [0]
    assert coverage.with_teff([0, 1]) == [0, 1]
    assert TokenCoverage(None).fit(draw()).with_teff([1]) == [1]


def test_a_further_training_widens_ranges(coverage):
    further = draw(500, seed=1) * 2
    further[:, 1] = NAN
    both = coverage.extended(further)
    assert not both.input_flags(further).any()
    assert not both.input_flags(draw()).any()
    assert coverage.input_flags(further).any(), "The first is as it was."
    assert both.n_known_.tolist() == coverage.n_known_.tolist()
    np.testing.assert_array_equal(both.by_teff_.limits_, coverage.by_teff_.limits_)
    np.testing.assert_array_equal(both.by_teff_.spread_, coverage.by_teff_.spread_)


def test_a_further_training_knows_a_label_of_hotter_stars(coverage):
    further = draw(3000, seed=2)
    further[:, 1] = np.where(further[:, 0] < 2, 0.0, NAN)
    limit = coverage.extended(further).by_teff_.limits_[1, 1]
    assert limit > 1.9 > coverage.by_teff_.limits_[1, 1]
