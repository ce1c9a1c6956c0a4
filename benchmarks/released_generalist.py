"""What the released generalist answers about real stars, and whether its errors hold.

Run from the repository's root, with the stars that ``scripts/release/gather.py`` gathers::

    python benchmarks/released_generalist.py --stars build/gaia-xp/stars.parquet

asks about stars that the model has not learned from, and writes a table each of: labels beside the
released regressor's, told the same; the share of answers within one and two errors, in the paper's
situations and of fainter copies; masses, ages, distances and reddening; spectra from labels, and
one photometer's from the other's. Without ``--stars`` the packaged test stars are asked about,
which have no masses, ages and distances.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import astropy.units as u
import numpy as np
from common.generalist import Known, coefficients
from common.options import make_parser, read_options
from common.tables import ResultTable
from common.trust_stars import BASIC, BRIGHT, Samples, numbers, tell

from msaestimator import StellarFoundationModel, StellarParameterRegressor
from msaestimator.datasets import load_xp_sampling
from msaestimator.estimators import DEFAULT_MODEL
from msaestimator.metrics import nmad
from msaestimator.schema import StarTable

LABELS = ("teff", "logg", "fe_h", "alpha_m")
EVOLVED = ("of; told", "stars", "NMAD", "offset", "within 1 error")
"""Columns of the table of what isochrones tell, and reddening."""

PHOTOMETRY = ("gaia", "tmass", "dust")
TOLD = {
    "XP, photometry": BASIC,
    "photometry": PHOTOMETRY,
    "all but a parallax": (*BASIC, "wise", "ps1", "sdss", "skymapper"),
    "all": (*BASIC, "wise", "ps1", "sdss", "skymapper", "astrometry"),
}
"""Blocks of the schema that both models are told, by name."""

FAINT = (16.0, 17.5)
"""G in mag of the fainter copies."""

SPLIT = 640.0
"""Wavelength in nm below which a spectrum is BP's."""


def main() -> None:
    """Ask, and write what came out."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="released, or a folder's parent")
    parser.add_argument("--stars", type=Path, help="table of all samples")
    options = read_options(parser)
    samples = Samples(options.stars, toy=options.toy)
    for stars in (samples.apogee, samples.seismic):
        set_distances(stars)
    model = StellarFoundationModel.from_pretrained(options.model)
    write_accuracy(options, model, samples)
    write_errors(options, model, samples)
    write_evolved(options, model, samples)
    write_spectra(options, model, samples.apogee)


def set_distances(stars: StarTable) -> None:
    """Set distances by the parallaxes of labels, where there are any."""
    parallax = numbers(stars, "parallax_label")
    stars["distance"] = np.where(parallax > 0, 1.0 / parallax, np.nan) * u.kpc


def table_of(options: argparse.Namespace, name: str, *columns: str) -> ResultTable:
    """Return a table of the documentation."""
    return ResultTable(options.tables / name, columns)


def write_accuracy(
    options: argparse.Namespace, model: StellarFoundationModel, samples: Samples
) -> None:
    """Write the errors of labels, and by how much they exceed the regressor's."""
    regressor = StellarParameterRegressor.from_pretrained(options.model)
    columns = [regressor.labels_.index(name) for name in LABELS]
    table = table_of(
        options, "generalist_accuracy.inc", "told", *LABELS, *(f"{n}, ratio" for n in LABELS)
    )
    for name, blocks in TOLD.items():
        stars = tell(samples.apogee, blocks)
        answers, others = model.request(stars, LABELS), regressor.predict(stars)[:, columns]
        errors, ratios = [], []
        for place, label in enumerate(LABELS):
            truth = numbers(samples.apogee, label)
            known = np.isfinite(truth)
            error = nmad(truth[known], answers[label].value[known])
            errors.append(f"{error:.3g}")
            ratios.append(f"{error / nmad(truth[known], others[known, place]):.2f}")
        table.add(name, *errors, *ratios)


def situations(
    model: StellarFoundationModel, samples: Samples
) -> Iterator[tuple[str, StarTable, StarTable]]:
    """Yield a name, stars as told, and the same stars with their labels."""
    stars = samples.apogee
    known = Known.of(model, stars)
    xp = list(model.xp_columns)
    colors = ["bp_rp", "j_h", "j_ks"]
    told = {
        "30 + 30 coefficients, colours": [*coefficients(0, 30), *colors],
        "5 + 5 coefficients, colours": [*coefficients(0, 5), *colors],
        "orders 26 to 55": coefficients(25, 55),
        "colours, E(B-V)": [*colors, "ebv"],
    }
    for name, words in told.items():
        yield name, StarTable(dict(zip(words, known.matrix(words).T, strict=True))), stars
    words = [*xp, *colors, "ebv"]
    values = known.matrix(words)
    rank = np.random.default_rng(0).random(values.shape).argsort(axis=1).argsort(axis=1)
    values[rank >= 64] = np.nan
    yield "64 words at random", StarTable(dict(zip(words, values.T, strict=True))), stars
    for g in (BRIGHT, *FAINT):
        copies = samples.at(g)
        named = "as bright as they are" if g == BRIGHT else f"made fainter to G = {g:g}"
        for told_name, blocks in (("XP, photometry", BASIC), ("photometry", PHOTOMETRY)):
            yield f"{told_name}; {named}", tell(copies, blocks), copies


