"""Losses that leave out unknown values."""

import torch
from torch import Tensor

__all__ = ["cauchy_error", "likelihood_loss", "masked_error", "pinball_loss", "taught_loss"]

TINY = 1e-12
"""Least divisor of a mean: it keeps a mean over nothing from dividing by zero."""

NARROWEST = 0.2
"""Floor of an interval's width when widths are weights, as a fraction of the batch's median."""


def masked_error(
    prediction: Tensor,
    target: Tensor,
    counted: Tensor,
    power: int = 1,
    star_weights: Tensor | None = None,
) -> Tensor:
    """Return the mean of ``|prediction - target| ** power`` over the counted places.

    Thesis equation 3.1 without weights.

    Parameters
    ----------
    prediction, target : Tensor of the same shape
        Values to compare. The target may be NaN where it is not counted.
    counted : bool Tensor of that shape
        Places that count. With none true the loss is zero, and so is its gradient.
    power : {1, 2}
        Power of the residual: 1 is the L1 loss, 2 the L2 loss.
    star_weights : Tensor of shape (batch,), optional
        Weights of the stars, of mean one over all that are trained on, which multiply their terms
        of the sum; None is one for each.
    """
    residual = (prediction - target).masked_fill(~counted, 0.0).abs()
    loss = _weighted(residual.pow(power), star_weights)
    return loss.sum() / counted.sum().clamp(min=1)


def cauchy_error(
    prediction: Tensor,
    target: Tensor,
    counted: Tensor,
    errors: Tensor,
    star_weights: Tensor | None = None,
) -> Tensor:
    """Return the mean of ``log(1 + (residual / error) ** 2) / 2`` over the counted places.

    It is minus the log-likelihood of Cauchy-distributed errors, without its constant. Far above
    its error a feature's gradient depends on the residual's relative change alone, so that a
    feature of large residuals does not outweigh the others; below it there is nothing left to
    gain.

    Parameters
    ----------
    prediction, target : Tensor of shape (batch, n_features)
        Values to compare. The target may be NaN where it is not counted.
    counted : bool Tensor of that shape
        Places that count. With none true the loss is zero, and so is its gradient.
    errors : Tensor of shape (n_features,)
        Positive errors, the scale of each feature's residuals.
    star_weights : Tensor of shape (batch,), optional
        Weights of the stars, as in `masked_error`.
    """
    residual = (prediction - target).masked_fill(~counted, 0.0) / errors
    loss = _weighted(residual.square().log1p(), star_weights)
    return 0.5 * loss.sum() / counted.sum().clamp(min=1)


def pinball_loss(
    quantiles: Tensor,
    labels: Tensor,
    levels: Tensor,
    weights: Tensor | None = None,
    width_power: float = 0.0,
    star_weights: Tensor | None = None,
) -> Tensor:
    """Return the mean pinball loss over known labels, members and quantiles.

    Thesis equation 3.2. A label that the features tell well moves its star's quantiles no more
    than one that is all noise does; ``width_power`` makes it count more.

    Parameters
    ----------
    quantiles : Tensor of shape (batch, n_members, n_labels, n_quantiles)
    labels : Tensor of shape (batch, n_labels)
        Labels, NaN where unknown; with none known the loss is zero.
    levels : Tensor of shape (n_quantiles,)
        Levels of the quantiles, between 0 and 1.
    weights : Tensor of shape (n_labels,), optional
        Weight of each label; None weighs all alike.
    width_power : float
        Power of the interval's width by whose inverse a star's label counts. The width depends on
        the star and not on its label, so the best quantiles stay the same.
    star_weights : Tensor of shape (batch,), optional
        Weights of the stars, as in `masked_error`.
    """
    known = labels.isfinite()
    weights = known * (1.0 if weights is None else weights)
    if width_power:
        weights = weights * _inverse_widths(quantiles.detach(), known, width_power)
    residual = labels.masked_fill(~known, 0.0)[:, None, :, None] - quantiles
    loss = (levels * residual).maximum((levels - 1) * residual)
    loss = loss.masked_fill(~known[:, None, :, None], 0.0).mean(dim=(1, 3))
    return _weighted(loss * weights, star_weights).sum() / weights.sum().clamp(min=TINY)


