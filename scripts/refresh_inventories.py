"""Look up, over the network, where other projects describe what our documentation links to.

    python scripts/refresh_inventories.py            # all lists in docs/inventories
    python scripts/refresh_inventories.py torch      # one

To link to something new, add a line with its name and role, ``torch.optim.Muon py:class``, and run
this. The lists are in the repository so that the documentation builds without a network.
"""

import argparse
import zlib
from pathlib import Path
from urllib.request import urlopen

__all__ = ["main", "refreshed"]

LISTS = Path(__file__).parents[1] / "docs" / "inventories"


def main() -> None:
    """Refresh the lists that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="*")
    chosen = parser.parse_args().projects or [path.stem for path in sorted(LISTS.glob("*.txt"))]
    for project in chosen:
        path = LISTS / f"{project}.txt"
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")


def refreshed(names: str) -> str:
    """Return a list with each line as the project's own inventory has it today."""
    first, *wanted = names.splitlines()
    known = fetch(first.removeprefix("# "))
    lines = []
    for line in wanted:
        name, role = line.split()[:2]
        if (name, role) not in known:
            raise SystemExit(f"{first} describes no {role} {name}.")
        lines.append(known[name, role])
    return "\n".join([first, *lines]) + "\n"


def fetch(address: str) -> dict[tuple[str, str], str]:
    """Return {(name, role): line} of the inventory at an address."""
    with urlopen(f"{address}objects.inv") as answer:  # noqa: S310, an address in the repository
        *_, entries = answer.read().split(b"\n", maxsplit=4)
    lines = zlib.decompress(entries).decode().splitlines()
    # Names with spaces are headings, which we do not link to.
    return {tuple(line.split()[:2]): line for line in lines}


if __name__ == "__main__":
    main()
