"""Measurements of stars on the scale of the isochrones, with errors, from any table."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from msaestimator.datasets._isochrone_library import BANDS
from msaestimator.exceptions import ColumnError
from msaestimator.schema import GAIA_DR3, LABELS, Column, Label
from msaestimator.tables import NamedColumns, convert_unit, require_columns, with_known_names

__all__ = ["StellarEvidence", "read_evidence", "total_metallicity"]

PARALLAX_ZERO_POINT = -0.03
"""Parallax in mas that Gaia DR3 gives a source infinitely far away (Lindegren et al. 2021)."""

DEFAULT_ERRORS = {
    "teff": 100.0,
    "logg": 0.1,
    "fe_h": 0.1,
    "m_h": 0.1,
    "alpha_m": 0.05,
    "alpha_fe": 0.05,
    "parallax": 0.1,
    **dict.fromkeys(BANDS, 0.03),
}
"""Errors of values that come without one, in the schema's units."""

TEFF_FLOOR, LOGG_FLOOR, M_H_FLOOR, MAGNITUDE_FLOOR, PARALLAX_FLOOR = 0.01, 0.05, 0.05, 0.03, 0.02
"""Errors of the models' and surveys' scales, relative, in dex, mag and mas: they are added."""

MEASURED: tuple[Column | Label, ...] = (
    *(LABELS[name] for name in ("teff", "logg", "fe_h", "m_h", "alpha_m", "alpha_fe")),
    *(GAIA_DR3[name] for name in (*BANDS, "parallax")),
)


