"""Names of the numbers: columns, units, blocks, labels, and the table that holds them."""

from msaestimator.schema._aliases import ALIASES, CASE_MATTERS, COEFFICIENT_NAMES
from msaestimator.schema._columns import (
    COEFFICIENT_LIMITS,
    LIMITS_OF_NAME,
    CoefficientArray,
    Column,
    Label,
    limits_of,
)
from msaestimator.schema._explained_flag import ExplainedFlag
from msaestimator.schema._feature_schema import FeatureSchema
from msaestimator.schema._gaia import (
    G_BAND,
    G_ZERO_POINT,
    GAIA_DR3,
    GAIA_DR4,
    g_flux,
    resolve_schema,
)
from msaestimator.schema._labels import LABELS, SPECTROSCOPIC_LABELS, get_label
from msaestimator.schema._luminosity import absolute_magnitude, distance, pseudo_luminosity
from msaestimator.schema._star_table import StarTable
from msaestimator.schema._vocabulary import (
    COLOR,
    GENERALIST,
    RELATIVE,
    ZHANG2026,
    Token,
    Vocabulary,
    vocabulary_of,
)

__all__ = [
    "ALIASES",
    "CASE_MATTERS",
    "COEFFICIENT_LIMITS",
    "COEFFICIENT_NAMES",
    "COLOR",
    "GAIA_DR3",
    "GAIA_DR4",
    "GENERALIST",
    "G_BAND",
    "G_ZERO_POINT",
    "LABELS",
    "LIMITS_OF_NAME",
    "RELATIVE",
    "SPECTROSCOPIC_LABELS",
    "ZHANG2026",
    "CoefficientArray",
    "Column",
    "ExplainedFlag",
    "FeatureSchema",
    "Label",
    "StarTable",
    "Token",
    "Vocabulary",
    "absolute_magnitude",
    "distance",
    "g_flux",
    "get_label",
    "limits_of",
    "pseudo_luminosity",
    "resolve_schema",
    "vocabulary_of",
]
