"""The maps read through dustmaps, all brought to the E(B-V) of SFD98."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from msaestimator.dust._dust_map import DustMap, Query
from msaestimator.dust._low_resolution import low_resolution_sfd
from msaestimator.dust._map_files import MapFiles, importing_dustmaps
from msaestimator.exceptions import DustMapError, MissingDependencyError

__all__ = ["open_bayestar", "open_marshall", "open_sfd"]

_SFD = MapFiles(
    "sfd", ("SFD_dust_4096_ngp.fits", "SFD_dust_4096_sgp.fits"), "doi:10.7910/DVN/EWCNL5"
)
_BAYESTAR = MapFiles("bayestar", ("bayestar2019.h5",), "doi:10.7910/DVN/2EJ9TX")
_MARSHALL = MapFiles("marshall", ("marshall.h5",), "J/A+A/453/635 at CDS")

# A(Ks) of 2MASS for E(B-V) = 1 mag of SFD98 at R_V = 3.1, with the law and the calibration of
# Schlafly & Finkbeiner (2011), as IRSA tabulates it and mwdust uses it.
_KS_EXTINCTION = 0.310


def open_sfd(map_dir: str | Path | None) -> DustMap:
    """Return SFD98, or with a caution the packaged map if it is not on disk."""
    try:
        with importing_dustmaps():
            import dustmaps.sfd  # noqa: F401, asked first: without it the files are no use
        folder = _SFD.find(map_dir)
    except (DustMapError, MissingDependencyError) as error:
        caution = (
            "The packaged low-resolution map 'sfd-lowres' stands in for 'sfd': its pixels are "
            f"0.9 deg wide, those of SFD98 2.4 arcmin. {error}"
        )
        return replace(low_resolution_sfd(), caution=caution)
    return DustMap(
        "sfd",
        _load_sfd(folder),
        "E(B-V) to infinity of Schlegel et al. (1998), from the 4096 x 4096 maps of dustmaps",
    )


def open_bayestar(map_dir: str | Path | None) -> DustMap:
    """Return Bayestar19; its unit is already E(B-V) on the scale of SFD98.

    The unit is defined by its extinction vector (Green et al. 2019, table 1): E(g - r) of
    Pan-STARRS is 3.518 - 2.617 = 0.901 mag, which is what Schlafly & Finkbeiner (2011, table 6)
    find for E(B-V) = 1 mag of SFD98, 3.172 - 2.271.
    """
    return DustMap(
        "bayestar",
        _load_bayestar(_BAYESTAR.find(map_dir)),
        "E(B-V) to the star of Bayestar19 (Green et al. 2019), best fit, in its own unit",
        three_dimensional=True,
    )


def open_marshall(map_dir: str | Path | None) -> DustMap:
    """Return Marshall et al. (2006), from A(Ks) to E(B-V) by the extinction of SFD98's scale."""
    return DustMap(
        "marshall",
        _load_marshall(_MARSHALL.find(map_dir)),
        f"E(B-V) to the star of Marshall et al. (2006), A(Ks) / {_KS_EXTINCTION:.3f}",
        three_dimensional=True,
    )


@cache
def _load_sfd(folder: Path) -> Query:
    with importing_dustmaps():
        from dustmaps.sfd import SFDQuery
    with _SFD.reading(folder):
        return SFDQuery(map_dir=str(folder))


@cache
def _load_bayestar(folder: Path) -> Query:
    with importing_dustmaps():
        from dustmaps.bayestar import BayestarQuery
    with _BAYESTAR.reading(folder):
        # The samples fill gigabytes; the best fit is all that is asked for, as in mwdust.
        bayestar = BayestarQuery(map_fname=str(folder / _BAYESTAR.names[0]), max_samples=0)
    return lambda coords: bayestar(coords, mode="best")


@cache
def _load_marshall(folder: Path) -> Query:
    with importing_dustmaps():
        from dustmaps.marshall import MarshallQuery
    with _MARSHALL.reading(folder):
        marshall = MarshallQuery(map_fname=str(folder / _MARSHALL.names[0]))
    return lambda coords: marshall(coords) / _KS_EXTINCTION
