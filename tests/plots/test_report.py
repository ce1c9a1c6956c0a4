"""Figures of a whole result, in files."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator.plots import save_kiel_pair, save_residuals
from msaestimator.schema import StarTable


@pytest.fixture
def stars():
    """A few stars with the labels that the figures show."""
    rng = np.random.default_rng(0)
    return StarTable(
        {
            "teff": rng.uniform(4000, 6000, 30) << u.K,
            "logg": rng.uniform(1, 5, 30) << u.dex,
            "fe_h": rng.uniform(-1, 0.3, 30) << u.dex,
        }
    )


def test_figures_in_the_home_folder(stars, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save_kiel_pair(stars, stars, "~/kiel.png")
    save_residuals(stars, stars, ("teff", "logg", "fe_h"), "~/residuals.png")
    for name in ("kiel.png", "residuals.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
