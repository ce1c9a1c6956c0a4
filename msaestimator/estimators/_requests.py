"""The tokens of a star that training shows and asks, by the blocks of a vocabulary."""

from collections.abc import Mapping, Sequence

import numpy as np

from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.networks import TokenDraw
from msaestimator.schema import Vocabulary

__all__ = ["check_blocks", "request_draw"]


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
    if not asked.any():
        trained = np.array(vocabulary.names)[is_trained]
        raise ColumnError(
            "The stars must have a quantity that training asks for, got only "
            f"{', '.join(trained)}. Set `requested` of one of these tokens."
        )
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
        block_dropout=_dropout_of_blocks(block_dropout, names),
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


def _dropout_of_blocks(
    block_dropout: float | Mapping[str, float], names: Sequence[str]
) -> float | list[float]:
    """Return the probability that a block is hidden, of each by its number or of any."""
    if not isinstance(block_dropout, Mapping):
        return block_dropout
    for name in block_dropout:
        if name not in names:
            raise ValueError(
                f"`block_dropout` must name blocks of the vocabulary ({', '.join(names)}), "
                f"got {name!r}." + did_you_mean(name, names)
            )
    return [block_dropout.get(name, 0.0) for name in names]
