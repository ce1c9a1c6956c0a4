"""Stars made fainter: farther away, with the noise that the surveys have there."""

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from msaestimator.datasets._columns import copy_stars, read_numbers
from msaestimator.datasets._dimming import (
    dim_astrometry,
    dim_g,
    dim_photometry,
    dim_spectra,
    move_truth,
)
from msaestimator.datasets._surveys import SURVEYS
from msaestimator.exceptions import ColumnError
from msaestimator.schema import G_BAND, GAIA_DR3, StarTable

__all__ = ["SCALED_COLUMNS", "make_fainter"]

# What text and single precision may round a magnitude by.
_ROUNDING = 1e-4

# Most rows that a message tells by number.
_SHOWN = 5

_ARRAY_COLUMNS = [n for a in GAIA_DR3.arrays for n in (a.name, a.error, a.relevant_bases)]
_SCALAR_COLUMNS = [n for c in GAIA_DR3.columns for n in (c.name, c.error) if n]

SCALED_COLUMNS = ("ra", "dec", *_ARRAY_COLUMNS, *_SCALAR_COLUMNS)
"""Names of the columns that are read or written."""


def make_fainter(
    stars: Any, g: ArrayLike, random_state: int | np.random.RandomState | None = None
) -> StarTable:
    """Return the same stars farther away, as the surveys would measure them there.

    Parameters
    ----------
    stars : container of n_stars stars, see :func:`msaestimator.tables.named_columns`
        Stars with ``phot_g_mean_mag`` and any other columns of Gaia DR3's schema; never changed.
    g : float or array-like of shape (n_stars,), in mag
        G of the copies, not brighter than the stars'.
    random_state : int, RandomState instance or None, default=None
        Seed of the noise.

    Returns
    -------
    StarTable, length n_stars
        The columns of ``stars``, where the schema knows them:

        - magnitudes shifted, ``phot_g_mean_mag`` to ``g`` itself; NaN where the survey ends:
          fainter than its 5 sigma depth, brighter than its saturation, and, if there are ``ra``
          and ``dec``, outside the footprint of SDSS, Pan-STARRS 1 or SkyMapper;
        - XP coefficients scaled with the flux, NaN beyond G = 17.65; as many relevant bases as
          such stars have;
        - parallax and proper motions smaller, with the errors of DR3;
        - errors of all of these, also if ``stars`` has none; only WISE has no column for them.

        ``true_distance`` and ``true_parallax`` of a mock survey follow. All other columns, such
        as labels, reddening, identifiers and fluxes, are those of ``stars``. NaN stays NaN.
        Columns by a name of another catalogue (:data:`msaestimator.schema.ALIASES`) come by ours.

    Raises
    ------
    ColumnError
        ``stars`` has no column names or no G, for all or for some, or a column does not hold
        numbers.
    UnitMismatchError
        A column's unit is of another physical type.
    ValueError
        ``g`` has another shape, is not finite, or is brighter than a star.

    Notes
    -----
    - **Noise** is added by the difference of variances: the survey's typical one at the new
      magnitude less the typical one of such a star before, as distance scales it. To the
      star's own error, scaled too, it adds in quadrature. So a star that stays where it is keeps
      its values, one made fainter twice is, in distribution, one made fainter once, and far from
      where it was it has the errors that others have there. An error that is not known is taken
      to be typical.
    - **XP** errors at a G are medians of field stars' in Gaia DR3, by band and order, with
      0.065 dex of scatter from star to star; over the sky they scatter by 0.15 dex more. The
      noise of coefficients is independent: real ones correlate little (median 0.02), but for
      BP's lowest orders (up to 0.7).
    - **Magnitudes** have the errors of :func:`make_mock_survey`, and parallaxes Gaia's published
      ones. The shift of everything but G has the noise of G.
    - **Undoing**: subtract the difference in G from the magnitudes, multiply the coefficients and
      their errors by 10**(0.4 difference), parallax, motions and their errors by 10**(0.2
      difference). This gives the star back within these errors; noise and gaps stay.
    - A parallax shrinks as it is. Add the zero point of the catalogue (about 0.03 mas in DR3)
      before, and subtract it after, if it matters.

    Examples
    --------
    >>> import numpy as np
    >>> from msaestimator.datasets import load_apogee_xp, make_fainter
    >>> stars = load_apogee_xp("test")
    >>> stars = stars[stars["phot_g_mean_mag"].value < 13]
    >>> faint = make_fainter(stars, 16.5, random_state=0)
    >>> for table in (stars, faint):
    ...     ratio = table["bp_coefficients"] / table["bp_coefficient_errors"]
    ...     print(f"{np.median(ratio[:, 0]):.0f}")
    1892
    312
    """
    table = copy_stars(stars, SCALED_COLUMNS)
    own_g = _known_g(table)
    new_g = _wanted_g(g, own_g)
    rng = check_random_state(random_state)
    farther = dim_g(table, own_g, new_g, rng)
    for survey in SURVEYS:
        dim_photometry(table, survey, farther, rng)
    dim_astrometry(table, own_g, new_g, farther, rng)
    dim_spectra(table, own_g, new_g, farther, rng)
    move_truth(table, farther)
    return table


def _known_g(table: Table) -> np.ndarray:
    """Return the stars' own G in mag."""
    if G_BAND not in table.colnames:
        raise ColumnError(f"Making stars fainter needs their {G_BAND!r}, which is absent.")
    own_g = read_numbers(table, G_BAND, "mag")
    missing = np.flatnonzero(np.isnan(own_g))
    if missing.size:
        raise ColumnError(
            f"{G_BAND!r} must be known of all stars that are made fainter, got none for "
            f"{_rows(missing)}. Leave these out."
        )
    return own_g


def _wanted_g(g: ArrayLike, own_g: np.ndarray) -> np.ndarray:
    """Return the G of the copies in mag, checked, (n_stars,)."""
    wanted = np.asarray(u.Quantity(g, u.mag).value, dtype=float)
    if wanted.shape not in ((), own_g.shape):
        raise ValueError(
            f"`g` must be one number or one a star, ({len(own_g)},), got shape {wanted.shape}."
        )
    wanted = np.broadcast_to(wanted, own_g.shape)
    unknown = np.flatnonzero(~np.isfinite(wanted))
    if unknown.size:
        raise ValueError(f"`g` must be finite, got {wanted[unknown[0]]} for {_rows(unknown)}.")
    brighter = np.flatnonzero(wanted < own_g - _ROUNDING)
    if brighter.size:
        row = brighter[0]
        raise ValueError(
            f"`g` must not be brighter than a star, got {wanted[row]:.6g} for one of G "
            f"{own_g[row]:.6g}, in {_rows(brighter)}. Noise cannot be taken away: leave these "
            f"out, or pass np.maximum(g, stars[{G_BAND!r}])."
        )
    return wanted


def _rows(rows: np.ndarray) -> str:
    """Return rows in words, the first few of them by number."""
    shown = ", ".join(str(row) for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"
