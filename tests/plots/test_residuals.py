"""The residual plot."""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection

from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.metrics import nmad, rmse
from msaestimator.plots import plot_residuals


def stars(n_stars, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.uniform(3500, 8000, n_stars)
    return true, true + 50.0 + rng.normal(scale=100, size=n_stars)


def scores(ax):
    return ax.texts[0].get_text().split("\n")


@pytest.mark.parametrize("n_stars", [0, 1, 5, 500, 4000])
def test_draws_any_number_of_stars(n_stars):
    ax = plot_residuals(*stars(n_stars), label="teff")
    ax.figure.canvas.draw()
    assert ax.get_xlabel() == r"true $T_\mathrm{eff}$ [K]"
    assert ax.get_ylabel() == r"predicted − true $T_\mathrm{eff}$ [K]"


@pytest.mark.parametrize("n_stars", [500, 4000])
def test_text_holds_the_scores(n_stars):
    true, predicted = stars(n_stars)
    found = scores(plot_residuals(true, predicted, label="teff"))
    assert found[0] == f"NMAD {nmad(true, predicted):.3g} K"
    assert found[1] == f"RMSE {rmse(true, predicted):.3g} K"
    assert found[2].startswith(f"{n_stars:,} stars")


def test_large_scores_have_no_exponent():
    assert scores(plot_residuals([0.0, 0.0], [12345.0, 0.0], label="teff"))[0] == "NMAD 9150 K"


def test_few_stars_are_points():
    true, predicted = stars(20)
    true[0] = predicted[1] = np.nan
    (points,) = [c for c in plot_residuals(true, predicted, label="teff").collections
                 if isinstance(c, PathCollection)]  # fmt: skip
    expected = np.column_stack([true, predicted - true])[2:]
    np.testing.assert_allclose(points.get_offsets(), expected)


def test_running_median_follows_the_residuals():
    true = np.linspace(4000, 8000, 5000)
    noise = np.random.default_rng(0).normal(scale=5.0, size=5000)
    ax = plot_residuals(true, true + (true - 6000) / 10 + noise, label="teff")
    (median,) = [line for line in ax.lines if line.get_label() == "median"]
    x, y = median.get_data()
    np.testing.assert_allclose(y, (x - 6000) / 10, atol=2.5)
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"median", "16–84 %"}


def test_outliers_are_counted_not_shown():
    true, predicted = stars(1000)
    predicted[:3] += 1e5
    ax = plot_residuals(true, predicted, label="teff")
    low, high = ax.get_ylim()
    assert low == -high
    beyond = np.sum(np.abs(predicted - true) > high)
    assert 3 <= beyond <= 10
    assert scores(ax)[2] == f"1,000 stars, {beyond} beyond"


@pytest.mark.parametrize("n_stars", [30, 3000])
def test_a_perfect_prediction_and_a_constant_truth(n_stars):
    true, _ = stars(n_stars)
    for values in (true, np.full(n_stars, 5000.0)):
        ax = plot_residuals(values, values, label="teff")
        ax.figure.canvas.draw()
        assert scores(ax)[:2] == ["NMAD 0 K", "RMSE 0 K"]


def test_units_are_converted_and_shown():
    ax = plot_residuals([5.0, 6.0] * u.kK, [5100.0, 6100.0] * u.K, label="teff")
    assert scores(ax)[1] == "RMSE 100 K"
    ax = plot_residuals([5.0, 6.0], [5.1, 6.1], label="teff", unit="kK")
    assert scores(ax)[1] == "RMSE 0.1 kK"
    ax = plot_residuals([1.0, 2.0], [1.0, 2.0], label="activity")
    assert ax.get_xlabel() == "true activity"
    ax = plot_residuals([1.0, 2.0], [1.0, 2.0], label="mass")
    assert ax.get_xlabel() == r"true $M$ [M$_\odot$]"


def test_draws_on_given_axes():
    ax = plt.figure().add_subplot()
    assert plot_residuals(*stars(5), label="teff", ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_refuses_what_does_not_fit():
    with pytest.raises(ColumnError, match="must have one shape"):
        plot_residuals([1.0, 2.0], [1.0], label="teff")
    with pytest.raises(UnitMismatchError, match="'y_pred' must be in K"):
        plot_residuals([1.0], [1.0] * u.mag, label="teff")
    with pytest.raises(ColumnError, match="'y_pred' must be finite or NaN"):
        plot_residuals([1.0], [np.inf], label="teff")
