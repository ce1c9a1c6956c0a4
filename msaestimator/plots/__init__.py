"""Figures: one a function, ``ax=`` in, ``ax`` out."""

from msaestimator.plots._kiel import plot_kiel
from msaestimator.plots._residuals import plot_residuals

__all__ = ["plot_kiel", "plot_residuals"]
