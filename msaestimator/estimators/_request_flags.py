"""The flags that requests to the generalist earn, and a warning of requests for what is told."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from msaestimator.exceptions import ToldRequestWarning
from msaestimator.outliers import OUTLIER_SCORE, TokenOutliers
from msaestimator.preprocessing import TokenReader
from msaestimator.results import PredictionFlag
from msaestimator.schema import StarTable
from msaestimator.uncertainty import TokenCoverage

__all__ = ["RequestFlags", "coverage_of", "request_flags", "told_answers", "warn_of_told"]

SHOWN = 3
"""Most names of told requests that a warning has."""


class RequestFlags(NamedTuple):
    """Bits of `PredictionFlag` that concern stars, and those that concern single answers.

    Parameters
    ----------
    of_stars : ndarray of int32 of shape (n_stars,)
    of_answers : ndarray of int32 of shape (n_stars, n_requests)
    """

    of_stars: np.ndarray
    of_answers: np.ndarray


def coverage_of(
    reader: TokenReader, values: np.ndarray, before: TokenCoverage | None = None
) -> TokenCoverage:
    """Return the range of a training's quantities, and of the one ``before`` that it goes on."""
    if before is not None:
        return before.extended(values)
    teff = reader.vocabulary_.index(["teff"])[0] if "teff" in reader.trained_tokens else None
    return TokenCoverage(teff).fit(values)


def request_flags(
    values: np.ndarray,
    tokens: Sequence[int],
    answers: np.ndarray,
    is_invalid: np.ndarray,
    coverage: TokenCoverage | None,
    outliers: TokenOutliers | None,
) -> RequestFlags:
    """Return the flags of answers to requests.

    Parameters
    ----------
    values : ndarray of shape (n_stars, n_tokens)
        Told quantities as the network learns them, NaN where unknown.
    tokens : sequence of int of length n_requests
        Positions of the asked ones.
    answers : ndarray of shape (n_stars, n_requests)
        Medians of these, on the same scale.
    is_invalid : ndarray of bool of shape (n_stars,)
        Mask of the stars with a value that no star has.
    coverage : TokenCoverage or None
        Range of the training. None of a model that was saved before it was noted, whose answers
        are not flagged for what lies beyond.
    outliers : TokenOutliers or None
        Stars of the training. None of a model that was saved before they were kept.
    """
    is_told = np.isfinite(values)
    of_stars = np.where(is_told.any(axis=1), 0, PredictionFlag.NOTHING_KNOWN)
    of_stars[is_invalid] |= PredictionFlag.INVALID_INPUT
    of_answers = np.where(is_told[:, tokens], PredictionFlag.TOLD, 0)
    if coverage is not None:
        of_stars |= coverage.input_flags(values)
        of_answers |= coverage.answer_flags(values, tokens, answers)
    if outliers is not None:
        of_stars[outliers.score(values) >= OUTLIER_SCORE] |= PredictionFlag.INCONSISTENT_INPUTS
    return RequestFlags(of_stars.astype(np.int32), of_answers.astype(np.int32))


def told_answers(table: StarTable) -> tuple[list[str], np.ndarray]:
    """Return the requests of a table of answers, and a mask of the told: (n_stars, n_requests)."""
    flags = [name for name in table.colnames if name.endswith("_flags")]
    bits = np.column_stack([table[name] for name in flags])
    return [name.removesuffix("_flags") for name in flags], (bits & PredictionFlag.TOLD) != 0


def warn_of_told(requests: Sequence[str], is_told: np.ndarray) -> None:
    """Warn of requests that some stars are told, as a mask, (n_stars, n_requests), says."""
    numbers = is_told.sum(axis=0)
    told = [f"{name!r}" for name, number in zip(requests, numbers, strict=True) if number]
    if told:
        more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        warnings.warn(
            f"{', '.join(told[:SHOWN])}{more}: asked for and told, of up to {numbers.max()} of "
            f"{len(is_told)} stars. There the answer more or less repeats what is told and has "
            "the flag TOLD. Leave it out of the requests, or of `inputs`.",
            ToldRequestWarning,
            stacklevel=3,
        )
