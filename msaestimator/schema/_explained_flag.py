"""Bit flags whose bits carry their meaning."""

from enum import IntFlag
from typing import Self

import numpy as np

__all__ = ["ExplainedFlag"]


class ExplainedFlag(IntFlag):
    """Base of the flags in tables: each bit is defined with its meaning.

    Examples
    --------
    >>> from msaestimator.schema import ExplainedFlag
    >>> class WeatherFlag(ExplainedFlag):
    ...     CLOUDY = 1, "clouds in front of the star"
    >>> WeatherFlag(1).meaning
    'clouds in front of the star'
    """

    meaning: str
    """Meaning of one bit, in a few words; combined bits have none."""

    def __new__(cls, value: int, meaning: str = "") -> Self:
        """Make a bit from its value and its meaning."""
        flag = int.__new__(cls, value)
        flag._value_ = value
        flag.meaning = meaning
        return flag

    @classmethod
    def _missing_(cls, value: object) -> Self:
        # A table's column gives numpy integers, which enum does not take for integers.
        return super()._missing_(int(value) if isinstance(value, np.integer) else value)
