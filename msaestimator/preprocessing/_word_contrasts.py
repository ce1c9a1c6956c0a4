"""Principal components of words that are measured together, for the tokens of their blocks."""

from collections.abc import Iterator

import numpy as np
from sklearn.decomposition import PCA

from msaestimator.schema import G_BAND, GAIA_DR3, Token, Vocabulary

__all__ = ["word_contrasts"]

COLOR_NOISE = 0.01
"""Noise of a colour in mag, whatever its error: differences as small as that count."""

LEAST_NOISE = 1e-3
"""Least noise of another word over its scale, so that words without errors have one."""

MOST = 40
"""Most components of some words: further ones of spectra are noise."""

CUT = (0.5, 99.5)
"""Percentiles of each word at which it is cut, so that no component is of single stars."""

STARS_PER_WORD = 10
"""Stars with all of some words, for each of these, that their components need."""

Components = tuple[np.ndarray, np.ndarray]
"""Weights, (n_words, n_components), and centers."""


def word_contrasts(
    vocabulary: Vocabulary, values: np.ndarray, errors: np.ndarray, scale: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    """Return the weights and centers of `Contrasts` of words, by block of the vocabulary.

    What tells a star's metallicity from its temperature moves colours by hundredths of a
    magnitude and coefficients by percents, in directions that many words have in common. These
    are principal components of the colours of a survey, of them with Gaia's, of the coefficients
    of a photometer and of both; in units of noise, and then scaled to unit variance.

    Parameters
    ----------
    vocabulary : Vocabulary
    values, errors : ndarray of shape (n_stars, n_words)
        Words less a center, over a scale, NaN missing; and their errors.
    scale : ndarray of shape (n_words,)
        The scales, in the words' units.

    Returns
    -------
    dict
        Parameters of `Contrasts`, by block that has any: ``weights`` of shape (n_words,
        n_contrasts) and ``center`` of shape (n_contrasts,).
    """
    noise = np.array(
        [
            COLOR_NOISE / scale[place]
            if token.unit == "mag"
            else _noise(errors[np.isfinite(values[:, place]), place])
            for place, token in enumerate(vocabulary.tokens)
        ]
    )
    found: dict[str, list[Components]] = {}
    for block, words in _measured_together(vocabulary):
        components = _components(values, words, noise)
        if components is not None:
            found.setdefault(block, []).append(components)
    return {
        block: {
            "weights": np.concatenate([weights for weights, _ in parts], axis=1, dtype=np.float32),
            "center": np.concatenate([center for _, center in parts], dtype=np.float32),
        }
        for block, parts in found.items()
    }


def _noise(errors: np.ndarray) -> float:
    """Return the noise of a word by the errors of the stars that have it."""
    return max(float(np.median(errors)), LEAST_NOISE) if len(errors) else LEAST_NOISE


def _measured_together(vocabulary: Vocabulary) -> Iterator[tuple[str, list[int]]]:
    """Yield words that components are taken of, and the block that is told them."""
    measured = [_measured_by(token) for token in vocabulary.tokens]
    spectra = [p for p, token in enumerate(vocabulary.tokens) if token.recipe == "over_g_flux"]
    gaia = [place for place, name in enumerate(measured) if name == "gaia"]
    for name in dict.fromkeys(filter(None, measured)):
        own = [place for place, other in enumerate(measured) if other == name]
        block = vocabulary.tokens[own[0]].block
        yield block, own
        others = spectra if own[0] in spectra else gaia
        if not set(others) <= set(own):
            yield block, sorted({*own, *others})


def _measured_by(token: Token) -> str | None:
    """Return the survey or photometer that measures a word, None if no contrasts are of it."""
    if token.recipe == "over_g_flux":
        return token.block
    if token.recipe == "difference" and token.columns[0] == G_BAND:
        band = token.columns[1]
        return GAIA_DR3[band].block if band in GAIA_DR3 else None
    return None


def _components(values: np.ndarray, words: list[int], noise: np.ndarray) -> Components | None:
    """Return the components of some words, None if too few stars have all of them."""
    complete = values[:, words]
    complete = complete[np.isfinite(complete).all(axis=1)]
    if len(words) < 2 or len(complete) < STARS_PER_WORD * len(words):
        return None
    complete = np.clip(complete, *np.percentile(complete, CUT, axis=0))
    found = PCA(min(MOST, len(words)), svd_solver="full").fit(complete / noise[words])
    width = np.sqrt(np.maximum(found.explained_variance_, 1.0))
    weights = np.zeros((values.shape[1], len(width)))
    weights[words] = (found.components_ / width[:, np.newaxis] / noise[words]).T
    return weights, np.median(complete @ weights[words], axis=0)
