r"""A fast model beside the one that taught it: errors in every group of stars, and rates.

Run from the repository's root, with the stars that ``scripts/release/gather.py`` gathers::

    python benchmarks/fast_model.py --stars build/gaia-xp/stars.parquet

The groups, and what is told of their stars, are those of ``benchmarks/trusted.py``, which stored
the teacher's errors; neither model has learned from these stars. Without ``--stars`` the packaged
test stars are scored, of both models. Rates are stars a second of CPU time on one thread: the
models take turns, so that other work on the machine slows both alike. ``--parts rates`` measures
these alone.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from common.options import make_parser, read_options
from common.tables import ResultTable
from common.trust_boosting import Boosting
from common.trust_goals import GOALS, Model
from common.trust_scores import Score, Scores
from common.trust_stars import Samples

from msaestimator import StellarParameterRegressor
from msaestimator.catalogs import predict_catalog
from msaestimator.datasets import load_apogee_xp
from msaestimator.tables import write_stars

LABELS = ("teff", "logg", "fe_h", "alpha_m")
OTHERS = ("mass", "age", "log parallax", "relative teff")
MOST = 1.05
"""Ratio of NMADs up to which a fast model is as good."""

SKY = 220e6
"""Stars of Gaia DR3 with XP spectra."""

CORES = 2

STORED = Path("docs/performance/trusted_gaia-xp.ecsv")
"""The teacher's scores."""

GOAL_OF = {"by teff": "kinds", "by fe_h": "kinds", "by ebv": "kinds"}
"""Goals that scores by kind of star belong to."""

Way = Callable[[StellarParameterRegressor], object]


def nmads(model: str, samples: Samples) -> Scores:
    """Return the NMADs of a released model, or of one in a folder."""
    asked = Model(StellarParameterRegressor.from_pretrained(model))
    found = (
        score for goal in GOALS.values() for score in goal.scores(samples, asked, Boosting(None))
    )
    return Scores(model, (score for score in found if score.score == "nmad"), "")


def ratios(fast: Scores, teacher: Scores) -> dict[Score, float]:
    """Return the fast model's NMAD over its teacher's, by the fast model's score."""
    pairs = ((score, teacher.like(score)) for score in fast.all)
    return {score: score.value / other.value for score, other in pairs if other and other.value}


def in_words(ratio: float) -> str:
    """Return a ratio as text, in bold face where it is too large."""
    return f"{ratio:.3f}" if ratio <= MOST else f"**{ratio:.3f}**"


def write_summary(found: Mapping[Score, float], path: Path) -> None:
    """Write a row for each goal: how many ratios there are, and how large they are."""
    header = ("goal", "NMADs", "median ratio", f"above {MOST}", "largest ratio", "which is of")
    table = ResultTable(path, header)
    goals: dict[str, dict[Score, float]] = {}
    for score, ratio in found.items():
        goals.setdefault(GOAL_OF.get(score.goal, score.goal), {})[score] = ratio
    for goal, of_goal in {**goals, "all": dict(found)}.items():
        worst = max(of_goal, key=of_goal.__getitem__)
        values = np.array([*of_goal.values()])
        at = f" at {worst.at:g}" if worst.at else ""
        told = f"{worst.group}{at}, {worst.label} ({worst.n_stars} stars)"
        cells = f"{np.median(values):.3f}", (values > MOST).sum(), f"{values.max():.3f}", told
        table.add(GOALS[goal].title if goal in GOALS else goal, len(values), *cells)


def write_groups(found: Mapping[Score, float], path: Path) -> None:
    """Write a row for each group of stars; those by kind are too many."""
    table = ResultTable(path, ("stars, told", "number", *LABELS, "other labels"))
    groups: dict[str, list[Score]] = {}
    for score in found:
        if score.goal not in GOAL_OF:
            at = f", G = {score.at:g}" if score.at and score.goal == "inputs" else ""
            groups.setdefault(f"{GOALS[score.goal].title}: {score.group}{at}", []).append(score)
    for name, scores in groups.items():
        by_label = {score.label: in_words(found[score]) for score in scores}
        others = ", ".join(f"{label} {by_label[label]}" for label in OTHERS if label in by_label)
        cells = [by_label.get(label, "–") for label in LABELS]
        table.add(name, max(score.n_stars for score in scores), *cells, others)


