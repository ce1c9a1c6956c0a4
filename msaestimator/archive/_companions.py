"""Surveys that serve newer data themselves than the Gaia archive holds of them."""

from dataclasses import dataclass

from msaestimator.archive._columns import ArchiveColumn, columns_of

__all__ = ["COMPANIONS", "MATCH_DISTANCE", "Companion"]

MATCH_DISTANCE = ArchiveColumn("match_distance", "match_distance", unit="deg")
"""Column of the angle between a source and its match in a companion."""


@dataclass(frozen=True)
class Companion:
    """A survey's own TAP service.

    Parameters
    ----------
    name : str
        Name by which ``companions`` asks for it.
    title : str
        Name in error messages.
    tap_url : str
    table : str
        Name of the table, as ADQL writes it.
    block : str
        The schema's name of the survey.
    columns : tuple of ArchiveColumn
    key : str, optional
        Column of Gaia DR3 source ids; None matches by position.
    position : tuple of str
        Columns of right ascension and declination.
    radius : float
        Radius of the match in degrees; the nearest source within it is taken.
    releases : tuple of str
        Gaia releases whose sources the survey can be asked for.
    chunk_size : int
        Most ids in one query.
    """

    name: str
    title: str
    tap_url: str
    table: str
    block: str
    columns: tuple[ArchiveColumn, ...]
    key: str | None = None
    position: tuple[str, str] = ("ra", "dec")
    radius: float = 1.0 / 3600
    releases: tuple[str, ...] = ("dr3", "dr4")
    chunk_size: int = 1000


COMPANIONS: dict[str, Companion] = {
    companion.name: companion
    for companion in (
        Companion(
            "skymapper_dr4",
            "SkyMapper DR4",
            "https://api.skymapper.nci.org.au/public/tap",
            "dr4.master",
            "skymapper",
            (
                *columns_of(" ".join(f"{b}_psf e_{b}_psf" for b in "uvgriz"), "mag"),
                *columns_of("smss_flags=flags smss_nimaflags=nimaflags", kind="integer"),
                *columns_of("smss_class_star=class_star"),
                *columns_of("smss_distance=gaia_dr3_dist1", "arcsec"),
            ),
            key="gaia_dr3_id1",
            releases=("dr3",),
            chunk_size=500,
        ),
        Companion(
            "catwise2020",
            "CatWISE2020 at VizieR",
            "https://tapvizier.cds.unistra.fr/TAPVizieR/tap",
            '"II/365/catwise"',
            "wise",
            columns_of(
                "catwise_w1=W1mproPM catwise_w1_error=e_W1mproPM "
                "catwise_w2=W2mproPM catwise_w2_error=e_W2mproPM",
                "mag",
            ),
            position=("RA_ICRS", "DE_ICRS"),
        ),
    )
}
"""The companions known by name."""
