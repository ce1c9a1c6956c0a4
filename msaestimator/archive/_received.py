"""The days on which rows came from a service, noted in the rows' own metadata."""

from collections.abc import Iterable
from datetime import date

import pyarrow as pa

__all__ = ["days_received", "note_received"]

KEY = b"received"
"""Name of the note."""


def note_received(rows: pa.Table, days: Iterable[date]) -> pa.Table:
    """Return rows with a note of the days on which they came."""
    noted = " ".join(sorted(day.isoformat() for day in days))
    return rows.replace_schema_metadata({KEY: noted.encode()})


def days_received(tables: Iterable[pa.Table]) -> str:
    """Return the day on which tables came, or the first and the last; "" where none came."""
    notes = [(table.schema.metadata or {}).get(KEY, b"").decode() for table in tables]
    days = sorted(set(" ".join(notes).split()))
    return " to ".join(dict.fromkeys([days[0], days[-1]])) if days else ""
