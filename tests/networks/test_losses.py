"""Losses against numpy loops, and what they must not count."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from msaestimator.networks import masked_error, pinball_loss

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
