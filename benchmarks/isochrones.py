r"""Masses and ages by isochrones beside asteroseismology's, and the time they take.

Run from the repository's root::

    python benchmarks/isochrones.py --stars apogee_xp.parquet \
        --companions apogee_companions.parquet

matches stars of APOGEE, told with and without parallax, photometry and log g, and compares them
with ``seismic_mass`` and ``seismic_age`` of the giants that have them in the second table, and
with the published ``age`` of more giants. Parallaxes are DR2's there, raised by 0.02 mas to the
scale of DR3. Without tables only the time of the packaged stars is measured.
"""

import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from astropy.table import Table, join
from common.figures import save_figure
from common.options import make_parser, read_options
from common.tables import ResultTable

from msaestimator.datasets import load_apogee_xp, match_isochrones
from msaestimator.metrics import coverage, nmad
from msaestimator.schema import StarTable

HEADER = ("stars, told", "number", "NMAD", "median offset", "in the 68 % interval")
SPEED_HEADER = ("what", "stars/s", "stars per second of one core")
BANDS = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")
SPECTRA = tuple(name + end for name in ("teff", "logg", "fe_h", "alpha_m") for end in ("", "_err"))
PARALLAX = ("parallax", "parallax_error")
DR3_OVER_DR2 = 0.02
"""Difference of the mean parallaxes of DR3 and DR2, in mas."""

TOLD: dict[str, tuple[str, ...]] = {
    "all": (*SPECTRA, *PARALLAX, *BANDS),
    "no parallax": (*SPECTRA, *BANDS),
    "no log g": (*(n for n in SPECTRA if "logg" not in n), *PARALLAX, *BANDS),
    "spectroscopy alone": SPECTRA,
}
SEISMIC = {
    "mass": ("seismic_mass", "seismic_mass_err", "seismic mass [$M_\\odot$]", (0.6, 3.2)),
    "age": ("seismic_age", "seismic_age_err", "seismic age [Gyr]", (0.0, 14.0)),
}


def main() -> None:
    """Measure, compare and draw."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=Path, help="table of APOGEE's labels and photometry")
    parser.add_argument("--companions", type=Path, help="table of parallaxes and seismic masses")
    parser.add_argument("--timed", type=int, default=8000, help="stars")
    parser.add_argument("--rounds", type=int, default=5, help="the best of which counts")
    options = read_options(parser, timed=100, rounds=1)
    table = ResultTable(options.tables / "isochrones.inc", HEADER)
    measure(options.tables / "isochrones_speed.inc", options.timed, options.rounds)
    if options.stars is None or options.companions is None:
        return
    stars = giants_with_known(options.stars, options.companions)
    seismic = stars[np.isfinite(stars["seismic_mass"])]
    for name, columns in TOLD.items():
        found = match_isochrones(told(seismic, columns))
        table.add(
            f"seismic mass [solMass], {name}", *compare(found, "mass", seismic, "seismic_mass")
        )
        table.add(f"seismic age [Gyr], {name}", *compare(found, "age", seismic, "seismic_age"))
        if name == "all":
            draw(found, seismic, options)
    dated = stars[np.isfinite(stars["age"])]
    found = match_isochrones(told(dated, TOLD["all"]))
    table.add("published spectroscopic age [Gyr], all", *compare(found, "age", dated, "age"))


def measure(path: Path, n_stars: int, rounds: int) -> None:
    """Time the packaged stars, repeated, once the isochrones are loaded."""
    packaged = load_apogee_xp()
    stars = told(packaged, tuple(name for name in (*SPECTRA, *BANDS) if name in packaged.colnames))
    match_isochrones(stars[:10])
    stars = stars[np.arange(n_stars) % len(stars)]
    table = ResultTable(path, SPEED_HEADER)
    walls, cores = zip(*(time_once(stars) for _ in range(rounds)), strict=True)
    table.add("match_isochrones", f"{n_stars / min(walls):.0f}", f"{n_stars / min(cores):.0f}")


def time_once(stars: StarTable) -> tuple[float, float]:
    """Return the seconds that passed, and those of all cores together that went into it."""
    wall, core = time.perf_counter(), time.process_time()
    match_isochrones(stars)
    return time.perf_counter() - wall, time.process_time() - core


def giants_with_known(stars: Path, companions: Path) -> StarTable:
    """Return the stars that have a seismic mass or a published age."""
    labels = Table.read(stars, include_names=["source_id", *SPECTRA, *BANDS])
    others = Table.read(companions)
    found = join(labels, others, keys="source_id")
    found["parallax"] = found["parallax_dr2"] + DR3_OVER_DR2
    found["parallax_error"] = found["parallax_dr2_error"]
    return StarTable(found[np.isfinite(found["seismic_mass"]) | np.isfinite(found["age"])])


def told(stars: StarTable, columns: tuple[str, ...]) -> StarTable:
    """Return what is told of the stars."""
    return stars[list(columns)]


def compare(found: StarTable, name: str, stars: StarTable, reference: str) -> list[str]:
    """Return the cells of a row: the intervals are widened by the reference's own error."""
    truth, error = (np.asarray(stars[reference + end], dtype=float) for end in ("", "_err"))
    known, error = np.isfinite(truth) & np.isfinite(found[name]), np.nan_to_num(error)
    median, low, high = (found[name + end].value for end in ("", "_lower", "_upper"))
    low, high = median - np.hypot(median - low, error), median + np.hypot(high - median, error)
    return [
        f"{known.sum()}",
        f"{nmad(truth[known], median[known]):.3g}",
        f"{np.median((median - truth)[known]):+.2g}",
        f"{coverage(truth[known], low[known], high[known]):.0%}",
    ]


def draw(found: StarTable, stars: StarTable, options: object) -> None:
    """Draw found masses and ages against asteroseismology's."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    for ax, (name, (reference, error, title, limits)) in zip(axes, SEISMIC.items(), strict=True):
        median, low, high = (found[name + end].value for end in ("", "_lower", "_upper"))
        truth = np.asarray(stars[reference])
        ax.errorbar(
            truth,
            median,
            yerr=[median - low, high - median],
            xerr=np.nan_to_num(np.asarray(stars[error])),
            fmt=".",
            elinewidth=0.5,
        )
        ax.axline((0, 0), slope=1, color="0.5", linewidth=0.8)
        off = nmad(truth, median)
        ax.set(xlabel=title, ylabel=title.replace("seismic", "isochrone"), title=f"NMAD {off:.2g}")
        ax.set(xlim=limits, ylim=limits)
    save_figure(figure, options, "seismic_masses", f"{len(stars)} giants of APOGEE")


if __name__ == "__main__":
    main()
