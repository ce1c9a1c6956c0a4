"""The released models on the packaged test stars, beside gradient boosting on the same stars.

Run from the repository's root, with the tables that the release learned from::

    python benchmarks/released.py --stars TABLE.parquet

Nothing but the boosting is trained. It prints NMAD and root mean square errors, and the ratios of
the models' NMAD to boosting's.
"""

from pathlib import Path

import numpy as np
from common.options import make_parser, read_options
from common.stars import HALVES, LABELS, UNITS, load_split
from common.tables import ResultTable

from msaestimator import StellarFoundationModel, StellarParameterRegressor
from msaestimator.metrics import BoostingBaseline, nmad, rmse
from msaestimator.preprocessing import read_labels
from msaestimator.schema import StarTable

HEADER = (
    "half, label",
    "the regressor",
    "ratio",
    "RMSE, of it and boosting",
    "the generalist",
    "ratio",
)


def label_names() -> list[str]:
    """Return the labels with their units."""
    return [f"{name} [{unit}]" for name, unit in UNITS.items()]


def without_labels(stars: StarTable) -> StarTable:
    """Return what the generalist is told."""
    return stars[[name for name in stars.colnames if name.removesuffix("_err") not in LABELS]]


def requested(model: StellarFoundationModel, stars: StarTable) -> np.ndarray:
    """Return the labels that the generalist answers, (n_stars, n_labels)."""
    answer = model.request(without_labels(stars), LABELS)
    return np.stack([answer[name].value for name in LABELS], axis=1)


def main() -> None:
    """Train the boosting, score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=Path, nargs="*", default=[], help="further tables")
    parser.add_argument("--model", default="gaia-xp", help="released, or a folder")
    parser.add_argument("--trees", type=int, default=400, help="of the boosting")
    options = read_options(parser, trees=5)
    training, _ = load_split(toy=options.toy, further=options.stars)
    _, test = load_split(toy=options.toy)
    boosting = BoostingBaseline(LABELS, max_iter=options.trees).fit(training)
    regressor = StellarParameterRegressor.from_pretrained(options.model)
    generalist = StellarFoundationModel.from_pretrained(options.model)
    truth = read_labels(test, UNITS)
    table = ResultTable(options.tables / "released.inc", HEADER)
    for half, hide in HALVES.items():
        seen = hide(test)
        boosted, learned = boosting.predict(seen), regressor.predict(seen)
        ours, theirs, general = (
            nmad(truth, answer) for answer in (learned, boosted, requested(generalist, seen))
        )
        our_rmse, their_rmse = rmse(truth, learned), rmse(truth, boosted)
        for k, name in enumerate(label_names()):
            table.add(
                f"{half}, {name}",
                f"{ours[k]:.3g}",
                f"{ours[k] / theirs[k]:.2f}",
                f"{our_rmse[k]:.3g} / {their_rmse[k]:.3g}",
                f"{general[k]:.3g}",
                f"{general[k] / theirs[k]:.2f}",
            )


if __name__ == "__main__":
    main()
