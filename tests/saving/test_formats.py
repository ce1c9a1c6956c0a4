"""Every format ever written is read forever, whatever the library has become since.

``formats/`` has small estimators as the versions that wrote each format saved them, and what they
then answered.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)
from msaestimator.metrics import hide_xp
from msaestimator.saving import _folder
from msaestimator.saving._formats import FORMAT, OLDEST
from msaestimator.saving._kinds import KINDS, kinds_by_name
from msaestimator.schema import GAIA_DR3, Column, FeatureSchema

FOLDER = Path(__file__).parent / "formats"
FORMATS = range(OLDEST, FORMAT + 1)
ESTIMATORS = (MaskedStellarAutoencoder, StellarFoundationModel, StellarParameterRegressor)
every_format = pytest.mark.parametrize("written_in", FORMATS)


@pytest.fixture(scope="module")
def answers():
    """Return {name: array} of what the estimators answered when they were saved."""
    with np.load(FOLDER / "answers.npz") as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def asked(load_plain):
    """Return the stars that were asked about, by what is known of them."""
    known = load_plain("test")[:20]
    return {"xp": known, "photometry": hide_xp(known)}


def another_schema(monkeypatch):
    """Let the default schema have another column and another unit, wherever it is held."""
    members = [
        replace(member, unit="uas") if member.name == "parallax" else member
        for member in GAIA_DR3.members
    ]
    other = FeatureSchema(GAIA_DR3.release, (*members, Column("cfis_u", block="cfis")))
    for name, module in sys.modules.items():
        if name.startswith("msaestimator") and vars(module).get("GAIA_DR3") is GAIA_DR3:
            monkeypatch.setattr(module, "GAIA_DR3", other)


def other_defaults(monkeypatch):
    """Let every constructor have defaults that nothing can be done with."""
    for kind in {*KINDS.values(), *ESTIMATORS}:
        init = vars(kind).get("__init__")
        if kind.__module__.startswith("msaestimator") and init is not None:
            monkeypatch.setattr(
                init, "__defaults__", tuple(object() for _ in init.__defaults__ or ())
            )
            given = init.__kwdefaults__ or {}
            monkeypatch.setattr(init, "__kwdefaults__", {name: object() for name in given})


def renamed_classes(monkeypatch):
    """Let our classes be called otherwise, and keep their names in files, as is the rule."""
    for name, kind in KINDS.items():
        if kind.__module__.startswith("msaestimator"):
            monkeypatch.setattr(kind, "saved_as", name, raising=False)
            monkeypatch.setattr(Renamed(kind), "name", f"Renamed{name}")
    for kind in ESTIMATORS:
        monkeypatch.setattr(Renamed(kind), "name", f"Renamed{kind.__name__}")
    monkeypatch.setattr(_folder, "KINDS", kinds_by_name())


class Renamed:
    """A class's name as an attribute that monkeypatch can put back."""

    def __init__(self, kind):
        object.__setattr__(self, "kind", kind)

    def __getattr__(self, name):
        return self.kind.__name__

    def __setattr__(self, name, value):
        self.kind.__name__ = value


CHANGES = {
    "as it is": lambda monkeypatch: None,
    "another schema": another_schema,
    "other defaults": other_defaults,
    "renamed classes": renamed_classes,
}
every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())


def assert_same(answer, stored):
    """Compare across builds of BLAS."""
    np.testing.assert_allclose(answer, stored, rtol=1e-5, atol=1e-5)


@every_format
@every_change
@pytest.mark.parametrize("known", ["xp", "photometry"])
class TestStars:
    def test_autoencoder(self, monkeypatch, answers, asked, written_in, change, known):
        change(monkeypatch)
        loaded = MaskedStellarAutoencoder.from_pretrained(FOLDER / f"{written_in}/autoencoder")
        assert_same(loaded.transform(asked[known]), answers[f"autoencoder.{known}"])

    def test_regressor(self, monkeypatch, answers, asked, written_in, change, known):
        change(monkeypatch)
        loaded = StellarParameterRegressor.from_pretrained(FOLDER / f"{written_in}/regressor")
        stars = asked[known]
        assert_same(loaded.predict_quantiles(stars), answers[f"regressor.{known}"])
        assert_same(loaded.outlier_score(stars), answers[f"regressor_outliers.{known}"])
        table = loaded.predict_table(stars)
        # The stored answers are from when a star's flags had those of its labels too.
        of_labels = [table[f"{label}_flags"] for label in loaded.labels_]
        flags = np.bitwise_or.reduce([table["flags"], *of_labels])
        np.testing.assert_array_equal(flags, answers[f"regressor_flags.{known}"])

    def test_generalist(self, monkeypatch, answers, asked, written_in, change, known):
        change(monkeypatch)
        loaded = StellarFoundationModel.from_pretrained(FOLDER / f"{written_in}/generalist")
        assert_same(loaded.predict(asked[known]), answers[f"generalist.{known}"])


@every_format
@every_change
def test_regressor_of_a_matrix(monkeypatch, answers, written_in, change):
    change(monkeypatch)
    loaded = StellarParameterRegressor.from_pretrained(FOLDER / f"{written_in}/matrix")
    x = np.random.default_rng(0).normal(size=(60, 5))[:20]
    assert_same(loaded.predict_quantiles(x), answers["matrix"])


def test_the_format_written_today_is_among_those_read(regressor, tmp_path):
    regressor.save_pretrained(tmp_path)
    assert f'"format": {FORMAT}' in (tmp_path / "config.json").read_text()
    assert {int(folder.name) for folder in FOLDER.iterdir() if folder.is_dir()} == set(FORMATS)
