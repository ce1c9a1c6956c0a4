"""Labels, errors, masses, ages, distances and spectra in numbers, beside the regressor's.

Told the same, in the paper's situations and of fainter copies.
"""

from collections.abc import Iterator

import numpy as np
from common.generalist import coefficients
from common.trust_stars import BASIC, BRIGHT, numbers, tell

from experiments.setting import Setting, giants_of
from msaestimator import StellarFoundationModel, StellarParameterRegressor
from msaestimator.datasets import load_xp_sampling
from msaestimator.metrics import nmad
from msaestimator.schema import StarTable

__all__ = ["run"]

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

N_COVARIANCES = 2000
"""Stars whose chi squared is computed, which takes as long as all else."""

BATCH = 256
"""Stars whose covariances are in memory at a time."""

SPLIT = 640.0
"""Wavelength in nm below which a spectrum is BP's."""


def run(setting: Setting) -> None:
    """Ask, and write a table each."""
    write_accuracy(setting)
    write_errors(setting)
    write_evolved(setting)
    write_spectra(setting)


def write_accuracy(setting: Setting) -> None:
    """Write the errors of labels, and by how much they exceed the regressor's."""
    regressor = StellarParameterRegressor.from_pretrained(setting.options.model)
    columns = [regressor.labels_.index(name) for name in LABELS]
    ratios = (f"{name}, ratio" for name in LABELS)
    table = setting.table("generalist_accuracy.inc", "told", *LABELS, *ratios)
    for name, blocks in TOLD.items():
        stars = tell(setting.stars, blocks)
        answers = setting.model.request(stars, LABELS)
        others = regressor.predict(stars)[:, columns]
        errors, ratios = [], []
        for place, label in enumerate(LABELS):
            truth = numbers(setting.stars, label)
            known = np.isfinite(truth)
            error = nmad(truth[known], answers[label].value[known])
            errors.append(f"{error:.3g}")
            ratios.append(f"{error / nmad(truth[known], others[known, place]):.2f}")
        table.add(name, *errors, *ratios)


def situations(setting: Setting) -> Iterator[tuple[str, StarTable, StarTable]]:
    """Yield a name, stars as told, and the same stars with their labels."""
    stars, known = setting.stars, setting.known
    xp = list(setting.model.xp_columns)
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
        copies = setting.samples.at(g)
        named = "as bright as they are" if g == BRIGHT else f"made fainter to G = {g:g}"
        for told_name, blocks in (("XP, photometry", BASIC), ("photometry", PHOTOMETRY)):
            yield f"{told_name}; {named}", tell(copies, blocks), copies


def write_errors(setting: Setting) -> None:
    """Write the share of answers within one and two errors, by situation."""
    shares = (f"{name}: 1, 2 errors, %" for name in LABELS)
    table = setting.table("generalist_errors.inc", "told", *shares)
    for name, told, stars in situations(setting):
        answers = setting.model.request(told, LABELS)
        table.add(name, *(_within(answers, stars, label) for label in LABELS))
    shares = []
    for label in LABELS:
        told = setting.stars[[other for other in (*LABELS, "ebv") if other != label]]
        shares.append(_within(setting.model.request(told, label), setting.stars, label))
    table.add("the other labels, E(B-V)", *shares)


def _within(answers: StarTable, stars: StarTable, label: str) -> str:
    off = np.abs(answers[label].value - numbers(stars, label)) / answers[f"{label}_err"].value
    off = off[np.isfinite(off)]
    return f"{100 * np.mean(off < 1):.0f}, {100 * np.mean(off < 2):.0f}"


def write_evolved(setting: Setting) -> None:
    """Write the errors of masses, ages, distances and reddening."""
    table = setting.table("generalist_evolved.inc", *EVOLVED)
    model, test, seismic = setting.model, setting.stars, setting.samples.seismic
    mock, is_giant = setting.mock, giants_of(setting.mock_known)
    mock_giants = mock[is_giant]
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
        "mass of mock giants, M☉": (mock_giants, "mass", numbers(mock_giants, "mass")),
        "age of mock giants, Gyr": (mock_giants, "age", numbers(mock_giants, "age")),
        "distance of mock stars, %": (mock, "distance", numbers(mock, "distance")),
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


def write_spectra(setting: Setting) -> None:
    """Write the errors of spectra that are asked for, over their mean flux."""
    columns = "told", "asked", "RMSE over the mean flux, %", "chi squared: median, mean"
    table = setting.table("generalist_spectra.inc", *columns)
    model, stars, known = setting.model, setting.stars, setting.known
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
        shown = slice(None) if len(asked) == 110 else (wavelength > SPLIT) == (asked == words[55:])
        spectra = [values @ np.asarray(sampling.matrix).T for values in (true, found)]
        mean = spectra[0].mean(axis=1, keepdims=True)
        off = ((spectra[1] - spectra[0]) / mean)[:, shown]
        complete = np.isfinite(off).all(axis=1) & np.isfinite(true).all(axis=1)
        each = 100 * np.sqrt((off[complete] ** 2).mean(axis=1))
        of_coefficients = ((found - true)[:, places], noise[:, places])
        few = np.flatnonzero(complete)[:N_COVARIANCES]
        ratio = chi2(model, stars[few], told, asked, *(x[few] for x in of_coefficients))
        ratios = f"{np.median(ratio):.2f}, {np.mean(ratio):.2f}"
        table.add(name, _asked(asked, words), f"{np.median(each):.2f}", ratios)


def _asked(asked: list[str], words: list[str]) -> str:
    return "BP and RP" if asked == words else "RP" if asked == words[55:] else "BP"


def chi2(
    model: StellarFoundationModel,
    stars: StarTable,
    told: list[str],
    asked: list[str],
    off: np.ndarray,
    noise: np.ndarray,
) -> np.ndarray:
    """Return the chi squared of each star over its terms.

    With what errors of answers have in common, if the model knows it, and noise of the
    measurements, both ``off`` and ``noise`` of shape (n_stars, n_asked).
    """
    found = []
    for start in range(0, len(stars), BATCH):
        rows = slice(start, start + BATCH)
        covariance = error_covariance(model, stars[rows], told, asked)
        diagonal = np.arange(len(asked))
        covariance[:, diagonal, diagonal] += noise[rows] ** 2
        scale = np.sqrt(covariance[:, diagonal, diagonal])
        correlation = covariance / scale[:, :, np.newaxis] / scale[:, np.newaxis]
        z = (off[rows] / scale)[..., np.newaxis]
        found.append((z * np.linalg.solve(correlation, z)).mean(axis=(1, 2)))
    return np.concatenate(found)


def error_covariance(
    model: StellarFoundationModel, stars: StarTable, told: list[str], asked: list[str]
) -> np.ndarray:
    """Return covariances, (n_stars, n_asked, n_asked), of a model without factors diagonal."""
    if model.n_factors:
        return model.covariance(stars, asked, inputs=told).astype(float)
    answers = model.request(stars, asked, inputs=told)
    errors = np.column_stack([answers[f"{word}_err"].value for word in asked])
    return np.eye(len(asked)) * errors[:, np.newaxis] ** 2
