"""Columns by name, whatever container holds them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msaestimator.tables._raw_column import RawColumn, raw_column

__all__ = ["NamedColumns"]


class NamedColumns:
    """The columns of a container of stars, each read when it is asked for.

    Parameters
    ----------
    container : object
        Container that holds the columns.
    names : sequence of str
        Names of the columns, in order.
    n_stars : int
        Number of rows.
    read : callable
        Function from the number of a column to the column as the container gives it.
    settled : bool
        Whether the names are those to go by, however else the container has them.

    Attributes
    ----------
    container, names, settled
        The parameters.
    """

    def __init__(
        self,
        container: Any,
        names: Sequence[str],
        n_stars: int,
        read: Callable[[int], Any],
        *,
        settled: bool = False,
    ) -> None:
        self.container = container
        self.names = tuple(names)
        self.settled = settled
        self._n_stars = n_stars
        self._read = read
        self._numbers = {name: number for number, name in reversed([*enumerate(self.names)])}

    @property
    def meta(self) -> Mapping[str, Any]:
        """Notes of the container about itself, if it is a table with any."""
        return getattr(self.container, "meta", None) or {}

    def __len__(self) -> int:
        return self._n_stars

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def __getitem__(self, name: str) -> Any:
        """Return a column as the container gives it."""
        return self._read(self._numbers[name])

    def raw(self, name: str) -> RawColumn:
        """Return a column's values, where they are missing, and the unit it states."""
        return raw_column(self[name])

    def renamed(self, new_names: Mapping[str, str]) -> "NamedColumns":
        """Return the same columns, some of them by new names, which are settled then."""
        names = [new_names.get(name, name) for name in self.names]
        return NamedColumns(self.container, names, self._n_stars, self._read, settled=True)
