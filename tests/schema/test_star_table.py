"""A StarTable goes through scikit-learn's tools with its class and units, and takes DataFrames."""

import pickle

import astropy.units as u
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import mean_absolute_error, r2_score
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
from msaestimator.exceptions import ColumnError

N_STARS = 12
SUN_LIKE = 5937083312263887617  # not a float64


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


class Thermometer(BaseEstimator):
    """Tells the temperature from the parallax and, ten times as much, the coefficients."""

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        assert type(X) is StarTable
        return np.asarray(X["parallax"].value) * 10 + 10 * X["bp_coefficients"][:, 0]


@pytest.mark.parametrize("max_samples", [1.0, 8])
def test_permutation_importance_shuffles_columns_as_they_are(stars, max_samples):
    stars["parallax"] = np.arange(N_STARS) / 10 * u.mas
    before = stars.copy()
    found = permutation_importance(
        Thermometer(),
        stars,
        np.arange(N_STARS) * 11.0,
        scoring="neg_mean_absolute_error",
        n_repeats=3,
        max_samples=max_samples,
        random_state=0,
    )
    importances = dict(zip(stars.colnames, found.importances, strict=True))
    # Ten times as much of the truth hangs on the array, whose rows are moved whole.
    assert importances["bp_coefficients"].min() > 5 * importances["parallax"].max() > 0
    if max_samples == 1.0:
        for name in ("source_id", "teff", "position"):
            np.testing.assert_array_equal(importances[name], 0)
    for name in ("source_id", "parallax", "bp_coefficients", "teff"):
        np.testing.assert_array_equal(stars[name], before[name])


def test_permuted_parallax_is_the_worse_by_what_numpy_says(stars):
    stars["parallax"] = np.arange(N_STARS) / 10 * u.mas
    truth = np.arange(N_STARS) * 11.0
    found = permutation_importance(
        Thermometer(),
        stars,
        truth,
        scoring="neg_mean_absolute_error",
        n_repeats=1,
        random_state=5,
    )
    seed = np.random.RandomState(5).randint(np.iinfo(np.int32).max + 1)
    rows = np.arange(N_STARS)
    np.random.RandomState(seed).shuffle(rows)
    moved = np.abs(rows - np.arange(N_STARS)).mean()
    assert found.importances[1, 0] == pytest.approx(moved)
    assert found.importances[2, 0] == pytest.approx(10 * moved)


def test_iloc_is_astropys(stars):
    plain = QTable(stars["source_id", "teff"])
    with pytest.raises(ValueError, match="indices"):
        stars.iloc[0]
    for table in (stars, plain):
        table.add_index("teff")
    assert stars.iloc[3]["source_id"] == plain.iloc[3]["source_id"]
    found, expected = (t.iloc.with_index("teff")[2:4]["teff"] for t in (stars, plain))
    assert list(found) == list(expected)


def test_shape_and_index_are_those_of_a_frame(stars):
    assert stars.shape == (N_STARS, 5)
    assert stars[:0].shape == (0, 5)
    assert list(stars.index) == list(range(N_STARS))


def test_a_table_of_labels_is_a_matrix_in_the_schemas_units():
    gravity = u.dex(u.m / u.s**2)
    labels = StarTable(
        {
            "teff": Masked([5.0, 6.0, 7.0] * u.kK, mask=[False, True, False]),
            "logg": u.Dex([2.4, 2.0, 1.0], gravity),
            "fe_h": [0, -1, 1],
            "age": np.ma.array([5.0, 1.0, 2.0], mask=[False, False, True]),
            "m_h": [0.1, 0.2, np.nan] * u.dex,
        }
    )
    expected = [[5000, 4.4, 0, 5, 0.1], [np.nan, 4, -1, 1, 0.2], [7000, 3, 1, np.nan, np.nan]]
    np.testing.assert_allclose(np.asarray(labels), expected)
    assert np.asarray(labels).dtype == np.float64
    assert np.asarray(labels[["fe_h"]], dtype=np.float32).dtype == np.float32
    assert np.asarray(labels[:0]).shape == (0, 5)


