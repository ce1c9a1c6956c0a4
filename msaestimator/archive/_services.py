"""The services as data: their addresses, their tables and their limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

__all__ = ["SERVICES", "Service"]

DATALINK_LIMIT = 5000
"""Most sources in one DataLink request of ESA's archive."""


@dataclass(frozen=True)
class Service:
    """A place that serves Gaia catalogues.

    Parameters
    ----------
    name : str
        Short name, part of the cache's path.
    title : str
        Name in error messages.
    tap_url : str
        Base address of the TAP service.
    datalink_url : str, optional
        Address of the DataLink server for XP coefficients; None asks TAP for them.
    serves_xp : bool
        Whether the service has XP coefficients at all.
    surveys : tuple of str, optional
        Blocks of surveys that the service has beside Gaia itself; None is all.
    tables, columns : mapping of str to str
        The service's names of tables and of ``table.column``, where they differ from ESA's.
    quoted_schemas : tuple of str
        Schemas to write in double quotes, because their names are reserved words of ADQL.
    uploads : bool
        Whether the service takes uploaded tables; else ids are listed in the query.
    joins_all : bool
        Whether one query may join all surveys; else there is one query a survey.
    ids_per_query, ids_per_xp_query : int
        Most ids in one query of catalogues, and of XP coefficients.
    ids_per_sync : int
        Most ids in a query that is run synchronously; one with more is run as a job.
    auth_scheme : str
        Word before the token in the header ``Authorization``.
    companions : tuple of str
        Services of single surveys to ask as well, by the names of their archives.
    """

    name: str
    title: str
    tap_url: str
    datalink_url: str | None = None
    serves_xp: bool = True
    surveys: tuple[str, ...] | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    quoted_schemas: tuple[str, ...] = ("external",)
    uploads: bool = True
    joins_all: bool = True
    ids_per_query: int = 5000
    ids_per_xp_query: int = DATALINK_LIMIT
    ids_per_sync: int = 500
    auth_scheme: str = "Token"
    companions: tuple[str, ...] = ("skymapper_dr4", "catwise2020")


ESA = Service(
    "esa",
    "ESA Gaia archive",
    "https://gea.esac.esa.int/tap-server/tap",
    "https://gea.esac.esa.int/data-server/data",
    # ESA's own examples write the schema without quotes.
    quoted_schemas=(),
)

SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        ESA,
        Service(
            "aip",
            "Gaia@AIP",
            "https://gaia.aip.de/tap",
            surveys=("tmass",),
            tables={"gaiadr1.tmass_original_valid": "catalogs.tmass"},
            columns={
                "catalogs.tmass.ks_m": "k_m",
                "catalogs.tmass.ks_msigcom": "k_msigcom",
            },
            # Its planner joins an uploaded table with one other at a time.
            joins_all=False,
        ),
        Service(
            "ari",
            "Gaia@ARI",
            "https://gaia.ari.uni-heidelberg.de/tap",
            surveys=(),
            uploads=False,
            ids_per_query=40,
            ids_per_xp_query=40,
            ids_per_sync=40,
        ),
        replace(
            ESA,
            name="local",
            title="local TAP server",
            tap_url="http://127.0.0.1:8080/tap",
            datalink_url=None,
            quoted_schemas=("external",),
            ids_per_query=20_000,
            companions=(),
        ),
    )
}
"""Services by name. Another one is ``dataclasses.replace`` of the nearest."""
