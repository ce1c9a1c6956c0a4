"""Identities of trainings, by parameters and data, and how two of them differ."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

__all__ = ["RunIdentity"]

LONGEST = 80
"""Length of a value in JSON above which its SHA-256 stands for it."""

HASHED = "sha256:"


@dataclass(frozen=True)
class RunIdentity:
    """Identity of a training, equal only for the same run, or one of another length.

    Parameters
    ----------
    parameters : mapping of str to str
        Values of parameters in JSON, or the SHA-256 of long ones.
    data : mapping of str to str
        SHA-256 of arrays, by what they are, such as ``"stars"``.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, parameters: Mapping[str, Any], data: Mapping[str, Iterable[np.ndarray]]
    ) -> "RunIdentity":
        """Return the identity of a run with these parameters on these arrays."""
        return cls(
            {name: _describe(value) for name, value in parameters.items()},
            {name: _digest(arrays) for name, arrays in data.items()},
        )

    def as_json(self) -> dict[str, Any]:
        """Return what :meth:`differences` takes, for a file."""
        return asdict(self)

    def differences(self, saved: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Return in what this run differs from one of a file, a clause each."""
        parameters = _compare(self.parameters, saved["parameters"])
        data = _compare(self.data, saved["data"])
        clauses = [_clause(*difference) for difference in parameters]
        clauses += [f"the {name} differ" for name, *_ in data]
        if data and not parameters and self.parameters.get("random_state") == "null":
            clauses.append("with a `random_state` of None they are drawn anew each time")
        return clauses


def _compare(
    here: Mapping[str, str], there: Mapping[str, str]
) -> list[tuple[str, str | None, str | None]]:
    """Return the names whose values differ, with both; None is a value that is not there."""
    names = sorted({*here, *there})
    values = [(name, here.get(name), there.get(name)) for name in names]
    return [(name, mine, other) for name, mine, other in values if mine != other]


def _clause(name: str, here: str | None, there: str | None) -> str:
    if here is None or there is None:
        return f"`{name}` is no parameter {'here' if here is None else 'there'}"
    if HASHED in (here[: len(HASHED)], there[: len(HASHED)]):
        return f"`{name}` is another"
    return f"`{name}` is {here} here and {there} there"


def _describe(value: Any) -> str:
    """Return a text that tells a value from others, in this process and in the next."""
    text = json.dumps(value, sort_keys=True, default=_as_text)
    if len(text) <= LONGEST:
        return text
    return HASHED + hashlib.sha256(text.encode()).hexdigest()


def _as_text(value: Any) -> str:
    # The text of a random generator is its address.
    return type(value).__name__ if isinstance(value, np.random.RandomState) else repr(value)


def _digest(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for part in _parts(arrays):
        digest.update(part)
    return digest.hexdigest()


def _parts(arrays: Iterable[np.ndarray]) -> Iterator[Any]:
    for array in arrays:
        yield str(array.shape).encode()
        yield np.ascontiguousarray(array).data
