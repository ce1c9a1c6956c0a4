"""A StarTable goes through scikit-learn's splitters with its class and units."""

import pickle

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.utils.masked import Masked
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.utils import resample, shuffle

from msaestimator import StarTable

N_STARS = 12


@pytest.fixture
def stars():
    row = np.arange(N_STARS)
    return StarTable(
        {
            "source_id": 5937083312263887616 + row,
            "parallax": Masked(row / 10 * u.mas, mask=row == 3),
            "bp_coefficients": np.outer(row, np.ones(55)),
            "teff": (5000.0 + row) * u.K,
            "position": SkyCoord(row, row, unit="deg"),
        },
        meta={"release": "gaia_dr3"},
    )


def assert_rows(found, rows):
    """Class, units and every kind of column are those of the rows of the fixture."""
    rows = np.asarray(rows)
    assert type(found) is StarTable
    np.testing.assert_array_equal(found["source_id"], 5937083312263887616 + rows)
    np.testing.assert_array_equal(found["parallax"].mask, rows == 3)
    assert found["parallax"].unit == u.mas
    np.testing.assert_array_equal(found["bp_coefficients"][:, 54], rows)
    np.testing.assert_array_equal(found["teff"], (5000.0 + rows) * u.K)
    np.testing.assert_array_equal(found["position"].ra.deg, rows)
    assert found.meta == {"release": "gaia_dr3"}


class MeanTeff(RegressorMixin, BaseEstimator):
    """Predicts the training stars' mean label plus a constant, and insists on a StarTable."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y=None):
        assert type(X) is StarTable
        self.mean_ = np.mean(X["teff"].to_value("K") if y is None else y)
        return self

    def predict(self, X):
        assert X["parallax"].unit == u.mas
        return np.full(len(X), self.mean_ + self.shift)


@pytest.mark.parametrize(
    "select",
    [
        slice(2, 7),
        slice(None, None, -3),
        [4, 1, 1],
        np.arange(N_STARS) > 8,
    ],
    ids=["slice", "reversed", "rows", "mask"],
)
def test_slices_keep_class_units_and_meta(stars, select):
    assert_rows(stars[select], np.arange(N_STARS)[select])


def test_column_subset_keeps_the_class(stars):
    assert type(stars["source_id", "teff"]) is StarTable
    assert type(stars.copy()) is StarTable


@given(st.lists(st.integers(-N_STARS, N_STARS - 1)))
def test_take_is_numpys_take(rows):
    values = np.arange(N_STARS) * 10
    taken = StarTable({"row": values}).take(rows)
    np.testing.assert_array_equal(taken["row"], np.take(values, np.array(rows, dtype=int)))


@pytest.mark.parametrize("dtype", ["int8", "uint64", ">i4"])
def test_take_any_integer_type(stars, dtype):
    assert_rows(stars.take(np.array([5, 3], dtype=dtype)), [5, 3])


def test_take_nothing(stars):
    assert_rows(stars.take([]), np.array([], dtype=int))


@pytest.mark.parametrize("indices", [np.arange(N_STARS) > 2, [0.0, 1.0], ["a"]])
def test_take_refuses_what_is_not_a_row_number(stars, indices):
    with pytest.raises(TypeError, match=r"`indices` must be integers, got .*; use table\[mask\]"):
        stars.take(indices)


def test_take_refuses_rows_that_are_not_there(stars):
    with pytest.raises(IndexError, match="index 12 is out of bounds"):
        stars.take([N_STARS])


def test_take_has_one_axis(stars):
    with pytest.raises(ValueError, match="`axis` must be 0, the rows of the table, got 1"):
        stars.take([0], axis=1)


def test_train_test_split(stars):
    sides = train_test_split(stars, np.arange(N_STARS), test_size=0.25, random_state=0)
    train, test, train_rows, test_rows = sides
    assert_rows(train, train_rows)
    assert_rows(test, test_rows)
    assert sorted([*train_rows, *test_rows]) == list(range(N_STARS))


@pytest.mark.parametrize("splitter", [KFold(4), ShuffleSplit(3, random_state=0)])
def test_splitters(stars, splitter):
    for train, test in splitter.split(stars):
        assert_rows(stars[train], train)
        assert_rows(stars.take(test), test)


def test_cross_val_score_is_that_of_the_label_column_alone(stars):
    y = stars["teff"].to_value("K")
    splits = list(KFold(3).split(y))
    expected = [
        -np.mean((y[test] - y[train].mean()) ** 2)  # the score asked for
        for train, test in splits
    ]
    found = cross_val_score(MeanTeff(), stars, y, cv=3, scoring="neg_mean_squared_error")
    np.testing.assert_allclose(found, expected)


def test_cross_val_predict_without_labels(stars):
    found = cross_val_predict(MeanTeff(), stars, cv=KFold(3))
    expected = [np.mean(5000.0 + np.delete(np.arange(12), range(k, k + 4))) for k in (0, 4, 8)]
    np.testing.assert_allclose(found, np.repeat(expected, 4))


def test_grid_search(stars):
    y = stars["teff"].to_value("K")
    search = GridSearchCV(MeanTeff(), {"shift": [0.0, 500.0]}, cv=2).fit(stars, y)
    assert search.best_params_ == {"shift": 0.0}


def test_shuffle_and_resample(stars):
    mixed, rows = shuffle(stars, np.arange(N_STARS), random_state=0)
    assert_rows(mixed, rows)
    drawn, rows = resample(stars, np.arange(N_STARS), n_samples=5, random_state=0)
    assert_rows(drawn, rows)


def test_survives_the_way_to_a_worker_process(stars):
    assert_rows(pickle.loads(pickle.dumps(stars)), np.arange(N_STARS))
