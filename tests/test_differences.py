"""Every departure from a paper that the code marks is explained on the documentation page."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "differences.rst"
TAG = re.compile(r"DIFF\((\w+)\): *\S")
# "Title (``networks/_blocks.py``)", with its explanation indented below.
ENTRY = re.compile(r"^\S.*\(``([\w/]+\.py)``\)\n((?:\n| +.*\n)+)", flags=re.MULTILINE)


def entries_by_paper():
    """Return [(file, explanation)] by paper; a paper's section starts at its ``.. _key:``."""
    _, *parts = re.split(r"^\.\. _(\w+):$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        paper: ENTRY.findall(section)
        for paper, section in zip(parts[::2], parts[1::2], strict=True)
    }


def test_every_tag_has_its_entry_and_every_entry_its_tag():
    package = ROOT / "msaestimator"
    tags = Counter(
        (paper, str(path.relative_to(package)))
        for path in package.rglob("*.py")
        for paper in TAG.findall(path.read_text(encoding="utf-8"))
    )
    entries = Counter(
        (paper, file) for paper, found in entries_by_paper().items() for file, _ in found
    )
    assert tags == entries


def test_every_entry_tells_the_way_back():
    for found in entries_by_paper().values():
        for file, explanation in found:
            assert "Way back:" in explanation, file


def test_every_tag_names_its_paper():
    for path in (ROOT / "msaestimator").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count("DIFF(") == len(TAG.findall(text)), path