def test_metrics_of_sklearn_take_a_table_of_labels(stars):
    truth = stars[["teff"]]
    truth["logg"] = np.linspace(1, 5, N_STARS) * u.dex
    predicted = np.column_stack([5003.0 + np.arange(N_STARS), np.linspace(1, 5, N_STARS)])
    assert mean_absolute_error(truth, predicted, multioutput="raw_values") == pytest.approx([3, 0])
    truth["teff"] = truth["teff"].to(u.kK)
    assert mean_absolute_error(truth, predicted, multioutput="raw_values") == pytest.approx([3, 0])
    assert r2_score(truth, np.asarray(truth)) == 1


def test_logarithms_and_what_no_star_has_among_labels():
    labels = StarTable(
        {
            "age": u.Dex([9.0, 10.0, 9.5], u.dex(u.yr)),
            "fe_h": [-0.5, -9999.99, 0.0] * u.dimensionless_unscaled,
            "teff": [5772, 99999, -999],
            "logg": [4.4, 1e20, 4.0] * u.dex,
        }
    )
    expected = [[1, -0.5, 5772, 4.4], [10, np.nan, np.nan, np.nan], [10**0.5, 0, np.nan, 4]]
    np.testing.assert_allclose(np.asarray(labels), expected)


def test_labels_of_an_unknown_unit_are_astropys_array():
    unit = u.Unit("[yr]", parse_strict="silent")
    for labels in (StarTable({"age": u.Quantity([9.0], unit)}), StarTable({"age": [9.0] * u.mag})):
        assert np.asarray(labels).dtype.names == ("age",)


@pytest.mark.parametrize("names", [["teff", "source_id"], ["teff", "bp_coefficients"], []])
def test_other_tables_are_astropys_arrays(stars, names):
    found = np.asarray(stars[names])
    expected = np.asarray(Table(stars[names]))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def frame(request):
    """Return a function that makes a frame of one of three libraries of an Arrow table."""
    if request.param == "polars":
        return pl.from_arrow
    return {"pandas": lambda t: t.to_pandas(types_mapper=pd.ArrowDtype), "pyarrow": pa.table}[
        request.param
    ]


def test_frames_of_three_libraries(frame):
    stars = StarTable(
        frame(
            pa.table(
                {
                    "source_id": pa.array([SUN_LIKE, SUN_LIKE + 1, None]),
                    "j_m": pa.array([1.5, None, 2.5], pa.float32()),
                    "name": ["a", None, "ccc"],
                    "is_variable": [True, None, False],
                    "survey": pa.array(["x", "y", None]).dictionary_encode(),
                    "bp_coefficients": [[1.0, None], None, [3.0, 4.0]],
                    "visits": [[1, 2], [3, 4], [5, 6]],
                    "ragged": [[1.0], [], None],
                    "seen": pa.array([0, None, 86400], pa.timestamp("s")),
                    "nothing": pa.nulls(3),
                }
            )
        ),
        units={"j_m": "mag"},
    )
    assert type(stars) is StarTable
    assert stars["source_id"].dtype == np.int64
    assert list(stars["source_id"][:2]) == [SUN_LIKE, SUN_LIKE + 1]
    assert list(stars["source_id"].mask) == [False, False, True]
    assert stars["j_m"].unit == u.mag
    assert stars["j_m"].dtype == np.float32
    np.testing.assert_array_equal(stars["j_m"].value, [1.5, np.nan, 2.5])
    for name, values in {"name": ["a", "ccc"], "is_variable": [True, False]}.items():
        assert list(stars[name][[0, 2]]) == values
        assert list(stars[name].mask) == [False, True, False]
    assert list(stars["survey"][:2]) == ["x", "y"]
    assert list(stars["survey"].mask) == [False, False, True]
    expected = [[1, np.nan], [np.nan, np.nan], [3, 4]]
    np.testing.assert_array_equal(stars["bp_coefficients"], expected)
    assert stars["visits"].dtype.kind == "i"
    np.testing.assert_array_equal(stars["visits"], [[1, 2], [3, 4], [5, 6]])
    assert stars["ragged"].dtype == object
    assert list(stars["seen"].mask) == [False, True, False]
    assert stars["seen"][2] == Time("1970-01-02")
    assert np.isnan(stars["nothing"]).all()


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([SUN_LIKE, None], dtype="Int64"),
        pd.Series([SUN_LIKE, None], dtype=object),
        pd.Series([SUN_LIKE, pd.NA], dtype=object),
        pd.Series([SUN_LIKE, np.nan], dtype=object),
        pd.Series([SUN_LIKE, None], dtype=pd.ArrowDtype(pa.int64())),
        pd.Series([SUN_LIKE, None], dtype="Int64").astype("category"),
    ],
    ids=["nullable", "None", "NA", "NaN", "arrow", "category"],
)
def test_ids_of_pandas_stay_exact_beside_missing_ones(series):
    (column,) = StarTable(pd.DataFrame({"source_id": series})).itercols()
    assert column.dtype == np.int64
    assert column[0] == SUN_LIKE
    assert column[1] is np.ma.masked


