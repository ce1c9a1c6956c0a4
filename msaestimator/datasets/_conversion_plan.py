"""Plans of conversions: of which files, in which order, and notes of them in folders."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from msaestimator.datasets._whole_files import whole_file
from msaestimator.exceptions import ColumnError

__all__ = ["ConversionPlan", "begin", "is_finished"]

NOTE = "_conversion.json"
"""File, hidden from readers, that tells what a folder was converted from."""


@dataclass(frozen=True)
class ConversionPlan:
    """Order, size and input of a conversion; one of an equal plan goes on where another stopped.

    Parameters
    ----------
    order : str
        Order of the stars.
    rows_per_file : int
        Number of stars a file.
    inputs : dict of str to str
        Fingerprint of each input file by its name.
    """

    order: str
    rows_per_file: int
    inputs: dict[str, str]

    def difference(self, other: dict[str, Any]) -> str:
        """Return in a few words what another plan, as JSON has it, has otherwise."""
        mine = asdict(self)
        names = [name for name in mine if mine[name] != other.get(name)]
        if names == ["inputs"]:
            theirs = other.get("inputs", {})
            changed = [n for n in self.inputs if self.inputs[n] != theirs.get(n)]
            first = (changed or [n for n in theirs if n not in self.inputs])[0]
            return f"other files, such as {first!r}"
        return ", ".join(f"{name} {other.get(name)!r}" for name in names if name != "inputs")


def is_finished(output: Path, plan: ConversionPlan) -> bool:
    """Tell whether a folder holds what a plan makes.

    Raises
    ------
    ColumnError
        The folder holds something else.
    """
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return False
    found = _noted(output)
    if found is None:
        raise ColumnError(
            f"The output {str(output)!r} must be a new folder, got one that holds other files. "
            "Choose another name."
        )
    if found != asdict(plan):
        raise ColumnError(
            f"The folder {str(output)!r} was converted from {plan.difference(found)}. Choose "
            "another name, or delete it first."
        )
    return True


def begin(folder: Path, plan: ConversionPlan) -> None:
    """Make a folder for what a plan makes, and empty one that was left by another plan."""
    if folder.is_dir() and _noted(folder) != asdict(plan):
        shutil.rmtree(folder)
    if not folder.is_dir():
        with whole_file(folder / NOTE) as temporary:
            temporary.write_text(json.dumps(asdict(plan), indent=1), encoding="utf-8")


def _noted(folder: Path) -> dict[str, Any] | None:
    try:
        return json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
