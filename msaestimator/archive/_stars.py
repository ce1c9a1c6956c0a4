"""Tables of stars from archive rows: units, magnitude errors and flags."""

from collections.abc import Mapping

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.table import Column, MaskedColumn

from msaestimator.archive._companions import COMPANIONS
from msaestimator.archive._flags import ArchiveFlag
from msaestimator.archive._releases import Release
from msaestimator.archive._rows import float_array, float_column
from msaestimator.schema import CoefficientArray, StarTable

__all__ = [
    "ZERO_POINT_ERRORS",
    "magnitude_error",
    "make_stars",
    "merge_companions",
    "spectra_table",
]

ZERO_POINT_ERRORS = {"g": 0.0027553202, "bp": 0.0027901700, "rp": 0.0037793818}
"""Standard errors of the Vega zero points of Gaia EDR3 and DR3, in mag."""

TWO_PARAMETERS = 3
"""Value of ``astrometric_params_solved`` for a position without parallax and proper motion."""


def make_stars(release: Release, features: pa.Table, spectra: pa.Table) -> StarTable:
    """Return stars from the rows of catalogues and spectra.

    Parameters
    ----------
    release : Release
    features : pyarrow.Table of n_stars rows
        Columns of the catalogues that the service has; ``found``.
    spectra : pyarrow.Table of n_stars rows
        XP coefficients; ``found``.

    Returns
    -------
    StarTable of length n_stars
        Every column of the release's schema but reddening, NaN where missing; errors; the other
        catalogue columns, masked where missing; ``archive_flags``.
    """
    stars = StarTable({"source_id": features["source_id"].to_numpy()})
    for column in release.features:
        if column.name not in features.column_names:
            continue
        if column.kind == "float":
            stars[column.name] = float_column(features, column.name) << u.Unit(column.unit)
        else:
            stars[column.name] = _masked(features[column.name])
    for band, zero_point_error in ZERO_POINT_ERRORS.items():
        stars[f"phot_{band}_mean_mag_error"] = (
            magnitude_error(
                float_column(features, f"phot_{band}_mean_flux_over_error"), zero_point_error
            )
            << u.mag
        )
    _add_spectra(stars, release, spectra)
    _add_missing_columns(stars, release)
    stars["archive_flags"] = _flags(features, spectra)
    return stars


def spectra_table(release: Release, spectra: pa.Table) -> StarTable:
    """Return ``source_id`` and XP coefficients, NaN and masked where there is no spectrum."""
    table = StarTable({"source_id": spectra["source_id"].to_numpy()})
    _add_spectra(table, release, spectra)
    return table


def _add_spectra(stars: StarTable, release: Release, spectra: pa.Table) -> None:
    for column in release.xp:
        if column.kind == "array":
            stars[column.name] = Column(float_array(spectra, column))
        else:
            stars[column.name] = _masked(spectra[column.name])


def magnitude_error(flux_over_error: np.ndarray, zero_point_error: float) -> np.ndarray:
    """Return the standard error of a magnitude, that of the zero point included.

    Parameters
    ----------
    flux_over_error : ndarray of shape (n_stars,)
        Mean flux divided by its error, as the archive has it; NaN where unknown.
    zero_point_error : float
        Standard error of the zero point in mag, one of `ZERO_POINT_ERRORS`.

    Returns
    -------
    ndarray of shape (n_stars,)
        Errors in mag, NaN where unknown.
    """
    with np.errstate(divide="ignore"):
        return np.hypot(2.5 / np.log(10) / flux_over_error, zero_point_error)


def merge_companions(stars: StarTable, rows: Mapping[str, pa.Table]) -> None:
    """Put companions' values in place of the archive's own, and flag where they are not.

    Parameters
    ----------
    stars : StarTable of n_stars rows
        Stars from the archive; changed in place.
    rows : mapping of companion's name to pyarrow.Table of n_stars rows
    """
    for name, table in rows.items():
        found = np.asarray(table["found"])
        for column in COMPANIONS[name].columns:
            _overwrite(stars, column.name, column.unit, table, found)
    for name, flag in OLDER.items():
        block = [c for c in COMPANIONS[name].columns if c.unit == "mag"]
        observed = np.zeros(len(stars), dtype=bool)
        for column in block:
            if column.name in stars.colnames:
                observed |= np.isfinite(stars[column.name].value)
        newer = np.asarray(rows[name]["found"]) if name in rows else np.zeros(len(stars), bool)
        stars["archive_flags"][observed & ~newer] |= flag


OLDER = {
    "skymapper_dr4": ArchiveFlag.SKYMAPPER_DR2,
    "catwise2020": ArchiveFlag.WISE_XGBOOST,
}
"""Flags of a star whose magnitudes are not the companion's but the archive's own."""


def _overwrite(stars: StarTable, name: str, unit: str, rows: pa.Table, found: np.ndarray) -> None:
    """Set a column where a companion has the star."""
    integer = pa.types.is_integer(rows.schema.field(name).type)
    if integer:
        given = _masked(rows[name])
    else:
        given = float_column(rows, name) << u.Unit(unit)
    if name not in stars.colnames:
        stars[name] = given
    elif integer:
        merged = MaskedColumn(stars[name])
        merged[found] = given[found]
        stars[name] = merged
    else:
        stars[name][found] = given[found]


def _masked(values: pa.ChunkedArray) -> Column:
    """Return integers, booleans or strings as a column, masked only where something is missing."""
    missing = np.asarray(pc.is_null(values))
    if not missing.any():
        return Column(values.to_numpy(zero_copy_only=False))
    blank = {"int64": 0, "bool": False, "string": ""}[str(values.type)]
    filled = pc.fill_null(values, blank).to_numpy(zero_copy_only=False)
    return MaskedColumn(filled.astype(str) if blank == "" else filled, mask=missing)


def _add_missing_columns(stars: StarTable, release: Release) -> None:
    """Add columns that the service lacks as missing, so that all services give one form."""
    for member in release.schema.members:
        if isinstance(member, CoefficientArray) or member.block == "dust":
            continue
        for name in (member.name, member.error):
            if name is not None and name not in stars.colnames:
                stars[name] = np.full(len(stars), np.nan) << u.Unit(member.unit)


def _flags(features: pa.Table, spectra: pa.Table) -> np.ndarray:
    """Return the flags that the archive's answers earn each star."""
    found = np.asarray(features["found"])
    announced = np.asarray(pc.fill_null(features["has_xp_continuous"], False))
    solved = float_column(features, "astrometric_params_solved")
    flags = np.zeros(len(features), dtype=np.int32)
    flags[~found] |= ArchiveFlag.NOT_FOUND
    flags[solved == TWO_PARAMETERS] |= ArchiveFlag.TWO_PARAMETER
    flags[announced & ~np.asarray(spectra["found"])] |= ArchiveFlag.XP_NOT_DELIVERED
    return flags
