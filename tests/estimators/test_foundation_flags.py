"""What speaks against the generalist's answers, and the words that it knows."""

import copy
import warnings

import astropy.units as u
import numpy as np
import pytest
import torch

from msaestimator import StellarFoundationModel
from msaestimator.exceptions import ColumnError, MissingValueWarning, ToldRequestWarning
from msaestimator.results import PredictionFlag, flag_names, usable
from msaestimator.schema import G_BAND, GENERALIST, ZHANG2026, StarTable, Token

TOLD, BEYOND = PredictionFlag.TOLD, PredictionFlag.OUT_OF_RANGE_INPUT
LABEL_NAMES = ["teff", "logg", "fe_h"]


def dwarfs(*teff, **columns):
    """Return stars of these temperatures, with constant further columns."""
    told = {"teff": np.array(teff) * u.K} | {n: np.full(len(teff), v) for n, v in columns.items()}
    return StarTable(told)


@pytest.fixture
def saved_before(fitted):
    """The same as a model that was saved before ranges were noted."""
    old = copy.copy(fitted)
    del old.coverage_
    return old


def test_no_star_of_fit_is_out_of_range(fitted, few):
    with pytest.warns(ToldRequestWarning):
        flags = fitted.request(few, LABEL_NAMES)["flags"]
    assert not flags.any()


def test_told_values_beyond_their_range(fitted, few):
    low, high = few["teff"].value.min(), few["teff"].value.max()
    answers = fitted.request(dwarfs(low - 1, low, high, high + 1, 20_000), "logg")
    assert answers["flags"].tolist() == [BEYOND, 0, 0, BEYOND, BEYOND]
    assert usable(answers).tolist() == [False, True, True, False, False]


def test_ninety_thousand_kelvin_is_flagged(fitted):
    with pytest.warns(MissingValueWarning, match="teff"):
        answers = fitted.request(dwarfs(90_000), "logg")
    assert flag_names(answers).tolist() == ["NOTHING_KNOWN|INVALID_INPUT"]
    assert not usable(answers).any()


def test_only_inputs_count(fitted, few):
    stars = few[:2].copy()
    stars["ebv"][0] = 40.0 * u.mag
    assert fitted.request(stars, "fe_h", inputs=["teff"])["flags"].tolist() == [0, 0]
    assert fitted.request(stars, "fe_h", inputs=["ebv"])["flags"].tolist() == [BEYOND, 0]


