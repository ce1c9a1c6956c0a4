"""The two-half table with small estimators, and the hiding of XP coefficients."""

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, QTable, Table
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import make_pipeline

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.metrics import hide_xp, score_table, two_half_table
from msaestimator.schema import GAIA_DR4

N_STARS = 60
TRUTH = {
    "source_id": np.arange(N_STARS) + 5937083312263887616,
    "phot_g_mean_mag": np.linspace(8, 17, N_STARS),
    "teff": np.linspace(3500, 9000, N_STARS),
    "parallax": np.append(np.linspace(0.1, 20, N_STARS - 1), -0.5),
}


def array_columns():
    rng = np.random.default_rng(0)
    names = [f"{band}_{what}" for band in ("bp", "rp")
             for what in ("coefficients", "coefficient_errors")]  # fmt: skip
    return {name: rng.normal(size=(N_STARS, 55)) for name in names}


def scalar_columns():
    rng = np.random.default_rng(0)
    return {f"{band}_{k}": rng.normal(size=N_STARS) for band in ("bp", "rp") for k in (1, 2, 55)}


def as_dataframe(columns):
    return pd.DataFrame(
        {
            name: list(values) if np.ndim(values) == 2 else values
            for name, values in columns.items()
        }
    )


def as_structured(columns):
    dtype = [(name, values.dtype, values.shape[1:]) for name, values in columns.items()]
    table = np.empty(N_STARS, dtype=dtype)
    for name, values in columns.items():
        table[name] = values
    return table


TABLES = {
    "Table": Table,
    "QTable": QTable,
    "StarTable": StarTable,
    "DataFrame": as_dataframe,
    "structured": as_structured,
}


def numbers(table, name):
    """Return one column of any table as floats or integers."""
    column = table[name]
    return np.stack(list(column)) if column.dtype == object else np.asarray(column)


class ColorThermometer(RegressorMixin, BaseEstimator):
    """Reads the temperature off a column, and is 300 K off where there is no spectrum."""

    labels_ = ("teff",)

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        blind = np.isnan(numbers(X, "bp_coefficients")).all(axis=1)
        return (numbers(X, "teff") + np.where(blind, 300.0, 100.0))[:, np.newaxis]


class QuantileThermometer(ColorThermometer):
    quantiles = (0.05, 0.16, 0.5, 0.84, 0.95)

    def predict_quantiles(self, X):
        return self.predict(X)[..., np.newaxis] + np.array([-400.0, -200.0, 0.0, 200.0, 400.0])


class Parallax(BaseEstimator):
    labels_ = ("teff", "parallax")
    quantiles = (0.16, 0.5, 0.84)

    def predict(self, X):
        return np.column_stack([numbers(X, "teff"), 1.1 * numbers(X, "parallax")])

    def predict_quantiles(self, X):
        return np.stack([self.predict(X) * f for f in (0.5, 1.0, 2.0)], axis=-1)


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES.keys())
class TestHideXP:
    @pytest.mark.parametrize("xp", [array_columns, scalar_columns])
    def test_hides_the_coefficients_and_nothing_else(self, make, xp):
        columns = {**TRUTH, **xp()}
        stars = make(columns)
        hidden = hide_xp(stars)
        assert type(hidden) is type(stars)
        for name, values in columns.items():
            coefficients = name.startswith(("bp", "rp")) and "errors" not in name
            expected = np.full(values.shape, np.nan) if coefficients else values
            assert_array_equal(numbers(hidden, name), expected)
            assert numbers(hidden, name).dtype == values.dtype

    @pytest.mark.parametrize("xp", [array_columns, scalar_columns])
    def test_leaves_its_input_alone(self, make, xp):
        columns = {**TRUTH, **xp()}
        stars = make({name: values.copy() for name, values in columns.items()})
        hide_xp(stars)
        for name, values in columns.items():
            assert_array_equal(numbers(stars, name), values)

    def test_without_xp_returns_a_copy(self, make):
        stars = make(TRUTH)
        hidden = hide_xp(stars)
        assert hidden is not stars
        assert_array_equal(numbers(hidden, "teff"), TRUTH["teff"])


def test_hide_xp_keeps_units_descriptions_and_metadata():
    stars = Table({"bp_1": MaskedColumn([1, 2], mask=[0, 1], unit="s", description="first")})
    stars.meta["release"] = "DR3"
    hidden = hide_xp(stars)
    assert np.isnan(hidden["bp_1"]).all()
    assert (hidden["bp_1"].unit, hidden["bp_1"].description) == (u.s, "first")
    assert hidden.meta == {"release": "DR3"}
    assert np.isnan(hide_xp(QTable({"bp_1": [1.0, 2.0] / u.s}))["bp_1"].value).all()


def test_hide_xp_of_dataframe_cells_without_an_array():
    stars = pd.DataFrame({"bp_coefficients": [np.ones(55), None]})
    first, second = hide_xp(stars)["bp_coefficients"]
    assert_array_equal(first, np.full(55, np.nan))
    assert np.isnan(second)
    assert stars["bp_coefficients"][1] is None


def test_hide_xp_knows_dr4():
    stars = StarTable({"bp_coefficients": np.ones((2, 51)), "bp_n_relevant_bases": [3, 4]})
    for hidden in (hide_xp(stars), hide_xp(stars, GAIA_DR4)):
        assert hidden["bp_coefficients"].shape == (2, 51)
        assert np.isnan(hidden["bp_coefficients"]).all()
        assert_array_equal(hidden["bp_n_relevant_bases"], [3, 4])


