"""Reddening by dust: a column E(B-V) from the positions of stars on a map."""

from msaestimator.dust._add_reddening import add_reddening

__all__ = ["add_reddening"]
