"""XP coefficients over the G flux as physical spectra with errors."""

import numpy as np
from numpy.typing import ArrayLike

from msaestimator.datasets import load_xp_sampling
from msaestimator.exceptions import ColumnError
from msaestimator.results._estimates import add_flags
from msaestimator.results._prediction_table import integers
from msaestimator.schema import StarTable, g_flux

__all__ = ["spectra_table"]


def spectra_table(
    coefficients: ArrayLike,
    errors: ArrayLike,
    g_magnitudes: ArrayLike,
    *,
    g_errors: ArrayLike | None = None,
    error_shares: ArrayLike | None = None,
    identifiers: ArrayLike | None = None,
    flags: ArrayLike | None = None,
) -> StarTable:
    """Return spectra as flux at the archive's 343 wavelengths, one row a star.

    Parameters
    ----------
    coefficients, errors : array-like of shape (n_stars, 110)
        XP coefficients of Gaia DR3 over the G flux, 55 of BP and then 55 of RP, and their
        standard errors.
    g_magnitudes : array-like of shape (n_stars,)
        Magnitudes G in mag. Apparent ones give the flux at the Earth, absolute ones that at 10 pc.
    g_errors : array-like of shape (n_stars,), optional
        Standard errors of ``g_magnitude`` in mag.
    error_shares : array-like of shape (n_stars, 110, n_factors + 1), optional
        Shares of each coefficient's error in each factor that coefficients have in common, and
        what is its own, whose squares sum to one; None takes errors as independent.
    identifiers : array-like of int of shape (n_stars,), optional
        Gaia source identifiers, kept exactly; masked where a star has none.
    flags : array-like of int of shape (n_stars,), optional
        Bits of `PredictionFlag`.

    Returns
    -------
    StarTable of length n_stars
        Columns ``source_id`` (int64); ``flux`` and its standard error ``flux_err``, both
        Quantities of shape (n_stars, 343) in W m-2 nm-1; then ``flags`` (int32). Columns of what
        was not given are left out. ``meta["wavelength"]`` is a Quantity in nm. Flux is NaN where a
        coefficient or the magnitude is.

    Raises
    ------
    ColumnError
        The shapes do not fit, or the identifiers are not integers.

    Notes
    -----
    An error of the magnitude, which raises or lowers the whole spectrum, is added in quadrature.

    Examples
    --------
    >>> import numpy as np
    >>> from msaestimator.results import spectra_table
    >>> spectra = spectra_table(np.ones((1, 110)), np.zeros((1, 110)), [15.0])
    >>> spectra["flux"].shape, spectra["flux"].unit, spectra.meta["wavelength"].unit
    ((1, 343), Unit("W / (nm m2)"), Unit("nm"))
    """
    wavelength, matrix = load_xp_sampling()
    coefficients, errors = np.asarray(coefficients, float), np.asarray(errors, float)
    n_coefficients = matrix.shape[1]
    if coefficients.shape[1:] != (n_coefficients,) or errors.shape != coefficients.shape:
        raise ColumnError(
            f"`coefficients` and `errors` must have shape (n_stars, {n_coefficients}), got "
            f"{coefficients.shape} and {errors.shape}."
        )
    g_magnitudes = _one_a_star("g_magnitudes", g_magnitudes, len(coefficients))
    scale = g_flux(g_magnitudes)[:, np.newaxis]
    flux = scale * coefficients @ matrix.T
    flux_err = scale * _flux_errors(errors, error_shares, matrix)
    if g_errors is not None:
        fractional = np.log(10.0) / 2.5 * _one_a_star("g_errors", g_errors, len(coefficients))
        flux_err = np.hypot(flux_err, np.abs(flux) * fractional[:, np.newaxis])
    table = StarTable(meta={"wavelength": wavelength})
    if identifiers is not None:
        table["source_id"] = integers(identifiers, "identifiers", len(flux), np.int64)
    table["flux"], table["flux_err"] = flux, flux_err
    # Said twice, since FITS and VOTable keep no Quantity beside the columns.
    first, second, last = wavelength[[0, 1, -1]]
    table["flux"].info.description = f"from {first} to {last} in steps of {second - first}"
    if flags is not None:
        add_flags(table, {"flags": integers(flags, "flags", len(flux), np.int32)})
    return table


def _flux_errors(errors: np.ndarray, shares: ArrayLike | None, matrix: np.ndarray) -> np.ndarray:
    """Return the errors that those of coefficients make, (n_stars, n_wavelengths)."""
    if shares is None:
        return np.sqrt(errors**2 @ matrix.T**2)
    shares = np.asarray(shares, dtype=float)
    if shares.ndim != 3 or shares.shape[:2] != errors.shape:
        raise ColumnError(
            f"`error_shares` must have shape {errors.shape} and an axis of factors, got "
            f"{shares.shape}."
        )
    *common, own = np.moveaxis(errors[..., np.newaxis] * shares, -1, 0)
    variance = own**2 @ matrix.T**2
    for factor in common:
        variance += (factor @ matrix.T) ** 2
    return np.sqrt(variance)


def _one_a_star(name: str, values: ArrayLike, n_stars: int) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if values.shape != (n_stars,):
        raise ColumnError(f"`{name}` must have shape ({n_stars},), got {values.shape}.")
    return values
