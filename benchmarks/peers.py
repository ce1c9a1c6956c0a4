"""Training and prediction beside plain torch loops of the papers' networks and beside XGBoost.

Run from the repository's root::

    python benchmarks/peers.py

The plain loops (``common/peer_networks.py``, ``common/peer_loops.py``) are written from the
published descriptions of the thesis's autoencoder and of the generalist's parent, at their sizes,
and share nothing with the library. Both sides train in float32 on the same stars, with as many in
a batch, and take turns; rates are the medians of rounds, and ratios of pairs. Seconds are of CPU
time, of all threads together. The share of the peak is of the matrix products of the side's own
network over the best rate of one large product in the same run. XGBoost learns three quantiles of
each label from the packaged stars, as many of them as the library's default regressor, which is
pre-trained on them too.
"""

import argparse
from collections.abc import Callable, Mapping

import numpy as np
import torch
from common.options import make_parser, read_options
from common.peer_loops import ParentLoop, ThesisLoop, ask_parent
from common.peer_networks import ParentTransformer, ThesisAutoencoder, ThesisRegressor
from common.speed import count_operations, in_turn, matmul_rate, ratio_in_words, seconds_of
from common.stars import LABELS, UNITS, load_split
from common.tables import ResultTable
from sklearn.pipeline import make_pipeline
from torch.utils.data import TensorDataset

from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)
from msaestimator.datasets import load_apogee_xp, make_mock_survey
from msaestimator.preprocessing import StellarFeatures, XPCoefficientScaler, read_labels

HEADER = ("what", "this library", "the peer", "times the peer", "of the peak: ours", "theirs")
THESIS_LABELS = ("teff", "logg", "fe_h", "age", "mass", "parallax")
ASKED = ("teff", "logg", "ebv")
N_TREES = 400
TINY_THESIS = {"hidden_widths": (16, 8)}
TINY_PARENT = {
    "embedding_dim": 16,
    "encoder_widths": (16, 16),
    "decoder_widths": (16, 16, 16),
    "head_widths": (16, 16),
}
Ways = Mapping[str, Callable[[], object]]


class Comparison:
    """Rows of the table: rates of both sides, their ratio, and shares of the peak.

    Parameters
    ----------
    options : Namespace
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.table = ResultTable(options.tables / "peers.inc", HEADER)

    def add(self, name: str, ways: Ways, n_stars: int, one_batch: Ways, batch: int) -> None:
        """Measure two ways of ``n_stars`` stars in turn; ``one_batch`` tells what they cost."""
        peak = matmul_rate("float32", self.options.matrix)
        seconds = in_turn(ways, self.options.rounds)
        peak = max(peak, matmul_rate("float32", self.options.matrix))
        rates = {side: n_stars / np.median(taken) for side, taken in seconds.items()}
        costs = [count_operations(compute) / batch for compute in one_batch.values()]
        shares = [rate * cost / peak for rate, cost in zip(rates.values(), costs, strict=True)]
        self.table.add(
            name,
            *(f"{rate:.4g} stars per CPU second" for rate in rates.values()),
            ratio_in_words(seconds["theirs"] / seconds["ours"]),
            *(f"{share:.2f}" for share in shares),
        )

    def add_boosting(self, name: str, ours: np.ndarray, theirs: np.ndarray, unit: str) -> None:
        """Add a row about boosting, which has no matrix products, from seconds taken."""
        taken = (f"{np.median(seconds):.3g} {unit}" for seconds in (ours, theirs))
        self.table.add(name, *taken, ratio_in_words(theirs / ours), "–", "–")


def compare_thesis(options: argparse.Namespace, comparison: Comparison) -> None:
    """Compare the thesis's autoencoder, and its regressor."""
    size = TINY_THESIS if options.toy else {}
    stars = make_mock_survey(options.stars, random_state=0)
    common = {"max_epochs": 1, "device": "cpu", "random_state": 0}
    ours = MaskedStellarAutoencoder.from_preset("mckay2025", **size, **common).fit(stars)
    features = ours.reader_.transform(stars)
    x = torch.from_numpy(features.values)
    plain = ThesisAutoencoder(x.shape[1], ours.module_.exit.out_features, ours.hidden_widths)
    loop = ThesisLoop(plain, torch.from_numpy(features.columns.is_xp), ours.batch_size)
    batch = min(ours.batch_size, len(x))
    few = x[:batch]

    def train_ours(x: torch.Tensor) -> None:
        ours.net_.partial_fit(TensorDataset(x, x))

    comparison.add(
        "thesis's autoencoder, training",
        {"ours": lambda: train_ours(x), "theirs": lambda: loop.run_epoch(x)},
        len(x),
        {"ours": lambda: train_ours(few), "theirs": lambda: loop.run_epoch(few)},
        batch,
    )
    widths = {"head_widths": (16,)} if options.toy else {}
    preset = {"labels": THESIS_LABELS, "device": "cpu", **widths}
    regressor = StellarParameterRegressor.from_preset(
        "mckay2025", encoder=ours, max_epochs=0, **preset
    ).fit(stars)
    head = ThesisRegressor(
        plain, ours.hidden_widths[-1], regressor.head_widths, len(THESIS_LABELS)
    ).eval()

    def run(network: Callable[[torch.Tensor], object], x: torch.Tensor) -> None:
        with torch.inference_mode():
            for rows in x.nan_to_num(-9999.0).split(ours.batch_size):
                network(rows)

    sides = {"ours": regressor.module_.quantiles, "theirs": head}
    comparison.add(
        "thesis's regressor, prediction",
        {side: lambda network=network: run(network, x) for side, network in sides.items()},
        len(x),
        {side: lambda network=network: run(network, few) for side, network in sides.items()},
        batch,
    )


