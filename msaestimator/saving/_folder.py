"""Fitted estimators as ``config.json`` and ``model.safetensors``, without executable content."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from msaestimator.exceptions import CheckpointError
from msaestimator.saving._formats import FORMAT, OLDEST, lift
from msaestimator.saving._json import Decoder, Encoder, saved_name
from msaestimator.saving._kinds import KINDS
from msaestimator.saving._released_models import released_folder
from msaestimator.training import read_tensors, write_bytes, write_tensors

__all__ = ["load_estimator", "save_estimator"]

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
FITTED = "fitted/"
"""Beginning of the names of tensors that are fitted arrays; the others are the network's."""

STORED = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
"""Types of numbers in which weights may be written."""


def save_estimator(estimator: BaseEstimator, folder: Path, dtype: str) -> None:
    """Write a fitted estimator, its weights as numbers of type ``dtype``."""
    # What cannot be described is found out before the weights of an older save are replaced.
    encoder = Encoder(KINDS)
    described = encoder.estimator(estimator)
    tensors = _round(estimator.module_.state_dict(), dtype)
    tensors |= {FITTED + name: torch.tensor(array) for name, array in encoder.arrays.items()}
    write_tensors(folder / WEIGHTS, tensors, {"kind": described["kind"]})
    config = {
        "format": FORMAT,
        "estimator": described,
        "shared": encoder.shared,
        "weights_sha256": _sha256(folder / WEIGHTS),
        "provenance": {
            "msaestimator": version("msaestimator"),
            "torch": torch.__version__,
            "scikit-learn": version("scikit-learn"),
            "python": platform.python_version(),
        },
    }
    text = json.dumps(config, indent=1, allow_nan=False)
    write_bytes(folder / CONFIG, text.encode())


def load_estimator(kind: Any, name: str | Path) -> Any:
    """Read an estimator of class ``kind`` that `save_estimator` wrote: a folder, or a release."""
    folder = released_folder(name, saved_name(kind))
    config = _read_config(folder)
    saved = config["estimator"]["kind"]
    if saved != saved_name(kind):
        raise CheckpointError(
            f"{str(folder)!r} holds a {saved}, not a {kind.__name__}: use {saved}.from_pretrained."
        )
    _check_format(folder, config)
    if not (folder / WEIGHTS).exists() or _sha256(folder / WEIGHTS) != config["weights_sha256"]:
        raise CheckpointError(
            f"{str(folder / WEIGHTS)!r} is absent, truncated or altered: it does not have the "
            "checksum in config.json. Restore both files from one copy."
        )
    weights, arrays = _read_weights(folder / WEIGHTS)
    try:
        kinds = {**KINDS, saved: kind, **kind.saved_parts}
        decoder = Decoder(kinds, arrays, config.get("shared", ()))
        estimator = decoder.estimator(lift(config["estimator"], config["format"]))
        module = estimator._build_module()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{str(folder / CONFIG)!r} is altered: it does not describe a {saved} ({error!r})."
        ) from error
    try:
        # Into the module's own numbers, whatever type the weights were written in.
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"The weights in {str(folder / WEIGHTS)!r} are of another schema or architecture than "
            f"its config.json says: {error}"
        ) from error
    estimator._adopt(module)
    return estimator


def _read_config(folder: Path) -> dict[str, Any]:
    """Return a config that has what every format has."""
    try:
        config = json.loads((folder / CONFIG).read_text())
        _ = config["estimator"]["kind"], config["weights_sha256"], config["format"]
        _ = config["provenance"]["msaestimator"]
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no saved estimator in {str(folder)!r}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{str(folder / CONFIG)!r} is truncated or was not written by msaestimator ({error})."
        ) from error
    return config


def _check_format(folder: Path, config: dict[str, Any]) -> None:
    if config["format"] not in range(OLDEST, FORMAT + 1):
        raise CheckpointError(
            f"{str(folder)!r} is in format {config['format']}, this version reads {OLDEST} to "
            f"{FORMAT}. Load it with msaestimator {config['provenance']['msaestimator']}, which "
            "saved it, or fit the estimator again."
        )


def _round(weights: dict[str, Tensor], dtype: str) -> dict[str, Tensor]:
    """Return weights as numbers of another type, none of them out of its range."""
    if dtype not in STORED:
        raise ValueError(f"`dtype` must be one of {', '.join(STORED)}, got {dtype!r}.")
    rounded = {
        name: weight.to(STORED[dtype]) if weight.is_floating_point() else weight
        for name, weight in weights.items()
    }
    lost = [name for name, weight in rounded.items() if not weight.isfinite().all()]
    if lost and dtype != "float32":
        raise ValueError(
            f"`dtype` {dtype!r} cannot hold the weights {', '.join(lost)}: some are infinite in "
            "it, or are not finite at all. Use 'float32'."
        )
    return rounded


def _read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, np.ndarray]]:
    """Return the network's weights and the fitted arrays, each by name."""
    tensors, _ = read_tensors(path)
    arrays = {
        name.removeprefix(FITTED): tensors.pop(name).numpy()
        for name in tuple(tensors)
        if name.startswith(FITTED)
    }
    return tensors, arrays


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
