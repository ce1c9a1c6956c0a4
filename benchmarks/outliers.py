"""How well odd stars are told from ordinary ones: four kinds, each against the test stars.

Run from the repository's root::

    python benchmarks/outliers.py --epochs 10

Prints the area under the ROC curve of `outlier_score` for each kind, with and without its parts,
which flags are raised, and how many ordinary stars are by what columns and at each brightness:
test stars as they are and made fainter, and with ``--field field_xp.parquet
field_magnitudes.parquet`` real stars of one field, in tables that share ``source_id``, with
``--ebv`` of that field. The score itself knows no network; the flag EXTRAPOLATION does.
``--model FOLDER`` loads a trained regressor. The test stars are used for nothing else.
"""

import time
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import join, vstack
from common.figures import save_figure
from common.options import make_parser, read_options
from common.stars import load_split
from matplotlib.figure import Figure
from scipy.optimize import nnls
from sklearn.metrics import roc_auc_score

from msaestimator import StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp, load_xp_sampling, make_fainter
from msaestimator.outliers import FaintInputOutliers, InputOutliers
from msaestimator.preprocessing import Measurements
from msaestimator.results import PredictionFlag
from msaestimator.schema import G_BAND, StarTable, g_flux
from msaestimator.tables import read_stars

COEFFICIENTS = ("bp_coefficients", "rp_coefficients")
GAIA = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag")
TMASS = {
    "j_m": (1235.0, 3.129e-12),
    "h_m": (1662.0, 1.133e-12),
    "ks_m": (2159.0, 4.283e-13),
}
"""Wavelength in nm, and flux of magnitude 0 in W m-2 nm-1 (Cohen et al. 2003)."""

HOT, COOL = 7000 * u.K, 5000 * u.K


