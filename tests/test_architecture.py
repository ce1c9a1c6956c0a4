"""The shape of the house: who may import what, and how a file looks."""

import ast
import configparser
import enum
import importlib
import inspect
import re
import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest

from msaestimator import estimators

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "msaestimator"
# In the order data flows; a room imports only rooms to its left.
ROOMS = (
    "schema",
    "tables",
    "archive",
    "dust",
    "datasets",
    "preprocessing",
    "metrics",
    "results",
    "surveys",
    "uncertainty",
    "outliers",
    "networks",
    "training",
    "saving",
    "estimators",
    "catalogs",
    "plots",
    "cli",
)
# Packages that only some rooms may import.
KEPT_IN = {
    "torch": {"networks", "training", "saving", "estimators"},
    "skorch": {"training", "estimators"},
    "matplotlib": {"plots"},
    "requests": {"archive"},
    "urllib": {"archive"},
    "urllib3": {"archive"},
    "http": {"archive"},
    "socket": {"archive"},
    "pyvo": {"archive"},
    "astroquery": {"archive"},
    "dask": {"catalogs"},
    "lsdb": {"catalogs"},
}
# What everyone may import, for it imports nothing of ours.
LEAVES = ("msaestimator.exceptions", "msaestimator.__version__")
FORBIDDEN_IMPORTS = {"pickle", "cloudpickle", "dill", "shelve", "marshal", "subprocess"}
FORBIDDEN_CALLS = {"os.system", "os.popen", "torch.load", "torch.save", "eval", "exec"}
LONGEST_FILE = 400  # lines of code
DEEPEST = 2  # own classes above an estimator
# What sklearn sets in the name of an estimator.
SET_BY_SKLEARN = {"n_features_in_", "feature_names_in_"}
# Where a distribution is not called as the package it brings.
DISTRIBUTIONS = {
    "astropy_healpix": "astropy-healpix",
    "sklearn": "scikit-learn",
    "zero_point": "gaiadr3-zeropoint",
}


def modules():
    """Return every file of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def label(path):
    """Return a file's name as pytest shows it."""
    return str(path.relative_to(PACKAGE))


@cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def room_of(dotted):
    """Return the room of ``msaestimator.room.module``; the top level's own files are None."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else None


def dotted_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Return what a file imports as dotted names, inside functions included.

    ``from package import name`` gives ``package.name``, since ``name`` may be a module.
    """
    found = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{label(path)}:{node.lineno}: write the import in full."
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def own_imports(path):
    return {name for name in imports(path) if name.split(".")[0] == "msaestimator"}


def foreign_imports(path):
    """Return the top-level packages a file imports, ours and Python's left out."""
    tops = {name.split(".")[0] for name in imports(path)}
    return tops - {"msaestimator"} - set(sys.stdlib_module_names)


def over(cases, named=str):
    """Make a test of one case one of all: they are a thousand, and starting each takes longer."""

    def decorate(test):
        def test_all():
            failures = []
            for case in cases:
                try:
                    test(case)
                except AssertionError as error:
                    failures.append(f"{named(case)}: {error}")
            assert not failures, "\n".join(failures)

        test_all.__name__, test_all.__doc__ = test.__name__, test.__doc__
        return test_all

    return decorate


every_module = over(modules(), label)
every_room_module = over([path for path in modules() if room_of(dotted_name(path))], label)


def test_every_folder_is_a_known_room():
    folders = {path.parent.relative_to(PACKAGE).parts[0] for path in PACKAGE.glob("*/*.py")}
    assert folders <= set(ROOMS)


@every_room_module
def test_a_room_imports_only_rooms_to_its_left(path):
    room = room_of(dotted_name(path))
    reachable = {*ROOMS[: ROOMS.index(room) + 1]}
    for name in own_imports(path):
        if name.startswith(LEAVES):
            continue
        assert room_of(name) in reachable, f"{room} may not import {name}."


@every_module
def test_private_modules_stay_in_their_room(path):
    room = room_of(dotted_name(path))
    for name in own_imports(path):
        private = [part for part in name.split(".")[2:] if re.match(r"_[^_]", part)]
        assert not private or room_of(name) == room, f"{name} is private to its room."


@over(sorted(PACKAGE.glob("networks/*.py")), label)
def test_networks_know_torch_and_nothing_of_ours(path):
    assert foreign_imports(path) <= {"torch"}
    assert {room_of(name) for name in own_imports(path)} <= {"networks"}


