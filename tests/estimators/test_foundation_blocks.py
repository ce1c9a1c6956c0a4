"""The generalist that reads and answers blocks of quantities as one token."""

import numpy as np
import pytest
from scipy.stats import norm, t

from msaestimator import StellarFoundationModel
from msaestimator.datasets import load_xp_sampling
from msaestimator.estimators._fainter_stars import ONCE
from msaestimator.estimators._generalist_draws import fainter_words
from msaestimator.estimators._generalist_errors import hold_back, situations
from msaestimator.results import SPECTRUM, PredictionFlag
from msaestimator.schema import G_BAND, Token, Vocabulary, g_flux

BLOCKS = {"read_by": "block", "n_requests": 2, "block_dropout": {"xp": 0.2, "label": 0.5}}


@pytest.fixture(scope="module")
def make_blocks(make_generalist):
    return lambda **changes: make_generalist(**BLOCKS | changes)


@pytest.fixture(scope="module")
def fitted(make_blocks, stars):
    further = {"calibration_fraction": 0.2, "likelihood": "student", "n_factors": 3}
    return make_blocks(max_epochs=3, make_fainter=17.0, **further).fit(stars)


def test_answers_are_of_each_star_alone(fitted, stars):
    asked = ["fe_h", "relative_bp_2", "ebv"]
    told = stars["teff", "logg", "phot_bp_mean_mag", "phot_rp_mean_mag"]
    together = fitted.request(told, asked)
    fitted_apart = [fitted.request(told[[row]], asked) for row in (0, 7)]
    for row, alone in zip((0, 7), fitted_apart, strict=True):
        for name in ("fe_h", "fe_h_err", "relative_bp_2", "ebv_upper"):
            np.testing.assert_allclose(alone[name][0], together[name][row], rtol=1e-5)


