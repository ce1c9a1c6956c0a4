"""Measurement errors on the network's scale, against the scaler's derivative."""

import numpy as np
import pytest

from msaestimator import MaskedStellarAutoencoder
from msaestimator.datasets import load_apogee_xp
from msaestimator.schema import g_flux


@pytest.fixture(scope="module")
def stars():
    return load_apogee_xp("train")[:200]


def test_are_the_median_over_stars(stars):
    msa = MaskedStellarAutoencoder(max_epochs=0).fit(stars)
    scaler, robust = msa.preprocessor_[1], msa.preprocessor_[2]
    position = scaler.column_names_.index("rp_3")
    flux = g_flux(stars["phot_g_mean_mag"].to_value("mag"))
    z = stars["rp_coefficients"][:, 2] / flux - scaler.center_[position]
    error = stars["rp_coefficient_errors"][:, 2] / flux / scaler.scale_[position]
    error = error / np.hypot(1, z / scaler.scale_[position]) / robust.scale_[position]
    found = msa.feature_error_[msa.feature_names_.index("normalized_rp_3")]
    assert found == pytest.approx(np.hypot(np.median(error), 0.01), rel=0.01)


def test_without_any_there_is_the_floor(stars):
    bare = stars[[n for n in stars.colnames if not n.endswith("errors")]]
    np.testing.assert_array_equal(
        MaskedStellarAutoencoder(max_epochs=0).fit(bare).feature_error_, 0.01
    )


def test_of_a_matrix_there_is_the_floor():
    x = np.random.default_rng(0).normal(size=(30, 4))
    np.testing.assert_array_equal(
        MaskedStellarAutoencoder(max_epochs=0).fit(x).feature_error_, 0.01
    )
