"""Evolutionary stages of stars: a classifier on the masked stellar autoencoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from torch import Tensor, nn

from msaestimator import MaskedStellarAutoencoder
from msaestimator.estimators import (
    SavedEstimator,
    StarInference,
    at_least,
    between,
    clone_with_encoder,
    feature_mask,
    fitted,
    fitted_encoder,
    parameter,
)
from msaestimator.training import ParameterGroup, StarsInMemory, resolve_device, seeded


@dataclass(eq=False, repr=False, kw_only=True)
class EvolutionaryStageClassifier(ClassifierMixin, SavedEstimator):
    """Tell the evolutionary stage of stars, even from stars that miss features.

    Parameters
    ----------
    encoder : MaskedStellarAutoencoder, optional
        Autoencoder to start from, and tuned with the rest; None is an untrained one.
    mask_ratio, xp_mask_ratio : float
        Probability that a feature, or all XP coefficients together, are hidden.
    n_hidden : int
        Width of the hidden layer between latent vectors and classes.
    encoder_lr : float
        First learning rate of the autoencoder.

    Attributes
    ----------
    encoder_ : MaskedStellarAutoencoder
        The autoencoder as tuned.
    classes_ : ndarray of shape (n_classes,)
        The stages, in order.
    """

    encoder: Any = parameter(None, positional=True, of_run=False)
    mask_ratio: float = parameter(0.02, between(0, 1))
    xp_mask_ratio: float = parameter(0.3, between(0, 1))
    n_hidden: int = parameter(64, at_least(1))
    encoder_lr: float = 3e-4

    encoder_: MaskedStellarAutoencoder = fitted()
    classes_: np.ndarray = fitted()

    saved_parts: ClassVar[Mapping[str, type]] = {
        "MaskedStellarAutoencoder": MaskedStellarAutoencoder
    }

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from stars of known stages, an array of shape (n_stars,)."""
        self._check_parameters()
        self.classes_, targets = np.unique(y, return_inverse=True)
        self.encoder_ = fitted_encoder(
            self.encoder, X, device=self.device, random_state=self.random_state
        )
        features = self.encoder_.reader_.transform(X)
        ratios = {"mask_ratio": self.mask_ratio, "xp_mask_ratio": self.xp_mask_ratio}
        mask = feature_mask(features.columns, **ratios)
        rates = {"autoencoder.*": self.encoder_lr, "head.*": self.lr}
        groups = [
            ParameterGroup(pattern, rate, self.lr_schedule, self.weight_decay)
            for pattern, rate in rates.items()
        ]
        with seeded(self.random_state, resolve_device(self.device)):
            self.module_ = self._build_module()
            self.module_.autoencoder.load_state_dict(self.encoder_.module_.state_dict())
            stars = [part[features.is_observed] for part in (features.values, targets)]
            self._train("stages", CrossEntropy(), mask, groups, StarsInMemory(stars))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities, (n_stars, n_classes); NaN for stars without features."""
        features = self.encoder_.reader_.transform(X)
        run, shape = self._inference(StarInference), (len(self.classes_),)
        return softmax(run.map(self.module_, features, shape), axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest stages, (n_stars,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _build_module(self) -> nn.Module:
        head = nn.Sequential(
            nn.Linear(self.encoder_.hidden_widths[-1], self.n_hidden),
            nn.ReLU(),
            nn.Linear(self.n_hidden, len(self.classes_)),
        )
        return StageNetwork(self.encoder_._build_module(), head)

    def _adopt(self, module: Any) -> None:
        super()._adopt(module)
        self.encoder_._adopt(module.autoencoder)

    def __sklearn_clone__(self) -> Self:
        return clone_with_encoder(self)


class StageNetwork(nn.Module):
    """From features, (batch, n_features), to logits of the classes, (batch, n_classes)."""

    def __init__(self, autoencoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        return self.head(self.autoencoder.encode(x))


class CrossEntropy(nn.Module):
    """The loss of a batch, for which what was hidden and the features do not count."""

    def forward(self, output: Tensor, hidden: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss."""
        return nn.functional.cross_entropy(output.float(), y)
