"""How a regressor is fine-tuned: what it minimises, what is hidden from it, who teaches it."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from msaestimator.estimators._feature_errors import known_errors
from msaestimator.estimators._surveying import SurveyedEstimator
from msaestimator.exceptions import did_you_mean
from msaestimator.networks import GroupMask, NoisyMask, TaughtMask
from msaestimator.training import (
    EnsembleObjective,
    ParameterGroup,
    PredictionObjective,
    TaughtObjective,
    TrainingPlan,
)

__all__ = ["FineTunedEstimator"]

TEACHING = 0.7
"""How much of the loss of predictions is of the teachers' quantiles, the rest of the labels."""


class FineTunedEstimator(SurveyedEstimator):
    """An estimator whose network starts from an autoencoder, and may be taught by others."""

    def _fine_tune(
        self,
        networks: Sequence[nn.Module],
        x: np.ndarray,
        y: np.ndarray,
        errors: np.ndarray | None,
    ) -> None:
        """Train networks in turn: the last becomes ``module_``, those before are its teachers.

        ``x`` are features, ``errors`` those to draw noise of, and ``y`` scaled labels.
        """
        *teachers, learner = networks
        mask: Any = self._fine_tuning_mask()
        for number, teacher in enumerate(teachers, start=1):
            self._tune(teacher, f"teacher {number}", mask, x, y, file=f".teacher{number}")
        if errors is not None:
            mask, x = NoisyMask(mask), np.concatenate([x, errors], axis=1)
        # Noise makes stars worse than those to be predicted, and labels cannot tell the network
        # so; teachers do, who learned from the stars as they are.
        shown = TaughtMask(mask, teachers) if teachers else mask
        self._tune(learner, "fine-tuning", shown, x, y, taught=bool(teachers))
        if teachers and self.max_epochs:
            self.net_.mask = mask

    def _tune(
        self,
        network: nn.Module,
        title: str,
        mask: Any,
        x: np.ndarray,
        y: np.ndarray,
        *,
        taught: bool = False,
        file: str = "",
    ) -> None:
        self.module_ = network
        self._train(
            title,
            self._objective(taught=taught),
            mask,
            self._parameter_groups(),
            x,
            y,
            start=[t.cpu().numpy() for t in network.autoencoder.state_dict().values()],
            file=file,
        )

    def _objective(self, *, taught: bool) -> nn.Module:
        share = TEACHING if taught else 0.0
        arguments = (
            self.quantiles,
            (1 - share) * self.prediction_weight,
            self.reconstruction_weight,
            self.encoder_._objective(),
            self._weights_of_labels(),
        )
        if taught:
            objective = TaughtObjective(share * self.prediction_weight, *arguments)
        else:
            objective = PredictionObjective(*arguments)
        return objective if self.ensemble == "shared" else EnsembleObjective(objective)

    def _weights_of_labels(self) -> list[float] | None:
        given = self.label_weights
        if given is None:
            return None
        for name, weight in given.items():
            if name not in self.labels_:
                raise ValueError(
                    f"`label_weights` must name labels of the fit, got {name!r}."
                    + did_you_mean(name, self.labels_)
                )
            if not 0 < weight < np.inf:
                raise ValueError(
                    f"`label_weights` must be positive, got {weight} for {name!r}. Leave a label "
                    "out of `labels` if it shall not count."
                )
        return [float(given.get(name, 1.0)) for name in self.labels_]

    def _fine_tuning_mask(self) -> GroupMask:
        encoder = copy.copy(self.encoder_)
        return encoder.set_params(
            mask_ratio=self.mask_ratio,
            xp_mask_ratio=self.xp_mask_ratio,
            block_mask_ratio=self.block_mask_ratio,
            span_mask_ratio=self.span_mask_ratio,
        ).mask()

    def _errors_to_draw(self, X: Any) -> np.ndarray | None:
        """Return the errors of the features, (n_stars, n_features), if there is to be noise."""
        if not self.resample_noise:
            return None
        if not self.fitted_on_table_ or self.encoder_.preprocessor is not None:
            raise ValueError(
                "`resample_noise` needs a table of stars with columns of errors, and the default "
                "preprocessor. Set resample_noise=False."
            )
        return known_errors(X, self._schema, self.preprocessor_)[:, self.is_observed_]

    def _parameter_groups(self) -> list[ParameterGroup]:
        return [
            ParameterGroup(
                "*autoencoder.*",
                self.encoder_lr,
                self.encoder_lr_schedule,
                self.encoder_weight_decay,
            ),
            ParameterGroup("*head.*", self.lr, self.lr_schedule, self.weight_decay),
        ]

    def _plan(self, title: str, groups: Sequence[ParameterGroup]) -> TrainingPlan:
        return replace(super()._plan(title, groups), average_from=self.average_from)
