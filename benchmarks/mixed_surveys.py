"""Give half the packaged stars labels with known offsets, and see what `survey=` makes of them.

Run ``python benchmarks/mixed_surveys.py`` (``--epochs 2 --stars 2000`` for a trial). For stars
chosen at random and for mostly hot ones, it prints how far the learned offsets are from those put
in, and how well labels of test stars are predicted on the scale of the first survey.
"""

from time import perf_counter

import numpy as np
from common.options import make_parser, read_options
from common.stars import LABELS, load_split

from msaestimator import StarTable, StellarParameterRegressor
from msaestimator.metrics import nmad, rmse


def main() -> None:
    """Train with the surveys told, not told, and on the labels without offsets."""
    parser = make_parser(__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--stars", type=int, default=None)
    options = read_options(parser, epochs=1)
    train, test = load_split(toy=options.toy)
    train = train[: options.stars]
    truth = values(test)
    settings = {"labels": LABELS, "max_epochs": options.epochs, "random_state": 0}
    clean = StellarParameterRegressor(**settings).fit(train)
    report("labels without offsets", truth, clean.predict(test))
    for how, is_second in second_surveys(train).items():
        print(f"\n{is_second.sum()} of {len(train)} stars in the second survey, {how}")
        mixed = train.copy()
        for name, column in zip(LABELS, offsets(values(train)).T, strict=True):
            mixed[name][is_second] += column[is_second] * mixed[name].unit
        survey = np.where(is_second, "second", "first")
        not_told = StellarParameterRegressor(**settings).fit(mixed)
        report("survey not told", truth, not_told.predict(test))
        start = perf_counter()
        told = StellarParameterRegressor(**settings, reference_survey="first")
        told.fit(mixed, survey=survey)
        print(f"(fit with survey=: {perf_counter() - start:.0f} s)")
        report("survey=", truth, told.predict(test))
        learned = told.survey_offset(test, "second")
        show("RMS of offsets put in", rmse(np.zeros_like(truth), known(offsets(truth), truth)))
        show("RMS of learned - put in", rmse(known(offsets(truth), truth), learned))


def offsets(labels: np.ndarray) -> np.ndarray:
    """Return what the second survey adds to labels, (n_stars, n_labels): smooth, as surveys do."""
    teff, logg, fe_h, _ = np.nan_to_num(labels, nan=-0.2).T
    return np.column_stack(
        [
            teff * (0.01 + 0.01 * np.tanh((teff - 5000) / 1500)),
            0.08 * np.sin(logg - 1.5) + 0.05,
            0.10 + 0.06 * np.tanh(2 * fe_h),
            -0.04 + 0.02 * np.tanh((logg - 3) / 1.5),
        ]
    )


def second_surveys(stars: StarTable) -> dict[str, np.ndarray]:
    """Return which stars are in the second survey: half at random, or rather the blue ones."""
    rng = np.random.default_rng(0)
    # By colour, as surveys choose; the truth would tell more of stars than their features do.
    color = stars["phot_rp_mean_mag"].value - stars["phot_bp_mean_mag"].value
    rank = np.argsort(np.argsort(color)) / len(stars)
    return {
        "at random": rng.random(len(stars)) < 0.5,
        "most of the hot, few of the cool": rng.random(len(stars)) < 0.2 + 0.6 * rank,
    }


def values(stars: StarTable) -> np.ndarray:
    """Return the labels, (n_stars, n_labels)."""
    return np.column_stack([np.asarray(stars[name].value, dtype=float) for name in LABELS])


def known(values: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return values where the truth is known, else NaN."""
    return np.where(np.isfinite(truth), values, np.nan)


def report(what: str, truth: np.ndarray, predicted: np.ndarray) -> None:
    """Print scatter and bias of predictions."""
    show(f"{what}: NMAD", nmad(truth, predicted))
    show(f"{what}: median error", np.nanmedian(predicted - truth, axis=0))


def show(what: str, numbers: np.ndarray) -> None:
    """Print one number a label."""
    cells = "  ".join(
        f"{name} {number:8.4g}"
        for name, number in zip(LABELS, np.atleast_1d(numbers), strict=True)
    )
    print(f"{what:42} {cells}", flush=True)


if __name__ == "__main__":
    main()
