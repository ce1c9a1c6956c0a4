"""Fitted estimators as ``config.json`` and ``model.safetensors``: readable, and nothing to run."""

import hashlib
import json
import platform
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from torch import nn

from msaestimator.exceptions import CheckpointError
from msaestimator.preprocessing import LabelScaler, StellarFeatures, XPCoefficientScaler
from msaestimator.schema import CoefficientArray, Column, FeatureSchema, Token, Vocabulary
from msaestimator.training import read_tensors, write_bytes, write_tensors

__all__ = ["load_estimator", "save_estimator"]

FORMAT = 1
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
LEFT_OUT = frozenset({"callbacks", "checkpoint", "module_", "n_partial_fits_", "net_"})
"""Attributes that are the network, or belong to a training run."""

KINDS = {
    kind.__name__: kind
    for kind in (
        CoefficientArray,
        Column,
        FeatureSchema,
        LabelScaler,
        Pipeline,
        RobustScaler,
        StandardScaler,
        StellarFeatures,
        Token,
        Vocabulary,
        XPCoefficientScaler,
    )
}
"""What may stand in a config, by name. Nothing else is ever constructed from a file."""


def save_estimator(estimator: BaseEstimator, folder: Path) -> None:
    """Write a fitted estimator."""
    # What cannot be described is found out before the weights of an older save are replaced.
    described = _encode_estimator(estimator)
    weights = estimator.module_.state_dict()
    write_tensors(folder / WEIGHTS, weights, {"kind": type(estimator).__name__})
    config = {
        "format": FORMAT,
        "estimator": described,
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


def load_estimator(kind: type, folder: Path) -> Any:
    """Read an estimator of class ``kind`` that `save_estimator` wrote."""
    try:
        config = json.loads((folder / CONFIG).read_text())
        described, checksum = config["estimator"], config["weights_sha256"]
        name, written_as = described["kind"], config["format"]
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no saved estimator in {str(folder)!r}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{str(folder / CONFIG)!r} is truncated or was not written by msaestimator ({error})."
        ) from error
    if name != kind.__name__:
        raise CheckpointError(
            f"{str(folder)!r} holds a {name}, not a {kind.__name__}: use {name}.from_pretrained."
        )
    if written_as != FORMAT:
        raise CheckpointError(
            f"{str(folder)!r} is in format {written_as}, this version reads {FORMAT}."
        )
    if not (folder / WEIGHTS).exists() or _sha256(folder / WEIGHTS) != checksum:
        raise CheckpointError(
            f"{str(folder / WEIGHTS)!r} is absent, truncated or altered: it does not have the "
            "checksum in config.json. Restore both files from one copy."
        )
    try:
        estimator = _decode_estimator(described, {**KINDS, name: kind, **kind._saved_kinds()})
        module = estimator._build_module()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{str(folder / CONFIG)!r} is altered: it does not describe a {name} ({error!r})."
        ) from error
    estimator._adopt(_load_weights(module, folder / WEIGHTS))
    return estimator


def _load_weights(module: nn.Module, path: Path) -> nn.Module:
    weights, _ = read_tensors(path)
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"The weights in {str(path)!r} are of another schema or architecture than its "
            f"config.json says: {error}"
        ) from error
    return module.eval()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _encode_estimator(estimator: BaseEstimator) -> dict[str, Any]:
    """Describe an estimator by its parameters and fitted attributes.

    A network among the parameters is described as unfitted: its weights have moved on.
    """
    fitted = {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.startswith("_") and name not in LEFT_OUT
    }
    parameters = estimator.get_params(deep=False)
    return {
        "kind": type(estimator).__name__,
        "parameters": {
            name: _encode(clone(value) if hasattr(value, "module_") else value)
            for name, value in parameters.items()
            if name not in LEFT_OUT
        },
        "fitted": {name: _encode(value) for name, value in fitted.items()},
    }


def _decode_estimator(described: dict[str, Any], kinds: dict[str, type]) -> Any:
    estimator = kinds[described["kind"]](
        **{name: _decode(value, kinds) for name, value in described["parameters"].items()}
    )
    for name, value in described["fitted"].items():
        setattr(estimator, name, _decode(value, kinds))
    return estimator


def _encode(value: Any) -> Any:
    """Turn a parameter or fitted attribute into JSON."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | np.generic):
        return _encode_number(value)
    if isinstance(value, np.ndarray):
        flat = [_encode(v) for v in value.ravel().tolist()]
        return {"array": flat, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_encode(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_encode(key), _encode(item)] for key, item in value.items()]}
    if is_dataclass(value) and type(value).__name__ in KINDS:
        parts = {f.name: _encode(getattr(value, f.name)) for f in fields(value)}
        return {"dataclass": type(value).__name__, "parts": parts}
    if isinstance(value, BaseEstimator) and hasattr(value, "_saved_kinds"):
        return _encode_estimator(value)
    if type(value).__name__ in KINDS:
        return _encode_estimator(value)
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return None
    raise TypeError(
        f"A {type(value).__name__} cannot be saved without pickle; saved are "
        f"{', '.join(sorted(KINDS))}, numbers, strings and arrays. Use joblib for the whole "
        "estimator, and load it only from sources you trust."
    )


def _encode_number(value: Any) -> Any:
    """Write NaN and infinity as words, which JSON has no numbers for."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, float) and not np.isfinite(number):
        return {"number": repr(number)}
    return number


def _decode(value: Any, kinds: dict[str, type]) -> Any:
    """Undo `_encode`."""
    if not isinstance(value, dict):
        return value
    if "number" in value:
        return float(value["number"])
    if "array" in value:
        flat = [_decode(item, kinds) for item in value["array"]]
        return np.array(flat, dtype=np.dtype(value["dtype"])).reshape(value["shape"])
    if "dict" in value:
        return {_decode(k, kinds): _decode(v, kinds) for k, v in value["dict"]}
    if "dataclass" in value:
        parts = {name: _decode(part, kinds) for name, part in value["parts"].items()}
        return kinds[value["dataclass"]](**parts)
    if "kind" in value:
        return _decode_estimator(value, kinds)
    sequence = tuple if "tuple" in value else list
    return sequence(_decode(item, kinds) for item in value[sequence.__name__])
