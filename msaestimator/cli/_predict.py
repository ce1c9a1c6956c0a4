"""``msa predict``: parameters of the stars of a table, of a folder of files or of an archive."""

import argparse
import os
import sys
import warnings
from pathlib import Path

from msaestimator.catalogs import predict_catalog
from msaestimator.cli._gaia import archive_of, has_gaia_stars, stars_of
from msaestimator.estimators import DEFAULT_MODEL, StellarParameterRegressor
from msaestimator.exceptions import CatalogError, CatalogWarning
from msaestimator.tables import is_table_path, output_path, read_stars, write_stars

__all__ = ["run"]

CONFIG = "config.json"
"""File that every saved model has."""


def run(options: argparse.Namespace) -> None:
    """Predict as the options say, and write the table."""
    model, stars = _model_and_stars(options)
    if stars is not None and _makes_catalog(stars, options.output):
        _run_catalog(model, stars, options)
        return
    inputs = [path for path in (stars, options.ids) if path is not None]
    output_path(options.output, options.overwrite, inputs)
    regressor = StellarParameterRegressor.from_pretrained(model)
    if stars is not None:
        predictions = regressor.predict_table(read_stars(stars, options.hdu))
    else:
        archive = archive_of(options)
        predictions = regressor.predict_from_gaia(stars_of(options, archive), archive)
        if options.name is not None:
            predictions.add_column(options.name, index=0, name="name")
    write_stars(predictions, options.output, options.overwrite)
    sys.stdout.write(f"Wrote {len(predictions)} rows to {options.output}\n")


def _makes_catalog(stars: Path, output: Path) -> bool:
    """Tell whether files of stars are to be answered one by one, into a catalogue."""
    return stars.is_dir() and (output.is_dir() or not is_table_path(output))


def _run_catalog(model: str, stars: Path, options: argparse.Namespace) -> None:
    """Answer files of stars; those that could not be answered make the command fail."""
    if options.hdu is not None:
        raise ValueError("--hdu names a table of a file, not of a folder of files.")
    regressor = StellarParameterRegressor.from_pretrained(model)
    with warnings.catch_warnings():
        # Told below, once.
        warnings.simplefilter("ignore", CatalogWarning)
        report = predict_catalog(regressor, stars, options.output, overwrite=options.overwrite)
    sys.stdout.write(f"{report}\n")
    if report.trouble:
        sys.stderr.write(f"{report.trouble}\n")
    if report.failures:
        raise CatalogError(f"{len(report.failures)} files of {str(stars)!r} are not answered.")


def _model_and_stars(options: argparse.Namespace) -> tuple[str, Path | None]:
    """Return the model, named or not, and the table of stars, None for stars of the archive."""
    words = [word for word in (options.model, options.stars) if word is not None]
    from_gaia = has_gaia_stars(options)
    stars = Path(os.path.expanduser(words.pop())) if words and not from_gaia else None
    # A model, beside which the stars were left out, is a folder; but so may stars be.
    no_table = stars is None or (stars / CONFIG).is_file()
    if no_table != from_gaia or len(words) == 2:
        raise ValueError(
            "`msa predict` needs either a table of stars or one of --source-id, --ids, --name, "
            "--cone and --query."
        )
    if options.hdu is not None and from_gaia and options.ids is None:
        raise ValueError("--hdu names a table of a file: of the stars, or of --ids.")
    return words[0] if words else DEFAULT_MODEL, stars