def test_what_is_told_has_a_flag_and_a_warning(fitted, few):
    stars = few[:4].copy()
    stars["logg"][1:] = np.nan
    with pytest.warns(
        ToldRequestWarning, match="'logg', 'bp_rp': asked for and told, of up to 4 "
    ):
        answers = fitted.request(stars, ["logg", "bp_rp"])
    assert answers["logg_flags"].tolist() == [TOLD, 0, 0, 0]
    assert answers["bp_rp_flags"].tolist() == [TOLD] * 4
    assert usable(answers, "logg").tolist() == [False, True, True, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answers = fitted.request(stars, "logg", inputs=["bp_rp"])
    assert not answers["logg_flags"].any()


def test_the_warning_names_a_few(fitted, few):
    with pytest.warns(
        ToldRequestWarning, match="'teff', 'logg', 'fe_h' and 2 more: asked"
    ) as seen:
        fitted.request(few, [*LABEL_NAMES, "j_h", "ebv"])
    assert seen[0].filename == __file__


def test_a_draw_of_what_is_told_warns(fitted, few):
    with pytest.warns(ToldRequestWarning, match="'teff': asked for and told"):
        fitted.sample(few[:2], ["teff"], random_state=0)


def test_spectra_with_told_coefficients_have_a_flag(generalist, stars):
    some = stars[:3].copy()
    some["bp_coefficients"][1:] = some["rp_coefficients"][1] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flags = generalist.spectrum(some)["flags"]
    assert ((flags & TOLD) != 0).tolist() == [True, False, True]


def test_answers_beyond_the_training(fitted):
    extreme = copy.deepcopy(fitted)
    star = dwarfs(5000)
    assert not fitted.request(star, "bp_rp")["bp_rp_flags"].any()
    with torch.no_grad():
        for name, weight in extreme.module_.named_parameters():
            if name == "mean.bias":
                weight += 20
    answers = extreme.request(star, "bp_rp")
    assert answers["bp_rp_flags"].tolist() == [PredictionFlag.OUT_OF_RANGE_ANSWER]


def test_a_label_that_stars_of_this_teff_did_not_have(make_generalist, stars):
    known = stars.copy()
    limit = np.median(known["teff"])
    known["fe_h"][known["teff"] > limit] = np.nan
    model = make_generalist(max_epochs=20, lr=1e-2).fit(known)
    flag = PredictionFlag.UNCONSTRAINED_LABEL
    star = dwarfs(limit.value - 200, limit.value + 200)
    assert model.request(star, "fe_h")["fe_h_flags"].tolist() == [0, flag]
    assert model.request(star, "logg")["logg_flags"].tolist() == [0, 0]
    # Of stars whose Teff is not told, by the answer to it.
    unknown = stars[["bp_coefficients", "rp_coefficients", G_BAND]]
    answers = model.request(unknown, ["fe_h", "teff"])
    of_teff = answers["teff"] > known["teff"][np.isfinite(known["fe_h"])].max()
    assert 0 < of_teff.sum() < len(stars)
    np.testing.assert_array_equal((answers["fe_h_flags"] & flag) != 0, of_teff)
    alone = model.request(unknown, "fe_h")
    assert alone.colnames == [n for n in answers.colnames if not n.startswith("teff")]
    np.testing.assert_array_equal(alone["fe_h_flags"], answers["fe_h_flags"])


def test_one_saved_before_ranges_were_noted(saved_before, fitted, tmp_path):
    hot = dwarfs(20_000)
    fitted.save_pretrained(tmp_path / "new")
    saved_before.save_pretrained(tmp_path / "old")
    new, old = (StellarFoundationModel.from_pretrained(tmp_path / n) for n in ("new", "old"))
    for model, flag in ((new, BEYOND), (old, 0)):
        assert model.request(hot, "logg")["flags"].tolist() == [flag]
        with pytest.warns(ToldRequestWarning):
            assert model.request(hot, "teff")["teff_flags"][0] & TOLD
    assert new.request(hot, "logg")["logg"] == old.request(hot, "logg")["logg"]
    assert set(new.words.colnames) - set(old.words.colnames) == {"n_stars", "low", "high"}
    assert len(new.valid_ranges) > len(old.valid_ranges)


def test_training_on_widens_the_range(make_generalist, few):
    hot = few.copy()
    hot["teff"] += 3000 * u.K
    model = make_generalist(max_epochs=1, warm_start=True).fit(few)
    highest = few["teff"].value.max()
    assert model.request(dwarfs(highest + 2000), "logg")["flags"].tolist() == [BEYOND]
    model.fit(hot)
    answers = model.request(dwarfs(few["teff"].value.min(), highest + 2000), "logg")
    assert answers["flags"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"age": 5.0}, "had 'age'. Leave them out, or fit anew .warm_start=False"),
        ({"age": 5.0, "mass": 1.0}, "had 'age', 'mass'. Leave"),
        ({"parallax": 1.0, G_BAND: 12.0}, "'color_phot_bp_mean_mag', .* .from h_m, j_m"),
    ],
    ids=str,
)
def test_no_new_words_where_a_training_goes_on(make_generalist, few, weights, column, message):
    model = make_generalist(max_epochs=1, warm_start=True).fit(few)
    before = weights(model)
    more = few.copy()
    for name, value in column.items():
        more[name] = np.full(len(few), value)
    with pytest.raises(ColumnError, match=f"learns no new words, and no star .* {message}"):
        model.fit(more)
    assert weights(model) == before
    for name in column:
        more[name][:] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the column is of no use
        model.fit(more)
    assert weights(model) != before


def test_nor_by_another_vocabulary_or_other_labels(make_generalist, few):
    model = make_generalist(max_epochs=1, warm_start=True).fit(few)
    more = few.copy()
    more["vsini"] = np.linspace(1, 9, len(few)) * u.km / u.s
    model.fit(more)  # no word: ignored as ever
    wider = GENERALIST.with_tokens(Token("vsini", "km / s"))
    with pytest.raises(ColumnError, match="no star of its first fit had 'vsini'. Leave"):
        model.set_params(vocabulary=wider).fit(more)
    with pytest.raises(ColumnError, match="no star of its first fit had 'vsini'. Leave"):
        model.set_params(vocabulary=None, labels=["teff", "vsini"]).fit(more)


