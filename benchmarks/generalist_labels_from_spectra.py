"""Teff, log g and [Fe/H] from spectra, told more or less of them (section 4.1.1).

Run from the repository's root::

    python benchmarks/generalist_labels_from_spectra.py MODELS

Beside XGBoost on the first of the inputs, trained on all training stars and on those of
3,500-7,000 K, on Teff and on its logarithm: the one that is better on the test stars counts. All
scores are of the same test stars, of 3,500-7,000 K.
"""

import numpy as np
from common.expert import best_expert, complete
from common.figures import save_figure
from common.generalist import REAL, Known, experiment_options, load_model, print_scores, real_stars
from common.told import STANDARD, answer_all, draw_all, score_rows

LIMITS = {"teff": (3500.0, 7000.0), "logg": (-0.2, 5.0), "fe_h": (-2.2, 0.6)}


def main() -> None:
    """Answer, score, draw."""
    options = experiment_options(__doc__)
    model = load_model(options, "real")
    training = Known.of(model, real_stars(options, "train"))
    test = Known.of(model, real_stars(options, "test"))
    test = test.rows(is_cool(test) & complete(test, STANDARD))
    selections = training, training.rows(is_cool(training))
    experts = {
        name: best_expert(
            options,
            selections,
            test,
            name,
            STANDARD,
            logarithms=(False, True) if name == "teff" else (False,),
        )
        for name in LIMITS
    }
    answers = {"XGBoost: 30 + 30, col.": experts} | answer_all(model, test, list(LIMITS))
    n_stars = len(test.values)
    print_scores(f"{REAL}, {n_stars} of 3,500-7,000 K; NMAD in K and dex", score_rows(answers))
    save_figure(
        draw_all(answers, LIMITS), options, "labels_from_spectra", f"{REAL}, {n_stars} stars"
    )


def is_cool(stars: Known) -> np.ndarray:
    """Return which stars are of 3,500-7,000 K."""
    low, high = LIMITS["teff"]
    return (stars["teff"] >= low) & (stars["teff"] <= high)


if __name__ == "__main__":
    main()
