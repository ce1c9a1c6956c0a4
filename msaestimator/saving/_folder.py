"""Fitted estimators as ``config.json`` and ``model.safetensors``, without executable content."""

import hashlib
import json
import platform
import re
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
from msaestimator.saving._released_models import CARD, origin_of, released_folder
from msaestimator.training import read_tensors, write_bytes, write_tensors

__all__ = ["load_estimator", "save_estimator"]

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
FITTED = "fitted/"
"""Beginning of the names of tensors that are fitted arrays; the others are the network's."""

ENCODER = re.compile(r"(members\.0\.)?autoencoder\.")
"""Beginning of the names of an encoder's weights in a network that was fine-tuned with it."""

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
    if estimator.label_scale is not None:
        config["label_scale"] = estimator.label_scale
    text = json.dumps(config, indent=1, allow_nan=False)
    write_bytes(folder / CONFIG, text.encode())
    write_bytes(folder / CARD, estimator.card.encode())


def load_estimator(kind: Any, name: str | Path) -> Any:
    """Read an estimator of class ``kind`` that `save_estimator` wrote: a folder, or a release.

    An encoder is found in the estimator that was fine-tuned with it, too.
    """
    wanted = saved_name(kind)
    folder = released_folder(name, wanted, *kind.saved_within)
    config = _read_config(folder)
    saved = config["estimator"]["kind"]
    is_within = saved != wanted and _encoder_of(config["estimator"]).get("kind") == wanted
    if saved != wanted and not is_within:
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
        kinds = {**KINDS, wanted: kind, **kind.saved_parts}
        decoder = Decoder(kinds, arrays, config.get("shared", ()))
        described = lift(config["estimator"], config["format"])
        if is_within:
            described, weights = _encoder_of(described), _weights_of_encoder(weights)
        estimator = decoder.estimator(described)
        module = estimator._build_module()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{str(folder / CONFIG)!r} is altered: it does not describe a {wanted} ({error!r})."
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
    for part in (estimator, getattr(estimator, "encoder_", estimator)):
        part._remember(origin_of(folder, config))
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


def _encoder_of(described: dict[str, Any]) -> dict[str, Any]:
    """Return the encoder that an estimator was fine-tuned with, as it is described, or {}."""
    return described.get("fitted", {}).get("encoder_", {})


def _weights_of_encoder(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of the encoder among those of all; of several members, the first's."""
    (prefix,) = {name[: found.end()] for name in weights if (found := ENCODER.match(name))}
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}


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
