"""Columns that follow from words and told columns, with their errors."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator.exceptions import ColumnError, MissingValueWarning
from msaestimator.preprocessing._asked_quantities import AskedQuantities, find_quantities
from msaestimator.preprocessing._token_reader import read_tokens
from msaestimator.schema import G_BAND, GENERALIST, StarTable

NAN = np.nan
ALL = np.ones(len(GENERALIST), dtype=bool)
RNG = np.random.default_rng(0)
N_STARS = 5
STARS = StarTable(
    {
        "phot_g_mean_mag": RNG.uniform(8, 15, N_STARS) * u.mag,
        "parallax": RNG.uniform(1, 5, N_STARS) * u.mas,
        "phot_bp_mean_mag": RNG.uniform(8, 15, N_STARS) * u.mag,
        "phot_rp_mean_mag": RNG.uniform(8, 15, N_STARS) * u.mag,
        "j_m": RNG.uniform(8, 15, N_STARS) * u.mag,
        "h_m": RNG.uniform(8, 15, N_STARS) * u.mag,
        "ks_m": RNG.uniform(8, 15, N_STARS) * u.mag,
    }
)


def ask(names, table=STARS):
    return AskedQuantities(find_quantities(names, GENERALIST, ALL), table, GENERALIST)


def answers(asked, medians, errors=0.0, table=STARS):
    """Return what follows from tokens with medians, and constant errors."""
    error = np.broadcast_to(errors, medians.shape)
    bounds = np.stack([medians - error, medians + error], axis=-1)
    return asked.answers(medians, error, bounds)


def told(tokens):
    return read_tokens(STARS, GENERALIST)[0][:, tokens]


@pytest.mark.parametrize(
    "column", ["phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m", "parallax"]
)
def test_the_way_back_undoes_the_way_to_the_word(column):
    """A table's own words, with its other columns, give back the column."""
    asked = ask(column)
    assert asked.names == [column]
    assert asked.units == {column: str(STARS[column].unit)}
    medians, errors, bounds = answers(asked, told(asked.tokens))
    np.testing.assert_allclose(medians[:, 0], STARS[column].value)
    np.testing.assert_allclose(errors, 0, atol=1e-12)
    np.testing.assert_allclose(bounds, medians[..., None] * [1, 1])


def test_words_are_as_they_are():
    asked = ask(["teff", "color"])
    colors = [token.name for token in GENERALIST.tokens if token.block == "color"]
    assert asked.names == ["teff", *colors]
    medians = RNG.normal(size=(N_STARS, len(asked.names)))
    found = answers(asked, medians, 0.1)
    np.testing.assert_array_equal(found[0], medians)
    np.testing.assert_array_equal(found[1], np.full(medians.shape, 0.1))
    np.testing.assert_array_equal(found[2][..., 1], medians + 0.1)


def test_words_are_asked_in_the_order_of_requests_and_once():
    assert [GENERALIST.names[t] for t in ask(["teff", "h_m", "j_h", "logg"]).tokens] == [
        "teff",
        "j_h",
        "color_h_m",
        "logg",
    ]


@pytest.mark.parametrize("column", ["h_m", "j_m"])
def test_errors_add_in_quadrature(column):
    other = {"h_m": "j_m", "j_m": "h_m"}[column]
    table = STARS[[other]]
    table[f"{other}_err"] = 0.03 * u.mag
    median, error, bounds = answers(ask(column, table), np.zeros((N_STARS, 1)), 0.04)
    np.testing.assert_allclose(median[:, 0], STARS[other].value)
    np.testing.assert_allclose(error, 0.05)
    np.testing.assert_allclose(bounds[:, 0] - median, np.tile([-0.05, 0.05], (N_STARS, 1)))


