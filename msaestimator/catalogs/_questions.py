"""The questions that a fitted model can be asked of every star of a catalogue."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from msaestimator.exceptions import did_you_mean
from msaestimator.schema import StarTable

__all__ = ["Question", "question_of"]


class Question(NamedTuple):
    """A question to every star.

    Parameters
    ----------
    methods : tuple of str
        Methods of the model, whose answers stand side by side.
    requests : tuple of str
        Quantities that ``"request"`` asks for; empty for other methods.
    """

    methods: tuple[str, ...]
    requests: tuple[str, ...] = ()

    def ask(self, model: Any, stars: Any) -> StarTable:
        """Return a model's answers about stars, one row a star."""
        answers = StarTable()
        for method in self.methods:
            found = ANSWERS[method](model, stars, self.requests)
            answers.meta |= found.meta
            for name in found.colnames:
                answers[name] = found[name]
        return answers


def question_of(
    model: Any, methods: str | Sequence[str] | None, requests: str | Sequence[str] | None
) -> Question:
    """Return the question that a user's words mean to a model.

    Parameters
    ----------
    model : fitted estimator
        The estimator to ask.
    methods : str, sequence of str, or None
        Names of its methods; None is the first that it has of "predict_table", "request" and
        "transform", or "request" where there are requests.
    requests : str, sequence of str, or None
        Quantities to ask a generalist for; None is its labels.

    Raises
    ------
    ValueError
        The model lacks a method; or there are requests and nobody to ask.
    """
    possible = [name for name in ANSWERS if _can(model, name)]
    if methods is None:
        methods = "request" if requests is not None else possible[0]
    chosen = (methods,) if isinstance(methods, str) else tuple(methods)
    for name in chosen or ("",):
        if name not in possible:
            raise ValueError(
                f"`methods` must be among {', '.join(possible)} for a {type(model).__name__}, "
                f"got {name!r}.{did_you_mean(name, possible)}"
            )
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"`methods` must name each once, got {', '.join(chosen)}.")
    if "request" not in chosen:
        if requests is not None:
            raise ValueError(
                f"`requests` are for the method 'request', got {', '.join(chosen)}. Leave them "
                "out, or add it."
            )
        return Question(chosen)
    asked = model.labels_ if requests is None else requests
    return Question(chosen, (asked,) if isinstance(asked, str) else tuple(asked))


def _can(model: Any, method: str) -> bool:
    if method == "transform":
        return hasattr(model, "transform") or hasattr(model, "encoder_")
    return hasattr(model, method)


def _parameters(model: Any, stars: Any, requests: Sequence[str]) -> StarTable:
    return _without_ids(model.predict_table(stars))


def _requested(model: Any, stars: Any, requests: Sequence[str]) -> StarTable:
    return _without_ids(model.request(stars, requests))


def _latent(model: Any, stars: Any, requests: Sequence[str]) -> StarTable:
    encoder = model if hasattr(model, "transform") else model.encoder_
    table = StarTable({"latent": np.asarray(encoder.transform(stars))})
    table["latent"].info.description = "latent vector of the star"
    return table


def _outlier_score(model: Any, stars: Any, requests: Sequence[str]) -> StarTable:
    table = StarTable({"outlier_score": np.asarray(model.outlier_score(stars))})
    table[
        "outlier_score"
    ].info.description = "minus log10 of the fraction of stars that are at least as odd"
    return table


def _without_ids(answers: StarTable) -> StarTable:
    """Return answers alone: ids go along by another way."""
    if "source_id" in answers.colnames:
        answers.remove_column("source_id")
    return answers


ANSWERS: Mapping[str, Callable[[Any, Any, Sequence[str]], StarTable]] = {
    "predict_table": _parameters,
    "request": _requested,
    "transform": _latent,
    "outlier_score": _outlier_score,
}
"""Ways to ask, by the estimators' methods, what one asks a model for first."""
