"""Calibrated quantiles in units from the members': levels, calibration, label coverage."""

from msaestimator.uncertainty._conformal import MIN_KNOWN, LabelCalibrator, QuantileCalibrator
from msaestimator.uncertainty._intervals import IntervalModel, calibration_sample
from msaestimator.uncertainty._label_coverage import LabelCoverage
from msaestimator.uncertainty._levels import check_levels, quantiles_at
from msaestimator.uncertainty._members import combine_members, epistemic_share
from msaestimator.uncertainty._reconstruction_errors import ReconstructionErrors

__all__ = [
    "MIN_KNOWN",
    "IntervalModel",
    "LabelCalibrator",
    "LabelCoverage",
    "QuantileCalibrator",
    "ReconstructionErrors",
    "calibration_sample",
    "check_levels",
    "combine_members",
    "epistemic_share",
    "quantiles_at",
]
