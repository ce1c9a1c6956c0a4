"""What runs beside the tests names only what there is: environments, versions, commands."""

import configparser
import re
from pathlib import Path

import pytest
import yaml

from msaestimator.cli import main

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
FIELDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def environments():
    """Return the names of what ``tox run -e`` runs, `test` of the section of all among them."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    return {"test"} | {name.removeprefix("testenv:") for name in tox.sections() if ":" in name}


def jobs():
    return [job for path in WORKFLOWS for job in load(path)["jobs"].values()]


def matrix(name):
    """Return every value that a workflow's matrix gives one of its names."""
    matrices = [job["strategy"]["matrix"] for job in jobs() if "strategy" in job]
    rows = [row[name] for matrix in matrices for row in matrix.get("include", []) if name in row]
    return set(rows) | {value for matrix in matrices for value in matrix.get(name, [])}


def pinned():
    """Return {distribution: version} of the tested versions."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, flags=re.MULTILINE))


def test_workflows_run_environments_that_exist():
    steps = [step.get("run", "") for job in jobs() for step in job["steps"]]
    named = {name for step in steps for name in re.findall(r"-e (\w[\w-]*)", step)}
    assert named
    assert matrix("env")
    assert named | matrix("env") <= environments()


@pytest.mark.parametrize("path", [".ci/run", "CONTRIBUTING.rst"])
def test_texts_run_environments_that_exist(path):
    text = (ROOT / path).read_text(encoding="utf-8").replace("\\\n", "")
    named = {
        name for names in re.findall(r"tox run.* -e ([\w,-]+)", text) for name in names.split(",")
    }
    assert named
    assert named <= environments()


def test_every_admitted_python_is_tested():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    classified = set(re.findall(r"Python :: (3\.\d+)", config["metadata"]["classifiers"]))
    assert matrix("python") == classified
    assert f">={min(classified)}" == config["options"]["python_requires"]


def test_hooks_have_the_tested_versions():
    hooks = [
        hook for repo in load(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
    ]
    for requirement in {one for hook in hooks for one in hook["additional_dependencies"]}:
        name, version = requirement.split("==")
        assert pinned()[name] == version


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_form_is_one_that_can_be_filled_in(path):
    form = load(path)
    assert form["name"]
    assert form["description"]
    assert {field["type"] for field in form["body"]} <= FIELDS
    assert all(field["attributes"]["label"] for field in form["body"])
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)


def test_bug_form_asks_for_a_command_that_there_is(capsys):
    fields = {field["id"]: field["attributes"] for field in load(FORMS[0])["body"]}
    assert "`msa --version`" in fields["version"]["description"]
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.startswith("msa 0.")
