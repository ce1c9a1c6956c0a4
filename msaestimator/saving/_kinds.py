"""The parts of estimators that may stand in a saved one, by name."""

from types import ModuleType

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from msaestimator import outliers, preprocessing, surveys, uncertainty
from msaestimator.saving._json import saved_name
from msaestimator.schema import CoefficientArray, Column, FeatureSchema, Token, Vocabulary

__all__ = ["KINDS"]


def _estimators_of(room: ModuleType) -> dict[str, type]:
    """Return the estimators that a room exports, by their names in files."""
    exported = [getattr(room, name) for name in room.__all__]
    return {
        saved_name(kind): kind
        for kind in exported
        if isinstance(kind, type) and issubclass(kind, BaseEstimator)
    }


KINDS: dict[str, type] = {
    **{
        kind.__name__: kind
        for kind in (
            *(CoefficientArray, Column, FeatureSchema, Token, Vocabulary),
            *(Pipeline, RobustScaler, StandardScaler),
        )
    },
    **_estimators_of(preprocessing),
    **_estimators_of(surveys),
    **_estimators_of(uncertainty),
    **_estimators_of(outliers),
}
"""Classes that may stand in a config, by name. No other is ever constructed from a file."""
