"""Errors in common against scipy's distributions."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_t

from msaestimator.networks import common_error_loss, error_shares

DEGREES = 4.0


@pytest.fixture
def answered(double):
    """Residuals, factors, errors of the measurements, and what counts."""
    residual, error = torch.randn(6, 5), torch.rand(6, 5)
    return residual, torch.randn(6, 5, 3), error, torch.rand(6, 5) < 0.7


def matrix_of(factors, error):
    """Return a star's matrix, by its definition."""
    loads, own = factors[:, :-1], np.exp(factors[:, -1])
    return loads @ loads.T + np.diag(own + error**2 + 1e-6)


def test_equals_scipys_but_for_the_constants(answered):
    expected = []
    for residual, factors, error, counted in zip(*(p.numpy() for p in answered), strict=True):
        matrix = matrix_of(factors, error)[np.ix_(counted, counted)]
        distribution = multivariate_t(shape=matrix, df=DEGREES)
        peak = multivariate_t(shape=np.eye(counted.sum()), df=DEGREES).logpdf(
            np.zeros(counted.sum())
        )
        expected.append((peak - distribution.logpdf(residual[counted])) / counted.sum())
    assert common_error_loss(*answered).item() == pytest.approx(np.mean(expected))


def test_what_is_not_counted_does_not_matter(answered):
    residual, factors, error, counted = answered
    loss = common_error_loss(*answered)
    for junk in (float("nan"), 1e30):
        changed = residual.masked_fill(~counted, junk)
        assert common_error_loss(changed, factors, error, counted) == loss
    elsewhere = torch.where(counted[..., None], factors, torch.full_like(factors, 3.0))
    torch.testing.assert_close(common_error_loss(residual, elsewhere, error, counted), loss)


def test_nothing_counted_is_zero_with_zero_gradient(answered):
    residual, factors, error, counted = answered
    loss = common_error_loss(residual, factors.requires_grad_(), error, counted & False)
    loss.backward()
    assert loss == 0
    assert not factors.grad.any()


def test_stars_of_weight_zero_do_not_count(answered):
    weights = torch.tensor([2.0, 0.0, 1.0, 0.0, 3.0, 0.0])
    some = [part[weights > 0] for part in answered]
    expected = common_error_loss(*some, weights[weights > 0]) / 2
    torch.testing.assert_close(common_error_loss(*answered, weights), expected)


def test_derivatives(answered):
    residual, factors, error, counted = answered
    assert torch.autograd.gradcheck(
        lambda parts: common_error_loss(residual, parts, error, counted), factors.requires_grad_()
    )


def test_shares_make_the_correlations_of_the_matrix(double):
    factors = torch.randn(4, 5, 3)
    shares = error_shares(factors).numpy()
    np.testing.assert_allclose((shares**2).sum(axis=-1), 1.0)
    for share, star in zip(shares, factors.numpy(), strict=True):
        matrix = matrix_of(star, np.zeros(5))
        width = np.sqrt(np.diag(matrix))
        found = share[:, :-1] @ share[:, :-1].T + np.diag(share[:, -1] ** 2)
        np.testing.assert_allclose(found, matrix / np.outer(width, width))


def test_it_finds_what_errors_have_in_common(double):
    """Least at the true correlation of residuals that one factor makes."""
    common, own = torch.randn(4000, 1), torch.randn(4000, 3)
    residual = 0.8 * common + 0.6 * own

    def loss(load):
        own = torch.full((3, 1), 2 * np.log(np.sqrt(1 - load**2)))
        factors = torch.cat([torch.full((3, 1), load), own], dim=1).expand(4000, 3, 2)
        return common_error_loss(residual, factors, 0 * residual, residual.isfinite()).item()

    loads = np.linspace(0.5, 0.95, 46)
    assert loads[np.argmin([loss(load) for load in loads])] == pytest.approx(0.8, abs=0.03)
