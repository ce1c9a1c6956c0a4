"""Estimators as JSON, with their large arrays beside it: no executable content."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from msaestimator.schema import FeatureSchema, Vocabulary

__all__ = ["Decoder", "Encoder", "saved_name"]

LEFT_OUT = frozenset({"callbacks", "checkpoint", "module_", "n_partial_fits_", "net_"})
"""Attributes that are the network, or belong to a training run."""

LARGE = 64
"""Arrays with more numbers than this are not written as JSON."""

BINARY = frozenset({"bool", "float16", "float32", "float64", "int32", "int64", "uint8"})
"""Types of numbers that safetensors keeps as they are."""


SHARED = (FeatureSchema, Vocabulary)
"""Kinds of long descriptions, which several parts of an estimator have and are written once."""


class Encoder:
    """Describe estimators in JSON.

    Large arrays are put in ``arrays``, and schemas in ``shared``; both are described by a name.

    Parameters
    ----------
    kinds : mapping of str to type
        Classes that may stand in a description besides estimators that can be saved, by name.
    """

    def __init__(self, kinds: Mapping[str, type]) -> None:
        self.names = {kind: name for name, kind in kinds.items()}
        self.arrays: dict[str, np.ndarray] = {}
        self.shared: list[Any] = []
        self._described: list[dict[str, Any]] = []

    def estimator(self, estimator: BaseEstimator) -> dict[str, Any]:
        """Describe an estimator by its parameters and fitted attributes.

        An encoder among the parameters is described unfitted; the fine-tuned one is `encoder_`.
        """
        fitted = {
            name: value
            for name, value in vars(estimator).items()
            if name.endswith("_") and not name.startswith("_") and name not in LEFT_OUT
        }
        parameters = estimator.get_params(deep=False)
        return {
            "kind": self.names.get(type(estimator)) or saved_name(type(estimator)),
            "parameters": {
                name: self.value(clone(value) if hasattr(value, "module_") else value)
                for name, value in parameters.items()
                if name not in LEFT_OUT
            },
            "fitted": {name: self.value(value) for name, value in fitted.items()},
        }

    def value(self, value: Any) -> Any:
        """Turn a parameter or fitted attribute into JSON."""
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, Path):
            return str(value)
        if isinstance(value, float | np.generic):
            return _encode_number(value)
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, list | tuple):
            return {type(value).__name__: [self.value(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[self.value(key), self.value(item)] for key, item in value.items()]}
        return self._object(value)

    def _object(self, value: Any) -> Any:
        kind = type(value)
        if kind in SHARED:
            return self._share(value)
        if is_dataclass(value) and kind in self.names:
            return self._dataclass(value)
        if kind in self.names or is_saved(kind):
            return self.estimator(value)
        if isinstance(value, np.random.RandomState | np.random.Generator):
            return None
        raise TypeError(
            f"A {kind.__name__} cannot be saved without pickle; saved are "
            f"{', '.join(sorted(self.names.values()))}, numbers, strings and arrays. Use joblib "
            "for the whole estimator, and load it only from sources you trust."
        )

    def _dataclass(self, value: Any) -> dict[str, Any]:
        parts = {f.name: self.value(getattr(value, f.name)) for f in fields(value)}
        return {"dataclass": self.names[type(value)], "parts": parts}

    def _share(self, value: Any) -> dict[str, int]:
        """Return the place of a description that is written once."""
        if value not in self._described:
            self._described.append(value)
            self.shared.append(self._dataclass(value))
        return {"shared": self._described.index(value)}

    def _array(self, array: np.ndarray) -> dict[str, Any]:
        if array.size > LARGE and array.dtype.isnative and array.dtype.name in BINARY:
            return {"tensor": self._keep(array)}
        flat = [self.value(v) for v in array.ravel().tolist()]
        return {"array": flat, "dtype": array.dtype.str, "shape": list(array.shape)}

    def _keep(self, array: np.ndarray) -> str:
        """Return the name of an array; one that two estimators share is kept once."""
        for name, known in self.arrays.items():
            if known is array:
                return name
        name = str(len(self.arrays))
        self.arrays[name] = array
        return name


class Decoder:
    """Undo `Encoder`.

    Parameters
    ----------
    kinds : mapping of str to type
        Classes that may be constructed, by name; no other ever is.
    arrays : mapping of str to ndarray
        The arrays that the encoder kept.
    shared : sequence of dict
        The descriptions that the encoder wrote once.
    """

    def __init__(
        self,
        kinds: Mapping[str, type],
        arrays: Mapping[str, np.ndarray],
        shared: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.kinds = kinds
        self.arrays = arrays
        self.shared = [self.value(described) for described in shared]

    def estimator(self, described: dict[str, Any]) -> Any:
        """Return the estimator that is described."""
        parameters, fitted = (
            {name: self.value(value) for name, value in described[part].items()}
            for part in ("parameters", "fitted")
        )
        estimator = self.kinds[described["kind"]](**parameters)
        for name, value in fitted.items():
            setattr(estimator, name, value)
        return estimator

    def value(self, value: Any) -> Any:
        """Return what is described."""
        if not isinstance(value, dict):
            return value
        if "number" in value:
            return float(value["number"])
        if "tensor" in value:
            return self.arrays[value["tensor"]]
        if "shared" in value:
            return self.shared[value["shared"]]
        if "array" in value:
            flat = [self.value(item) for item in value["array"]]
            return np.array(flat, dtype=np.dtype(value["dtype"])).reshape(value["shape"])
        if "dict" in value:
            return {self.value(k): self.value(v) for k, v in value["dict"]}
        if "dataclass" in value:
            parts = {name: self.value(part) for name, part in value["parts"].items()}
            return self.kinds[value["dataclass"]](**parts)
        if "kind" in value:
            return self.estimator(value)
        sequence = tuple if "tuple" in value else list
        return sequence(self.value(item) for item in value[sequence.__name__])


def saved_name(kind: type) -> str:
    """Return the name of an estimator's class in a file, whatever the class is called today."""
    return vars(kind).get("saved_as", kind.__name__)


def is_saved(kind: type) -> bool:
    """Tell whether a class is of estimators that can be saved on their own."""
    return hasattr(kind, "save_pretrained")


def _encode_number(value: Any) -> Any:
    """Write NaN and infinity as words, which JSON has no numbers for."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, float) and not np.isfinite(number):
        return {"number": repr(number)}
    return number
