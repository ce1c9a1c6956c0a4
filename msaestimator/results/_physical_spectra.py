"""Answers about coefficients as physical spectra: which are needed, and how bright they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import read_column
from msaestimator.results._spectra import spectra_table
from msaestimator.schema import G_BAND, GAIA_DR3, RELATIVE, StarTable, absolute_magnitude
from msaestimator.tables import column_names

__all__ = ["SPECTRUM", "apparent_spectra", "check_spectrum", "spectra_at_10pc"]

SPECTRUM = tuple(
    f"{RELATIVE}{column.name}" for array in GAIA_DR3.arrays for column in array.columns
)
"""The tokens that make a spectrum, in the order of the sampling matrix."""


def check_spectrum(trained: Sequence[str]) -> None:
    """Refuse a model that does not know every coefficient that the sampling matrix takes."""
    absent = [name for name in SPECTRUM if name not in trained]
    if absent:
        raise ColumnError(
            f"A spectrum needs all {len(SPECTRUM)} XP coefficients of Gaia DR3 as tokens that "
            f"some star of fit had, but {absent[0]!r} is absent (in all {len(absent)} are). Fit "
            "on stars with both bands, with a vocabulary that has them."
        )


def apparent_spectra(
    answers: StarTable, stars: Any, error_shares: np.ndarray | None = None
) -> StarTable:
    """Return requested coefficients as flux at the Earth, with the stars' own G magnitudes."""
    if G_BAND not in (column_names(stars) or ()):
        raise ColumnError(
            f"An apparent spectrum needs the column {G_BAND!r}, and it is absent. Pass it along, "
            "or ask for the spectrum at 10 pc with at_10pc=True."
        )
    return _spectra(answers, read_column(stars, G_BAND, "mag"), error_shares=error_shares)


def spectra_at_10pc(
    answers: StarTable, luminosity: str, error_shares: np.ndarray | None = None
) -> StarTable:
    """Return requested coefficients as flux at 10 pc, with the answers' own luminosities."""
    values, errors = (answers[name].value for name in (luminosity, f"{luminosity}_err"))
    magnitudes = absolute_magnitude(values)
    errors = 5.0 / np.log(10.0) * errors / np.abs(values)
    return _spectra(answers, magnitudes, errors, error_shares=error_shares)


def _spectra(
    answers: StarTable,
    magnitudes: np.ndarray,
    errors: np.ndarray | None = None,
    *,
    error_shares: np.ndarray | None,
) -> StarTable:
    return spectra_table(
        np.column_stack([answers[name].value for name in SPECTRUM]),
        np.column_stack([answers[f"{name}_err"].value for name in SPECTRUM]),
        magnitudes,
        g_errors=errors,
        error_shares=error_shares,
        identifiers=answers["source_id"] if "source_id" in answers.colnames else None,
        flags=np.bitwise_or.reduce([answers["flags"], *(answers[f"{n}_flags"] for n in SPECTRUM)]),
    )
