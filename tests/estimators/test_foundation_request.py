"""Requests: what comes back, and that only what is told of a star matters."""

import copy
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
import torch

from msaestimator.exceptions import (
    ColumnError,
    MissingColumnWarning,
    MissingValueWarning,
    UnitMismatchError,
)
from msaestimator.results import PredictionFlag
from msaestimator.schema import GENERALIST, ZHANG2026, StarTable, Vocabulary

# Most of what is asked here is told too, of which there are tests of its own.
pytestmark = pytest.mark.filterwarnings("ignore::msaestimator.exceptions.ToldRequestWarning")

ASKED = ["teff", "fe_h", "bp_rp", "ebv", "relative_rp_3"]


@pytest.fixture(scope="session")
def answers(generalist, other_stars):
    return generalist.request(other_stars, ASKED)


def changed(stars, **columns):
    """Return a copy of stars with other values in some columns."""
    stars = stars.copy()
    for name, value in columns.items():
        stars[name][:] = value * (stars[name].unit or 1)
    return stars


def scaled(scaler, values):
    """Return values as the network sees them: logarithm, centre, spread, asinh."""
    logarithm = np.where(scaler.is_log_, np.log10(np.where(scaler.is_log_, values, 1)), values)
    return np.arcsinh((logarithm - scaler.center_) / scaler.scale_)


def in_units(scaler, position, value):
    linear = np.sinh(value) * scaler.scale_[position] + scaler.center_[position]
    return 10**linear if scaler.is_log_[position] else linear


def test_the_columns(generalist, answers, other_stars):
    ends = ("", "_err", "_lower", "_upper", "_flags")
    names = [f"{name}{end}" for name in ASKED for end in ends]
    assert answers.colnames == ["source_id", *names, "flags"]
    assert isinstance(answers, StarTable)
    units = {"teff": "K", "fe_h": "dex", "bp_rp": "mag", "ebv": "mag", "relative_rp_3": ""}
    for name, unit in units.items():
        assert answers[name].unit == answers[f"{name}_err"].unit == unit
        assert np.isfinite(answers[name]).all()
        assert (answers[f"{name}_err"] > 0).all()
        assert (answers[f"{name}_lower"] < answers[name]).all()
        assert (answers[name] < answers[f"{name}_upper"]).all()
    np.testing.assert_array_equal(answers["source_id"], other_stars["source_id"])
    assert answers["source_id"].dtype == np.int64


def test_is_what_the_network_says_star_by_star_and_request_by_request(generalist):
    """The error is the slope of the way back, by finite differences, times the deviation."""
    told = {"teff": 4800.0, "logg": 2.5, "ebv": 0.2, "j_h": 0.6}
    table = StarTable({name: [value] for name, value in told.items()})
    names, scaler = generalist.vocabulary_.names, generalist.scaler_
    known = [names.index(name) for name in told]
    values = np.full(len(names), np.nan)
    values[known] = list(told.values())
    inputs = torch.tensor(scaled(scaler, values)[known], dtype=torch.float32)[None]
    for asked in ASKED:
        (answer,) = generalist.request(table, asked)
        position = names.index(asked)
        with torch.no_grad():
            mean, log_variance = generalist.module_(
                inputs, torch.tensor(known), torch.tensor([position])
            )
        mean, deviation = mean.item(), np.exp(log_variance.item() / 2)
        slope = np.diff([in_units(scaler, position, mean + step) for step in (-1e-4, 1e-4)]) / 2e-4
        assert answer[asked].value == pytest.approx(in_units(scaler, position, mean), rel=1e-5)
        assert answer[f"{asked}_err"].value == pytest.approx(slope[0] * deviation, rel=1e-4)
        for end, step in (("lower", -deviation), ("upper", deviation)):
            expected = in_units(scaler, position, mean + step)
            assert answer[f"{asked}_{end}"].value == pytest.approx(expected, rel=1e-5)


def test_one_name_is_a_request(generalist, other_stars, answers, assert_same):
    alone = generalist.request(other_stars, "teff")
    assert_same(alone, answers[alone.colnames])


def test_requests_do_not_see_each_other(generalist, other_stars, answers, assert_same):
    backwards = generalist.request(other_stars, ASKED[::-1])
    assert_same(backwards[answers.colnames], answers)
    words = generalist.words
    everything = generalist.request(other_stars, words["name"][words["can_be_asked"]].tolist())
    assert_same(everything[answers.colnames[:-1]], answers[answers.colnames[:-1]])


def test_stars_do_not_see_each_other(generalist, other_stars, answers, assert_same):
    mixed = changed(other_stars)
    mixed["bp_coefficients"][::3] = np.nan
    mixed["teff"][::4] = np.nan
    together = generalist.request(mixed, ASKED)
    order = np.random.default_rng(0).permutation(len(mixed))
    assert_same(generalist.request(mixed[order], ASKED), together[order])
    rows = [0, 3, 4, 12, 13]
    for row in rows:
        assert_same(generalist.request(mixed[row : row + 1], ASKED), together[row : row + 1])
    untouched = [row for row in range(len(mixed)) if row % 3 and row % 4]
    assert_same(together[untouched], answers[untouched])


