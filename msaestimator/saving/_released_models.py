"""The trained models that ship with the package, by name."""

import os
from pathlib import Path

from msaestimator.exceptions import CheckpointError, did_you_mean
from msaestimator.tables import expand_home

__all__ = ["RELEASED", "released_folder"]

RELEASED = Path(__file__).parent / "weights"
"""The folder of released models: one folder a name, in it one a kind of estimator and a card."""


def released_folder(name: str | Path, *kinds: str) -> Path:
    """Return the folder of a saved estimator, which a name or a path tells.

    A str that is a released model's name is that model, of the first of the kinds that it has. A
    Path, an existing folder, or a str with a separator is a path.

    Raises
    ------
    CheckpointError
        No released model has the name, or it has no estimator of these kinds.
    """
    models = {path.name: path for path in sorted(RELEASED.glob("*")) if path.is_dir()}
    if isinstance(name, str) and name in models:
        for kind in kinds:
            if (models[name] / kind).is_dir():
                return models[name] / kind
        there = ", ".join(sorted(path.name for path in models[name].iterdir() if path.is_dir()))
        raise CheckpointError(f"The released model {name!r} is of {there}, not of {kinds[0]}.")
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    folder = expand_home(name)
    if isinstance(name, Path) or folder.exists() or any(s in name for s in separators):
        return folder
    raise CheckpointError(
        f"There is no folder {name!r}, nor a released model of that name: there is "
        f"{', '.join(models) or 'none'}.{did_you_mean(name, models)}"
    )
