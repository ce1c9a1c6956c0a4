"""Outlier scores of a star, by its inputs and its latent vector; false-alarm rates."""

from msaestimator.outliers._brightness_free import BrightnessFreeView
from msaestimator.outliers._density import DensityOutliers
from msaestimator.outliers._false_alarm import FalseAlarmRate
from msaestimator.outliers._input_outliers import InputOutliers
from msaestimator.outliers._outlier_model import OUTLIER_SCORE, OutlierModel, training_views

__all__ = [
    "OUTLIER_SCORE",
    "BrightnessFreeView",
    "DensityOutliers",
    "FalseAlarmRate",
    "InputOutliers",
    "OutlierModel",
    "training_views",
]
