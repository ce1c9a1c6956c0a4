"""Calibrate predicted quantiles on stars held back from training, so that they cover."""

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
from scipy.special import expit, ndtri
from scipy.stats import norm, rankdata
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from msaestimator.metrics import interval_positions
from msaestimator.uncertainty._levels import interpolate_rows, quantiles_at

__all__ = ["MIN_KNOWN", "LabelCalibrator", "QuantileCalibrator"]

MIN_KNOWN = 50
"""Known values below which a label stays uncalibrated: fewer tell little of its tails."""

MOST_KNOTS = 5
STARS_PER_KNOT = 300
N_FOLDS = 5

LEARNED_LEVELS = np.array(
    [0.005, 0.02, 0.06, 0.11, 0.18, 0.27, 0.38, 0.5, 0.62, 0.73, 0.82, 0.89, 0.94, 0.98, 0.995]
)
"""Levels of all stars' z-scores at which those of each star are learned."""

LEAST_BEYOND = 10
"""Stars that must lie on either side of such a level for it to be learned."""

PRIOR_STARS = 20
"""Strength of the prior, in stars, that all stars share one distribution of z-scores."""

MOST_LEARNED = 4000
"""Most stars that distributions are learned from; many more would take minutes."""

LEAST_SCORED = 1000
"""Further stars from which scores are taken, so that no distribution knows the star."""

TINY = 1e-6


