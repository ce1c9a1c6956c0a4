"""Start from a pre-trained autoencoder, and tune it together with a head."""

import copy
from typing import Any

from sklearn.base import BaseEstimator, clone
from torch import nn

from msaestimator.estimators._autoencoder import MaskedStellarAutoencoder
from msaestimator.training import ParameterGroup

__all__ = [
    "check_encoder",
    "clone_with_encoder",
    "fine_tuning_groups",
    "fitted_encoder",
    "load_encoder",
]


def fitted_encoder(
    encoder: MaskedStellarAutoencoder | None, X: Any, *, device: str, random_state: Any
) -> MaskedStellarAutoencoder:
    """Return a fitted autoencoder that may be changed.

    Parameters
    ----------
    encoder : MaskedStellarAutoencoder or None
        Fitted: a copy is returned. Not fitted: a copy is pre-trained on the stars. None: an
        autoencoder of the default size that is not trained.
    X : table of n_stars stars, or array of shape (n_stars, n_features)
        Stars to pre-train on, or to learn the scaling of features from.
    device, random_state
        Device that computes, and seed of the training of an encoder that has no random state.

    Raises
    ------
    TypeError
        ``encoder`` is of another kind.
    """
    check_encoder(encoder)
    if encoder is None:
        encoder = MaskedStellarAutoencoder(max_epochs=0, device=device)
    if hasattr(encoder, "module_"):
        return copy.copy(encoder)
    encoder = clone(encoder)
    if encoder.random_state is None:
        encoder.set_params(random_state=random_state)
    return encoder.fit(X)


def check_encoder(encoder: Any) -> None:
    """Refuse an encoder that is no autoencoder of ours."""
    if not isinstance(encoder, MaskedStellarAutoencoder | None):
        raise TypeError(
            f"`encoder` must be a MaskedStellarAutoencoder or None, got {type(encoder).__name__}."
        )


def clone_with_encoder(estimator: BaseEstimator) -> BaseEstimator:
    """Return an unfitted copy that starts from the same encoder, fitted if this one is."""
    parameters = {
        name: clone(value, safe=False)
        for name, value in estimator.get_params(deep=False).items()
        if name != "encoder"
    }
    encoder = estimator.encoder
    if encoder is not None:
        # A pre-trained encoder is data: cloning it away would train it again in every
        # fold. It is never changed by fit; the copy keeps set_params from reaching it.
        fitted = hasattr(encoder, "module_")
        encoder = copy.copy(encoder) if fitted else clone(encoder)
    return type(estimator)(encoder=encoder, **parameters)


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
