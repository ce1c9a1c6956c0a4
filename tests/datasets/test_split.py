"""The split depends on the identifier alone."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.datasets import split_by_source_id

IDENTIFIERS = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("source_id", "is_test"),
    [
        (5937083312263887616, False),
        (303744427714432, True),
        (2078286403404626688, False),
        (146906779379357440, True),
        (5258797436562124672, True),
    ],
)
def test_sides_never_change(source_id, is_test):
    assert split_by_source_id([source_id])[0] == is_test


@given(IDENTIFIERS, st.floats(0, 1))
def test_is_the_checksum_of_the_little_endian_bytes(source_id, fraction):
    expected = [
        zlib.crc32(number.to_bytes(8, "little")) / 2**32 < fraction for number in source_id
    ]
    np.testing.assert_array_equal(split_by_source_id(source_id, fraction), expected)


@given(st.permutations(range(20)))
def test_row_order_does_not_matter(order):
    source_id = np.arange(20, dtype=np.int64) * 10**15
    np.testing.assert_array_equal(
        split_by_source_id(source_id[order]), split_by_source_id(source_id)[order]
    )


@given(IDENTIFIERS)
def test_smaller_fractions_are_subsets(source_id):
    small, large = split_by_source_id(source_id, 0.1), split_by_source_id(source_id, 0.4)
    assert np.all(large[small])


def test_byte_order_of_the_column_does_not_matter():
    source_id = np.arange(1, 50, dtype="<i8") * 10**16
    np.testing.assert_array_equal(
        split_by_source_id(source_id.astype(">i8")), split_by_source_id(source_id)
    )


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, False), (1.0, True)])
def test_extreme_fractions(fraction, expected):
    assert np.all(split_by_source_id(np.arange(100), fraction) == expected)


def test_no_stars():
    assert split_by_source_id([]).shape == (0,)


def test_float_identifiers_are_refused():
    with pytest.raises(TypeError, match="`source_id` must hold integers, got float64"):
        split_by_source_id([5.9e18])


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_fraction_outside_its_range(fraction):
    with pytest.raises(ValueError, match="between 0 and 1"):
        split_by_source_id([1], fraction)
