"""Losses against numpy loops, and what they must not count."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import cauchy, norm, t

from msaestimator.networks import (
    cauchy_error,
    likelihood_loss,
    masked_error,
    pinball_loss,
    taught_loss,
)

NAN = float("nan")
LEVELS = torch.tensor([0.16, 0.5, 0.84])


def masked_error_by_hand(prediction, target, counted, power):
    terms = [abs(p - t) ** power for p, t, c in zip(prediction, target, counted, strict=True) if c]
    return np.mean(terms) if terms else 0.0


def pinball_by_hand(quantiles, labels, levels):
    """Thesis equation 3.2, one term at a time."""
    terms = []
    for star, member, label, number in np.ndindex(*quantiles.shape):
        truth, level = labels[star, label], levels[number]
        if np.isfinite(truth):
            miss = truth - quantiles[star, member, label, number]
            terms.append(level * miss if miss >= 0 else (level - 1) * miss)
    return np.mean(terms) if terms else 0.0


@pytest.fixture
def batch():
    """Prediction, target with NaN, and what is counted of it."""
    prediction, target = torch.randn(2, 8, 5)
    target[torch.rand(8, 5) < 0.3] = NAN
    return prediction, target, ~target.isnan() & (torch.rand(8, 5) < 0.7)


@pytest.fixture
def predicted(double):
    """Quantiles of 6 stars, 2 members, 4 labels, and labels, some unknown."""
    labels = torch.randn(6, 4)
    labels[torch.rand(6, 4) < 0.4] = NAN
    return torch.randn(6, 2, 4, 3).sort().values, labels


class TestMaskedError:
    @pytest.mark.parametrize("power", [1, 2])
    def test_equals_the_mean_over_counted_places(self, double, batch, power):
        expected = masked_error_by_hand(*(x.flatten().tolist() for x in batch), power)
        assert masked_error(*batch, power).item() == pytest.approx(expected, rel=1e-6)

    def test_default_is_l1(self, batch):
        assert masked_error(*batch) == masked_error(*batch, 1)

    @pytest.mark.parametrize("power", [1, 2])
    def test_what_is_not_counted_does_not_matter(self, batch, power):
        prediction, target, counted = batch
        loss = masked_error(prediction, target, counted, power)
        for junk in (NAN, float("inf"), 1e30):
            changed = [x.masked_fill(~counted, junk) for x in (prediction, target)]
            assert masked_error(*changed, counted, power) == loss

    @pytest.mark.parametrize("power", [1, 2])
    def test_gradients_are_finite_and_zero_where_not_counted(self, batch, power):
        prediction, target, counted = batch
        prediction.requires_grad_()
        masked_error(prediction, target, counted, power).backward()
        assert torch.isfinite(prediction.grad).all()
        assert torch.all((prediction.grad != 0) == counted)

    @pytest.mark.parametrize("power", [1, 2])
    def test_nothing_counted_is_zero_with_zero_gradient(self, batch, power):
        prediction, target, counted = batch
        prediction.requires_grad_()
        loss = masked_error(prediction, target, counted & False, power)
        loss.backward()
        assert loss == 0
        assert torch.all(prediction.grad == 0)

    @pytest.mark.parametrize("power", [1, 2])
    def test_derivatives(self, double, power):
        prediction, target = torch.randn(2, 4, 3)
        counted = torch.rand(4, 3) < 0.6
        target = target.masked_fill(~counted, NAN)
        assert torch.autograd.gradcheck(
            lambda p: masked_error(p, target, counted, power), prediction.requires_grad_()
        )

    def test_half_precision_prediction_is_compared_in_single(self):
        prediction, target = torch.ones(1, 1, dtype=torch.bfloat16), torch.tensor([[1.001]])
        loss = masked_error(prediction, target, torch.tensor([[True]]))
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(0.001, rel=1e-3)


class TestPinball:
    def test_equals_the_mean_over_known_labels(self, predicted):
        expected = pinball_by_hand(*(x.numpy() for x in predicted), LEVELS.tolist())
        assert pinball_loss(*predicted, LEVELS).item() == pytest.approx(expected, rel=1e-6)

    def test_median_alone_is_half_the_mean_error(self, predicted):
        quantiles, labels = predicted[0][..., :1], predicted[1]
        expected = np.nanmean(np.abs((labels[:, None, :, None] - quantiles).numpy())) / 2
        loss = pinball_loss(quantiles, labels, torch.tensor([0.5]))
        assert loss.item() == pytest.approx(expected)

    @given(st.lists(st.floats(0.1, 10), min_size=1, max_size=4))
    def test_weights_are_of_labels(self, weights):
        """The mean over labels of the loss of each alone, weighted by weight and known stars."""
        generator = torch.Generator().manual_seed(len(weights))
        quantiles = torch.randn(7, 2, len(weights), len(LEVELS), generator=generator)
        labels = torch.randn(7, len(weights), generator=generator)
        labels[0, 0] = NAN
        parts = [
            pinball_loss(quantiles[:, :, [k]], labels[:, [k]], LEVELS).item()
            for k in range(len(weights))
        ]
        shares = np.array(weights) * (~labels.isnan()).sum(dim=0).numpy()
        loss = pinball_loss(quantiles, labels, LEVELS, torch.tensor(weights))
        assert loss.item() == pytest.approx(np.average(parts, weights=shares), rel=1e-5)

    def test_unknown_labels_do_not_matter(self, predicted):
        quantiles, labels = predicted
        loss = pinball_loss(quantiles, labels, LEVELS)
        unknown = labels.isnan()[:, None, :, None].expand_as(quantiles)
        for junk in (1e30, float("inf"), NAN):
            assert pinball_loss(quantiles.masked_fill(unknown, junk), labels, LEVELS) == loss

    def test_gradients_are_finite_and_zero_where_unknown(self, predicted):
        quantiles, labels = predicted
        quantiles.requires_grad_()
        pinball_loss(quantiles, labels, LEVELS).backward()
        known = ~labels.isnan()[:, None, :, None].expand_as(quantiles)
        assert torch.isfinite(quantiles.grad).all()
        assert torch.all((quantiles.grad != 0) == known)

    def test_no_known_label_is_zero_with_zero_gradient(self, predicted):
        quantiles, labels = predicted
        quantiles.requires_grad_()
        loss = pinball_loss(quantiles, torch.full_like(labels, NAN), LEVELS)
        loss.backward()
        assert loss == 0
        assert torch.all(quantiles.grad == 0)

    def test_derivatives(self, predicted):
        quantiles, labels = predicted
        assert torch.autograd.gradcheck(
            lambda q: pinball_loss(q, labels, LEVELS.double()), quantiles.requires_grad_()
        )

    @pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
    def test_labels_count_as_the_inverse_of_their_interval(self, predicted, power):
        quantiles, labels = predicted
        quantiles = quantiles.sort(dim=-1).values.requires_grad_()
        # Of each label's gradient by its quantiles, what the weights make of it.
        slopes = [
            torch.autograd.grad(pinball_loss(quantiles, labels, LEVELS, None, p), quantiles)[0]
            for p in (0.0, power)
        ]
        width = (quantiles[..., -1] - quantiles[..., 0]).mean(dim=1).detach().numpy()
        for label in range(labels.shape[1]):
            known = ~labels[:, label].isnan().numpy()
            expected = width[known, label]
            expected = np.maximum(expected, 0.2 * np.sort(expected)[(len(expected) - 1) // 2])
            expected = expected**-power / np.mean(expected**-power)
            found = (slopes[1] / slopes[0])[known, :, label].numpy()
            np.testing.assert_allclose(found, expected[:, None, None].repeat(2, 1).repeat(3, 2))

    def test_unknown_labels_do_not_matter_by_their_intervals(self, predicted):
        quantiles, labels = predicted
        loss = pinball_loss(quantiles, labels, LEVELS, None, 1.0)
        unknown = labels.isnan()[:, None, :, None].expand_as(quantiles)
        for junk in (1e30, float("inf"), NAN):
            given = quantiles.masked_fill(unknown, junk)
            assert pinball_loss(given, labels, LEVELS, None, 1.0) == loss
        nothing = torch.full_like(labels, NAN)
        assert pinball_loss(quantiles, nothing, LEVELS, None, 1.0) == 0

    @pytest.mark.parametrize("power", [0.0, 1.0])
    def test_the_best_quantiles_are_those_of_the_labels_whatever_the_width(self, power):
        """Of stars of two kinds, one ten times as scattered, by gradient descent."""
        scatter = torch.tensor([0.1, 1.0]).repeat_interleave(2000)
        labels = (torch.randn(4000) * scatter)[:, None]
        quantiles = torch.tensor([[-0.5, 0.0, 0.5]]).repeat(2, 1).requires_grad_()
        optimizer = torch.optim.Adam([quantiles], lr=0.01)
        for _ in range(400):
            optimizer.zero_grad()
            of_stars = quantiles.repeat_interleave(2000, dim=0)[:, None, None, :]
            pinball_loss(of_stars, labels, LEVELS, None, power).backward()
            optimizer.step()
        expected = torch.stack([labels[:2000, 0], labels[2000:, 0]]).quantile(LEVELS, dim=1).T
        np.testing.assert_allclose(quantiles.detach(), expected, atol=0.03)

    @settings(max_examples=50)
    @given(
        labels=st.lists(st.integers(-50, 50), min_size=2, max_size=40, unique=True),
        level=st.sampled_from([0.025, 0.16, 0.5, 0.84, 0.975]),
    )
    def test_smallest_at_the_empirical_quantile(self, labels, level):
        """No other constant is better; the loss is convex with its knots at the labels."""
        known = torch.tensor(labels, dtype=torch.float64)[:, None]
        at = torch.tensor([level], dtype=torch.float64)

        def loss(constant):
            quantiles = torch.full((len(labels), 1, 1, 1), constant, dtype=torch.float64)
            return pinball_loss(quantiles, known, at).item()

        best = float(np.quantile(labels, level, method="inverted_cdf"))
        assert all(loss(best) <= loss(float(label)) + 1e-12 for label in labels)


def gaussian_by_hand(mean, log_variance, target, error, counted):
    """Return minus the mean of scipy's log-likelihood, less its constant, where counted."""
    spread = np.sqrt(np.exp(log_variance) + error**2)
    likelihood = norm.logpdf(target[counted], mean[counted], spread[counted])
    return -np.mean(likelihood) - 0.5 * np.log(2 * np.pi)


