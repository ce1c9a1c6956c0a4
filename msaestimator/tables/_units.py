"""Units as tables write them, and values from one to another."""

import re
import warnings
from typing import Any

import astropy.units as u
import numpy as np

from msaestimator.exceptions import UnitMismatchError

__all__ = ["convert_unit", "read_unit"]

_LOGARITHM = re.compile(r"(?:log|log10|dex)\s*\((.*)\)|\[(.+)\]", flags=re.IGNORECASE)
"""A logarithm of a unit: ``log(cm.s**-2)`` in the archive's VOTables, ``[cm/s2]`` in VizieR's."""
_KIND = re.compile(r"(?:Angle|Magnitude|Mass|Time|Length|Speed|Temperature)\s*\[(.*)\]")
"""A quantity with its unit, as the archive's data model writes it: ``Angle[mas]``."""
_RATIOS = ("", "-", "Sun")
"""Units of ratios within brackets: VizieR writes the unit of [Fe/H] as ``[Sun]`` or ``[-]``."""
_FORMATS = (None, "vounit", "cds", "fits")


def read_unit(unit: Any) -> u.UnitBase | u.FunctionUnitBase:
    """Return a unit that a column states.

    Parameters
    ----------
    unit : UnitBase or str
        Unit, or the text of one in any of the forms that the Gaia archive and VizieR write, such
        as ``log(cm.s**-2)``, ``[yr]``, ``mas.yr**-1`` and ``Angle[mas]``.

    Raises
    ------
    ValueError
        The text is no unit.
    """
    if isinstance(unit, u.UnrecognizedUnit):
        unit = unit.to_string()
    if not isinstance(unit, str):
        return unit
    text = unit.strip()
    named = _KIND.fullmatch(text)
    if named:
        text = named[1].strip()
    logarithm = _LOGARITHM.fullmatch(text)
    if logarithm:
        inner = (logarithm[1] or logarithm[2] or "").strip()
        inner = "cm / s2" if inner.lower() == "cgs" else inner
        return u.dex if inner in _RATIOS else u.dex(_parse(inner))
    return _parse(text)


def _parse(text: str) -> Any:
    """Return the unit of a text in the first of several grammars that reads it."""
    if text == "dex":
        return u.dex  # FITS and VOTable have no word for it
    for form in _FORMATS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", u.UnitsWarning)
                return u.Unit(text, format=form)
        except (ValueError, TypeError, u.UnitsWarning):
            continue
    raise ValueError(f"{text!r} is not a unit that astropy knows")


def convert_unit(
    name: str, values: np.ndarray, unit: Any, target: str, *, log_of: str = ""
) -> np.ndarray:
    """Return values of a column in another unit.

    Parameters
    ----------
    name : str
        Name of the column, for the error.
    values : ndarray of float
        Values in ``unit``.
    unit : UnitBase, str or None
        Unit that the column states; values of a column that states none are in ``target``.
    target : str
        Unit wanted.
    log_of : str
        Unit of the number whose logarithm is wanted where ``target`` is dex: log g is that of a
        gravity in cm / s2. Empty for the logarithm of a ratio.

    Raises
    ------
    UnitMismatchError
        The unit is of another physical type, or none at all.
    """
    if unit is None:
        return values
    try:
        given = read_unit(unit)
    except ValueError as error:
        raise UnitMismatchError(
            f"Column {name!r} must be in {target or 'no unit'} (or convertible to it), got "
            f"{str(unit)!r}, which is not a unit. Correct it."
        ) from error
    wanted: Any = u.Unit(target)
    if isinstance(given, u.function.FunctionUnitBase):
        return _from_logarithm(name, values, given, wanted, log_of)
    if str(given) == "dex":
        given = u.dex  # VOTable has no word for it: astropy reads a tenth of an "ex" there
    if given == wanted or (given == u.dimensionless_unscaled and wanted == u.dex):
        return values
    if given == u.dex and log_of:
        return values
    if not given.is_equivalent(wanted):
        raise _mismatch(name, given, wanted)
    return given.to(wanted, values)


def _from_logarithm(
    name: str, values: np.ndarray, given: Any, wanted: Any, log_of: str
) -> np.ndarray:
    """Return values in dex, or mag, of a physical unit: as logarithms, or as what these are of."""
    inner = given.physical_unit
    if isinstance(wanted, u.function.FunctionUnitBase):
        log_of, wanted = wanted.physical_unit.to_string(), wanted.function_unit
    if given.function_unit.is_equivalent(wanted):
        # mag(AB) is a number in mag on a stated zero point, and stays it.
        plain = given.function_unit.to(wanted, values)
        if wanted != u.dex or inner == u.dimensionless_unscaled:
            return plain
        if not log_of or not inner.is_equivalent(log_of):
            raise _mismatch(name, given, u.dex(u.Unit(log_of)) if log_of else wanted)
        return plain + np.log10(inner.to(log_of))
    if not inner.is_equivalent(wanted):
        raise _mismatch(name, given, wanted)
    with np.errstate(over="ignore"):
        return given.to_physical(values) * inner.to(wanted)


def _mismatch(name: str, given: Any, wanted: Any) -> UnitMismatchError:
    return UnitMismatchError(
        f"Column {name!r} must be in {wanted.to_string() or 'no unit'} (or convertible to it), "
        f"got {given.to_string() or 'dimensionless'} ({given.physical_type}). "
        f"{_hint(given, wanted)}"
    )


def _hint(given: Any, wanted: Any) -> str:
    """Return what to do of a unit that cannot be converted."""
    fluxes = ("spectral flux density", "photon flux", "frequency", "electron", "power")
    if wanted == u.mag and (
        "electron" in given.to_string() or any(kind in str(given.physical_type) for kind in fluxes)
    ):
        return "A flux is not a magnitude: convert it with the survey's zero point first."
    if given == u.dimensionless_unscaled:
        return "State the column's unit, or none."
    if given == u.dex:
        return "A logarithm states its unit as dex(yr) does: correct it."
    if wanted == u.dex:
        return f"If the values are logarithms, their unit is dex({given.to_string()})."
    return "Convert the column or correct its unit."
