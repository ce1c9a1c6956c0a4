"""The one owner of feature names, units, order and blocks."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.schema._columns import CoefficientArray, Column

__all__ = ["FeatureSchema"]


@dataclass(frozen=True)
class FeatureSchema:
    """An ordered set of input columns, addressed by name and never by position.

    Parameters
    ----------
    release : str
        Data release that the columns come from, e.g. ``"gaia_dr3"``.
    members : tuple of Column or CoefficientArray
        The columns in order; an array stands for all its coefficients.

    Examples
    --------
    >>> from msaestimator.schema import GAIA_DR3, Column
    >>> len(GAIA_DR3), len(GAIA_DR3.block("xp"))
    (138, 110)
    >>> wider = GAIA_DR3.with_columns(Column("cfis_u", unit="mag", block="cfis"))
    >>> wider["cfis_u"].unit, len(wider)
    ('mag', 139)
    """

    release: str
    members: tuple[Column | CoefficientArray, ...]

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ColumnError(f"A schema's columns must have distinct names, got {twice} twice.")

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every scalar column, in order."""
        expanded: list[Column] = []
        for member in self.members:
            expanded += member.columns if isinstance(member, CoefficientArray) else [member]
        return tuple(expanded)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def arrays(self) -> tuple[CoefficientArray, ...]:
        """The array columns (the XP coefficients)."""
        return tuple(m for m in self.members if isinstance(m, CoefficientArray))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scalar columns, in order."""
        return tuple(self._by_name)

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks, in order of first appearance."""
        return tuple(dict.fromkeys(column.block for column in self.columns))

    def block(self, name: str) -> tuple[str, ...]:
        """Return the column names of one block, in order."""
        if name not in self.blocks:
            raise ColumnError(
                f"The schema has no block {name!r}; it has {', '.join(self.blocks)}."
                + did_you_mean(name, self.blocks)
            )
        return tuple(column.name for column in self.columns if column.block == name)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Column:
        try:
            return self._by_name[name]
        except KeyError:
            raise ColumnError(
                f"The schema {self.release!r} has no column {name!r}."
                + did_you_mean(name, self.names)
            ) from None

    def with_columns(self, *columns: Column) -> "FeatureSchema":
        """Return a schema with further columns after the present ones."""
        return FeatureSchema(self.release, self.members + columns)

    def without_blocks(self, *blocks: str) -> "FeatureSchema":
        """Return a schema without the named blocks."""
        for block in blocks:
            self.block(block)
        return FeatureSchema(self.release, tuple(m for m in self.members if m.block not in blocks))

    def observed_only(self, names: Iterable[str]) -> "FeatureSchema":
        """Return a schema of the members found in ``names``, in this schema's order."""
        present = set(names)
        return FeatureSchema(
            self.release,
            tuple(
                member
                for member in self.members
                if member.name in present
                or (
                    isinstance(member, CoefficientArray)
                    and present.intersection(column.name for column in member.columns)
                )
            ),
        )