class TestLikelihood:
    @pytest.fixture
    def answered(self, double):
        """Mean, log variance, target with NaN, error, and what is counted."""
        mean, log_variance, target = torch.randn(3, 8, 5)
        target[torch.rand(8, 5) < 0.3] = NAN
        counted = ~target.isnan() & (torch.rand(8, 5) < 0.7)
        return mean, log_variance, target, torch.rand(8, 5), counted

    def test_equals_scipys(self, answered):
        expected = gaussian_by_hand(*(part.numpy() for part in answered))
        assert likelihood_loss(*answered).item() == pytest.approx(expected, rel=1e-9)

    def test_equals_scipys_student(self, answered):
        mean, log_variance, target, error, counted = (part.numpy() for part in answered)
        spread = np.sqrt(np.exp(log_variance) + error**2)
        terms = t.logpdf(target[counted], 4.0, mean[counted], spread[counted]) - t.logpdf(0, 4.0)
        loss = likelihood_loss(*answered, degrees_of_freedom=4.0)
        assert loss.item() == pytest.approx(-terms.mean(), rel=1e-9)

    def test_error_and_predicted_spread_add_in_quadrature(self, double):
        """A spread of 0.3 measured with 0.4 is one of 0.5 measured without error."""
        mean, target, counted = torch.randn(6, 1), torch.randn(6, 1), torch.ones(6, 1).bool()

        def loss(spread, error):
            log_variance = torch.full_like(mean, 2 * np.log(spread))
            return likelihood_loss(
                mean, log_variance, target, torch.full_like(mean, error), counted
            )

        torch.testing.assert_close(loss(0.3, 0.4), loss(0.5, 0.0))

    @pytest.mark.parametrize("error", [0.0, 0.8])
    def test_is_smallest_at_the_scatter_beyond_the_errors(self, double, error):
        scatter = 0.6
        residual = torch.randn(20000, 1)
        residual *= np.hypot(scatter, error) / residual.square().mean().sqrt()
        spread = torch.linspace(0.4, 0.8, 81)
        losses = [
            likelihood_loss(
                torch.zeros_like(residual),
                torch.full_like(residual, 2 * np.log(s)),
                residual,
                torch.full_like(residual, error),
                torch.ones_like(residual, dtype=torch.bool),
            )
            for s in spread.tolist()
        ]
        assert spread[int(torch.stack(losses).argmin())].item() == pytest.approx(scatter)

    def test_what_is_not_counted_does_not_matter(self, answered):
        mean, log_variance, target, error, counted = answered
        loss = likelihood_loss(*answered)
        for junk in (NAN, float("inf"), 1e30):
            changed = [x.masked_fill(~counted, junk) for x in (mean, log_variance, target, error)]
            assert likelihood_loss(*changed, counted) == loss

    def test_gradients_are_finite_and_zero_where_not_counted(self, answered):
        counted = answered[-1]
        predicted = [part.requires_grad_() for part in answered[:2]]
        likelihood_loss(*answered).backward()
        for part in predicted:
            assert torch.isfinite(part.grad).all()
            assert torch.all((part.grad != 0) == counted)

    def test_nothing_counted_is_zero_with_zero_gradient(self, answered):
        predicted = [part.requires_grad_() for part in answered[:2]]
        loss = likelihood_loss(*answered[:-1], answered[-1] & False)
        loss.backward()
        assert loss == 0
        assert all(torch.all(part.grad == 0) for part in predicted)

    def test_derivatives(self, answered):
        mean, log_variance, *measured = answered
        assert torch.autograd.gradcheck(
            lambda *predicted: likelihood_loss(*predicted, *measured),
            (mean.requires_grad_(), log_variance.requires_grad_()),
        )

    def test_beta_weights_each_term_by_its_variance(self, answered):
        mean, log_variance, target, error, counted = answered
        variance = log_variance.exp() + error.square()
        terms = 0.5 * ((target - mean).square() / variance + variance.log())
        expected = (terms * variance**0.7)[counted].mean()
        torch.testing.assert_close(likelihood_loss(*answered, beta=0.7), expected)

    def test_with_half_a_beta_gradients_are_in_units_of_the_spread(self, answered):
        mean, log_variance, target, error, counted = answered
        likelihood_loss(
            mean.requires_grad_(), log_variance, target, error, counted, 0.5
        ).backward()
        spread = (log_variance.exp() + error.square()).sqrt()
        expected = ((mean - target) / spread / counted.sum())[counted]
        torch.testing.assert_close(mean.grad[counted], expected.detach())


