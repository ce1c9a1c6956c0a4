"""What takes seconds to load is loaded when it is touched, and not before."""

import subprocess
import sys

import pytest

import msaestimator
from msaestimator.cli._options import make_parser

(VERBS,) = (action.choices for action in make_parser()._subparsers._group_actions)

REPORT = """
import atexit, sys
before = set(sys.modules)
atexit.register(lambda: print(*set(sys.modules) - before, file=sys.stderr))
"""


def loaded_by(code):
    """Return what a fresh Python loads for some code, modules of Python left out, and prints."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT + code], capture_output=True, text=True, check=True
    )
    modules = {name for name in done.stderr.split() if top(name) not in sys.stdlib_module_names}
    return modules, done.stdout


def top(name):
    return name.partition(".")[0]


def test_import_loads_nothing_else():
    modules, _ = loaded_by("import msaestimator; dir(msaestimator); msaestimator.__version__")
    assert modules == {"msaestimator"}


def test_a_room_loads_when_touched():
    modules, _ = loaded_by("import msaestimator; msaestimator.archive.GaiaArchive")
    assert {"msaestimator.schema", "msaestimator.archive"} <= modules
    assert {top(name) for name in modules}.isdisjoint({"torch", "sklearn", "scipy", "pandas"})
    assert {name for name in modules if name.startswith("msaestimator.estimators")} == set()


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([v, "--help"] for v in VERBS)])
def test_help_loads_nothing_of_others(words):
    modules, printed = loaded_by(f"from msaestimator.cli import main; main({words})")
    assert {top(name) for name in modules} == {"msaestimator"}
    assert printed.startswith(
        f"msa {msaestimator.__version__}" if "--version" in words else "usage: msa"
    )


def test_names_are_those_of_the_rooms():
    for name in set(msaestimator.__all__) - {"__version__"}:
        room = getattr(msaestimator, msaestimator._ROOM_OF[name])
        assert getattr(msaestimator, name) is getattr(room, name)


def test_dir_lists_names_and_rooms():
    listed = dir(msaestimator)
    assert {*msaestimator.__all__, "archive", "cli", "exceptions", "schema"} <= {*listed}
    assert listed == sorted(listed)


@pytest.mark.parametrize("module", [msaestimator, msaestimator.cli])
def test_an_unknown_name(module):
    with pytest.raises(AttributeError, match=f"'{module.__name__}' has no attribute 'stellar'"):
        _ = module.stellar
