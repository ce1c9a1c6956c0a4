"""The command lines of the benchmarks, each with a size that only shows that it runs."""

import argparse
from pathlib import Path

__all__ = ["make_parser", "read_options"]


def make_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark has: where its tables and figures go."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=Path, default=Path("docs/performance"))
    parser.add_argument("--figures", type=Path, default=Path("docs/figures"))
    parser.add_argument(
        "--toy", action="store_true", help="few stars and epochs; tables and figures in build/toy"
    )
    return parser


def read_options(parser: argparse.ArgumentParser, **toy: object) -> argparse.Namespace:
    """Return what was given; with ``--toy`` other options default to the values ``toy``."""
    if parser.parse_known_args()[0].toy:
        parser.set_defaults(tables=Path("build/toy"), figures=Path("build/toy"), **toy)
    return parser.parse_args()
