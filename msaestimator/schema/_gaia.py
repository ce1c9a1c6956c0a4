"""The thesis's 138 inputs as data: Gaia DR3 and DR4, six surveys, astrometry, reddening."""

import numpy as np

from msaestimator.schema._columns import CoefficientArray, Column
from msaestimator.schema._feature_schema import FeatureSchema

__all__ = ["GAIA_DR3", "GAIA_DR4", "G_BAND", "G_ZERO_POINT", "g_flux", "resolve_schema"]

G_BAND = "phot_g_mean_mag"
"""The band whose flux the XP coefficients are divided by."""

G_ZERO_POINT = 25.6873668671
"""Vega zero point of G for a flux in e-/s: flux = 10 ** ((G_ZERO_POINT - G) / 2.5)."""


def g_flux(g_magnitude: np.ndarray) -> np.ndarray:
    """Return the G flux in e-/s of a Vega magnitude, NaN of NaN (Leung & Bovy 2024, section 2)."""
    return 10 ** ((G_ZERO_POINT - g_magnitude) / 2.5)


def _bands(
    block: str, bands: str, name: str, error: str | None, *, protected: bool = False
) -> tuple[Column, ...]:
    """One magnitude column a band; ``{}`` in ``name`` and ``error`` stands for the band."""
    return tuple(
        Column(
            name.format(band),
            block=block,
            error=error and error.format(band),
            description=f"{block} {band} magnitude",
            protected=protected,
        )
        for band in bands.split()
    )


_PHOTOMETRY_BEFORE_XP = (
    # The table of Andrae et al. 2023 in the archive, where the thesis takes W1 and W2 from,
    # has no magnitude errors.
    *_bands("wise", "w1 w2", "catwise_{}", None, protected=True),
    *_bands("gaia", "g bp rp", "phot_{}_mean_mag", "phot_{}_mean_mag_error", protected=True),
)
_PHOTOMETRY_AFTER_XP = (
    *_bands("skymapper", "u v g r i z", "{}_psf", "e_{}_psf"),
    *_bands("sdss", "u g r i z", "psfmag_{}", "psfmagerr_{}"),
    *_bands("ps1", "g r i z y", "{}_mean_psf_mag", "{}_mean_psf_mag_error"),
    *_bands("tmass", "j h ks", "{}_m", "{}_msigcom"),
)
_ASTROMETRY_AND_DUST = (
    Column(
        "parallax", "mas", "astrometry", "parallax_error", "Gaia parallax", reconstructed=False
    ),
    Column("ebv", "mag", "dust", None, "E(B-V) of SFD98 to infinity", reconstructed=False),
    Column("pmra", "mas / yr", "astrometry", "pmra_error", "mu_alpha*", reconstructed=False),
    Column("pmdec", "mas / yr", "astrometry", "pmdec_error", "mu_delta", reconstructed=False),
)


def _gaia(release: str, n_bp: int, n_rp: int) -> FeatureSchema:
    """Return the thesis's inputs in the thesis's order, with a release's coefficient numbers."""
    spectra = (
        CoefficientArray("bp_coefficients", "bp", n_bp),
        CoefficientArray("rp_coefficients", "rp", n_rp),
    )
    return FeatureSchema(
        release,
        (*_PHOTOMETRY_BEFORE_XP, *spectra, *_PHOTOMETRY_AFTER_XP, *_ASTROMETRY_AND_DUST),
    )


GAIA_DR3 = _gaia("gaia_dr3", n_bp=55, n_rp=55)
GAIA_DR4 = _gaia("gaia_dr4", n_bp=51, n_rp=55)


def resolve_schema(schema: FeatureSchema | None) -> FeatureSchema:
    """Return a schema as it is, and :data:`GAIA_DR3` for None, the default of every ``schema``."""
    return GAIA_DR3 if schema is None else schema
