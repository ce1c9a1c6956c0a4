"""The objectives against plain numpy."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from msaestimator.networks import Requests, taught_loss
from msaestimator.training import (
    PredictionObjective,
    ReconstructionObjective,
    RequestObjective,
    TaughtObjective,
)

LEVELS = (0.05, 0.5, 0.95)


@pytest.fixture
def batch():
    """Features with NaN, hidden places, a reconstruction of columns 0, 2 and 3."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 4)).astype(np.float32)
    x[rng.random(x.shape) < 0.3] = np.nan
    hidden = rng.random(x.shape) < 0.4
    output = rng.normal(size=(40, 3)).astype(np.float32)
    return output, hidden, x


def tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


def mean_error(output, hidden, x, power, hidden_only):
    target = x[:, [0, 2, 3]].astype(np.float64)
    counted = np.isfinite(target) & (hidden[:, [0, 2, 3]] | (not hidden_only))
    return np.mean(np.abs(output - target)[counted] ** power)


def mean_pinball(quantiles, labels):
    losses = [
        max(level * residual, (level - 1) * residual)
        for star, truth in zip(quantiles.astype(np.float64), labels, strict=True)
        for member in star
        for of_label, true in zip(member, truth, strict=True)
        if np.isfinite(true)
        for level, residual in zip(LEVELS, true - of_label, strict=True)
    ]
    return np.mean(losses)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("hidden_only", [False, True])
def test_reconstruction_is_the_mean_over_counted_places(batch, power, hidden_only):
    loss = ReconstructionObjective([0, 2, 3], power, hidden_only)(*tensors(*batch))
    assert float(loss) == pytest.approx(mean_error(*batch, power, hidden_only), rel=1e-5)


def test_nothing_to_count_is_no_loss_and_no_gradient(batch):
    output, hidden, x = tensors(*batch)
    output.requires_grad_()
    objective = ReconstructionObjective([0, 2, 3], 2, hidden_only=True)
    loss = objective(output, torch.zeros_like(hidden), x)
    loss.backward()
    assert loss.item() == 0
    assert not output.grad.any()


def test_prediction_weighs_pinball_and_reconstruction(batch):
    rng = np.random.default_rng(6)
    quantiles = np.sort(rng.normal(size=(40, 2, 3, len(LEVELS))), axis=-1).astype(np.float32)
    labels = rng.normal(size=(40, 3)).astype(np.float32)
    labels[rng.random(labels.shape) < 0.3] = np.nan
    output, hidden, x = tensors(*batch)
    objective = PredictionObjective(
        LEVELS, 0.8, 0.2, ReconstructionObjective([0, 2, 3], 1, hidden_only=False)
    )
    loss = objective((torch.from_numpy(quantiles), output), hidden, x, torch.from_numpy(labels))
    expected = 0.8 * mean_pinball(quantiles, labels) + 0.2 * mean_error(*batch, 1, False)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_stars_without_labels_still_teach_reconstruction(batch):
    output, hidden, x = tensors(*batch)
    reconstruction = ReconstructionObjective([0, 2, 3], 1, hidden_only=False)
    quantiles = torch.ones(40, 1, 2, 3, requires_grad=True)
    loss = PredictionObjective(LEVELS, 0.8, 0.2, reconstruction)(
        (quantiles, output), hidden, x, torch.full((40, 2), torch.nan)
    )
    loss.backward()
    assert loss.item() == pytest.approx(0.2 * mean_error(*batch, 1, False), rel=1e-5)
    assert not quantiles.grad.any()


@pytest.fixture
def answers():
    """Output for 40 stars asked 3 of 6 tokens, the requests, values and errors."""
    rng = np.random.default_rng(7)
    output = rng.normal(size=(2, 40, 3))
    values, errors = rng.normal(size=(40, 6)), rng.random((40, 6))
    values[rng.random(values.shape) < 0.3] = np.nan
    tokens = np.argsort(rng.random((40, 6)), axis=1)[:, :3]
    return output, tokens, values, errors


def request_loss(output, tokens, values, errors):
    """Return the loss of numpy arrays, where all that is known is counted."""
    counted = np.isfinite(np.take_along_axis(values, tokens, axis=1))
    stars = torch.from_numpy(np.stack([values, errors], axis=1))
    requests = Requests(torch.from_numpy(tokens), torch.from_numpy(counted))
    return RequestObjective()(tuple(output), requests, stars)


def minus_mean_likelihood(output, tokens, values, errors):
    """Return minus scipy's mean log-likelihood without its constant, answer by answer."""
    terms = []
    for star, place in np.ndindex(*tokens.shape):
        token = tokens[star, place]
        if np.isfinite(values[star, token]):
            mean, log_variance = output[:, star, place]
            spread = np.hypot(np.exp(log_variance / 2), errors[star, token])
            terms.append(norm.logpdf(values[star, token], mean, spread))
    return -np.mean(terms) - 0.5 * np.log(2 * np.pi)


def test_requests_are_the_likelihood_of_what_was_asked(answers):
    output, *asked = answers
    loss = request_loss(torch.from_numpy(output), *asked)
    assert loss.item() == pytest.approx(minus_mean_likelihood(*answers), rel=1e-6)


def test_requests_are_scored_in_single_precision(answers):
    output, tokens, values, errors = answers
    output = torch.from_numpy(output).bfloat16().requires_grad_()
    loss = request_loss(output, tokens, values.astype(np.float32), errors.astype(np.float32))
    loss.backward()
    assert loss.dtype == torch.float32
    rounded = output.detach().double().numpy()
    expected = minus_mean_likelihood(rounded, tokens, values, errors)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert torch.isfinite(output.grad).all()


def test_stars_that_know_nothing_of_what_was_asked_teach_nothing(answers):
    output, tokens, values, errors = answers
    output = torch.from_numpy(output).requires_grad_()
    loss = request_loss(output, tokens, np.full_like(values, np.nan), errors)
    loss.backward()
    assert loss.item() == 0
    assert not output.grad.any()


def test_requests_are_weighted_in_training_alone(answers):
    output, tokens, values, errors = answers
    counted = np.isfinite(np.take_along_axis(values, tokens, axis=1))
    asked = (
        tuple(torch.from_numpy(output)),
        Requests(torch.from_numpy(tokens), torch.from_numpy(counted)),
        torch.from_numpy(np.stack([values, errors], axis=1)),
    )
    weighted, plain = RequestObjective(beta=0.5), RequestObjective()
    assert weighted(*asked) != plain(*asked)
    assert weighted.eval()(*asked) == plain(*asked)


def test_a_taught_objective_is_the_sum_of_its_parts(batch):
    reconstruction, hidden, x = tensors(*batch)
    quantiles, taught = torch.randn(40, 2, 3, 3), torch.randn(40, 3, 3)
    taught, stars = taught.cumsum(dim=-1), torch.rand(40)
    own = ReconstructionObjective([0, 2, 3], 1, False)
    objective = TaughtObjective(PredictionObjective(LEVELS, 0.7, 0.2, own, [1.0, 2.0, 0.5]))
    found = objective((quantiles, reconstruction), (hidden, taught), x, None, stars)
    alone = objective((quantiles, None), (hidden, taught), x, None, stars)
    weights = torch.tensor([1.0, 2.0, 0.5])
    assert float(alone) == pytest.approx(
        0.7 * float(taught_loss(quantiles, taught, weights, stars))
    )
    second = own(reconstruction, hidden, x, star_weights=stars)
    assert float(found) == pytest.approx(float(alone) + 0.2 * float(second))