def test_cauchy_error_equals_the_formula():
    generator = np.random.default_rng(0)
    prediction, target = generator.normal(size=(2, 6, 3))
    counted = generator.random((6, 3)) < 0.7
    target[~counted] = np.nan
    errors = np.array([0.1, 1.0, 3.0])
    loss = cauchy_error(*map(torch.from_numpy, (prediction, target, counted, errors)))
    terms = -cauchy.logpdf(prediction, target, errors) - np.log(np.pi * errors)
    assert loss.item() == pytest.approx(terms[counted].mean() / 2)


def test_cauchy_error_with_nothing_counted_is_zero():
    x = torch.ones(2, 3, requires_grad=True)
    target, nothing = torch.full((2, 3), NAN), torch.zeros(2, 3, dtype=torch.bool)
    loss = cauchy_error(x, target, nothing, torch.ones(3))
    loss.backward()
    assert loss.item() == 0
    assert not x.grad.any()


def weighted_losses(star_weights, rows):
    """Return each loss of some of twenty stars, all of whose places count."""
    generator = torch.Generator().manual_seed(3)
    first, second = torch.randn(2, 20, 5, generator=generator)
    quantiles = torch.randn(20, 2, 5, 3, generator=generator)
    everything = torch.ones(len(rows), 5, dtype=torch.bool)
    first, second, quantiles = first[rows], second[rows], quantiles[rows]
    return torch.stack(
        [
            masked_error(first, second, everything, 1, star_weights),
            masked_error(first, second, everything, 2, star_weights),
            cauchy_error(first, second, everything, torch.full((5,), 0.2), star_weights),
            pinball_loss(quantiles, second, LEVELS, None, 0.0, star_weights),
            likelihood_loss(first, 0.1 * second, second, 0 * first, everything, 0.5, star_weights),
        ]
    )


