"""Draws, attention and vectors of the generalist."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator.exceptions import ColumnError
from msaestimator.schema import LABELS, StarTable, Token, Vocabulary

# What is drawn here is often told too, of which there are tests of its own.
pytestmark = pytest.mark.filterwarnings("ignore::msaestimator.exceptions.ToldRequestWarning")

ONE = StarTable({"teff": [4800.0], "logg": [2.5]})


@pytest.fixture(scope="module")
def copycat(make_generalist):
    """A generalist of a quantity, another that is the same but for 1 %, and noise."""
    rng = np.random.default_rng(0)
    first, noise = rng.normal(size=(2, 400))
    table = StarTable({"first": first, "second": first + rng.normal(0, 0.01, 400), "noise": noise})
    words = Vocabulary(tuple(Token(name) for name in table.colnames))
    return make_generalist(
        vocabulary=words, n_inputs=(0, 2), n_requests=3, max_epochs=40, lr=1e-2, embedding_dim=16
    ).fit(table)


def test_draws_of_one_quantity_are_as_requested(generalist):
    draws = generalist.sample(ONE, "logg", 4000, random_state=0)["logg"][0]
    (asked,) = generalist.request(ONE, "logg")
    error = asked["logg_err"].value
    # Asinh is curved over an error as large as an untrained net's, so that the first order of
    # the error is coarse.
    inner = np.percentile(draws.value, [16, 50, 84])
    assert inner[1] == pytest.approx(asked["logg"].value, abs=0.06 * error)
    assert (inner[2] - inner[0]) / 2 == pytest.approx(error, rel=0.3)


def test_draws_without_asinh_are_gaussian(make_generalist, few):
    model = make_generalist(asinh=False).fit(few)
    (asked,) = model.request(ONE, ["logg", "teff"])
    draws = model.sample(ONE, "logg", 4000, random_state=1)["logg"][0].value
    error = asked["logg_err"].value
    assert draws.mean() == pytest.approx(asked["logg"].value, abs=0.06 * error)
    assert draws.std() == pytest.approx(error, rel=0.05)
    # A logarithm's draws are log-normal around the median, with the error in the logarithm.
    draws = np.log(model.sample(ONE, "teff", 4000, random_state=1)["teff"][0].value)
    error = (asked["teff_err"] / asked["teff"]).value
    assert draws.mean() == pytest.approx(np.log(asked["teff"].value), abs=0.06 * error)
    assert draws.std() == pytest.approx(error, rel=0.05)


def test_each_draw_knows_those_before_it(make_generalist, few):
    """The second quantity is drawn from what a request says that is told the first's draws."""
    model = make_generalist(asinh=False).fit(few)
    draws = model.sample(ONE, ["fe_h", "j_h"], 1000, random_state=2)
    told = StarTable({name: np.repeat(ONE[name], 1000) for name in ONE.colnames})
    told["fe_h"] = draws["fe_h"][0]
    possible = told["fe_h"].value < LABELS["fe_h"].limits[1]
    told, draws = told[possible], {name: draws[name][0][possible] for name in draws.colnames}
    asked = model.request(told, "j_h")
    z = ((draws["j_h"] - asked["j_h"]) / asked["j_h_err"]).value
    assert abs(z.mean()) < 0.1
    assert z.std() == pytest.approx(1, abs=0.08)
    assert abs(np.corrcoef(z, draws["fe_h"].value)[0, 1]) < 0.1


def test_joint_draws_belong_together(copycat):
    unknown = StarTable({"noise": [0.0]})
    both = copycat.sample(unknown, ["first", "second"], 2000, random_state=0)
    first, second = both["first"][0].value, both["second"][0].value
    assert np.corrcoef(first, second)[0, 1] > 0.9
    assert first.std() == pytest.approx(1, abs=0.3)
    alone = [
        copycat.sample(unknown, name, 2000, random_state=i)[name][0].value
        for i, name in enumerate(("first", "second"))
    ]
    assert abs(np.corrcoef(*alone)[0, 1]) < 0.1


def log_draws(model, requests, **asked):
    """Return logarithms of draws for a giant with log g of 2.4, (n_requests, n_samples)."""
    giant = StarTable({"logg": [2.4] * u.dex})
    draws = model.sample(giant, requests, 2000, random_state=0, **asked)
    return np.log10([draws[name][0].value for name in requests])


@pytest.mark.parametrize("requests", [["mass", "age"], ["age", "mass"]])
def test_mass_and_age_at_one_log_g_belong_together(giant_model, giants, requests):
    """As they do among the stars that were learned from, in whichever order they are drawn."""
    truth = np.log10([giants[name].value for name in requests])
    together = log_draws(giant_model, requests)
    assert np.corrcoef(truth)[0, 1] < -0.98
    assert np.corrcoef(together)[0, 1] < -0.9
    np.testing.assert_allclose(together.std(axis=1), truth.std(axis=1), rtol=0.3)


def test_draws_apart_do_not_belong_together(giant_model):
    """But each is as spread as if they did."""
    requests = ["mass", "age"]
    apart, together = (log_draws(giant_model, requests, joint=j) for j in (False, True))
    assert abs(np.corrcoef(apart)[0, 1]) < 0.08
    np.testing.assert_allclose(apart.std(axis=1), together.std(axis=1), rtol=0.2)
    np.testing.assert_allclose(apart.mean(axis=1), together.mean(axis=1), atol=0.06)


