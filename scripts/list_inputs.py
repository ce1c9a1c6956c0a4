"""Write the tables of what can go in: containers, their quantities, and other names of columns.

    python scripts/list_inputs.py

The tables, in ``docs/user_guide/inputs``, are made by reading the containers of
``tests/tables/doors.py``, and of the package's own aliases.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from msaestimator.schema import ALIASES, GAIA_DR3, LABELS, LIMITS_OF_NAME, Column

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "user_guide" / "inputs"
sys.path.insert(0, str(ROOT / "tests" / "tables"))

import doors  # noqa: E402 - of the tests, whose folder is added above

TITLES = {
    "numbers": "Numbers",
    "units": "Units",
    "errors": "Errors",
    "spectra": "Spectra",
    "ids": "Ids",
    "labels": "Labels",
    "surveys": "Surveys",
}


def csv_table(header: Sequence[str], rows: Iterable[Sequence[str]], widths: str = "") -> str:
    """Return a table in reStructuredText."""
    quoted = (", ".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in r) for r in rows)
    options = f"   :header: {', '.join(header)}\n" + (f"   :widths: {widths}\n" if widths else "")
    lines = "\n".join(f"   {row}" for row in quoted)
    return f".. Made by scripts/list_inputs.py.\n\n.. csv-table::\n{options}\n{lines}\n"


def containers() -> str:
    """Return the table of what is read of each quantity in each container."""
    rows = ([c, *(doors.outcome(c, q) for q in TITLES)] for c in doors.CONTAINERS)
    return csv_table(["Container", *TITLES.values()], rows, "28" + len(TITLES) * " 12")


def refused() -> str:
    """Return the table of containers that are refused, and how."""
    rows = ([name, doors.refusal(name)] for name in doors.REFUSED)
    return csv_table(["Container", "What is said"], rows, "30 70")


def aliases() -> str:
    """Return the table of the names that other catalogues give our columns."""
    rows = ([f"``{n}``", ", ".join(f"``{alias}``" for alias in a)] for n, a in ALIASES.items())
    return csv_table(["Ours", "Also known as"], rows, "30 70")


def limits() -> str:
    """Return the table of the values that a column or label can have."""
    single = [member for member in GAIA_DR3.members if isinstance(member, Column)]
    ranges = {}
    for column in single:
        name = (
            f"``{column.name}``" if column.name in LIMITS_OF_NAME else f"columns in {column.unit}"
        )
        ranges[name] = (*column.limits, column.unit)
    ranges["XP coefficients"] = (*GAIA_DR3["bp_1"].limits, "")
    for label in LABELS.values():
        if label.name not in GAIA_DR3:
            ranges[f"label ``{label.name}``"] = (*label.accepted_in(label.unit), label.unit)
    rows = ([name, f"{low:g}", f"{high:g}", unit] for name, (low, high, unit) in ranges.items())
    return csv_table(["Quantity", "From", "To", "Unit"], rows)


def pages() -> dict[Path, str]:
    """Return the text of every table by its file."""
    made = {"containers": containers, "refused": refused, "aliases": aliases, "limits": limits}
    return {FOLDER / f"{name}.inc": make() for name, make in made.items()}


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        (output / path.name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
