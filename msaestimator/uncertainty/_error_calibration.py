"""Calibration of standard errors by what is known of a star."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import QuantileRegressor
from sklearn.utils import resample
from sklearn.utils.validation import check_is_fitted

__all__ = ["ErrorCalibration"]

FEWEST = 50
"""Fewest residuals of a group to calibrate on; with fewer its errors stay as predicted."""

MOST = 6000
"""Most residuals of a group that are used: the others hardly change a quantile."""

TINY = 1e-12
"""Least square of a residual over its error."""

WITHIN_TWO = 0.9545
"""Share of a normal distribution within two standard deviations."""

TO_NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute value."""

LARGEST = 5.0
"""Largest factor of an error, and the inverse of the smallest."""


class ErrorCalibration(BaseEstimator):
    """Factors of predicted errors with which they hold, as a function of what is known.

    A network's errors may be right on the whole and too small where it knows much of a star, or
    where little. The logarithm of the factor is linear in the situation of the star and in the
    logarithm of the predicted error; its coefficients are those of quantile regressions, so that
    about as many residuals as a normal distribution has lie within one error, and within two.
    Residuals have wider wings: errors are a compromise, closer to what one error holds.

    Parameters
    ----------
    groups : sequence of sequence of int
        Quantities that have a factor in common, by their columns.
    coverage : float
        Share of the residuals within one error; those within two are 95.45 %.

    Attributes
    ----------
    coefficients_ : ndarray of shape (n_groups, n_features + 2)
        Coefficients of the logarithm of a group's factor: of the constant, of the situation's
        features, and of the logarithm of the predicted error.
    typical_errors_ : ndarray of shape (n_words,) or None
        NMAD of each quantity's residuals, 1.4826 times their median absolute value; NaN of few.
        None of one that was saved before it was noted.
    """

    coefficients_: np.ndarray
    typical_errors_: np.ndarray | None = None

    def __init__(self, groups: Sequence[Sequence[int]], coverage: float = 0.6827) -> None:
        self.groups = groups
        self.coverage = coverage

    def fit(
        self,
        residuals: np.ndarray,
        errors: np.ndarray,
        situations: np.ndarray,
        noise: np.ndarray | None = None,
    ) -> "ErrorCalibration":
        """Learn the factors.

        Parameters
        ----------
        residuals : ndarray of shape (n_stars, n_words)
            Answers less the truth, NaN where that is unknown or was told.
        errors : ndarray of shape (n_stars, n_words)
            Predicted standard errors.
        situations : ndarray of shape (n_stars, n_features)
            Features of what is known of each star.
        noise : ndarray of shape (n_stars, n_words), optional
            Standard errors of the truth, which are in the residuals and not in the errors; None
            is none.
        """
        noise = np.zeros_like(residuals) if noise is None else noise
        self.typical_errors_ = _typical(residuals)
        self.coefficients_ = np.zeros((len(self.groups), situations.shape[1] + 2))
        for number, words in enumerate(self.groups):
            columns = list(words)
            rows, places = np.nonzero(np.isfinite(residuals[:, columns]))
            if len(rows) < FEWEST:
                continue
            if len(rows) > MOST:
                rows, places = resample(
                    rows, places, replace=False, n_samples=MOST, random_state=0
                )
            error = errors[:, columns][rows, places]
            features = np.column_stack([situations[rows], np.log(error)])
            squares = [part[:, columns][rows, places] ** 2 for part in (residuals, noise)]
            for n_errors, level, share in ((1, self.coverage, 0.75), (2, WITHIN_TWO, 0.25)):
                # A residual is within n errors if its excess over the noise is below the factor.
                excess = np.maximum(squares[0] / n_errors**2 - squares[1], TINY * error**2)
                found = QuantileRegressor(quantile=level, alpha=1e-4, solver="highs").fit(
                    features, 0.5 * np.log(excess) - np.log(error)
                )
                self.coefficients_[number] += share * np.array([found.intercept_, *found.coef_])
        return self

    def predict(
        self, errors: np.ndarray, situations: np.ndarray, words: Sequence[int]
    ) -> np.ndarray:
        """Return errors that hold.

        Parameters
        ----------
        errors : ndarray of shape (n_stars, n_asked)
            Predicted standard errors; zero stays zero.
        situations : ndarray of shape (n_stars, n_features)
        words : sequence of int of length n_asked
            Columns of the quantities among those of ``fit``.

        Returns
        -------
        ndarray of shape (n_stars, n_asked)
        """
        check_is_fitted(self, "coefficients_")
        group_of = {word: number for number, group in enumerate(self.groups) for word in group}
        constant, *slopes, of_error = self.coefficients_[[group_of[word] for word in words]].T
        of_situation = constant + situations @ np.asarray(slopes)
        logarithm = of_situation + of_error * np.log(np.where(errors > 0, errors, 1.0))
        largest = np.log(LARGEST)
        return np.asarray(errors * np.exp(np.clip(logarithm, -largest, largest)))


def _typical(residuals: np.ndarray) -> np.ndarray:
    """Return the typical size of residuals, (n_stars, n_words), of each word; NaN of few."""
    known = np.isfinite(residuals)
    sizes = np.where(known.sum(axis=0) >= FEWEST, np.abs(residuals), np.nan)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return TO_NORMAL * np.nanmedian(sizes, axis=0)
