"""Scores of a model on stars, each with the values that are aimed at."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.table import Table

from msaestimator.metrics import coverage, nmad
from msaestimator.schema import StarTable, get_label

__all__ = ["FEWEST", "Aim", "Key", "Score", "Scores", "interval_of", "score_label"]

FEWEST = 15
"""Least number of stars that a score is made of."""

DIGITS = 4
"""Significant digits of a stored score."""

Transform = Callable[[np.ndarray], np.ndarray]


class Aim(NamedTuple):
    """The values of a score that are good enough, ends included."""

    low: float = -np.inf
    high: float = np.inf


class Key(NamedTuple):
    """What a score is of: goal, stars and what is told of them, and label.

    ``at`` is G or another quantity that stars are grouped by, 0 where they are not.
    """

    goal: str
    group: str
    at: float
    label: str
    score: str


@dataclass(frozen=True)
class Score:
    """One score.

    Parameters
    ----------
    goal, group, at, label, score
        The parts of its `Key`.
    n_stars : int
        Number of stars that it is made of.
    value : float
        Score, in the label's unit; shares, ratios and relative errors are fractions of one.
    low, high : float
        Ends of the `Aim`; infinite where there is none.
    """

    goal: str
    group: str
    at: float
    label: str
    score: str
    n_stars: int
    value: float
    low: float = -np.inf
    high: float = np.inf

    @property
    def key(self) -> Key:
        """What it is of."""
        return Key(self.goal, self.group, self.at, self.label, self.score)

    @property
    def aim(self) -> Aim | None:
        """What was aimed at, None for nothing."""
        aim = Aim(self.low, self.high)
        return None if aim == Aim() else aim

    @property
    def is_met(self) -> bool:
        """Tell whether the aim is met; a score without one meets it."""
        return self.low <= self.value <= self.high


class Scores:
    """The scores of one model.

    Parameters
    ----------
    model : str
        Its name.
    scores : iterable of Score
        Scores; their values are rounded to four digits.
    run : str
        Command, commit and machine that they are from.
    """

    def __init__(self, model: str, scores: Iterable[Score], run: str) -> None:
        self.model, self.run = model, run
        self.all = [_rounded(score) for score in scores]
        self._by_key = {score.key: score for score in self.all}

    def of_goal(self, goal: str) -> list[Score]:
        """Return the scores of a goal, in order."""
        return [score for score in self.all if score.goal == goal]

    def like(self, score: Score) -> Score | None:
        """Return this model's score of the same, None if it has none."""
        return self._by_key.get(score.key)

    def keep(self, goal: str, group: str, other: "Scores | None") -> None:
        """Aim at another model's NMAD of a group of a goal."""
        for k, score in enumerate(self.all):
            theirs = other and other.like(score)
            if theirs and score.score == "nmad" and (score.goal, score.group) == (goal, group):
                self.all[k] = replace(score, high=theirs.value)

    def write(self, path: Path) -> None:
        """Write all as a table."""
        path.parent.mkdir(parents=True, exist_ok=True)
        names = [*asdict(self.all[0])]
        table = Table(rows=[astuple(score) for score in self.all], names=names)
        table.meta = {"model": self.model, "run": self.run}
        table.write(path, format="ascii.ecsv", overwrite=True)

    @classmethod
    def read(cls, path: Path) -> "Scores":
        """Return what `write` wrote."""
        table = Table.read(path, format="ascii.ecsv")
        scores = (Score(*row.as_void().item()) for row in table.filled(""))
        return cls(table.meta["model"], scores, table.meta["run"])


def _rounded(score: Score) -> Score:
    parts = asdict(score)
    for name in ("at", "value", "low", "high"):
        parts[name] = float(f"{parts[name]:.{DIGITS}g}")
    return Score(**parts)


def interval_of(answers: StarTable, label: str) -> list[np.ndarray]:
    """Return median, lower and upper bound of a label, in its unit."""
    unit = get_label(label).unit
    return [answers[label + end].to_value(unit) for end in ("", "_lower", "_upper")]


def score_label(
    group: tuple[str, str, float, str],
    truth: np.ndarray,
    interval: Iterable[np.ndarray],
    aims: Mapping[str, Aim] | None = None,
    wider: np.ndarray | None = None,
) -> Iterator[Score]:
    """Yield NMAD, median offset and coverage of a label; nothing of fewer than fifteen stars.

    Parameters
    ----------
    group : tuple
        Goal, group, the quantity that stars are grouped at, and label, of the scores.
    truth : ndarray of shape (n_stars,)
        Label, NaN where unknown.
    interval : iterable of ndarray of shape (n_stars,)
        Median and bounds of the 68 % interval; further bounds are of the 90 % interval.
    aims : mapping of str to Aim, optional
        Aims, by score.
    wider : ndarray of shape (n_stars,), optional
        Standard errors of the truth; bounds are so much wider, in quadrature.
    """
    median, *bounds = (np.asarray(values, dtype=float) for values in interval)
    known = np.isfinite(truth) & np.isfinite(median)
    if known.sum() < FEWEST:
        return
    truth, median = truth[known], median[known]
    bounds = [bound[known] for bound in bounds]
    if wider is not None:
        error = np.nan_to_num(wider[known])
        bounds = [median + np.copysign(np.hypot(b - median, error), b - median) for b in bounds]
    values = {
        "nmad": nmad(truth, median),
        "bias": np.median(median - truth),
        "coverage": coverage(truth, *bounds[:2]),
    }
    if len(bounds) > 2:
        values["coverage 90"] = coverage(truth, *bounds[2:])
    for name, value in values.items():
        yield Score(*group, name, len(truth), float(value), *(aims or {}).get(name, Aim()))
