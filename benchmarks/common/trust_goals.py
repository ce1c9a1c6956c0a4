"""The goals for a released model, and its scores on each."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.trust_boosting import Boosting
from common.trust_scores import FEWEST, Aim, Score, interval_of, score_label
from common.trust_stars import BASIC, BRIGHT, FAINT, INPUTS, Samples, numbers, own_g, tell
from msaestimator import StellarParameterRegressor
from msaestimator.exceptions import MissingColumnWarning
from msaestimator.results import PredictionFlag
from msaestimator.schema import StarTable

__all__ = ["GOALS", "Goal", "Model"]

LABELS = ("teff", "logg", "fe_h", "alpha_m")
DEEP = 18.5
"""G of copies that have no coefficients any more."""

COLORS = {
    "no XP, with PS1": (*BASIC[1:], "ps1"),
    "no XP, with SDSS": (*BASIC[1:], "sdss"),
    "no XP, with SkyMapper": (*BASIC[1:], "skymapper"),
}
GIANT = 3.5
"""Log g below which a star is called a giant."""

FIELD_BINS = ((9.0, 13.0), (13.0, 14.5), (14.5, 15.5), (15.5, 16.5), (16.5, 17.7))
HOT = {"7,000 to 10,000 K": (7e3, 1e4, 0.05), "10,000 to 25,000 K": (1e4, 2.5e4, 0.10)}
"""Range of Teff and the largest relative error that is aimed at."""

ZERO_POINT = 0.03
"""What measured parallaxes of DR3 lack of true ones, in mas."""

SURE = 10.0
"""Least ratio to its error of a parallax that is compared with."""

GROUPS_OF_STARS = {
    "teff": (3e3, 3.75e3, 4.5e3, 5e3, 5.5e3, 6e3, 7e3, 8.5e3, 1e4, 1.4e4, 2e4),
    "fe_h": (-2.5, -1.5, -1.0, -0.7, -0.45, -0.25, -0.1, 0.05, 0.2, 0.5),
    "ebv": (0.0, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.4),
}
"""Edges of the groups that errors are drawn by."""


class Model:
    """A model that is asked, and what it is told.

    Parameters
    ----------
    regressor : StellarParameterRegressor
        The model.
    """

    def __init__(self, regressor: StellarParameterRegressor) -> None:
        self.regressor = regressor
        self._known: dict[tuple[int, tuple[str, ...]], tuple[StarTable, StarTable]] = {}

    def answers(self, stars: StarTable, blocks: tuple[str, ...]) -> StarTable:
        """Return the answers with 68 % intervals, of stars with what blocks tell of them.

        A table that was asked for before is not asked for again.
        """
        key = id(stars), blocks
        if key not in self._known:
            with warnings.catch_warnings():
                # What is not told, or not known to the model, is so on purpose.
                warnings.simplefilter("ignore", MissingColumnWarning)
                table = self.regressor.predict_table(tell(stars, blocks), level=0.68)
            # The stars are kept, so that no others get their ``id``.
            self._known[key] = stars, table
        return self._known[key][1]

    def of(self, labels: Sequence[str]) -> list[str]:
        """Return those of some labels that the model answers."""
        return [label for label in labels if label in self.regressor.labels_]

    def bounds(self, stars: StarTable, blocks: tuple[str, ...], level: float) -> np.ndarray:
        """Return intervals of another level, (n_stars, n_labels, 2)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingColumnWarning)
            return self.regressor.predict_interval(tell(stars, blocks), level)

    def scores(
        self,
        goal: str,
        group: str,
        stars: StarTable,
        blocks: tuple[str, ...],
        aims: Mapping[str, Mapping[str, Aim]],
    ) -> Iterator[Score]:
        """Yield scores of all labels that ``aims`` names and the model answers."""
        answers = self.answers(stars, blocks) if len(stars) >= FEWEST else None
        for label in self.of([*aims]) if answers is not None else ():
            key = goal, group, BRIGHT, label
            interval = interval_of(answers, label)
            yield from score_label(key, numbers(stars, label), interval, aims[label])


def bright(samples: Samples, model: Model, boosting: Boosting) -> Iterator[Score]:
    """Yield scores of stars as bright as they are, with ratios to boosting."""
    kept = {"XP": (0.57, 0.70, 0.68, 0.61), "photometry": (0.64, 0.77, 0.75, 0.67)}
    views = {**{name: INPUTS[name] for name in kept}, **COLORS}
    for group, blocks in views.items():
        most = dict(zip(LABELS, kept.get(group, (0.6,) * 4), strict=True))
        if group == "XP":
            most = {label: min(ratio, 0.6) for label, ratio in most.items()}
        for score in model.scores(
            "bright", group, samples.at(BRIGHT), blocks, {n: {} for n in LABELS}
        ):
            yield score
            theirs = boosting.nmad("bright", "XP" if group == "XP" else "photometry", score.label)
            if score.score == "nmad" and theirs:
                ratio = score.value / theirs
                key = (*score.key[:4], "ratio")
                yield Score(*key, score.n_stars, ratio, high=most[score.label])


