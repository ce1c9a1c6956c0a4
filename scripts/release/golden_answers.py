"""Store what the released models answer, for the tests to compare with.

Run from the repository's root, on purpose, when a released model was trained anew::

    python scripts/release/golden_answers.py gaia-xp

Writes ``tests/golden/gaia-xp.npz``: answers of the models of that name on 200 packaged test stars,
with their XP coefficients and without. ``tests/golden`` compares what the code answers today with
it.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.table import QTable

from msaestimator import StellarFoundationModel, StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp
from msaestimator.metrics import hide_xp

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
GENERALISTS = ("gaia-xp",)
"""Names of released generalists; there is a regressor of each name."""

N_STARS = 200
EVERY = 7
"""Of the wavelengths of a spectrum, and of the orders of a coefficient array, one in so many."""


def columns(table: QTable, prefix: str) -> dict[str, np.ndarray]:
    """Return a table's columns as arrays without units, by prefixed name."""
    arrays = {}
    for name in table.colnames:
        values = np.asarray(getattr(table[name], "value", table[name]))
        arrays[f"{prefix}.{name}"] = values[:, ::EVERY] if values.ndim == 2 else values
    return arrays


def regressor_answers(name: str, stars: QTable, prefix: str) -> dict[str, np.ndarray]:
    """Return what a released regressor and its autoencoder answer."""
    regressor = StellarParameterRegressor.from_pretrained(name)
    distances, indices = regressor.find_similar(stars, 5)
    answers = {
        "predict": regressor.predict(stars),
        "quantiles": regressor.predict_quantiles(stars),
        "interval": regressor.predict_interval(stars, 0.9),
        "outlier_score": regressor.outlier_score(stars),
        "similar_distances": distances,
        "similar_indices": indices,
        "latent": regressor.encoder_.transform(stars)[:, ::EVERY],
    }
    found = {f"{prefix}.{answer}": values for answer, values in answers.items()}
    found |= columns(regressor.predict_table(stars), f"{prefix}.table")
    if not regressor.reconstruction_weight:
        return found
    known = regressor.reader_.without_unseen(stars)
    return found | columns(regressor.encoder_.reconstruct(known), f"{prefix}.reconstruct")


def generalist_answers(name: str, stars: QTable, prefix: str) -> dict[str, np.ndarray]:
    """Return what a released generalist answers."""
    generalist = StellarFoundationModel.from_pretrained(name)
    distances, indices = generalist.find_similar(stars, 5)
    answers = {
        "predict": generalist.predict(stars),
        "vectors": generalist.transform(stars)[:, ::EVERY],
        "attention": generalist.attention(stars[:20], ["teff", "ebv"])[..., ::EVERY],
        "similar_distances": distances,
        "similar_indices": indices,
    }
    found = {f"{prefix}.{answer}": values for answer, values in answers.items()}
    asked = [*generalist.labels_, "ebv", "pseudo_luminosity"]
    seen = ["bp", "rp", "color"]
    found |= columns(generalist.request(stars, asked, inputs=seen), f"{prefix}.request")
    told = ["teff", "logg", "fe_h", "ebv"]
    further = ["alpha_m", "mass", "age", "distance", "bp_rp"]
    found |= columns(generalist.request(stars, further, inputs=told), f"{prefix}.told")
    found |= columns(generalist.spectrum(stars, inputs=told), f"{prefix}.spectrum")
    drawn = generalist.sample(stars, ["teff", "fe_h"], 2, inputs=["bp_rp"], random_state=0)
    return found | columns(drawn, f"{prefix}.sample")


def golden_answers(name: str) -> dict[str, np.ndarray]:
    """Return every answer of the models of a name as an array, by what was asked."""
    stars = load_apogee_xp("test")[:N_STARS]
    found = {}
    for situation, seen in (("xp", stars), ("photometry", hide_xp(stars))):
        found |= regressor_answers(name, seen, f"regressor.{situation}")
        if name in GENERALISTS:
            found |= generalist_answers(name, seen, f"generalist.{situation}")
    return found


def main() -> None:
    """Compute and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="name of released models")
    parser.add_argument("--output", type=Path, default=GOLDEN, help="folder of the answers")
    options = parser.parse_args()
    output = options.output / f"{options.model}.npz"
    answers = golden_answers(options.model)
    stored = {
        name: values.astype(np.float32) if values.dtype.kind == "f" else values
        for name, values in answers.items()
    }
    output.parent.mkdir(exist_ok=True)
    np.savez_compressed(output, **stored)
    print(f"{len(stored)} answers in {output}, {output.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
