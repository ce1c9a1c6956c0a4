"""The parts of estimators that may stand in a saved one, by name."""

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from msaestimator import outliers, preprocessing, surveys, uncertainty
from msaestimator.saving._json import saved_name
from msaestimator.schema import CoefficientArray, Column, FeatureSchema, Token, Vocabulary

__all__ = ["KINDS", "kinds_by_name"]


def kinds_by_name() -> dict[str, type]:
    """Return what may stand in a config, by name in files: estimators that rooms export, and more.

    A class that is renamed keeps its old name in files as ``saved_as``.
    """
    kinds: list[type] = [
        *(CoefficientArray, Column, FeatureSchema, Token, Vocabulary),
        *(Pipeline, RobustScaler, StandardScaler),
    ]
    for room in (preprocessing, surveys, uncertainty, outliers):
        exported = [getattr(room, name) for name in room.__all__]
        kinds += [k for k in exported if isinstance(k, type) and issubclass(k, BaseEstimator)]
    return {saved_name(kind): kind for kind in kinds}


KINDS = kinds_by_name()
"""Classes that may stand in a config, by name. No other is ever constructed from a file."""
