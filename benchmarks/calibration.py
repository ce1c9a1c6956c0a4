"""Coverage of calibrated intervals on the test stars, overall and in bins.

Run from the repository's root::

    python benchmarks/calibration.py [--model FOLDER] [--stars TABLE.parquet]

Trains the default regressor on the training stars, or loads a saved one, and prints coverage minus
level in percentage points of each label that APOGEE measured, with XP coefficients and without
them: overall, and in the worst bin of at least 300 stars in predicted Teff and [Fe/H] and in G.
Then the z-scores' half width that holds 68 % and their standard deviation, which outliers raise;
and the standard deviation of scores that allow for the tails: the deviate of a normal distribution
at which the truth lies in the star's own, that of all its intervals. A table for the page has the
largest of all labels' deviations, and the root mean square over bins and the worst, beside those
of perfect intervals in as many bins of so few stars. With ``--by-truth`` the bins are in the true
Teff and [Fe/H]; with ``--stars`` the test stars of further tables, such as the released model's,
are scored too; ``--bins`` is how many at most. The test stars are used for nothing else.
"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from common.options import make_parser, read_options
from common.stars import HALVES, UNITS, load_split
from common.tables import ResultTable
from scipy.stats import norm

from msaestimator import StellarParameterRegressor
from msaestimator.metrics import coverage, z_scores
from msaestimator.schema import StarTable

HEADER = (
    "model, stars, intervals",
    "all stars: most of any label",
    "bins: root mean square",
    "by chance",
    "the worst bin",
    "by chance",
)
LEVELS = (0.50, 0.68, 0.90, 0.95)
DEVIATES = np.linspace(0.05, 4, 80)
"""Half the widths of the intervals that make up a star's distribution, if it were normal."""


def main() -> None:
    """Train or load, score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", help="folder of a saved regressor")
    parser.add_argument("--by-truth", action="store_true")
    parser.add_argument("--stars", type=Path, nargs="*", default=[], help="further tables")
    parser.add_argument("--bins", type=int, default=8)
    parser.add_argument("--least-stars", type=int, default=300, help="in a bin")
    parser.add_argument("--epochs", type=int, default=30, help="if none is loaded")
    options = read_options(parser, epochs=1, least_stars=20)
    training, test = load_split(toy=options.toy, further=options.stars)
    if options.model:
        regressor = StellarParameterRegressor.from_pretrained(options.model)
    else:
        regressor = StellarParameterRegressor(random_state=0, max_epochs=options.epochs)
        regressor.fit(training)
    found = {"all": {level: [] for level in LEVELS}, "bins": {level: [] for level in LEVELS}}
    rows = [
        row
        for half, hide in HALVES.items()
        for row in score(regressor, half, hide(test), options, found)
    ]
    Table(rows).pprint(max_lines=-1, max_width=-1)
    table = ResultTable(options.tables / "calibration.inc", HEADER)
    for level in LEVELS:
        overall = np.abs([off for off, _ in found["all"][level]]).max()
        cells = tell(level, *np.transpose(found["bins"][level]))
        name = f"{options.model or 'default'}, {len(test):,}, {level:.0%}"
        table.add(name, *(f"{100 * off:.1f}" for off in (overall, *cells)))


def tell(level: float, off: np.ndarray, n_stars: np.ndarray) -> tuple[float, ...]:
    """Return how far coverage is off in bins of so many stars, and were all intervals perfect.

    These are the root mean square over bins and the worst, each beside its chance.
    """
    rng = np.random.default_rng(0)
    perfect = rng.binomial(n_stars.astype(int), level, (1000, len(n_stars))) / n_stars - level
    rms = [np.sqrt(np.mean(values**2)) for values in (off, perfect)]
    worst = [np.abs(off).max(), np.median(np.abs(perfect).max(axis=1))]
    return (*rms, *worst)


def score(
    regressor: StellarParameterRegressor,
    half: str,
    stars: StarTable,
    options: Namespace,
    found: dict[str, dict[float, list]],
) -> Iterator[dict[str, Any]]:
    """Yield a row of the table for each label; add deviations and stars to ``found``."""
    table = regressor.predict_table(stars)
    bounds = {level: regressor.predict_interval(stars, level) for level in LEVELS}
    distribution = distributions(regressor, stars)
    source = stars if options.by_truth else table
    for label, unit in UNITS.items():
        position = regressor.labels_.index(label)
        truth = np.ma.filled(stars[label].to_value(unit), np.nan)
        row = {"half": half, "label": label}
        values = {
            "all": np.zeros(len(stars)),
            "teff": source["teff"].value,
            "fe_h": source["fe_h"].value,
            "G": stars["phot_g_mean_mag"].value,
        }
        for name, column in values.items():
            known = np.flatnonzero(np.isfinite(truth) & np.isfinite(column))
            most = 1 if name == "all" else options.bins
            rows = bins(column, known, min(most, len(known) // options.least_stars))
            for level in LEVELS:
                low, high = bounds[level][:, position].T
                off = [coverage(truth[b], low[b], high[b]) - level for b in rows]
                row[f"{name} {level:.0%}"] = round(100 * max(off, key=abs), 1)
                kind = "all" if name == "all" else "bins"
                found[kind][level].extend(zip(off, map(len, rows), strict=True))
        z = z_scores(truth, *(table[label + s].value for s in ("_lower", "", "_upper")))
        low, high = np.nanquantile(z, [0.16, 0.84])
        spread = np.nanstd(normal_scores(truth, distribution[:, position]))
        yield row | {
            "z 68%": round((high - low) / 2, 2),
            "z std": round(np.nanstd(z), 2),
            "score std": round(spread, 2),
        }


def distributions(regressor: StellarParameterRegressor, stars: StarTable) -> np.ndarray:
    """Return the ends of the intervals of all `DEVIATES`, rising, (n_stars, n_labels, 160)."""
    levels = 1 - 2 * norm.sf(DEVIATES)
    ends = np.stack([regressor.predict_interval(stars, level) for level in levels], axis=-1)
    return np.concatenate([ends[:, :, 0, ::-1], ends[:, :, 1]], axis=-1)


def normal_scores(truth: np.ndarray, distribution: np.ndarray) -> np.ndarray:
    """Return the deviates at which truths lie in distributions, NaN where one is unknown."""
    deviates = np.concatenate([-DEVIATES[::-1], DEVIATES])
    scores = [np.interp(y, row, deviates) for y, row in zip(truth, distribution, strict=True)]
    return np.where(np.isfinite(truth), scores, np.nan)


def bins(values: np.ndarray, known: np.ndarray, n_bins: int) -> list[np.ndarray]:
    """Return the rows of each bin: equal numbers of the known stars, in order."""
    return np.array_split(known[np.argsort(values[known])], n_bins)


if __name__ == "__main__":
    main()
