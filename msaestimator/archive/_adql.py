"""ADQL as pure functions: release and service in, query text out.

Every query answers with ``source_id`` first and columns under their names here. The ids asked
for stand in an uploaded table ``TAP_UPLOAD.ids`` or, for services without uploads, in a list.
Joins are written ``LEFT OUTER JOIN … ON`` without parentheses, which every parser met so far
takes.
"""

from collections.abc import Iterable

import numpy as np

from msaestimator.archive._columns import ArchiveColumn
from msaestimator.archive._companions import MATCH_DISTANCE, Companion
from msaestimator.archive._releases import Release, Survey
from msaestimator.archive._services import Service

__all__ = [
    "companion_query",
    "cone_query",
    "features_query",
    "source_query",
    "survey_query",
    "surveys_of",
    "xp_query",
]

RESERVED = frozenset({"type", "external"})
"""Column and schema names met here that are, or that some parsers take for, reserved words."""


def surveys_of(release: Release, service: Service) -> tuple[Survey, ...]:
    """Return the surveys that a service serves."""
    return tuple(
        survey
        for survey in release.surveys
        if service.surveys is None or survey.block in service.surveys
    )


def features_query(release: Release, service: Service, ids: Iterable[int] | None = None) -> str:
    """Return the query of every catalogue column at once.

    Parameters
    ----------
    release : Release
    service : Service
    ids : iterable of int, optional
        Source ids to list in the query; None joins the uploaded table.
    """
    surveys = surveys_of(release, service)
    selected = [_select("g", release.source, release.source_table, service)]
    joins = []
    for survey in surveys:
        match = f"{survey.alias}x"
        selected.append(_survey_columns(survey, match, service))
        if survey.match is None:
            key, value = survey.key, "g.source_id"
        else:
            joins.append(
                f"LEFT OUTER JOIN {_table(survey.match, service)} AS {match} "
                f"ON {match}.source_id = g.source_id"
            )
            key, value = survey.key, f"{match}.original_ext_source_id"
        joins.append(
            f"LEFT OUTER JOIN {_table(survey.table, service)} AS {survey.alias} "
            f"ON {survey.alias}.{key} = {value}"
        )
    return _assemble(selected, *_source_of(release.source_table, "g", service, ids, joins))


def source_query(release: Release, service: Service, ids: Iterable[int] | None = None) -> str:
    """Return the query of the columns of Gaia's own source table."""
    selected = [_select("g", release.source, release.source_table, service)]
    return _assemble(selected, *_source_of(release.source_table, "g", service, ids))


def xp_query(release: Release, service: Service, ids: Iterable[int] | None = None) -> str:
    """Return the query of XP coefficients."""
    selected = [_select("g", release.xp, release.xp_table, service)]
    return _assemble(selected, *_source_of(release.xp_table, "g", service, ids))


def survey_query(survey: Survey, service: Service, ids: Iterable[int] | None = None) -> str:
    """Return the query of one survey's columns; sources without a match are not in the answer.

    Upload and match table are joined in a subquery first: some planners never finish when all
    three tables stand in one list.
    """
    alias = survey.alias
    if survey.match is None:
        selected = [_select(alias, survey.columns, survey.table, service)]
        return _assemble(selected, *_source_of(survey.table, alias, service, ids, key=survey.key))
    of_match = "".join(f", x.{c.source}" for c in survey.columns if c.of_match)
    first, start, where = _source_of(survey.match, "x", service, ids)
    matched = f"SELECT {first}.source_id, x.original_ext_source_id{of_match} {start}{where}"
    return (
        f"SELECT m.source_id, {_survey_columns(survey, 'm', service)} "
        f"FROM ({matched}) AS m "
        f"INNER JOIN {_table(survey.table, service)} AS {alias} "
        f"ON {alias}.{survey.key} = m.original_ext_source_id"
    )


def cone_query(release: Release, service: Service, ra: float, dec: float, radius: float) -> str:
    """Return the query of the source ids within ``radius`` of a position, all in degrees."""
    a, d, r = (np.format_float_positional(value, trim="0") for value in (ra, dec, radius))
    return (
        f"SELECT g.source_id, g.ra, g.dec FROM {_table(release.source_table, service)} AS g "
        f"WHERE 1 = CONTAINS(POINT('ICRS', g.ra, g.dec), CIRCLE('ICRS', {a}, {d}, {r}))"
    )


def companion_query(companion: Companion, ids: Iterable[int] = ()) -> str:
    """Return the query of a companion's columns, by listed ids or uploaded positions."""
    columns = ", ".join(
        f"c.{column.source}"
        if column.source == column.name
        else f"c.{column.source} AS {column.name}"
        for column in companion.columns
    )
    if companion.key is not None:
        listed = ", ".join(str(int(one)) for one in ids)
        return (
            f"SELECT c.{companion.key} AS source_id, {columns} FROM {companion.table} AS c "
            f"WHERE c.{companion.key} IN ({listed})"
        )
    ra, dec = companion.position
    there, here = f"POINT('ICRS', c.{ra}, c.{dec})", "POINT('ICRS', u.ra, u.dec)"
    radius = np.format_float_positional(companion.radius, precision=7, trim="0")
    return (
        f"SELECT u.source_id, {columns}, DISTANCE({here}, {there}) AS {MATCH_DISTANCE.name} "
        f"FROM TAP_UPLOAD.ids AS u INNER JOIN {companion.table} AS c "
        f"ON 1 = CONTAINS({there}, CIRCLE('ICRS', u.ra, u.dec, {radius}))"
    )


def _assemble(selected: list[str], first: str, start: str, where: str) -> str:
    columns = ", ".join(part for part in selected if part)
    return f"SELECT {first}.source_id, {columns} {start}{where}"


def _source_of(
    table: str,
    alias: str,
    service: Service,
    ids: Iterable[int] | None,
    joins: Iterable[str] = (),
    key: str = "source_id",
) -> tuple[str, str, str]:
    """Return the alias that holds the ids, the FROM clause, and the WHERE clause."""
    rest = "".join(f" {join}" for join in joins)
    if ids is None:
        start = (
            f"FROM TAP_UPLOAD.ids AS u "
            f"INNER JOIN {_table(table, service)} AS {alias} ON {alias}.{key} = u.source_id"
        )
        return "u", start + rest, ""
    listed = ", ".join(str(int(one)) for one in ids)
    start = f"FROM {_table(table, service)} AS {alias}"
    return alias, start + rest, f" WHERE {alias}.{key} IN ({listed})"


def _survey_columns(survey: Survey, match: str, service: Service) -> str:
    """Return a survey's columns, those of the match table under its alias."""
    return ", ".join(
        _select(match if column.of_match else survey.alias, [column], survey.table, service)
        for column in survey.columns
    )


def _select(alias: str, columns: Iterable[ArchiveColumn], table: str, service: Service) -> str:
    here = service.tables.get(table, table)
    written = []
    for column in columns:
        source = service.columns.get(f"{here}.{column.source}", column.source)
        name = f'{alias}."{source}"' if source in RESERVED else f"{alias}.{source}"
        written.append(name if source == column.name else f"{name} AS {column.name}")
    return ", ".join(written)


def _table(name: str, service: Service) -> str:
    """Return a table's name as the service wants it written."""
    schema, _, table = service.tables.get(name, name).partition(".")
    return f'"{schema}".{table}' if schema in service.quoted_schemas else f"{schema}.{table}"
