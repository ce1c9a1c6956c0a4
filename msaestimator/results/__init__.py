"""Tables of predictions, with units, uncertainties and quality flags."""

from msaestimator.results._estimates import describe_quantity
from msaestimator.results._flags import (
    PredictionFlag,
    interval_flags,
    limit_flags,
    prediction_flags,
)
from msaestimator.results._observed import observed_blocks
from msaestimator.results._physical_spectra import (
    SPECTRUM,
    apparent_spectra,
    check_spectrum,
    spectra_at_10pc,
)
from msaestimator.results._prediction_table import prediction_table, with_interval
from msaestimator.results._provenance import provenance
from msaestimator.results._request_table import request_table
from msaestimator.results._spectra import spectra_table
from msaestimator.results._usable import flag_names, usable

__all__ = [
    "SPECTRUM",
    "PredictionFlag",
    "apparent_spectra",
    "check_spectrum",
    "describe_quantity",
    "flag_names",
    "interval_flags",
    "limit_flags",
    "observed_blocks",
    "prediction_flags",
    "prediction_table",
    "provenance",
    "request_table",
    "spectra_at_10pc",
    "spectra_table",
    "usable",
    "with_interval",
]
