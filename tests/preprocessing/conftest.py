"""Stars with spectra, as a table and as the matrix they should be read into."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator import StarTable
from msaestimator.schema import GAIA_DR3, CoefficientArray


def make_stars(schema=GAIA_DR3, n_stars=40, *, missing=0.0, seed=0):
    """Return a StarTable with every column of a schema, the given fraction missing."""
    rng = np.random.default_rng(seed)
    stars = StarTable()
    for member in schema.members:
        if isinstance(member, CoefficientArray):
            # A hundred times weaker from the first coefficient to the last, like real ones.
            values = rng.normal(0.3, 1.0, (n_stars, member.size))
            values *= np.logspace(3, 1, member.size)
            values[rng.random(n_stars) < missing] = np.nan
            stars[member.name] = values
        else:
            values = rng.uniform(9.0, 17.0, n_stars)
            values[rng.random(n_stars) < missing] = np.nan
            stars[member.name] = values * u.Unit(member.unit)
    return stars


def as_matrix(stars, schema=GAIA_DR3):
    """Return every feature of `make_stars` column by column, the long way."""
    columns = []
    for member in schema.members:
        values = np.asarray(getattr(stars[member.name], "value", stars[member.name]))
        columns += list(values.T) if values.ndim == 2 else [values]
    return np.column_stack(columns)


@pytest.fixture
def stars():
    return make_stars(missing=0.2)


@pytest.fixture(scope="session")
def stars_of():
    """The function that makes stars of another schema or number."""
    return make_stars


@pytest.fixture(scope="session")
def matrix_of():
    """The function that turns such stars into a matrix."""
    return as_matrix
