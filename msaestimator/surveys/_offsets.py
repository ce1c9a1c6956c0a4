"""Learn how the labels of several surveys differ, and bring them to the scale of one."""

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from msaestimator.preprocessing import with_arrays
from msaestimator.surveys._read_surveys import find_survey

__all__ = ["SurveyOffsets"]

AXES = ("teff", "logg", "fe_h", "m_h")
"""Labels that offsets depend on."""

DEGREE = 2
CONSTANT = 5.0
"""Scale of the constant term.

The ridge penalises a constant offset 25 times less than a slope of the same size.
"""

N_COMPONENTS = 10
N_NEIGHBORS = 50
TINY = 1e-9
LARGEST = 5.0
"""Largest feature in standard deviations; larger ones count as this much."""

N_TREES = 60
N_ITERATIONS = 3
N_REPEATS = 12
"""Number of repetitions that bring further labels to the reference's scale."""
SMALLEST_SHARE = 0.05
"""Least share of like stars that know a label; with fewer, the label's mean is not known."""

LEAST_OVERLAP = 0.2
"""Least ``p (1 - p)`` of like stars, relative to that of all stars, with p the share of a survey;
like stars with less tell of the ends of the survey rather than of its labels."""

PENALTIES = np.logspace(2, 7, 11)
COARSE_PENALTIES = np.logspace(0, 4, 5)