def test_batches_change_nothing(generalist, other_stars, assert_same):
    one = copy.copy(generalist).set_params(inference_batch_size=1)
    few, asked = other_stars[:7], ["teff", "bp_rp"]
    assert_same(one.request(few, asked), generalist.request(few, asked))
    np.testing.assert_allclose(one.transform(few), generalist.transform(few), atol=1e-5)
    assert one.attention(few, asked).shape == (7, 2, len(one.vocabulary_))


def test_inputs_are_all_that_is_told(generalist, other_stars, assert_same):
    inputs = ["teff", "logg", "ebv"]
    expected = generalist.request(other_stars[["source_id", *inputs]], ASKED)
    assert_same(generalist.request(other_stars, ASKED, inputs=inputs), expected)
    other = changed(other_stars, fe_h=-1.0, j_m=3.0, bp_coefficients=7.0, phot_g_mean_mag=9.0)
    assert_same(generalist.request(other, ASKED, inputs=inputs), expected)
    assert_same(generalist.request(other, ASKED, inputs=inputs[::-1]), expected)
    assert (generalist.request(other, ["teff"])["teff"] != expected["teff"]).all()


def test_what_is_asked_may_be_told(generalist, other_stars):
    cool, hot = (
        generalist.request(StarTable({"teff": [teff], "logg": [2.5]}), "teff")["teff"][0]
        for teff in (4000.0, 6000.0)
    )
    assert cool < hot


def test_everything_known_is_more_than_training_showed(generalist, stars):
    n_known = int(np.isfinite(generalist.reader_.transform(stars)[:, 0]).sum(axis=1).max())
    assert n_known > generalist.n_inputs[1]
    assert np.isfinite(generalist.request(stars, ASKED)["teff"]).all()


@pytest.mark.parametrize("missing", [np.nan, -9999.0, None], ids=["nan", "-9999", "masked"])
@pytest.mark.parametrize("name", ["teff", "ebv", "j_m"])
def test_missing_in_every_way_is_the_same(generalist, other_stars, assert_same, missing, name):
    plain = StarTable(
        {
            n: getattr(other_stars[n], "value", other_stars[n])
            for n in ("teff", "ebv", "j_m", "h_m")
        }
    )
    half = np.arange(len(plain)) % 2 == 0
    known = [n for n in plain.colnames if n != name]
    absent = generalist.request(plain[known], ASKED)
    if missing is None:
        plain = StarTable(plain, masked=True)
        plain[name].mask[half] = True
    else:
        plain[name][half] = missing
    assert_same(generalist.request(plain, ASKED)[half], absent[half])


@pytest.mark.filterwarnings("ignore:.*no star of fit had it")
def test_nothing_known_of_one_star_in_a_table(generalist, other_stars, assert_same):
    table = changed(other_stars[["source_id", "teff", "logg"]])
    table["teff"][3] = table["logg"][3] = np.nan
    answers = generalist.request(table, ASKED)
    told = np.arange(len(table)) != 3
    assert ((answers["flags"] & PredictionFlag.NOTHING_KNOWN) != 0).tolist() == (~told).tolist()
    assert_same(answers[told], generalist.request(table[told], ASKED))
    assert np.isfinite([answers[3][name].value for name in ASKED]).all()
    nothing = StarTable({"age": [1.0, 9.0]})  # a token, but no star of fit had it
    prior = generalist.request(nothing, ASKED)
    assert (prior["flags"] & PredictionFlag.NOTHING_KNOWN).all()
    assert_same(prior[:1], prior[1:])
    assert_same(prior[:1], answers[3:4][prior.colnames])


def test_impossible_answers_are_flagged(generalist, other_stars):
    extreme = copy.deepcopy(generalist)
    with torch.no_grad():
        extreme.module_.mean.bias += 20
    inputs = ["teff", "ebv"]
    before = generalist.request(other_stars, ["logg", "bp_rp"], inputs=inputs)
    assert not before["logg_flags"].any()
    table = extreme.request(other_stars, ["logg", "bp_rp"], inputs=inputs)
    flags = PredictionFlag.OUTSIDE_LIMITS | PredictionFlag.OUT_OF_RANGE_ANSWER
    assert (table["logg_flags"] == flags).all()
    np.testing.assert_array_equal(table["flags"], before["flags"])


def test_no_stars(generalist, other_stars):
    empty, whole = (generalist.request(other_stars[:n], ASKED) for n in (0, 2))
    assert len(empty) == 0
    assert empty.dtype == whole.dtype
    assert [c.unit for c in empty.itercols()] == [c.unit for c in whole.itercols()]
    assert generalist.predict(other_stars[:0]).shape == (0, len(generalist.labels_))
    assert generalist.transform(other_stars[:0]).shape == (0, generalist.embedding_dim)


