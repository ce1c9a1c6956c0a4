"""The released regressor beside gradient boosting of up to 3,000 trees, on the same stars.

Run from the repository's root::

    python benchmarks/long_boosting.py --stars TABLE.parquet

Trains XGBoost, one model a label, on the stars that ``benchmarks/train_released.py`` trained on, a
tenth of which tell when to stop, with XP spectra and without, and prints NMAD and root
mean square errors on all stars that no model has seen, of it and of the regressor, and ratios.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.table import vstack
from sklearn.pipeline import make_pipeline
from train_released import LABELS, collect, split
from xgboost import XGBRegressor

from msaestimator import StellarParameterRegressor
from msaestimator.metrics import hide_xp, nmad, rmse
from msaestimator.preprocessing import (
    LabelScaler,
    StellarFeatures,
    XPCoefficientScaler,
    read_labels,
)
from msaestimator.schema import G_BAND, GAIA_DR3, StarTable, get_label

HALVES = {"full XP": lambda stars: stars, "masked XP": hide_xp}
UNITS = {name: get_label(name).unit for name in LABELS}
BANDS = ("phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")
SETTINGS = {
    "n_estimators": 3000,
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


def boosting(training: StarTable, test: StarTable) -> np.ndarray:
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
        model = XGBRegressor(**SETTINGS).fit(
            x[learns], target[learns], eval_set=[(x[tells], target[tells])], verbose=False
        )
        scaled.append(model.predict(unseen))
        print(f"  {model.best_iteration} trees", flush=True)
    return scaler.inverse_transform(np.column_stack(scaled))


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stars", type=Path, nargs="*", default=[], help="further tables")
    parser.add_argument("--model", default="apogee-xp", help="released, or a folder")
    options = parser.parse_args()
    training, tests = split(collect(options.stars)[0])
    test = vstack(list(tests.values()), metadata_conflicts="silent")
    truth = read_labels(test, UNITS)
    for half, hide in HALVES.items():
        theirs = boosting(hide(training), hide(test))
        ours = StellarParameterRegressor.from_pretrained(options.model).predict(hide(test))
        for score in (nmad, rmse):
            found = {"boosting": score(truth, theirs), "regressor": score(truth, ours)}
            found["ratio"] = found["regressor"] / found["boosting"]
            for name, values in found.items():
                shown = " ".join(f"{v:8.4g}" for v in values)
                print(f"{half:10s} {score.__name__} {name:10s} {shown}", flush=True)


if __name__ == "__main__":
    main()
