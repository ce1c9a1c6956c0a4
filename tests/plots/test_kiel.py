"""The Kiel diagram."""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.plots import plot_kiel


def stars(n_stars):
    rng = np.random.default_rng(0)
    teff = rng.uniform(3500, 20000, n_stars)
    return {"teff": teff, "logg": rng.uniform(0, 5, n_stars), "fe_h": rng.normal(size=n_stars)}


def colour_bars(ax):
    return [other for other in ax.figure.axes if other is not ax]


@pytest.mark.parametrize("n_stars", [0, 1, 50, 3000])
@pytest.mark.parametrize("color", [None, "fe_h"])
@pytest.mark.parametrize("make", [StarTable, pd.DataFrame])
def test_hot_stars_are_left_and_giants_up(n_stars, color, make):
    ax = plot_kiel(make(stars(n_stars)), color=color)
    ax.figure.canvas.draw()
    assert ax.xaxis.get_inverted()
    assert ax.yaxis.get_inverted()
    assert ax.get_xlabel() == r"$T_\mathrm{eff}$ [K]"
    assert ax.get_ylabel() == r"$\log g$ [dex]"


def test_few_stars_are_points_where_they_belong():
    columns = stars(50)
    ax = plot_kiel(columns["teff"], columns["logg"])
    found = ax.collections[0].get_offsets()
    np.testing.assert_allclose(found, np.column_stack([columns["teff"], columns["logg"]]))
    assert not colour_bars(ax)


def test_many_stars_are_counted():
    columns = stars(3000)
    ax = plot_kiel(columns["teff"] / 1000 * u.kK, columns["logg"] * u.dex)
    (bins,) = ax.collections
    assert isinstance(bins, PolyCollection)
    assert isinstance(bins.norm, LogNorm)
    assert bins.get_array().sum() == 3000
    assert colour_bars(ax)[0].get_ylabel() == "stars"


def test_colour_is_the_median_of_its_bin():
    rng = np.random.default_rng(0)
    teff = np.repeat([4000.0, 8000.0], 1500)
    color = np.where(teff < 5000, -1.0, 0.5) + rng.normal(scale=0.01, size=3000)
    color[::100] = 50.0
    ax = plot_kiel(teff, np.repeat([1.0, 4.0], 1500), color, label="[Fe/H]")
    medians = ax.collections[1].get_array()
    np.testing.assert_allclose(np.sort(medians), [-1.0, 0.5], atol=0.01)
    assert colour_bars(ax)[0].get_ylabel() == "[Fe/H]"


def test_stars_without_a_colour_are_grey_and_without_a_place_left_out():
    columns = stars(10)
    columns["fe_h"][:3] = np.nan
    columns["logg"][9] = np.nan
    grey, coloured = plot_kiel(StarTable(columns), color="fe_h").collections
    assert len(grey.get_offsets()) == 3
    np.testing.assert_allclose(coloured.get_array(), columns["fe_h"][3:9])


def test_all_stars_without_a_colour_are_still_shown():
    columns = {**stars(3000), "fe_h": np.full(3000, np.nan)}
    ax = plot_kiel(StarTable(columns), color="fe_h")
    ax.figure.canvas.draw()
    assert len(ax.collections[0].get_offsets()) == 3000


@pytest.mark.parametrize(
    ("column", "values", "label"),
    [
        ("fe_h", np.arange(5.0), "[Fe/H] [dex]"),
        ("age", np.arange(5.0) * 1000 * u.Myr, r"$\tau$ [Gyr]"),
        ("ebv", np.arange(5.0), "ebv [mag]"),
        ("activity", np.arange(5.0) * u.W, "activity [W]"),
        ("snr", np.arange(5), "snr"),
    ],
)
def test_colour_bar_is_labelled_with_symbol_and_unit(column, values, label):
    table = StarTable({**stars(5), column: values})
    ax = plot_kiel(table, color=column)
    assert colour_bars(ax)[0].get_ylabel() == label
    np.testing.assert_allclose(ax.collections[1].get_array(), np.arange(5.0))
    assert colour_bars(plot_kiel(table, color=column, label="mine"))[0].get_ylabel() == "mine"


def test_draws_on_given_axes():
    ax = plt.figure().add_subplot()
    assert plot_kiel([5000.0], [4.0], ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_one_place_for_many_stars():
    ax = plot_kiel(np.full(3000, 5000.0), np.full(3000, 4.0))
    ax.figure.canvas.draw()
    assert ax.collections[0].get_array().sum() == 3000


def test_refuses_what_does_not_fit():
    columns = stars(5)
    with pytest.raises(ColumnError, match="`logg` must be an array beside temperatures"):
        plot_kiel(columns["teff"])
    with pytest.raises(ColumnError, match="`color` must be an array beside temperatures"):
        plot_kiel(columns["teff"], columns["logg"], "fe_h")
    with pytest.raises(ColumnError, match="`logg` is read from the table"):
        plot_kiel(StarTable(columns), "fe_h")
    with pytest.raises(ColumnError, match="one length, got teff 5, logg 4"):
        plot_kiel(columns["teff"], columns["logg"][:4])
    with pytest.raises(ColumnError, match="feh is absent.* Did you mean 'fe_h'"):
        plot_kiel(StarTable(columns), color="feh")
    with pytest.raises(UnitMismatchError, match="'teff' must be in K"):
        plot_kiel(columns["teff"] * u.mag, columns["logg"])
