"""The command line, ``msa``."""

import importlib
from typing import TYPE_CHECKING, Any

from msaestimator.cli._main import main

__all__ = [
    "DEMO_LABELS",
    "FULL",
    "SHORT",
    "DemoLength",
    "compare_models",
    "main",
    "pretraining_gain",
    "run_demo",
]

if TYPE_CHECKING:
    from msaestimator.cli._demo import (
        DEMO_LABELS,
        FULL,
        SHORT,
        DemoLength,
        compare_models,
        pretraining_gain,
        run_demo,
    )


def __getattr__(name: str) -> Any:
    """Return a name of the demonstration, which loads torch only then: ``msa --help`` is quick."""
    if name in __all__:
        return getattr(importlib.import_module(f"{__name__}._demo"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return what there is, loaded or not."""
    return sorted({*globals(), *__all__})
