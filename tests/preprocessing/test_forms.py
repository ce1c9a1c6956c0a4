"""A matrix that ids are among is no matrix of features."""

import numpy as np
import pytest

from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import StarReader, TokenReader


@pytest.mark.parametrize("reader", [StarReader, TokenReader])
def test_a_matrix_with_ids_is_refused(reader):
    features = np.random.default_rng(0).normal(size=(20, 3))
    y = features[:, 0]
    with_ids = np.column_stack([features, 2**60 + np.arange(20)])
    with_ids[3, 3] = np.nan
    with pytest.raises(ColumnError, match="Column 3 of the matrix holds numbers beyond 2.*53"):
        reader().fit_transform(with_ids, y)
    features[3, 1], features[:, 2] = 1e20, np.nan  # one absurd value is no id
    reader().fit_transform(features, y)