def compare_parent(options: argparse.Namespace, comparison: Comparison) -> None:
    """Compare the generalist's parent."""
    size = TINY_PARENT if options.toy else {}
    stars = load_apogee_xp("train")[: options.parent_stars]
    ours = StellarFoundationModel.from_preset(
        "zhang2026", precision="float32", max_epochs=1, device="cpu", random_state=0, **size
    ).fit(stars)
    tokens = torch.from_numpy(ours.reader_.transform(ours.reader_.open(stars)))
    plain = ParentTransformer(
        tokens.shape[2],
        ours.embedding_dim,
        list(zip(ours.encoder_heads, ours.encoder_widths, strict=True)),
        list(zip(ours.decoder_heads, ours.decoder_widths, strict=True)),
        ours.head_widths,
    )
    loop = ParentLoop(plain, ours.batch_size)
    batch = min(ours.batch_size, len(tokens))
    few = tokens[:batch]

    def train_ours(tokens: torch.Tensor) -> None:
        ours.net_.partial_fit(TensorDataset(tokens, tokens))

    comparison.add(
        "parent transformer, training",
        {"ours": lambda: train_ours(tokens), "theirs": lambda: loop.run_epoch(tokens)},
        len(tokens),
        {"ours": lambda: train_ours(few), "theirs": lambda: loop.run_epoch(few)},
        batch,
    )
    # As many inputs as the parent takes: those of its own comparisons.
    orders = range(1, 31)
    inputs = [f"relative_{band}_{n}" for band in ("bp", "rp") for n in orders]
    inputs += ["bp_rp", "j_h", "j_ks"]
    requests = ours.vocabulary_.index(ASKED)
    is_input = np.isin(np.arange(tokens.shape[2]), ours.vocabulary_.index(inputs))

    def ask_plain(stars: object) -> None:
        values = ours.reader_.transform(ours.reader_.open(stars))[:, 0]
        values[:, ~is_input] = np.nan
        ask_parent(plain, torch.from_numpy(values), requests, options.asked_at_a_time)

    some = stars[: options.asked_at_a_time]
    comparison.add(
        "parent transformer, three requests from a table",
        {
            "ours": lambda: ours.request(stars, ASKED, inputs=inputs),
            "theirs": lambda: ask_plain(stars),
        },
        len(stars),
        {
            "ours": lambda: ours.request(some, ASKED, inputs=inputs),
            "theirs": lambda: ask_plain(some),
        },
        len(some),
    )


def compare_boosting(options: argparse.Namespace, comparison: Comparison) -> None:
    """Compare XGBoost, if it is installed."""
    try:
        from xgboost import XGBRegressor
    except ImportError:
        print("XGBoost is skipped, for it is not installed: pip install xgboost")
        return
    training, test = load_split(toy=options.toy)
    training, test = training[: options.labelled], test[: options.labelled]
    epochs = {"max_epochs": 1} if options.toy else {}
    ours = StellarParameterRegressor(
        MaskedStellarAutoencoder(device="cpu", **epochs),
        labels=LABELS,
        device="cpu",
        random_state=0,
        **epochs,
    )
    scaler = make_pipeline(StellarFeatures(), XPCoefficientScaler())
    boosted = [
        XGBRegressor(
            objective="reg:quantileerror",
            quantile_alpha=list(ours.quantiles),
            n_estimators=5 if options.toy else N_TREES,
            n_jobs=torch.get_num_threads(),
        )
        for _ in LABELS
    ]

    def train_boosted() -> None:
        x = scaler.fit_transform(training)
        for model, target in zip(boosted, read_labels(training, UNITS).T, strict=True):
            known = np.isfinite(target)
            model.fit(x[known], target[known])

    def ask_boosted() -> None:
        x = scaler.transform(test)
        for model in boosted:
            model.predict(x)

    seconds = []
    for train in (lambda: ours.fit(training), train_boosted):
        seconds.append(np.array([seconds_of(train)]))
    comparison.add_boosting("XGBoost, training and pre-training", *seconds, "CPU seconds")
    taken = in_turn(
        {"ours": lambda: ours.predict_quantiles(test), "theirs": ask_boosted}, options.rounds
    )
    comparison.add_boosting("XGBoost, quantiles from a table", *taken.values(), "CPU seconds")


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, default=1024, help="stars of the thesis's networks")
    parser.add_argument("--parent-stars", type=int, default=256)
    parser.add_argument("--labelled", type=int, default=1000, help="stars that boosting learns")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--matrix", type=int, default=2048, help="rows of the matrix product")
    parser.add_argument("--asked-at-a-time", type=int, default=128)
    options = read_options(parser, stars=100, parent_stars=100, rounds=1, matrix=256)
    torch.manual_seed(0)
    comparison = Comparison(options)
    for compare in (compare_thesis, compare_parent, compare_boosting):
        compare(options, comparison)


if __name__ == "__main__":
    main()
