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


def public_classes():
    objects = [
        getattr(importlib.import_module(f"msaestimator.{room}"), name)
        for room, name in public_objects()
    ]
    classes = {obj for obj in objects if inspect.isclass(obj)}
    return sorted(classes, key=lambda cls: cls.__name__)


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


@pytest.mark.parametrize("cls", public_classes(), ids=lambda cls: cls.__name__)
def test_constructor_parameters_are_described(cls):
    if "__init__" not in vars(cls) or issubclass(cls, Exception):
        return
    documented = set()
    for names in re.findall(r"^\s*([\w, *]+?) : ", inspect.getdoc(cls), flags=re.MULTILINE):
        documented.update(name.strip(" *") for name in names.split(","))
    parameters = set(inspect.signature(cls).parameters)
    assert parameters - documented == set()


def test_reference_page_lists_every_room():
    page = (ROOT / "docs" / "reference.rst").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^   msaestimator\.(\w+)$", page, flags=re.MULTILINE)) == ROOMS


def test_top_level_names_are_those_of_the_rooms():
    offered = {name for _, name in public_objects()}
    for name in set(msaestimator.__all__) - {"__version__"}:
        assert name in offered
        assert inspect.getdoc(getattr(msaestimator, name))
