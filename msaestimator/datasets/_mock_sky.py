"""A mock sky: the stars of the mock survey's Galaxy to any magnitude, by colour and label only."""

from numbers import Integral

import astropy.units as u
import numpy as np
from sklearn.utils import check_random_state

from msaestimator.datasets._extinction_law import R_V
from msaestimator.datasets._galaxy import extinction
from msaestimator.datasets._isochrone_grid import apparent_magnitudes, load_isochrone_grid
from msaestimator.datasets._motions import moving_positions
from msaestimator.datasets._observing import observe_photometry, observe_reddening
from msaestimator.datasets._population import draw_population
from msaestimator.schema import GAIA_DR3, StarTable

__all__ = ["make_mock_sky"]

BRIGHTEST_LIMIT, FAINTEST_LIMIT = 8.0, 21.0

# Further than this there is no dust left on any line of sight, in kpc.
_INFINITY = 60.0


def make_mock_sky(
    n_stars: int = 10_000,
    g_limit: float = 18.0,
    *,
    random_state: int | np.random.RandomState | None = None,
) -> StarTable:
    """Make stars of the whole sky to a limit in G, with Gaia's photometry and known labels.

    The stars are those of :func:`make_mock_survey`, which has all features but ends at G = 18;
    without spectra there is no end, and a hundred thousand stars take seconds.

    Parameters
    ----------
    n_stars : int, default=10000
        Number of stars.
    g_limit : float, default=18.0
        True G of the faintest star in mag, 8 to 21.
    random_state : int, RandomState instance or None, default=None
        Seed of the stars and their noise.

    Returns
    -------
    StarTable, length ``n_stars``
        - ``ra``, ``dec`` (deg);
        - ``phot_g_mean_mag``, ``phot_bp_mean_mag``, ``phot_rp_mean_mag`` (mag) with noise, NaN
          where Gaia measures none, and ``ebv`` (mag) as a dust map gives it, to infinity;
        - truth, never missing: ``teff`` (K), ``logg``, ``fe_h`` (dex), ``true_distance`` (kpc).

    Raises
    ------
    ValueError
        If ``n_stars`` is not a positive integer, or ``g_limit`` is not between 8 and 21.

    Examples
    --------
    >>> from msaestimator.datasets import make_mock_sky
    >>> stars = make_mock_sky(20_000, 17.0, random_state=0)
    >>> faint = stars[stars["phot_g_mean_mag"].value > 16]
    >>> print(f"{(faint['logg'].value < 3.5).mean():.1f}")
    0.2
    """
    if not isinstance(n_stars, Integral) or n_stars < 1:
        raise ValueError(f"`n_stars` must be a positive integer, got {n_stars!r}.")
    if not BRIGHTEST_LIMIT <= g_limit <= FAINTEST_LIMIT:
        raise ValueError(
            f"`g_limit` must be between {BRIGHTEST_LIMIT:g} and {FAINTEST_LIMIT:g} mag, got "
            f"{g_limit!r}."
        )
    rng = check_random_state(random_state)
    stars = draw_population(n_stars, g_limit, rng)
    position = moving_positions(stars, rng)
    intrinsic = load_isochrone_grid().at(stars.fe_h, stars.log_age, stars.eep)
    sight_line = stars.longitude, stars.sin_latitude
    a_v = extinction(*sight_line, stars.distance)
    true = apparent_magnitudes(intrinsic, stars.distance, a_v)
    seen = observe_photometry(true, position, rng)
    table = StarTable({"ra": position.ra.deg * u.deg, "dec": position.dec.deg * u.deg})
    for name in GAIA_DR3.block("gaia"):
        table[name] = seen[name] * u.mag
    table["ebv"] = observe_reddening(extinction(*sight_line, _INFINITY) / R_V, rng) * u.mag
    table["teff"] = 10.0 ** intrinsic["log_teff"] * u.K
    table["logg"], table["fe_h"] = intrinsic["logg"] * u.dex, stars.fe_h * u.dex
    table["true_distance"] = stars.distance * u.kpc
    return table
