"""The command line, ``msa``."""

from msaestimator.cli._demo import DEMO_LABELS, compare_models, pretraining_gain, run_demo
from msaestimator.cli._main import main

__all__ = [
    "DEMO_LABELS",
    "compare_models",
    "main",
    "pretraining_gain",
    "run_demo",
]