def test_what_pandas_holds_comes_in_as_it_is():
    frame = pd.DataFrame(
        {
            "big_endian": np.array([1.5, 2.5], dtype=">f4"),
            "halves": np.array([1, 2], dtype=np.float16),
            "nullable": pd.array([1.5, None], dtype="Float64"),
            "text": pd.Series(["a", None], dtype=object),
            "bytes": [b"a", None],
            "arrays": [np.array([1.0, np.nan]), np.array([3.0, 4.0])],
            "mixed": [1, "a"],
            "huge": [2**63 + 1, 2**70],
            3: [1, 2],
        }
    )
    stars = StarTable(frame)
    assert stars.colnames == [*map(str, frame.columns)]
    for name in ("big_endian", "halves"):
        assert stars[name].dtype == frame[name].dtype
        np.testing.assert_array_equal(stars[name], frame[name])
    np.testing.assert_array_equal(stars["nullable"], [1.5, np.nan])
    assert stars["text"][0] == "a"
    assert stars["text"].mask[1]
    assert stars["bytes"][0] == "a"
    np.testing.assert_array_equal(stars["arrays"], [[1, np.nan], [3, 4]])
    assert list(stars["mixed"]) == [1, "a"]
    assert list(stars["huge"]) == [2**63 + 1, 2**70]
    stars["halves"][0] = 9
    assert frame["halves"][0] == 1, "The frame must not change."


def test_an_index_with_a_name_is_a_column():
    frame = pd.DataFrame({"j_m": [1.0, 2.0]}, index=pd.Index([SUN_LIKE, 2], name="source_id"))
    stars = StarTable(frame)
    assert stars.colnames == ["source_id", "j_m"]
    assert stars["source_id"][0] == SUN_LIKE
    assert StarTable(frame.rename_axis(None)).colnames == ["j_m"]
    with_both = frame.assign(source_id=[7, 8])
    assert list(StarTable(with_both)["source_id"]) == [7, 8]
    deeper = frame.set_index(pd.Index([5, 6], name="field"), append=True)
    assert StarTable(deeper).colnames == ["source_id", "field", "j_m"]


def test_a_frame_without_rows_keeps_its_columns():
    frame = pd.DataFrame({"source_id": pd.Series([], dtype="Int64"), "name": []})
    stars = StarTable(frame.astype({"name": str}))
    assert stars.colnames == ["source_id", "name"]
    assert len(stars) == 0
    assert stars["source_id"].dtype == np.int64


def test_a_frame_with_a_name_twice_is_refused():
    frame = pd.DataFrame([[1.0, 2.0]], columns=["j_m", "j_m"])
    with pytest.raises(ColumnError, match="must be distinct, got j_m more than once"):
        StarTable(frame)


@pytest.mark.parametrize("form", ["votable", "fits", "ascii.ecsv", "parquet", "ascii.csv"])
def test_labels_alone_are_written_as_any_columns(tmp_path, form):
    """NumPy takes them for a matrix, and astropy's VOTables would."""
    labels = StarTable({"teff": [5772.0, 4000.0] * u.K, "age": [4.6, 1.0] * u.Gyr}, meta={"n": 1})
    labels.write(tmp_path / "labels", format=form)
    read = QTable.read(tmp_path / "labels", format=form)
    assert read.colnames == ["teff", "age"]
    np.testing.assert_array_equal(u.Quantity(read["age"]).value, [4.6, 1.0])


def test_a_table_of_stars_is_no_matrix(stars):
    with pytest.raises(
        ColumnError, match="is no matrix of numbers.*make_pipeline.StellarFeatures"
    ):
        RandomForestRegressor().fit(stars, np.arange(N_STARS))
    assert np.asarray(stars[["source_id", "teff"]], dtype=object).item()["teff"][0] == 5000 * u.K
