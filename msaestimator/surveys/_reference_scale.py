"""Labels of several surveys on the scale of one, for an estimator that learns from them."""

import numpy as np

from msaestimator.preprocessing import LabelScaler
from msaestimator.surveys._offsets import SurveyOffsets

__all__ = ["offset_in_units", "on_reference_scale"]


def on_reference_scale(
    X: np.ndarray,
    y: np.ndarray,
    surveys: np.ndarray | None,
    offsets: SurveyOffsets,
    before: SurveyOffsets | None,
) -> tuple[SurveyOffsets | None, np.ndarray]:
    """Return the offsets of surveys, which are learned, and the labels without them.

    Parameters
    ----------
    X : ndarray of shape (n_stars, n_features)
        Features, NaN where missing.
    y : ndarray of shape (n_stars, n_labels)
        Scaled labels, NaN where unknown.
    surveys : ndarray of str or int of shape (n_stars,), or None
        The survey of each star; None leaves labels, and what was known of surveys, as they are.
    offsets : SurveyOffsets
        The offsets to fit.
    before : SurveyOffsets or None
        Offsets of a training that goes on, whose reference survey is kept.
    """
    if surveys is None:
        return before, y
    if before is not None:
        # What was learned before is on this scale.
        offsets.set_params(reference=before.reference_)
    return offsets, offsets.fit_transform(X, y, surveys)


def offset_in_units(
    offsets: SurveyOffsets | None, survey: str | int, medians: np.ndarray, scaler: LabelScaler
) -> np.ndarray:
    """Return by how much a survey's labels exceed the reference's, in units.

    ``medians``, of scaled labels, and what is returned have shape (n_stars, n_labels).

    Raises
    ------
    ValueError
        There are no offsets, or not of this survey.
    """
    if offsets is None:
        raise ValueError(
            "`survey_offset` needs a fit on labels of several surveys, but this one was not "
            "told whose the labels are. Fit with survey=."
        )
    shifted = medians + offsets.offset(survey, medians)
    return scaler.inverse_transform(shifted) - scaler.inverse_transform(medians)
