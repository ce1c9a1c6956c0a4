"""What is public: importable, described, and on the reference page."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import msaestimator

ROOT = Path(__file__).parents[1]
ROOMS = sorted(path.parent.name for path in ROOT.glob("msaestimator/*/__init__.py"))


def public_objects():
    """Return (room, name) for every name in every room's ``__all__``."""
    return [
        (room, name)
        for room in ROOMS
        for name in importlib.import_module(f"msaestimator.{room}").__all__
    ]


def public_callables():
    """Return {dotted name: callable} of every public function, class and public method."""
    found = {}
    for room, name in public_objects():
        obj = getattr(importlib.import_module(f"msaestimator.{room}"), name)
        if inspect.isclass(obj) or inspect.isfunction(obj):
            found[f"{room}.{name}"] = obj
        if inspect.isclass(obj):
            for method, function in vars(obj).items():
                if inspect.isfunction(function) and not method.startswith("_"):
                    found[f"{room}.{name}.{method}"] = function
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


@pytest.mark.parametrize(("room", "name"), public_objects())
def test_public_name_exists_and_is_described(room, name):
    obj = getattr(importlib.import_module(f"msaestimator.{room}"), name)
    if inspect.isclass(obj) or inspect.isfunction(obj):
        assert inspect.getdoc(obj)
        assert obj.__module__.startswith(f"msaestimator.{room}"), "Public where it is defined."


@pytest.mark.parametrize("obj", public_callables().values(), ids=public_callables().keys())
def test_described_parameters_are_those_of_the_signature(obj):
    described = described_parameters(obj)
    if described is None:
        in_front = obj.__module__.startswith(("msaestimator.estimators", "msaestimator.prepro"))
        assert not (inspect.isclass(obj) and in_front), "An estimator describes its parameters."
        return
    parameters = inspect.signature(obj).parameters.values()
    named = {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    assert named - {"self"} <= described <= {p.name for p in parameters}


def test_reference_page_lists_every_room():
    page = (ROOT / "docs" / "reference" / "index.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   msaestimator\.(\w+)$", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted([*ROOMS, "exceptions"])


def test_top_level_names_are_those_of_the_rooms():
    offered = {name for _, name in public_objects()}
    for name in set(msaestimator.__all__) - {"__version__"}:
        assert name in offered
        assert inspect.getdoc(getattr(msaestimator, name))
