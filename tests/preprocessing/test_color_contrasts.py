"""The colours an autoencoder gives its network: against the magnitudes themselves."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from msaestimator import MaskedStellarAutoencoder

BANDS = ("phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")


@pytest.fixture(scope="module")
def stars(load_plain):
    return load_plain("train")[:300]


@pytest.fixture(scope="module")
def fitted(stars):
    return MaskedStellarAutoencoder(max_epochs=0, random_state=0).fit(stars)


def colors_of(autoencoder, stars):
    features = autoencoder.reader_.transform(stars).values
    return autoencoder.module_.contrasts(torch.from_numpy(features)).numpy()


def relative(stars):
    values = np.column_stack(
        [(stars[b] - stars["phot_g_mean_mag"]).to_value("mag") for b in BANDS]
    )
    return values - np.nanmedian(values, axis=0)


def test_first_come_magnitudes_relative_to_g(fitted, stars):
    colors = colors_of(fitted, stars)
    np.testing.assert_allclose(colors[:, :5], relative(stars), atol=1e-4)


@pytest.mark.parametrize(("first", "n_colors"), [(5, 2), (7, 5)])
def test_then_principal_components_of_each_survey(fitted, stars, first, n_colors):
    colors = relative(stars)[:, :n_colors]
    low, high = np.nanpercentile(colors, [0.5, 99.5], axis=0)
    usual = ((colors >= low) & (colors <= high)).all(axis=1)
    expected = PCA(whiten=True).fit(colors[usual]).transform(colors)[usual][:, ::-1]
    found = colors_of(fitted, stars)[usual, first : first + n_colors]
    blown_up = PCA().fit(colors[usual]).explained_variance_[::-1] > 0.01**2
    for ours, theirs in zip(found.T[blown_up], expected.T[blown_up], strict=True):
        assert abs(np.corrcoef(ours, theirs)[0, 1]) > 0.999
        assert np.std(ours) == pytest.approx(np.std(theirs), rel=1e-3)


def test_a_star_without_a_band_has_the_other_colors(fitted, stars):
    lacking = stars[:4].copy()
    lacking["ks_m"][:] = np.nan
    colors = colors_of(fitted, lacking)
    assert np.isnan(colors[:, 4]).all()
    assert np.isnan(colors[:, 7:]).all()
    np.testing.assert_array_equal(colors[:, :4], colors_of(fitted, stars[:4])[:, :4])
    np.testing.assert_array_equal(colors[:, 5:7], colors_of(fitted, stars[:4])[:, 5:7])


@pytest.mark.parametrize("columns", [("j_m", "h_m"), ("phot_g_mean_mag", "ebv")])
def test_without_g_or_another_band_there_are_none(stars, columns):
    autoencoder = MaskedStellarAutoencoder(max_epochs=0).fit(stars[list(columns)])
    assert autoencoder.contrasts_ == {}


def test_few_stars_have_no_components(stars):
    few = stars["phot_g_mean_mag", "j_m", "h_m"][:8]
    autoencoder = MaskedStellarAutoencoder(max_epochs=0).fit(few)
    assert len(autoencoder.contrasts_["center"]) == 2


def test_can_be_left_out(stars):
    autoencoder = MaskedStellarAutoencoder(max_epochs=0, colors=False).fit(stars)
    assert autoencoder.contrasts_ == {}
    assert autoencoder.module_.contrasts is None
