"""A table's ``meta`` in a VOTable, as INFO elements, which astropy leaves out."""

from collections.abc import Mapping
from typing import Any

from astropy.io.votable.tree import Info, TableElement

__all__ = ["add_notes", "read_notes"]


def add_notes(element: TableElement, meta: Mapping[str, Any]) -> None:
    """Note in a VOTable's table what texts and numbers ``meta`` has; a list is a note an item."""
    for name, value in meta.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, str | bool | int | float):
                element.infos.append(Info(name=str(name), value=str(item)))


def read_notes(element: TableElement) -> dict[str, str | list[str]]:
    """Return the notes of a VOTable's table by name, several of one name as a list."""
    found: dict[str, list[str]] = {}
    for info in element.infos:
        found.setdefault(info.name, []).append(info.value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
