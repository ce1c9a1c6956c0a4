"""Sky positions and proper motions of stars drawn from the Galaxy."""

import astropy.units as u
import numpy as np
from astropy.coordinates import (
    ICRS,
    CartesianDifferential,
    Galactic,
    Galactocentric,
    SkyCoord,
    galactocentric_frame_defaults,
)

from msaestimator.datasets._galaxy import COMPONENTS
from msaestimator.datasets._population import Population

__all__ = ["moving_positions"]


def moving_positions(stars: Population, rng: np.random.RandomState) -> SkyCoord:
    """Return ICRS positions, distances and motions, shape (n_stars,).

    Velocities are Gaussian around each component's rotation, in cylindrical coordinates at
    the star's place in the Galaxy; the Sun's own motion is astropy's of 2018 ("v4.0").
    """
    frame = Galactocentric(**galactocentric_frame_defaults.get_from_registry("v4.0")["parameters"])
    sky = Galactic(
        stars.longitude * u.rad, np.arcsin(stars.sin_latitude) * u.rad, stars.distance * u.kpc
    )
    place = sky.transform_to(frame).cartesian
    radius = np.hypot(place.x, place.y)
    outward, forward = (place.x / radius, place.y / radius), (place.y / radius, -place.x / radius)
    dispersions = np.array([item.dispersions for item in COMPONENTS])[stars.component]
    velocity = dispersions * rng.standard_normal(dispersions.shape)
    velocity[:, 1] += np.array([item.rotation for item in COMPONENTS])[stars.component]
    radial, rotating, vertical = velocity.T * u.km / u.s
    motion = CartesianDifferential(
        *(radial * out + rotating * on for out, on in zip(outward, forward, strict=True)), vertical
    )
    moving = frame.realize_frame(place.with_differentials(motion))
    return SkyCoord(moving.transform_to(ICRS()))