@every_module
def test_a_package_stays_in_the_rooms_it_is_kept_in(path):
    room = room_of(dotted_name(path))
    tops = {name.split(".")[0] for name in imports(path)}
    assert {top for top in tops & set(KEPT_IN) if room not in KEPT_IN[top]} == set()


@every_module
def test_no_pickle_no_shell_no_eval(path):
    assert {name.split(".")[0] for name in imports(path)} & FORBIDDEN_IMPORTS == set()
    calls = {ast.unparse(n.func) for n in ast.walk(parse(path)) if isinstance(n, ast.Call)}
    assert calls & FORBIDDEN_CALLS == set()


def lines_of_code(path):
    """Return the numbers of the lines that are neither blank, comment nor docstring."""
    tree = parse(path)
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    described = {n for text in texts for n in range(text.lineno, text.end_lineno + 1)}
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        number
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.strip().startswith("#") and number not in described
    ]


@every_module
def test_file_is_short(path):
    """Docstrings do not count: to cut a class for their length would hide its parts."""
    assert len(lines_of_code(path)) <= LONGEST_FILE


def own_classes():
    """Return the package's classes, each once, by name."""
    found = {}
    for path in modules():
        module = importlib.import_module(dotted_name(path))
        for kind in vars(module).values():
            if inspect.isclass(kind) and kind.__module__ == module.__name__:
                found[f"{kind.__module__}.{kind.__qualname__}"] = kind
    return found


def own_bases(kind):
    """Return a class and those of the package that it descends from."""
    return [base for base in kind.__mro__ if base.__module__.startswith("msaestimator")]


@pytest.mark.parametrize("name", estimators.__all__)
def test_few_own_classes_stand_above_an_estimator(name):
    kind = getattr(estimators, name)
    if inspect.isclass(kind):
        assert len(own_bases(kind)) - 1 <= DEEPEST


@cache
def attributes_of_self(kind):
    """Return the attributes of ``self`` that a class's own methods read, and those they set."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    of_self = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    ]
    read = {node.attr for node in of_self if isinstance(node.ctx, ast.Load)}
    return read, {node.attr for node in of_self if not isinstance(node.ctx, ast.Load)} | {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "self.register_buffer"
        and isinstance(call.args[0], ast.Constant)
    }


@over(own_classes().values())
def test_a_class_reads_only_what_it_or_a_base_declares(kind):
    if issubclass(kind, enum.Enum | tuple):
        return
    read, _ = attributes_of_self(kind)
    declared = {*dir(kind), *SET_BY_SKLEARN}
    for base in kind.__mro__[:-1]:
        declared |= set(vars(base).get("__annotations__", {}))
        if base.__module__.split(".")[0] in ("msaestimator", "skorch", "torch"):
            declared |= attributes_of_self(base)[1]
    assert read <= declared, f"{sorted(read - declared)} come from nowhere."


@every_module
def test_file_opens_with_one_sentence_then_imports_then_all(path):
    tree = parse(path)
    docstring = ast.get_docstring(tree)
    assert docstring, "A module starts with a docstring."
    assert docstring.splitlines()[0].endswith("."), "Its first line is one sentence."
    kinds = [
        "import" if isinstance(node, ast.Import | ast.ImportFrom) else ast.unparse(node)
        for node in tree.body[1:]
    ]
    after_imports = [kind for kind in kinds if kind != "import"]
    assert after_imports, "A module lists what it offers in __all__."
    assert after_imports[0].startswith("__all__ = ["), "__all__ follows the imports."


@every_module
def test_columns_are_named_never_counted(path):
    """A slice such as ``[5:115]`` is a column range; only the schema knows where columns are."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Slice):
            bounds = [b.value for b in (node.lower, node.upper) if isinstance(b, ast.Constant)]
            counted = [b for b in bounds if isinstance(b, int) and b > 4]
            assert not counted, f"{label(path)}: [{ast.unparse(node)}] counts columns."


def declared_dependencies():
    """Return the distributions that setup.cfg requires, extras included."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    fields = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    lines = "\n".join(fields).splitlines()
    return {re.match(r"[\w.-]+", line)[0] for line in lines if re.match(r"\w", line)}


@every_module
def test_every_import_is_a_declared_dependency(path):
    needed = {DISTRIBUTIONS.get(top, top) for top in foreign_imports(path)}
    assert needed <= declared_dependencies()
