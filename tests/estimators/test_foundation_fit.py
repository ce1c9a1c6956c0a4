"""Fitting the generalist: the forms of stars and labels, vocabularies, the run of a training."""

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import QTable, Table

from msaestimator.exceptions import ColumnError
from msaestimator.schema import (
    GAIA_DR3,
    GAIA_DR4,
    GENERALIST,
    ZHANG2026,
    Column,
    StarTable,
    Token,
    Vocabulary,
    vocabulary_of,
)

pytestmark = pytest.mark.filterwarnings("ignore::msaestimator.exceptions.ToldRequestWarning")
LABEL_NAMES = ["teff", "logg", "fe_h"]


def as_structured(table):
    return np.asarray(Table({name: table[name].value for name in table.colnames}).as_array())


def test_every_form_of_a_table_is_the_same(make_generalist, few, fitted, weights, to_frame):
    plain = Table({name: few[name].value for name in few.colnames})
    for form in (QTable(few), Table(few, masked=True), plain, as_structured(few), to_frame(few)):
        again = make_generalist().fit(form)
        assert weights(again) == weights(fitted)
        np.testing.assert_array_equal(again.predict(form), fitted.predict(few))
        assert again.labels_ == fitted.labels_ == tuple(LABEL_NAMES)


def test_coefficients_as_arrays_and_as_columns_are_the_same(
    make_generalist, stars, weights, to_frame
):
    few = stars[:50]
    few = few[[name for name in few.colnames if not name.endswith("errors")]]
    assert weights(make_generalist().fit(few)) == weights(make_generalist().fit(to_frame(few)))


def test_the_order_of_columns_and_other_columns_do_not_matter(
    make_generalist, few, fitted, weights
):
    turned = few[few.colnames[::-1]]
    turned["note"] = ["ignored"] * len(turned)
    assert weights(make_generalist().fit(turned)) == weights(fitted)


def test_units_are_converted(make_generalist, few, fitted):
    other = few.copy()
    other["teff"], other["teff_err"] = few["teff"].to("kK"), few["teff_err"].to("kK")
    other["j_m"] = few["j_m"].to("mmag")
    again = make_generalist().fit(other)
    np.testing.assert_allclose(again.predict(other), fitted.predict(few), rtol=1e-3, atol=1e-3)


def test_labels_as_a_table_are_those_of_the_stars(make_generalist, few, fitted, weights):
    with_errors = few[[name for name in few.colnames if name.startswith(tuple(LABEL_NAMES))]]
    told = [name for name in few.colnames if name not in with_errors.colnames]
    again = make_generalist().fit(few[told], with_errors)
    assert weights(again) == weights(fitted)
    assert again.labels_ == tuple(LABEL_NAMES)


@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, list])
def test_labels_without_errors(make_generalist, few, weights, form):
    without = few[[name for name in few.colnames if not name.endswith("_err")]]
    y = np.column_stack([few[name].value for name in LABEL_NAMES])
    y = pd.DataFrame(y, columns=LABEL_NAMES) if form is pd.DataFrame else form(y)
    labels = None if form is pd.DataFrame else LABEL_NAMES
    expected = make_generalist().fit(without)
    # The labels of y take the place of those of X, errors too.
    again = make_generalist(labels=labels).fit(few, y)
    assert weights(again) == weights(expected)
    assert again.score(few, y) == pytest.approx(expected.score(without))


def test_a_label_without_a_name(make_generalist, few):
    y = np.linspace(-1, 1, len(few))
    model = make_generalist(max_epochs=1).fit(few, y)
    assert model.labels_ == ("y0",)
    assert model.predict(few).shape == (100,)
    assert model.request(few, "y0")["y0"].unit == ""
    assert make_generalist(max_epochs=1).fit(few, y[:, None]).predict(few).shape == (100, 1)


def test_labels_of_a_matrix_are_learned_as_those_of_a_table(make_generalist, few):
    """Temperatures and ages as logarithms, so that they stay positive."""
    x = np.random.default_rng(0).normal(size=(100, 3))
    y = (np.abs(x) + 1) * [2000, 1, 1]
    model = make_generalist(labels=("teff", "age", "y")).fit(x, y)
    assert model.scaler_.is_log_.tolist() == [False, False, False, True, True, False]
    assert model.request(x, ["age", "y"])["age"].unit == "Gyr"


def test_labels_name_what_is_predicted(make_generalist, few):
    model = make_generalist(labels=("logg", "bp_rp"), max_epochs=1).fit(few)
    assert model.predict(few).shape == (100, 2)
    asked = model.request(
        few, ["logg", "bp_rp"], inputs=sorted(set(model.trained_tokens) - HIDDEN)
    )
    np.testing.assert_allclose(model.predict(few)[:, 1], asked["bp_rp"].value, rtol=1e-5)
    assert np.isfinite(model.score(few))
    assert "teff" in model.trained_tokens


HIDDEN = {"logg", "bp_rp"}


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (("teff", "age"), ColumnError, "`labels` must be tokens .* none had age"),
        (("tef",), ColumnError, "has no 'tef'.*mean 'teff'"),
        ("teff", ValueError, "`labels` must be a sequence of names, got 'teff'"),
        ({"teff": "kK"}, ValueError, "`labels` must be a sequence of names, got {'teff'"),
    ],
)
def test_wrong_labels(make_generalist, few, labels, error, message):
    with pytest.raises(error, match=message):
        make_generalist(labels=labels).fit(few)


