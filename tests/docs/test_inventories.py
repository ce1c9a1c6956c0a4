"""The lists of other projects' names say where each is described."""

import runpy
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTS = sorted((ROOT / "docs" / "inventories").glob("*.txt"))
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "refresh_inventories.py"))


@pytest.fixture
def project(tmp_path):
    """Return the address of a project that describes two names."""
    lines = "pkg.Old py:class 1 old.html#$ -\npkg.New py:class 1 new.html#$ -\n"
    header = b"# Sphinx inventory version 2\n# Project: pkg\n# Version: 1\n# zlib\n"
    (tmp_path / "objects.inv").write_bytes(header + zlib.compress(lines.encode()))
    return f"{tmp_path.as_uri()}/"


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_line_is_one_of_an_inventory(path):
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# https://")
    assert first.endswith("/")
    assert len(lines) == len({tuple(line.split()[:2]) for line in lines}) > 0
    for line in lines:
        name, role, priority, page, title = line.split(maxsplit=4)
        assert role.partition(":")[0] in {"py", "std"}, name
        assert priority in {"1", "-1"}, name


def test_a_name_gets_the_address_its_project_has_today(project):
    names = f"# {project}\npkg.Old py:class 1 moved.html#$ -\npkg.New py:class\n"
    assert SCRIPT["refreshed"](names) == (
        f"# {project}\npkg.Old py:class 1 old.html#$ -\npkg.New py:class 1 new.html#$ -\n"
    )


def test_a_name_that_is_gone_is_told(project):
    with pytest.raises(SystemExit, match=r"describes no py:class pkg\.Gone"):
        SCRIPT["refreshed"](f"# {project}\npkg.Gone py:class\n")
