"""What ``msa`` offers works: every choice of every option, at toy size."""

import argparse
import sys
from dataclasses import replace
from typing import get_args

import astropy.units as u
import numpy as np
import pytest

from msaestimator import StellarParameterRegressor
from msaestimator.archive import SERVICES
from msaestimator.cli import _options, main
from msaestimator.datasets._convert_stars import Order
from msaestimator.estimators import DEFAULT_MODEL, PRESETS
from msaestimator.schema import LABELS
from msaestimator.tables import read_stars, write_stars
from msaestimator.tables._file_formats import FORMATS

# So few stars are too few to calibrate on.
pytestmark = pytest.mark.filterwarnings("ignore::msaestimator.exceptions.CalibrationWarning")

TOY_ENCODER = {"hidden_widths": (16, 8), "n_frequencies": 4, "d_embedding": 4}
TOY_HEAD = {"head_widths": (8,)}

(VERBS,) = (action.choices for action in _options.make_parser()._subparsers._group_actions)


def actions(verb):
    """Return what the parser knows of each argument of a verb, help left out."""
    return [a for a in VERBS[verb]._actions if not isinstance(a, argparse._HelpAction)]


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture
def toy_presets(monkeypatch):
    """Let every preset be of small networks, so that each is tried in a blink."""
    for preset in PRESETS.values():
        for kind, toy in {
            "MaskedStellarAutoencoder": TOY_ENCODER,
            "StellarParameterRegressor": TOY_HEAD,
        }.items():
            if kind in preset:
                monkeypatch.setitem(preset, kind, preset[kind] | toy)


@pytest.fixture
def file_of_stars(stars, tmp_path):
    """Sixty stars in a file, with every label there is."""
    few = stars[:60][[name for name in stars.colnames if not name.endswith("errors")]]
    for label in LABELS.values():
        if label.name not in few.colnames:
            few[label.name] = np.linspace(0.5, 1, len(few)) << u.Unit(label.unit)
    path = tmp_path / "stars.parquet"
    write_stars(few, path)
    return path


def test_choices_are_those_of_their_owners():
    both = {"MaskedStellarAutoencoder", "StellarParameterRegressor"}
    assert list(_options.PRESETS) == [name for name, of in PRESETS.items() if both <= of.keys()]
    assert list(_options.SERVICES) == sorted(SERVICES)
    assert _options.DEFAULT_MODEL == DEFAULT_MODEL
    assert get_args(Order) == _options.ORDERS


def test_every_list_of_choices_is_tried_here():
    """Orders are in test_convert.py."""
    offered = {(verb, a.dest) for verb in VERBS for a in actions(verb) if a.choices}
    assert offered == {
        ("fit", "preset"),
        ("predict", "service"),
        ("convert", "order"),
        ("build", "service"),
    }


@pytest.mark.parametrize("preset", _options.PRESETS)
@pytest.mark.usefixtures("toy_presets")
def test_every_preset_fits(preset, file_of_stars, tmp_path):
    assert run("fit", file_of_stars, tmp_path / "m", "--preset", preset, "--epochs", 1) == 0
    model = StellarParameterRegressor.from_pretrained(tmp_path / "m")
    assert np.isfinite(model.predict(read_stars(file_of_stars))).all()


@pytest.mark.usefixtures("toy_presets")
def test_every_label_is_fitted(file_of_stars, tmp_path):
    words = ["--labels", *LABELS, "--epochs", 0]
    assert run("fit", file_of_stars, tmp_path / "m", *words) == 0
    assert StellarParameterRegressor.from_pretrained(tmp_path / "m").labels_ == tuple(LABELS)


@pytest.fixture
def services_are_here(esa_is_here, server, monkeypatch):
    """Let every service be the archive on this machine, which has ESA's names of tables."""
    for name in set(SERVICES) - {"esa"}:
        here = replace(SERVICES[name], tap_url=server.tap_url, tables={}, columns={})
        monkeypatch.setitem(SERVICES, name, here)


@pytest.fixture
def named_stars(catalogue, tmp_path):
    """The words that name a star of the archive, for each option that can name it."""
    source = catalogue["gaiadr3.gaia_source"][50]
    path = tmp_path / "ids.txt"
    path.write_text(f"{source['source_id']}\n")
    return {
        "source_id": ["--source-id", source["source_id"]],
        "ids": ["--ids", path],
        "name": ["--name", f"Gaia DR3 {source['source_id']}"],
        "cone": ["--cone", source["ra"], source["dec"], "1arcsec"],
        "query": [
            "--query",
            f"SELECT source_id FROM gaiadr3.gaia_source WHERE source_id = {source['source_id']}",
        ],
    }


def test_every_way_to_name_stars_is_tried_here(named_stars):
    (ways,) = (group._group_actions for group in VERBS["predict"]._mutually_exclusive_groups)
    assert {action.dest for action in ways} == set(named_stars)


@pytest.mark.parametrize("service", _options.SERVICES)
@pytest.mark.usefixtures("services_are_here")
def test_every_service_answers_whatever_names_the_stars(
    service, named_stars, bare_model, tmp_path
):
    answers = []
    for way, words in named_stars.items():
        output = tmp_path / f"{way}.ecsv"
        options = ["--service", service, "--cache", tmp_path / "cache", *words]
        assert run("predict", bare_model[1], output, *options) == 0
        answers.append(read_stars(output))
    for table in answers:
        assert len(table) == 1
        assert np.isfinite(table["teff"]).all()
        assert table["teff"][0] == answers[0]["teff"][0]


@pytest.mark.parametrize("service", _options.SERVICES)
@pytest.mark.usefixtures("services_are_here")
def test_a_training_set_of_every_service(service, named_stars, tmp_path):
    options = ["--service", service, "--cache", tmp_path / "cache", "--dust-map", "none"]
    assert run("build", named_stars["ids"][1], tmp_path / "out", *options) == 0
    assert len(read_stars(tmp_path / "out")) == 1


def test_help_names_endings_that_are_read_and_written():
    told = VERBS["predict"].format_help().partition("table to write: ")[2].split("\n")[0]
    assert set(told.split(", ")) <= set(FORMATS)


@pytest.mark.parametrize(
    ("words", "least"),
    [
        (["demo", "--stars", "0"], 1),
        (["demo", "--stars", "-5"], 1),
        (["demo", "--epochs", "-1"], 0),
        (["fit", "a.fits", "model", "--epochs", "-1"], 0),
        (["fit", "a.fits", "model", "--epochs", "1.5"], 0),
        (["fit", "a.fits", "model", "--random-state", "-1"], 0),
    ],
)
def test_numbers_that_nothing_can_use(capsys, words, least):
    with pytest.raises(SystemExit, match="2"):
        run(*words)
    option, got = words[-2:]
    assert f"argument {option}: must be a whole number of at least {least}, got {got!r}" in (
        capsys.readouterr().err
    )


def test_the_demonstration_says_at_once_that_it_cannot_draw(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run("demo", "--output", tmp_path / "demo") == 1
    printed = capsys.readouterr()
    assert "pip install msaestimator[plots]" in printed.err
    assert printed.out == ""
