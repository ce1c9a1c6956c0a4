"""Stellar parameters from Gaia: masked stellar autoencoders as scikit-learn estimators."""

from msaestimator.estimators import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
    predict_from_gaia,
)
from msaestimator.schema import StarTable

__all__ = [
    "MaskedStellarAutoencoder",
    "StarTable",
    "StellarFoundationModel",
    "StellarParameterRegressor",
    "__version__",
    "predict_from_gaia",
]

__version__ = "0.1.0.dev0"
