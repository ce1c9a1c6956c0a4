"""What is public: importable, described, and on the reference page."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import msaestimator

ROOT = Path(__file__).parents[1]
ROOMS = sorted(path.parent.name for path in ROOT.glob("msaestimator/*/__init__.py"))


def public_objects(room):
    """Return {name: object} of every name in a room's ``__all__``."""
    module = importlib.import_module(f"msaestimator.{room}")
    return {name: getattr(module, name) for name in module.__all__}


def public_callables(room):
    """Return {name: callable} of every public function, class and public method of a room."""
    found = {}
    for name, obj in public_objects(room).items():
        if inspect.isclass(obj) or inspect.isfunction(obj):
            found[name] = obj
        if inspect.isclass(obj):
            for method, function in vars(obj).items():
                if inspect.isfunction(function) and not method.startswith("_"):
                    found[f"{name}.{method}"] = function
    return found


def described_parameters(obj):
    """Return the names in a numpydoc Parameters section, or None where there is none."""
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=^\w+\n-+$|\Z)",
        inspect.getdoc(obj) or "",
        flags=re.MULTILINE | re.DOTALL,
    )
    if section is None:
        return None
    headings = re.findall(r"^(\S.*?)(?: :.*)?$", section[1], flags=re.MULTILINE)
    return {name.strip(" *") for heading in headings for name in heading.split(",")}


@pytest.mark.parametrize("room", ROOMS)
def test_all_names_nothing_twice(room):
    names = importlib.import_module(f"msaestimator.{room}").__all__
    assert len(names) == len(set(names))


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_described_and_of_the_room(room):
    for name, obj in public_objects(room).items():
        if inspect.isclass(obj) or inspect.isfunction(obj):
            assert inspect.getdoc(obj), name
            assert obj.__module__.startswith(f"msaestimator.{room}"), f"{name} is of another."


@pytest.mark.parametrize("room", ROOMS)
def test_described_parameters_are_those_of_the_signature(room):
    for name, obj in public_callables(room).items():
        described = described_parameters(obj)
        if described is None:
            in_front = inspect.isclass(obj) and room in ("estimators", "preprocessing")
            assert not in_front, f"{name} describes no parameters."
            continue
        parameters = inspect.signature(obj).parameters.values()
        named = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        assert named - {"self"} <= described <= {p.name for p in parameters}, name


def test_reference_page_lists_every_room():
    page = (ROOT / "docs" / "reference" / "index.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   msaestimator\.(\w+)$", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted([*ROOMS, "exceptions"])


def test_top_level_names_are_those_of_the_rooms():
    offered = {name for room in ROOMS for name in public_objects(room)}
    for name in set(msaestimator.__all__) - {"__version__"}:
        assert name in offered
        assert inspect.getdoc(getattr(msaestimator, name))
