"""Tables of scores beside their aims."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from common.trust_scores import Score, Scores
from msaestimator.schema import get_label

__all__ = ["TITLES", "interval_rows", "score_rows", "summary_row"]

TITLES = {
    "nmad": "NMAD",
    "ratio": "of boosting's",
    "bias": "median offset",
    "coverage": "in the 68 % interval",
    "giants": "called giants",
    "extrapolated": "extrapolated",
    "out of range": "out of range",
}
"""Titles of columns, by score."""

NONE = "–"


def in_words(value: float, score: Score) -> str:
    """Return a value of a score as text, with digits enough to tell it from its aim."""
    if score.score not in ("nmad", "bias", "ratio"):
        return f"{100 * value:.3g}%"
    sign = "+" if score.score == "bias" else ""
    if score.label == "relative teff":
        return f"{value:{sign}.1%}"
    is_teff = score.label == "teff" and score.score != "ratio"
    return f"{value:{sign}.1f}" if is_teff else f"{value:{sign}.3f}"


def aim_in_words(score: Score) -> str:
    """Return what was aimed at as text, empty for nothing."""
    if score.aim is None:
        return ""
    low, high = (in_words(end, score).lstrip("+") for end in score.aim)
    if score.low == -score.high:
        return f" (±{high})"
    if np.isinf(score.low):
        return f" (≤ {high})"
    return f" (≥ {low})" if np.isinf(score.high) else f" ({low} to {high})"


def cell(score: Score | None) -> str:
    """Return a score and its aim as text, in bold face where it misses the aim."""
    if score is None:
        return NONE
    value = in_words(score.value, score)
    return f"{value if score.is_met else f'**{value}**'}{aim_in_words(score)}"


def title_of(score: Score) -> str:
    """Return the name of a row."""
    if not score.label:
        return score.group
    if score.label == "relative teff":
        return f"{score.group}, teff"
    unit = "dex" if score.label == "log parallax" else get_label(score.label).unit
    return f"{score.group}, {score.label} [{unit}]"


def score_rows(
    scores: Sequence[Score], columns: Sequence[str], beside: Scores | None
) -> Iterator[list[str]]:
    """Yield the cells of a row for each group and label.

    Parameters
    ----------
    scores : sequence of Score
        Scores of one goal.
    columns : sequence of str
        Names of the scores that have columns.
    beside : Scores, optional
        Scores of another model, which stand in the last cell.
    """
    rows: dict[str, dict[str, Score]] = {}
    for score in scores:
        rows.setdefault(title_of(score), {})[score.score] = score
    for title, row in rows.items():
        first = next(iter(row.values()))
        cells = [title, f"{first.n_stars}", *(cell(row.get(name)) for name in columns)]
        yield [*cells, *_beside([row.get(name) for name in columns], beside)]


def _beside(scores: Iterable[Score | None], beside: Scores | None) -> list[str]:
    if beside is None:
        return []
    theirs = [score and beside.like(score) for score in scores]
    return [" / ".join(NONE if s is None else in_words(s.value, s) for s in theirs)]


def interval_rows(scores: Sequence[Score], labels: Sequence[str]) -> Iterator[list[str]]:
    """Yield a row for each group and G: of each label how many 68 and 90 % intervals hold it."""
    groups = {(score.at, score.group): None for score in scores}
    for at, group in groups:
        here = {(s.label, s.score): s for s in scores if (s.at, s.group) == (at, group)}
        n_stars = max(score.n_stars for score in here.values())
        pairs = [[here.get((n, s)) for s in ("coverage", "coverage 90")] for n in labels]
        cells = [" / ".join(_plain(score) for score in pair) for pair in pairs]
        yield [f"{f'G = {at:g}' if at else 'as they are'}, {group}", f"{n_stars}", *cells]


def _plain(score: Score | None) -> str:
    """Return a score without its aim."""
    return NONE if score is None else cell(score).split(" ")[0]


def summary_row(title: str, scores: Sequence[Score], beside: Scores | None) -> list[str]:
    """Return the cells of a row: how many aims a model meets, and which it misses by most."""
    aimed = [score for score in scores if score.aim]
    met = sum(score.is_met for score in aimed)
    cells = [title, f"{len(aimed)}", f"{met}"]
    if beside is None:
        return cells
    theirs = [other for score in aimed if (other := beside.like(score))]
    return (
        [*cells, f"{sum(s.low <= o.value <= s.high for s, o in _pairs(aimed, beside))}"]
        if theirs
        else [*cells, NONE]
    )


def _pairs(scores: Iterable[Score], beside: Scores) -> Iterator[tuple[Score, Score]]:
    for score in scores:
        other = beside.like(score)
        if other is not None:
            yield score, other
