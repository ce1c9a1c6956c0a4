"""The stars that benchmarks learn from and are scored on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from msaestimator import StellarParameterRegressor
from msaestimator.cli import DEMO_LABELS
from msaestimator.datasets import join_stars, load_apogee_xp, split_by_source_id
from msaestimator.metrics import hide_xp, nmad
from msaestimator.preprocessing import read_labels
from msaestimator.schema import GAIA_DR3, StarTable, get_label

__all__ = [
    "HALVES",
    "LABELS",
    "UNITS",
    "errors",
    "load_plain",
    "load_split",
    "load_validation_split",
    "predict_measured",
    "with_parallax",
]

LABELS = DEMO_LABELS
UNITS = {name: get_label(name).unit for name in LABELS}
HALVES: dict[str, Callable[[StarTable], StarTable]] = {
    "full XP": lambda stars: stars,
    "masked XP": hide_xp,
}
"""What a model is told of the stars, by the name of the half of a table."""

N_TOY, N_TOY_TEST = 300, 100


def load_plain(split: Literal["train", "test"] | None = None) -> StarTable:
    """Return packaged stars with the inputs of the documented figures.

    These are spectra, magnitudes of Gaia and 2MASS and E(B-V). Synthetic magnitudes would tell of
    the spectrum where it is masked.
    """
    left_out = {
        name
        for column in GAIA_DR3.columns
        if column.block in ("sdss", "ps1", "skymapper", "astrometry")
        for name in (column.name, column.error)
    }
    stars = load_apogee_xp(split)
    return stars[[name for name in stars.colnames if name not in left_out]]


def load_split(*, toy: bool, further: Sequence[Path] = ()) -> tuple[StarTable, StarTable]:
    """Return training and test stars, those packaged and those of further tables."""
    packaged = load_plain()
    tables = [StarTable.read(path, include_names=packaged.colnames) for path in further]
    stars = join_stars([packaged, *tables])
    return _cut(stars, split_by_source_id(stars["source_id"]), toy)


def load_validation_split(*, toy: bool) -> tuple[StarTable, StarTable]:
    """Return four fifths of the packaged training stars, and the others."""
    stars = load_plain("train")
    # The test stars are those below 0.2: those up to 0.36 are a fifth of the others.
    return _cut(stars, split_by_source_id(stars["source_id"], 0.36), toy)


def _cut(stars: StarTable, is_scored: np.ndarray, toy: bool) -> tuple[StarTable, StarTable]:
    learned, scored = stars[~is_scored], stars[is_scored]
    return (learned[:N_TOY], scored[:N_TOY_TEST]) if toy else (learned, scored)


def errors(model: object, stars: StarTable) -> np.ndarray:
    """Return the NMAD of each label of a model with ``predict``."""
    return nmad(read_labels(stars, UNITS), model.predict(stars))


def predict_measured(regressor: StellarParameterRegressor, stars: StarTable) -> np.ndarray:
    """Return what a regressor predicts of `LABELS`, (n_stars, n_labels), of all that it knows."""
    return regressor.predict(stars)[:, [regressor.labels_.index(name) for name in LABELS]]


def with_parallax(stars: StarTable) -> StarTable:
    """Return the first packaged test stars with their parallaxes."""
    told = stars.copy()
    packaged = load_apogee_xp("test")[: len(stars)]
    for name in ("parallax", "parallax_error"):
        told[name] = packaged[name]
    return told
