"""Offsets between the label catalogues of surveys."""

from msaestimator.surveys._offsets import SurveyOffsets
from msaestimator.surveys._read_surveys import find_survey, read_surveys

__all__ = ["SurveyOffsets", "find_survey", "read_surveys"]