def parallax(samples: Samples, model: Model, boosting: Boosting) -> Iterator[Score]:
    """Yield scores of stars with a parallax, told or not."""
    stars = samples.at(BRIGHT, parallax=True)
    most = {"XP, parallax": 0.094, "photometry, parallax": 0.143}
    for group, blocks in INPUTS.items():
        aims: dict[str, dict[str, Aim]] = {label: {} for label in LABELS}
        if group in most:
            aims["logg"] = {"nmad": Aim(high=most[group])}
        yield from model.scores("parallax", group, stars, blocks, aims)


def fainter(samples: Samples, model: Model, boosting: Boosting) -> Iterator[Score]:
    """Yield scores of fainter copies, beside boosting's that learned from such.

    The same stars follow as often as the sky has their kinds, without aims.
    """
    for g in FAINT:
        stars, group = samples.at(g), f"G = {g:g}"
        if len(stars) < FEWEST:
            continue
        answers = model.answers(stars, BASIC)
        as_on_sky = samples.as_on_sky(g)
        for label in model.of(LABELS):
            aims = {"coverage": Aim(0.64, 0.72)}
            if theirs := boosting.nmad("fainter", group, label):
                off = 0.15 * theirs
                aims |= {"nmad": Aim(high=0.8 * theirs), "bias": Aim(-off, off)}
            truth, interval = numbers(stars, label), interval_of(answers, label)
            yield from score_label(("fainter", group, g, label), truth, interval, aims)
            mixed = [values[as_on_sky] for values in interval]
            key = "fainter", f"{group}, kinds as on the sky", g, label
            yield from score_label(key, truth[as_on_sky], mixed)


def field(samples: Samples, model: Model, boosting: Boosting) -> Iterator[Score]:
    """Yield how many stars of a high-latitude field are called giants, and flagged."""
    if len(samples.field) < FEWEST or "logg" not in model.regressor.labels_:
        return
    shares = {
        "giants": Aim(high=0.15),
        "extrapolated": Aim(high=0.03),
        "out of range": Aim(high=0.05),
    }
    for told, blocks in (("told", BASIC), ("not told", BASIC[:3])):
        answers = model.answers(samples.field, blocks)
        flags = np.asarray(answers["flags"])
        is_so = {
            "giants": answers["logg"].value < GIANT,
            "extrapolated": (flags & PredictionFlag.EXTRAPOLATION) != 0,
            "out of range": (flags & PredictionFlag.OUT_OF_RANGE_INPUT) != 0,
        }
        g = own_g(samples.field)
        for low, high in FIELD_BINS:
            rows = (g >= low) & (g < high)
            if rows.sum() >= FEWEST:
                for share, aim in shares.items():
                    key = f"G {low:g} to {high:g}, E(B-V) {told}", (low + high) / 2, ""
                    value = float(is_so[share][rows].mean())
                    yield Score("field", *key, share, int(rows.sum()), value, *aim)


def dwarfs(samples: Samples, model: Model, boosting: Boosting) -> Iterator[Score]:
    """Yield scores of nearby dwarfs with three magnitudes and a parallax, of a second survey."""
    aims = {
        "teff": {"nmad": Aim(high=130.0), "coverage": Aim(low=0.6)},
        "logg": {"nmad": Aim(high=0.12), "coverage": Aim(low=0.6)},
        "fe_h": {"nmad": Aim(high=0.18), "bias": Aim(-0.08, 0.08), "coverage": Aim(low=0.6)},
    }
    blocks = ("gaia", "astrometry")
    yield from model.scores("dwarfs", "G, BP, RP, parallax", samples.near_dwarfs, blocks, aims)
    no_aims: dict[str, dict[str, Aim]] = {label: {} for label in aims}
    every = INPUTS["everything"]
    yield from model.scores("dwarfs", "all magnitudes too", samples.near_dwarfs, every, no_aims)
    yield from model.scores("dwarfs", "all its stars", samples.photometry, every, no_aims)


def hot(samples: Samples, model: Model, boosting: Boosting) -> Iterator[Score]:
    """Yield relative errors of hot stars' Teff."""
    if "teff" not in model.regressor.labels_:
        return
    teff = numbers(samples.apogee, "teff")
    for group, (low, high, most) in HOT.items():
        stars = samples.apogee[(teff > low) & (teff < high)]
        if len(stars) < FEWEST:
            continue
        aims = {"nmad": Aim(high=most), "bias": Aim(-most / 3, most / 3)}
        truth = numbers(stars, "teff")
        relative = [v / truth for v in interval_of(model.answers(stars, BASIC), "teff")]
        key = "hot", group, BRIGHT, "relative teff"
        yield from score_label(key, np.ones(len(stars)), relative, aims)