class SurveyOffsets(BaseEstimator):
    """Smooth differences between the labels of surveys and those of a reference survey.

    Everything is on a scale where errors are about normal.

    Parameters
    ----------
    labels : sequence of str of length n_labels
        Names of the labels. Offsets depend on Teff, log g, [Fe/H] and [M/H] as far as they are
        among them, else on all.
    reference : str or int, optional
        The survey whose scale is kept; None is the one with most stars.
    random_state : int
        Seed of the regression forest.

    Attributes
    ----------
    surveys_ : ndarray of shape (n_surveys,)
        Names of the surveys, sorted.
    reference_ : str or int
        The survey whose offsets are zero.
    range_ : ndarray of shape (n_surveys, 2, n_axes)
        Range in which other surveys have stars like a survey's, so that its offsets can be told to
        vary; beyond they are as at its ends.
    coefficients_ : ndarray of shape (n_surveys, n_terms, n_labels)
        Coefficients of the polynomials in the axes, mapped from ``range_`` to -1 … 1.

    Notes
    -----
    A regression on the labels of all surveys learns the mean of the surveys among like stars, so
    its residuals hold only part of an offset: of survey k, ``d_k`` minus the mean offset of like
    stars. With m(x) the mean label of stars with features x, and p_k(x) the share of survey k
    among them, ``y - m(x) = sum_k (s_k - p_k(x)) d_k + noise``, where s_k is 1 for the
    survey's own stars, else 0 (Robinson 1988). Both m and p_k come from one regression, a
    ridge and then a forest of trees that did not see the star: what it smooths away, it smooths
    away on both sides. Offsets follow by ridge regression on polynomials of the stars'
    predicted labels, in units of the usual error of like stars; its penalty is chosen by leaving
    one star out, and outliers weigh less.
    Where a survey has no stars like those of others, nothing can be known; offsets are there as
    at the nearest stars that are alike.

    References
    ----------
    Robinson (1988), *Root-N-consistent semiparametric regression*, Econometrica 56, 931.
    """

    def __init__(
        self,
        labels: Sequence[str],
        reference: str | int | None = None,
        random_state: int = 0,
    ) -> None:
        self.labels = labels
        self.reference = reference
        self.random_state = random_state

    @with_arrays
    def fit_transform(self, X: np.ndarray, y: np.ndarray, surveys: np.ndarray) -> np.ndarray:
        """Learn the offsets, and return the labels on the scale of the reference survey.

        Parameters
        ----------
        X : ndarray of shape (n_stars, n_features)
            NaN where missing.
        y : ndarray of shape (n_stars, n_labels)
            Scaled; NaN where unknown.
        surveys : ndarray of str or int of shape (n_stars,)

        Raises
        ------
        ValueError
            ``reference`` is none of the surveys.
        """
        self.surveys_, survey = np.unique(surveys, return_inverse=True)
        reference = int(np.bincount(survey).argmax())
        if self.reference is not None:
            reference = find_survey(self.reference, self.surveys_, "reference_survey")
        self.reference_ = self.surveys_[reference].item()
        n_axes = len(self._axes())
        n_terms = PolynomialFeatures(DEGREE).fit(np.zeros((1, n_axes))).n_output_features_
        self.range_ = np.zeros((len(self.surveys_), 2, n_axes))
        self.coefficients_ = np.zeros((len(self.surveys_), n_terms, len(self.labels)))
        others = np.delete(np.arange(len(self.surveys_)), reference)
        if not len(others):
            return y
        is_of = (survey[:, None] == others).astype(float)
        mean, share = self._like_stars(X, y, is_of)
        usual = np.nanmean(share, axis=0)
        in_common = share * (1 - share) >= LEAST_OVERLAP * usual * (1 - usual)
        contrast = np.where(in_common, is_of[:, None] - share, 0.0)
        self.range_[others] = self._range_of(mean, in_common)
        error = _usual_error(y - mean, mean[:, self._axes()])
        residual, contrast = (y - mean) / error, contrast / error[..., None]
        on_reference = mean
        for _ in range(N_ITERATIONS):
            terms = np.stack(
                [self._terms(on_reference, other) for other in others.tolist()], axis=1
            )
            self._fit_coefficients(terms, residual, contrast, others)
            offsets = np.einsum("nst,stl->nls", terms, self.coefficients_[others])
            on_reference = mean - (share * offsets).sum(axis=-1)
        return (y - (is_of[:, None] * offsets).sum(axis=-1)).astype(y.dtype)

    @with_arrays
    def transform(self, y: np.ndarray, surveys: np.ndarray) -> np.ndarray:
        """Return labels of further stars on the scale of the reference survey.

        Parameters
        ----------
        y : ndarray of shape (n_stars, n_labels)
            Scaled labels as the surveys have them; NaN where unknown.
        surveys : ndarray of str or int of shape (n_stars,)
            The survey of each star.

        Raises
        ------
        ValueError
            A survey is none of those of `fit_transform`.

        Notes
        -----
        Offsets depend on the labels that the reference survey would have. These are found by
        repetition, from the star's own labels, where `fit_transform` predicts them from features.
        """
        names, survey = np.unique(surveys, return_inverse=True)
        on_reference = y
        for _ in range(N_REPEATS):
            offsets = np.zeros(y.shape)
            for number, name in enumerate(names.tolist()):
                rows = survey == number
                offsets[rows] = self.offset(name, on_reference[rows])
            on_reference = y - offsets
        return on_reference.astype(y.dtype)

    @with_arrays
    def offset(self, survey: str | int, y: np.ndarray) -> np.ndarray:
        """Return what a survey's labels exceed the reference's by, (n_stars, n_labels).

        Parameters
        ----------
        survey : str or int
        y : ndarray of shape (n_stars, n_labels)
            Scaled labels as the reference survey has them.
        """
        position = find_survey(survey, self.surveys_, "survey")
        return self._terms(y, position) @ self.coefficients_[position]

    def _axes(self) -> list[int]:
        named = [axis for axis, name in enumerate(self.labels) if name in AXES]
        return named or list(range(len(self.labels)))

    def _terms(self, y: np.ndarray, survey: int) -> np.ndarray:
        """Return the polynomials of a survey at stars' labels, (n_stars, n_terms)."""
        low, high = self.range_[survey]
        half = np.where(high > low, high - low, 1.0) / 2
        places = np.clip((y[:, self._axes()] - (low + high) / 2) / half, -1.0, 1.0)
        # A label that is not even predicted is taken as that of a star in the middle.
        terms = PolynomialFeatures(DEGREE).fit_transform(np.nan_to_num(places))
        terms[:, 0] *= CONSTANT
        return terms

    def _range_of(self, mean: np.ndarray, in_common: np.ndarray) -> np.ndarray:
        """Return the range of labels of the stars that surveys have in common."""
        labels = mean[:, self._axes(), None], in_common[:, self._axes()]
        ranges = np.nanpercentile(np.where(labels[1], labels[0], np.nan), [1, 99], axis=0)
        return ranges.transpose(2, 0, 1)

    def _like_stars(
        self, X: np.ndarray, y: np.ndarray, is_of: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean label, and shares of surveys, among like stars that know the label.

        Of shape (n_stars, n_labels) and (n_stars, n_labels, n_others).
        """
        known = np.isfinite(y)
        of_known = np.where(known[..., None], is_of[:, None], np.nan)
        targets = np.concatenate([y[..., None], of_known], axis=2)
        design = _design(X)
        coarse = np.stack([_ridge(design, label) for label in targets.swapaxes(0, 1)], axis=1)
        # One forest for all: sums over the stars that know a label, then divided by their number.
        sums = np.concatenate([np.nan_to_num(targets - coarse), known[..., None]], axis=2)
        forest = ExtraTreesRegressor(
            N_TREES,
            min_samples_leaf=5,
            max_features=0.3,
            bootstrap=True,
            oob_score=True,
            random_state=self.random_state,
        ).fit(X, sums.reshape(len(y), -1))
        sums = forest.oob_prediction_.reshape(sums.shape)
        number = np.where(sums[..., -1:] >= SMALLEST_SHARE, sums[..., -1:], np.nan)
        expected = coarse + sums[..., :-1] / number
        return expected[..., 0], expected[..., 1:]

    def _fit_coefficients(
        self, terms: np.ndarray, residual: np.ndarray, contrast: np.ndarray, others: np.ndarray
    ) -> None:
        """Regress residuals, (n_stars, n_labels), on contrasts times terms.

        These are (n_stars, n_labels, n_others) and (n_stars, n_others, n_terms).
        """
        for label in range(residual.shape[1]):
            known = np.isfinite(residual[:, label])
            if known.sum() < terms.shape[-1]:
                continue
            design = contrast[known, label, :, None] * terms[known]
            design, left = design.reshape(known.sum(), -1), residual[known, label]
            explained = design @ self.coefficients_[others, :, label].ravel()
            error = np.abs(left - explained)
            weight = 1.0 / np.maximum(1.0, error / (2.0 * np.median(error) + TINY))
            ridge = RidgeCV(PENALTIES, fit_intercept=False).fit(design, left, sample_weight=weight)
            self.coefficients_[others, :, label] = ridge.coef_.reshape(len(others), -1)


def _usual_error(residual: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return how large residuals, (n_stars, n_labels), typically are near each star's place.

    Without it, hot stars, whose temperatures are hard to tell, would all be outliers.
    """
    error = np.full(residual.shape, np.nan)
    for label, values in enumerate(residual.T):
        known = np.isfinite(values)
        if known.any():
            near = KNeighborsRegressor(min(N_NEIGHBORS, known.sum()))
            size = np.log(np.abs(values[known]) + TINY)
            where = np.nan_to_num(places[known])
            error[known, label] = np.exp(near.fit(where, size).predict(where))
    return error


def _design(X: np.ndarray) -> np.ndarray:
    """Return terms linear in the features, and quadratic in their main components."""
    scale = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    scaled = np.clip(scale.fit_transform(X), -LARGEST, LARGEST)
    components = PCA(min(N_COMPONENTS, *scaled.shape), whiten=True, random_state=0)
    main = np.clip(components.fit_transform(scaled), -LARGEST, LARGEST)
    return np.hstack([scaled, PolynomialFeatures(2, include_bias=False).fit_transform(main)])


def _ridge(design: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return targets, (n_stars, n_targets), as predicted for every star with one penalty."""
    known = np.isfinite(targets).all(axis=1)
    if known.sum() < 2:
        return np.zeros_like(targets)
    return RidgeCV(COARSE_PENALTIES).fit(design[known], targets[known]).predict(design)
