"""Errors of gradient boosting, which goals are told in, as stated or trained anew."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.table import Table

from common.trust_stars import BASIC, FAINT, own_g, tell
from msaestimator.datasets import make_fainter
from msaestimator.metrics import BoostingBaseline, nmad
from msaestimator.preprocessing import read_labels
from msaestimator.schema import StarTable, get_label

__all__ = ["Boosting", "train_boosting"]

STATED = {
    # The card of apogee-xp: tuned boosting on 25,551 stars, of its 3,380 and 2,928 test stars.
    ("bright", "XP"): {"teff": 118.4, "logg": 0.2336, "fe_h": 0.1368, "alpha_m": 0.0462},
    ("bright", "photometry"): {"teff": 203.1, "logg": 0.4728, "fe_h": 0.3780, "alpha_m": 0.0848},
    # Stated with the goals: trained on fainter copies, scored on other stars kept apart.
    ("fainter", "G = 15"): {"teff": 112.0, "logg": 0.259, "fe_h": 0.164},
    ("fainter", "G = 16"): {"teff": 124.0, "logg": 0.283, "fe_h": 0.193},
    ("fainter", "G = 16.75"): {"teff": 137.0, "logg": 0.313, "fe_h": 0.223},
    ("fainter", "G = 17.5"): {"teff": 166.0, "logg": 0.379, "fe_h": 0.260},
}
"""NMAD by goal and group of stars, and label."""


class Boosting:
    """Errors of gradient boosting.

    Parameters
    ----------
    path : Path, optional
        Table that `train_boosting` wrote; what it lacks, and all without one, is as stated.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._nmad = {
            (*group, label): value
            for group, values in STATED.items()
            for label, value in values.items()
        }
        if path is not None:
            rows = Table.read(path, format="ascii.ecsv").iterrows("goal", "group", "label", "nmad")
            self._nmad |= {tuple(key): float(value) for *key, value in rows}

    def nmad(self, goal: str, group: str, label: str) -> float | None:
        """Return an error in the label's unit, None if it is not known."""
        return self._nmad.get((goal, group, label))


def train_boosting(stars: StarTable, path: Path, labels: tuple[str, ...], **settings: int) -> None:
    """Train boosting on the stars, and on copies at each G, and write its errors.

    Parameters
    ----------
    stars : StarTable
        Stars with labels and ``is_test``.
    path : Path
        File for the errors, written anew with each G.
    labels : tuple of str
        Labels to learn.
    **settings : int
        Parameters of :class:`~msaestimator.metrics.BoostingBaseline`.
    """
    rows: list[tuple[str, str, str, float]] = []
    for goal, group, told in _views(stars):
        test = np.asarray(told["is_test"], dtype=bool)
        model = BoostingBaseline(labels, **settings).fit(_known(told[~test], labels))
        groups = {group: BASIC}
        if goal == "bright":
            groups["photometry"] = BASIC[1:]
        truth = read_labels(told[test], {name: get_label(name).unit for name in labels})
        for name, blocks in groups.items():
            errors = nmad(truth, model.predict(tell(told[test], blocks)))
            rows += [(goal, name, *row) for row in zip(labels, map(float, errors), strict=True)]
            print(rows[-len(labels) :], flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        table = Table(rows=rows, names=["goal", "group", "label", "nmad"])
        table.write(path, format="ascii.ecsv", overwrite=True)


def _views(stars: StarTable) -> Iterator[tuple[str, str, StarTable]]:
    """Yield goal, group, and the stars as they are, and fainter."""
    yield "bright", "XP", stars
    for g in FAINT:
        own = own_g(stars)
        yield "fainter", f"G = {g:g}", make_fainter(stars[own < g], g, random_state=int(100 * g))


def _known(stars: StarTable, labels: tuple[str, ...]) -> StarTable:
    """Return what boosting learns from: inputs and labels."""
    told = tell(stars, BASIC)
    for name in labels:
        told[name] = stars[name]
    return told
