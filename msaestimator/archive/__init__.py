"""Stars from Gaia archives, through TAP and DataLink, kept in a local cache."""

from msaestimator.archive._archive import GaiaArchive
from msaestimator.archive._flags import ArchiveFlag
from msaestimator.archive._ids import check_source_ids
from msaestimator.archive._parallax import correct_parallax
from msaestimator.archive._quality import (
    QUALITY_CUTS,
    QUALITY_RULES,
    QualityRule,
    apply_quality_cuts,
)
from msaestimator.archive._services import SERVICES, Service

__all__ = [
    "QUALITY_CUTS",
    "QUALITY_RULES",
    "SERVICES",
    "ArchiveFlag",
    "GaiaArchive",
    "QualityRule",
    "Service",
    "apply_quality_cuts",
    "check_source_ids",
    "correct_parallax",
]
