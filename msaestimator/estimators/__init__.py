"""The scikit-learn faces: autoencoder, regressor and generalist model."""

from msaestimator.estimators._autoencoder import MaskedStellarAutoencoder
from msaestimator.estimators._default import DEFAULT_MODEL, predict_from_gaia
from msaestimator.estimators._foundation import StellarFoundationModel
from msaestimator.estimators._presets import PRESETS
from msaestimator.estimators._regressor import StellarParameterRegressor

__all__ = [
    "DEFAULT_MODEL",
    "PRESETS",
    "MaskedStellarAutoencoder",
    "StellarFoundationModel",
    "StellarParameterRegressor",
    "predict_from_gaia",
]
