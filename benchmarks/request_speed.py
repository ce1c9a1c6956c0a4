"""Requests beside a loop that is written from the parent's description, and what makes them fast.

Run from the repository's root::

    OMP_NUM_THREADS=1 python benchmarks/request_speed.py

The loop (``common/peer_networks.py``) shares no code with the library but has the same weights,
untrained, for speed does not depend on them. It encodes stars padded to the whole vocabulary, as
Leung & Bovy (2024) pad to their context, and decodes request by request. Stars are packaged ones,
which lack what real stars lack; of half of them only the first 30 coefficients of each band are
known. Then the library goes without one of its means at a time:

- keys and values once: each decoder block projects a star's tokens once for all requests;
- packed: stars with as many known tokens come together, so that none is padded;
- fused attention: torch's, which does not keep the weights of the attention;
- oneDNN: linear layers by it in the place of MKL.

All read the stars from a table and take turns; rates are medians by the process's CPU time, so
that other work on the machine counts less. The answers' largest difference from those of the
loop is on the network's scale, of order one. Last, the released model is asked for its seven
labels beside the released regressor's ``predict``.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import numpy as np
import torch
from common.cpu_time import cpu_seconds_in_turn, without_onednn
from common.options import make_parser, read_options
from common.peer_networks import ParentTransformer
from common.tables import ResultTable
from torch.nn.attention import SDPBackend, sdpa_kernel

from msaestimator import StellarFoundationModel, StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp
from msaestimator.exceptions import ToldRequestWarning
from msaestimator.preprocessing import read_tokens
from msaestimator.schema import StarTable

HEADER = ("network, requests, way", "stars/s", "times the loop", "answers differ by")
RELEASED_HEADER = ("what", "stars/s", "of the regressor's")
N_KEPT = 30
LOOP, LIBRARY = "the loop", "this library"

Way = Callable[[StarTable, Sequence[str]], dict[str, np.ndarray]]


def load_stars(n_stars: int) -> StarTable:
    """Return packaged stars, half of them without the higher coefficients."""
    stars = load_apogee_xp("test")[:n_stars]
    for band in ("bp", "rp"):
        stars[f"{band}_coefficients"][::2, N_KEPT:] = np.nan
    return stars


def parent_of(model: StellarFoundationModel) -> ParentTransformer:
    """Return the parent's network with the weights of a model."""
    blocks = [
        list(zip(heads, widths, strict=True))
        for heads, widths in (
            (model.encoder_heads, model.encoder_widths),
            (model.decoder_heads, model.decoder_widths),
        )
    ]
    parent = ParentTransformer(
        len(model.vocabulary_), model.embedding_dim, *blocks, model.head_widths
    ).eval()
    ours = model.module_
    weights = {
        f"{name}.{key}": part
        for name in ("head", "mean", "log_variance")
        for key, part in getattr(ours, name).state_dict().items()
    }
    for table in ("weight", "bias"):
        embedding = getattr(ours.embedding, table)
        weights[table] = torch.cat([torch.zeros_like(embedding[:1]), embedding])
    for half in ("encoder", "decoder"):
        for number, block in enumerate(getattr(ours, half)):
            of_block = _weights_of_block(block)
            weights |= {f"{half}.{number}.{name}": part for name, part in of_block.items()}
    parent.load_state_dict(weights)
    return parent


