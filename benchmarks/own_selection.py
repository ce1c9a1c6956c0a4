"""Coverage and bias of intervals on the stars of another survey, before and after recalibration.

Run from the repository's root::

    python benchmarks/own_selection.py --stars photometry_labels.parquet

takes stars with photometry and a parallax, without XP spectra, that have labels of other surveys
than the model learned from. A model is recalibrated on 50, 200 and 1,000 of them, drawn several
times, and scored on others, always the same. W1 and W2 of the table are AB magnitudes, and its
[M/H] stands for [Fe/H]; its reddening is of other dust maps than the models learned with and is
left out. Without ``--stars`` the packaged test stars made faint and without spectra stand for it.
"""

import argparse
import copy
import warnings
from pathlib import Path

import numpy as np
from common.options import make_parser, read_options
from common.tables import ResultTable

from msaestimator import StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp, make_fainter
from msaestimator.estimators import DEFAULT_MODEL
from msaestimator.exceptions import CalibrationWarning, MissingColumnWarning
from msaestimator.metrics import coverage, hide_xp
from msaestimator.preprocessing import read_labels
from msaestimator.schema import StarTable, get_label
from msaestimator.tables import read_stars

HEADER = (
    "label, recalibrated on",
    "within 68 %",
    "within 90 %",
    "median residual",
    "half the width of 68 %",
)
LABELS = ("teff", "logg", "fe_h")
QUANTILES = (0.05, 0.16, 0.5, 0.84, 0.95)
SIZES = (50, 200, 1000)
N_SCORED = 2000
VEGA_MINUS_AB = {"catwise_w1": -2.699, "catwise_w2": -3.339}
NAMES = {
    "w1": "catwise_w1",
    "w2": "catwise_w2",
    "m_h": "fe_h",
    **{f"ps1_{band}": f"{band}_mean_psf_mag" for band in "grizy"},
    **{f"ps1_{band}_error": f"{band}_mean_psf_mag_error" for band in "grizy"},
    **{f"{band}_m_error": f"{band}_msigcom" for band in ("j", "h", "ks")},
}
LEAST_LOGG = -1.0
N_TOY = 120
UNITS = {name: get_label(name).unit for name in LABELS}
LEFT_OUT = ("reddening", "reddening_error", "label_source")


def load_selection(path: Path | None) -> StarTable:
    """Return the stars of a table by the names of our columns, or faint packaged ones."""
    if path is None:
        return hide_xp(make_fainter(load_apogee_xp("test"), 16.0, random_state=0))
    stars = StarTable(read_stars(path))
    stars.remove_columns([name for name in LEFT_OUT if name in stars.colnames])
    for theirs, ours in NAMES.items():
        stars.rename_column(theirs, ours)
    for name, offset in VEGA_MINUS_AB.items():
        stars[name] = np.asarray(stars[name], dtype=float) + offset
    return stars[np.asarray(stars["logg"]) > LEAST_LOGG]


def score(model: StellarParameterRegressor, stars: StarTable) -> np.ndarray:
    """Return coverages, median residual and half width of each label, (n_labels, 4)."""
    quantiles = model.set_params(quantiles=QUANTILES).predict_quantiles(stars)
    truth = labels_of(stars)
    rows = []
    for name in LABELS:
        lowest, low, median, high, highest = quantiles[:, model.labels_.index(name)].T
        inside = [coverage(truth[name], *ends) for ends in ((low, high), (lowest, highest))]
        rows.append([*inside, np.nanmedian(truth[name] - median), np.nanmedian(high - low) / 2])
    return np.array(rows)


def labels_of(stars: StarTable) -> StarTable:
    """Return the labels that are scored, in the schema's units, NaN where unknown."""
    return StarTable(dict(zip(LABELS, read_labels(stars, UNITS).T, strict=True)))


def compare(options: argparse.Namespace) -> None:
    """Write a row for each label and number of stars."""
    table = ResultTable(options.tables / "own_selection.inc", HEADER)
    released = StellarParameterRegressor.from_pretrained(options.model)
    stars = load_selection(options.stars)[: N_TOY if options.toy else None]
    order = np.random.default_rng(0).permutation(len(stars))
    pool, scored = order[len(order) // 2 :], order[: min(len(order) // 2, N_SCORED)]
    found = {0: [score(released, stars[scored])]}
    for size in (number for number in SIZES if number <= len(pool)):
        found[size] = []
        for draw in range(options.draws):
            own = stars[np.random.default_rng(draw).choice(pool, size, replace=False)]
            model = copy.deepcopy(released)
            model.recalibrate(own, labels_of(own))
            found[size].append(score(model, stars[scored]))
    for position, name in enumerate(LABELS):
        for size, draws in found.items():
            values = np.array(draws)[:, position]
            shares = [_with_spread(100 * share, ".1f", " %") for share in values[:, :2].T]
            bias, width = _with_spread(values[:, 2], "+.3g"), f"{values[:, 3].mean():.3g}"
            table.add(f"{name}, {size or 'not'}", *shares, bias, width)


def _with_spread(values: np.ndarray, form: str, unit: str = "") -> str:
    """Return the mean of several draws with their standard deviation, or the only value."""
    spread = f" ± {values.std():.2g}" if len(values) > 1 else ""
    return f"{values.mean():{form}}{spread}{unit}"


def main() -> None:
    """Recalibrate and score."""
    parser = make_parser(__doc__ or "")
    parser.add_argument("--stars", type=Path, help="table of the other survey")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="released, or a folder")
    parser.add_argument("--draws", type=int, default=10, help="of each number of stars")
    with warnings.catch_warnings():
        # A survey needs neither all columns nor all labels.
        for expected in (CalibrationWarning, MissingColumnWarning):
            warnings.simplefilter("ignore", expected)
        compare(read_options(parser, draws=2))


if __name__ == "__main__":
    main()
