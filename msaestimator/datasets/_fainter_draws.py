"""Draws of stars at the distances where a survey of the sky would see such stars."""

from typing import Any

import numpy as np
from astropy.table import Table
from sklearn.utils import check_random_state

from msaestimator.datasets._columns import copy_stars, read_numbers
from msaestimator.datasets._fainter import SCALED_COLUMNS, make_fainter
from msaestimator.schema import G_BAND, StarTable

__all__ = ["draw_fainter"]

KEPT = 0.4
"""Share of the stars that stay as they are in a draw."""


def draw_fainter(
    stars: Any, faintest: float, random_state: int | np.random.RandomState | None = None
) -> tuple[StarTable, np.ndarray]:
    """Return stars of which some are farther away, by :func:`make_fainter`.

    Two stars in five stay as they are. The others get a G that is drawn uniformly between their
    own and the faintest.

    Parameters
    ----------
    stars : container of n_stars stars, see :func:`msaestimator.tables.named_columns`
        Stars; never changed. One without ``phot_g_mean_mag``, or fainter than ``faintest``, stays
        as it is.
    faintest : float
        Faintest G of a draw, in mag.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    stars : StarTable, length n_stars
        The stars in their order, with the columns of :func:`make_fainter`.
    modulus : ndarray of shape (n_stars,)
        Growth of the stars' distance moduli in mag, zero where they stay.
    """
    table = copy_stars(stars, SCALED_COLUMNS)
    rng = check_random_state(random_state)
    own_g = np.full(len(table), np.nan)
    if G_BAND in table.colnames:
        own_g = read_numbers(table, G_BAND, "mag")
    farther, part = rng.random_sample((2, len(table)))
    is_moved = (farther >= KEPT) & (own_g < faintest)
    modulus = np.where(is_moved, part * (faintest - own_g), 0.0)
    if is_moved.any():
        g = own_g + part * (faintest - own_g)
        _replace(table, is_moved, make_fainter(table[is_moved], g[is_moved], rng))
    return table, modulus


def _replace(table: Table, rows: np.ndarray, stars: Table) -> None:
    """Set rows of a table, and columns that only the new ones have, missing in the others."""
    for name in stars.colnames:
        if name not in table.colnames:
            column = stars[name][np.zeros(len(table), dtype=int)]
            column[:] = np.nan
            table[name] = column
        table[name][rows] = stars[name]
