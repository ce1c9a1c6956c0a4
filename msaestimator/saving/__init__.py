"""Estimators to folders and back, formats, released weights; nothing executable."""

from msaestimator.saving._fingerprint import fingerprint
from msaestimator.saving._folder import load_estimator, save_estimator
from msaestimator.saving._released_models import RELEASED, Origin, released_folder

__all__ = [
    "RELEASED",
    "Origin",
    "fingerprint",
    "load_estimator",
    "released_folder",
    "save_estimator",
]
