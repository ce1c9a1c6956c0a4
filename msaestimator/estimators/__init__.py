"""The scikit-learn faces: autoencoder, regressor and generalist model."""

from msaestimator.estimators._autoencoder import MaskedStellarAutoencoder
from msaestimator.estimators._fine_tuning import clone_with_encoder, fitted_encoder
from msaestimator.estimators._foundation import StellarFoundationModel
from msaestimator.estimators._masks import feature_mask
from msaestimator.estimators._parameters import (
    at_least,
    between,
    estimator_with,
    fitted,
    one_of,
    parameter,
)
from msaestimator.estimators._presets import PRESETS
from msaestimator.estimators._regressor import StellarParameterRegressor
from msaestimator.estimators._released import DEFAULT_MODEL, predict_from_gaia
from msaestimator.estimators._saved import SavedEstimator
from msaestimator.estimators._star_inference import StarInference

__all__ = [
    "DEFAULT_MODEL",
    "PRESETS",
    "MaskedStellarAutoencoder",
    "SavedEstimator",
    "StarInference",
    "StellarFoundationModel",
    "StellarParameterRegressor",
    "at_least",
    "between",
    "clone_with_encoder",
    "estimator_with",
    "feature_mask",
    "fitted",
    "fitted_encoder",
    "one_of",
    "parameter",
    "predict_from_gaia",
]
