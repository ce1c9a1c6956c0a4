"""Draws of stars of which some are farther away."""

import numpy as np
import pytest

from msaestimator.datasets import draw_fainter, load_apogee_xp
from msaestimator.schema import G_BAND, StarTable


@pytest.fixture(scope="module")
def stars():
    return load_apogee_xp("test")[:1000]


def test_two_in_five_stay_as_they_are_to_the_bit(stars):
    drawn, modulus = draw_fainter(stars, 19.0, 0)
    is_moved = modulus > 0
    assert is_moved.mean() == pytest.approx(0.6, abs=0.05)
    for name in stars.colnames:
        np.testing.assert_array_equal(
            np.asarray(drawn[name][~is_moved]), np.asarray(stars[name][~is_moved]), err_msg=name
        )


def test_others_are_uniformly_fainter(stars):
    own = stars[G_BAND].value.astype(float)
    parts = []
    for seed in range(5):
        drawn, modulus = draw_fainter(stars, 19.0, seed)
        g = drawn[G_BAND].value.astype(float)
        np.testing.assert_allclose(modulus, g - own, atol=1e-5)
        parts.append(((g - own) / (19.0 - own))[modulus > 0])
    part = np.concatenate(parts)
    assert part.min() >= 0.0
    assert part.max() <= 1.0
    np.testing.assert_allclose(np.quantile(part, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.04)


def test_faint_ones_have_no_coefficients(stars):
    drawn, _ = draw_fainter(stars, 19.0, 0)
    faint = drawn[G_BAND].value > 17.65
    has_xp = np.isfinite(drawn["bp_coefficients"].value).all(axis=1)
    np.testing.assert_array_equal(has_xp, ~faint)


def test_new_columns_are_missing_where_nothing_moved(stars):
    drawn, modulus = draw_fainter(stars, 19.0, 0)
    is_moved = modulus > 0
    assert "phot_bp_mean_mag_error" not in stars.colnames
    known = np.isfinite(drawn["phot_bp_mean_mag_error"].value)
    assert not known[~is_moved].any()
    measured = np.isfinite(drawn["phot_bp_mean_mag"].value)
    np.testing.assert_array_equal(known[is_moved], measured[is_moved])


def test_a_seed_tells_the_draw(stars):
    first, second, other = (draw_fainter(stars, 18.0, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[G_BAND], second[G_BAND])
    assert (first[G_BAND] != other[G_BAND]).any()


def test_stars_without_g_or_fainter_stay(stars):
    table = stars[:3]
    table[G_BAND] = [np.nan, 18.5, 12.0] * table[G_BAND].unit
    for seed in range(10):
        _, modulus = draw_fainter(table, 17.0, seed)
        assert not modulus[:2].any()


def test_no_stars_and_no_g():
    assert len(draw_fainter(load_apogee_xp()[:0], 19.0, 0)[0]) == 0
    drawn, modulus = draw_fainter(StarTable({"j_m": [10.0]}), 19.0, 0)
    assert drawn["j_m"].tolist() == [10.0]
    assert not modulus.any()
