"""The products of a service: catalogues, spectra, a survey's own newer data."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from astropy.table import Table

from msaestimator.archive._adql import (
    companion_query,
    features_query,
    source_query,
    survey_query,
    surveys_of,
    xp_query,
)
from msaestimator.archive._collect import Product
from msaestimator.archive._columns import ArchiveColumn
from msaestimator.archive._companions import MATCH_DISTANCE, Companion
from msaestimator.archive._datalink import DataLink
from msaestimator.archive._failures import Failed, Refused, RequestFailure
from msaestimator.archive._releases import Release, Survey
from msaestimator.archive._rows import align, arrow_rows, arrow_schema
from msaestimator.archive._services import Service
from msaestimator.archive._session import ArchiveSession
from msaestimator.archive._tap import run_query
from msaestimator.exceptions import ArchiveWarning

__all__ = ["Source", "companion_product"]

SPARE_ROWS, FEWEST_ROWS = 2, 100
"""Rows to allow for each id, and in all: match tables may give a source more than one."""

MOST_ROWS = 10_000_000
"""Rows to allow a query of the user's own; services have lower limits, and lower defaults."""

Query = Callable[[Iterable[int] | None], str]


@dataclass
class Source:
    """One release at one service, reached through one session.

    Parameters
    ----------
    service : Service
    release : Release
    session : ArchiveSession
    chunk_size : int, optional
        Most ids a request; None is what the service takes.
    job_timeout : float
        Seconds to wait for one job.
    asynchronous : bool, optional
        Whether queries run as jobs; None lets their size decide.
    """

    service: Service
    release: Release
    session: ArchiveSession
    chunk_size: int | None = None
    job_timeout: float = 3600.0
    asynchronous: bool | None = None
    _joins_all: bool = field(init=False)

    def __post_init__(self) -> None:
        self._joins_all = self.service.joins_all

    @property
    def features(self) -> Product:
        """The catalogues: Gaia's source table and the surveys."""
        release, service = self.release, self.service
        surveys = surveys_of(release, service)
        columns = release.source + tuple(c for survey in surveys for c in survey.columns)
        return self._product(
            "features",
            columns,
            features_query(release, service),
            service.ids_per_query,
            lambda ids: self._features(ids, columns),
        )

    @property
    def xp(self) -> Product:
        """XP coefficients, from DataLink if the service has it."""
        release, service = self.release, self.service
        if service.datalink_url is None:
            content = xp_query(release, service)

            def ask(ids: np.ndarray) -> pa.Table:
                return self._query(
                    lambda listed: xp_query(release, service, listed), ids, release.xp
                )
        else:
            content = f"{service.datalink_url} {release.title}"
            client = DataLink(self.session, service.datalink_url, release.title, release.xp)
            ask = client.fetch
        return self._product(
            "XP spectra",
            release.xp,
            content,
            service.ids_per_xp_query,
            ask,
            absence_is_final=False,
        )

    def run(self, query: str) -> Table:
        """Return the answer of a query of the user's own, run as a job."""
        return run_query(
            self.session,
            self.service.tap_url,
            query,
            max_rows=MOST_ROWS,
            mode="sync" if self.asynchronous is False else "async",
            job_timeout=self.job_timeout,
        )

    def _product(
        self,
        title: str,
        columns: tuple[ArchiveColumn, ...],
        content: str,
        limit: int,
        ask: Callable[[np.ndarray], pa.Table],
        *,
        absence_is_final: bool = True,
    ) -> Product:
        return Product(
            title,
            f"{self.service.name}/{self.release.name}",
            columns,
            f"{self.service.tap_url}\n{content}",
            min(limit, self.chunk_size or limit),
            ask,
            self.session.waiting,
            absence_is_final=absence_is_final,
        )

    def _features(self, ids: np.ndarray, columns: Sequence[ArchiveColumn]) -> pa.Table:
        """Return catalogue rows from one query, or from one query a survey if that fails."""
        release, service = self.release, self.service
        if not self._joins_all:
            return self._survey_by_survey(ids)
        try:
            rows = self._query(
                lambda listed: features_query(release, service, listed), ids, columns
            )
        except (Failed, Refused) as failure:
            rows = self._survey_by_survey(ids)
            self._join_no_more(failure)
            return rows
        return self._one_row_each(rows, dict.fromkeys(surveys_of(release, service), rows))

    def _join_no_more(self, failure: RequestFailure) -> None:
        """Remember that this service cannot join all surveys, and say so."""
        self._joins_all = False
        warnings.warn(
            f"{self.service.title} did not answer the query that joins all surveys: {failure}. "
            "From here on each survey has its own query, which takes longer and gives the same.",
            ArchiveWarning,
            stacklevel=2,
        )

    def _survey_by_survey(self, ids: np.ndarray) -> pa.Table:
        """Return catalogue rows from one query a survey."""
        release, service = self.release, self.service
        rows = self._query(
            lambda listed: source_query(release, service, listed), ids, release.source
        )
        known = np.unique(rows["source_id"].to_numpy())
        answers = {survey: self._survey(survey, known) for survey in surveys_of(release, service)}
        return self._one_row_each(rows, answers)

    def _survey(self, survey: Survey, ids: np.ndarray) -> pa.Table:
        """Return one survey's rows."""
        return self._query(
            lambda listed: survey_query(survey, self.service, listed), ids, survey.columns
        )

    def _one_row_each(self, rows: pa.Table, answers: Mapping[Survey, pa.Table]) -> pa.Table:
        """Return Gaia's columns and each survey's, of its nearest match, one row a source."""
        known = np.unique(rows["source_id"].to_numpy())
        joined = align(rows.select(arrow_schema(self.release.source).names), known)
        for survey, answer in answers.items():
            schema = arrow_schema(survey.columns)
            matched = align(answer.select(schema.names), known, survey.distance)
            for column in survey.columns:
                joined = joined.append_column(schema.field(column.name), matched[column.name])
        return joined

    def _query(self, query: Query, ids: np.ndarray, columns: Sequence[ArchiveColumn]) -> pa.Table:
        """Return the answer of a query about some ids, uploaded or listed as the service wants."""
        if not len(ids):
            # Not every service takes an empty upload, and none an empty list.
            return arrow_schema(columns).empty_table()
        upload = Table({"source_id": ids}) if self.service.uploads else None
        small = len(ids) <= self.service.ids_per_sync
        asynchronous = not small if self.asynchronous is None else self.asynchronous
        answer = run_query(
            self.session,
            self.service.tap_url,
            query(None if self.service.uploads else ids.tolist()),
            upload=upload,
            max_rows=max(SPARE_ROWS * len(ids), FEWEST_ROWS),
            mode="async" if asynchronous else "sync",
            job_timeout=self.job_timeout,
        )
        return arrow_rows(answer, columns)


