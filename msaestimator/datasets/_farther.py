"""The same star farther away: what distance alone does, which can be undone."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Farther"]


@dataclass(frozen=True)
class Farther:
    """A change of distance; that of the opposite modulus undoes it.

    Parameters
    ----------
    modulus : ndarray of shape (n_stars,)
        Growth of the distance modulus in mag.
    """

    modulus: np.ndarray

    def magnitude(self, magnitude: np.ndarray) -> np.ndarray:
        """Return apparent magnitudes, shape (n_stars,)."""
        return magnitude + self.modulus

    def flux(self, flux: np.ndarray) -> np.ndarray:
        """Return fluxes or coefficients, shape (n_stars,) or (n_stars, n_coefficients)."""
        factor = 10.0 ** (-0.4 * self.modulus)
        return flux * factor.reshape(-1, *[1] * (flux.ndim - 1))

    def angle(self, angle: np.ndarray) -> np.ndarray:
        """Return parallaxes or proper motions, shape (n_stars,)."""
        return angle / self.distance(1.0)

    def distance(self, distance: np.ndarray | float) -> np.ndarray:
        """Return distances, shape (n_stars,)."""
        return np.asarray(distance * 10.0 ** (0.2 * self.modulus))