def test_draws_apart_are_those_of_each_request_alone(generalist):
    draws = generalist.sample(ONE, ["bp_rp", "fe_h"], 4000, joint=False, random_state=0)
    for name in draws.colnames:
        alone = generalist.sample(ONE, name, 4000, random_state=1)[name][0].value
        inner = [np.percentile(values, [16, 50, 84]) for values in (draws[name][0].value, alone)]
        np.testing.assert_allclose(*inner, atol=0.1 * np.ptp(alone) / 4)


def test_joint_is_how_draws_are_made(generalist):
    asked = {"requests": ["bp_rp", "fe_h"], "n_samples": 3, "random_state": 0}
    default, together, apart = (
        generalist.sample(ONE, **asked, **how) for how in ({}, {"joint": True}, {"joint": False})
    )
    np.testing.assert_array_equal(default["fe_h"], together["fe_h"])
    assert (default["fe_h"] != apart["fe_h"]).all()


def test_what_is_told_is_copied(copycat):
    told = StarTable({"first": [-1.0, 0.0, 1.0]})
    np.testing.assert_allclose(copycat.request(told, "second")["second"], told["first"], atol=0.3)
    errors = copycat.request(told, ["second", "noise"])
    assert (errors["noise_err"] > 3 * errors["second_err"]).all()


def test_shapes_and_units(generalist, other_stars):
    draws = generalist.sample(other_stars[:6], ["teff", "bp_rp"], 5, random_state=0)
    assert draws.colnames == ["teff", "bp_rp"]
    assert draws["teff"].shape == draws["bp_rp"].shape == (6, 5)
    assert (draws["teff"].unit, draws["bp_rp"].unit) == (u.K, u.mag)
    assert (draws["teff"] > 0).all(), "A logarithm's draws are positive."
    assert generalist.sample(other_stars[:6], "teff")["teff"].shape == (6, 1)


def test_random_states(generalist, other_stars):
    def draw(state):
        return generalist.sample(other_stars[:3], ["teff", "logg"], 4, random_state=state)["logg"]

    np.testing.assert_array_equal(draw(3), draw(3))
    np.testing.assert_array_equal(draw(3), draw(np.random.RandomState(3)))
    assert (draw(3) != draw(4)).all()
    assert len(np.unique(draw(3))) == 12


def test_draws_from_nothing_but_inputs(generalist, other_stars):
    asked = {"requests": ["teff"], "n_samples": 3, "random_state": 0}
    told = generalist.sample(other_stars[["logg", "ebv"]], **asked)
    np.testing.assert_allclose(
        generalist.sample(other_stars, **asked, inputs=["logg", "ebv"])["teff"],
        told["teff"],
        rtol=1e-5,
    )


@pytest.mark.parametrize("n", [0, -1])
def test_too_few_draws(generalist, n):
    with pytest.raises(ValueError, match=f"`n_samples` must be at least 1, got {n}"):
        generalist.sample(ONE, "teff", n)


def test_attention(generalist, other_stars):
    told = ["teff", "logg", "j_h"]
    looked = generalist.attention(other_stars, ["fe_h", "bp_rp"], inputs=told)
    assert looked.shape == (100, 2, len(generalist.vocabulary_))
    assert looked.dtype == np.float32
    known = np.isin(generalist.vocabulary_.names, told)
    assert np.isnan(looked[..., ~known]).all()
    assert (looked[..., known] > 0).all()
    assert (looked[..., known].sum(axis=-1) < 1).all()


def test_attention_is_nan_where_a_star_lacks_something(generalist, other_stars):
    few = other_stars[:4].copy()
    few["teff"][2] = np.nan
    looked = generalist.attention(few, "fe_h", inputs=["teff", "logg"])
    names = list(generalist.vocabulary_.names)
    assert np.isnan(looked[:, 0, names.index("teff")]).tolist() == [False, False, True, False]
    np.testing.assert_allclose(
        looked[:2], generalist.attention(few[:2], "fe_h", inputs=["logg", "teff"]), atol=1e-6
    )
    assert looked[2, 0, names.index("logg")] > 0


def test_attention_with_nothing_known(generalist):
    nothing = StarTable({"teff": [np.nan, 5000.0]})
    looked = generalist.attention(nothing, ["logg", "fe_h"])
    assert np.isnan(looked[0]).all()
    assert np.isfinite(looked[1]).any()


def test_a_request_looks_for_its_copy(copycat):
    looked = copycat.attention(StarTable({"first": [1.0], "noise": [1.0]}), ["second"])[0, 0]
    assert looked[0] > looked[2]


def test_vectors(generalist, other_stars):
    vectors = generalist.transform(other_stars)
    assert vectors.shape == (100, generalist.embedding_dim)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    order = np.random.default_rng(0).permutation(100)
    np.testing.assert_allclose(generalist.transform(other_stars[order]), vectors[order], atol=1e-5)
    assert len(np.unique(vectors, axis=0)) == 100


def test_no_vector_of_nothing(generalist):
    vectors = generalist.transform(StarTable({"ebv": [np.nan, 0.1], "teff": [5000.0, 5000.0]}))
    assert np.isnan(vectors[0]).all(), "Labels are not looked at."
    assert np.isfinite(vectors[1]).all()


def test_what_can_be_told_and_asked(generalist, fitted):
    assert fitted.trained_tokens == ("bp_rp", "j_h", "j_ks", "ebv", "teff", "logg", "fe_h")
    assert fitted.xp_columns == ()
    assert len(generalist.xp_columns) == 110
    assert generalist.xp_columns[0] == "relative_bp_1"
    with pytest.raises(ColumnError, match="none had relative_bp_1"):
        fitted.request(ONE, generalist.xp_columns[:1])
