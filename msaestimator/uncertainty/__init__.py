"""Calibrated quantiles in units from the members': levels, calibration, label coverage."""

from msaestimator.uncertainty._conformal import MIN_KNOWN, LabelCalibrator, QuantileCalibrator
from msaestimator.uncertainty._error_calibration import ErrorCalibration
from msaestimator.uncertainty._intervals import IntervalModel
from msaestimator.uncertainty._kinds_of_stars import calibration_sample
from msaestimator.uncertainty._label_coverage import LabelCoverage
from msaestimator.uncertainty._levels import check_levels, quantiles_at
from msaestimator.uncertainty._members import combine_members, epistemic_share
from msaestimator.uncertainty._recalibration import (
    DISTRIBUTION_LEVELS,
    LabelRecalibration,
    Recalibration,
)
from msaestimator.uncertainty._reconstruction_errors import ReconstructionErrors
from msaestimator.uncertainty._reweight import prior_ratio, reweight
from msaestimator.uncertainty._token_coverage import TokenCoverage

__all__ = [
    "DISTRIBUTION_LEVELS",
    "MIN_KNOWN",
    "ErrorCalibration",
    "IntervalModel",
    "LabelCalibrator",
    "LabelCoverage",
    "LabelRecalibration",
    "QuantileCalibrator",
    "Recalibration",
    "ReconstructionErrors",
    "TokenCoverage",
    "calibration_sample",
    "check_levels",
    "combine_members",
    "epistemic_share",
    "prior_ratio",
    "quantiles_at",
    "reweight",
]
