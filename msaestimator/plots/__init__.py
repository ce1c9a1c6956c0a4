"""Figures: one a function, ``ax=`` in, ``ax`` out."""

from msaestimator.plots._kiel import plot_kiel
from msaestimator.plots._report import save_kiel_pair, save_residuals
from msaestimator.plots._residuals import plot_residuals

__all__ = ["plot_kiel", "plot_residuals", "save_kiel_pair", "save_residuals"]
