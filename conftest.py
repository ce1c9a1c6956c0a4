"""What every test, docstring and documentation example runs under: seeds, threads, no display."""

import os

# Set before matplotlib, torch or a BLAS is imported: figures go nowhere, and the workers of a
# parallel run take one core each.
os.environ.setdefault("MPLBACKEND", "Agg")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import random
import sys

import numpy as np
import pytest
from hypothesis import settings

gc.disable()  # until everything is imported
collect_ignore = ["docs/conf.py", "docs/extensions"]

# The same cases in every run; the time of one case depends on the machine.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def fixed_seeds():
    """Seed the global generators, torch's only where it is in use: importing it takes seconds."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002, scikit-learn's default generator
    if "torch" in sys.modules:
        # `torch.manual_seed` formats the stack for the devices there are not, at every call.
        sys.modules["torch"].default_generator.manual_seed(0)


def pytest_collection_finish():
    """Search for garbage seldom, and not in what was imported, in which there is none."""
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)
    gc.enable()