def test_bounds_change_places_where_the_word_is_taken_off():
    bounds = np.tile([-0.1, 0.3], (N_STARS, 1, 1))
    zero = np.zeros((N_STARS, 1))
    _, _, of_first = ask("j_m", STARS[["h_m"]]).answers(zero, zero, bounds)
    _, _, of_second = ask("h_m", STARS[["j_m"]]).answers(zero, zero, bounds)
    np.testing.assert_allclose(of_first[:, 0] - STARS["h_m"].value[:, None], bounds[:, 0])
    np.testing.assert_allclose(of_second[:, 0] - STARS["j_m"].value[:, None], [[-0.3, 0.1]] * 5)


def test_a_relative_error_of_the_luminosity_is_one_of_the_parallax():
    asked = ask("parallax")
    luminosity = told(asked.tokens)
    median, error, _ = answers(asked, luminosity, 0.1 * luminosity)
    np.testing.assert_allclose(error, 0.1 * median)


def test_each_star_goes_by_what_is_told_of_it():
    """J by J - H and H; where H is missing by J - Ks and Ks; where both are, not at all."""
    table = STARS[["h_m", "ks_m"]]
    table["h_m"][[1, 2]] = NAN
    table["ks_m"][[2, 3]] = NAN
    asked = ask("j_m", table)
    assert [GENERALIST.names[t] for t in asked.tokens] == ["j_h", "j_ks"]
    colors = np.tile([0.1, 0.2], (N_STARS, 1))
    expected = table["h_m"].value + 0.1
    expected[1] = table["ks_m"].value[1] + 0.2
    expected[2] = NAN
    for part in answers(asked, colors):
        np.testing.assert_array_equal(np.isnan(part).any(axis=-1).ravel(), np.isnan(expected))
    np.testing.assert_allclose(answers(asked, colors)[0][:, 0], expected)
    drawn = np.tile(colors[:, None], (1, 7, 1))
    np.testing.assert_allclose(asked.draws(drawn)[..., 0], np.tile(expected[:, None], 7))
    said = asked.of_tokens(np.tile([1, 2], (N_STARS, 1)))
    assert said[[0, 1, 3, 4], 0].tolist() == [1, 2, 1, 1]


def test_a_told_value_that_no_star_has_is_missing():
    table = STARS[["h_m"]]
    table["h_m"][0] = 99.99 * u.mag
    with pytest.warns(MissingValueWarning, match="h_m"):
        asked = ask("j_m", table)
    assert np.isnan(answers(asked, np.zeros((N_STARS, 1)))[0][:, 0]).tolist() == [True] + 4 * [
        False
    ]


def test_what_is_needed_is_named():
    message = (
        "'j_m' is no word .* from j_h or j_ks or color_j_m and the column 'h_m' or 'ks_m' or "
        "'phot_g_mean_mag', which the stars"
    )
    with pytest.raises(ColumnError, match=message):
        ask("j_m", STARS[["j_m"]])
    with pytest.raises(ColumnError, match="'parallax' is no word .* the column 'phot_g_mean_mag'"):
        ask("parallax", STARS[["h_m"]])


def test_what_does_not_follow_is_refused_with_the_words_there_are():
    with pytest.raises(ColumnError, match="and phot_g_mean_mag it only tells"):
        ask(G_BAND)
    with pytest.raises(ColumnError, match="has no 'w1mpro'.* It has bp_rp, j_h, j_ks, color_"):
        ask("w1mpro")
    with pytest.raises(ColumnError, match="has no 'phot_bp_mean_mg'.*mean 'phot_bp_mean_mag'"):
        ask("phot_bp_mean_mg")
    with pytest.raises(ColumnError, match="has no 'bp_coefficient'.*mean 'bp_coefficients'"):
        ask("bp_coefficient")


def test_only_by_words_that_training_had():
    is_trained = np.array([name == "j_ks" for name in GENERALIST.names])
    (quantity,) = find_quantities("j_m", GENERALIST, is_trained)
    assert [GENERALIST.names[p] for p in quantity.positions] == ["j_ks"]
    with pytest.raises(ColumnError, match="`requests` must be tokens .* none had h_m, teff"):
        find_quantities(["h_m", "j_m", "teff"], GENERALIST, is_trained)


def test_nothing_is_asked():
    with pytest.raises(ColumnError, match="`requests` must name at least one token"):
        ask([])
