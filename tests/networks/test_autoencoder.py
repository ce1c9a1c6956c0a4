"""The autoencoder's size, shapes and what it may not see."""

import pytest
import torch

from msaestimator.networks import (
    MaskedAutoencoder,
    QuantileHead,
    QuantileRegressor,
    residual_stack,
)

NAN = float("nan")
THESIS_WIDTHS = [2048, 2048, 1024, 1024, 512, 512, 256, 256]
THESIS = {"linear_term": False, "block": "mckay2025"}


def small(sentinel=None, **changes):
    sizes = {
        "d_embedding": 3,
        "n_frequencies": 2,
        "frequency_scale": 0.1,
        "dropout": 0.0,
        "block": "mckay2025",
    }
    return MaskedAutoencoder(6, 5, [8, 8, 4], sentinel=sentinel, **{**sizes, **changes})


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_thesis_size():
    with torch.device("meta"):
        autoencoder = MaskedAutoencoder(
            138,
            134,
            THESIS_WIDTHS,
            d_embedding=16,
            n_frequencies=48,
            frequency_scale=0.01,
            dropout=0.1,
            sentinel=-9999.0,
            **THESIS,
        )
    assert count(autoencoder) == 53_784_704


def test_thesis_size_by_parts():
    """The same number from the layers' shapes, and the learned vectors on top of it."""

    def block(n_in, n_out):
        change = n_in * n_out + 2 * n_out if n_in != n_out else 0
        return n_in * n_out + n_out * n_out + 4 * n_out + change

    def stack(n_in, widths):
        return sum(block(*pair) for pair in zip([n_in, *widths], widths, strict=False))

    embedding = 138 * (48 + 2 * 48 * 16 + 16)
    entrance = 138 * 16 * 2048 + 2048
    layers = stack(2048, THESIS_WIDTHS) + stack(256, THESIS_WIDTHS[::-1])
    total = embedding + entrance + layers + 2048 * 134
    assert total == 53_784_704
    with torch.device("meta"):
        learned = MaskedAutoencoder(
            138,
            134,
            tuple(THESIS_WIDTHS),
            d_embedding=16,
            n_frequencies=48,
            frequency_scale=0.01,
            dropout=0.1,
            **THESIS,
        )
        assert count(residual_stack(2048, THESIS_WIDTHS, 0.1, "mckay2025")) == stack(
            2048, THESIS_WIDTHS
        )
    assert count(learned) == total + 138 * 16


@pytest.mark.parametrize("n_stars", [0, 1, 7])
def test_shapes(n_stars):
    x = torch.randn(n_stars, 6)
    autoencoder = small()
    assert autoencoder.encode(x).shape == (n_stars, 4)
    assert autoencoder(x).shape == (n_stars, 5)


def test_forward_decodes_what_was_encoded():
    autoencoder, x = small(), torch.randn(4, 6)
    expected = autoencoder.decode(autoencoder.encode(x))
    torch.testing.assert_close(autoencoder(x), expected, rtol=0, atol=0)


def test_latent_is_the_output_of_an_elu():
    assert small().encode(100 * torch.randn(50, 6)).min() >= -1


def test_decoder_mirrors_the_encoder():
    widths = [(b.body[0].in_features, b.body[0].out_features) for b in small().decoder]
    assert widths == [(4, 4), (4, 8), (8, 8)]


@pytest.mark.parametrize("sentinel", [None, -9999.0])
def test_the_value_of_a_hidden_feature_cannot_matter(double, sentinel):
    autoencoder = small(sentinel)
    hidden = torch.tensor([True, False, False, True, False, True])

    def reconstruct(x):
        return autoencoder(x.masked_fill(hidden, NAN))

    jacobian = torch.autograd.functional.jacobian(reconstruct, torch.randn(1, 6))[0, :, 0]
    assert torch.all(jacobian[:, hidden] == 0)
    assert torch.all(jacobian[:, ~hidden].abs().sum(dim=0) > 0)


def test_stars_do_not_see_each_other():
    autoencoder, x = small().eval(), torch.randn(5, 6)
    x[2, 1] = NAN
    one_by_one = torch.cat([autoencoder(star[None]) for star in x])
    torch.testing.assert_close(autoencoder(x), one_by_one)


@pytest.mark.parametrize("sentinel", [None, -9999.0])
def test_a_star_with_nothing_measured_has_finite_output_and_gradients(sentinel):
    autoencoder = small(sentinel)
    output = autoencoder(torch.full((2, 6), NAN))
    output.sum().backward()
    assert torch.isfinite(output).all()
    assert all(torch.isfinite(p.grad).all() for p in autoencoder.parameters())


def test_derivatives(double):
    assert torch.autograd.gradcheck(small(), torch.randn(2, 6, requires_grad=True))


def test_regressor_is_head_and_decoder_on_one_latent_vector():
    head = QuantileHead(4, 2, [5], n_quantiles=3, n_members=2, dropout=0.0)
    regressor, x = QuantileRegressor(small(), head), torch.randn(7, 6)
    quantiles, reconstruction = regressor(x)
    assert quantiles.shape == (7, 2, 2, 3)
    torch.testing.assert_close(quantiles, regressor.quantiles(x), rtol=0, atol=0)
    torch.testing.assert_close(reconstruction, regressor.autoencoder(x), rtol=0, atol=0)
