"""Make the packaged counts of the sky's stars, from a mock sky for each step in G.

    python scripts/count_sky.py

The result is ``sky_mix.npz`` in the folder ``datasets/data`` of the package or in ``--output``.
It takes a minute or two, and prints the share of giants among the mock's stars.
"""

import argparse
from pathlib import Path

import numpy as np

from msaestimator.datasets import make_mock_sky

PACKAGE = Path(__file__).parents[1] / "msaestimator"
SEED = 20250101
FAINTEST = 20.0
# Of each class the edge to the next; the first and last classes are open.
EDGES = {
    "g": np.arange(11.0, FAINTEST),
    "color": np.array([0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0]),
    "ebv": np.array([0.1, 0.5]),
    # Giants end at 3.5, and the red clump, at 2.5, is not cut in two.
    "logg": np.array([0.75, 1.25, 1.75, 2.25, 2.75, 3.5, 4.1, 4.5]),
    "teff": np.array([4000.0, 4500.0, 5000.0, 5500.0, 6000.0, 7000.0, 8000.0, 10000.0]),
    "fe_h": np.array([-1.5, -1.0, -0.5, 0.0]),
}


def draw_stars(n_stars: int, limit: float, rng: np.random.RandomState) -> dict[str, np.ndarray]:
    """Draw stars to a limit in G, with their values in each quantity that has classes."""
    stars = make_mock_sky(n_stars, limit, random_state=rng)
    values = {name: stars[name].value for name in ("ebv", "logg", "teff", "fe_h")}
    color = stars["phot_bp_mean_mag"] - stars["phot_rp_mean_mag"]
    return {"g": stars["phot_g_mean_mag"].value, "color": color.value, **values}


def count(stars: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    """Count stars by class in the named quantities; those that lack one are left out."""
    sample = np.column_stack([stars[name] for name in names])
    edges = [np.concatenate([[-np.inf], EDGES[name], [np.inf]]) for name in names]
    sample = sample[np.isfinite(sample).all(axis=1)]
    return np.histogramdd(sample, edges)[0].astype(np.uint32)


def print_giants(stars: dict[str, np.ndarray], faintest: float) -> None:
    """Print the share of giants of the faintest magnitude, on the sky and far from the plane."""
    is_giant = stars["logg"] < 3.5
    last = stars["g"] > faintest - 1.0
    clear = last & (stars["ebv"] < 0.1)
    print(
        f"G {faintest - 1:.0f} to {faintest:.0f}: {is_giant[last].mean():.1%} giants, "
        f"{is_giant[clear].mean():.1%} where E(B-V) < 0.1"
    )


def main() -> None:
    """Count stars and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=PACKAGE / "datasets" / "data")
    parser.add_argument("--stars", type=int, default=300_000, help="how many for each step in G")
    options = parser.parse_args()
    rng = np.random.RandomState(SEED)
    kinds, metals = 0, 0
    # The mix at a G is the same to any limit, so that each step has its own well filled draw.
    for limit in (*EDGES["g"], FAINTEST):
        stars = draw_stars(options.stars, limit, rng)
        print_giants(stars, limit)
        kinds = kinds + count(stars, ("g", "color", "ebv", "logg", "teff"))
        metals = metals + count(stars, ("g", "color", "ebv", "logg", "fe_h"))
    edges = {f"{name}_edges": values for name, values in EDGES.items()}
    path = options.output / "sky_mix.npz"
    np.savez_compressed(path, kinds=kinds, metals=metals, **edges)
    print(f"{path.name}: {kinds.sum()} stars, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
