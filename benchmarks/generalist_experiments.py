"""The paper's experiments (Zhang et al. 2026) with the released generalist.

Run from the repository's root, with the stars that ``scripts/release/gather.py`` gathers::

    python benchmarks/generalist_experiments.py --stars build/gaia-xp/stars.parquet

asks about stars that the model has not learned from, and writes every table and figure of the
page on them. Without ``--stars`` the packaged test stars are asked about, which have no masses,
ages and distances: what needs these is then of the mock survey alone, or left out.
"""

import warnings
from pathlib import Path

from common.options import make_parser, read_options
from experiments import (
    age_metallicity,
    attention,
    colors_from_spectra,
    extinction_curve,
    giant_branch,
    inpainting,
    labels_from_labels,
    labels_from_spectra,
    mass_and_age,
    one_coefficient,
    physical_validation,
    reconstruction,
    scores,
    spectra_from_labels,
)
from experiments.setting import Setting

from msaestimator.estimators import DEFAULT_MODEL
from msaestimator.exceptions import ToldRequestWarning

EXPERIMENTS = (
    scores,
    labels_from_spectra,
    mass_and_age,
    physical_validation,
    spectra_from_labels,
    reconstruction,
    inpainting,
    labels_from_labels,
    giant_branch,
    age_metallicity,
    extinction_curve,
    attention,
    colors_from_spectra,
    one_coefficient,
)
"""In the order of the page."""


def main() -> None:
    """Ask, and write what came out."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name of a released model")
    parser.add_argument("--stars", type=Path, help="table of all samples")
    options = read_options(parser)
    # Spectra and labels are asked of stars that are told some of them.
    warnings.simplefilter("ignore", ToldRequestWarning)
    setting = Setting(options)
    for experiment in EXPERIMENTS:
        experiment.run(setting)


if __name__ == "__main__":
    main()
