"""Scores of predictions and of their uncertainties, ``y_true`` first."""

from msaestimator.metrics._agreement import r2, spearman
from msaestimator.metrics._baseline import BoostingBaseline
from msaestimator.metrics._intervals import coverage, interval_positions, pinball_loss, z_scores
from msaestimator.metrics._label_scorer import LabelScorer
from msaestimator.metrics._reconstruction import reconstruction_error
from msaestimator.metrics._residuals import mae, nmad, residual_std, rmse
from msaestimator.metrics._score_table import score_table
from msaestimator.metrics._two_half import hide_xp, two_half_table

__all__ = [
    "BoostingBaseline",
    "LabelScorer",
    "coverage",
    "hide_xp",
    "interval_positions",
    "mae",
    "nmad",
    "pinball_loss",
    "r2",
    "reconstruction_error",
    "residual_std",
    "rmse",
    "score_table",
    "spearman",
    "two_half_table",
    "z_scores",
]
