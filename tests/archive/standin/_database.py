"""The catalogue as SQLite databases in memory, one a schema, asked in (nearly) ADQL."""

import math
import re
import sqlite3
import struct
import threading

import numpy as np
from astropy.table import Column, MaskedColumn, Table

from standin._votable import Answer, null_rows

__all__ = ["Database"]

_KEYS = {"source_id", "original_ext_source_id", "gaia_dr3_id1"}
_AFFINITIES = {"b": "INTEGER", "i": "INTEGER", "u": "INTEGER", "f": "REAL"}
_TOP = re.compile(r"^\s*SELECT\s+(DISTINCT\s+)?TOP\s+(\d+)\s", re.IGNORECASE)


class Database:
    """Tables to query; several servers may share one, a query at a time.

    A column is declared as ``INTEGER_17``, where 17 is its place in a list of empty columns.
    SQLite hands the declaration through joins, aliases and subqueries, and so an answer has the
    types, shapes and units of the catalogue.

    Parameters
    ----------
    catalogue : dict of str to Table
        By ``"schema.table"``; a name without a dot has no schema.
    """

    def __init__(self, catalogue: dict[str, Table]) -> None:
        self.catalogue = catalogue
        self._lock = threading.Lock()
        self._prototypes: list[Column] = []
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        for name, function in _GEOMETRY.items():
            self._connection.create_function(name, -1, function, deterministic=True)
        schemas = {name.partition(".")[0] for name in catalogue if "." in name}
        for schema in sorted(schemas | {"TAP_UPLOAD"}):
            self._connection.execute(f"ATTACH ':memory:' AS \"{schema}\"")
        for name, table in catalogue.items():
            schema, _, table_name = name.rpartition(".")
            self._create(schema or "main", table_name, table)

    def query(self, adql: str, uploads: dict[str, Table], limit: int) -> Answer:
        """Return at most ``limit`` rows; ``sqlite3.Error`` says what is wrong with the query."""
        with self._lock:
            n_prototypes = len(self._prototypes)
            try:
                for name, table in uploads.items():
                    self._create("TAP_UPLOAD", name, table)
                return self._run(_sql(adql), limit)
            finally:
                self._connection.execute("DROP VIEW IF EXISTS temp.answer")
                for name in uploads:
                    self._connection.execute(f'DROP TABLE IF EXISTS TAP_UPLOAD."{name}"')
                del self._prototypes[n_prototypes:]

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def _create(self, schema: str, name: str, table: Table) -> None:
        declared = []
        for column in table.columns.values():
            affinity = "BLOB" if column.ndim > 1 else _AFFINITIES.get(column.dtype.kind, "TEXT")
            declared.append(f'"{column.name}" {affinity}_{len(self._prototypes)}')
            self._prototypes.append(column[:0])
        target = f'"{schema}"."{name}"'
        self._connection.execute(f"CREATE TABLE {target} ({', '.join(declared)})")
        marks = ", ".join("?" * len(declared))
        rows = zip(*(_sql_values(column) for column in table.columns.values()), strict=True)
        self._connection.executemany(f"INSERT INTO {target} VALUES ({marks})", rows)
        for key in {table.colnames[0]} | (_KEYS & set(table.colnames)):
            index = f'"{schema}"."{name}/{key}"'
            self._connection.execute(f'CREATE INDEX {index} ON "{name}" ("{key}")')

    def _run(self, sql: str, limit: int) -> Answer:
        self._connection.execute(f"CREATE TEMP VIEW answer AS {sql}")
        declared = self._connection.execute("PRAGMA temp.table_info(answer)").fetchall()
        rows = self._connection.execute(f"SELECT * FROM answer LIMIT {limit + 1}").fetchall()
        overflow = len(rows) > limit
        columns = list(zip(*rows[:limit], strict=True)) or [()] * len(declared)
        table = Table()
        for (_, name, declaration, *_), values in zip(declared, columns, strict=True):
            place = declaration.rpartition("_")[2]
            prototype = self._prototypes[int(place)] if place.isdigit() else None
            table[name] = _column(values, prototype)
        return Answer(table, overflow)


def _sql(adql: str) -> str:
    """Return SQLite's form of a query: ``LIMIT`` for ``TOP``, the rest as it is."""
    adql = adql.strip().rstrip(";")
    top = _TOP.match(adql)
    if top is None:
        return adql
    return f"SELECT {top[1] or ''}{adql[top.end() :]} LIMIT {top[2]}"


def _sql_values(column: Column) -> list:
    """Return a column as SQLite takes it; masked is None, an array its bytes."""
    if column.ndim == 1:
        return column.tolist()
    pairs = zip(np.ma.getdata(column), null_rows(column), strict=True)
    return [None if null else values.tobytes() for values, null in pairs]


def _column(values: tuple, prototype: Column | None) -> MaskedColumn:
    """Return SQLite's values as a column like the prototype, or of the type they look like."""
    null = np.array([value is None for value in values], dtype=bool)
    known = [value for value in values if value is not None]
    if prototype is None:
        prototype = Column(np.array(known) if known else np.zeros(0))
    dtype, shape = prototype.dtype, prototype.shape[1:]
    if dtype.kind in "UO":
        known = [value.encode() for value in known]
        dtype = np.dtype(f"S{max(map(len, known), default=1)}")
    filled = np.zeros((len(values), *shape), dtype=dtype)
    if dtype.kind == "f":
        filled[null] = np.nan
    if shape:
        filled[~null] = np.frombuffer(b"".join(known), dtype).reshape(-1, *shape)
    else:
        filled[~null] = known
    mask = np.broadcast_to(null.reshape(-1, *(1 for _ in shape)), filled.shape)
    return MaskedColumn(filled, mask=mask, unit=prototype.unit)


def _point(*arguments: float | str) -> bytes | None:
    """POINT([system,] ra, dec), in degrees."""
    position = arguments[-2:]
    return None if None in position else struct.pack("2d", *position)


def _circle(*arguments: float | str | bytes) -> bytes:
    """CIRCLE([system,] ra, dec, radius) or CIRCLE(point, radius), in degrees."""
    if isinstance(arguments[0], bytes):
        return arguments[0] + struct.pack("d", arguments[1])
    return struct.pack("3d", *arguments[-3:])


def _contains(point: bytes | None, circle: bytes) -> int | None:
    """CONTAINS(point, circle): 1 inside."""
    if point is None:
        return None
    *centre, radius = struct.unpack("3d", circle)
    return int(_distance(*struct.unpack("2d", point), *centre) <= radius)


def _distance(*arguments: float | bytes) -> float | None:
    """DISTANCE(point, point) or DISTANCE(ra, dec, ra, dec), in degrees, by haversines."""
    if None in arguments:
        return None
    if isinstance(arguments[0], bytes):
        arguments = struct.unpack("4d", arguments[0] + arguments[1])
    ra_1, dec_1, ra_2, dec_2 = map(math.radians, arguments)
    haversine = math.sin((dec_2 - dec_1) / 2) ** 2
    haversine += math.cos(dec_1) * math.cos(dec_2) * math.sin((ra_2 - ra_1) / 2) ** 2
    return math.degrees(2 * math.asin(min(1.0, math.sqrt(haversine))))


_GEOMETRY = {"POINT": _point, "CIRCLE": _circle, "CONTAINS": _contains, "DISTANCE": _distance}
