"""The command ``msa``: the estimators' verbs for people who live in a shell."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from msaestimator.cli._options import make_parser

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
    options = make_parser().parse_args(arguments)
    try:
        return _run(options)
    except KeyboardInterrupt as interrupt:
        sys.stderr.write(f"msa: {str(interrupt) or 'Interrupted.'}\n")
        return 130


def _run(options: argparse.Namespace) -> int:
    """Load the verb's module, which takes seconds, and run it."""
    from msaestimator.exceptions import MSAEstimatorError

    verb = importlib.import_module(f"msaestimator.cli.{options.module}")
    try:
        verb.run(options)
    except (MSAEstimatorError, ValueError, OSError) as error:
        sys.stderr.write(f"msa: {error}\n")
        return 1
    return 0
