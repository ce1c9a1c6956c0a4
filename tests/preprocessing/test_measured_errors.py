"""Measurement errors on the network's scale, against the scaler's derivative."""

import numpy as np
import pytest
import torch

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.datasets import load_apogee_xp
from msaestimator.exceptions import CheckpointError, ColumnError
from msaestimator.schema import GAIA_DR3, g_flux


@pytest.fixture(scope="module")
def stars():
    return load_apogee_xp("train")[:200]


@pytest.fixture(scope="module")
def bare(stars):
    """The same without the error of any feature; labels keep theirs."""
    errors = {column.error for column in GAIA_DR3.columns}
    errors |= {array.error for array in GAIA_DR3.arrays}
    return stars[[name for name in stars.colnames if name not in errors]]


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


def test_of_a_magnitude_are_its_errors(stars):
    msa = MaskedStellarAutoencoder(max_epochs=0).fit(stars)
    position = msa.feature_names_.index("v_psf")
    scale = msa.preprocessor_[2].scale_[GAIA_DR3.names.index("v_psf")]
    error = np.nanmedian(stars["e_v_psf"].value) / scale
    assert msa.feature_error_[position] == pytest.approx(np.hypot(error, 0.01), rel=0.01)


def test_without_any_there_is_the_floor(bare):
    np.testing.assert_array_equal(
        MaskedStellarAutoencoder(max_epochs=0).fit(bare).feature_error_, 0.01
    )


def test_of_a_matrix_there_is_the_floor():
    x = np.random.default_rng(0).normal(size=(30, 4))
    np.testing.assert_array_equal(
        MaskedStellarAutoencoder(max_epochs=0).fit(x).feature_error_, 0.01
    )


class TestResampledNoise:
    @pytest.fixture
    def make(self):
        def make(**changes):
            settings = {"labels": ("teff", "logg"), "max_epochs": 2, "n_members": 1}
            settings["calibration_fraction"] = 0.0
            return StellarParameterRegressor(
                **settings | {"random_state": 0, "resample_noise": True} | changes
            )

        return make

    def test_trains_on_noisy_stars_and_predicts_from_stars_as_they_are(self, make, stars):
        noisy, plain = make().fit(stars), make(resample_noise=False).fit(stars)
        assert not np.allclose(noisy.predict(stars), plain.predict(stars))
        np.testing.assert_array_equal(noisy.predict(stars), noisy.predict(stars))

    def test_errors_of_zero_are_no_noise_for_their_band(self, make, stars):
        """The noise that reaches the network, taken from the mask that the training is given."""
        stars = stars.copy()
        stars["bp_coefficient_errors"] = 0.0 * stars["bp_coefficient_errors"]
        for block in ("sdss", "ps1", "skymapper", "astrometry"):
            for name in GAIA_DR3.block(block):
                if name in stars.colnames:
                    stars[GAIA_DR3[name].error] *= 0.0
        regressor = make(max_epochs=0, mask_ratio=0, xp_mask_ratio=0, block_mask_ratio=0)
        regressor.fit(stars)
        features = regressor.reader_.transform(stars)
        x = torch.from_numpy(regressor._with_errors(features))
        (shown,), _ = regressor._mask()(x)
        moved = (shown - torch.from_numpy(features.values)).nan_to_num().abs().amax(
            dim=0
        ).numpy() > 0
        is_rp = [name.startswith("normalized_rp") for name in regressor.feature_names_]
        np.testing.assert_array_equal(moved, is_rp)

    def test_needs_a_known_error(self, make, bare):
        with pytest.raises(ColumnError, match=r"'bp_coefficient_errors'.*got none.*noise=False"):
            make().fit(bare)

    def test_needs_a_table(self, make):
        x = np.random.default_rng(0).normal(size=(30, 4))
        with pytest.raises(ValueError, match="`resample_noise` needs a table"):
            make(labels=None).fit(x, x[:, :2])

    def test_is_part_of_a_training_run(self, make, stars, tmp_path):
        """A checkpoint without noise is not gone on with."""
        make(resample_noise=False, checkpoint=tmp_path / "run").fit(stars)
        with pytest.raises(CheckpointError):
            make(checkpoint=tmp_path / "run").fit(stars)
