"""Losses that training minimises: of reconstruction, of prediction with it, of requests."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from msaestimator.networks import (
    Requests,
    cauchy_error,
    common_error_loss,
    likelihood_loss,
    masked_error,
    pinball_loss,
    taught_loss,
)

__all__ = [
    "EnsembleObjective",
    "PredictionObjective",
    "ReconstructionObjective",
    "RequestObjective",
    "TaughtObjective",
]


class ReconstructionObjective(nn.Module):
    """Error of the reconstructed features of a batch of stars (thesis equation 3.1).

    Parameters
    ----------
    columns : sequence of int
        Positions of the input columns that are reconstructed, in the network's order.
    power : {1, 2}
        Power of the residual: L1 or L2 loss.
    hidden_only : bool
        Whether only places hidden from the network count, rather than all that were observed.
    errors : sequence of float, optional
        Errors of these columns, which make the loss the Cauchy loss in their units instead of a
        power.
    """

    columns: Tensor
    errors: Tensor | None

    def __init__(
        self,
        columns: Sequence[int],
        power: int,
        hidden_only: bool,
        errors: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        scale = None if errors is None else torch.as_tensor(errors, dtype=torch.float32)
        self.register_buffer("errors", scale, persistent=False)
        self.register_buffer("columns", torch.as_tensor(columns), persistent=False)
        self.power = power
        self.hidden_only = hidden_only

    def forward(
        self,
        output: Tensor,
        hidden: Tensor,
        x: Tensor,
        y: Tensor | None = None,
        star_weights: Tensor | None = None,
    ) -> Tensor:
        """Return the loss; ``hidden`` marks the places of ``x`` that the network did not see.

        The target is ``y``, features as they would be without noise, or ``x`` itself.
        """
        target = (x if y is None else y)[:, self.columns]
        counted = ~target.isnan()
        if self.hidden_only:
            counted &= hidden[:, self.columns]
        if self.errors is not None:
            return cauchy_error(output, target, counted, self.errors, star_weights)
        return masked_error(output, target, counted, self.power, star_weights)


class PredictionObjective(nn.Module):
    """Weighted sum of pinball and reconstruction losses (thesis equation 3.3).

    Parameters
    ----------
    levels : sequence of float
        Levels of the quantiles.
    prediction_weight, reconstruction_weight : float
        Weights of the two losses, lambda 1 and lambda 2.
    reconstruction : ReconstructionObjective
    label_weights : sequence of float, optional
        Weight of each label; None weighs all alike.
    width_power : float
        Power of the interval's width by whose inverse a label counts, see
        :func:`msaestimator.networks.pinball_loss`.
    """

    levels: Tensor
    label_weights: Tensor | None

    def __init__(
        self,
        levels: Sequence[float],
        prediction_weight: float,
        reconstruction_weight: float,
        reconstruction: ReconstructionObjective,
        label_weights: Sequence[float] | None = None,
        width_power: float = 0.0,
    ) -> None:
        super().__init__()
        self.width_power = width_power
        weights = None if label_weights is None else torch.tensor(label_weights)
        self.register_buffer("label_weights", weights, persistent=False)
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.prediction_weight = prediction_weight
        self.reconstruction_weight = reconstruction_weight
        self.reconstruction = reconstruction

    def forward(
        self,
        output: tuple[Tensor, Tensor | None],
        hidden: Tensor,
        x: Tensor,
        y: Tensor,
        star_weights: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of quantiles and reconstruction for labels ``y`` (NaN unknown)."""
        quantiles, reconstruction = output
        prediction = pinball_loss(
            quantiles, y, self.levels, self.label_weights, self.width_power, star_weights
        )
        return self.with_reconstruction(prediction, reconstruction, hidden, x, star_weights)

    def with_reconstruction(
        self,
        prediction: Tensor,
        reconstruction: Tensor | None,
        hidden: Tensor,
        x: Tensor,
        star_weights: Tensor | None,
    ) -> Tensor:
        """Return the weighted sum of a loss of the prediction and that of a reconstruction."""
        loss = self.prediction_weight * prediction
        if reconstruction is None:
            return loss
        second = self.reconstruction(reconstruction, hidden, x, star_weights=star_weights)
        return loss + self.reconstruction_weight * second


