"""Start from a pre-trained autoencoder, and tune it together with a head."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from torch import nn

from msaestimator.estimators._autoencoder import MaskedStellarAutoencoder
from msaestimator.preprocessing import open_stars
from msaestimator.schema import FeatureSchema, resolve_schema
from msaestimator.training import ParameterGroup

__all__ = [
    "check_encoder",
    "check_reconstructs",
    "clone_with_encoder",
    "fine_tuning_groups",
    "fitted_encoder",
    "load_encoder",
    "open_for_fit",
]


def open_for_fit(estimator: Any, X: Any) -> Any:
    """Return a container of stars by our names of its columns, and a matrix as it is.

    The names are those of the schema of the estimator's ``encoder``, and of its ``labels``.
    """
    columns = open_stars(
        X,
        _schema_of(estimator.encoder),
        aliases=estimator.aliases,
        labels=estimator.labels or (),
    )
    return X if columns is None else columns


def _schema_of(encoder: Any) -> FeatureSchema:
    """Return the schema that an encoder has, or will have."""
    fitted = getattr(encoder, "reader_", None)
    return resolve_schema(getattr(encoder, "schema", None)) if fitted is None else fitted.schema_


def fitted_encoder(
    encoder: MaskedStellarAutoencoder | str | Path | None,
    X: Any,
    *,
    device: str,
    random_state: Any,
    sample_weight: np.ndarray | None = None,
) -> MaskedStellarAutoencoder:
    """Return a fitted autoencoder that may be changed.

    Parameters
    ----------
    encoder : MaskedStellarAutoencoder, str, Path or None
        Fitted: a copy is returned. Not fitted: a copy is pre-trained on the stars. A name or a
        folder: that of ``from_pretrained``. None: an autoencoder of the default size that is not
        trained.
    X : table of n_stars stars, or array of shape (n_stars, n_features)
        Stars to pre-train on, or to learn the scaling of features from.
    device, random_state
        Device that computes, and seed of the training of an encoder that has no random state.
    sample_weight : ndarray of shape (n_stars,), optional
        Weights of the stars in a pre-training.

    Raises
    ------
    TypeError
        ``encoder`` is of another kind.
    CheckpointError
        There is no such released model or folder, or it holds no autoencoder.
    """
    check_encoder(encoder)
    if isinstance(encoder, str | Path):
        return MaskedStellarAutoencoder.from_pretrained(encoder, device=device)
    if encoder is None:
        encoder = MaskedStellarAutoencoder(max_epochs=0, device=device)
    if hasattr(encoder, "module_"):
        encoder._check_fitted()
        return copy.copy(encoder)
    unfitted = clone(encoder)
    if unfitted.random_state is None:
        unfitted.set_params(random_state=random_state)
    return unfitted.fit(X, sample_weight=sample_weight)


def check_encoder(encoder: Any) -> None:
    """Refuse an encoder that is no autoencoder of ours."""
    if not isinstance(encoder, MaskedStellarAutoencoder | str | Path | None):
        raise TypeError(
            "`encoder` must be a MaskedStellarAutoencoder, the name of a released model or a "
            f"folder, or None, got {type(encoder).__name__}."
        )


def check_reconstructs(reconstruction_weight: float) -> None:
    """Refuse to reconstruct by a network that was tuned for labels alone."""
    if reconstruction_weight <= 0:
        raise ValueError(
            "`reconstruct` needs a network that was fine-tuned with a `reconstruction_weight` "
            f"above 0, got {reconstruction_weight}. Fit with one, or ask the autoencoder that it "
            "started from."
        )


def clone_with_encoder(estimator: BaseEstimator) -> BaseEstimator:
    """Return an unfitted copy with the same encoder and teacher, fitted if they are."""
    parameters = estimator.get_params(deep=False)
    return type(estimator)(**{name: _as_given(value) for name, value in parameters.items()})


def _as_given(value: Any) -> Any:
    """Return a parameter for another estimator: as fitted as it is."""
    # A fitted model is data: cloning it away would train it again in every fold. It is never
    # changed by fit; the copy keeps set_params from reaching it.
    return copy.copy(value) if hasattr(value, "module_") else clone(value, safe=False)


def load_encoder(module: nn.Module, encoder: MaskedStellarAutoencoder) -> None:
    """Give the autoencoders in a network the weights of a fitted one."""
    for member in getattr(module, "members", [module]):
        member.autoencoder.load_state_dict(encoder.module_.state_dict())


def fine_tuning_groups(estimator: BaseEstimator) -> list[ParameterGroup]:
    """Return how autoencoder and head learn, by the parameters of an estimator that has both."""
    return [
        ParameterGroup(
            "*autoencoder.*",
            estimator.encoder_lr,
            estimator.encoder_lr_schedule,
            estimator.encoder_weight_decay,
        ),
        ParameterGroup("*head.*", estimator.lr, estimator.lr_schedule, estimator.weight_decay),
    ]