def test_words(generalist, stars):
    words = generalist.words
    assert words.colnames == [
        *("name", "unit", "block", "can_be_told", "can_be_asked", "n_stars", "low", "high"),
        "description",
    ]
    assert tuple(words["name"]) == generalist.vocabulary_.names
    assert tuple(words["name"][words["can_be_told"]]) == generalist.trained_tokens
    words.add_index("name")
    teff, age = words.loc["teff"], words.loc["age"]
    assert (teff["unit"], teff["block"]) == ("K", "label")
    assert teff["description"] == "effective temperature"
    assert teff["n_stars"] == len(stars)
    ends = [stars["teff"].value.min(), stars["teff"].value.max()]
    np.testing.assert_allclose([teff["low"], teff["high"]], ends, rtol=1e-6)
    assert (age["n_stars"], age["can_be_told"], age["can_be_asked"]) == (0, False, False)
    assert np.isnan([age["low"], age["high"]]).all()
    assert words.loc["bp_rp"]["description"] == "phot_bp_mean_mag - phot_rp_mean_mag"
    assert words.loc["relative_bp_1"]["description"].startswith("BP spectrum, coefficient 1")
    known = np.isfinite(stars["fe_h"]).sum()
    assert words.loc["fe_h"]["n_stars"] == known
    assert words["low"].info.format == ".6g"


def test_typical_errors_are_of_stars_held_back(make_generalist, stars, generalist, tmp_path):
    model = make_generalist(max_epochs=1, calibration_fraction=0.25).fit(stars)
    words = model.words
    assert words.colnames[-2:] == ["typical_error", "description"]
    teff = model.vocabulary_.index(["teff"])[0]
    scaled = model.error_calibration_.typical_errors_[teff]
    step = np.array([[-1e-4], [1e-4]]) * scaled
    slope = np.ptp(model.reader_.unscaled([teff], step)) / 2e-4
    assert words["typical_error"][teff] == pytest.approx(slope, rel=1e-4)
    assert 100 < words["typical_error"][teff] < 5000, "It has learned little of Teff."
    assert np.isnan(words["typical_error"][~words["can_be_told"]]).all()
    model.save_pretrained(tmp_path)
    loaded = StellarFoundationModel.from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded.words["typical_error"], words["typical_error"])
    loaded.error_calibration_.typical_errors_ = None  # as of one that was saved before
    for other in (loaded, generalist):
        assert "typical_error" not in other.words.colnames


def test_words_that_training_shows_and_never_asks(make_generalist, few):
    words = make_generalist(max_epochs=0, vocabulary=ZHANG2026).fit(few).words
    words.add_index("name")
    assert words.loc["bp_rp"]["can_be_told"]
    assert not words.loc["bp_rp"]["can_be_asked"]
    assert words.loc["j_h"]["can_be_asked"]


def test_ranges_are_those_of_the_flags(fitted, few):
    ranges = {(r["quantity"], r["flag"]): (r["low"], r["high"]) for r in fitted.valid_ranges}
    ends = [few["logg"].value.min(), few["logg"].value.max()]
    np.testing.assert_allclose(ranges["logg", "OUT_OF_RANGE_INPUT"], ends, rtol=1e-6)


def test_what_no_star_has_together(make_generalist, load_plain, tmp_path):
    """A temperature of 6,000 K and a log g of 0.5 are ordinary, each by itself."""
    known = load_plain("train")[:3000]["teff", "logg", "ebv"]
    model = make_generalist(max_epochs=1, batch_size=500).fit(known)
    star = dwarfs(5772, 6000, 4500, 10_000, logg=0.0)
    star["logg"] = [4.4, 0.5, 2.0, 2.0] * u.dex
    odd = PredictionFlag.INCONSISTENT_INPUTS
    answers = model.request(star, "ebv")
    assert answers["flags"].tolist() == [0, odd, 0, odd]
    assert usable(answers).tolist() == [True, False, True, False]
    assert not model.request(star, "ebv", inputs="teff")["flags"].any()
    model.save_pretrained(tmp_path)
    loaded = StellarFoundationModel.from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded.request(star, "ebv")["flags"], answers["flags"])
    del loaded.outliers_  # as of a model that was saved before stars were kept
    assert not loaded.request(star, "ebv")["flags"].any()
    others = model.request(load_plain("test")["teff", "logg"], "ebv")
    assert 0.004 < ((others["flags"] & odd) != 0).mean() < 0.025
