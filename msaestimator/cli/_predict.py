"""``msa predict``: a table of parameters of the stars of a table or of an archive."""

import argparse
import sys
from pathlib import Path

from msaestimator.cli._files import read_stars, write_stars
from msaestimator.cli._gaia import archive_of, has_gaia_stars, stars_of
from msaestimator.estimators import DEFAULT_MODEL, StellarParameterRegressor

__all__ = ["run"]


def run(options: argparse.Namespace) -> None:
    """Predict as the options say, and write the table."""
    model, stars = _model_and_stars(options)
    regressor = StellarParameterRegressor.from_pretrained(model)
    if stars is not None:
        predictions = regressor.predict_table(read_stars(stars))
    else:
        archive = archive_of(options)
        predictions = regressor.predict_from_gaia(stars_of(options, archive), archive)
    write_stars(predictions, options.output)
    sys.stdout.write(f"Wrote {len(predictions)} rows to {options.output}\n")


def _model_and_stars(options: argparse.Namespace) -> tuple[str, Path | None]:
    """Return the model, named or not, and the table of stars, None for stars of the archive."""
    words = [word for word in (options.model, options.stars) if word is not None]
    from_gaia = has_gaia_stars(options)
    stars = Path(words.pop()) if words and not from_gaia else None
    # A folder is a model, beside which the stars were left out.
    no_table = stars is None or stars.is_dir()
    if no_table != from_gaia or len(words) == 2:
        raise ValueError(
            "`msa predict` needs either a table of stars or one of --source-id, --ids, --cone "
            "and --query."
        )
    return words[0] if words else DEFAULT_MODEL, stars
