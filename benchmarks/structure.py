"""Size and depth of the estimators' room, and how often stars pass through it.

Run from the repository's root, on a commit's own package with a worktree on the path::

    python benchmarks/structure.py
    git worktree add ../before 6c19e6a
    PYTHONPATH=../before python benchmarks/structure.py --commit 6c19e6a

A reading is one of the G magnitude's column; a run of the encoder is as many stars as were asked
about.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.options import make_parser, read_options
from common.tables import ResultTable

import msaestimator
from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)
from msaestimator.datasets import load_apogee_xp
from msaestimator.networks import MaskedAutoencoder
from msaestimator.schema import G_BAND

HEADER = (
    "commit",
    "files",
    "lines",
    "own classes above an estimator, at most",
    "readings in fit",
    "readings in predict_table",
    "runs of the encoder in predict_table",
)
ESTIMATORS = (MaskedStellarAutoencoder, StellarFoundationModel, StellarParameterRegressor)


@contextmanager
def counting(stars: Any) -> Iterator[Counter[str]]:
    """Count readings of a table's G magnitudes, and stars that an autoencoder encodes."""
    counter: Counter[str] = Counter()
    table, get, encode = type(stars), type(stars).__getitem__, MaskedAutoencoder.encode

    def counted_get(self: Any, item: Any) -> Any:
        counter["readings"] += self is stars and isinstance(item, str) and item == G_BAND
        return get(self, item)

    def counted_encode(self: MaskedAutoencoder, x: Any) -> Any:
        counter["encoded"] += len(x)
        return encode(self, x)

    table.__getitem__, MaskedAutoencoder.encode = counted_get, counted_encode
    try:
        yield counter
    finally:
        table.__getitem__, MaskedAutoencoder.encode = get, encode


def depth(estimator: type) -> int:
    """Return how many of the package's classes an estimator descends from."""
    return sum(base.__module__.startswith("msaestimator") for base in estimator.__mro__) - 1


def main() -> None:
    """Count and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--commit", default="now", help="name of the row")
    parser.add_argument("--stars", type=int, default=300)
    options = read_options(parser, stars=100)
    stars = load_apogee_xp("train")[: options.stars]
    files = list((Path(msaestimator.__file__).parent / "estimators").glob("*.py"))
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    encoder = MaskedStellarAutoencoder(max_epochs=1, random_state=0)
    regressor = StellarParameterRegressor(encoder, labels=("teff",), max_epochs=1, random_state=0)
    with counting(stars) as in_fit:
        regressor.fit(stars)
    with counting(stars) as in_predict:
        regressor.predict_table(stars)
    table = ResultTable(options.tables / "structure.inc", HEADER)
    table.add(
        options.commit,
        len(files),
        lines,
        max(map(depth, ESTIMATORS)),
        in_fit["readings"],
        in_predict["readings"],
        f"{in_predict['encoded'] / len(stars):.3g}",
    )


if __name__ == "__main__":
    main()
