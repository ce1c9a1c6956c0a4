"""The error over hidden features."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from msaestimator.exceptions import ColumnError
from msaestimator.metrics import reconstruction_error

values = hnp.arrays(float, (6, 4), elements=st.floats(-100, 100) | st.just(np.nan))


@given(true=values, predicted=values, mask=hnp.arrays(bool, (6, 4)))
def test_is_the_mean_over_hidden_values_with_a_truth(true, predicted, mask):
    terms = [
        abs(p - t)
        for t, p, hidden in zip(true.flat, predicted.flat, mask.flat, strict=True)
        if hidden and not np.isnan(t) and not np.isnan(p)
    ]
    expected = np.mean(terms) if terms else np.nan
    np.testing.assert_allclose(reconstruction_error(true, predicted, mask), expected)


def test_visible_features_do_not_count():
    true, mask = np.zeros((2, 2)), np.array([[True, False], [False, False]])
    assert reconstruction_error(true, [[1.0, 50.0], [60.0, 70.0]], mask) == 1.0


def test_refuses_a_mask_that_is_not_boolean_or_of_another_shape():
    with pytest.raises(ColumnError, match="`mask` must be boolean of shape .1, 2., got int64"):
        reconstruction_error([[1.0, 2.0]], [[1.0, 2.0]], [[1, 0]])
    with pytest.raises(ColumnError, match="`mask` must be boolean of shape"):
        reconstruction_error([[1.0, 2.0]], [[1.0, 2.0]], [True, False])
    with pytest.raises(ColumnError, match="must have one shape"):
        reconstruction_error([[1.0, 2.0]], [[1.0]], [[True, False]])
