"""The thesis's inputs, against a list written out by hand."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator.schema import G_BAND, G_ZERO_POINT, GAIA_DR3, GAIA_DR4, g_flux

# McKay 2025: W1 W2, G BP RP, BP and RP coefficients, SkyMapper, SDSS, PS1, 2MASS, parallax,
# E(B-V), proper motions.
BEFORE_XP = ["catwise_w1", "catwise_w2", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"]
AFTER_XP = [
    "u_psf",
    "v_psf",
    "g_psf",
    "r_psf",
    "i_psf",
    "z_psf",
    "psfmag_u",
    "psfmag_g",
    "psfmag_r",
    "psfmag_i",
    "psfmag_z",
    "g_mean_psf_mag",
    "r_mean_psf_mag",
    "i_mean_psf_mag",
    "z_mean_psf_mag",
    "y_mean_psf_mag",
    "j_m",
    "h_m",
    "ks_m",
    "parallax",
    "ebv",
    "pmra",
    "pmdec",
]


def coefficients(prefix, size):
    return [f"{prefix}_{order}" for order in range(1, size + 1)]


def thesis_names(n_bp, n_rp):
    return [*BEFORE_XP, *coefficients("bp", n_bp), *coefficients("rp", n_rp), *AFTER_XP]


@pytest.mark.parametrize(
    ("schema", "n_bp", "n_rp", "total"),
    [(GAIA_DR3, 55, 55, 138), (GAIA_DR4, 51, 55, 134)],
    ids=["DR3", "DR4"],
)
class TestRelease:
    def test_names_are_in_the_thesis_order(self, schema, n_bp, n_rp, total):
        assert list(schema.names) == thesis_names(n_bp, n_rp)
        assert len(schema) == total

    def test_coefficients(self, schema, n_bp, n_rp, total):
        assert list(schema.block("xp")) == [*coefficients("bp", n_bp), *coefficients("rp", n_rp)]
        assert [(array.name, array.size) for array in schema.arrays] == [
            ("bp_coefficients", n_bp),
            ("rp_coefficients", n_rp),
        ]
        assert {schema[name].unit for name in schema.block("xp")} == {""}

    def test_protected_are_g_bp_rp_w1_w2(self, schema, n_bp, n_rp, total):
        assert [column.name for column in schema.columns if column.protected] == BEFORE_XP

    def test_astrometry_and_dust_are_not_reconstructed(self, schema, n_bp, n_rp, total):
        left_out = [column.name for column in schema.columns if not column.reconstructed]
        assert left_out == ["parallax", "ebv", "pmra", "pmdec"]
        assert sum(column.reconstructed for column in schema.columns) == total - 4

    def test_every_column_has_a_unit_astropy_reads_and_a_description(
        self, schema, n_bp, n_rp, total
    ):
        for column in schema.columns:
            u.Unit(column.unit)
            assert column.description


def test_blocks_in_order_with_their_sizes():
    assert {block: len(GAIA_DR3.block(block)) for block in GAIA_DR3.blocks} == {
        "wise": 2,
        "gaia": 3,
        "xp": 110,
        "skymapper": 6,
        "sdss": 5,
        "ps1": 5,
        "tmass": 3,
        "astrometry": 3,
        "dust": 1,
    }
    assert list(GAIA_DR3.blocks)[:3] == ["wise", "gaia", "xp"]
    assert GAIA_DR3.block("astrometry") == ("parallax", "pmra", "pmdec")


def test_error_columns_are_the_archives():
    errors = {column.name: column.error for column in GAIA_DR3.columns if column.error}
    assert errors["phot_g_mean_mag"] == "phot_g_mean_mag_error"
    assert errors["u_psf"] == "e_u_psf"
    assert errors["psfmag_u"] == "psfmagerr_u"
    assert errors["y_mean_psf_mag"] == "y_mean_psf_mag_error"
    assert errors["ks_m"] == "ks_msigcom"
    assert errors["pmra"] == "pmra_error"
    assert not {"catwise_w1", "catwise_w2", "ebv"} & set(errors)
    assert len(set(errors.values())) == len(errors)
    assert not set(errors.values()) & set(GAIA_DR3.names)


def test_units():
    units = {name: GAIA_DR3[name].unit for name in AFTER_XP[-4:]}
    assert units == {"parallax": "mas", "ebv": "mag", "pmra": "mas / yr", "pmdec": "mas / yr"}


def test_g_band_is_a_feature_and_its_zero_point_is_gaias():
    assert G_BAND in GAIA_DR3
    # Gaia EDR3 photometric calibration (Riello et al. 2021).
    assert pytest.approx(25.6873668671, abs=1e-10) == G_ZERO_POINT


def test_flux_of_the_zero_point_is_one():
    np.testing.assert_allclose(g_flux(np.array([25.6873668671, 20.6873668671])), [1.0, 100.0])
