"""Refuse words that a fitted generalist has not learned, where a training goes on."""

from collections.abc import Sequence
from typing import Any

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import TokenReader
from msaestimator.schema import Vocabulary

__all__ = ["check_no_new_words"]

SHOWN = 3
"""Most words that the error has."""


def check_no_new_words(
    reader: TokenReader, X: Any, vocabulary: Vocabulary | None, labels: Sequence[str] | None
) -> None:
    """Refuse stars, a vocabulary or labels with a word that no star of the first ``fit`` had.

    The network has no numbers for it, and its scale is not known.

    Parameters
    ----------
    reader : TokenReader
        Reader of the first ``fit``.
    X : table of n_stars stars or array, as ``reader.open`` returns them
    vocabulary, labels
        The same as in `StellarFoundationModel`, as they are now.
    """
    asked = (
        () if vocabulary is None else set(vocabulary.names).difference(reader.vocabulary_.names)
    )
    wanted = set(labels or ()).difference(reader.trained_tokens)
    new = list(dict.fromkeys([*sorted(asked), *sorted(wanted), *reader.new_words(X)]))
    if new:
        more = f" and {len(new) - SHOWN} more" if len(new) > SHOWN else ""
        columns = {
            c for n in new if n in reader.vocabulary_ for c in reader.vocabulary_[n].columns
        }
        made = f" (from {', '.join(sorted(columns))})" if columns else ""
        raise ColumnError(
            "With warm_start a model learns no new words, and no star of its first fit had "
            f"{', '.join(map(repr, new[:SHOWN]))}{more}{made}. Leave them out, or fit anew "
            "(warm_start=False) on stars that have them."
        )
