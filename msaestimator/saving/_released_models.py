"""The trained models that ship with the package, by name, and what is told of a saved one."""

import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msaestimator.exceptions import CheckpointError, SucceededModelWarning, did_you_mean
from msaestimator.tables import expand_home

__all__ = ["CARD", "RELEASED", "Origin", "origin_of", "released_folder"]

RELEASED = Path(__file__).parent / "weights"
"""The folder of released models: one folder a name, in it one a kind of estimator and a card."""

CARD = "MODEL_CARD.md"
"""File of a model's card: beside the models of a release, or in the folder of a saved one."""

SUCCESSORS = {"apogee-xp": "gaia-xp"}
"""Released models that no longer ship, with the one that each was followed by."""

TRAINING = "training.json"
"""File with the record of a release's training."""


@dataclass(frozen=True)
class Origin:
    """Name of a loaded estimator, and what is told of it where it is from.

    Parameters
    ----------
    name : str
        Name of the released model, or of the folder.
    card : str, optional
        Text of its card.
    label_scale : str, optional
        Survey, or release of one, on whose scale its labels are.
    """

    name: str
    card: str | None = None
    label_scale: str | None = None


def origin_of(folder: Path, config: dict[str, Any]) -> Origin:
    """Return what is told of the model in a folder, and in its config."""
    folder = folder.resolve()
    if folder.parent.parent != RELEASED.resolve():
        return Origin(folder.name, _text(folder / CARD), config.get("label_scale"))
    record = _text(folder.parent / TRAINING)
    scale = json.loads(record).get("label_scale") if record else None
    return Origin(folder.parent.name, _text(folder.parent / CARD), scale)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def released_folder(name: str | Path, *kinds: str) -> Path:
    """Return the folder of a saved estimator, which a name or a path tells.

    A str that is a released model's name is that model, of the first of the kinds that it has. A
    Path, an existing folder, or a str with a separator is a path.

    Raises
    ------
    CheckpointError
        No released model has the name, or it has no estimator of these kinds.

    Warns
    -----
    SucceededModelWarning
        The name is of a model that no longer ships: the one that followed it is loaded.
    """
    models = {path.name: path for path in sorted(RELEASED.glob("*")) if path.is_dir()}
    name = _successor(name, models)
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


def _successor(name: str | Path, models: Mapping[str, Path]) -> str | Path:
    """Return the name of the model that followed one which no longer ships, else the name."""
    if not isinstance(name, str) or name in models or SUCCESSORS.get(name) not in models:
        return name
    successor = SUCCESSORS[name]
    warnings.warn(
        f"The released model {name!r} no longer ships: {successor!r}, which followed it, is "
        f"loaded, and its answers differ. Ask for {successor!r}.",
        SucceededModelWarning,
        stacklevel=5,
    )
    return successor
