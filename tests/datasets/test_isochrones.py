"""The packaged isochrones and their interpolation."""

from importlib.resources import files

import astropy.units as u
import numpy as np
import pytest

from msaestimator.datasets import load_isochrones
from msaestimator.datasets._isochrone_grid import apparent_magnitudes, load_isochrone_grid
from msaestimator.schema import G_BAND, GAIA_DR3

MAGNITUDES = [
    column.name for column in GAIA_DR3.columns if column.unit == "mag" and column.block != "dust"
]


@pytest.fixture(scope="module")
def points():
    return load_isochrones()


@pytest.fixture(scope="module")
def grid():
    return load_isochrone_grid()


def sun(grid):
    """Return the grid at one solar mass, 4.6 Gyr and solar metallicity."""
    eep = np.linspace(300.0, 420.0, 2001)
    age = np.full_like(eep, np.log10(4.6e9))
    track = grid.at(np.zeros_like(eep), age, eep)
    nearest = np.argmin(np.abs(track["initial_mass"] - 1.0))
    return {name: values[[nearest]] for name, values in track.items()}


def test_every_magnitude_of_the_schema_is_there(points):
    assert len(points) == 37_950
    for name in MAGNITUDES:
        assert points[f"bc_{name}"].unit == u.mag
        assert np.isfinite(points[f"bc_{name}"].value).all()
        assert ((points[f"a_{name}"] > 0) & (points[f"a_{name}"] < 2)).all()


def test_small_on_disk():
    path = files("msaestimator.datasets") / "data" / "isochrones_mist.parquet"
    assert len(path.read_bytes()) <= 3_000_000


def test_gravity_follows_mass_luminosity_and_temperature(points):
    mass, log_teff = np.log10(points["star_mass"].value), points["log_teff"]
    expected = 4.438 + mass + 4 * (log_teff - np.log10(5772.0)) - points["log_l"]
    np.testing.assert_allclose(points["logg"].value, expected, atol=0.02)


def test_extinction_falls_with_wavelength(points):
    order = ["psfmag_u", "g_mean_psf_mag", "r_mean_psf_mag", "j_m", "h_m", "ks_m", "catwise_w1"]
    medians = [np.median(points[f"a_{name}"]) for name in order]
    assert medians == sorted(medians, reverse=True)


def test_the_sun(grid):
    star = sun(grid)
    magnitudes = apparent_magnitudes(star, np.array([0.01]), np.zeros(1))
    assert magnitudes[G_BAND][0] == pytest.approx(4.67, abs=0.12)
    color = magnitudes["phot_bp_mean_mag"] - magnitudes["phot_rp_mean_mag"]
    assert color[0] == pytest.approx(0.82, abs=0.05)
    assert 10 ** star["log_teff"][0] == pytest.approx(5772, rel=0.02)
    assert star["logg"][0] == pytest.approx(4.44, abs=0.03)


def test_distance_and_dust_shift_magnitudes(grid):
    star = sun(grid)
    near = apparent_magnitudes(star, np.array([1.0]), np.zeros(1))
    far = apparent_magnitudes(star, np.array([10.0]), np.zeros(1))
    dusty = apparent_magnitudes(star, np.array([1.0]), np.ones(1))
    for name in MAGNITUDES:
        assert far[name] - near[name] == pytest.approx(5.0)
        assert dusty[name] - near[name] == pytest.approx(star[f"a_{name}"])


@pytest.mark.parametrize(("iron", "age"), [(0, 0), (7, 12), (12, 17), (14, 22)])
def test_resampling_is_linear_along_each_isochrone(points, grid, iron, age):
    chosen = (points["fe_h"].value == grid.fe_h[iron]) & (
        np.abs(points["log_age"] - grid.log_age[age]) < 1e-3
    )
    isochrone = points[chosen]
    for name in ("log_teff", "logg", "initial_mass", "bc_ks_m"):
        expected = np.interp(grid.eep, isochrone["eep"], np.asarray(isochrone[name], float))
        np.testing.assert_allclose(grid[name][iron, age], expected, atol=1e-6)


def test_interpolation_is_exact_at_the_nodes(grid):
    at = grid.at(grid.fe_h[[3]], grid.log_age[[5]], grid.eep[[60]])
    for name, values in at.items():
        assert values[0] == pytest.approx(grid[name][3, 5, 60])
