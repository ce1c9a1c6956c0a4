"""Refuse to ask a fitted model whose parameters were changed in ways that it cannot follow."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["check_unchanged", "describe"]

LONGEST = 60
"""Most characters of a value that a message shows."""


def describe(value: Any) -> Any:
    """Return what a value is, so that it can be compared with what it becomes.

    A fitted estimator, which is data, stands for itself.
    """
    if hasattr(value, "module_"):
        return value
    if hasattr(value, "_fit_parameters"):
        return type(value).__name__, describe(value._fit_parameters())
    if isinstance(value, BaseEstimator):
        return type(value).__name__, describe(value.get_params(deep=False))
    if isinstance(value, Mapping):
        return {name: describe(item) for name, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [describe(item) for item in value]
    return value


def check_unchanged(
    then: Mapping[str, Any], now: Mapping[str, Any], besides: Sequence[str] = ()
) -> None:
    """Refuse parameters that are not what they were in ``fit``.

    Parameters
    ----------
    then, now : mapping of str to object
        Parameters as `describe` returned them in ``fit``, and returns them today.
    besides : sequence of str
        Names of parameters that may change.
    """
    # In lists, since NaN is then equal to itself.
    changed = [
        name
        for name, value in then.items()
        if name not in besides and name in now and [value] != [now[name]]
    ]
    if changed:
        told = ", ".join(f"`{name}`{_values(then[name], now[name])}" for name in changed)
        raise ValueError(
            f"A fitted model cannot follow a change of {told}. Fit again, or set back what was "
            "changed after `fit`."
        )


def _values(then: Any, now: Any) -> str:
    """Return both values of a parameter, if they are short."""
    text = f" ({then!r} in `fit`, {now!r} now)"
    return text if len(text) <= LONGEST else ""
