"""Other projects' names and addresses, from lists in ``docs/inventories``: no network is asked.

A list has the project's address in its first line, and then lines as a Sphinx inventory has them:
name, role, priority, page, title. ``scripts/refresh_inventories.py`` writes them.
"""

import zlib

__all__ = ["setup"]

HEADER = """# Sphinx inventory version 2
# Project: {name}
# Version:
# The remainder of this file is compressed using zlib.
"""


def setup(app):
    """Make the inventories before intersphinx looks for them."""
    app.setup_extension("sphinx.ext.intersphinx")
    app.connect("config-inited", make_inventories, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def make_inventories(app, config):
    """Write an inventory of every list and tell intersphinx."""
    folder = app.doctreedir / "inventories"
    folder.mkdir(parents=True, exist_ok=True)
    for names in sorted((app.srcdir / "inventories").glob("*.txt")):
        first, _, lines = names.read_text(encoding="utf-8").partition("\n")
        inventory = folder / f"{names.stem}.inv"
        header = HEADER.format(name=names.stem).encode()
        inventory.write_bytes(header + zlib.compress(lines.encode()))
        config.intersphinx_mapping[names.stem] = (first.removeprefix("# "), str(inventory))