class LabelCalibrator(BaseEstimator):
    r"""Learn how the z-scores of one label are distributed, which changes from star to star.

    Attributes
    ----------
    thresholds_ : ndarray of shape (n_thresholds,)
        z-scores, rising, with the stars' median in the middle.
    knots_ : ndarray of shape (n_knots, n_covariates)
        Knots of the learned functions: quantiles of the covariates.
    weights_ : ndarray of shape (n_covariates, n_knots, n_thresholds)
    intercepts_ : ndarray of shape (n_thresholds,)
    scores_ : ndarray of shape (n_stars,)
        Places of stars in their own distributions, as normal deviates, in increasing order. Of
        several copies of each star there are as many quantiles of the places as stars.

    Notes
    -----
    The probability that :math:`z` is below a threshold is learned by a regularised logistic
    regression, piecewise linear in each covariate and apart for each threshold; for any star they
    make up a distribution (distribution regression). It is right on average only, so scores tell
    where the truth lies in it, and their quantiles take the place of a normal's (conformal). The
    score of a star is from a distribution learned without it: in one that knows the star, it
    would lie too close to the median. Of many stars, 4,000 at random tell the distributions and as
    many others the scores.

    A star may come in several copies, such as fainter ones or with less known of them. Whatever
    they tell of where distributions change counts, and all of them together as one star: they
    share its errors, and its score is from a distribution that knows none of them.

    References
    ----------
    Foresi & Peracchi (1995), *The conditional distribution of excess returns*, JASA 90, 451.
    Chernozhukov, Wüthrich & Zhu (2021), *Distributional conformal prediction*, PNAS 118.
    """

    def fit(self, z: np.ndarray, covariates: np.ndarray, stars: np.ndarray | None = None) -> Self:
        """Learn from stars whose truth is known.

        Parameters
        ----------
        z : ndarray of shape (n_rows,)
            Place of the truth in the predicted distribution, as a normal deviate; of at least
            `MIN_KNOWN` stars.
        covariates : ndarray of shape (n_rows, n_covariates)
            Covariates that the distribution of z may depend on.
        stars : ndarray of int of shape (n_rows,), optional
            Number of each row's star; None has a star in each row.
        """
        stars = np.arange(len(z)) if stars is None else np.unique(stars, return_inverse=True)[1]
        learned, scored = _split(stars)
        n_learned = len(np.unique(stars[learned]))
        copies = learned.sum() / n_learned
        known, where = z[learned], covariates[learned]
        counts = np.round(LEARNED_LEVELS * len(known)).astype(int)
        least = LEAST_BEYOND * copies
        counts = counts[(counts >= least) & (counts <= len(known) - least)]
        n_knots = min(2 + n_learned // STARS_PER_KNOT, MOST_KNOTS)
        knots = np.quantile(where, np.linspace(0, 1, n_knots), axis=0)
        # Interpolation needs knots that increase, though many values may agree.
        self.knots_ = knots + TINY * np.arange(n_knots)[:, None]
        self.thresholds_ = np.sort(known)[counts - 1] + TINY * np.arange(len(counts))
        hats = np.column_stack(list(self._hats(where)))
        # By rank, so that of equal values too as many as asked are below.
        is_below = rankdata(known, method="ordinal")[:, None] <= counts
        fits = [_regression(below, copies).fit(hats, below) for below in is_below.T]
        self.intercepts_ = np.concatenate([fit.intercept_ for fit in fits])
        weights = np.column_stack([fit.coef_[0] for fit in fits])
        # In single precision, more than is known of them, they are shorter to write down.
        self.weights_ = weights.reshape(-1, n_knots, len(counts)).astype(np.float32)
        if learned is scored:
            logits = _without_themselves(hats, is_below, _folds(known, stars), copies)
        else:
            logits = self._logits(covariates[scored])
        deviates = _rising_deviates(logits)
        scores = interpolate_rows(
            z[scored, None], np.broadcast_to(self.thresholds_, deviates.shape), deviates
        )
        self.scores_ = _one_a_star(scores[:, 0], len(np.unique(stars[scored])))
        return self

    def z_at(self, covariates: np.ndarray, levels: Sequence[float]) -> np.ndarray:
        """Return the z-scores at levels of stars' distributions, (n_stars, len(levels)).

        A z-score is zero at one half, and never on the other side of it.
        """
        deviates = _rising_deviates(self._logits(covariates))
        scores = np.array([self.score_at(level) for level in levels])
        scores, thresholds = (
            np.broadcast_to(values, (len(deviates), len(values)))
            for values in (scores, self.thresholds_)
        )
        side = np.sign(np.array(levels) - 0.5)
        return side * np.maximum(side * interpolate_rows(scores, deviates, thresholds), 0.0)

    def score_at(self, level: float) -> float:
        """Return the score below which a further star's lies with probability ``level``.

        The order statistic is the one that errs outwards, for a finite sample; levels beyond
        the last one are reached as a normal's would be.
        """
        if level > 0.5:
            return conformal_quantile(self.scores_, level)
        return -conformal_quantile(-self.scores_[::-1], 1 - level)

    def _logits(self, covariates: np.ndarray) -> np.ndarray:
        """Return the logits of being below the thresholds, (n_stars, n_thresholds)."""
        parts = zip(self._hats(covariates), self.weights_, strict=True)
        return sum((hats @ weights for hats, weights in parts), start=self.intercepts_)

    def _hats(self, covariates: np.ndarray) -> Iterator[np.ndarray]:
        """Yield each covariate on its knots, constant outside: (n_stars, n_knots)."""
        rows = np.arange(len(covariates))
        for values, knots in zip(covariates.T, self.knots_.T, strict=True):
            upper = np.clip(np.searchsorted(knots, values), 1, len(knots) - 1)
            width = knots[upper] - knots[upper - 1]
            share = np.clip((values - knots[upper - 1]) / width, 0.0, 1.0)
            hats = np.zeros((len(values), len(knots)))
            hats[rows, upper - 1], hats[rows, upper] = 1.0 - share, share
            yield hats


def _split(stars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell which rows to learn distributions from, and which to score: all, or other stars'."""
    n_stars = stars.max() + 1
    if n_stars < MOST_LEARNED + LEAST_SCORED:
        rows = np.ones(len(stars), dtype=bool)
        return rows, rows
    place = np.random.default_rng(0).permutation(n_stars)[stars]
    return place < MOST_LEARNED, (place >= MOST_LEARNED) & (place < 2 * MOST_LEARNED)


def _regression(is_below: np.ndarray, copies: float) -> LogisticRegression:
    """Return a regression for a probability that is about the share of rows below."""
    share = is_below.mean()
    # In units of what one star tells of such a probability.
    prior = PRIOR_STARS * copies * share * (1 - share)
    return LogisticRegression(C=1 / prior, solver="newton-cholesky")


def _folds(z: np.ndarray, stars: np.ndarray) -> np.ndarray:
    """Return each row's fold: that of its star, with alike stars in different folds."""
    mean = np.bincount(stars, z) / np.bincount(stars)
    return (rankdata(mean, method="ordinal").astype(int) % N_FOLDS)[stars]


def _without_themselves(
    hats: np.ndarray, is_below: np.ndarray, fold: np.ndarray, copies: float
) -> np.ndarray:
    """Return each row's logits as learned without its star, (n_rows, n_thresholds)."""
    logits = np.empty(is_below.shape)
    for left_out in range(N_FOLDS):
        rows, others = fold == left_out, fold != left_out
        for below, of_threshold in zip(is_below.T, logits.T, strict=True):
            regression = _regression(below, copies).fit(hats[others], below[others])
            of_threshold[rows] = regression.decision_function(hats[rows])
    return logits


def _one_a_star(scores: np.ndarray, n_stars: int) -> np.ndarray:
    """Return as many quantiles of scores as there are stars: of a star each, the scores."""
    if len(scores) > n_stars:
        scores = np.quantile(scores, np.arange(1, n_stars + 1) / (n_stars + 1), method="weibull")
    # In single precision, as weights are.
    return np.sort(scores).astype(np.float32)


def _rising_deviates(logits: np.ndarray) -> np.ndarray:
    """Return the normal deviates of probabilities, put in order: (n_stars, n_thresholds)."""
    probabilities = np.clip(expit(np.sort(logits, axis=1)), TINY, 1 - TINY)
    return ndtri(probabilities) + TINY * np.arange(logits.shape[1])


def conformal_quantile(scores: np.ndarray, level: float) -> float:
    """Return the smallest score with at least (n + 1) × level scores at or below it.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Normal deviates, rising.
    level : float
        A level above one half; one beyond the last score is reached as a normal's would be.
    """
    n = len(scores)
    # Rounded first: (n + 1) * level is whole where it should be.
    rank = int(np.ceil(np.round((n + 1) * level, 9)))
    beyond = 1.0 if rank <= n else norm.ppf(level) / norm.ppf(n / (n + 1))
    return scores[min(rank, n) - 1] * beyond


class QuantileCalibrator(BaseEstimator):
    """Split-conformal calibration of quantiles, by label and group of stars.

    Everything is on a scale where errors are about normal.

    Parameters
    ----------
    levels : sequence of float
        Levels of the predicted quantiles: rising, with the median in the middle.

    Attributes
    ----------
    calibrators_ : tuple of tuples of LabelCalibrator or None
        Calibrators by group, then label. None where fewer than `MIN_KNOWN` stars were known.
    typical_ : ndarray of shape (n_extra,)
        Medians of the further covariates, for stars that lack them.

    Notes
    -----
    The predicted quantiles of a star, with normal deviates between them, say where its truth
    lies as a z-score. How z-scores of stars like it are distributed, which need be neither
    symmetric nor normal, is learned from held-back stars (`LabelCalibrator`). A calibrated
    quantile is where the same function puts that distribution's. The median does not move.

    References
    ----------
    Romano, Patterson & Candès (2019), *Conformalized quantile regression*, NeurIPS 32.
    """

    def __init__(self, levels: Sequence[float] = (0.16, 0.5, 0.84)) -> None:
        self.levels = levels

    def fit(
        self,
        truth: np.ndarray,
        quantiles: np.ndarray,
        groups: np.ndarray,
        extra: np.ndarray,
        stars: np.ndarray | None = None,
    ) -> Self:
        """Learn from held-back stars.

        Parameters
        ----------
        truth : ndarray of shape (n_rows, n_labels)
            NaN where unknown.
        quantiles : ndarray of shape (n_rows, n_labels, n_levels)
            Predicted; rows of NaN do not count.
        groups : ndarray of int of shape (n_rows,)
            Group of each row, 0 or 1.
        extra : ndarray of shape (n_rows, n_extra)
            Covariates besides the predictions; NaN where missing.
        stars : ndarray of int of shape (n_rows,), optional
            Number of each row's star, for several copies of stars; None has a star in each row.
        """
        stars = np.arange(len(truth)) if stars is None else stars
        known = [values[np.isfinite(values)] for values in extra.T]
        self.typical_ = np.array([np.median(values) if len(values) else 0.0 for values in known])
        self.calibrators_ = tuple(
            tuple(
                self._fit_label(label, truth, quantiles, extra, stars, groups == group)
                for label in range(truth.shape[1])
            )
            for group in range(2)
        )
        return self

    def _fit_label(
        self,
        label: int,
        truth: np.ndarray,
        quantiles: np.ndarray,
        extra: np.ndarray,
        stars: np.ndarray,
        rows: np.ndarray,
    ) -> LabelCalibrator | None:
        residual = truth[:, label] - quantiles[:, label, len(self.levels) // 2]
        rows = rows & np.isfinite(residual)
        if len(np.unique(stars[rows])) < MIN_KNOWN:
            return None
        distances, deviates, covariates = self._describe(label, quantiles[rows], extra[rows])
        z = interpolate_rows(residual[rows, None], distances, deviates)[:, 0]
        return LabelCalibrator().fit(z, covariates, stars[rows])

    def predict(
        self,
        quantiles: np.ndarray,
        groups: np.ndarray,
        extra: np.ndarray,
        levels: Sequence[float],
    ) -> np.ndarray:
        """Return calibrated quantiles at any levels, (n_stars, n_labels, len(levels)).

        Labels that are not calibrated are as predicted, see `quantiles_at`. Of ``extra`` the first
        columns count, as many as ``fit`` had.
        """
        extra = extra[:, : len(self.typical_)]
        calibrated = quantiles_at(quantiles, self.levels, levels)
        for group, calibrators in enumerate(self.calibrators_):
            rows = np.flatnonzero((groups == group) & np.isfinite(quantiles[:, 0, 0]))
            for label, calibrator in enumerate(calibrators):
                if calibrator is None or not len(rows):
                    continue
                distances, deviates, covariates = self._describe(
                    label, quantiles[rows], extra[rows]
                )
                z = calibrator.z_at(covariates, levels)
                median = quantiles[rows, label, len(self.levels) // 2, None]
                calibrated[rows, label] = median + interpolate_rows(z, deviates, distances)
        return calibrated

    def _describe(
        self, label: int, quantiles: np.ndarray, extra: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the quantiles' distances from the median, their deviates, and covariates."""
        low, middle, high = interval_positions(self.levels)
        distances = quantiles[:, label] - quantiles[:, label, [middle]]
        width = np.log(np.maximum(distances[:, high] - distances[:, low], TINY))
        extra = np.where(np.isfinite(extra), extra, self.typical_)
        deviates = np.broadcast_to(norm.ppf(self.levels), distances.shape)
        return distances, deviates, np.column_stack([quantiles[..., middle], width, extra])
