"""Errors that answers about a star have in common: a few factors, and the rest of each its own."""

import torch
from torch import Tensor, nn

__all__ = ["common_error_loss", "error_shares"]

DEGREES_OF_FREEDOM = 4.0
"""Degrees of freedom of the common scale of a star's errors: few stars are far off in all."""

LEAST_VARIANCE = 1e-6
"""Least variance of an answer beside the factors, of scaled quantities."""


def common_error_loss(
    residual: Tensor,
    factors: Tensor,
    error: Tensor,
    counted: Tensor,
    star_weights: Tensor | None = None,
) -> Tensor:
    """Return minus the mean log-likelihood of stars' residuals, over how many of each count.

    Residuals of a star follow a multivariate Student's t distribution, whose matrix is that of the
    factors plus the variances of the answers and of the measurements.

    Parameters
    ----------
    residual : Tensor of shape (batch, n_answers)
        Measurements less answers; not looked at where they do not count.
    factors : Tensor of shape (batch, n_answers, n_factors + 1)
        Loads of the answers on each factor, and log variances beside these.
    error : Tensor of shape (batch, n_answers)
        Standard errors of the measurements, zero if unknown.
    counted : Tensor of bool of shape (batch, n_answers)
        Places that count.
    star_weights : Tensor of shape (batch,), optional
        Weights of the stars, of mean one over all that are trained on; None is one for each.
    """
    residual = residual.masked_fill(~counted, 0.0)
    loads = factors[..., :-1] * counted[..., None]
    own = factors[..., -1].masked_fill(~counted, 0.0).exp() + error.square() + LEAST_VARIANCE
    own = own.masked_fill(~counted, 1.0)
    # Woodbury's identity: a matrix of the factors' size is inverted, not one of the answers'.
    relative = loads / own[..., None]
    core = torch.eye(loads.shape[-1], device=loads.device) + loads.mT @ relative
    root = torch.linalg.cholesky(core)
    explained = torch.linalg.solve_triangular(root, relative.mT @ residual[..., None], upper=False)
    chi_square = (residual.square() / own).sum(1) - explained.square().sum((1, 2))
    log_determinant = own.log().sum(1) + 2.0 * root.diagonal(dim1=1, dim2=2).log().sum(1)
    n_counted = counted.sum(1)
    spread = (DEGREES_OF_FREEDOM + n_counted) * (chi_square / DEGREES_OF_FREEDOM).log1p()
    loss = 0.5 * (spread + log_determinant) / n_counted.clamp(min=1)
    return (loss if star_weights is None else loss * star_weights).mean()


def error_shares(factors: Tensor) -> Tensor:
    """Return the shares of answers' errors in factors, whose squares sum to one.

    Parameters
    ----------
    factors : Tensor of shape (batch, n_answers, n_factors + 1)
        The same as in `common_error_loss`.

    Returns
    -------
    Tensor of shape (batch, n_answers, n_factors + 1)
        Share in each factor, and last that of what is the answer's own. The correlation of two
        answers' errors is the product of their shares, summed over the factors.
    """
    own = (factors[..., -1:].exp() + LEAST_VARIANCE).sqrt()
    return nn.functional.normalize(torch.cat([factors[..., :-1], own], dim=-1), dim=-1)
