"""The pseudo-luminosity that an autoencoder is given beside parallax and G."""

import astropy.units as u
import numpy as np
import pytest
import torch

from msaestimator.schema import pseudo_luminosity


@pytest.fixture(scope="module")
def with_parallax(stars):
    table = stars[:120].copy()
    table["parallax"] = np.random.default_rng(0).normal(1.0, 0.7, len(table)) * u.mas
    return table


def test_is_that_of_the_table(make_msa, with_parallax):
    msa = make_msa(max_epochs=0).fit(with_parallax)
    features = torch.from_numpy(msa.reader_.transform(with_parallax).values)
    part = msa.module_.luminosity
    values = part(features)[:, 0].numpy() * part.width + part.center
    g = with_parallax["phot_g_mean_mag"].value.astype(float)
    expected = np.arcsinh(pseudo_luminosity(with_parallax["parallax"].value, g - 10.0))
    np.testing.assert_allclose(values, expected, rtol=2e-3, atol=2e-3)


def test_is_scaled_to_median_and_quartiles(make_msa, with_parallax):
    msa = make_msa(max_epochs=0).fit(with_parallax)
    scaled = msa.module_.luminosity(
        torch.from_numpy(msa.reader_.transform(with_parallax).values)
    ).numpy()
    low, middle, high = np.percentile(scaled, [25, 50, 75])
    assert middle == pytest.approx(0.0, abs=1e-4)
    assert high - low == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("left_out", ["parallax", "phot_g_mean_mag", "colors"])
def test_is_left_out(make_msa, with_parallax, left_out):
    table = with_parallax.copy()
    for name in ("bp_coefficients", "rp_coefficients"):
        table.remove_column(name)
    changes = {}
    if left_out == "colors":
        changes["colors"] = False
    else:
        table.remove_column(left_out)
    msa = make_msa(max_epochs=0, **changes).fit(table)
    assert msa.luminosity_ == {}
    assert msa.module_.luminosity is None


def test_no_star_has_both(make_msa, with_parallax):
    table = with_parallax.copy()
    for name in ("bp_coefficients", "rp_coefficients"):
        table.remove_column(name)
    half = np.arange(len(table)) % 2 == 0
    table["parallax"][half] = np.nan
    table["phot_g_mean_mag"][~half] = np.nan
    assert make_msa(max_epochs=0).fit(table).luminosity_ == {}


def test_is_saved(make_msa, with_parallax, tmp_path):
    msa = make_msa(max_epochs=1).fit(with_parallax)
    msa.save_pretrained(tmp_path)
    loaded = type(msa).from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded.transform(with_parallax), msa.transform(with_parallax))
