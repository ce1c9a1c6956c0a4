"""Colours from nothing but the XP coefficients (section 5.2).

Run from the repository's root::

    python benchmarks/generalist_colors_from_spectra.py MODELS
"""

import matplotlib.pyplot as plt
from common.figures import save_figure
from common.generalist import (
    REAL,
    Known,
    axis_label,
    compare,
    error_bar,
    experiment_options,
    load_model,
    one_to_one,
    print_scores,
    real_stars,
    unit_of,
)

REQUESTS = ("bp_rp", "j_h")


def main() -> None:
    """Answer, score, draw."""
    options = experiment_options(__doc__)
    model = load_model(options, "real")
    test = Known.of(model, real_stars(options, "test"))
    answers = compare(model, test, REQUESTS, model.xp_columns)
    print_scores(
        f"{REAL}; told the XP coefficients; NMAD in mag",
        [{"asked": n, "NMAD": c.scatter, "within": c.within} for n, c in answers.items()],
    )
    figure, axes = plt.subplots(1, len(REQUESTS), figsize=(9, 4), layout="constrained")
    for ax, (name, comparison) in zip(axes, answers.items(), strict=True):
        error_bar(one_to_one(ax, comparison), ax, unit_of(name))
        ax.set(xlabel=f"known {axis_label(name)}", ylabel=f"answered {axis_label(name)}")
    save_figure(figure, options, "colors_from_spectra", f"{REAL}, {len(test.values)} stars")


if __name__ == "__main__":
    main()