def test_a_star_of_weight_three_counts_as_three_like_it():
    counts = torch.arange(20) % 4
    repeated = weighted_losses(None, torch.arange(20).repeat_interleave(counts))
    weighted = weighted_losses(counts / counts.float().mean(), torch.arange(20))
    torch.testing.assert_close(weighted, repeated)
    assert not torch.isclose(weighted, weighted_losses(None, torch.arange(20))).any()


def test_batches_of_weighted_stars_are_unbiased():
    """The mean over batches is the loss of all, however uneven the weights are."""
    weights = torch.rand(20, generator=torch.Generator().manual_seed(4)) ** 4
    weights /= weights.mean()
    whole = weighted_losses(weights, torch.arange(20))
    batches = [weighted_losses(weights[rows], rows) for rows in torch.arange(20).split(5)]
    torch.testing.assert_close(torch.stack(batches).mean(dim=0), whole)


def test_taught_loss_is_in_widths_of_the_teacher():
    rng = np.random.default_rng(1)
    quantiles = rng.normal(size=(9, 2, 3, 3)).cumsum(axis=-1)
    taught = rng.uniform(0.1, 2.0, size=(9, 3, 3)).cumsum(axis=-1)
    of_star, of_label = rng.uniform(0.5, 2.0, size=9), rng.uniform(0.5, 2.0, size=3)
    width = taught[..., -1] - taught[..., 0]
    width = np.maximum(width, 0.2 * np.median(width, axis=0))
    terms = np.array(
        [
            of_star[s] * of_label[k] * abs(quantiles[s, m, k, q] - taught[s, k, q]) / width[s, k]
            for s, m, k, q in np.ndindex(*quantiles.shape)
        ]
    )
    given = [torch.from_numpy(array) for array in (quantiles, taught, of_label, of_star)]
    assert float(taught_loss(*given)) == pytest.approx(terms.mean() / of_label.mean())
    # Another unit of the labels is the same loss, and so are equal weights and none.
    assert float(taught_loss(7 * given[0], 7 * given[1])) == pytest.approx(
        float(taught_loss(*given[:2], torch.ones(3, dtype=torch.float64), torch.ones(9)))
    )


def test_taught_loss_of_what_was_taught_is_zero():
    taught = torch.randn(5, 2, 3).cumsum(dim=-1)
    quantiles = taught[:, None].repeat(1, 4, 1, 1).requires_grad_()
    loss = taught_loss(quantiles, taught)
    loss.backward()
    assert loss.item() == 0.0
    assert quantiles.grad.isfinite().all()
    # Nor does a teacher who is sure of everything make it infinite.
    sure = torch.zeros(5, 2, 3)
    assert taught_loss(sure[:, None], sure).isfinite()
