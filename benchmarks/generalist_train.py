"""Train the models that the experiments ask.

Run from the repository's root::

    python benchmarks/generalist_train.py MODELS

A killed run goes on where it was when started again. ``--ages`` trains a third model, on real
stars with ages.
"""

from pathlib import Path

from common.generalist import (
    make_experiment_parser,
    mock_stars,
    read_experiment_options,
    real_stars,
    with_ages,
)

from msaestimator import StellarFoundationModel
from msaestimator.schema import StarTable

MUCH_KNOWN = {"n_inputs": (24, 64), "block_dropout": 0.15}
LIKELIHOOD = {"beta": 0.0}
RUNS = (
    {"max_epochs": 100, "optimizer": "adamw"},
    {**LIKELIHOOD, "max_epochs": 20, "lr": 1e-3},
    {"beta": 0.5, "max_epochs": 50, "lr": 4e-3, "block_dropout": 0.3},
    # Of most stars that are asked about the spectra are known.
    {**MUCH_KNOWN, "max_epochs": 20, "lr": 3e-3},
    # What is told is returned to a few kelvins by the likelihood itself.
    {**MUCH_KNOWN, **LIKELIHOOD, "max_epochs": 8, "lr": 7e-4},
)
"""What the runs change of the settings before; in each the rate falls to zero along a cosine."""


def main() -> None:
    """Train and save."""
    parser = make_experiment_parser(__doc__)
    parser.add_argument("--epochs", type=int, help="of the first run; others shrink alike")
    parser.add_argument("--ages", type=Path, help="table with source_id, age and age_err in Gyr")
    options = read_experiment_options(parser, epochs=1)
    options.models.mkdir(parents=True, exist_ok=True)
    samples = {
        "real": lambda: real_stars(options, "train"),
        "mock": lambda: mock_stars(options.mock_stars),
    }
    if options.ages:
        samples["ages"] = lambda: with_ages(real_stars(options, "train"), options.ages)
    for name, load in samples.items():
        print(f"\n{name}")
        train(options.models, name, load(), options.epochs)


def train(folder: Path, name: str, stars: StarTable, epochs: int | None) -> None:
    """Train one model in several runs, each from where the last one ended, and save it."""
    model = StellarFoundationModel(random_state=0, verbose=1)
    for number, changes in enumerate(RUNS):
        model.set_params(
            **changes, checkpoint=folder / f"{name}.checkpoint{number}", random_state=number
        )
        if epochs is not None:
            model.set_params(max_epochs=max(1, round(epochs * model.max_epochs / 100)))
        model.fit(stars).set_params(warm_start=True)
    model.set_params(warm_start=False, checkpoint=None, verbose=0).save_pretrained(folder / name)


if __name__ == "__main__":
    main()
