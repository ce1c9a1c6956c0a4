"""Masses, ages, radii, distances and extinctions of stars, by isochrones."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits

from msaestimator.datasets._isochrone_posterior import draw_from_posterior
from msaestimator.datasets._stellar_evidence import StellarEvidence, read_evidence
from msaestimator.datasets._voxel_scores import load_voxels
from msaestimator.datasets._weighted_quantiles import weighted_quantiles
from msaestimator.schema import StarTable
from msaestimator.tables import source_ids_of

__all__ = ["match_isochrones"]

LEVELS = (0.5, 0.16, 0.84)

STARS_AT_ONCE = 64
"""Stars that one thread works on; each takes about 1 MB meanwhile."""

QUANTITIES = {
    "mass": (u.solMass, "present mass", ".4f"),
    "age": (u.Gyr, "age", ".4f"),
    "radius": (u.solRad, "radius", ".6g"),
    "distance": (u.kpc, "distance", ".6g"),
    "a_v": (u.mag, "extinction A_V", ".4f"),
}
"""Unit, meaning and format of what is found, by name."""

META = {
    "description": "posterior medians and 68 % intervals by MIST isochrones",
    "credit": "MIST (Dotter 2016; Choi et al. 2016)",
}


def match_isochrones(stars: Any, *, aliases: bool = True) -> StarTable:
    """Return mass, age, radius, distance and extinction of stars, from MIST isochrones.

    Parameters
    ----------
    stars : table of n_stars stars
        Stars in any container that the estimators take, with any of ``teff`` (K), ``logg``,
        ``fe_h`` or ``m_h``, ``alpha_fe`` or ``alpha_m`` (dex), ``parallax`` (mas, as Gaia DR3
        gives it), ``phot_g_mean_mag``, ``phot_bp_mean_mag``, ``phot_rp_mean_mag``, ``j_m``,
        ``h_m`` and ``ks_m`` (mag); NaN, masked and -9999 are missing. Errors are ``teff_err``,
        ``parallax_error`` or ``parallax_err`` and so on, under the names of the archive or of
        prediction tables. Other columns are not looked at.
    aliases : bool
        Whether names of other catalogues (:data:`msaestimator.schema.ALIASES`) are understood.

    Returns
    -------
    StarTable of length n_stars
        ``source_id``, if ``stars`` has it; then for each of ``mass`` (solMass, today's), ``age``
        (Gyr), ``radius`` (solRad), ``distance`` (kpc) and ``a_v`` (mag)

        - ``mass``, the posterior's median;
        - ``mass_err``, half the width of the central 68 % interval;
        - ``mass_lower`` and ``mass_upper``, the 0.16 and 0.84 quantiles;

        and ``log_likelihood``, of the best of the models tried: minus half of chi squared of all
        that was measured. Far below minus half the number of measurements, no isochrone
        describes the star, and its answer means little.

        All are NaN where nothing tells the temperature (``teff`` or two magnitudes) or nothing
        the luminosity (``logg``, or parallax and a magnitude); ``distance`` and ``a_v`` are NaN
        without a magnitude.

    Raises
    ------
    ColumnError
        ``stars`` is no table, or its columns tell no star's temperature or luminosity.
    UnitMismatchError
        A column's unit is of another physical type.

    Warns
    -----
    RenamedColumnWarning
        Columns were taken by other names.

    Notes
    -----
    - **Prior**: the mass function of Kroupa (2001); all ages from 0.1 to 13.8 Gyr alike;
      [M/H] as around the Sun (85 % thin disc, 13 % thick disc, 2 % halo); stars in space with a
      density that falls by e in 2 kpc; A_V half-normal with a scale of 0.05 mag and 1 mag a kpc.
    - **Alpha elements**: the isochrones have the Sun's mixture. They are compared at
      [M/H] = [Fe/H] + log10(0.638 * 10**[alpha/Fe] + 0.362) (Salaris et al. 1993), where
      ``alpha_m`` stands in for ``alpha_fe``, and a missing one is 0. ``m_h`` is looked at where
      ``fe_h`` is missing, and is taken to count the alpha elements already.
    - **Errors** that are missing are 100 K, 0.1 dex (alpha 0.05), 0.03 mag and 0.1 mas. What
      the models and the surveys' scales are uncertain by is added in quadrature: 1 % in Teff,
      0.05 dex, 0.03 mag, 0.02 mas. Parallaxes are raised by DR3's mean offset of 0.03 mas
      where `msaestimator.archive.correct_parallax` has not corrected them.
    - **Method**: 1,536 models a star are drawn from 1.2 million between the isochrones, those
      likely by a first look more often, and weighed; distance and extinction are integrated
      over. There is no randomness: a star's answer is the same in any table. Threads share the
      work, as many as there are processors.
    - Single stars from the main sequence to the end of the asymptotic giant branch are known:
      no binaries, white dwarfs, hot subdwarfs or stars before the main sequence.

    Examples
    --------
    >>> import astropy.units as u
    >>> from msaestimator.datasets import match_isochrones
    >>> sun = {"teff": [5772] * u.K, "logg": [4.44], "fe_h": [0.0], "teff_err": [30.0]}
    >>> matched = match_isochrones(sun)
    >>> print(f"{matched['mass'][0]:.1f}, {matched['radius'][0]:.1f}")
    1.0 solMass, 1.0 solRad
    """
    ids, evidence = source_ids_of(stars), read_evidence(stars, aliases=aliases)
    known = np.flatnonzero(evidence.is_enough)
    quantiles = np.full((len(evidence), len(QUANTITIES), len(LEVELS)), np.nan)
    log_likelihood = np.full(len(evidence), np.nan)
    batches = np.split(known, range(STARS_AT_ONCE, len(known), STARS_AT_ONCE))
    load_voxels()  # once, before several threads would
    # Threads of the products of matrices would only stand in the way of those of batches.
    with ThreadPoolExecutor(cpu_count()) as threads, threadpool_limits(1, user_api="blas"):
        answers = threads.map(partial(_match, evidence), batches)
        for batch, (of_batch, fit) in zip(batches, answers, strict=True):
            quantiles[batch], log_likelihood[batch] = of_batch, fit
    return _table(ids, quantiles, log_likelihood)


def _match(evidence: StellarEvidence, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return quantiles of some stars, (n_rows, n_quantities, n_levels), and log likelihoods."""
    draws = draw_from_posterior(evidence.rows(rows))
    found = [weighted_quantiles(getattr(draws, name), draws.weight, LEVELS) for name in QUANTITIES]
    return np.stack(found, axis=1), draws.log_likelihood


def _table(ids: np.ndarray | None, quantiles: np.ndarray, log_likelihood: np.ndarray) -> StarTable:
    table = StarTable(meta=dict(META))
    if ids is not None:
        table["source_id"] = ids
    for (name, (unit, subject, decimals)), of_stars in zip(
        QUANTITIES.items(), quantiles.swapaxes(0, 1), strict=True
    ):
        middle, lower, upper = of_stars.T
        parts = {
            "": (middle, "median"),
            "_err": (0.5 * (upper - lower), "half the width of the central 68 % interval"),
            "_lower": (lower, "lower end of the central 68 % interval"),
            "_upper": (upper, "upper end of the central 68 % interval"),
        }
        for suffix, (values, meaning) in parts.items():
            table[name + suffix] = u.Quantity(values, unit)
            table[name + suffix].info.description = f"{subject}: {meaning}"
            table[name + suffix].info.format = decimals
    table["log_likelihood"] = log_likelihood
    table["log_likelihood"].info.description = "minus half of chi squared of the best model"
    table["log_likelihood"].info.format = ".2f"
    return table
