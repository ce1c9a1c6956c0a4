"""The released regressor beside gradient boosting of up to 3,000 trees, on the same stars.

Run from the repository's root::

    python benchmarks/long_boosting.py --stars TABLE.parquet

Trains XGBoost, one model a label, on the stars that ``scripts/release/train.py`` trained on, a
tenth of which tell when to stop, with XP spectra and without, and prints NMAD and root
mean square errors on all stars that no model has seen, of it and of the regressor, and ratios.
"""

from pathlib import Path

import numpy as np
from common.options import make_parser, read_options
from common.stars import HALVES, LABELS, UNITS, load_split, predict_measured
from common.tables import ResultTable, in_words
from sklearn.pipeline import make_pipeline
from xgboost import XGBRegressor

from msaestimator import StellarParameterRegressor
from msaestimator.metrics import nmad, rmse
from msaestimator.preprocessing import (
    LabelScaler,
    StellarFeatures,
    XPCoefficientScaler,
    read_labels,
)
from msaestimator.schema import G_BAND, GAIA_DR3, StarTable

HEADER = ("score", "boosting: Teff, log g, [Fe/H], [α/M]", "the regressor", "ratio")
BANDS = ("phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")
SETTINGS = {
    "learning_rate": 0.03,
    "max_depth": 6,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "early_stopping_rounds": 50,
    "random_state": 0,
}


def with_colors(matrix: np.ndarray) -> np.ndarray:
    """Return features and, beside them, magnitudes relative to G."""
    names = list(GAIA_DR3.names)
    relative = matrix[:, [names.index(b) for b in BANDS]] - matrix[:, [names.index(G_BAND)]]
    return np.hstack([matrix, relative])


def boosting(training: StarTable, test: StarTable, n_trees: int) -> np.ndarray:
    """Return boosting's predictions of the test stars, (n_stars, n_labels)."""
    scaler = LabelScaler(LABELS).fit(read_labels(training, UNITS))
    targets = scaler.transform(read_labels(training, UNITS))
    # Trees do not mind the scale of coefficients, only that they are over the G flux.
    features = make_pipeline(StellarFeatures(), XPCoefficientScaler()).fit(training)
    x, unseen = (with_colors(features.transform(stars)) for stars in (training, test))
    stops = np.arange(len(training)) % 10 == 3
    scaled = []
    for target in targets.T:
        known = np.isfinite(target)
        learns, tells = known & ~stops, known & stops
        model = XGBRegressor(n_estimators=n_trees, **SETTINGS).fit(
            x[learns], target[learns], eval_set=[(x[tells], target[tells])], verbose=False
        )
        scaled.append(model.predict(unseen))
        print(f"  {model.best_iteration} trees", flush=True)
    return scaler.inverse_transform(np.column_stack(scaled))


def main() -> None:
    """Train, score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=Path, nargs="*", default=[], help="further tables")
    parser.add_argument("--model", default="gaia-xp", help="released, or a folder")
    parser.add_argument("--trees", type=int, default=3000, help="at most")
    options = read_options(parser, trees=5)
    training, test = load_split(toy=options.toy, further=options.stars)
    truth = read_labels(test, UNITS)
    regressor = StellarParameterRegressor.from_pretrained(options.model)
    table = ResultTable(options.tables / "long_boosting.inc", HEADER)
    for half, hide in HALVES.items():
        theirs = boosting(hide(training), hide(test), options.trees)
        ours = predict_measured(regressor, hide(test))
        for score in (nmad, rmse):
            boosted, learned = score(truth, theirs), score(truth, ours)
            cells = map(in_words, (boosted, learned, learned / boosted))
            table.add(f"{score.__name__.upper()}, {half}", *cells)


if __name__ == "__main__":
    main()