def write_errors(
    options: argparse.Namespace, model: StellarFoundationModel, samples: Samples
) -> None:
    """Write the share of answers within one and two errors, by situation."""
    table = table_of(
        options, "generalist_errors.inc", "told", *(f"{n}: 1, 2 errors, %" for n in LABELS)
    )
    for name, told, stars in situations(model, samples):
        answers = model.request(told, LABELS)
        table.add(name, *(_within(answers, stars, label) for label in LABELS))
    shares = []
    for label in LABELS:
        told = samples.apogee[[other for other in (*LABELS, "ebv") if other != label]]
        shares.append(_within(model.request(told, label), samples.apogee, label))
    table.add("the other labels, E(B-V)", *shares)


def _within(answers: StarTable, stars: StarTable, label: str) -> str:
    off = np.abs(answers[label].value - numbers(stars, label)) / answers[f"{label}_err"].value
    off = off[np.isfinite(off)]
    return f"{100 * np.mean(off < 1):.0f}, {100 * np.mean(off < 2):.0f}"


def write_evolved(
    options: argparse.Namespace, model: StellarFoundationModel, samples: Samples
) -> None:
    """Write the errors of masses, ages, distances and reddening."""
    table = table_of(options, "generalist_evolved.inc", *EVOLVED)
    test = samples.apogee
    seismic = samples.seismic
    apart = seismic[np.asarray(seismic["is_test"], dtype=bool)] if len(seismic) else seismic
    parallax = numbers(test, "parallax")
    # DR3's zero point, about.
    measured = np.where(parallax > 10 * numbers(test, "parallax_error"), parallax + 0.03, np.nan)
    asked = {
        "mass of seismic giants, M☉": (seismic, "mass", numbers(seismic, "seismic_mass")),
        "the same, kept apart": (apart, "mass", numbers(apart, "seismic_mass")),
        "published age of giants, Gyr": (test, "age", numbers(test, "published_age")),
        "distance by isochrones, %": (test, "distance", numbers(test, "distance")),
        "distance by parallax, S/N > 10, %": (test, "distance", 1.0 / measured),
    }
    for name, (stars, label, truth) in asked.items():
        for told in ("all but a parallax", "all"):
            if np.isfinite(truth).any():
                answers = model.request(tell(stars, TOLD[told]), label)
                table.add(f"{name}; {told}", *_scores(answers, label, truth))
    for told in ("XP, photometry", "photometry"):
        blocks = [block for block in TOLD[told] if block != "dust"]
        answers = model.request(tell(test, blocks), "ebv")
        scores = _scores(answers, "ebv", numbers(test, "ebv"))
        table.add(f"E(B-V), mag; {told}", *scores)


def _scores(answers: StarTable, label: str, truth: np.ndarray) -> list[str]:
    """Return the number of stars, and scores; those of a distance are relative."""
    value, error = answers[label].value, answers[f"{label}_err"].value
    known = np.isfinite(truth)
    scale = 0.01 * truth if label == "distance" else 1.0
    off = ((value - truth) / scale)[known]
    within = np.mean(np.abs(value - truth)[known] < error[known])
    return [
        f"{known.sum()}",
        f"{nmad(0 * off, off):.3g}",
        f"{np.median(off):+.2g}",
        f"{100 * within:.0f} %",
    ]


def write_spectra(
    options: argparse.Namespace, model: StellarFoundationModel, stars: StarTable
) -> None:
    """Write the errors of spectra that are asked for, over their mean flux."""
    table = table_of(
        options, "generalist_spectra.inc", "told", "asked", "RMSE over the mean flux, %", "chi2"
    )
    known = Known.of(model, stars)
    words = list(model.xp_columns)
    true, noise = known.matrix(words), known.errors[:, : len(words)]
    sampling = load_xp_sampling()
    wavelength = sampling.wavelength.value
    labels = ["teff", "logg", "fe_h", "alpha_m", "ebv"]
    colors = [name for name in model.trained_tokens if name.startswith("color_")]
    for name, told, asked in (
        ("labels, E(B-V)", labels, words),
        ("labels, E(B-V), colours", [*labels, *colors], words),
        ("BP", words[:55], words[55:]),
        ("RP", words[55:], words[:55]),
    ):
        answers = model.request(stars, asked, inputs=told)
        found = true.copy()
        places = [words.index(word) for word in asked]
        found[:, places] = np.column_stack([answers[word].value for word in asked])
        error = np.column_stack([answers[f"{word}_err"].value for word in asked])
        shown = slice(None) if len(asked) == 110 else (wavelength > SPLIT) == (asked == words[55:])
        spectra = [values @ np.asarray(sampling.matrix).T for values in (true, found)]
        mean = spectra[0].mean(axis=1, keepdims=True)
        off = ((spectra[1] - spectra[0]) / mean)[:, shown]
        complete = np.isfinite(off).all(axis=1) & np.isfinite(true).all(axis=1)
        z = (found - true)[:, places] / np.hypot(error, noise[:, places])
        each = 100 * np.sqrt((off[complete] ** 2).mean(axis=1))
        table.add(name, _asked(asked, words), f"{np.median(each):.2f}", f"{_chi2(z):.2f}")


def _asked(asked: list[str], words: list[str]) -> str:
    return "BP and RP" if asked == words else "RP" if asked == words[55:] else "BP"


def _chi2(z: np.ndarray) -> float:
    """Return the median over stars of chi squared, of independent errors, over its terms."""
    return float(np.nanmedian(np.nanmean(z**2, axis=1)))


if __name__ == "__main__":
    main()