def known_stars(samples: Samples, model: Model, boosting: Boosting) -> Iterator[Score]:
    """Yield scores of mass, age and parallax beside those known otherwise."""
    every = INPUTS["everything"]
    has_age = np.isfinite(numbers(samples.apogee, "published_age"))
    seismic = samples.seismic
    tested = np.asarray(seismic["is_test"], dtype=bool)
    young = {"nmad": Aim(high=2.0)}
    for group, label, stars, aims in (
        ("seismic, all", "mass", seismic, {"nmad": Aim(high=0.2)}),
        ("seismic, never trained on", "mass", seismic[tested], {}),
        ("seismic, all", "age", seismic, {}),
        ("published age", "age", samples.apogee[has_age], young),
    ):
        if label in model.regressor.labels_ and len(stars):
            name = f"{group.split()[0].strip(',')}_{label}"
            answers = interval_of(model.answers(stars, every), label)
            errors = numbers(stars, f"{name}_err")
            key = "known", group, BRIGHT, label
            yield from score_label(key, numbers(stars, name), answers, aims, errors)
    yield from spectrophotometric(samples, model)


def spectrophotometric(samples: Samples, model: Model) -> Iterator[Score]:
    """Yield scores of log parallax beside Gaia's, hidden or told."""
    if "parallax" not in model.regressor.labels_:
        return
    stars = samples.apogee
    measured, error = numbers(stars, "parallax"), numbers(stars, "parallax_error")
    sure = measured > SURE * error
    stars, measured, error = stars[sure], measured[sure] + ZERO_POINT, error[sure]
    if len(stars) < FEWEST:
        return
    hidden = tuple(block for block in INPUTS["everything"] if block != "astrometry")
    views = {
        "parallax hidden": (hidden, {"nmad": Aim(high=0.05)}),
        "parallax hidden, XP alone": (BASIC, {}),
        "parallax told": (INPUTS["everything"], {}),
    }
    for group, (blocks, aims) in views.items():
        interval = [np.log10(v) for v in interval_of(model.answers(stars, blocks), "parallax")]
        key = "known", group, BRIGHT, "log parallax"
        relative_error = error / measured / np.log(10.0)
        yield from score_label(key, np.log10(measured), interval, aims, relative_error)
    for g in FAINT:
        near, copies = samples.apogee[own_g(samples.apogee) < g], samples.at(g)
        parallax = numbers(near, "parallax")
        known = parallax > SURE * numbers(near, "parallax_error")
        # As much smaller as the star is farther away.
        truth = np.log10(parallax + ZERO_POINT) - 0.2 * (g - own_g(near))
        answers = interval_of(model.answers(copies[known], hidden), "parallax")
        key = "known", f"parallax hidden, G = {g:g}", BRIGHT, "log parallax"
        yield from score_label(key, truth[known], [np.log10(v) for v in answers], {})


def inputs(samples: Samples, model: Model, boosting: Boosting) -> Iterator[Score]:
    """Yield scores by G and what is told, with 68 and 90 % intervals."""
    aims = {"coverage": Aim(0.65, 0.71), "coverage 90": Aim(0.87, 0.93)}
    for g in (BRIGHT, *FAINT, DEEP):
        for group, blocks in INPUTS.items():
            if g == DEEP and group.startswith("XP"):
                continue
            stars = samples.at(g, parallax="parallax" in group)
            if len(stars) < FEWEST:
                continue
            answers = model.answers(stars, blocks)
            wide = model.bounds(stars, blocks, 0.9)
            for label in model.of(LABELS):
                lower, upper = wide[:, model.regressor.labels_.index(label)].T
                interval = [*interval_of(answers, label), lower, upper]
                key = "inputs", group, g, label
                yield from score_label(key, numbers(stars, label), interval, aims)


def kinds(samples: Samples, model: Model, boosting: Boosting) -> Iterator[Score]:
    """Yield scores by Teff, [Fe/H] and E(B-V), of stars as bright as they are."""
    for group, blocks in INPUTS.items():
        stars = samples.at(BRIGHT, parallax="parallax" in group)
        if len(stars) < FEWEST:
            continue
        answers = model.answers(stars, blocks)
        for name, edges in GROUPS_OF_STARS.items():
            which = np.digitize(numbers(stars, name), edges)
            for k, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True), 1):
                rows = which == k
                for label in model.of(LABELS):
                    interval = [values[rows] for values in interval_of(answers, label)]
                    key = f"by {name}", group, (low + high) / 2, label
                    yield from score_label(key, numbers(stars, label)[rows], interval)


@dataclass(frozen=True)
class Goal:
    """What a model should do.

    Parameters
    ----------
    title : str
        Goal in words.
    scores : callable
        Function from stars, model and boosting's errors to the scores.
    """

    title: str
    scores: Callable[[Samples, Model, Boosting], Iterator[Score]]


GOALS = {
    "bright": Goal("bright stars", bright),
    "parallax": Goal("stars with a parallax", parallax),
    "fainter": Goal("stars made fainter", fainter),
    "field": Goal("a field at high latitude", field),
    "dwarfs": Goal("nearby dwarfs without spectra", dwarfs),
    "hot": Goal("hot stars", hot),
    "known": Goal("mass, age, parallax", known_stars),
    "inputs": Goal("intervals by G and inputs", inputs),
    "kinds": Goal("errors by kind of star", kinds),
}
"""Goals by name; the scores of ``kinds`` have no aims, and go by ``by teff`` and so on."""
