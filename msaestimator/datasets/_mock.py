"""A mock survey: stars with every feature of the schema and known truth."""

from numbers import Integral

import astropy.units as u
import numpy as np
from sklearn.utils import check_random_state

from msaestimator.datasets._extinction_law import R_V
from msaestimator.datasets._galaxy import extinction
from msaestimator.datasets._isochrone_grid import apparent_magnitudes, load_isochrone_grid
from msaestimator.datasets._motions import moving_positions
from msaestimator.datasets._observing import (
    observe_astrometry,
    observe_photometry,
    observe_reddening,
)
from msaestimator.datasets._population import draw_population
from msaestimator.datasets._xp_spectra import mock_spectra
from msaestimator.schema import G_BAND, GAIA_DR3, StarTable

__all__ = ["G_LIMIT", "make_mock_survey"]

G_LIMIT = 18.0
"""The survey's depth in G, in mag: about a sixth of its stars are too faint for XP spectra."""

# Further than this there is no dust left on any line of sight, in kpc.
_INFINITY = 60.0

MOCK_META = {
    "description": "Mock survey with known truth; source_id is synthetic (1 to n_stars)",
    "credit": (
        "MIST isochrones (Dotter 2016; Choi et al. 2016); XP templates from ESA/Gaia/DPAC and "
        "APOGEE DR17 by way of load_apogee_xp"
    ),
}


def make_mock_survey(
    n_stars: int = 1000, *, random_state: int | np.random.RandomState | None = None
) -> StarTable:
    """Make stars with every feature of Gaia DR3's schema, realistic gaps, and known truth.

    Stars of the thin disc, thick disc and halo are drawn to a true G of 18, placed on MIST
    isochrones, reddened by an exponential dust disc and observed by each survey of the schema
    within its footprint and depth.

    Parameters
    ----------
    n_stars : int, default=1000
        Number of stars; 10,000 take a second or two.
    random_state : int, RandomState instance or None, default=None
        Seed of the stars and their noise: the same seed gives the same table to the last bit, on
        one machine with one number of threads (another number may change the last bit of XP).

    Returns
    -------
    StarTable, length ``n_stars``
        - ``source_id`` (int64, 1 to ``n_stars``: no real Gaia identifier is that small),
          ``ra``, ``dec`` (deg);
        - the 138 features of :data:`~msaestimator.schema.GAIA_DR3` and their errors under the
          schema's names and units, XP as ``bp_coefficients`` and ``rp_coefficients`` (n, 55).
          NaN is not measured: outside a footprint, too faint, too bright, or XP of a star
          fainter than G = 17.65;
        - truth, never missing: ``teff`` (K), ``logg``, ``fe_h`` (dex), ``mass`` (solMass, today),
          ``age`` (Gyr), ``true_distance`` (kpc), ``true_parallax`` (mas), ``true_ebv`` (mag, to
          the star; the feature ``ebv`` is a dust map's, to infinity and with scatter).

    Raises
    ------
    ValueError
        If ``n_stars`` is not a positive integer.

    Notes
    -----
    - **Stars**: Kroupa (2001) mass function over the isochrones' intervals of initial mass;
      constant star formation over 0.1-9 Gyr (thin disc), 8-12.5 (thick), 10.5-13.5 (halo);
      mean [Fe/H] -0.05, -0.5, -1.5. All stars are single, none varies.
    - **Dust**: A_V grows by 1 mag/kpc at the Sun in the plane, with a scale length of 3.2 kpc
      and a scale height of 0.08 kpc; R_V = 3.1; magnitudes use MIST's coefficient at A_V = 1.
    - **Errors** of magnitudes are a floor and a term growing with 1 / flux; WISE has noise but
      no error column, as in the schema. Astrometric errors follow Gaia's published formula.
    - **XP spectra** are those of the nearest real star of :func:`load_apogee_xp` in
      (log Teff, log g, [Fe/H]), reddened through the sampling matrix by the difference of
      extinctions (the law of Cardelli et al. 1989; the real star's extinction comes from its
      colours) and scaled to the mock's G flux. So they carry the real star's parameters, which
      mostly lie within 1 % in Teff and 0.1 dex in [Fe/H] of the truth given here; below
      4,000 K the spectra are redder than the isochrones' BP - RP. Errors are independent
      between coefficients, where real ones are correlated.

    Examples
    --------
    >>> from msaestimator.datasets import make_mock_survey
    >>> stars = make_mock_survey(200, random_state=0)
    >>> len(stars), stars["rp_coefficients"].shape, stars["age"].unit
    (200, (200, 55), Unit("Gyr"))
    """
    if not isinstance(n_stars, Integral) or n_stars < 1:
        raise ValueError(f"`n_stars` must be a positive integer, got {n_stars!r}.")
    rng = check_random_state(random_state)
    stars = draw_population(n_stars, G_LIMIT, rng)
    position = moving_positions(stars, rng)
    intrinsic = load_isochrone_grid().at(stars.fe_h, stars.log_age, stars.eep)
    sight_line = stars.longitude, stars.sin_latitude
    a_v = extinction(*sight_line, stars.distance)
    magnitudes = apparent_magnitudes(intrinsic, stars.distance, a_v)
    motion = {
        "parallax": 1.0 / stars.distance,
        "pmra": position.pm_ra_cosdec.to_value(u.mas / u.yr),
        "pmdec": position.pm_dec.to_value(u.mas / u.yr),
    }
    photometry = observe_photometry(magnitudes, position, rng)
    labels = intrinsic["log_teff"], intrinsic["logg"], stars.fe_h
    observed = {
        **photometry,
        **observe_astrometry(motion, magnitudes[G_BAND], rng),
        "ebv": observe_reddening(extinction(*sight_line, _INFINITY) / R_V, rng),
        **mock_spectra(labels, a_v, magnitudes[G_BAND], photometry[G_BAND], rng),
    }
    table = StarTable(meta=dict(MOCK_META))
    table["source_id"] = np.arange(1, n_stars + 1, dtype=np.int64)
    table["ra"], table["dec"] = position.ra.deg * u.deg, position.dec.deg * u.deg
    for name, values in _in_schema_order(observed).items():
        table[name] = values
    table["teff"] = 10.0 ** intrinsic["log_teff"] * u.K
    table["logg"], table["fe_h"] = intrinsic["logg"] * u.dex, stars.fe_h * u.dex
    table["mass"] = intrinsic["star_mass"] * u.solMass
    table["age"] = 10.0 ** (stars.log_age - 9.0) * u.Gyr
    table["true_distance"] = stars.distance * u.kpc
    table["true_parallax"] = motion["parallax"] * u.mas
    table["true_ebv"] = a_v / R_V * u.mag
    return table


def _in_schema_order(observed: dict[str, np.ndarray]) -> dict[str, np.ndarray | u.Quantity]:
    """Return features in the schema's order with units, each followed by its error."""
    ordered = {}
    for member in GAIA_DR3.members:
        unit = u.Unit(getattr(member, "unit", ""))
        for name in filter(None, (member.name, member.error)):
            ordered[name] = observed[name] if unit == u.one else observed[name] * unit
    return ordered
