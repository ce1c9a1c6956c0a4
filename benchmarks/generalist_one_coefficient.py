"""One RP coefficient from labels, with infrared colours, and with all but RP (section 5.3).

Run from the repository's root::

    python benchmarks/generalist_one_coefficient.py MODELS

on real stars and on the mock survey, where mass and age are among the labels; beside XGBoost
trained on the same inputs.
"""

from argparse import Namespace

import matplotlib.pyplot as plt
from common.expert import best_expert, complete
from common.figures import save_figure
from common.generalist import (
    MOCK,
    REAL,
    Comparison,
    Known,
    axis_label,
    compare,
    error_bar,
    error_norm,
    experiment_options,
    load_model,
    mock_stars,
    mock_test_stars,
    one_to_one,
    print_scores,
    real_stars,
    unit_of,
)
from matplotlib.figure import Figure

from msaestimator import StellarFoundationModel
from msaestimator.schema import StarTable

ASKED = "relative_rp_1"
INFRARED = ("j_h", "j_ks")


def main() -> None:
    """Answer, score, draw."""
    options = experiment_options(__doc__)
    report(options, "real", REAL, real_stars(options, "train"), real_stars(options, "test"))
    report(options, "mock", MOCK, mock_stars(options.mock_stars), mock_test_stars(options))


def report(
    options: Namespace, name: str, stars: str, training: StarTable, test: StarTable
) -> None:
    """Ask one model and experts like it."""
    model = load_model(options, name)
    told = inputs(model)
    training, test = Known.of(model, training), Known.of(model, test)
    test = test.rows(complete(test, [*set().union(*told.values()), ASKED]))
    experts = {title: best_expert(options, [training], test, ASKED, told[title]) for title in told}
    answers = {title: compare(model, test, [ASKED], told[title])[ASKED] for title in told}
    rows = [
        {
            "told": title,
            "NMAD": answers[title].scatter,
            "within": answers[title].within,
            "NMAD XGBoost": experts[title].scatter,
        }
        for title in told
    ]
    text = f"{stars}, {len(test.values)} stars"
    print_scores(f"{text}; NMAD of {ASKED}", rows)
    save_figure(draw(experts, answers), options, f"one_coefficient_{name}", text)


def inputs(model: StellarFoundationModel) -> dict[str, list[str]]:
    """Return what is told, by title."""
    tokens = [model.vocabulary_[name] for name in model.trained_tokens]
    labels = [token.name for token in tokens if token.block == "label"]
    return {
        "labels only": labels,
        "labels, J - H, J - Ks": [*labels, *INFRARED],
        "all but RP coefficients": [token.name for token in tokens if token.block != "rp"],
    }


def draw(experts: dict[str, Comparison], answers: dict[str, Comparison]) -> Figure:
    """Draw the experts above, the model below."""
    figure, axes = plt.subplots(2, len(answers), figsize=(9, 5.6), layout="constrained")
    norm = error_norm(list(answers.values()))
    for column, title in zip(axes.T, answers, strict=True):
        for ax, by_title in zip(column, (experts, answers), strict=True):
            drawn = one_to_one(ax, by_title[title], norm)
            ax.tick_params(labelleft=ax in axes[:, 0], labelbottom=ax in axes[1])
        column[0].set_title(title, fontsize=10)
    error_bar(drawn, axes, unit_of(ASKED))
    for ax, method in zip(axes[:, 0], ("XGBoost", "generalist"), strict=True):
        ax.set_ylabel(f"{method}: {axis_label(ASKED)}")
    axes[1, 1].set_xlabel(f"known {axis_label(ASKED)}")
    return figure


if __name__ == "__main__":
    main()
