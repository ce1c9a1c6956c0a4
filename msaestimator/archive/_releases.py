"""The data releases as data: which table holds which column, and how surveys are joined."""

from dataclasses import dataclass

from msaestimator.archive._columns import ArchiveColumn, coefficient_columns, columns_of
from msaestimator.schema import GAIA_DR3, GAIA_DR4, FeatureSchema

__all__ = ["RELEASES", "Release", "Survey"]


@dataclass(frozen=True)
class Survey:
    """One survey's photometry in the archive.

    Parameters
    ----------
    block : str
        The schema's name of the survey, e.g. ``"ps1"``.
    alias : str
        Short name of its table in a query.
    table : str
        The survey's table, as ESA's archive names it.
    key : str
        Column that the match table's ``original_ext_source_id`` points to; without a match table,
        its column of Gaia source ids.
    columns : tuple of ArchiveColumn
    match : str, optional
        The table of best neighbours, precomputed by the Gaia consortium.
    distance : str, optional
        Name of the column of the angle to the match: a source can have two matches, and the
        nearest counts.
    """

    block: str
    alias: str
    table: str
    key: str
    columns: tuple[ArchiveColumn, ...]
    match: str | None = None
    distance: str | None = None


@dataclass(frozen=True)
class Release:
    """A Gaia data release.

    Parameters
    ----------
    name : str
        Short name, such as ``"dr3"``.
    title : str
        Name that DataLink has for the release.
    schema : FeatureSchema
        Features that the release gives.
    source_table, xp_table : str
        Tables of sources and of XP coefficients.
    source : tuple of ArchiveColumn
        Columns of ``source_table``, the identifier left out.
    xp : tuple of ArchiveColumn
        Columns of the coefficients, the identifier left out.
    surveys : tuple of Survey
    verified : bool
        Whether its names have been checked against the archive's documentation.
    """

    name: str
    title: str
    schema: FeatureSchema
    source_table: str
    xp_table: str
    source: tuple[ArchiveColumn, ...]
    xp: tuple[ArchiveColumn, ...]
    surveys: tuple[Survey, ...]
    verified: bool = True

    @property
    def features(self) -> tuple[ArchiveColumn, ...]:
        """Every column of the catalogues, those of the surveys after those of Gaia."""
        return self.source + tuple(c for survey in self.surveys for c in survey.columns)


def _magnitudes(bands: str, name: str, error: str) -> tuple[ArchiveColumn, ...]:
    """Return magnitude and error of each band; ``{}`` stands for the band."""
    return columns_of(" ".join(f"{name} {error}".format(b, b) for b in bands.split()), "mag")


def _distance(name: str) -> ArchiveColumn:
    """Return the angle between a source and its match, a column of the match table."""
    return ArchiveColumn(name, "angular_distance", unit="arcsec", of_match=True)


SOURCE = (
    *columns_of("ra dec l b ecl_lat", "deg"),
    *columns_of("parallax parallax_error", "mas"),
    *columns_of("pmra pmra_error pmdec pmdec_error", "mas / yr"),
    *columns_of("ruwe"),
    *columns_of("astrometric_params_solved", kind="integer"),
    *columns_of("nu_eff_used_in_astrometry pseudocolour", "1 / um"),
    *columns_of("phot_g_mean_mag phot_bp_mean_mag phot_rp_mean_mag", "mag"),
    *columns_of(
        "phot_g_mean_flux_over_error phot_bp_mean_flux_over_error "
        "phot_rp_mean_flux_over_error phot_bp_rp_excess_factor"
    ),
    *columns_of("has_xp_continuous in_qso_candidates in_galaxy_candidates", kind="boolean"),
)


def _surveys(release: str) -> tuple[Survey, ...]:
    """Return the surveys as a release's match tables join them (thesis section 2.2)."""
    return (
        Survey(
            "tmass",
            "tm",
            "gaiadr1.tmass_original_valid",
            "designation",
            (
                *_magnitudes("j h ks", "{}_m", "{}_msigcom"),
                *columns_of("tmass_ph_qual=ph_qual", kind="string"),
                *columns_of("tmass_ext_key=ext_key", kind="integer"),
                _distance("tmass_distance"),
            ),
            f"{release}.tmass_psc_xsc_best_neighbour",
            "tmass_distance",
        ),
        Survey(
            "ps1",
            "ps",
            "gaiadr2.panstarrs1_original_valid",
            "obj_id",
            (
                *_magnitudes("g r i z y", "{}_mean_psf_mag", "{}_mean_psf_mag_error"),
                *columns_of(
                    "ps1_obj_info_flag=obj_info_flag ps1_quality_flag=quality_flag",
                    kind="integer",
                ),
                _distance("ps1_distance"),
            ),
            f"{release}.panstarrs1_best_neighbour",
            "ps1_distance",
        ),
        Survey(
            "sdss",
            "sd",
            "external.sdssdr13_photoprimary",
            "objid",
            (
                *_magnitudes("u g r i z", "psfmag_{}", "psfmagerr_{}"),
                *columns_of(
                    " ".join(f"sdss_flags_{band}=flags_{band}" for band in "ugriz"),
                    kind="integer",
                ),
                *columns_of("sdss_type=type", kind="integer"),
                _distance("sdss_distance"),
            ),
            f"{release}.sdssdr13_best_neighbour",
            "sdss_distance",
        ),
        Survey(
            "skymapper",
            "sm",
            "external.skymapperdr2_master",
            "object_id",
            (
                *_magnitudes("u v g r i z", "{}_psf", "e_{}_psf"),
                *columns_of("smss_flags=flags smss_nimaflags=nimaflags", kind="integer"),
                *columns_of("smss_class_star=class_star"),
                _distance("smss_distance"),
            ),
            f"{release}.skymapperdr2_best_neighbour",
            "smss_distance",
        ),
        Survey(
            "wise",
            "xg",
            "external.xgboost_table1",
            "source_id",
            columns_of("catwise_w1 catwise_w2", "mag"),
        ),
    )


def _gaia(name: str, title: str, schema: FeatureSchema, *, verified: bool) -> Release:
    sizes = [array.size for array in schema.arrays]
    return Release(
        name,
        title,
        schema,
        f"gaia{name}.gaia_source",
        f"gaia{name}.xp_continuous_mean_spectrum",
        SOURCE,
        coefficient_columns(*sizes),
        _surveys(f"gaia{name}"),
        verified,
    )


RELEASES: dict[str, Release] = {
    "dr3": _gaia("dr3", "Gaia DR3", GAIA_DR3, verified=True),
    # Written before the release: table names as in DR3, 51 coefficients in BP.
    "dr4": _gaia("dr4", "Gaia DR4", GAIA_DR4, verified=False),
}
"""Releases that an archive can be asked for, by name."""
