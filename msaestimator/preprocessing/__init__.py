"""Table to matrix and back: reading, XP normalisation, feature and label scaling."""

from msaestimator.preprocessing._asked_quantities import AskedQuantities
from msaestimator.preprocessing._color_contrasts import color_contrasts, units_of_features
from msaestimator.preprocessing._feature_matrix import FeatureColumns, Features
from msaestimator.preprocessing._features import StellarFeatures
from msaestimator.preprocessing._fill_missing import fill_missing
from msaestimator.preprocessing._forms import check_any_star
from msaestimator.preprocessing._inferred import errors_in_units, tell_inferred
from msaestimator.preprocessing._label_scaler import LabelScaler
from msaestimator.preprocessing._label_set import (
    LabelSet,
    check_known,
    collect_label_errors,
    collect_labels,
    labels_at_hand,
    weights_of_labels,
)
from msaestimator.preprocessing._luminosity_input import luminosity_input
from msaestimator.preprocessing._measured_errors import known_errors, typical_errors
from msaestimator.preprocessing._measurements import Measurements
from msaestimator.preprocessing._open_stars import (
    NORMALIZED,
    open_by_names,
    open_stars,
)
from msaestimator.preprocessing._own_arrays import with_arrays
from msaestimator.preprocessing._sample_weight import counted_stars, read_sample_weight
from msaestimator.preprocessing._star_reader import StarReader
from msaestimator.preprocessing._table_reader import (
    read_column,
    read_errors,
    read_features,
    read_labels,
)
from msaestimator.preprocessing._token_reader import open_tokens, read_tokens, token_columns
from msaestimator.preprocessing._token_stars import TokenReader
from msaestimator.preprocessing._word_contrasts import word_contrasts
from msaestimator.preprocessing._xp_scaler import XPCoefficientScaler

__all__ = [
    "NORMALIZED",
    "AskedQuantities",
    "FeatureColumns",
    "Features",
    "LabelScaler",
    "LabelSet",
    "Measurements",
    "StarReader",
    "StellarFeatures",
    "TokenReader",
    "XPCoefficientScaler",
    "check_any_star",
    "check_known",
    "collect_label_errors",
    "collect_labels",
    "color_contrasts",
    "counted_stars",
    "errors_in_units",
    "fill_missing",
    "known_errors",
    "labels_at_hand",
    "luminosity_input",
    "open_by_names",
    "open_stars",
    "open_tokens",
    "read_column",
    "read_errors",
    "read_features",
    "read_labels",
    "read_sample_weight",
    "read_tokens",
    "tell_inferred",
    "token_columns",
    "typical_errors",
    "units_of_features",
    "weights_of_labels",
    "with_arrays",
    "word_contrasts",
]
