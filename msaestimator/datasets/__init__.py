"""Samples to learn from: ``load_*`` ships with the package, ``make_*`` draws known truth."""

from msaestimator.datasets._apogee import load_apogee_xp
from msaestimator.datasets._isochrones import load_isochrones
from msaestimator.datasets._mock import make_mock_survey
from msaestimator.datasets._split import split_by_source_id

__all__ = ["load_apogee_xp", "load_isochrones", "make_mock_survey", "split_by_source_id"]