def companion_product(
    companion: Companion,
    session: ArchiveSession,
    positions: Table,
    chunk_size: int | None,
    job_timeout: float,
) -> Product:
    """Return the product of a companion for sources at known positions.

    Parameters
    ----------
    companion : Companion
    session : ArchiveSession
    positions : Table
        Sources: columns ``source_id``, increasing, ``ra`` and ``dec`` in degrees.
    chunk_size : int, optional
        Most ids in one query; None is what the service takes.
    job_timeout : float
        Seconds to wait for one job.
    """
    by_position = companion.key is None
    columns = companion.columns
    if by_position:
        columns += (MATCH_DISTANCE,)

    def ask(ids: np.ndarray) -> pa.Table:
        rows = np.searchsorted(positions["source_id"], ids)
        answer = run_query(
            session,
            companion.tap_url,
            companion_query(companion, ids.tolist()),
            upload=positions[rows] if by_position else None,
            mode="async" if by_position else "sync",
            job_timeout=job_timeout,
        )
        return arrow_rows(answer, columns)

    return Product(
        companion.title,
        f"companions/{companion.name}",
        columns,
        f"{companion.tap_url}\n{companion_query(companion)}",
        min(companion.chunk_size, chunk_size or companion.chunk_size),
        ask,
        session.waiting,
        nearest_by=MATCH_DISTANCE.name if by_position else None,
    )
