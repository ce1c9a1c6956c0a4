"""The pseudo-luminosity, against distance moduli."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import Distance
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.schema import absolute_magnitude, distance, pseudo_luminosity

PARALLAX, MAGNITUDE = st.floats(1e-3, 1e3), st.floats(-5.0, 25.0)


@given(PARALLAX, MAGNITUDE)
def test_absolute_magnitude_is_that_of_the_distance_modulus(parallax, magnitude):
    modulus = Distance(parallax=parallax * u.mas).distmod.value
    found = absolute_magnitude(pseudo_luminosity(parallax, magnitude))
    np.testing.assert_allclose(found, magnitude - modulus, atol=1e-9)


@given(PARALLAX, MAGNITUDE)
def test_distance_is_the_inverse_of_the_parallax(parallax, magnitude):
    found = distance(pseudo_luminosity(parallax, magnitude), magnitude)
    np.testing.assert_allclose(found, Distance(parallax=parallax * u.mas).pc)


@given(st.floats(-10.0, 10.0), st.floats(0.0, 1.0), MAGNITUDE)
def test_errors_of_parallaxes_become_errors_of_luminosities(parallax, error, magnitude):
    difference = pseudo_luminosity(parallax + error, magnitude) - pseudo_luminosity(
        parallax, magnitude
    )
    scale = 10.0 ** (magnitude / 5.0)
    np.testing.assert_allclose(difference, pseudo_luminosity(error, magnitude), atol=1e-13 * scale)


@pytest.mark.parametrize("luminosity", [0.0, -3.0, np.nan])
def test_what_is_not_positive_has_no_magnitude_and_no_distance(luminosity):
    assert np.isnan(absolute_magnitude(luminosity))
    assert np.isnan(distance(luminosity, 12.0))


def test_missing_parts_are_missing_and_arrays_stay_arrays():
    found = pseudo_luminosity([1.0, np.nan, 1.0], [10.0, 10.0, np.nan])
    np.testing.assert_array_equal(found, [100.0, np.nan, np.nan])
    np.testing.assert_array_equal(distance(found, 10.0), [1000.0, np.nan, np.nan])
