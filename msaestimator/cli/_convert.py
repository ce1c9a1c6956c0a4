"""``msa convert``: bulk files of stars as parquet, in the order to train on or to predict."""

import argparse
import sys

from msaestimator.datasets import StarDataset, convert_stars

__all__ = ["run"]


def run(options: argparse.Namespace) -> None:
    """Convert as the options say."""
    output = convert_stars(
        options.stars, options.output, order=options.order, rows_per_file=options.rows
    )
    stars = StarDataset(output)
    sys.stdout.write(f"Wrote {len(stars)} stars in {len(stars.files)} files to {output}\n")
