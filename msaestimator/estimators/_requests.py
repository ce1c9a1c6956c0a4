"""Draws of what training shows of a star and asks, by the blocks of a vocabulary."""

from collections.abc import Mapping, Sequence

import numpy as np

from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.networks import BlockDraw, BlockMask, TokenDraw
from msaestimator.schema import Vocabulary

__all__ = ["block_draw", "block_names", "block_numbers", "check_blocks", "request_draw"]

FAMILY = {"bp": "xp", "rp": "xp"}
"""Blocks that are parts of one measurement, which stars have or lack together."""

LIGHT = ("difference", "over_g_flux")
"""Recipes of colours and coefficients."""


def block_names(vocabulary: Vocabulary) -> list[str]:
    """Return the names of a vocabulary's blocks, in the order in which these come first."""
    return list(dict.fromkeys(token.block for token in vocabulary.tokens))


def block_numbers(vocabulary: Vocabulary) -> list[int]:
    """Return the number of each quantity's block, in the order in which these come first."""
    names = block_names(vocabulary)
    return [names.index(token.block) for token in vocabulary.tokens]


def block_draw(
    vocabulary: Vocabulary,
    is_trained: np.ndarray,
    *,
    n_requests: int,
    block_dropout: float | Mapping[str, float],
    partial_ratio: float | Mapping[str, float],
    from_labels_ratio: float,
    resample_noise: bool,
) -> BlockDraw:
    """Return what draws the shown quantities and the asked blocks of stars in training.

    Parameters
    ----------
    vocabulary, is_trained
        The same as in `request_draw`.
    n_requests, block_dropout, partial_ratio, from_labels_ratio, resample_noise
        The same as in `StellarFoundationModel`.

    Raises
    ------
    ColumnError
        No star has a quantity that training asks for.
    ValueError
        ``block_dropout`` or ``partial_ratio`` names neither a block of the vocabulary nor
        ``"xp"``.
    """
    _check_asked(vocabulary, is_trained)
    names = block_names(vocabulary)
    families = list(dict.fromkeys(FAMILY.get(name, name) for name in names))
    blocks = block_numbers(vocabulary)
    sizes = np.bincount(blocks)
    is_label = np.array([name == "label" for name in names])
    weights = np.array([token.weight * token.requested for token in vocabulary.tokens])
    # A label counts as much as all of another block.
    weights = weights * is_trained / np.where(is_label, 1, sizes)[blocks]
    told = [*names, *(name for name in families if name not in names)]
    chances = _chances("block_dropout", block_dropout, told)
    chance = dict(zip(told, chances, strict=True))
    of_family = [FAMILY.get(name, name) for name in names]
    mask = BlockMask(
        blocks,
        [families.index(family) for family in of_family],
        [chance[name] if name not in families else 0.0 for name in names],
        [chance[family] for family in families],
        _chances("partial_ratio", partial_ratio, families),
        from_labels_ratio,
        [any(t.block == name and t.recipe in LIGHT for t in vocabulary.tokens) for name in names],
        [name == "label" for name in names],
    )
    return BlockDraw(
        mask,
        weights.tolist(),
        always_asked=np.flatnonzero(is_label).tolist(),
        n_asked=n_requests,
        resample_noise=resample_noise,
    )


def request_draw(
    vocabulary: Vocabulary,
    is_trained: np.ndarray,
    *,
    n_inputs: tuple[int, int],
    n_requests: int,
    request_by: str,
    block_dropout: float | Mapping[str, float],
    resample_noise: bool,
) -> TokenDraw:
    """Return what draws the shown and the asked quantities of stars in training.

    Parameters
    ----------
    vocabulary : Vocabulary
        The quantities.
    is_trained : ndarray of bool of shape (n_tokens,)
        Mask of the tokens that any star has.
    n_inputs, n_requests, request_by, block_dropout, resample_noise
        The same as in `StellarFoundationModel`.

    Raises
    ------
    ColumnError
        No star has a quantity that training asks for.
    ValueError
        ``block_dropout`` names a block that the vocabulary does not have.
    """
    blocks = [token.block for token in vocabulary.tokens]
    names = sorted(set(blocks))
    shown = np.array([token.weight for token in vocabulary.tokens]) * is_trained
    asked = shown * [token.requested for token in vocabulary.tokens]
    _check_asked(vocabulary, is_trained)
    for block in names:
        members = np.array([name == block for name in blocks])
        # So that a heavy token is shown at the cost of others of its block only.
        shown[members] /= shown[members].mean() or 1.0
        if request_by == "block":
            asked[members] /= asked[members].sum() or 1.0
    return TokenDraw(
        [names.index(block) for block in blocks],
        asked,
        input_weights=shown,
        n_inputs=n_inputs,
        n_requests=n_requests,
        block_dropout=_chances("block_dropout", block_dropout, names),
        resample_noise=resample_noise,
    )


def check_blocks(
    name: str, heads: Sequence[int], widths: Sequence[int], embedding_dim: int
) -> None:
    """Refuse attention blocks whose heads and widths do not fit each other or the embedding."""
    if len(heads) != len(widths) or any(h < 1 or embedding_dim % h for h in heads):
        raise ValueError(
            f"`{name}_heads` must have as many blocks as `{name}_widths`, and divide "
            f"`embedding_dim` ({embedding_dim}), got {heads} and {widths}."
        )


def _check_asked(vocabulary: Vocabulary, is_trained: np.ndarray) -> None:
    """Refuse stars without any quantity that training asks for."""
    requested = np.array([token.requested and token.weight > 0 for token in vocabulary.tokens])
    if not (requested & is_trained).any():
        trained = np.array(vocabulary.names)[is_trained]
        raise ColumnError(
            "The stars must have a quantity that training asks for, got only "
            f"{', '.join(trained)}. Set `requested` of one of these tokens."
        )


def _chances(
    parameter: str, chances: float | Mapping[str, float], names: Sequence[str]
) -> list[float]:
    """Return the probability that a parameter gives each block, zero where it names others."""
    if not isinstance(chances, Mapping):
        return [chances] * len(names)
    for name in chances:
        if name not in names:
            raise ValueError(
                f"`{parameter}` must name blocks of the vocabulary ({', '.join(names)}), "
                f"got {name!r}." + did_you_mean(name, names)
            )
    return [chances.get(name, 0.0) for name in names]
