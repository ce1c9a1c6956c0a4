"""Offsets between the label catalogues of surveys."""

from msaestimator.surveys._offsets import SurveyOffsets
from msaestimator.surveys._read_surveys import find_survey, read_surveys
from msaestimator.surveys._reference_scale import offset_in_units, on_reference_scale

__all__ = ["SurveyOffsets", "find_survey", "offset_in_units", "on_reference_scale", "read_surveys"]
