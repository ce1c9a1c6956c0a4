"""The MIST isochrones, with magnitudes in every band of the schema."""

import astropy.units as u

from msaestimator.datasets._packaged import column_values, read_table
from msaestimator.schema import StarTable

__all__ = ["SOLAR_BOLOMETRIC_MAGNITUDE", "load_isochrones"]

SOLAR_BOLOMETRIC_MAGNITUDE = 4.74
"""The zero point of the bolometric corrections, in magnitudes."""

ISOCHRONE_META = {
    "description": "MIST v2.5 isochrones, 15 [Fe/H] x 23 ages x 110 phases",
    "credit": "MIST (Dotter 2016; Choi et al. 2016); tables from lachesis-grids (MIT)",
}
_UNITS = {"initial_mass": u.solMass, "star_mass": u.solMass, "fe_h": u.dex, "logg": u.dex}


def load_isochrones() -> StarTable:
    """Load the MIST isochrones: 37,950 points from the main sequence to the giants.

    Returns
    -------
    StarTable, length 37,950, sorted by ``fe_h``, ``log_age``, ``eep``
        - ``fe_h`` (dex), 15 values from -4 to 0.5;
        - ``log_age``, log10 of the age in years, 23 values from 8.0 to 10.2;
        - ``eep``, the equivalent evolutionary phase: 202 is the zero-age main sequence,
          454 the turn-off, 605 the tip of the giant branch, 808 the end of the asymptotic one;
        - ``initial_mass``, ``star_mass`` (solMass), ``log_teff`` (log10 K), ``logg`` (dex),
          ``log_l`` (log10 of the solar luminosity);
        - for every magnitude of :data:`~msaestimator.schema.GAIA_DR3` the bolometric correction
          ``bc_<name>`` (mag) and the extinction ``a_<name>`` for one magnitude of A_V
          (R_V = 3.1, dimensionless).

        There are no missing values.

    Notes
    -----
    The absolute magnitude behind an extinction ``A_V`` is
    ``4.74 - 2.5 log_l - bc + A_V a``; magnitudes are in each survey's own system.

    Band quantities, ``logg`` and ``log_l`` are rounded to 1.2e-4, ``log_teff`` to 3e-5.
    Cite Dotter (2016) and Choi et al. (2016).

    Examples
    --------
    >>> from msaestimator.datasets import load_isochrones
    >>> points = load_isochrones()
    >>> points["initial_mass"].unit, points["bc_ks_m"].unit
    (Unit("solMass"), Unit("mag"))
    """
    table = read_table("isochrones_mist.parquet")
    points = StarTable(meta=dict(ISOCHRONE_META))
    for name in table.column_names:
        values = column_values(table, name)
        unit = u.mag if name.startswith("bc_") else _UNITS.get(name)
        points[name] = values if unit is None else u.Quantity(values, unit, copy=False)
    return points
