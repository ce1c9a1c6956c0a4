"""One row a label, each number that of its own function."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from msaestimator import metrics
from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.metrics import score_table

POINT = ["label", "unit", "n_stars", "rmse", "sigma", "mae", "nmad", "r2", "spearman"]
FUNCTIONS = {"sigma": "residual_std"}


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(300, 2)) * [800, 0.3] + [5000, -0.2]
    predicted = true + rng.normal(size=true.shape) * [50, 0.1]
    true[:40, 1] = np.nan
    predicted[250:, 0] = np.nan
    return true, predicted


def test_holds_what_each_function_says(predictions):
    table = score_table(*predictions, ["teff", "fe_h"])
    assert table.colnames == POINT
    assert list(table["label"]) == ["teff", "fe_h"]
    assert list(table["unit"]) == ["K", "dex"]
    assert list(table["n_stars"]) == [250, 260]
    for name in POINT[3:]:
        score = getattr(metrics, FUNCTIONS.get(name, name))
        np.testing.assert_array_equal(table[name], score(*predictions))


def test_intervals_add_their_scores(predictions):
    true, predicted = predictions
    width = np.array([50, 0.1])
    table = score_table(true, predicted, ["teff", "fe_h"], predicted - width, predicted + width)
    assert table.colnames == [*POINT, "z_mean", "z_std", "coverage"]
    z = (true - predicted) / width
    np.testing.assert_allclose(table["z_mean"], np.nanmean(z, axis=0))
    np.testing.assert_allclose(table["z_std"], np.nanstd(z, axis=0))
    inside = [np.mean(np.abs(column[~np.isnan(column)]) <= 1) for column in z.T]
    np.testing.assert_allclose(table["coverage"], inside)


def test_all_nan_label_is_a_row_of_nan(predictions):
    true, predicted = predictions
    true[:, 1] = np.nan
    row = score_table(true, predicted, ["teff", "fe_h"], predicted - 1, predicted + 1)[1]
    assert row["n_stars"] == 0
    assert all(np.isnan(row[name]) for name in [*POINT[3:], "z_mean", "z_std", "coverage"])


@pytest.mark.parametrize(
    ("truth", "units", "unit"),
    [
        ([5000.0, 6000.0], None, "K"),
        ([5.0, 6.0], {"teff": "kK"}, "kK"),
        ([5.0, 6.0] * u.kK, None, "kK"),
        ([5.0, 6.0] * u.kK, {"teff": "K"}, "K"),
    ],
)
def test_numbers_are_in_the_unit_of_their_row(truth, units, unit):
    predicted = [5100.0, 6100.0] * u.K
    table = score_table(truth, predicted, ["teff"], units=units)
    assert table["unit"][0] == unit
    np.testing.assert_allclose(table["mae"], (100 * u.K).to_value(unit))


def test_a_label_of_ones_own_is_dimensionless_until_told():
    truth = np.zeros((3, 1))
    assert score_table(truth, truth, ["activity"])["unit"][0] == ""
    assert score_table(truth, truth, ["activity"], units={"activity": "mag"})["unit"][0] == "mag"


def test_survives_a_file(predictions, tmp_path):
    table = score_table(*predictions, ["teff", "fe_h"])
    table.write(tmp_path / "scores.ecsv")
    found = QTable.read(tmp_path / "scores.ecsv")
    assert found.colnames == table.colnames
    np.testing.assert_allclose(found["rmse"], table["rmse"], rtol=1e-3)


def test_refuses_what_does_not_fit(predictions):
    true, predicted = predictions
    with pytest.raises(ColumnError, match="`y_true` must have one column a label, 1, got shape"):
        score_table(true, predicted, ["teff"])
    with pytest.raises(ColumnError, match="`lower` and `upper` must come together"):
        score_table(true, predicted, ["teff", "fe_h"], lower=predicted)
    with pytest.raises(UnitMismatchError, match="`y_true` must be in dex"):
        score_table(true * u.K, predicted, ["teff", "fe_h"], units={"fe_h": "dex"})
    with pytest.raises(ColumnError, match="must have one shape"):
        score_table(true, predicted[:5], ["teff", "fe_h"])


TRUTH = [[5000.0, 4.4], [6000.0, np.nan], [4500.0, 2.1]]
PREDICTED = [[5100.0, 4.5], [5900.0, 4.1], [4600.0, 2.2]]
LOWER, UPPER = np.array(PREDICTED) - [150, 0.2], np.array(PREDICTED) + [150, 0.2]


@pytest.fixture
def tables():
    """Stars and their predictions, in other units, with more columns than labels."""
    teff, logg = np.transpose(TRUTH)
    stars = QTable({"source_id": [7, 8, 9], "logg": logg, "j_m": teff, "teff": teff / 1000 * u.kK})
    predictions = QTable({"source_id": [7, 8, 9]})
    for name, unit, values in zip(
        ("teff", "logg"), ("K", "dex"), np.transpose([PREDICTED, LOWER, UPPER]), strict=True
    ):
        for ending, column in zip(("", "_lower", "_upper"), values.T, strict=True):
            predictions[name + ending] = column * u.Unit(unit)
    predictions["flags"] = 0
    stars["flags"] = 1
    return stars, predictions


def assert_same_scores(found, expected):
    assert found.colnames == expected.colnames
    for name in found.colnames:
        if found[name].dtype.kind == "f":
            np.testing.assert_allclose(found[name], expected[name])
        else:
            assert list(found[name]) == list(expected[name])


def test_tables_are_scored_by_name(tables):
    expected = score_table(TRUTH, PREDICTED, ["teff", "logg"], LOWER, UPPER)
    assert_same_scores(score_table(*tables), expected)


def test_other_containers_are_scored_the_same(tables):
    stars, predictions = tables
    frame = predictions.to_pandas()
    expected = score_table(stars, predictions)
    assert_same_scores(score_table(stars, frame), expected)
    assert_same_scores(score_table(stars, frame.to_dict("list")), expected)


def test_a_table_beside_an_array(tables):
    stars, predictions = tables
    names = ["teff", "logg"]
    assert_same_scores(score_table(stars, PREDICTED, names), score_table(TRUTH, PREDICTED, names))
    with_bounds = score_table(TRUTH, PREDICTED, names, LOWER, UPPER)
    assert_same_scores(score_table(TRUTH, predictions, names), with_bounds)
    assert_same_scores(score_table(stars, PREDICTED, names, LOWER, UPPER), with_bounds)


def test_labels_choose_and_order_the_rows(tables):
    stars, predictions = tables
    assert list(score_table(stars, predictions, ["logg"])["label"]) == ["logg"]
    table = score_table(stars, predictions, units={"teff": "kK"})
    assert list(table["unit"]) == ["kK", "dex"]
    assert table["mae"][0] == pytest.approx(0.1)


def test_a_label_without_bounds_has_no_z_scores(tables):
    stars, predictions = tables
    predictions.remove_column("logg_upper")
    table = score_table(stars, predictions)
    assert np.isfinite(table["z_std"][0])
    assert np.isnan(table["z_std"][1])
    assert np.isfinite(table["mae"]).all()
    predictions.remove_column("teff_lower")
    assert score_table(stars, predictions).colnames == POINT


def test_z_scores_are_of_the_68_percent_whatever_the_bounds(tables):
    """A table may have the bounds of 90 %, and tells the width of 68 % besides."""
    stars, predictions = tables
    expected = score_table(stars, predictions)
    for name in ("teff", "logg"):
        median, ends = predictions[name], [f"{name}_lower", f"{name}_upper"]
        predictions[f"{name}_err"] = (predictions[ends[1]] - predictions[ends[0]]) / 2
        for end in ends:
            predictions[end] = median + 1.6 * (predictions[end] - median)
    predictions["teff_err"] = predictions["teff_err"].to("kK")
    found = score_table(stars, predictions)
    for name in ("z_mean", "z_std", "mae"):
        np.testing.assert_allclose(found[name], expected[name])
    assert list(found["coverage"]) == [1, 1]
    assert list(expected["coverage"]) == [1, 1]
    predictions["teff_upper"] = predictions["teff_lower"] = predictions["teff"]
    assert score_table(stars, predictions)["coverage"][0] == 0


def test_a_label_of_ones_own_is_found_by_its_bounds():
    stars = QTable({"activity": [1.0, 2.0] * u.mag, "j_m": [1.0, 2.0]})
    predictions = QTable({"activity": [1.1, 2.1], "activity_lower": [1, 2], "j_m": [1.0, 2.0]})
    table = score_table(stars, predictions)
    assert list(table["label"]) == ["activity"]
    assert list(table["unit"]) == ["mag"]


def test_refuses_tables_that_do_not_fit(tables):
    stars, predictions = tables
    with pytest.raises(ColumnError, match="same stars in the same order, but their 'source_id'"):
        score_table(stars[::-1], predictions)
    with pytest.raises(ColumnError, match="must have one shape"):
        score_table(stars["teff", "logg"][:2], predictions["teff", "logg"])
    with pytest.raises(ColumnError, match="a label in common.*`y_true` has j_m and `y_pred` teff"):
        score_table(stars["j_m",], predictions["teff",])
    with pytest.raises(ColumnError, match="`labels` must name the columns of an array"):
        score_table(stars, PREDICTED)
    with pytest.raises(ColumnError, match="fe_h is absent"):
        score_table(stars, predictions, ["fe_h"])
    stars["source_id"] = [7.0, 8.5, 3.0]  # known by no float
    assert len(score_table(stars, predictions)) == 2