def test_labels_that_are_not_those_of_y(make_generalist, few):
    with pytest.raises(ColumnError, match="`labels` must name each of the 3 columns of y"):
        make_generalist(labels=("teff",)).fit(few, np.full((100, 3), 5000.0))
    with pytest.raises(ColumnError, match="known for at least one star, but teff has no value"):
        make_generalist(labels=("teff",)).fit(few, np.full(100, np.nan))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make_generalist(labels=("teff",)).fit(few, np.full(99, 5000.0))


def test_labels_are_not_looked_at(generalist, other_stars):
    other = other_stars.copy()
    for name in generalist.labels_:
        other[name] = np.roll(other[name], 7) * 1.1
    np.testing.assert_array_equal(generalist.predict(other), generalist.predict(other_stars))
    np.testing.assert_array_equal(generalist.transform(other), generalist.transform(other_stars))
    labels = other_stars[list(generalist.labels_)]
    score = generalist.score(other_stars)
    assert generalist.score(other, labels) == score != generalist.score(other)


def test_stars_without_labels(make_generalist, few):
    model = make_generalist(max_epochs=1).fit(few["j_m", "h_m", "ks_m", "ebv"])
    assert model.labels_ == ()
    assert np.isfinite(model.request(few[["ebv"]], "j_h")["j_h"]).all()
    for ask in (model.predict, model.score):
        with pytest.raises(ColumnError, match="`labels` must name at least one token"):
            ask(few)


def test_a_matrix(make_generalist):
    x = np.random.default_rng(0).normal(size=(60, 4))
    x[::5, 1] = np.nan
    model = make_generalist().fit(x, x[:, 0])
    assert model.trained_tokens == ("x0", "x1", "x2", "x3", "y0")
    assert model.predict(x).shape == (60,)
    ends = ("", "_err", "_lower", "_upper")
    names = [f"{name}{end}" for name in ("x1", "y0") for end in (*ends, "_flags")]
    assert model.request(x, ["x1", "y0"]).colnames == [*names, "flags"]
    frame = pd.DataFrame(x, columns=list("abcd"))
    assert make_generalist().fit(frame, x[:, 0]).trained_tokens == (*"abcd", "y0")
    with pytest.raises(ValueError, match="requires y to be passed"):
        make_generalist().fit(x)


def test_a_quantity_more(make_generalist, stars, assert_same):
    vocabulary = GENERALIST.with_tokens(Token("vsini", "km / s", log=True))
    more = stars[:60].copy()
    more["vsini"] = np.linspace(5, 50, 60) * 1000
    more["vsini"].unit = "m / s"
    model = make_generalist(vocabulary=vocabulary, max_epochs=1).fit(more)
    answer = model.request(more, "vsini")
    assert answer["vsini"].unit == "km / s"
    assert (answer["vsini"].value < 1000).all()
    other = more.copy()
    other["vsini"][:] = 20 * u.km / u.s
    assert (model.request(other, "teff")["teff"] != model.request(more, "teff")["teff"]).all()


@pytest.mark.filterwarnings("ignore:.*no star of fit had it")
def test_a_schema_of_ones_own(make_generalist, stars):
    schema = GAIA_DR3.with_columns(Column("cfis_u", "mag"))
    vocabulary = vocabulary_of(schema)
    assert len(vocabulary) == len(GENERALIST) + 1
    more = stars[:60].copy()
    more["cfis_u"] = np.linspace(15, 20, 60)
    model = make_generalist(vocabulary=vocabulary, max_epochs=1).fit(more)
    assert model.request(more, "cfis_u")["cfis_u"].unit == "mag"


def test_another_release(make_generalist, stars):
    vocabulary = vocabulary_of(GAIA_DR4)
    coefficients = [name for name in vocabulary.names if name.startswith("relative_")]
    assert len(coefficients) == 51 + 55
    later = stars[:60].copy()
    for name in ("bp_coefficients", "bp_coefficient_errors"):
        later[name] = later[name][:, :51]
    model = make_generalist(vocabulary=vocabulary, max_epochs=1).fit(later)
    assert len(model.xp_columns) == 106
    with pytest.raises(ColumnError, match="55"):
        model.request(stars, "teff")


def test_a_vocabulary_without_what_stars_have(make_generalist, few):
    words = Vocabulary((Token("vsini", "km / s"), Token("period", "d")))
    with pytest.raises(ColumnError, match="a quantity of the vocabulary"):
        make_generalist(vocabulary=words).fit(few)
    empty = StarTable({"vsini": [np.nan, np.nan]})
    with pytest.raises(ColumnError, match="at least one known quantity, got none"):
        make_generalist(vocabulary=words).fit(empty)


def test_nothing_to_ask_for(make_generalist, few):
    with pytest.raises(ColumnError, match="a quantity that training asks for, got only bp_rp"):
        make_generalist(vocabulary=ZHANG2026).fit(few[["phot_bp_mean_mag", "phot_rp_mean_mag"]])
