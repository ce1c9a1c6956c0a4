"""Templates for XP spectra, and dust in front of them."""

import numpy as np
import pytest

from msaestimator.datasets import load_apogee_xp
from msaestimator.datasets._extinction_law import relative_extinction
from msaestimator.datasets._xp_reddening import load_xp_reddening
from msaestimator.datasets._xp_spectra import mock_spectra
from msaestimator.datasets._xp_templates import load_xp_templates, own_extinction
from msaestimator.schema import GAIA_DR3


@pytest.fixture(scope="module")
def templates():
    return load_xp_templates()


@pytest.fixture(scope="module")
def dust():
    return load_xp_reddening()


def bp_over_rp(coefficients):
    """Return the ratio of the two bands' first coefficients."""
    return coefficients[:, 0] / coefficients[:, GAIA_DR3.arrays[0].size]


def test_templates_cover_the_diagram(templates):
    assert len(templates.a_v) > 8000
    assert np.isnan(templates.labels[:, -1]).sum() > 500
    assert templates.a_v.min() == 0.0
    assert templates.a_v.max() < 2.0


def test_own_extinction_agrees_with_the_map_out_of_the_plane():
    stars = load_apogee_xp()
    labels = np.column_stack(
        [
            np.log10(stars["teff"].value) / 0.01,
            stars["logg"].value / 0.2,
            stars["fe_h"].value / 0.2,
        ]
    )
    a_v, _ = own_extinction(stars, labels)
    ebv = stars["ebv"].value
    thin = (ebv > 0.05) & (ebv < 0.3)
    assert np.median(a_v[thin] / 3.1 / ebv[thin]) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("wavelength", "expected"),
    # At V by definition, at B by E(B-V) = A_V / 3.1, at 400 and 800 nm the reference values of
    # the ``extinction`` package.
    [(549.45, 1.0), (440.53, 1 + 1 / 3.1), (400.0, 1.4645557), (800.0, 0.59748901)],
)
def test_extinction_law_is_the_published_one(wavelength, expected):
    assert relative_extinction(np.array([wavelength]))[0] == pytest.approx(expected, rel=1e-4)


def test_no_dust_returns_the_same_spectrum(templates, dust):
    coefficients = templates.coefficients[:200]
    np.testing.assert_array_equal(dust.redden(coefficients, np.zeros(200)), coefficients)


@pytest.mark.parametrize("a_v", [-0.5, 0.3, 1.0, 3.0])
def test_sampled_flux_is_dimmed_by_the_law(templates, dust, a_v):
    coefficients = templates.coefficients[:300]
    reddened = dust.redden(coefficients, np.full(300, a_v)) @ dust.matrix.T
    expected = coefficients @ dust.matrix.T
    expected = expected * 10 ** (-0.4 * a_v * relative_extinction(dust.wavelength))
    error = (reddened - expected) / expected.mean(axis=1, keepdims=True)
    assert np.sqrt((error**2).mean()) < 0.003
    assert np.abs(error).max() < 0.03


def test_dust_reddens(templates, dust):
    coefficients = templates.coefficients[:300]
    redder = dust.redden(coefficients, np.full(300, 0.5))
    bluer = dust.redden(coefficients, np.full(300, -0.5))
    assert (bp_over_rp(redder) < bp_over_rp(coefficients)).all()
    assert (bp_over_rp(bluer) > bp_over_rp(coefficients)).all()


def test_reddening_undoes_dereddening(templates, dust):
    coefficients = templates.coefficients[:300]
    back = dust.redden(dust.redden(coefficients, np.full(300, 1.0)), np.full(300, -1.0))
    assert np.median(np.abs(back - coefficients) / templates.errors[:300]) < 0.2


def test_nearest_template_by_brute_force(templates):
    rng = np.random.default_rng(0)
    wanted = np.column_stack(
        [rng.uniform(3.55, 4.2, 50), rng.uniform(0.5, 5.0, 50), rng.uniform(-1.5, 0.4, 50)]
    )
    squared = (wanted[:, np.newaxis] / [0.01, 0.2, 0.2] - templates.labels) ** 2
    known = np.isfinite(templates.labels[:, -1])
    total = np.where(known, squared.sum(axis=-1), 1.5 * squared[..., :-1].sum(axis=-1))
    np.testing.assert_array_equal(templates.nearest(*wanted.T), total.argmin(axis=1))


def test_a_mock_of_a_template_is_the_template(templates):
    chosen = np.flatnonzero(np.isfinite(templates.labels[:, -1]))[:100]
    log_teff, logg, fe_h = (templates.labels[chosen] * [0.01, 0.2, 0.2]).T
    fainter = templates.g_magnitude[chosen] + 1.0
    spectra = mock_spectra(
        (log_teff, logg, fe_h),
        templates.a_v[chosen],
        fainter,
        fainter,
        np.random.RandomState(0),
    )
    expected = np.split(templates.coefficients[chosen] * 10**-0.4, [GAIA_DR3.arrays[0].size], 1)
    for array, values in zip(GAIA_DR3.arrays, expected, strict=True):
        np.testing.assert_allclose(spectra[array.name][:, 0], values[:, 0], rtol=0.01)
        z = (spectra[array.name] - values) / spectra[array.error]
        assert z.std() == pytest.approx(1.0, abs=0.05)
        assert abs(z.mean()) < 0.05


def test_fainter_spectra_are_noisier(templates):
    log_teff, logg, fe_h = np.full(3, 3.7), np.full(3, 3.0), np.zeros(3)
    magnitude = np.array([12.0, 15.0, 17.5])
    spectra = mock_spectra(
        (log_teff, logg, fe_h), np.full(3, 0.5), magnitude, magnitude, np.random.RandomState(0)
    )
    relative = spectra["bp_coefficient_errors"][:, 0] * 10 ** (0.4 * magnitude)
    assert (np.diff(relative) > 0).all()


@pytest.mark.parametrize(
    ("magnitude", "published"), [(17.65, True), (17.66, False), (np.nan, False)]
)
def test_spectra_follow_the_observed_magnitude(magnitude, published):
    one = np.ones(1)
    labels = 3.7 * one, 3.0 * one, 0.0 * one
    spectra = mock_spectra(labels, one, 17.6 * one, magnitude * one, np.random.RandomState(0))
    assert np.isfinite(spectra["rp_coefficients"]).all() == published