def _weights_of_block(block: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the weights of a transformer block by the parent's names."""
    attention = block.attention
    key, value = attention.learned_entry.chunk(2, dim=-1)
    named = {"attention.bias_k": key, "attention.bias_v": value}
    for end in ("weight", "bias"):
        parts = (attention.project_query, attention.project_memory)
        layers = {
            "attention.out_proj": attention.project_output,
            "dense.0": block.widen,
            "dense.2": block.narrow,
            "norms.0": block.norm_attention,
            "norms.1": block.norm_dense,
        }
        named[f"attention.in_proj_{end}"] = torch.cat([getattr(part, end) for part in parts])
        named |= {f"{name}.{end}": getattr(layer, end) for name, layer in layers.items()}
    return named


def ways_of(model: StellarFoundationModel) -> dict[str, Way]:
    """Return the ways to answer by name: that of the loop, the library's, and without a means."""
    parent = parent_of(model)

    def one_pass(stars: StarTable, names: Sequence[str]) -> dict[str, np.ndarray]:
        answers = model.request(stars, names)
        return {name: answers[name].value for name in names}

    def loop(stars: StarTable, names: Sequence[str]) -> dict[str, np.ndarray]:
        values = scaled_tokens(model, stars)
        positions = model.vocabulary_.index(names)
        answers = []
        with torch.inference_mode():
            for batch in values.split(stars_at_a_time(model)):
                tokens = torch.arange(1, batch.shape[1] + 1).masked_fill(batch.isnan(), 0)
                memory = parent.encode(batch.nan_to_num(), tokens)
                asked = (torch.full((len(batch),), position + 1) for position in positions)
                each = [parent.decode(memory, tokens, one)[0] for one in asked]
                answers.append(torch.stack(each, dim=1))
        return in_units(model, names, torch.cat(answers).numpy())

    return {
        LOOP: loop,
        LIBRARY: one_pass,
        "without keys and values once": within(partial(one_by_one, model.module_), one_pass),
        "without packing": within(partial(padded, model.module_), one_pass),
        "without fused attention": within(partial(sdpa_kernel, SDPBackend.MATH), one_pass),
        "without oneDNN": within(without_onednn, one_pass),
    }


def within(context: Callable[[], AbstractContextManager[object]], way: Way) -> Way:
    """Return a way that answers inside a context."""

    def inside(stars: StarTable, names: Sequence[str]) -> dict[str, np.ndarray]:
        with context():
            return way(stars, names)

    return inside


@contextmanager
def one_by_one(module: torch.nn.Module) -> Iterator[None]:
    """Let a network decode one request after the other."""
    decode = module.decode

    def decode_each(
        memory: torch.Tensor, requests: torch.Tensor, absent: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, ...]:
        answers = (decode(memory, request[None], absent) for request in requests)
        return tuple(torch.cat(parts, dim=1) for parts in zip(*answers, strict=True))

    module.decode = decode_each
    yield
    del module.decode


@contextmanager
def padded(module: torch.nn.Module) -> Iterator[None]:
    """Let a network pad stars to the whole vocabulary."""
    forward, n_tokens = module.forward, len(module.embedding.weight)

    def forward_all(
        values: torch.Tensor, tokens: torch.Tensor, requests: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        whole = values.new_full((len(values), n_tokens), torch.nan).scatter(1, tokens, values)
        return forward(whole.nan_to_num(), torch.arange(n_tokens), requests, whole.isnan())

    module.forward = forward_all
    yield
    del module.forward


def stars_at_a_time(model: StellarFoundationModel) -> int:
    """Return as many stars as a model computes at a time of which all is known."""
    return max(1, model.inference_batch_size // len(model.vocabulary_))


def scaled_tokens(model: StellarFoundationModel, stars: StarTable) -> torch.Tensor:
    """Return the quantities of stars as the network sees them, NaN where missing."""
    values = read_tokens(stars, model.vocabulary_)[0]
    values[:, ~model.is_trained_] = np.nan
    return torch.from_numpy(model.scaler_.transform(values).astype(np.float32))


def in_units(
    model: StellarFoundationModel, names: Sequence[str], means: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the network's answers in their units, by name."""
    positions = model.vocabulary_.index(names)
    full = np.zeros((len(means), len(model.vocabulary_)))
    full[:, positions] = means
    linear = model.scaler_.inverse_transform(full)
    return {name: linear[:, p] for name, p in zip(names, positions, strict=True)}


def difference(
    model: StellarFoundationModel, ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]
) -> float:
    """Return how far answers are apart at most, on the network's scale."""
    scaled = []
    for answers in (ours, theirs):
        full = np.full((len(next(iter(answers.values()))), len(model.vocabulary_)), np.nan)
        for name, values in answers.items():
            full[:, model.vocabulary_.index([name])[0]] = values
        scaled.append(model.scaler_.transform(full))
    return float(np.nanmax(np.abs(np.subtract(*scaled))))


def compare(
    table: ResultTable,
    title: str,
    model: StellarFoundationModel,
    stars: StarTable,
    names: Sequence[str],
    n_rounds: int,
) -> None:
    """Add the rows of one network and one number of requests."""
    answers: dict[str, dict[str, np.ndarray]] = {}

    def keep(name: str, way: Way) -> None:
        answers[name] = way(stars, names)

    ways = ways_of(model)
    seconds = cpu_seconds_in_turn(
        {name: partial(keep, name, way) for name, way in ways.items()}, n_rounds
    )
    for name, taken in seconds.items():
        table.add(
            f"{title}, {name}",
            f"{len(stars) / np.median(taken):.3g}",
            f"{np.median(seconds[LOOP] / taken):.2f}",
            f"{difference(model, answers[name], answers[LOOP]):.0e}",
        )


def compare_released(table: ResultTable, n_stars: int, n_rounds: int) -> None:
    """Add the rows of the released models."""
    regressor = StellarParameterRegressor.from_pretrained("gaia-xp")
    generalist = StellarFoundationModel.from_pretrained("gaia-xp")
    packaged = load_apogee_xp()
    stars = packaged[np.arange(n_stars) % len(packaged)]
    known = regressor.reader_.without_unseen(stars)
    told = generalist.reader_.without_untrained(stars)

    def ask(context: Callable[[], AbstractContextManager[object]]) -> None:
        with context():
            generalist.request(told, generalist.labels_)

    asked = f"the generalist, {len(generalist.labels_)} requests"
    seconds = cpu_seconds_in_turn(
        {
            f"the regressor, predict of {len(regressor.labels_)} labels": (
                lambda: regressor.predict(known)
            ),
            asked: lambda: ask(nullcontext),
            f"{asked}, without oneDNN": lambda: ask(without_onednn),
        },
        n_rounds,
    )
    of_regressor = next(iter(seconds.values()))
    for name, taken in seconds.items():
        rate = n_stars / np.median(taken)
        table.add(name, f"{rate:.0f}", f"{np.median(of_regressor / taken):.2f}")


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("--stars", type=int, default=32, help="of 110 requests; 8 times of 3")
    parser.add_argument("--released-stars", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--presets", nargs="*", default=["zhang2026", "default"])
    options = read_options(parser, stars=4, released_stars=100, rounds=1, presets=["default"])
    # What is told and asked costs as much as any.
    warnings.simplefilter("ignore", ToldRequestWarning)
    table = ResultTable(options.tables / "request_speed.inc", HEADER)
    sample = load_apogee_xp("train")[:200]
    for preset in options.presets:
        model = StellarFoundationModel.from_preset(
            preset, max_epochs=0, precision="float32", device="cpu", random_state=0
        ).fit(sample)
        size = sum(parameter.numel() for parameter in model.module_.parameters())
        print(f"{preset}: {size:,} parameters")
        stars = load_stars(8 * options.stars)
        for given, names in (
            (stars, ("teff", "logg", "ebv")),
            (stars[: options.stars], model.xp_columns),
        ):
            title = f"{preset}, {len(names)}"
            compare(table, title, model, given, names, options.rounds)
    released = ResultTable(options.tables / "request_speed_released.inc", RELEASED_HEADER)
    compare_released(released, options.released_stars, options.rounds)


if __name__ == "__main__":
    main()