@dataclass(frozen=True)
class StellarEvidence:
    """Measurements of n stars, float64; NaN is missing, and then the error is NaN too.

    Parameters
    ----------
    parameters, parameter_errors : ndarray of shape (n_stars, 3)
        log10 of Teff in K, log g in dex, total metallicity in dex.
    parallax, parallax_error : ndarray of shape (n_stars,)
        True parallax in mas.
    magnitudes, magnitude_errors : ndarray of shape (n_stars, n_bands)
        Magnitudes in `BANDS`.
    """

    parameters: np.ndarray
    parameter_errors: np.ndarray
    parallax: np.ndarray
    parallax_error: np.ndarray
    magnitudes: np.ndarray
    magnitude_errors: np.ndarray

    def __len__(self) -> int:
        return len(self.parallax)

    def rows(self, chosen: np.ndarray) -> "StellarEvidence":
        """Return some of the stars."""
        return StellarEvidence(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def has_photometry(self) -> np.ndarray:
        """Stars that have a magnitude, (n_stars,) of bool."""
        return np.isfinite(self.magnitudes).any(axis=1)

    @property
    def is_enough(self) -> np.ndarray:
        """Stars of which something tells the temperature and something the luminosity."""
        temperature, gravity, _ = np.isfinite(self.parameters).T
        known = np.isfinite(self.magnitudes).sum(axis=1)
        luminosity = np.isfinite(self.parallax) & (known > 0)
        return (temperature | (known > 1)) & (gravity | luminosity)


def read_evidence(stars: Any, *, aliases: bool) -> StellarEvidence:
    """Read what there is of a table of stars, in any container; see `match_isochrones`."""
    columns = _known_columns(stars, aliases)
    _check_tells_enough(columns)
    known = {column.name: _measurement(columns, column) for column in MEASURED}
    teff, teff_error = known["teff"]
    m_h, m_h_error = _metallicity(known)
    logg, logg_error = known["logg"]
    parallax, parallax_error = known["parallax"]
    teff = np.where(teff > 0, teff, np.nan)
    parameters = np.column_stack([np.log10(teff), logg, m_h])
    relative = np.hypot(teff_error / teff, TEFF_FLOOR) / np.log(10.0)
    errors = [relative, np.hypot(logg_error, LOGG_FLOOR), np.hypot(m_h_error, M_H_FLOOR)]
    magnitudes, magnitude_errors = (
        np.column_stack([known[band][part] for band in BANDS]) for part in (0, 1)
    )
    return StellarEvidence(
        parameters,
        np.column_stack(errors),
        parallax - _zero_point(columns),
        np.hypot(parallax_error, PARALLAX_FLOOR),
        magnitudes,
        np.hypot(magnitude_errors, MAGNITUDE_FLOOR),
    )


def total_metallicity(fe_h: np.ndarray, alpha_fe: np.ndarray) -> np.ndarray:
    """Return [M/H] of stars rich in alpha elements, by Salaris, Chieffi & Straniero (1993).

    Parameters
    ----------
    fe_h, alpha_fe : ndarray of shape (n_stars,)
        [Fe/H] and [alpha/Fe] in dex. Models with the Sun's mixture and this [M/H] have
        nearly the tracks of the stars.
    """
    return fe_h + np.log10(0.638 * 10.0**alpha_fe + 0.362)


def _known_columns(stars: Any, aliases: bool) -> NamedColumns:
    names = [name for column in MEASURED for name in (column.name, *_error_names(column))]
    return with_known_names(require_columns(stars), names, aliases=aliases)


def _check_tells_enough(columns: NamedColumns) -> None:
    """Refuse a table whose columns cannot tell any star's temperature or luminosity."""
    n_bands = sum(band in columns for band in BANDS)
    for quantity, told, needed in (
        ("temperatures", "teff" in columns or n_bands > 1, "'teff' or two magnitudes"),
        (
            "luminosities",
            "logg" in columns or ("parallax" in columns and n_bands > 0),
            "'logg', or 'parallax' and a magnitude",
        ),
    ):
        if not told:
            raise ColumnError(
                f"The table must tell the stars' {quantity}: it needs {needed} (of "
                f"{', '.join(BANDS)}), got {', '.join(columns.names)}."
            )


def _zero_point(columns: NamedColumns) -> np.ndarray:
    """Return what is still to be taken from each parallax, in mas; 0 where it is corrected."""
    corrected = _values(columns, GAIA_DR3["parallax"], "parallax_zero_point")
    return np.where(np.isfinite(corrected), 0.0, PARALLAX_ZERO_POINT)


def _metallicity(known: dict[str, tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Return [M/H] and its error, from [Fe/H] where it is known."""
    (fe_h, fe_h_error), (m_h, m_h_error) = known["fe_h"], known["m_h"]
    alpha, alpha_error = (
        np.where(np.isfinite(known["alpha_fe"][0]), of_iron, of_metals)
        for of_iron, of_metals in zip(known["alpha_fe"], known["alpha_m"], strict=True)
    )
    alpha, alpha_error = np.nan_to_num(alpha), np.nan_to_num(alpha_error)
    enhanced = 0.638 * 10.0**alpha
    slope = enhanced / (enhanced + 0.362)
    has_iron = np.isfinite(fe_h)
    return (
        np.where(has_iron, total_metallicity(fe_h, alpha), m_h),
        np.where(has_iron, np.hypot(fe_h_error, slope * alpha_error), m_h_error),
    )


def _error_names(column: Column | Label) -> tuple[str, ...]:
    """Return the names that a column's error may have: the archive's, and the predictions'."""
    return (*dict.fromkeys([column.error or "", f"{column.name}_err"]),)


def _measurement(columns: NamedColumns, column: Column | Label) -> tuple[np.ndarray, np.ndarray]:
    """Return values and errors, NaN where the value is missing or none that a star has."""
    values = _values(columns, column, column.name)
    low, high = column.limits
    values = np.where((values >= low) & (values <= high), values, np.nan)
    errors = np.full(len(columns), np.nan)
    for name in _error_names(column):
        found = _values(columns, column, name, of_errors=True)
        errors = np.where(np.isfinite(errors), errors, found)
    errors = np.where(errors > 0, errors, DEFAULT_ERRORS[column.name])
    return values, np.where(np.isfinite(values), errors, np.nan)


def _values(
    columns: NamedColumns, column: Column | Label, name: str, *, of_errors: bool = False
) -> np.ndarray:
    """Return a column in the schema's unit, NaN where it is missing or not there."""
    if name not in columns:
        return np.full(len(columns), np.nan)
    values, mask, unit = columns.raw(name)
    try:
        numbers = np.where(mask, np.nan, np.where(mask, 0, values).astype(float))
    except (TypeError, ValueError):
        raise ColumnError(f"Column {name!r} must be numbers, got {values.dtype}.") from None
    log_of = "" if of_errors else getattr(column, "log_of", "")
    return convert_unit(name, numbers, unit, column.unit, log_of=log_of)
