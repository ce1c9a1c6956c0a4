"""The scikit-learn faces: autoencoder and regressor."""

from msaestimator.estimators._autoencoder import MaskedStellarAutoencoder
from msaestimator.estimators._presets import PRESETS
from msaestimator.estimators._regressor import StellarParameterRegressor

__all__ = ["PRESETS", "MaskedStellarAutoencoder", "StellarParameterRegressor"]
