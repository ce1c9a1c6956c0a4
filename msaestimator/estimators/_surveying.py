"""Labels of several surveys, learned and predicted on the scale of one."""

from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from msaestimator.uncertainty._members import combine_members
from msaestimator.estimators._predicting import PredictingEstimator
from msaestimator.surveys._read_surveys import read_surveys
from msaestimator.surveys._offsets import SurveyOffsets

__all__ = ["SurveyedEstimator"]


class SurveyedEstimator(PredictingEstimator):
    """An estimator whose labels may be of several surveys, with ``survey_offsets_``."""

    def survey_offset(self, X: Any, survey: str | int) -> np.ndarray:
        """Return what a survey's labels of stars exceed those of the reference survey by.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
        survey : str or int
            One of the surveys of ``fit``.

        Returns
        -------
        ndarray of shape (n_stars, n_labels)
            To be added to predictions, in the labels' units; zero for the reference survey,
            NaN for a star without any feature.

        Raises
        ------
        ValueError
            ``fit`` was given no surveys, or not this one.
        """
        check_is_fitted(self, "module_")
        if self.survey_offsets_ is None:
            raise ValueError(
                "`survey_offset` needs a fit on labels of several surveys, but this one was not "
                "told whose the labels are. Fit with survey=."
            )
        features = self._enter(X, reset=False)
        members = combine_members(self._members(features), self.quantiles)
        medians = members[..., len(self.quantiles) // 2]
        shifted = medians + self.survey_offsets_.offset(survey, medians)
        back = self.label_scaler_.inverse_transform
        return back(shifted) - back(medians)

    def _read_surveys(self, X: Any, survey: Any, n_stars: int) -> np.ndarray | None:
        if survey is not None:
            return read_surveys(X, survey, n_stars)
        if self.reference_survey is not None:
            raise ValueError(
                f"`reference_survey` is {self.reference_survey!r}, but fit was not told whose "
                "labels the stars have. Pass survey=, or leave `reference_survey` at None."
            )
        return None

    def _on_reference_scale(
        self, features: np.ndarray, targets: np.ndarray, surveys: np.ndarray | None, *, reset: bool
    ) -> np.ndarray:
        """Return scaled labels without the offsets of their surveys, which are learned."""
        if surveys is None:
            if reset:
                self.survey_offsets_ = None
            return targets
        reference = self.reference_survey
        if not reset and self.survey_offsets_ is not None:
            # What was learned before is on this scale.
            reference = self.survey_offsets_.reference_
        self.survey_offsets_ = SurveyOffsets(
            self.labels_, reference, random_state=torch.initial_seed() % 2**32
        )
        return self.survey_offsets_.fit_transform(features, targets, surveys)
