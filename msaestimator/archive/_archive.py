"""The door to the archive: source ids, a position or a query in, a table of stars out."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import astropy.units as u
import numpy as np
import pyarrow as pa
from astropy.config import get_cache_dir_path
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Table
from astropy.units import Quantity
from tqdm import tqdm

from msaestimator.archive._adql import cone_query
from msaestimator.archive._collect import Product, collect
from msaestimator.archive._companions import COMPANIONS, Companion
from msaestimator.archive._failures import RequestFailure
from msaestimator.archive._parallax import ParallaxCorrection, correct_parallax
from msaestimator.archive._quality import QUALITY_CUTS, QUALITY_RULES, apply_quality_cuts
from msaestimator.archive._received import days_received
from msaestimator.archive._releases import RELEASES, Release
from msaestimator.archive._rows import align
from msaestimator.archive._services import SERVICES, Service
from msaestimator.archive._session import ArchiveSession, ServiceToken, open_session
from msaestimator.archive._sources import Source, companion_product
from msaestimator.archive._stars import make_stars, merge_companions, spectra_table
from msaestimator.exceptions import ArchiveError, ArchiveWarning, ColumnError, did_you_mean
from msaestimator.schema import StarTable
from msaestimator.tables import check_source_ids, expand_home

__all__ = ["GaiaArchive"]

QUERY_LINE = "{desc} [{elapsed}{postfix}]"
"""Form of the line of progress of a query whose length nobody knows."""


class GaiaArchive:
    """Fetch stars with all features from a Gaia archive.

    Parameters
    ----------
    service : str or Service
        ``"esa"``, ``"aip"``, ``"ari"``, ``"local"``, or one of your own:
        ``dataclasses.replace(SERVICES["local"], tap_url=...)``.
    release : {"dr3", "dr4"}
        Data release. ``"dr4"`` is not verified: its names were written before the release.
    token : str, optional
        Credential sent to the service, and to no other, as ``Authorization``.
    cache : bool or path
        Folder that keeps answers: True is astropy's cache folder, False keeps nothing. Rows that
        are there are not asked for again, so an interrupted fetch goes on where it stopped.
    companions : sequence of str, optional
        Surveys to ask at their own services, ``"skymapper_dr4"`` and ``"catwise2020"``; None
        is what the service is known to need. Without them there are SkyMapper DR2, and the W1
        and W2 of Andrae et al. 2023 without errors, and a row's ``archive_flags`` say so.
    quality_cuts : str or sequence of str
        Names of `QUALITY_RULES`, or a set of them: ``"mckay2025"`` or ``"none"``.
    parallax_correction : {None, "lindegren2021", "leung2023"}
        Zero point to subtract from parallaxes, see `correct_parallax`; None leaves them as they
        are.
    chunk_size : int, optional
        Most ids a request; None is what the service takes.
    asynchronous : bool, optional
        Whether queries run as jobs; None lets their size decide.
    timeout : float
        Seconds without a byte from a server before a request fails.
    max_retries : int
        Retries of one request, with growing pauses.
    job_timeout : float
        Seconds to wait for one job.
    progress : bool
        Whether to show progress bars, on a terminal; retries show there with their reason.
    offline : bool
        Whether to use the cache alone. Nothing is sent then, and what the cache lacks is an
        error, or of a companion a warning.

    Notes
    -----
    A table of n_stars rows has the columns of `GAIA_DR3` but ``ebv``
    (:func:`msaestimator.dust.add_reddening` adds it), their errors (those of Gaia's magnitudes
    from ``flux_over_error`` and the zero point's own error), XP coefficients as arrays, the
    catalogue columns that rules and corrections need, and ``archive_flags``
    (`ArchiveFlag`). NaN or masked is missing. Every id asked has its row, in the order asked,
    duplicates too. ``meta`` has ``gaia_release``, ``gaia_service`` and ``gaia_date``: the day on
    which the answers came, or the first and the last, also of those that the cache has kept.

    Examples
    --------
    >>> from msaestimator.archive import GaiaArchive
    >>> archive = GaiaArchive()
    >>> archive
    GaiaArchive('esa', release='dr3')
    >>> archive.fetch_features([5937083312263887616.0])
    Traceback (most recent call last):
    ...
    msaestimator.exceptions.ColumnError: `source_ids` must be integers ...
    """

    def __init__(  # noqa: PLR0913
        self,
        service: str | Service = "esa",
        *,
        release: str = "dr3",
        token: str | None = None,
        cache: bool | str | Path = True,
        companions: Sequence[str] | None = None,
        quality_cuts: str | Sequence[str] = "mckay2025",
        parallax_correction: ParallaxCorrection | None = None,
        chunk_size: int | None = None,
        asynchronous: bool | None = None,
        timeout: float = 120.0,
        max_retries: int = 5,
        job_timeout: float = 3600.0,
        progress: bool = True,
        offline: bool = False,
    ) -> None:
        self.service = service
        self.release = release
        self.token = token
        self.cache = cache
        self.companions = companions
        self.quality_cuts = quality_cuts
        self.parallax_correction = parallax_correction
        self.chunk_size = chunk_size
        self.asynchronous = asynchronous
        self.timeout = timeout
        self.max_retries = max_retries
        self.job_timeout = job_timeout
        self.progress = progress
        self.offline = offline

    def __repr__(self) -> str:
        return f"GaiaArchive({self._service.name!r}, release={self.release!r})"

    def fetch_features(self, source_ids: Any) -> StarTable:
        """Return the stars of some source ids.

        Parameters
        ----------
        source_ids : int, str, array-like of shape (n_stars,), or table
            Gaia source ids, in any order; duplicates are allowed. They are integers or text, such
            as ``"Gaia DR3 5937083312263887616"``; of a table, the column ``source_id`` is taken.

        Returns
        -------
        StarTable of length n_stars
            One row an id, in order; see the notes of the class. An id the service does not
            have, a missing survey or a missing spectrum are NaN, and ``archive_flags`` say so.

        Raises
        ------
        ColumnError
            An id is a float, missing or otherwise no id; nothing was sent.
        ArchiveError
            The service failed. What was received is in the cache.
        """
        ids = check_source_ids(source_ids, release=self._release.name)
        self._check_settings()
        distinct, rows = np.unique(ids, return_inverse=True)
        with self._open() as session:
            source = self._source(session)
            features = self._collect(source.features, distinct)
            spectra = self._spectra(source, distinct, features)
            stars = make_stars(self._release, features, spectra)
            companions = self._ask_companions(session, stars)
            merge_companions(stars, companions)
        stars, flags = apply_quality_cuts(stars, self._rules())
        stars["archive_flags"] |= flags
        if self.parallax_correction is not None:
            stars = correct_parallax(stars, self.parallax_correction)
        stars.meta["gaia_release"] = self._release.title
        stars.meta["gaia_service"] = self._service.title
        received = days_received([features, spectra, *companions.values()])
        if received:
            stars.meta["gaia_date"] = received
        return stars[rows]

    def fetch_xp(self, source_ids: Any) -> StarTable:
        """Return the XP coefficients of some source ids.

        Parameters
        ----------
        source_ids : int, str, array-like of shape (n_stars,), or table
            Gaia source ids, as in `fetch_features`.

        Returns
        -------
        StarTable of length n_stars
            Columns ``source_id``, and of ``bp`` and ``rp`` each ``_coefficients`` and
            ``_coefficient_errors`` of shape (n_stars, 55) and ``_n_relevant_bases``. NaN and
            masked for a source, or a band, without a spectrum.

        Raises
        ------
        ColumnError, ArchiveError
            The same as in `fetch_features`.
        """
        ids = check_source_ids(source_ids, release=self._release.name)
        self._check_settings()
        distinct, rows = np.unique(ids, return_inverse=True)
        with self._open() as session:
            spectra = self._collect(self._source(session).xp, distinct)
        return spectra_table(self._release, spectra)[rows]

    def cone_search(self, center: SkyCoord, radius: Quantity | str) -> StarTable:
        """Return the stars around a position, the nearest first.

        Parameters
        ----------
        center : SkyCoord
            A position.
        radius : Quantity or str
            An angle, such as ``2 * u.arcmin`` or ``"2 arcmin"``.

        Returns
        -------
        StarTable
            The columns of `fetch_features`; no rows if there are no stars.
        """
        if not isinstance(center, SkyCoord) or not center.isscalar:
            raise ColumnError(f"`center` must be one SkyCoord, got {center!r}.")
        angle = _check_radius(radius)
        icrs = center.icrs
        found = self._select(
            cone_query(self._release, self._service, icrs.ra.deg, icrs.dec.deg, angle.deg)
        )
        positions = SkyCoord(found["ra"], found["dec"], unit="deg")
        nearest_first = np.argsort(positions.separation(icrs), kind="stable")
        return self.fetch_features(found["source_id"][nearest_first])

    def query(self, adql: str) -> StarTable:
        """Return the stars that a query of your own selects.

        Parameters
        ----------
        adql : str
            A query whose answer has the column ``source_id``, e.g. ``SELECT TOP 1000 source_id
            FROM gaiadr3.gaia_source WHERE parallax > 10``. An answer that the service cuts off at
            its row limit is an error.

        Returns
        -------
        StarTable
            The columns of `fetch_features`, in the order of the answer, then those columns of the
            answer that `fetch_features` does not give.
        """
        selected = self._select(adql)
        stars = self.fetch_features(selected["source_id"])
        for name in selected.colnames:
            if name not in stars.colnames:
                stars[name] = selected[name]
        return stars

    @property
    def _service(self) -> Service:
        if isinstance(self.service, Service):
            return self.service
        return _look_up("service", self.service, SERVICES)

    @property
    def _release(self) -> Release:
        return _look_up("release", self.release, RELEASES)

    def _chosen_companions(self) -> list[Companion]:
        names = self._service.companions if self.companions is None else self.companions
        chosen = [_look_up("companions", name, COMPANIONS) for name in names]
        return [one for one in chosen if self._release.name in one.releases]

    @property
    def _cache_folder(self) -> Path | None:
        if self.cache is True:
            return get_cache_dir_path("msaestimator") / "archive"
        return None if self.cache is False else expand_home(self.cache)

    def _rules(self) -> Sequence[str]:
        if isinstance(self.quality_cuts, str):
            return _look_up("quality_cuts", self.quality_cuts, QUALITY_CUTS)
        return [_look_up("quality_cuts", name, QUALITY_RULES).name for name in self.quality_cuts]

    def _check_settings(self) -> None:
        """Refuse settings before anything is sent; warn of a release nobody has verified."""
        self._rules()
        self._chosen_companions()
        if self.parallax_correction is not None:
            corrections = dict.fromkeys(get_args(ParallaxCorrection))
            _look_up("parallax_correction", self.parallax_correction, corrections)
        if self.chunk_size is not None and self.chunk_size < 1:
            raise ValueError(f"`chunk_size` must be at least 1, got {self.chunk_size}.")
        if self.offline and self.cache is False:
            raise ValueError("`offline` needs a `cache`, got offline=True with cache=False.")
        if not self._release.verified:
            warnings.warn(
                f"{self._release.title} is not verified: its names were written before the "
                "release, so a query may fail.",
                ArchiveWarning,
                stacklevel=3,
            )

    def _open(self) -> ArchiveSession:
        service = self._service
        auth = None
        if self.token is not None:
            urls = filter(None, (service.tap_url, service.datalink_url))
            auth = ServiceToken(f"{service.auth_scheme} {self.token}", urls)
        return open_session(self.timeout, self.max_retries, auth)

    def _source(self, session: ArchiveSession) -> Source:
        return Source(
            self._service,
            self._release,
            session,
            self.chunk_size,
            self.job_timeout,
            self.asynchronous,
        )

    def _collect(self, product: Product, ids: np.ndarray, title: str | None = None) -> pa.Table:
        title = title or self._service.title
        return collect(
            product,
            ids,
            title,
            self._cache_folder,
            progress=self.progress,
            offline=self.offline,
        )

    def _spectra(self, source: Source, ids: np.ndarray, features: pa.Table) -> pa.Table:
        """Return the spectra of the stars that have one; the others are not asked for."""
        has_xp = np.asarray(features["has_xp_continuous"].fill_null(False))
        if not self._service.serves_xp:
            has_xp[:] = False
        spectra = self._collect(source.xp, ids[has_xp])
        return align(spectra, ids)

    def _ask_companions(self, session: ArchiveSession, stars: StarTable) -> dict[str, pa.Table]:
        """Return a row a star of each companion that answered."""
        ids = np.asarray(stars["source_id"])
        located = np.isfinite(stars["ra"].value)
        positions = Table(
            {name: np.asarray(stars[name])[located] for name in ("source_id", "ra", "dec")}
        )
        answers = {}
        for companion in self._chosen_companions():
            product = companion_product(
                companion, session, positions, self.chunk_size, self.job_timeout
            )
            try:
                rows = self._collect(product, ids[located], companion.title)
            except ArchiveError as error:
                warnings.warn(
                    f"{error} The archive's own {companion.block} magnitudes stand in.",
                    ArchiveWarning,
                    stacklevel=3,
                )
            else:
                answers[companion.name] = align(rows, ids)
        return answers

    def _select(self, adql: str) -> Table:
        """Return the answer of a query that selects sources."""
        self._check_settings()
        title = f"{self._service.title}: your query"
        if self.offline:
            raise ArchiveError(
                f"{title}: the cache does not keep which ids a query or a cone selects, and "
                "offline=True asks no service. Pass the ids themselves to fetch_features."
            )
        line = tqdm(desc=title, bar_format=QUERY_LINE, disable=None if self.progress else True)
        with self._open() as session, session.waiting.shown_on(line):
            try:
                answer = self._source(session).run(adql)
            except RequestFailure as failure:
                raise ArchiveError(
                    f"{self._service.title}, your query: {failure}. Check the query, or try "
                    f"again later. It was: {adql}"
                ) from failure
        there = {name.lower(): name for name in answer.colnames}
        if "source_id" not in there:
            raise ColumnError(
                "The answer of a query must have the column 'source_id', got "
                f"{', '.join(answer.colnames)}. Select it, or write AS source_id."
            )
        # Some of ESA's answers have it in capitals.
        answer.rename_column(there["source_id"], "source_id")
        return answer


def _check_radius(radius: Any) -> Angle:
    """Check a cone's radius and return it as an angle."""
    try:
        angle = Angle(radius)
    except (u.UnitsError, TypeError, ValueError) as error:
        raise ColumnError(
            f"`radius` must be an angle with a unit, such as 2 * u.arcmin, got {radius!r}."
        ) from error
    if not angle.isscalar or not 0 < angle.deg <= 180:
        raise ColumnError(f"`radius` must be one angle in (0, 180] deg, got {radius!r}.")
    return angle


def _look_up(parameter: str, name: str, known: Mapping[str, Any]) -> Any:
    """Return the value of a name; an unknown name is an error that tells the nearest."""
    try:
        return known[name]
    except KeyError:
        raise ValueError(
            f"`{parameter}` must be one of {', '.join(known)}, got {name!r}."
            + did_you_mean(name, known)
        ) from None
