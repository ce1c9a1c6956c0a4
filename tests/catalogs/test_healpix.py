"""Pixels of the sky: places of files, and a sky that is divided by its stars."""

from pathlib import PurePath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.catalogs._healpix import Pixel, pixels_of, place_of, split_sky
from msaestimator.exceptions import ColumnError


def test_place_and_pixel_tell_each_other():
    pixel = Pixel(6, 31415)
    assert pixel.place == "dataset/Norder=6/Dir=30000/Npix=31415.parquet"
    assert place_of(PurePath("/data/gaia") / pixel.place) == pixel
    assert place_of(PurePath("/data/Norder=6/Dir=30000/Npix=31415/part.parquet")) is None
    assert place_of(PurePath("stars.parquet")) is None


@given(
    st.dictionaries(st.integers(0, 12 * 4**3 - 1), st.integers(1, 50), max_size=30),
    st.integers(1, 100),
)
def test_divided_sky_covers_each_star_once(stars, most):
    counts = np.zeros(12 * 4**3, dtype=np.int32)
    counts[list(stars)] = list(stars.values())
    pixels = [*split_sky(counts, most)]
    depth = 2 * (29 - 3)
    found = []
    for pixel in pixels:
        first, behind = (end >> depth for end in pixel.ends)
        count = counts[first:behind].sum()
        assert count > 0
        assert count <= most or pixel.order == 3
        if pixel.order > 0:  # its parent would have been too large
            parent = pixel.number >> 2
            size = 4 ** (3 - pixel.order + 1)
            assert counts[parent * size : (parent + 1) * size].sum() > most
        found += range(first, behind)
    assert found == sorted(set(found))
    assert {*np.flatnonzero(counts).tolist()} <= {*found}


@pytest.mark.parametrize(("ra", "dec"), [(np.nan, 0.0), (10.0, np.nan), (10.0, 91.0)])
def test_a_star_without_position(ra, dec):
    with pytest.raises(ColumnError, match="got 1 of 2 without, the first with ra="):
        pixels_of(np.array([0.0, ra]), np.array([0.0, dec]))
