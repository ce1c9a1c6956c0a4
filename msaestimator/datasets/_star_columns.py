"""The columns of stars in many files: one set of names, kinds and units, or one clear error."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from msaestimator.datasets._star_file import StarFile
from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.schema import GAIA_DR3, LABELS, Column, StarTable
from msaestimator.tables import NamedColumns, arrow_of_table, stars_of_arrow, with_known_names

__all__ = ["StarColumns", "existing"]

NOTHING = "nothing"
"""Kind of a column that is null all through a file."""

REMEDY = "Write that file anew, or leave it or the column out by columns=[...]."


class StarColumns:
    """The columns that all files have, by our names.

    Parameters
    ----------
    files : sequence of StarFile
        Files, of which there is one at least.
    columns : iterable of str, optional
        Columns to read, by our names; None reads all.
    aliases : bool
        Whether other names are understood.

    Raises
    ------
    ColumnError
        There is no such column, or a file lacks one, or has it of another kind or unit.

    Attributes
    ----------
    theirs : dict of str to str
        The files' names of the columns by ours.
    units : dict of str to str
        Units that the files state, by our names.
    """

    def __init__(
        self, files: Sequence[StarFile], columns: Iterable[str] | None, *, aliases: bool
    ) -> None:
        described = [_Described(file) for file in _of_distinct_schemas(files)]
        every = [*dict.fromkeys(name for one in described for name in one.stars.colnames)]
        ours = with_known_names(_named(every), _known(), aliases=aliases).names
        self.theirs = dict(zip(ours, every, strict=True))
        if columns is not None:
            chosen = existing(columns, self.theirs, "of the files")
            self.theirs = {name: self.theirs[name] for name in chosen}
        for name in self.theirs.values():
            _check_everywhere(name, described)
        first = described[0]
        self.units = {o: first.units[t] for o, t in self.theirs.items() if t in first.units}
        self._empty = first.stars[[*self.theirs.values()]]
        self._empty.rename_columns([*self.theirs.values()], [*self.theirs])
        self._description = arrow_of_table(self._empty).schema.metadata

    def taken(self, rows: pa.Table, names: Sequence[str]) -> pa.Table:
        """Return columns of a file's rows by our names, with units, and arrays as float32.

        Parameters
        ----------
        rows : pyarrow.Table
            Rows with the file's names.
        names : sequence of str
            Columns wanted, by our names.
        """
        rows = _flat(rows).select([self.theirs[name] for name in names]).rename_columns([*names])
        kinds = [_stored(kind) for kind in rows.schema.types]
        fields = [field.with_type(kind) for field, kind in zip(rows.schema, kinds, strict=True)]
        return rows.cast(pa.schema(fields)).replace_schema_metadata(self._description)

    def empty(self, names: Sequence[str]) -> StarTable:
        """Return columns without rows."""
        return self._empty[[*names]]


class _Described:
    """A file with its columns, as a table without rows has them."""

    def __init__(self, file: StarFile) -> None:
        self.path = file.path
        self.schema = file.schema
        self.stars = stars_of_arrow(file.schema.empty_table())
        units = {c.info.name: getattr(c, "unit", None) for c in self.stars.itercols()}
        self.units = {name: str(unit) for name, unit in units.items() if unit is not None}

    def kind(self, name: str) -> str | None:
        """Return the kind of a column's values in words; None if there is no such column."""
        if name not in self.stars.colnames:
            return None
        field = _flat(self.schema.empty_table()).schema.field(name)
        return _kind(field.type, exact=name == "source_id")


def existing(columns: Iterable[str], known: Mapping[str, str], whose: str) -> list[str]:
    """Return names of columns, all of which must be known.

    Parameters
    ----------
    columns : iterable of str
        Names asked for.
    known : mapping of str
        Names that there are.
    whose : str
        Owner of the columns, for the error, such as ``"of the files"``.
    """
    wanted = [columns] if isinstance(columns, str) else [*columns]
    for name in wanted:
        if name not in known:
            raise ColumnError(
                f"`columns` must name columns {whose}, got {name!r}; there are "
                f"{', '.join(known)}.{did_you_mean(name, known)}"
            )
    return wanted


def _of_distinct_schemas(files: Sequence[StarFile]) -> list[StarFile]:
    """Return the first file of each schema: of thousands, hardly any two differ."""
    found: list[StarFile] = []
    for file in files:
        if not any(file.schema.equals(one.schema, check_metadata=True) for one in found):
            found.append(file)
    return found


def _named(names: Sequence[str]) -> NamedColumns:
    return NamedColumns(None, names, 0, names.__getitem__)


def _known() -> frozenset[str]:
    """Return the names that a column may have: of the release, of labels, and of errors."""
    single = [member for member in GAIA_DR3.members if isinstance(member, Column)]
    names = {*GAIA_DR3.names, *(column.error for column in single if column.error)}
    for array in GAIA_DR3.arrays:
        names |= {array.name, array.error, array.relevant_bases}
    names |= {name for label in LABELS.values() for name in (label.name, label.error)}
    return frozenset({"source_id", *names})


def _check_everywhere(name: str, files: Sequence[_Described]) -> None:
    """Refuse a column that a file lacks, or has of another kind or unit than others."""
    kinds = {file.path: kind for file in files if (kind := file.kind(name)) is not None}
    for file in files:
        if file.path not in kinds:
            raise ColumnError(
                f"Every file must have the same columns, but {str(file.path)!r} lacks {name!r}, "
                f"which {str(next(iter(kinds)))!r} has. {REMEDY}"
            )
    # A column of nulls has no type in some writers' files.
    known = [file for file in files if kinds[file.path] != NOTHING]
    for file in known[1:]:
        _check_same(name, "of one kind", file, known[0], [kinds[f.path] for f in (file, known[0])])
        units = [f.units.get(name, "no unit") for f in (file, known[0])]
        _check_same(name, "in one unit", file, known[0], units)


def _check_same(
    name: str, what: str, file: _Described, first: _Described, found: Sequence[str]
) -> None:
    if found[0] != found[1]:
        raise ColumnError(
            f"Column {name!r} must be {what} in all files, got {found[0]} in {str(file.path)!r} "
            f"and {found[1]} in {str(first.path)!r}. {REMEDY}"
        )


def _kind(kind: pa.DataType, *, exact: bool = False) -> str:
    """Return a type in words; whole and other numbers are one kind, save for ids."""
    if pa.types.is_null(kind):
        return NOTHING
    if _is_list(kind):
        inner = _kind(kind.value_type)
        return NOTHING if inner == NOTHING else f"arrays of {inner}"
    if pa.types.is_integer(kind) and exact:
        return "integers"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "floats" if exact else "numbers"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    return str(kind)


def _is_list(kind: pa.DataType) -> bool:
    return (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _stored(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column is read as: arrays of floats are lists of float32."""
    if _is_list(kind) and pa.types.is_floating(kind.value_type):
        return pa.list_(pa.float32())
    return kind


def _flat(table: pa.Table) -> pa.Table:
    """Return a table with a column for each field of a struct."""
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    return table
