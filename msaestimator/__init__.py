"""Stellar parameters from Gaia: masked stellar autoencoders as scikit-learn estimators."""

from msaestimator.estimators import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)
from msaestimator.schema import StarTable

__all__ = [
    "MaskedStellarAutoencoder",
    "StarTable",
    "StellarFoundationModel",
    "StellarParameterRegressor",
    "__version__",
]

__version__ = "0.1.0.dev0"