def test_requests_do_not_depend_on_each_other(fitted, stars):
    told = stars["teff", "logg", "ebv"]
    together = fitted.request(told, ["fe_h", "bp_rp", "relative_rp_3"])
    for name in ("fe_h", "bp_rp", "relative_rp_3"):
        alone = fitted.request(told, name)
        off = np.abs(alone[name] - together[name]) / together[f"{name}_err"]
        assert off.value.max() < 1e-5
        np.testing.assert_allclose(alone[f"{name}_err"], together[f"{name}_err"], rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*told")
def test_what_is_told_is_handed_back(fitted, stars):
    answer = fitted.request(stars["teff", "logg"], ["teff", "fe_h"])
    np.testing.assert_allclose(answer["teff"].value, stars["teff"].value, rtol=1e-5)
    assert not answer["teff_err"].value.any()
    assert (answer["fe_h_err"].value > 0).all()


def test_batches_do_not_matter(fitted, stars):
    whole = fitted.predict(stars)
    fitted.set_params(inference_batch_size=1000)
    np.testing.assert_allclose(fitted.predict(stars), whole, rtol=1e-5)
    fitted.set_params(inference_batch_size=16384)
    assert fitted.transform(stars[:0]).shape == (0, fitted.embedding_dim)


def test_vectors_are_of_what_is_known(fitted, stars):
    vectors = fitted.transform(stars)
    assert np.isfinite(vectors).all()
    blank = stars[:2]["teff", "ebv"]
    blank["ebv"] = np.nan
    assert np.isnan(fitted.transform(blank)).all()


def test_attention_of_a_block_is_shared_by_its_words(fitted, stars):
    attention = fitted.attention(stars[:5], ["teff", "relative_bp_1"])
    assert attention.shape == (5, 2, len(fitted.vocabulary_))
    bp = [fitted.vocabulary_.names.index(f"relative_bp_{order}") for order in range(1, 56)]
    assert (attention[:, :, bp] == attention[:, :, bp[:1]]).all()
    assert (np.nansum(attention, axis=2) < 1).all()
    unknown = np.isnan(attention[:, 0])
    np.testing.assert_array_equal(unknown, np.isnan(fitted.reader_.transform(stars[:5])[:, 0]))


def test_a_saved_one_is_the_same(fitted, stars, tmp_path):
    fitted.save_pretrained(tmp_path / "model")
    loaded = StellarFoundationModel.from_pretrained(tmp_path / "model")
    told = stars["bp_coefficients", "phot_g_mean_mag"]
    for name, column in fitted.request(told, ["teff", "ebv"]).columns.items():
        np.testing.assert_array_equal(loaded.request(told, ["teff", "ebv"])[name], column)


def test_errors_are_calibrated_by_what_is_known(fitted, stars):
    told = stars["teff", "logg"]
    calibrated = fitted.request(told, "fe_h")
    calibration, fitted.error_calibration_ = fitted.error_calibration_, None
    try:
        plain = fitted.request(told, "fe_h")
    finally:
        fitted.error_calibration_ = calibration
    np.testing.assert_array_equal(calibrated["fe_h"], plain["fe_h"])
    assert (calibrated["fe_h_err"] != plain["fe_h_err"]).any()


def test_an_error_is_half_the_central_68_percent_of_the_likelihood(make_blocks, stars):
    """Of Student's t of four degrees of freedom it is 1.14 of its scale, of a normal one 1."""
    told = stars["teff", "logg"]
    model = make_blocks(max_epochs=0, likelihood="student").fit(stars)
    student = model.request(told, "fe_h")
    normal = model.set_params(likelihood="gaussian").request(told, "fe_h")
    ratio = (student["fe_h_err"] / normal["fe_h_err"]).value
    np.testing.assert_allclose(ratio, t(4).ppf(norm.cdf(1.0)), rtol=1e-5)


def test_covariances_are_of_the_errors(fitted, stars):
    told = stars["logg", "ebv"][:4]
    names = ["teff", "fe_h", "relative_bp_1", "relative_rp_7"]
    covariance = fitted.covariance(told, names)
    answers = fitted.request(told, names)
    errors = np.stack([answers[f"{name}_err"].value for name in names], axis=1)
    np.testing.assert_allclose(np.sqrt(np.diagonal(covariance, 0, 1, 2)), errors, rtol=1e-4)
    np.testing.assert_array_equal(covariance, covariance.swapaxes(1, 2))
    correlation = covariance / (errors[:, :, None] * errors[:, None])
    assert np.linalg.eigvalsh(correlation).min() > 0
    assert np.abs(correlation[:, 0, 1:]).max() > 1e-3


def test_joint_draws_have_the_covariance(fitted, stars):
    told, names = stars["logg", "ebv"][:3], ["fe_h", "alpha_m", "relative_bp_1"]
    covariance = fitted.covariance(told, names)
    draws = fitted.sample(told, names, 20_000, random_state=0)
    answers = fitted.request(told, names)
    for row, expected in enumerate(covariance):
        drawn = np.stack([draws[name].value[row] for name in names])
        width = np.sqrt(np.diag(expected))
        # Scaled quantities are normal, and their asinh is hardly bent here.
        correlation = np.corrcoef(np.arcsinh(drawn / width[:, None]))
        np.testing.assert_allclose(correlation, expected / np.outer(width, width), atol=0.15)
        medians = [answers[name].value[row] for name in names]
        np.testing.assert_allclose(np.median(drawn, axis=1), medians, atol=0.05 * width.max())
    apart = fitted.sample(told, names, 20_000, joint=False, random_state=0)
    drawn = np.stack([apart[name].value[0] for name in names])
    np.testing.assert_allclose(np.corrcoef(drawn), np.eye(3), atol=0.05)


def test_covariances_do_not_depend_on_what_else_is_asked(fitted, stars):
    told = stars["logg", "ebv"][:4]
    few = fitted.covariance(told, ["fe_h", "relative_bp_2"])
    more = fitted.covariance(told, ["relative_bp_2", "teff", "fe_h"])
    np.testing.assert_allclose(few, more[:, [2, 0]][:, :, [2, 0]], rtol=1e-4)
    block = fitted.covariance(told, "bp_coefficients")
    np.testing.assert_allclose(block[:, 1, 1], few[:, 1, 1], rtol=1e-4)


def test_what_is_told_has_no_covariance(fitted, stars):
    covariance = fitted.covariance(stars["logg", "teff"][:3], ["teff", "fe_h"])
    assert not covariance[:, 0].any()
    assert (covariance[:, 1, 1] > 0).all()


def test_errors_of_spectra_are_those_of_covariances(fitted, stars):
    told = stars["teff", "logg", "ebv", G_BAND][:4]
    spectra = fitted.spectrum(told)
    covariance = fitted.covariance(told, SPECTRUM)
    matrix = load_xp_sampling().matrix.value
    variance = np.einsum("wi,nij,wj->nw", matrix, covariance, matrix)
    expected = np.sqrt(variance) * g_flux(told[G_BAND].value)[:, None]
    np.testing.assert_allclose(spectra["flux_err"].value, expected, rtol=1e-4)


def test_a_model_without_factors_has_no_covariances(make_blocks, stars):
    model = make_blocks(max_epochs=0).fit(stars)
    with pytest.raises(ValueError, match="nothing in common. Fit one with .*`n_factors`"):
        model.covariance(stars["logg", "ebv"], "teff")


def test_blocks_are_told_components_of_their_words(fitted, stars):
    """Of colours alone: coefficients need ten stars each."""
    (block,) = fitted.contrasts_
    assert block == "color"
    number = list(dict.fromkeys(token.block for token in fitted.vocabulary_.tokens)).index(block)
    assert fitted.module_.embeddings[number].contrasts is not None
    values = np.sinh(fitted.reader_.transform(stars)[:, 0])
    weights = fitted.contrasts_[block]["weights"]
    combined = np.nan_to_num(values) @ weights
    known = ~(np.isnan(values) @ (weights != 0).astype(float) > 0)
    assert 0.5 < combined[:, 0][known[:, 0]].std() < 2.0


def test_stars_held_back_are_not_trained_on_and_none_if_few():
    words = np.ones((1000, 2, 3))
    words[:10, 0] = np.nan
    rows, held = hold_back(words, 0.1, 7)
    assert sorted([*rows, *held]) == list(range(10, 1000))
    assert len(held) == 99
    np.testing.assert_array_equal(hold_back(words, 0.1, 7)[1], held)
    assert len(hold_back(words, 0.01, 7)[1]) == 0


def test_situations_are_shares_of_blocks_and_the_brightness():
    vocabulary = Vocabulary(
        (Token("a", block="x"), Token("b", block="x"), Token("phot_g_mean_mag", block="g"))
    )
    found = situations(vocabulary, np.array([[1.0, np.nan, 0.3], [np.nan, np.nan, np.nan]]))
    np.testing.assert_allclose(found, [[0.5, 1.0, 0.5**0.5, 1.0, 0.3], [0.0] * 5])


def test_moved_stars_keep_their_labels_but_the_distance(make_blocks, stars):
    table = stars.copy()
    table["distance"] = 2.0
    model = make_blocks(max_epochs=0, make_fainter=18.0, labels=("teff", "distance")).fit(table)
    words = model.reader_.transform(table)
    draw = fainter_words(model, model.reader_.open(table), words, None)
    rows = np.arange(0, len(table), 2)
    drawn, target, weights = draw(rows, ONCE)
    assert drawn is target
    assert weights.mean() == pytest.approx(1.0)
    names = model.vocabulary_.names
    in_units = model.scaler_.inverse_transform(drawn[:, 0].astype(float))
    g, distance, teff = (names.index(n) for n in ("phot_g_mean_mag", "distance", "teff"))
    moved = in_units[:, g] - stars["phot_g_mean_mag"].value[rows]
    assert (moved > 0.5).any()
    np.testing.assert_allclose(in_units[:, distance], 2.0 * 10 ** (moved / 5), rtol=1e-4)
    np.testing.assert_array_equal(drawn[:, :, teff], words[rows][:, :, teff])


def test_fainter_stars_are_read_as_their_table(make_blocks, stars):
    model = make_blocks(max_epochs=0, make_fainter=18.0).fit(stars)
    words = model.reader_.transform(stars)
    draw = fainter_words(model, model.reader_.open(stars), words, None)
    drawn, *_ = draw(np.arange(len(stars)), 5)
    assert (np.isnan(drawn[:, 0]) != np.isnan(words[:, 0])).any()
    again, *_ = draw(np.arange(len(stars)), 5)
    np.testing.assert_array_equal(drawn, again)


def test_fainter_stars_are_in_range(make_blocks, stars):
    told = stars["teff", "logg", "phot_g_mean_mag", "phot_bp_mean_mag"][:50]
    for name in ("phot_g_mean_mag", "phot_bp_mean_mag"):
        told[name] += 2.0 * told[name].unit
    beyond = []
    for changes in ({}, {"make_fainter": 18.0}):
        model = make_blocks(max_epochs=0, **changes).fit(stars)
        flags = np.asarray(model.request(told, "fe_h")["flags"])
        beyond.append((flags & PredictionFlag.OUT_OF_RANGE_INPUT != 0).mean())
    assert beyond[1] < 0.04 < beyond[0]


def test_a_matrix_cannot_be_made_fainter(make_blocks):
    matrix = np.random.default_rng(0).normal(size=(60, 3))
    with pytest.raises(ValueError, match="`make_fainter` needs a table of stars"):
        make_blocks(make_fainter=18.0).fit(matrix, matrix[:, 0])


def test_a_matrix_is_a_block_of_features(make_blocks):
    matrix = np.random.default_rng(0).normal(size=(80, 3))
    target = matrix @ [1.0, 0.5, 0.0]
    model = make_blocks(max_epochs=60, lr=1e-2, block_dropout=0.1).fit(matrix, target)
    assert model.score(matrix, target) > 0.5


@pytest.mark.parametrize("name", ["xq", "photometry"])
def test_blocks_that_do_not_exist(make_blocks, stars, name):
    with pytest.raises(ValueError, match=f"`block_dropout` must name blocks .* got '{name}'"):
        make_blocks(block_dropout={name: 0.1}).fit(stars)


@pytest.mark.parametrize(
    "changes",
    [
        {"partial_ratio": 0.9},
        {"block_dropout": 0.5},
        {"n_requests": 500},
        {"from_labels_ratio": 0.8},
        {"partial_ratio": {"xp": 0.9}},
        {"likelihood": "student"},
        {"resample_noise": True},
        {"sky_mix": True, "make_fainter": 18.0},
        {"make_fainter": 18.0},
        {"encoder_heads": (), "encoder_widths": ()},
    ],
    ids=str,
)
def test_settings_that_train(make_blocks, stars, changes):
    few = stars[:120]
    plain, model = (make_blocks(max_epochs=1, **c).fit(few) for c in ({}, changes))
    assert np.isfinite(model.net_.history[:, "train_loss"]).all()
    assert (model.predict(few) != plain.predict(few)).any()
