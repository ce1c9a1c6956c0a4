r"""Where a released model can be trusted: its scores beside the goals for it.

Run from the repository's root, with the stars that ``scripts/release/gather.py`` gathers::

    python benchmarks/trusted.py --stars build/gaia-xp/stars.parquet

scores the model on stars that it has not learned from, as they are and made fainter, with spectra
and without, and writes a table a goal, a summary, figures, and all scores as
``trusted_MODEL.ecsv``. ``--goals fainter field`` measures these alone, and keeps other scores.
``--beside`` is such a file of another model: its scores stand beside, and its errors on bright
stars are to be kept. Errors of gradient boosting are those stated with the goals;
``--boosting FILE`` reads others, and ``--train-boosting`` trains it on the same stars, and on
fainter copies, writes them there, and ends.

Without ``--stars`` the packaged test stars are scored.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from common.figures import save_figure
from common.options import make_parser, read_options
from common.tables import ResultTable, run_of_this_process
from common.trust_boosting import Boosting, train_boosting
from common.trust_figures import draw_by, draw_field
from common.trust_goals import GOALS, Model
from common.trust_scores import Score, Scores
from common.trust_stars import Samples, own_g, with_sides
from common.trust_tables import TITLES, interval_rows, score_rows, summary_row

from msaestimator import StellarParameterRegressor
from msaestimator.estimators import DEFAULT_MODEL

TABLES = {
    "bright": "trusted_bright.inc",
    "parallax": "trusted_parallax.inc",
    "fainter": "trusted_fainter.inc",
    "field": "trusted_field.inc",
    "dwarfs": "trusted_dwarfs.inc",
    "hot": "trusted_hot.inc",
    "known": "trusted_known.inc",
}
"""Files of the goals' tables, a row for each group and label."""

SUMMARY = "trusted.inc"
INTERVALS = "trusted_intervals.inc"
BESIDE = Path("docs/performance/trusted_apogee-xp.ecsv")
FIGURES = {
    "inputs": "trusted_g",
    "by teff": "trusted_teff",
    "by fe_h": "trusted_fe_h",
    "by ebv": "trusted_ebv",
}
"""Names of figures, by what errors are drawn against."""

KEPT = ("XP", "photometry")
"""What is told of bright stars whose errors should not grow."""

LABELS = ("teff", "logg", "fe_h", "alpha_m")


def main() -> None:
    """Score, compare, write and draw."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="released, or a folder")
    parser.add_argument("--stars", type=Path, help="table of all samples")
    parser.add_argument("--goals", nargs="+", choices=GOALS, default=list(GOALS), help="some")
    parser.add_argument("--beside", type=Path, default=BESIDE, help="scores of another model")
    parser.add_argument("--boosting", type=Path, help="table of boosting's errors")
    parser.add_argument("--train-boosting", action="store_true", help="train it, and end")
    parser.add_argument("--trees", type=int, default=400, help="of the boosting")
    options = read_options(parser, trees=5)
    if options.train_boosting:
        stars = with_sides(options.stars, toy=options.toy)
        train_boosting(stars, options.boosting, LABELS, max_iter=options.trees)
        return
    samples = Samples(options.stars, toy=options.toy)
    scores = measure(options, samples)
    beside = Scores.read(options.beside) if options.beside.exists() else None
    if beside is not None and beside.model == scores.model:
        beside = None
    for group in KEPT:
        scores.keep("bright", group, beside)
    scores.write(stored(options))
    write(options, scores, beside)
    draw(options, scores, beside, samples)


def measure(options: argparse.Namespace, samples: Samples) -> Scores:
    """Return the scores of the model; those of goals that are not asked for are as they were."""
    model = Model(StellarParameterRegressor.from_pretrained(options.model))
    boosting = Boosting(options.boosting)
    found: list[Score] = []
    for name in options.goals:
        start = time.perf_counter()
        found += GOALS[name].scores(samples, model, boosting)
        print(f"{name}: {time.perf_counter() - start:.1f} s", flush=True)
    path = stored(options)
    if path.exists() and len(options.goals) < len(GOALS):
        measured = {score.goal for score in found}
        found += [score for score in Scores.read(path).all if score.goal not in measured]
    return Scores(Path(options.model).name, found, run_of_this_process())


def stored(options: argparse.Namespace) -> Path:
    """Return the file of a model's scores."""
    return options.tables / f"trusted_{Path(options.model).name}.ecsv"


def write(options: argparse.Namespace, scores: Scores, beside: Scores | None) -> None:
    """Write a table for each goal, and one of all."""
    other = [] if beside is None else [beside.model]
    summary = ResultTable(options.tables / SUMMARY, ("goals for", "aims", "met", *other))
    for name, file in TABLES.items():
        rows = scores.of_goal(name)
        columns = list(dict.fromkeys(score.score for score in rows))
        titles = [TITLES[column] for column in columns]
        table = ResultTable(options.tables / file, ("stars", "number", *titles, *other))
        for row in score_rows(rows, columns, beside):
            table.add(*row)
    table = ResultTable(options.tables / INTERVALS, ("stars, told", "number", *LABELS))
    for row in interval_rows(scores.of_goal("inputs"), LABELS):
        table.add(*row)
    for name, goal in GOALS.items():
        if any(score.aim for score in scores.of_goal(name)):
            summary.add(*summary_row(goal.title, scores.of_goal(name), beside))


def draw(
    options: argparse.Namespace, scores: Scores, beside: Scores | None, samples: Samples
) -> None:
    """Draw errors, offsets and coverage, and what becomes of the field."""
    bright = float(np.median(own_g(samples.apogee)))
    for goal, name in FIGURES.items():
        if scores.of_goal(goal):
            figure = draw_by(goal, scores, beside, bright)
            dashed = f"; dashed: {beside.model}" if beside else ""
            save_figure(figure, options, name, f"{scores.model}{dashed}")
    if scores.of_goal("field"):
        save_figure(draw_field(scores, beside), options, "trusted_field")


if __name__ == "__main__":
    main()
