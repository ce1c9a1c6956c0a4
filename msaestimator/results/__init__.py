"""Tables of predictions, with units, uncertainties and quality flags."""

from msaestimator.results._flags import (
    PredictionFlag,
    interval_flags,
    limit_flags,
    prediction_flags,
)
from msaestimator.results._observed import observed_blocks
from msaestimator.results._prediction_table import prediction_table
from msaestimator.results._request_table import request_table
from msaestimator.results._spectra import spectra_table

__all__ = [
    "PredictionFlag",
    "interval_flags",
    "limit_flags",
    "observed_blocks",
    "prediction_flags",
    "prediction_table",
    "request_table",
    "spectra_table",
]
