"""The verbs, options and choices of ``msa``, read without loading the library."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from msaestimator import __version__

__all__ = ["DEFAULT_MODEL", "ORDERS", "PRESETS", "SERVICES", "make_parser"]

# The rooms that own these choices import torch and astropy, which take seconds, and help is to
# come at once. tests/cli/test_choices.py compares them with their owners.
DEFAULT_MODEL = "gaia-xp"
PRESETS = ("default", "mckay2025")
SERVICES = ("aip", "ari", "esa", "local")
ORDERS = ("random", "sky")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser, whose ``module`` names the module of ``cli`` that runs the verb."""
    parser = argparse.ArgumentParser(prog="msa", description="Stellar parameters from Gaia.")
    parser.add_argument("--version", action="version", version=f"msa {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _add_demo(verbs)
    _add_fit(verbs)
    _add_predict(verbs)
    _add_convert(verbs)
    _add_build(verbs)
    return parser


def _add_demo(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = verbs.add_parser(
        "demo",
        help="ask the released model, then pre-train, fine-tune and score on packaged real stars",
    )
    demo.add_argument("--output", type=_path, default=Path("msa-demo"), help="folder for results")
    demo.add_argument(
        "--full",
        action="store_true",
        help="train at full length and on all labels, which takes 2.5 times as long",
    )
    demo.add_argument("--epochs", type=_at_least(0), help="length of each training")
    demo.add_argument("--stars", type=_at_least(1), help="use only so many training stars")
    demo.add_argument("--random-state", type=_at_least(0), default=0)
    demo.set_defaults(module="_demo")


def _add_fit(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    fit = verbs.add_parser(
        "fit",
        help="pre-train and fine-tune on a table of stars (FITS, CSV, ECSV, parquet, VOTable ...)",
    )
    fit.add_argument("stars", type=_path, help="table with features and labels")
    fit.add_argument("model", type=_path, help="folder to save the fitted regressor to")
    _add_hdu(fit, "the stars")
    fit.add_argument("--labels", nargs="+", help="label columns (default: those there are)")
    fit.add_argument("--pretrain-on", type=_path, help="another table to pre-train on")
    fit.add_argument(
        "--preset",
        choices=PRESETS,
        default="default",
        help="settings: the library's, or those of the thesis",
    )
    fit.add_argument("--epochs", type=_at_least(0), help="length of each training")
    fit.add_argument("--checkpoint", type=_path, help="folder to resume an interrupted run from")
    fit.add_argument("--random-state", type=_at_least(0), default=0)
    fit.set_defaults(module="_fit")


def _add_predict(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    predict = verbs.add_parser(
        "predict", help="predict the parameters of a table of stars, or of stars of the archive"
    )
    predict.add_argument(
        "model",
        nargs="?",
        help=f"released model, or folder that `msa fit` wrote (default: {DEFAULT_MODEL})",
    )
    predict.add_argument(
        "stars",
        nargs="?",
        help="table with features, or folder of parquet files, of which the output may be the "
        "folder of a HATS catalogue (else one of the options)",
    )
    predict.add_argument(
        "output",
        type=_path,
        help="table to write: .fits, .csv, .ecsv, .parquet, .vot",
    )
    predict.add_argument("--overwrite", action="store_true", help="replace an output that exists")
    _add_hdu(predict, "the stars, or of --ids")
    _add_ways_to_name_stars(predict)
    _add_archive(predict)
    predict.set_defaults(module="_predict")


def _add_convert(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    convert = verbs.add_parser(
        "convert",
        help="make parquet files of the archive's bulk files, to train on or to predict",
    )
    convert.add_argument(
        "stars",
        nargs="+",
        type=_path,
        help="folders or files: XpContinuousMeanSpectrum_*.csv.gz and GaiaSource_*.csv.gz",
    )
    convert.add_argument("output", type=_path, help="folder to make")
    convert.add_argument(
        "--order",
        choices=ORDERS,
        default="random",
        help="random, to train on; or sky, a HATS catalogue (default: random)",
    )
    convert.add_argument(
        "--rows", type=_at_least(1), default=100_000, help="stars a file (default: 100000)"
    )
    convert.set_defaults(module="_convert")


def _add_build(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    build = verbs.add_parser(
        "build", help="build a training set of Gaia, XP, other surveys and reddening, as parquet"
    )
    build.add_argument(
        "stars",
        type=_path,
        help="parquet file, or folder of them, with Gaia's columns and XP coefficients; of an "
        "archive (--service), a file of ids",
    )
    build.add_argument("output", type=_path, help="folder to write to, or to go on with")
    build.add_argument(
        "--survey",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="parquet files of tmass, wise, skymapper, ps1 or sdss, matched by source_id",
    )
    build.add_argument("--labels", type=_path, help="table of labels: only their stars are kept")
    build.add_argument(
        "--dust-map", default="sfd", metavar="MAP", help="map of reddening, or none (default: sfd)"
    )
    build.add_argument(
        "--quality-cuts",
        default="mckay2025",
        metavar="CUTS",
        help="cuts on other surveys' flags: mckay2025 (default), or none",
    )
    _add_archive(build)
    build.set_defaults(module="_build")


def _add_hdu(verb: argparse.ArgumentParser, whose: str) -> None:
    verb.add_argument(
        "--hdu",
        metavar="TABLE",
        help=f"number or name of the table in the file of {whose}, if it has several",
    )


def _add_ways_to_name_stars(verb: argparse.ArgumentParser) -> None:
    """Add the ways to name stars of the archive, of which one may be used."""
    ways = verb.add_mutually_exclusive_group()
    ways.add_argument(
        "--source-id",
        nargs="+",
        metavar="ID",
        help="Gaia source ids, fetched from the archive",
    )
    ways.add_argument(
        "--ids",
        type=_path,
        metavar="FILE",
        help="file with Gaia source ids: one a line, or a table with the column source_id",
    )
    ways.add_argument(
        "--name", nargs="+", metavar="NAME", help="names of stars, such as '18 Sco', by SIMBAD"
    )
    ways.add_argument(
        "--cone",
        nargs=3,
        metavar=("RA", "DEC", "RADIUS"),
        help="stars around a position in degrees; the radius with a unit, such as 2arcmin",
    )
    ways.add_argument("--query", metavar="ADQL", help="stars that a query selects by source_id")


def _add_archive(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--service",
        choices=SERVICES,
        help="Gaia archive (default: esa, or local with --tap-url)",
    )
    verb.add_argument("--tap-url", metavar="URL", help="TAP server to ask in place of its own")
    verb.add_argument(
        "--cache",
        type=_path,
        metavar="FOLDER",
        help="folder to keep answers in (default: astropy's cache folder)",
    )


def _path(word: str) -> Path:
    """Return a path; a shell leaves ``~`` as it is after ``=`` and within quotes."""
    return Path(os.path.expanduser(word))


def _at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number, and refuses one that no verb could use."""

    def read(word: str) -> int:
        if not word.isdecimal() or int(word) < least:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {least}, got {word!r}"
            )
        return int(word)

    return read
