"""What can go wrong with an archive, one small class each, for ``StandIn.inject``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table, vstack

from standin._votable import Answer

if TYPE_CHECKING:
    from standin._handler import Handler

__all__ = [
    "ColumnMissing",
    "ColumnRenamed",
    "DieMidBody",
    "Duplicated",
    "EmptyResult",
    "Fault",
    "FewerRows",
    "ForeignIds",
    "Hang",
    "HtmlPage",
    "JobError",
    "JobNeverEnds",
    "NullIds",
    "Overflow",
    "Refuse",
    "Shuffled",
    "Status",
    "Truncated",
]

_HTML = b"<!DOCTYPE html><html><body><h1>The archive is under maintenance</h1></body></html>"


class Fault:
    """No fault: each kind overrides one of the hooks."""

    def take_over(self, handler: Handler) -> bool:
        """Answer in the archive's place, before it does anything; True if so."""
        return False

    def alter(self, answer: Answer) -> Answer:
        """Change the rows of an answer."""
        return answer

    def cut(self, body: bytes) -> bytes:
        """Change the body of an answer, whose length is told truly."""
        return body

    def n_sent(self, body: bytes) -> int:
        """Return the number of bytes after which the connection is lost."""
        return len(body)


class Refuse(Fault):
    """The connection is closed without an answer."""

    def take_over(self, handler: Handler) -> bool:
        handler.hang_up()
        return True


@dataclass
class Hang(Fault):
    """Nothing comes for so many seconds, then the connection is closed."""

    seconds: float

    def take_over(self, handler: Handler) -> bool:
        handler.standin.pause(self.seconds)
        handler.hang_up()
        return True


@dataclass
class Status(Fault):
    """An HTTP status with a short text."""

    code: int
    retry_after: int | None = None

    def take_over(self, handler: Handler) -> bool:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        handler.reply(
            b"Pool empty. Unable to fetch a connection", self.code, "text/plain", headers
        )
        return True


class HtmlPage(Fault):
    """A page for people, with status 200."""

    def take_over(self, handler: Handler) -> bool:
        handler.reply(_HTML, content_type="text/html")
        return True


class DieMidBody(Fault):
    """The connection is lost after half the body."""

    def n_sent(self, body: bytes) -> int:
        return len(body) // 2


class Truncated(Fault):
    """The first half of the document, sent as if it were all."""

    def cut(self, body: bytes) -> bytes:
        return body[: len(body) // 2]


class EmptyResult(Fault):
    """A table without rows."""

    def alter(self, answer: Answer) -> Answer:
        return replace(answer, table=answer.table[:0])


class Overflow(Fault):
    """Half the rows, and the status OVERFLOW."""

    def alter(self, answer: Answer) -> Answer:
        return Answer(answer.table[: len(answer.table) // 2], overflow=True)


@dataclass
class FewerRows(Fault):
    """The last ``k`` rows are absent, and nothing says so."""

    k: int

    def alter(self, answer: Answer) -> Answer:
        return replace(answer, table=answer.table[: max(0, len(answer.table) - self.k)])


class Shuffled(Fault):
    """All rows in another order."""

    def alter(self, answer: Answer) -> Answer:
        order = np.random.default_rng(0).permutation(len(answer.table))
        return replace(answer, table=answer.table[order])


class Duplicated(Fault):
    """Every row twice."""

    def alter(self, answer: Answer) -> Answer:
        twice = np.repeat(np.arange(len(answer.table)), 2)
        return replace(answer, table=answer.table[twice])


@dataclass
class ColumnMissing(Fault):
    """A column of the answer is absent."""

    name: str

    def alter(self, answer: Answer) -> Answer:
        table = answer.table.copy()
        table.remove_column(self.name)
        return replace(answer, table=table)


@dataclass
class ColumnRenamed(Fault):
    """A column of the answer has another name."""

    old: str
    new: str

    def alter(self, answer: Answer) -> Answer:
        table = answer.table.copy()
        table.rename_column(self.old, self.new)
        return replace(answer, table=table)


@dataclass
class NullIds(Fault):
    """The first ``k`` rows have no ``source_id``."""

    k: int = 1

    def alter(self, answer: Answer) -> Answer:
        table = Table(answer.table, masked=True, copy=True)
        table["source_id"].mask[: self.k] = True
        return replace(answer, table=table)


@dataclass
class ForeignIds(Fault):
    """``k`` rows of sources that nobody asked for are added."""

    k: int = 1

    def alter(self, answer: Answer) -> Answer:
        foreign = answer.table[: self.k].copy()
        foreign["source_id"] = np.arange(len(foreign)) + 1
        return replace(answer, table=vstack([answer.table, foreign]))


@dataclass
class JobError(Fault):
    """A job ends in phase ERROR."""

    message: str


class JobNeverEnds(Fault):
    """A job stays in phase EXECUTING until it is aborted or deleted."""
