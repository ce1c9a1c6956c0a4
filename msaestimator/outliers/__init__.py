"""Outlier scores of a star, by its inputs and its latent vector; false-alarm rates."""

from msaestimator.outliers._brightness_free import BrightnessFreeView
from msaestimator.outliers._density import DensityOutliers
from msaestimator.outliers._faint_outliers import FaintInputOutliers
from msaestimator.outliers._false_alarm import FalseAlarmRate
from msaestimator.outliers._input_outliers import InputOutliers
from msaestimator.outliers._latent_outliers import LatentOutliers
from msaestimator.outliers._local_rate import LocalFalseAlarmRate
from msaestimator.outliers._noise_profile import NoiseProfile
from msaestimator.outliers._noisy_density import NoisyDensity
from msaestimator.outliers._noisy_outliers import NoisyOutliers
from msaestimator.outliers._outlier_model import (
    OUTLIER_SCORE,
    OutlierModel,
    stars_with_gaps,
    training_views,
)
from msaestimator.outliers._rates_by_columns import RatesByColumns
from msaestimator.outliers._token_outliers import TokenOutliers

__all__ = [
    "OUTLIER_SCORE",
    "BrightnessFreeView",
    "DensityOutliers",
    "FaintInputOutliers",
    "FalseAlarmRate",
    "InputOutliers",
    "LatentOutliers",
    "LocalFalseAlarmRate",
    "NoiseProfile",
    "NoisyDensity",
    "NoisyOutliers",
    "OutlierModel",
    "RatesByColumns",
    "TokenOutliers",
    "stars_with_gaps",
    "training_views",
]