class Spectra:
    """Spectra of coefficients, coefficients of spectra, and Gaia magnitudes of both.

    What sampled flux does not fix of the coefficients is taken from ordinary stars, as it was
    for the packaged ones.
    """

    def __init__(self, stars: StarTable) -> None:
        sampling = load_xp_sampling()
        self.wavelength, self.matrix = sampling.wavelength.value, sampling.matrix.value
        relative = coefficients(stars) / g_flux(magnitudes(stars, GAIA)[:, :1])
        self.usual = relative.mean(axis=0)
        spread = np.cov(relative, rowvar=False) @ self.matrix.T
        noise = (3e-3 * (relative @ self.matrix.T).mean()) ** 2
        noise = noise * np.eye(len(self.wavelength))
        self.inverse = np.linalg.solve(self.matrix @ spread + noise, spread.T).T
        self.passbands = [
            self._passband(self._binned(self.flux(stars)), magnitudes(stars, [band])[:, 0])
            for band in GAIA
        ]

    def flux(self, stars: StarTable) -> np.ndarray:
        """Return flux in W m-2 nm-1, (n_stars, n_wavelengths)."""
        return coefficients(stars) @ self.matrix.T

    def coefficients(self, flux: np.ndarray, g_magnitude: np.ndarray) -> np.ndarray:
        """Return the coefficients of spectra, (n_stars, 110)."""
        scale = g_flux(g_magnitude)[:, None]
        off = flux / scale - self.usual @ self.matrix.T
        return (self.usual + off @ self.inverse.T) * scale

    def bands(self, flux: np.ndarray) -> np.ndarray:
        """Return the flux of spectra in G, BP and RP, 1 for magnitude 0: (n_stars, 3)."""
        return np.column_stack([self._binned(flux) @ passband for passband in self.passbands])

    def _binned(self, flux: np.ndarray) -> np.ndarray:
        width = 10
        photons = flux * self.wavelength
        return np.add.reduceat(photons, np.arange(0, photons.shape[1], width), axis=1)

    @staticmethod
    def _passband(photons: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
        """Return the non-negative weights of photons that give magnitudes within 5 %."""
        relative = photons * 10.0 ** (0.4 * magnitude[:, None])
        agree = np.ones(len(relative), dtype=bool)
        for _ in range(2):
            weights = nnls(relative[agree], np.ones(agree.sum()), maxiter=10_000)[0]
            agree = np.abs(relative @ weights - 1.0) < 0.05
        return weights


def coefficients(stars: StarTable) -> np.ndarray:
    """Return BP and RP coefficients one after the other."""
    return np.hstack([np.asarray(stars[name], dtype=float) for name in COEFFICIENTS])


def magnitudes(stars: StarTable, names: object) -> np.ndarray:
    """Return magnitudes, (n_stars, n_bands)."""
    return np.column_stack([np.asarray(stars[name].value, dtype=float) for name in names])


def replaced(stars: StarTable, spectra: np.ndarray, **bands: np.ndarray) -> StarTable:
    """Return stars with other coefficients and magnitudes."""
    stars = stars.copy()
    stars["bp_coefficients"], stars["rp_coefficients"] = np.hsplit(spectra, 2)
    for name, magnitude in bands.items():
        stars[name] = magnitude * u.mag
    return stars


def foreign_bp(stars: StarTable, rng: np.random.Generator, *, same_g: bool = False) -> StarTable:
    """Return stars with the BP coefficients of others, as they are or brought to the same G."""
    other = rng.permutation(len(stars))
    bp, rp = np.hsplit(coefficients(stars), 2)
    scale = g_flux(magnitudes(stars, GAIA)[:, :1])
    foreign = bp[other] * (scale / scale[other] if same_g else 1.0)
    return replaced(stars, np.hstack([foreign, rp]))


def emission_line(
    stars: StarTable, rng: np.random.Generator, spectra: Spectra, peak: float = 1.0
) -> StarTable:
    """Return stars with a line anywhere from 400 to 950 nm, ``peak`` times the continuum high.

    Its width is that of XP spectra, a standard deviation of 6 nm: an equivalent width of
    15 nm times ``peak``.
    """
    flux = spectra.flux(stars)
    center = rng.uniform(400, 950, len(stars))
    height = [np.interp(x, spectra.wavelength, row) for x, row in zip(center, flux, strict=True)]
    shape = np.exp(-0.5 * ((spectra.wavelength - center[:, None]) / 6.0) ** 2)
    line = peak * np.abs(height)[:, None] * shape
    brighter = 1 + spectra.bands(line) / spectra.bands(flux).clip(min=1e-30)
    made = magnitudes(stars, GAIA) - 2.5 * np.log10(brighter)
    return replaced(
        stars,
        coefficients(stars) + line @ spectra.inverse.T,
        **dict(zip(GAIA, made.T, strict=True)),
    )


def blend(stars: StarTable, rng: np.random.Generator, n_made: int) -> StarTable:
    """Return sums of a hot star and a cool one of about the same G, 0.75 mag at most apart."""
    names = [*GAIA, *TMASS]
    hot = stars[rng.choice(np.flatnonzero(stars["teff"] > HOT), n_made)]
    cool = stars[rng.choice(np.flatnonzero(stars["teff"] < COOL), n_made)]
    bright, faint = magnitudes(hot, names), magnitudes(cool, names)
    farther = bright[:, :1] - faint[:, :1] + rng.uniform(-0.75, 0.75, (n_made, 1))
    dimming = 10.0 ** (-0.4 * farther)
    total = -2.5 * np.log10(10.0 ** (-0.4 * bright) + dimming * 10.0 ** (-0.4 * faint))
    made = replaced(
        hot,
        coefficients(hot) + dimming * coefficients(cool),
        **dict(zip(names, total.T, strict=True)),
    )
    for name in ("bp_coefficient_errors", "rp_coefficient_errors"):
        made[name] = np.hypot(hot[name], dimming * cool[name])
    return made


def power_law(
    stars: StarTable, rng: np.random.Generator, spectra: Spectra, n_made: int
) -> StarTable:
    """Return quasar-like spectra, flux as wavelength to the power -2.2 to -0.8, with noise."""
    stars = stars[rng.integers(len(stars), size=n_made)]
    index = rng.uniform(-2.2, -0.8, n_made)[:, None]
    g_magnitude = magnitudes(stars, GAIA)[:, 0]
    shape = (spectra.wavelength / 600.0) ** index
    scale = 10.0 ** (-0.4 * g_magnitude) / spectra.bands(shape)[:, 0]
    made = dict(zip(GAIA, -2.5 * np.log10(scale[:, None] * spectra.bands(shape)).T, strict=True))
    for name, (wavelength, zero_point) in TMASS.items():
        flux = scale * (wavelength / 600.0) ** index[:, 0]
        made[name] = -2.5 * np.log10(flux / zero_point)
    for name in (*GAIA[1:], *TMASS):
        made[name] = made[name] + 0.02 * rng.standard_normal(n_made)
    errors = np.hstack(
        [stars[name] for name in ("bp_coefficient_errors", "rp_coefficient_errors")]
    )
    # The errors beside the packaged coefficients are about twice their scatter.
    noise = 0.5 * errors * rng.standard_normal(errors.shape)
    spectrum = spectra.coefficients(scale[:, None] * shape, g_magnitude)
    return replaced(stars, spectrum + noise, **made)


def too_hot(
    stars: StarTable, rng: np.random.Generator, spectra: Spectra, g_magnitude: float
) -> StarTable:
    """Return black bodies of 25,000 to 40,000 K with the errors of stars made as faint.

    They stand for hot subdwarfs, bluer than any star of the training, behind next to no dust.
    """
    stars = make_fainter(stars[stars[G_BAND].value <= g_magnitude], g_magnitude, 0)
    temperature = rng.uniform(25_000, 40_000, len(stars))[:, None]
    shape = spectra.wavelength**-5.0 / np.expm1(1.4388e7 / (spectra.wavelength * temperature))
    scale = 10.0 ** (-0.4 * g_magnitude) / spectra.bands(shape)[:, 0]
    bands = -2.5 * np.log10(scale[:, None] * spectra.bands(shape))
    errors = np.hstack([stars[f"{name.removesuffix('s')}_errors"] for name in COEFFICIENTS])
    made = spectra.coefficients(scale[:, None] * shape, np.full(len(stars), g_magnitude))
    made = replaced(
        stars,
        made + errors * rng.standard_normal(errors.shape),
        phot_bp_mean_mag=bands[:, 1],
        phot_rp_mean_mag=bands[:, 2],
    )
    kept = [name for name in made.colnames if "coefficient" in name or name in GAIA]
    made = made[kept]
    made["ebv"] = np.full(len(made), 0.03) * u.mag
    return made


def make_kinds(
    training: StarTable, test: StarTable, rng: np.random.Generator, n_made: int
) -> dict[str, StarTable]:
    """Return the odd stars by kind."""
    spectra = Spectra(training)
    whole = test[np.isfinite(magnitudes(test, [*GAIA, *TMASS])).all(axis=1)]
    return {
        "BP of another star": foreign_bp(test, rng),
        "BP of another star, same G": foreign_bp(test, rng, same_g=True),
        "emission line, peak 1": emission_line(test, rng, spectra),
        "emission line, peak 0.3": emission_line(test, rng, spectra, 0.3),
        "blend of hot and cool": blend(whole, rng, n_made),
        "power law": power_law(whole, rng, spectra, n_made),
    }


def without(stars: StarTable, *columns: str) -> StarTable:
    """Return stars in which columns are missing."""
    stars = stars.copy()
    for name in columns:
        stars[name] = np.full_like(stars[name], np.nan)
    return stars


VIEWS = {
    "all": (),
    "no 2MASS": tuple(TMASS),
    "no XP": COEFFICIENTS,
    "no errors": ("bp_coefficient_errors", "rp_coefficient_errors"),
}
"""Columns that are missing."""


def print_areas(
    model: StellarParameterRegressor, test: StarTable, kinds: dict[str, StarTable]
) -> dict[str, np.ndarray]:
    """Print the ROC-AUC of each kind in each view; return the scores of the whole view."""
    scores = {}
    for view, columns in VIEWS.items():
        ordinary = model.outlier_score(without(test, *columns))
        print(f"{view}: {np.mean(ordinary >= 2):.1%} of test stars score 2 or more")
        for kind, stars in kinds.items():
            odd = model.outlier_score(without(stars, *columns))
            print(f"    {kind:28s} {area(ordinary, odd):.3f}")
            if view == "all":
                scores[kind] = odd
        scores.setdefault("test stars", ordinary)
    return scores


def area(ordinary: np.ndarray, odd: np.ndarray) -> float:
    """Return the area under the ROC curve."""
    truth = np.repeat([0, 1], [len(ordinary), len(odd)])
    return roc_auc_score(truth, np.concatenate([ordinary, odd]))


def print_parts(
    model: StellarParameterRegressor, test: StarTable, kinds: dict[str, StarTable]
) -> None:
    """Print the areas that each part of the score has alone."""
    detector = model.novelty_
    parts = _parts_at_brightness if isinstance(detector, FaintInputOutliers) else _parts
    ordinary = parts(detector, model.reader_.transform(test).measured)
    for kind, stars in kinds.items():
        odd = parts(detector, model.reader_.transform(stars).measured)
        areas = ", ".join(f"{name} {area(ordinary[name], odd[name]):.3f}" for name in odd)
        print(f"parts: {kind}: {areas}")


def _parts_at_brightness(
    detector: FaintInputOutliers, measured: Measurements
) -> dict[str, np.ndarray]:
    """Return the scores that a model has which learned from fainter copies too."""
    values, errors = measured.values, measured.errors
    vectors, noise = detector.view_.relative(values, errors)
    brightness, spectral = detector.view_.g_magnitude(values), detector.spectral_
    rarity, residual = spectral.density_.misfit(vectors, noise, brightness)
    n_xp = detector.view_.n_coefficients
    colors = detector.photometric_.score(vectors[:, n_xp:], noise[:, n_xp:], brightness)
    disagreement = detector.view_.disagreement(values, errors)
    return {
        "place": spectral.place_rate_.score(rarity, brightness),
        "residual": spectral.residual_rate_.score(residual, brightness),
        "colours": colors,
        "disagreement": detector.disagreement_rate_.score(disagreement, brightness),
    }


def _parts(detector: InputOutliers, measured: Measurements) -> dict[str, np.ndarray]:
    """Return the scores of a model that learned from stars as they are, and two of no noise."""
    values, errors = measured.values, measured.errors
    noise = detector.view_.noise(values, errors)
    view = detector.view_.transform(values)
    density = detector.spectral_.misfit(view)
    disagreement = detector.view_.disagreement(values)
    return {
        "density": detector.density_rate_.score(density, noise),
        "colours": detector.photometric_.score(view[:, detector.view_.n_coefficients :]),
        "disagreement": detector.disagreement_rate_.score(disagreement, noise),
        "density, whatever the noise": density,
        "disagreement, whatever the noise": disagreement,
    }


def print_flags(
    model: StellarParameterRegressor, test: StarTable, kinds: dict[str, StarTable]
) -> None:
    """Print how many stars of each kind are flagged."""
    for kind, stars in {"test stars": test, **kinds}.items():
        for view in ("all", "no XP", "no 2MASS"):
            flags = np.asarray(model.predict_table(without(stars, *VIEWS[view]))["flags"])
            shares = [
                f"{flag.name} {np.mean((flags & flag) > 0):.1%}"
                for flag in (PredictionFlag.EXTRAPOLATION, PredictionFlag.INCONSISTENT_INPUTS)
            ]
            print(f"flags: {kind}, {view}: {', '.join(shares)}")


BRIGHTNESSES = (9.0, 11.0, 13.0, 14.0, 15.0, 16.0, 16.75, 17.5, 18.5)
"""G to which test stars are made fainter."""

TOLD = (
    PredictionFlag.INCONSISTENT_INPUTS,
    PredictionFlag.EXTRAPOLATION,
    PredictionFlag.OUT_OF_RANGE_INPUT,
)


def print_told(model: StellarParameterRegressor, stars: StarTable, what: str) -> None:
    """Print how many stars have each flag of those that tell of unusual stars, and any of them."""
    flags = np.asarray(model.predict_table(stars)["flags"])
    shares = [f"{flag.name} {np.mean((flags & flag) > 0):.2%}" for flag in TOLD]
    some = np.mean((flags & sum(TOLD)) > 0)
    print(f"{what}, {len(stars)} stars: {', '.join(shares)}, any {some:.2%}")


def print_columns(model: StellarParameterRegressor, test: StarTable, surveyed: StarTable) -> None:
    """Print how many test stars are flagged where they are, by what columns there are of them."""
    views = {view: without(test, *columns) for view, columns in VIEWS.items()}
    views["surveys too"] = surveyed
    views["surveys too, no XP"] = without(surveyed, *COEFFICIENTS)
    edges = (5.0, 11.0, 12.0, 13.0, 14.0, 15.1)
    for view, stars in views.items():
        print_told(model, stars, f"test stars, {view}")
        g_magnitude = magnitudes(stars, [G_BAND])[:, 0]
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            there = stars[(g_magnitude > low) & (g_magnitude <= high)]
            if len(there):
                print_told(model, there, f"test stars of G {low} to {high}, {view}")


def print_brightnesses(
    model: StellarParameterRegressor, training: StarTable, test: StarTable, surveyed: StarTable
) -> None:
    """Print how many test stars are flagged when they are fainter, and of hotter ones."""
    spectra, rng = Spectra(training), np.random.default_rng(1)
    own = magnitudes(test, [G_BAND])[:, 0]
    for g_magnitude in BRIGHTNESSES:
        there = test[own <= g_magnitude]
        if not len(there):
            continue
        stars = make_fainter(there, g_magnitude, 0)
        print_told(model, stars, f"test stars at G {g_magnitude}")
        print_told(model, without(stars, *TMASS), f"test stars at G {g_magnitude}, no 2MASS")
        more = make_fainter(surveyed[own <= g_magnitude], g_magnitude, 0)
        print_told(model, more, f"test stars at G {g_magnitude}, surveys too")
        if g_magnitude < 17.65:
            hot = too_hot(there, rng, spectra, g_magnitude)
            print_told(model, hot, f"black bodies of 25,000 to 40,000 K at G {g_magnitude}")


def print_field(model: StellarParameterRegressor, paths: list[Path], ebv: float) -> None:
    """Print how many real stars of a field are flagged at each brightness."""
    field, *others = map(read_stars, paths)
    for other in others:
        field = join(field, other, keys="source_id")
    field["ebv"] = np.full(len(field), ebv) * u.mag
    g_magnitude = magnitudes(field, [G_BAND])[:, 0]
    edges = (9.0, 13.0, 14.5, 15.5, 16.5, 17.65)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        there = StarTable(field[(g_magnitude > low) & (g_magnitude <= high)])
        print_told(model, there, f"field stars of G {low} to {high}")
    print_told(model, StarTable(field[g_magnitude <= edges[-1]]), "field stars")


def draw(scores: dict[str, np.ndarray]) -> Figure:
    """Draw the share of stars of each kind that score more than a value."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    for kind, values in sorted(scores.items(), key=lambda item: item[0] != "test stars"):
        values = np.sort(values)
        style = {"color": "black", "lw": 2} if kind == "test stars" else {}
        axes.plot(values, 1 - np.arange(len(values)) / len(values), label=kind, **style)
    axes.axvline(2, color="grey", ls=":")
    axes.set(xlim=(0, 8), ylim=(3e-3, 1.1), yscale="log")
    axes.set(xlabel="outlier_score", ylabel="fraction of stars with a higher score")
    figure.legend(fontsize="small", loc="outside upper center", ncols=3)
    return figure


def main() -> None:
    """Train or load, score and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", help="released, or a folder")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--field", type=Path, nargs="+", default=[], help="tables of real stars")
    parser.add_argument("--ebv", type=float, default=0.09, help="E(B-V) of the field in mag")
    parser.add_argument("--made-stars", type=int, default=1500, help="blends, and power laws")
    parser.add_argument("--timed-stars", type=int, default=10_000)
    options = read_options(parser, model="gaia-xp", made_stars=50, timed_stars=100)
    training, test = load_split(toy=options.toy)
    surveyed = load_apogee_xp("test")[: len(test)]
    if options.model:
        model = StellarParameterRegressor.from_pretrained(options.model)
    else:
        epochs = {} if options.epochs is None else {"max_epochs": options.epochs}
        model = StellarParameterRegressor(
            labels=("teff", "logg", "fe_h"), random_state=0, **epochs
        )
        model.fit(training)
    kinds = make_kinds(training, test, np.random.default_rng(0), options.made_stars)
    scores = print_areas(model, test, kinds)
    print_parts(model, test, kinds)
    print_flags(model, test, kinds)
    print_columns(model, test, surveyed)
    print_brightnesses(model, training, test, surveyed)
    if options.field:
        print_field(model, options.field, options.ebv)
    started = time.perf_counter()
    many = vstack([test] * (1 + options.timed_stars // len(test)))
    model.outlier_score(many)
    print(f"{len(many)} stars scored in {time.perf_counter() - started:.1f} s")
    save_figure(draw(scores), options, "outliers")


if __name__ == "__main__":
    main()
