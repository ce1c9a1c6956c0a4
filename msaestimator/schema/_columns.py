"""Names of one quantity: its archive column, unit, block and error column."""

import math
from dataclasses import dataclass
from functools import cached_property

import astropy.units as u

from msaestimator.exceptions import UnitMismatchError

__all__ = [
    "COEFFICIENT_LIMITS",
    "LIMITS_OF_NAME",
    "CoefficientArray",
    "Column",
    "Label",
    "limits_of",
]

LIMITS_OF_UNIT: dict[str, tuple[float, float]] = {
    "mag": (-30.0, 40.0),  # the Sun, and what no telescope sees
    "mas": (-500.0, 1000.0),  # Gaia's most negative parallax, and the nearest star's
    "mas / yr": (-11_000.0, 11_000.0),  # Barnard's star
}
"""Ranges, by unit, outside which a number is no measurement of a star."""

LIMITS_OF_NAME: dict[str, tuple[float, float]] = {
    "ebv": (-1.0, 500.0),  # maps to infinity have a hundred magnitudes at the Galactic centre
}
"""Ranges of quantities that are not as others in their unit."""

COEFFICIENT_LIMITS = (-1e12, 1e12)
"""Range of XP coefficients: a hundred times those of the brightest star."""


def limits_of(name: str, unit: str) -> tuple[float, float]:
    """Return the range, in its unit, outside which a quantity is no measurement of a star.

    The ranges are wide: they tell numbers that stand for no value, such as 99.99 mag, from noise.
    """
    return LIMITS_OF_NAME.get(name, LIMITS_OF_UNIT.get(unit, (-math.inf, math.inf)))


@dataclass(frozen=True)
class Column:
    """One scalar input quantity.

    Parameters
    ----------
    name : str
        Column name as in the Gaia archive, e.g. ``"phot_g_mean_mag"``.
    unit : str
        Unit as astropy writes it; the empty string is dimensionless.
    block : str
        Group of columns that the column belongs to, e.g. ``"ps1"``.
    error : str, optional
        Name of the column with its standard error.
    description : str
        Meaning of the column, in a few words.
    reconstructed : bool
        Whether the autoencoder reconstructs the column (the thesis leaves out parallax, E(B-V) and
        the proper motions).
    protected : bool
        Whether training never hides the column (thesis section 3.1.2: G, BP, RP, W1, W2).
    """

    name: str
    unit: str = "mag"
    block: str = "user"
    error: str | None = None
    description: str = ""
    reconstructed: bool = True
    protected: bool = False

    @property
    def limits(self) -> tuple[float, float]:
        """Range in ``unit`` outside which no star is, whatever its noise; see `limits_of`."""
        return COEFFICIENT_LIMITS if self.block == "xp" else limits_of(self.name, self.unit)


@dataclass(frozen=True)
class CoefficientArray:
    """An array column of XP basis-function coefficients, such as ``bp_coefficients``.

    Parameters
    ----------
    name : str
        The archive's array column.
    prefix : str
        Band, and prefix of the scalar names: ``"bp"`` gives ``bp_1 … bp_55``.
    size : int
        Number of coefficients: 55 and 55 in DR3, 51 and 55 in DR4.
    block : str
        The group the coefficients belong to; one group is hidden as one in training.
    """

    name: str
    prefix: str
    size: int
    block: str = "xp"

    @property
    def error(self) -> str:
        """Name of the array column with the standard errors."""
        return f"{self.prefix}_coefficient_errors"

    @property
    def relevant_bases(self) -> str:
        """Name of the column with the number of relevant bases of each star."""
        return f"{self.prefix}_n_relevant_bases"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The scalar columns, the first coefficient first."""
        return tuple(
            Column(
                f"{self.prefix}_{order}",
                unit="",
                block=self.block,
                description=f"{self.prefix.upper()} spectrum, coefficient {order} of {self.size}",
            )
            for order in range(1, self.size + 1)
        )


@dataclass(frozen=True)
class Label:
    """A stellar parameter to predict.

    Parameters
    ----------
    name : str
        Column name of the label.
    unit : str
        Unit as astropy writes it.
    limits : tuple of float
        Plausible range in ``unit``; a prediction outside it is flagged, not changed.
    log : bool
        Whether the label is learned as log10 (positive quantities over decades).
    symbol : str
        Symbol of the label on axes and in tables.
    bounds : tuple of float
        Range in ``unit`` that a label has by its nature: values learned and predicted are brought
        into it. The lower end is open: 0 means positive.
    description : str
        Meaning of the label, in a few words.
    decimals : int
        Decimals, in ``unit``, that text has: beyond them is nothing but noise.
    accepted : tuple of float, optional
        Range in ``unit`` of values to learn from, where noise leaves ``limits``. None is these.
    log_of : str
        Unit of the number that the label is the logarithm of, as log g is of a gravity.
    distance_power : int
        Power of the star's distance that the label changes with; most are the star's own.
    """

    name: str
    unit: str
    limits: tuple[float, float]
    log: bool = False
    symbol: str = ""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    description: str = ""
    decimals: int = 4
    accepted: tuple[float, float] | None = None
    log_of: str = ""
    distance_power: int = 0

    @property
    def error(self) -> str:
        """Name of the column with the standard error."""
        return f"{self.name}_err"

    def accepted_in(self, unit: str) -> tuple[float, float]:
        """Return ``accepted``, or ``limits``, in another unit."""
        return self._convert(self.accepted or self.limits, unit)

    def bounds_in(self, unit: str) -> tuple[float, float]:
        """Return ``bounds`` in another unit; one of another physical type is an error."""
        return self._convert(self.bounds, unit)

    def limits_in(self, unit: str) -> tuple[float, float]:
        """Return ``limits`` in another unit; one of another physical type is an error."""
        return self._convert(self.limits, unit)

    def _convert(self, ends: tuple[float, float], unit: str) -> tuple[float, float]:
        if self.log_of and u.Unit(unit) == u.dex(u.Unit(self.log_of)):
            return ends
        try:
            low, high = u.Quantity(ends, self.unit).to_value(unit)
        except u.UnitConversionError:
            raise UnitMismatchError(
                f"The unit of label {self.name!r} must be convertible to {self.unit}, "
                f"got {unit!r}."
            ) from None
        return float(low), float(high)