def _inverse_widths(quantiles: Tensor, known: Tensor, power: float) -> Tensor:
    """Return the labels' weights relative to the batch's mean: (batch, n_labels), unknown 0."""
    width = (quantiles[..., -1] - quantiles[..., 0]).mean(dim=1)
    typical = width.masked_fill(~known, torch.nan).nanmedian(dim=0).values
    inverse = (width / typical.clamp(min=TINY)).clamp(min=NARROWEST) ** -power
    inverse = inverse.masked_fill(~known, 0.0)
    return inverse * known.sum(dim=0) / inverse.sum(dim=0).clamp(min=TINY)


def taught_loss(
    quantiles: Tensor,
    taught: Tensor,
    weights: Tensor | None = None,
    star_weights: Tensor | None = None,
) -> Tensor:
    """Return how far quantiles are from a teacher's, in widths of the teacher's intervals.

    The mean of the absolute difference over labels, members and quantiles. A teacher errs by about
    such a width: what a student adds to its errors depends on this ratio, whether a star's labels
    can be told well or not.

    Parameters
    ----------
    quantiles : Tensor of shape (batch, n_members, n_labels, n_quantiles)
    taught : Tensor of shape (batch, n_labels, n_quantiles)
        Quantiles of the teacher.
    weights : Tensor of shape (n_labels,), optional
        Weight of each label; None weighs all alike.
    star_weights : Tensor of shape (batch,), optional
        Weights of the stars, as in `masked_error`.
    """
    width = taught[..., -1] - taught[..., 0]
    width = width.maximum(NARROWEST * width.median(dim=0).values).clamp(min=TINY)
    difference = (quantiles - taught[:, None]).abs().mean(dim=(1, 3))
    loss = _weighted(difference / width, star_weights)
    return loss.mean() if weights is None else (loss @ weights).mean() / weights.sum()


def likelihood_loss(
    mean: Tensor,
    log_variance: Tensor,
    target: Tensor,
    error: Tensor,
    counted: Tensor,
    beta: float = 0.0,
    star_weights: Tensor | None = None,
    request_weights: Tensor | None = None,
    degrees_of_freedom: float | None = None,
) -> Tensor:
    """Return minus the mean log-likelihood of measurements, without its constant.

    Zhang et al. 2026, equation 2, is the Gaussian one. The predicted variance and that of the
    measurement add up, so that the network predicts the scatter beyond measurement error.

    Parameters
    ----------
    mean, log_variance : Tensor of shape (batch, n_requests)
        Predicted mean and log variance.
    target, error : Tensor of shape (batch, n_requests)
        Measured value and its standard error, zero if unknown.
    counted : Tensor of bool of shape (batch, n_requests)
        Places that count in the loss; with none true it is zero.
    beta : float
        Power of the variance that weighs each term, as if it were a constant (Seitzer et al.
        2022). With zero, the likelihood, quantities that are easy to predict have the largest
        gradients; with 0.5 all have alike.
    star_weights : Tensor of shape (batch,), optional
        Weights of the stars, as in `masked_error`.
    request_weights : Tensor of shape (n_requests,), optional
        Weights of the requests; None weighs all alike.
    degrees_of_freedom : float, optional
        Degrees of freedom of Student's t distribution, whose wide wings let a star that is far
        off count less; None is a normal distribution.
    """
    # What is not counted must not overflow either, or its gradient is not a number.
    variance = log_variance.masked_fill(~counted, 0.0).exp() + error.square()
    residual = (mean - target).masked_fill(~counted, 0.0)
    chi_square = residual.square() / variance
    if degrees_of_freedom is not None:
        chi_square = (degrees_of_freedom + 1.0) * (chi_square / degrees_of_freedom).log1p()
    loss = 0.5 * (chi_square + variance.log())
    if beta:
        loss = loss * variance.detach().pow(beta)
    loss = _weighted(loss.masked_fill(~counted, 0.0), star_weights)
    if request_weights is None:
        return loss.sum() / counted.sum().clamp(min=1)
    return (loss @ request_weights).sum() / (counted.float() @ request_weights).sum().clamp(
        min=1e-9
    )


def _weighted(loss: Tensor, star_weights: Tensor | None) -> Tensor:
    """Return terms of shape (batch, n) by the weights of their stars."""
    return loss if star_weights is None else loss * star_weights[:, None]
