"""Names that are nearly one of those known."""

import re
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["near_miss"]


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that another misspells: the same letters, or one more or less."""
    plain = _letters(name)
    for candidate in sorted(known):
        target = _letters(candidate)
        if plain == target or (len(target) > 7 and _one_letter_more(plain, target)):
            return candidate
    return None


@lru_cache(maxsize=10_000)
def _letters(name: str) -> str:
    """Return a name's letters and digits alone, in lower case."""
    return re.sub(r"[\W_]", "", name).lower()


def _one_letter_more(first: str, second: str) -> bool:
    """Tell whether one word is the other with one letter too many.

    One letter for another is no misspelling here: ``catwise_w3`` is another band.
    """
    if abs(len(first) - len(second)) != 1:
        return False
    short, long = sorted((first, second), key=len)
    return any(long[:index] + long[index + 1 :] == short for index in range(len(long)))
