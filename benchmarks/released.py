"""The released models on the packaged test stars, beside gradient boosting.

Run from the repository's root::

    python benchmarks/released.py

Nothing is trained: the scores of boosting, which learned from the release's training stars with
spectra, are those that ``scripts/release/train.py`` left beside the weights. All are told spectra
or none, magnitudes of Gaia and 2MASS and E(B-V); in one column the regressor is told parallaxes
too. It prints NMAD and root mean square errors, and the ratios of the models' NMAD to boosting's.
"""

from pathlib import Path

import numpy as np
from astropy.table import QTable
from common.options import make_parser, read_options
from common.stars import (
    HALVES,
    LABELS,
    UNITS,
    load_split,
    predict_measured,
    with_parallax,
)
from common.tables import ResultTable

from msaestimator import StellarFoundationModel, StellarParameterRegressor
from msaestimator.metrics import nmad, rmse
from msaestimator.preprocessing import read_labels
from msaestimator.schema import StarTable

HEADER = (
    "half, label",
    "boosting",
    "the regressor",
    "ratio",
    "told parallax",
    "RMSE, of it untold and boosting",
    "the generalist",
    "ratio",
)
WEIGHTS = Path(__file__).parents[1] / "msaestimator/saving/weights"


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


def of_boosting(scores: QTable, half: str, score: str) -> list[float]:
    """Return a score of gradient boosting on the packaged stars, of each label."""
    is_meant = (scores["model"] == "gradient boosting") & (scores["stars"] == "packaged stars")
    rows = scores[is_meant & (scores["half"] == half)]
    return [float(rows[score][rows["label"] == name][0]) for name in LABELS]


def main() -> None:
    """Score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", default="gaia-xp", help="released, or a folder")
    parser.add_argument("--scores", type=Path, default=WEIGHTS / "gaia-xp/scores.ecsv")
    options = read_options(parser)
    _, test = load_split(toy=options.toy)
    regressor = StellarParameterRegressor.from_pretrained(options.model)
    generalist = StellarFoundationModel.from_pretrained(options.model)
    scores = QTable.read(options.scores)
    truth = read_labels(test, UNITS)
    table = ResultTable(options.tables / "released.inc", HEADER)
    for half, hide in HALVES.items():
        seen = hide(test)
        learned = predict_measured(regressor, seen)
        theirs, their_rmse = (of_boosting(scores, half, score) for score in ("nmad", "rmse"))
        ours, near, general = (
            nmad(truth, answer)
            for answer in (
                learned,
                predict_measured(regressor, with_parallax(seen)),
                requested(generalist, seen),
            )
        )
        our_rmse = rmse(truth, learned)
        for k, name in enumerate(label_names()):
            table.add(
                f"{half}, {name}",
                f"{theirs[k]:.3g}",
                f"{ours[k]:.3g}",
                f"{ours[k] / theirs[k]:.2f}",
                f"{near[k]:.3g}",
                f"{our_rmse[k]:.3g} / {their_rmse[k]:.3g}",
                f"{general[k]:.3g}",
                f"{general[k] / theirs[k]:.2f}",
            )


if __name__ == "__main__":
    main()
