"""The command ``msa``: the estimators' verbs for people who live in a shell."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from msaestimator.cli._demo import run_demo
from msaestimator.cli._files import read_stars, write_stars
from msaestimator.cli._gaia import add_gaia_options, archive_of, has_gaia_stars, stars_of
from msaestimator.estimators import (
    DEFAULT_MODEL,
    PRESETS,
    MaskedStellarAutoencoder,
    StellarParameterRegressor,
)
from msaestimator.exceptions import MSAEstimatorError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments of the command line; None takes those of the process.

    Returns
    -------
    int
        Exit code: 0, or 1 after printing what was wrong with the input, or 130 after Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (MSAEstimatorError, ValueError, OSError) as error:
        sys.stderr.write(f"msa: {error}\n")
        return 1
    except KeyboardInterrupt as interrupt:
        sys.stderr.write(f"msa: {str(interrupt) or 'Interrupted.'}\n")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="msa", description="Stellar parameters from Gaia.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _add_demo(verbs)
    _add_fit(verbs)
    _add_predict(verbs)
    return parser


def _add_demo(verbs: argparse._SubParsersAction) -> None:
    demo = verbs.add_parser("demo", help="pre-train, fine-tune and score on packaged real stars")
    demo.add_argument("--output", type=Path, default=Path("msa-demo"), help="folder for results")
    demo.add_argument("--epochs", type=int, help="length of each training (default: full)")
    demo.add_argument("--stars", type=int, help="use only so many training stars")
    demo.add_argument("--random-state", type=int, default=0)
    demo.set_defaults(
        run=lambda o: run_demo(
            o.output, max_epochs=o.epochs, n_stars=o.stars, random_state=o.random_state
        )
    )


def _add_fit(verbs: argparse._SubParsersAction) -> None:
    fit = verbs.add_parser(
        "fit", help="pre-train and fine-tune on a table of stars (FITS, ECSV, parquet, VOTable)"
    )
    fit.add_argument("stars", type=Path, help="table with features and labels")
    fit.add_argument("model", type=Path, help="folder to save the fitted regressor to")
    fit.add_argument("--labels", nargs="+", help="label columns (default: those there are)")
    fit.add_argument("--pretrain-on", type=Path, help="another table to pre-train on")
    fit.add_argument("--preset", choices=sorted(PRESETS), default="default")
    fit.add_argument("--epochs", type=int, help="length of each training")
    fit.add_argument("--checkpoint", type=Path, help="folder to resume an interrupted run from")
    fit.add_argument("--random-state", type=int, default=0)
    fit.set_defaults(run=_fit)


def _add_predict(verbs: argparse._SubParsersAction) -> None:
    predict = verbs.add_parser(
        "predict", help="predict the parameters of a table of stars, or of stars of the archive"
    )
    predict.add_argument(
        "model",
        nargs="?",
        help=f"released model, or folder that `msa fit` wrote (default: {DEFAULT_MODEL})",
    )
    predict.add_argument("stars", nargs="?", help="table with features (else one of the options)")
    predict.add_argument("output", type=Path, help="table to write: .fits, .ecsv, .parquet, .vot")
    add_gaia_options(predict)
    predict.set_defaults(run=_predict)


def _fit(options: argparse.Namespace) -> None:
    stars = read_stars(options.stars)
    common = {"verbose": 1, "random_state": options.random_state}
    if options.epochs is not None:
        common["max_epochs"] = options.epochs
    stages = [common | _checkpoint(options, stage) for stage in ("pretraining", "finetuning")]
    encoder = MaskedStellarAutoencoder.from_preset(options.preset, **stages[0])
    if options.pretrain_on is not None:
        encoder.fit(read_stars(options.pretrain_on))
    regressor = StellarParameterRegressor.from_preset(
        options.preset, encoder=encoder, labels=options.labels, **stages[1]
    )
    regressor.fit(stars).save_pretrained(options.model)
    sys.stdout.write(f"Saved {', '.join(regressor.labels_)} to {options.model}\n")


def _checkpoint(options: argparse.Namespace, stage: str) -> dict[str, Path]:
    if options.checkpoint is None:
        return {}
    return {"checkpoint": options.checkpoint / f"{stage}.safetensors"}


def _predict(options: argparse.Namespace) -> None:
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
