"""The Galaxy that mock stars are drawn from, and what the surveys make of them."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from scipy.integrate import quad

from msaestimator.datasets._galaxy import COMPONENTS, extinction, galactocentric
from msaestimator.datasets._isochrone_grid import load_isochrone_grid
from msaestimator.datasets._motions import moving_positions
from msaestimator.datasets._observing import observe_astrometry, observe_photometry
from msaestimator.datasets._population import draw_population
from msaestimator.datasets._star_formation import births
from msaestimator.datasets._surveys import SURVEYS
from msaestimator.schema import GAIA_DR3


@pytest.fixture(scope="module")
def population():
    return draw_population(3000, 17.0, np.random.RandomState(0))


@pytest.mark.parametrize("longitude", [0.3, 2.0])
@pytest.mark.parametrize("sin_latitude", [-0.9, 0.05, 0.5])
@pytest.mark.parametrize("distance", [0.3, 4.0, 60.0])
def test_extinction_is_the_integral_along_the_line_of_sight(longitude, sin_latitude, distance):
    def per_kpc(step):
        radius, height = galactocentric(longitude, sin_latitude, step)
        return 1.0 * np.exp((8.122 - radius) / 3.2 - abs(height) / 0.08)

    expected = quad(per_kpc, 0, distance, limit=200, points=[0.05 * distance])[0]
    assert extinction(longitude, sin_latitude, distance) == pytest.approx(expected, rel=0.02)


def test_galactocentric_agrees_with_astropy():
    rng = np.random.default_rng(0)
    longitude, latitude = rng.uniform(0, 2 * np.pi, 20), rng.uniform(-1.5, 1.5, 20)
    distance = rng.uniform(0.1, 20, 20)
    place = SkyCoord(
        longitude * u.rad, latitude * u.rad, distance * u.kpc, frame="galactic"
    ).galactocentric
    radius, height = galactocentric(longitude, np.sin(latitude), distance)
    np.testing.assert_allclose(radius, np.hypot(place.x, place.y).value, atol=0.06)
    np.testing.assert_allclose(height, place.z.value, atol=0.06)


def test_births_follow_the_kroupa_mass_function():
    grid = load_isochrone_grid()
    lowest, highest = grid["initial_mass"][12, 20].min(), grid["initial_mass"][12, 20].max()
    below = quad(lambda mass: mass**-1.3, lowest, 0.5)[0]
    above = quad(lambda mass: 0.5 * mass**-2.3, 0.5, highest)[0]
    assert births(grid)[11:13, 19:21].sum(axis=-1).mean() == pytest.approx(below + above, rel=0.15)


def test_components_keep_to_their_ages_and_metallicities(population):
    age = 10 ** (population.log_age - 9)
    for index, component in enumerate(COMPONENTS):
        here = population.component == index
        assert here.sum() > 20, component.name
        low, high = component.age_limits
        assert age[here].min() > low * 0.999
        assert age[here].max() < high * 1.001
        # Metal-poor stars are brighter, so the visible mean lies near the born mean, not on it.
        assert abs(population.fe_h[here].mean() - component.fe_h[0]) < component.fe_h[1]


def test_halo_stars_are_fast(population):
    position = moving_positions(population, np.random.RandomState(0))
    speed = np.hypot(position.pm_ra_cosdec, position.pm_dec) * position.distance
    speed = speed.to_value(u.km / u.s, u.dimensionless_angles())
    medians = [np.median(speed[population.component == index]) for index in range(3)]
    assert medians == sorted(medians)
    assert medians[2] > 100


def test_positions_are_those_drawn(population):
    galactic = moving_positions(population, np.random.RandomState(0)).galactic
    np.testing.assert_allclose(galactic.l.rad, population.longitude, atol=1e-9)
    np.testing.assert_allclose(np.sin(galactic.b.rad), population.sin_latitude, atol=1e-9)
    np.testing.assert_allclose(galactic.distance.value, population.distance, rtol=1e-9)


def test_photometric_noise_is_as_large_as_its_error():
    n_stars = 4000
    true = {
        name: np.full(n_stars, 15.0) for survey in SURVEYS for name in GAIA_DR3.block(survey.block)
    }
    position = SkyCoord(np.full(n_stars, 180.0), np.zeros(n_stars), unit="deg")
    observed = observe_photometry(true, position, np.random.RandomState(0))
    for name in true:
        error = GAIA_DR3[name].error
        if error and np.isfinite(observed[name]).all():
            z = (observed[name] - 15.0) / observed[error]
            assert z.std() == pytest.approx(1.0, abs=0.05)
    assert set(observed) >= set(true)


@pytest.mark.parametrize("survey", SURVEYS, ids=lambda survey: survey.block)
def test_saturated_and_undetected_stars_are_missing(survey):
    assert len(survey.depths) == len(GAIA_DR3.block(survey.block))
    position = SkyCoord([180.0, 180.0], [1.0, 1.0], unit="deg")
    true = {
        name: np.array([other.bright_limit - 1, depth + 5])
        for other in SURVEYS
        for name, depth in zip(GAIA_DR3.block(other.block), other.depths, strict=True)
    }
    observed = observe_photometry(true, position, np.random.RandomState(0))
    for name, depth in zip(GAIA_DR3.block(survey.block), survey.depths, strict=True):
        assert np.isnan(observed[name][0]), name
        assert survey.error(depth, depth) == pytest.approx(0.2, rel=0.01)


def test_astrometry_gets_worse_with_magnitude():
    magnitude = np.repeat([10.0, 15.0, 18.0], 2000)
    true = {name: np.zeros(6000) for name in ("parallax", "pmra", "pmdec")}
    observed = observe_astrometry(true, magnitude, np.random.RandomState(0))
    # Gaia DR3 as published: about 0.02 mas at G = 14, 0.03 at 15, 0.1 to 0.13 at 18.
    medians = np.median(observed["parallax_error"].reshape(3, -1), axis=1)
    np.testing.assert_allclose(medians, [0.013, 0.029, 0.14], rtol=0.2)
    for name in true:
        assert (observed[name] / observed[f"{name}_error"]).std() == pytest.approx(1, abs=0.05)
