"""Coefficients over the G flux as physical spectra."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.datasets import load_xp_sampling
from msaestimator.exceptions import ColumnError
from msaestimator.results import PredictionFlag, spectra_table
from msaestimator.schema import G_ZERO_POINT

FLUX = u.Unit("W / (m2 nm)")
N = 110


@pytest.fixture(scope="module")
def spectra(stars):
    """Real stars: their coefficients, the errors of these, and G."""
    coefficients = np.hstack([stars["bp_coefficients"], stars["rp_coefficients"]])
    errors = np.hstack([stars["bp_coefficient_errors"], stars["rp_coefficient_errors"]])
    g = stars["phot_g_mean_mag"].to_value("mag")
    return tuple(part.astype(float) for part in (coefficients, errors, g))


def over_g_flux(values, g):
    return values / 10.0 ** (0.4 * (G_ZERO_POINT - g))[:, None]


def test_own_coefficients_give_the_sampled_spectrum(spectra):
    coefficients, errors, g = spectra
    table = spectra_table(over_g_flux(coefficients, g), over_g_flux(errors, g), g)
    expected = np.array([load_xp_sampling().matrix.value @ star for star in coefficients])
    np.testing.assert_allclose(table["flux"].to_value(FLUX), expected, rtol=1e-9)
    np.testing.assert_array_equal(table.meta["wavelength"], load_xp_sampling().wavelength)


def test_errors_are_the_scatter_of_noisy_coefficients(spectra):
    coefficients, errors, g = (part[:2] for part in spectra)
    table = spectra_table(over_g_flux(coefficients, g), over_g_flux(errors, g), g)
    noise = np.random.default_rng(0).normal(size=(4000, 2, N))
    matrix = load_xp_sampling().matrix.value
    scatter = ((coefficients + noise * errors) @ matrix.T).std(axis=0)
    np.testing.assert_allclose(table["flux_err"].value, scatter, rtol=0.06)


def test_an_error_of_the_magnitude_scales_the_spectrum_as_a_whole(spectra):
    coefficients, _, g = spectra
    relative = over_g_flux(coefficients, g)
    table = spectra_table(relative, np.zeros_like(relative), g, g_errors=np.full(len(g), 1e-4))
    brighter = spectra_table(relative, np.zeros_like(relative), g - 1e-4)
    change = np.abs(brighter["flux"] - table["flux"]).value
    np.testing.assert_allclose(table["flux_err"].value, change, rtol=1e-3)


def test_errors_of_coefficients_and_magnitude_add_in_quadrature(spectra):
    coefficients, errors, g = spectra
    relative, relative_errors = over_g_flux(coefficients, g), over_g_flux(errors, g)
    zeros, g_errors = np.zeros_like(relative), np.full(len(g), 0.1)
    both, first, second = (
        spectra_table(relative, e, g, g_errors=m)["flux_err"].value
        for e, m in ((relative_errors, g_errors), (relative_errors, None), (zeros, g_errors))
    )
    np.testing.assert_allclose(both, np.hypot(first, second))


@given(st.floats(-5.0, 20.0), st.floats(0.0, 10.0))
def test_magnitudes_dim_values_and_errors_alike(g, fainter):
    rng = np.random.default_rng(0)
    coefficients, errors = rng.normal(size=(1, N)), rng.uniform(size=(1, N))
    near = spectra_table(coefficients, errors, [g])
    far = spectra_table(coefficients, errors, [g + fainter])
    for name in ("flux", "flux_err"):
        np.testing.assert_allclose(far[name], near[name] * 10.0 ** (-0.4 * fainter), rtol=1e-9)


def test_flux_converts_and_integrates(spectra):
    coefficients, errors, g = spectra
    table = spectra_table(over_g_flux(coefficients, g), over_g_flux(errors, g), g)
    total = np.trapezoid(table["flux"], table.meta["wavelength"], axis=1)
    assert total.unit.is_equivalent("W / m2")
    flat = table["flux"].mean(axis=1) * (684 * u.nm)
    np.testing.assert_allclose((total / flat).to_value(""), 1.0, rtol=0.05)
    assert table["flux"].unit.is_equivalent("erg / (s cm2 AA)")


def test_unknown_parts_make_the_spectrum_unknown():
    coefficients = np.ones((3, N))
    coefficients[1, 7] = np.nan
    table = spectra_table(coefficients, np.ones((3, N)), [15.0, 15.0, np.nan])
    assert np.isfinite(table["flux"][0]).all()
    assert np.isnan(table["flux"][2]).all()
    assert np.isnan(table["flux_err"][2]).all()
    np.testing.assert_array_equal(np.isnan(table["flux"][1]).any(), True)


def test_identifiers_and_flags_come_along_and_the_table_can_be_written(tmp_path):
    table = spectra_table(
        np.ones((2, N)),
        np.ones((2, N)),
        [15.0, 16.0],
        identifiers=[5937083312263887616, 2],
        flags=[0, PredictionFlag.NOTHING_KNOWN],
    )
    assert table.colnames == ["source_id", "flux", "flux_err", "flags"]
    assert table.meta["flags"][5].startswith("32 NOTHING_KNOWN")
    table.write(tmp_path / "spectra.ecsv")
    back = QTable.read(tmp_path / "spectra.ecsv")
    assert back["source_id"][0] == 5937083312263887616
    np.testing.assert_array_equal(back["flux"], table["flux"])
    np.testing.assert_array_equal(back.meta["wavelength"], table.meta["wavelength"])


def test_a_file_without_metadata_says_the_wavelengths(tmp_path):
    table = spectra_table(np.ones((2, N)), np.ones((2, N)), [15.0, 16.0])
    table.write(tmp_path / "spectra.xml", format="votable")
    back = QTable.read(tmp_path / "spectra.xml")
    assert back["flux"].info.description == "from 336.0 nm to 1020.0 nm in steps of 2.0 nm"


def test_no_star_has_no_spectrum():
    table = spectra_table(np.empty((0, N)), np.empty((0, N)), [])
    assert table["flux"].shape == (0, 343)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coefficients": np.ones((2, 55))}, r"shape \(n_stars, 110\), got \(2, 55\) and"),
        ({"coefficients": np.ones(110)}, r"shape \(n_stars, 110\), got \(110,\) and"),
        ({"errors": np.ones((3, N))}, r"got \(2, 110\) and \(3, 110\)"),
        ({"g_magnitudes": [15.0]}, r"`g_magnitudes` must have shape \(2,\), got \(1,\)"),
        ({"g_magnitudes": 15.0}, r"`g_magnitudes` must have shape \(2,\), got \(\)"),
        ({"g_errors": [1.0] * 3}, r"`g_errors` must have shape \(2,\), got \(3,\)"),
        ({"error_shares": np.ones((2, N))}, r"`error_shares` must have shape \(2, 110\) and"),
        ({"identifiers": [1.0, 2.0]}, "`identifiers` must be integers"),
    ],
)
def test_refuses_what_does_not_fit(change, message):
    good = {
        "coefficients": np.ones((2, N)),
        "errors": np.ones((2, N)),
        "g_magnitudes": [15.0, 16.0],
    }
    with pytest.raises(ColumnError, match=message):
        spectra_table(**(good | change))


def test_errors_in_common_add_along_the_spectrum(spectra):
    """Wholly in common, errors are those of the spectrum that moves by them."""
    coefficients, errors, g = spectra
    coefficients, errors = over_g_flux(coefficients, g), over_g_flux(errors, g)
    shares = np.zeros((*errors.shape, 2))
    shares[..., 0] = 1.0
    table = spectra_table(coefficients, errors, g, error_shares=shares)
    moved = spectra_table(coefficients + errors, errors, g)
    change = np.abs(moved["flux"] - table["flux"]).value
    np.testing.assert_allclose(table["flux_err"].value, change, rtol=1e-6, atol=1e-24)
    own = spectra_table(coefficients, errors, g, error_shares=shares[..., ::-1])
    plain = spectra_table(coefficients, errors, g)
    np.testing.assert_allclose(own["flux_err"], plain["flux_err"], rtol=1e-12)
