"""Write into a released regressor's folder how well its autoencoder infers features.

Models that are trained today have it from ``fit``. Run from the repository's root for one that was
trained before::

    python scripts/release/measure_reconstruction.py msaestimator/saving/weights/apogee-xp

Adds ``reconstruction_errors_`` to the autoencoder in ``StellarParameterRegressor/config.json``,
measured on the packaged training stars, and changes nothing else.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from msaestimator import StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp
from msaestimator.uncertainty import ReconstructionErrors

DIGITS = 4
"""Decimals of logarithms of errors: far more than is known of them."""


def described(errors: ReconstructionErrors) -> dict[str, Any]:
    """Return the part of a config, with its numbers in the text."""
    fitted = {}
    for name in ("knots_", "weights_"):
        values = np.round(getattr(errors, name), DIGITS)
        flat = [v if np.isfinite(v) else {"number": repr(v)} for v in values.ravel().tolist()]
        fitted[name] = {"array": flat, "dtype": values.dtype.str, "shape": list(values.shape)}
    return {"kind": "ReconstructionErrors", "parameters": {}, "fitted": fitted}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder / "StellarParameterRegressor"
    encoder = StellarParameterRegressor.from_pretrained(folder).encoder_
    stars = encoder.reader_.without_unseen(load_apogee_xp("train"))
    errors = encoder.measure_reconstruction(stars).reconstruction_errors_
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["estimator"]["fitted"]["encoder_"]["fitted"]["reconstruction_errors_"] = described(
        errors
    )
    # Lines of one number each would be more indentation than numbers.
    path.write_text(json.dumps(config, indent=0, allow_nan=False))
    print(f"Errors of {errors.weights_.shape[-1]} features in {path}")


if __name__ == "__main__":
    main()