def ways(options: argparse.Namespace, folder: Path) -> dict[str, Way]:
    """Return what models are asked for, by name."""
    packaged = load_apogee_xp()
    known = StellarParameterRegressor.from_pretrained(options.fast).reader_.without_unseen(
        packaged
    )
    stars = known[np.arange(options.rate_stars) % len(known)]
    stars["source_id"] = np.arange(1, len(stars) + 1)
    write_stars(stars, folder / "xp" / "stars.parquet")
    features = torch.from_numpy(np.resize(np.float32(0.1), (options.rate_stars, 1)))

    def network(model: StellarParameterRegressor) -> None:
        every = features.expand(-1, len(model.feature_names_)).contiguous()
        with torch.inference_mode():
            for batch in every.split(model.inference_batch_size):
                model.module_.quantiles(batch)

    def catalog(model: StellarParameterRegressor) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as output:
            predict_catalog(model, folder / "xp", Path(output) / "out", progress=False)

    return {
        "network": network,
        "predict": lambda model: model.predict(stars),
        "predict_table": lambda model: model.predict_table(stars),
        "predict_catalog": catalog,
    }


def cpu_seconds(way: Way, model: StellarParameterRegressor) -> float:
    """Return the CPU time of a way to ask a model."""
    started = time.process_time()
    way(model)
    return time.process_time() - started


def write_rates(options: argparse.Namespace, path: Path) -> None:
    """Write the rates of both models, a row for each thing they are asked for."""
    models = [
        StellarParameterRegressor.from_pretrained(name, device="cpu")
        for name in (options.teacher, options.fast)
    ]
    torch.set_num_threads(1)
    hours = f"hours of {SKY / 1e6:.0f} million stars on {CORES} cores"
    names = [Path(name).name for name in (options.teacher, options.fast)]
    columns = (*(f"{name}, stars/s" for name in names), "ratio", f"{names[1]}, {hours}")
    table = ResultTable(path, ("what", *columns))
    with tempfile.TemporaryDirectory() as folder:
        for name, way in ways(options, Path(folder)).items():
            rounds = range(options.rounds + 1)
            seconds = np.array([[cpu_seconds(way, model) for model in models] for _ in rounds])
            # The first round does not count.
            teacher, fast = np.median(seconds[1:], axis=0)
            ratio = np.median(seconds[1:, 0] / seconds[1:, 1])
            rate = options.rate_stars / fast
            time_of_all = f"{SKY / rate / CORES / 3600:.1f}"
            table.add(
                name,
                f"{options.rate_stars / teacher:,.0f}",
                f"{rate:,.0f}",
                f"{ratio:.2f}",
                time_of_all,
            )


def main() -> None:
    """Score both models, and measure their rates."""
    parser = make_parser(__doc__)
    parser.add_argument("--fast", default="gaia-xp-fast", help="released, or a folder")
    parser.add_argument("--teacher", default="gaia-xp", help="released, or a folder")
    parser.add_argument("--stars", type=Path, help="table of all samples")
    parser.add_argument(
        "--parts", nargs="+", choices=("errors", "rates"), default=["errors", "rates"]
    )
    parser.add_argument("--rate-stars", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = read_options(parser, rate_stars=100, rounds=1)
    if "errors" in options.parts:
        samples = Samples(options.stars, toy=options.toy)
        teacher = Scores.read(STORED) if options.stars else nmads(options.teacher, samples)
        found = ratios(nmads(options.fast, samples), teacher)
        write_groups(found, options.tables / "fast_model_groups.inc")
        write_summary(found, options.tables / "fast_model.inc")
    if "rates" in options.parts:
        write_rates(options, options.tables / "fast_model_rates.inc")


if __name__ == "__main__":
    main()