class TaughtObjective(nn.Module):
    """Weighted sum of the distance from a teacher's quantiles and of the reconstruction loss.

    Parameters
    ----------
    objective : PredictionObjective
        Weights, and the reconstruction's loss; its levels do not matter.
    """

    def __init__(self, objective: PredictionObjective) -> None:
        super().__init__()
        self.objective = objective

    def forward(
        self,
        output: tuple[Tensor, Tensor | None],
        draw: tuple[Tensor, Tensor],
        x: Tensor,
        y: Tensor,
        star_weights: Tensor | None = None,
    ) -> Tensor:
        """Return the loss; ``draw`` has hidden places and taught quantiles, labels do not count.

        The taught quantiles are of shape (batch, n_labels, n_quantiles).
        """
        quantiles, reconstruction = output
        hidden, taught = draw
        prediction = taught_loss(quantiles, taught, self.objective.label_weights, star_weights)
        return self.objective.with_reconstruction(
            prediction, reconstruction, hidden, x, star_weights
        )


class EnsembleObjective(nn.Module):
    """Mean of an objective over the outputs of independent networks.

    Parameters
    ----------
    objective : PredictionObjective or TaughtObjective
        Objective of one network.
    """

    def __init__(self, objective: PredictionObjective | TaughtObjective) -> None:
        super().__init__()
        self.objective = objective

    def forward(
        self,
        outputs: Sequence[tuple[Tensor, Tensor | None]],
        hidden: Tensor,
        x: Tensor,
        y: Tensor,
        star_weights: Tensor | None = None,
    ) -> Tensor:
        """Return the loss; ``outputs`` holds one output a network."""
        losses = [self.objective(o, hidden, x, y, star_weights) for o in outputs]
        return torch.stack(losses).mean()


class RequestObjective(nn.Module):
    """Log-likelihood of the requested quantities (Zhang et al. 2026, equation 2).

    Parameters
    ----------
    beta : float
        Power of the variance that weighs a request, see `likelihood_loss`; zero in evaluation, so
        that losses compare.
    degrees_of_freedom : float, optional
        Degrees of freedom of Student's t distribution; None is a normal distribution.
    """

    def __init__(self, beta: float = 0.0, degrees_of_freedom: float | None = None) -> None:
        super().__init__()
        self.beta = beta
        self.degrees_of_freedom = degrees_of_freedom

    def forward(
        self,
        output: tuple[Tensor, ...],
        requests: Requests,
        stars: Tensor,
        y: Tensor | None = None,
        star_weights: Tensor | None = None,
    ) -> Tensor:
        """Return the loss.

        Parameters
        ----------
        output : pair of Tensor of shape (batch, n_requests), or BlockAnswers
            Predicted mean and log variance, and what errors have in common.
        requests : Requests
        stars : Tensor of shape (batch, 2, n_tokens)
            Values, NaN where unknown, and their errors.
        y : ignored
        star_weights : Tensor of shape (batch,), optional
            Weights of the stars.
        """
        beta = self.beta if self.training else 0.0
        target, error = (part.gather(1, requests.tokens) for part in stars.unbind(1))
        mean, log_variance, *further = (part.float() for part in output if part is not None)
        loss = likelihood_loss(
            mean,
            log_variance,
            target,
            error,
            requests.counted,
            beta,
            star_weights,
            requests.weights,
            self.degrees_of_freedom,
        )
        for factors in further:
            residual = target - mean.detach()
            loss = loss + common_error_loss(
                residual, factors, error, requests.counted, star_weights
            )
        return loss
