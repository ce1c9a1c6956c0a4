"""Stars from Gaia archives, through TAP and DataLink, kept in a local cache."""

from msaestimator.archive._archive import GaiaArchive
from msaestimator.archive._columns import ArchiveColumn
from msaestimator.archive._companions import COMPANIONS, Companion
from msaestimator.archive._flags import ArchiveFlag
from msaestimator.archive._names import NAME_STATUS, resolve_names
from msaestimator.archive._parallax import correct_parallax
from msaestimator.archive._quality import (
    QUALITY_CUTS,
    QUALITY_RULES,
    QualityRule,
    apply_quality_cuts,
)
from msaestimator.archive._releases import RELEASES, Release, Survey
from msaestimator.archive._services import SERVICES, Service
from msaestimator.archive._stars import ZERO_POINT_ERRORS, magnitude_error
from msaestimator.archive._vizier import fetch_vizier

__all__ = [
    "COMPANIONS",
    "NAME_STATUS",
    "QUALITY_CUTS",
    "QUALITY_RULES",
    "RELEASES",
    "SERVICES",
    "ZERO_POINT_ERRORS",
    "ArchiveColumn",
    "ArchiveFlag",
    "Companion",
    "GaiaArchive",
    "QualityRule",
    "Release",
    "Service",
    "Survey",
    "apply_quality_cuts",
    "correct_parallax",
    "fetch_vizier",
    "magnitude_error",
    "resolve_names",
]