@pytest.mark.parametrize("n", [1, 5])
def test_a_name_given_twice(generalist, other_stars, assert_same, n):
    assert_same(
        generalist.request(other_stars[:n], ["teff", "teff"]),
        generalist.request(other_stars[:n], "teff"),
    )


@pytest.mark.parametrize("method", ["request", "sample", "attention"])
def test_wrong_names(generalist, other_stars, method):
    ask = getattr(generalist, method)
    with pytest.raises(ColumnError, match=r"has no 'tef'\..*[Dd]id you mean 'teff'\?"):
        ask(other_stars, ["logg", "tef"])
    with pytest.raises(ColumnError, match=r"has no 'vsini'.*with_tokens\(Token\('vsini'"):
        ask(other_stars, "vsini")
    with pytest.raises(ColumnError, match="`requests` must be tokens .* none had mass, age"):
        ask(other_stars, ["teff", "mass", "age"])
    with pytest.raises(ColumnError, match="`requests` must name at least one token"):
        ask(other_stars, [])
    with pytest.raises(ColumnError, match="`inputs` must be tokens .* none had age"):
        ask(other_stars, "teff", inputs=["age"])
    with pytest.raises(ColumnError, match=r"has no 'log_g'.*mean 'logg'"):
        ask(other_stars, "teff", inputs=["log_g"])
    with pytest.raises(ColumnError, match="`inputs` must name at least one token"):
        ask(other_stars, "teff", inputs=[])


@pytest.mark.parametrize("method", ["request", "sample", "attention"])
def test_an_unfitted_one_is_asked(make_generalist, other_stars, method):
    with pytest.raises(ValueError, match="is not fitted yet"):
        getattr(make_generalist(), method)(other_stars, "teff")


def test_a_table_without_any_known_column(generalist):
    with pytest.raises(ColumnError, match="a quantity of the vocabulary"):
        generalist.request(StarTable({"vsini": [3.0]}), "teff")


def test_a_matrix_where_a_table_was_fitted(generalist):
    with pytest.raises(ColumnError, match="was fitted on a table of stars"):
        generalist.request(np.zeros((3, 5)), "teff")


def test_a_unit_of_another_kind(generalist):
    with pytest.raises(UnitMismatchError, match="'teff'"):
        generalist.request(StarTable({"teff": [3.0] * u.mas}), "logg")


def test_negative_errors(generalist):
    table = StarTable({"teff": [5000.0, 6000.0], "teff_err": [10.0, -3.0]})
    with pytest.raises(ColumnError, match="'teff_err' must hold standard errors.* first in row 1"):
        generalist.request(table, "logg")


def test_columns_that_fit_did_not_see(generalist, assert_same):
    table = StarTable({"teff": [5000.0], "age": [3.0], "mass": [1.0], "note": ["ignored"]})
    with pytest.warns(MissingColumnWarning, match="'age', 'mass': ignored: no star of fit had it"):
        answer = generalist.request(table, "logg")
    assert_same(answer, generalist.request(table[["teff"]], "logg"))


@pytest.fixture(scope="module")
def far_stars(few):
    """Stars with parallaxes, of which some are not positive."""
    table = few["ebv", "j_m", "h_m", "teff"]
    table["phot_g_mean_mag"] = np.linspace(8, 16, len(few)) * u.mag
    table["parallax"] = np.linspace(-0.5, 9.4, len(few)).round(1) * u.mas
    table["parallax_error"] = 0.1 * u.mas
    assert 0 in table["parallax"].value
    return table


def test_parallaxes_that_are_not_positive(make_generalist, far_stars, assert_same):
    """They have no logarithm, where one is learned; the vocabularies take none."""
    table = far_stars[:10]
    without = table[[n for n in table.colnames if not n.startswith("parallax")]]
    bad = table["parallax"] <= 0
    luminosity = replace(GENERALIST["pseudo_luminosity"], log=True)
    others = (token for token in GENERALIST.tokens if token.name != luminosity.name)
    logarithmic = Vocabulary((*others, luminosity))
    with pytest.warns(MissingValueWarning, match="'pseudo_luminosity' that is not"):
        model = make_generalist(max_epochs=1, vocabulary=logarithmic).fit(far_stars)
    with pytest.warns(MissingValueWarning, match="'pseudo_luminosity' that is not"):
        answer = model.request(table, "teff")
    assert_same(answer[bad], model.request(without, "teff")[bad])
    assert (answer[~bad]["teff"] != model.request(without, "teff")[~bad]["teff"]).all()
    paper = make_generalist(max_epochs=1, vocabulary=ZHANG2026).fit(far_stars)
    answer = paper.request(table, "teff")
    assert (answer["teff"] != paper.request(without, "teff")["teff"]).all()
    assert not answer["flags"].any()


def test_coefficients_without_the_magnitude(generalist, other_stars):
    with pytest.raises(ColumnError, match="needs the column 'phot_g_mean_mag'"):
        generalist.request(other_stars[["bp_coefficients"]], "teff")