def test_hide_xp_needs_names():
    with pytest.raises(ColumnError, match="must be a table with column names, .* got ndarray"):
        hide_xp(np.ones((3, 4)))


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES.keys())
def test_two_halves_of_any_table(make):
    table = two_half_table(ColorThermometer(), make({**TRUTH, **array_columns()}))
    assert list(table["half"]) == ["full XP", "masked XP"]
    assert list(table["label"]) == ["teff", "teff"]
    assert list(table["n_stars"]) == [N_STARS, N_STARS]
    assert_allclose(table["mae"], [100.0, 300.0])
    assert_allclose(table["sigma"], 0.0, atol=1e-9)
    assert "coverage" not in table.colnames


def test_an_estimator_with_quantiles_has_its_uncertainties_scored():
    stars = StarTable({**TRUTH, **array_columns()})
    table = two_half_table(QuantileThermometer(), stars)
    assert_allclose(table["z_mean"], [-0.5, -1.5])
    assert_allclose(table["coverage"], [1.0, 0.0])


def test_each_half_is_the_score_table_of_its_predictions():
    stars = StarTable({**TRUTH, **array_columns()})
    model = ColorThermometer()
    table = two_half_table(model, stars)
    for row, shown in zip(table, (stars, hide_xp(stars)), strict=True):
        expected = score_table(stars["teff"], model.predict(shown), ["teff"])[0]
        assert [row[name] for name in expected.colnames] == list(expected)


def test_labels_and_truth_can_be_given():
    stars = StarTable({**TRUTH, **array_columns()})
    pipeline = make_pipeline(ColorThermometer()).fit(stars)
    with pytest.raises(ColumnError, match="Pipeline has no `labels_`; pass `labels`"):
        two_half_table(pipeline, stars)
    warm = TRUTH["teff"] + 100.0
    for truth in (warm, warm[:, np.newaxis], warm / 1000 * u.kK, Table({"teff": warm})):
        table = two_half_table(pipeline, stars, labels=["teff"], y_true=truth)
        assert_allclose(table["mae"], [0.0, 200.0], atol=1e-9)


def test_a_label_the_schema_does_not_know():
    stars = StarTable({**TRUTH, **array_columns(), "activity": TRUTH["teff"] + 100})
    table = two_half_table(ColorThermometer(), stars, labels=["activity"])
    assert list(table["unit"]) == ["", ""]
    assert_allclose(table["mae"], [0.0, 200.0], atol=1e-9)


def test_truth_is_read_in_the_schemas_units_and_sentinels_are_missing():
    columns = {**TRUTH, **array_columns(), "teff": TRUTH["teff"].copy()}
    stars = QTable(columns)
    stars["teff"] = MaskedColumn(TRUTH["teff"] / 1000, mask=np.arange(N_STARS) < 5, unit="kK")

    class InKelvin(ColorThermometer):
        def predict(self, X):
            return TRUTH["teff"] + 100.0

    table = two_half_table(InKelvin(), stars)
    assert_allclose(table["mae"], 100.0)
    assert list(table["n_stars"]) == [N_STARS - 5] * 2
    columns["teff"][:7] = -9999.0
    assert list(two_half_table(InKelvin(), Table(columns))["n_stars"]) == [N_STARS - 7] * 2
    stars["teff"] = TRUTH["teff"] * u.mag
    with pytest.raises(UnitMismatchError, match="'teff' must be in K"):
        two_half_table(InKelvin(), stars)


def test_parallax_is_scored_as_a_logarithm_where_it_is_positive():
    stars = StarTable({**TRUTH, **array_columns()})
    before = stars.copy()
    table = two_half_table(Parallax(), stars)
    assert list(table["label"]) == ["teff", "log_parallax"] * 2
    row = table[1]
    assert (row["unit"], row["n_stars"]) == ("dex", N_STARS - 1)
    assert row["rmse"] == pytest.approx(np.log10(1.1))
    assert row["sigma"] == pytest.approx(0.0, abs=1e-9)
    # log10 of the bounds is 0.3 either side of the median, which is 0.041 too high.
    assert row["z_mean"] == pytest.approx(-np.log10(1.1) / np.log10(2))
    assert row["coverage"] == 1.0
    assert_array_equal(stars["parallax"], before["parallax"])


def test_a_bound_below_zero_covers_every_small_parallax():
    class Distant(Parallax):
        def predict_quantiles(self, X):
            bounds = super().predict_quantiles(X)
            bounds[..., 0] = -1.0
            return bounds

    row = two_half_table(Distant(), StarTable({**TRUTH, **array_columns()}))[1]
    assert row["coverage"] == 1.0
    assert np.isnan(row["z_mean"])


def test_refuses_an_absent_label_and_a_wrong_shape():
    stars = StarTable({**TRUTH, **array_columns()})
    with pytest.raises(ColumnError, match="logg is absent"):
        two_half_table(ColorThermometer(), stars, labels=["logg"])
    with pytest.raises(ColumnError, match="`y_pred` must have one column a label, 2"):
        two_half_table(ColorThermometer(), stars, labels=["teff", "parallax"])
