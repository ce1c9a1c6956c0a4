"""The autoencoder: latent vectors, reconstruction, score."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import read_features
from msaestimator.schema import GAIA_DR3

RATIOS = ("mask_ratio", "xp_mask_ratio", "block_mask_ratio", "span_mask_ratio")
KINDS = {
    "StarTable": lambda stars, to_frame: stars,
    "QTable": lambda stars, to_frame: QTable(stars),
    "Table": lambda stars, to_frame: Table(stars),
    "DataFrame": lambda stars, to_frame: to_frame(stars),
    "structured array": lambda stars, to_frame: Table(stars).as_array(),
}


@pytest.fixture
def gappy(stars):
    """Stars of which some lack J, some XP, one everything."""
    gappy = stars[:40].copy()
    gappy["j_m"][:10] = np.nan
    gappy["bp_coefficients"][5:15] = np.nan
    gappy["rp_coefficients"][12:15, 30:] = np.nan
    for name in gappy.colnames:
        if name in GAIA_DR3 or name.endswith("_coefficients"):
            gappy[name][20] = np.nan
    return gappy


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_gives_the_same(msa, stars, gappy, to_frame, kind):
    table = KINDS[kind](gappy, to_frame)
    np.testing.assert_array_equal(msa.transform(table), msa.transform(gappy))
    assert msa.score(table) == msa.score(gappy)
    reconstructed = msa.reconstruct(table)
    assert isinstance(reconstructed, StarTable)
    np.testing.assert_allclose(
        reconstructed["bp_coefficients"], msa.reconstruct(gappy)["bp_coefficients"], rtol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_is_learned_alike(make_msa, stars, to_frame, weights, kind):
    # A frame has no room for the errors of coefficients, which set the scale of the loss.
    stars = stars[[name for name in stars.colnames if not name.endswith("_errors")]]
    table = KINDS[kind](stars, to_frame)
    assert weights(make_msa().fit(table)) == weights(make_msa().fit(stars))


def test_latent_vectors(msa, stars):
    latent = msa.transform(stars)
    assert latent.shape == (len(stars), 8)
    assert latent.dtype == np.float32
    assert np.isfinite(latent).all()
    assert (latent.std(axis=0) > 0).any()
    assert list(msa.get_feature_names_out()) == [f"latent{i}" for i in range(8)]


def test_latent_vectors_as_pandas(make_msa, stars):
    frame = make_msa().set_output(transform="pandas").fit(stars).transform(stars)
    assert list(frame.columns) == [f"latent{i}" for i in range(8)]


def test_a_star_without_features_has_no_latent_vector(msa, gappy):
    missing = np.isnan(msa.transform(gappy))
    assert missing[20].all()
    assert not np.delete(missing, 20, axis=0).any()


def test_a_star_without_features_teaches_nothing(make_msa, stars, gappy, weights):
    others = gappy[np.arange(len(gappy)) != 20]
    assert weights(make_msa().fit(gappy)) == weights(make_msa().fit(others))


def test_training_lowers_the_error(make_msa, msa, stars, other_stars):
    untrained = make_msa(max_epochs=0).fit(stars)
    assert untrained.score(other_stars) < msa.score(other_stars) < 0


def test_score_is_the_same_each_time(msa, other_stars):
    assert msa.score(other_stars) == msa.score(other_stars)


def test_score_of_a_pure_copy_of_the_features(make_msa, stars):
    ratios = dict.fromkeys(RATIOS, 0.0)
    msa = make_msa(max_epochs=0, protected=(), **ratios).fit(stars)
    assert msa.score(stars) == 0, "Nothing is held out, so nothing is wrong."


def test_reconstruction_keeps_what_was_observed(msa, gappy):
    observed = read_features(gappy, GAIA_DR3)
    filled = read_features(msa.reconstruct(gappy), GAIA_DR3)
    known = np.isfinite(observed)
    np.testing.assert_array_equal(filled[known], observed[known])


def test_reconstruction_fills_what_was_missing(msa, gappy):
    filled = msa.reconstruct(gappy)
    with_features = np.arange(len(gappy)) != 20
    for name in ("j_m", "bp_coefficients", "rp_coefficients"):
        values = np.asarray(getattr(filled[name], "value", filled[name]))
        assert np.isfinite(values[with_features]).all()
        assert np.isnan(values[20]).all()


def test_reconstruction_is_in_the_features_units_and_near_them(make_msa, stars):
    hidden = stars.copy()
    hidden["j_m"][:100] = np.nan
    filled = make_msa(max_epochs=30).fit(hidden).reconstruct(hidden)
    assert filled["j_m"].unit == u.mag
    error = (filled["j_m"] - stars["j_m"])[:100].value
    assert np.abs(error).mean() < 0.7 * np.abs(stars["j_m"].value - 12.0).mean()


def test_reconstruction_keeps_other_columns(msa, gappy):
    before = gappy.copy()
    filled = msa.reconstruct(gappy)
    assert filled["source_id"].dtype == np.int64
    np.testing.assert_array_equal(filled["source_id"], gappy["source_id"])
    np.testing.assert_array_equal(filled["teff"], gappy["teff"])
    assert filled["teff"].unit == u.K
    assert filled["ra"].unit == u.deg
    for name in gappy.colnames:
        np.testing.assert_array_equal(gappy[name], before[name], err_msg="The input has changed.")


def test_reconstruction_of_a_frame_keeps_other_columns(msa, gappy, to_frame):
    filled = msa.reconstruct(to_frame(gappy))
    np.testing.assert_array_equal(filled["source_id"], gappy["source_id"])
    assert filled["source_id"].dtype == np.int64


def test_reconstruction_of_a_matrix(make_msa):
    rng = np.random.default_rng(0)
    x = rng.normal(5.0, 2.0, size=(100, 6))
    x[rng.random(x.shape) < 0.2] = np.nan
    filled = make_msa().fit(x).reconstruct(x)
    assert filled.shape == x.shape
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[np.isfinite(x)], x[np.isfinite(x)])


def test_protected_features_are_never_hidden(make_msa, stars):
    msa = make_msa(protected=("j_m",), mask_ratio=1.0, xp_mask_ratio=1.0).fit(stars)
    hidden = msa.mask().draw(50).numpy()
    shown = [name for name, h in zip(msa.feature_names_, hidden.T, strict=True) if not h.any()]
    assert shown == ["j_m"]


def test_the_schema_protects_the_thesis_bands(msa):
    hidden = msa.mask().draw(2000).numpy()
    shown = {name for name, h in zip(msa.feature_names_, hidden.T, strict=True) if not h.any()}
    assert shown == {"phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"}


def test_xp_coefficients_are_hidden_together(make_msa, stars):
    msa = make_msa(span_mask_ratio=0.0).fit(stars)
    is_xp = [name.startswith("normalized_") for name in msa.feature_names_]
    hidden = msa.mask().draw(200).numpy()[:, is_xp]
    assert sum(is_xp) == 110
    for band in (hidden[:, :55], hidden[:, 55:]):
        assert (band.all(axis=1) | ~band.any(axis=1)).all()
    assert 0 < hidden.mean() < 1


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_surveys_and_bands_are_hidden_as_a_whole(make_msa, stars, ratio):
    ratios = dict.fromkeys(RATIOS, 0.0) | {"block_mask_ratio": ratio}
    msa = make_msa(**ratios).fit(stars)
    hidden = msa.mask().draw(20).numpy()
    shown = [name for name, h in zip(msa.feature_names_, hidden.T, strict=True) if not h.any()]
    protected = ["phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"]
    assert shown == (protected if ratio else list(msa.feature_names_))


def test_unknown_protected_column(make_msa, stars):
    with pytest.raises(ColumnError, match="`protected` must name features, got 'jm'"):
        make_msa(protected=("jm",)).fit(stars)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("mask_ratio", 1.5, "between 0 and 1, got 1.5"),
        ("xp_mask_ratio", -0.1, "between 0 and 1, got -0.1"),
        ("dropout", 2, "between 0 and 1, got 2"),
        ("hidden_widths", (), "one positive width or more, got"),
        ("max_epochs", -1, "at least 0, got -1"),
        ("batch_size", 0, "at least 1, got 0"),
        ("inference_batch_size", 0, "at least 1, got 0"),
        ("loss", "l3", "one of .*, got 'l3'"),
        ("optimizer", "sgd", "one of .*, got 'sgd'"),
        ("loss_on", "all", "one of .*, got 'all'"),
        ("precision", "float16", "one of .*, got 'float16'"),
        ("device", "gpu", "'auto', 'cpu', .*, got 'gpu'"),
    ],
)
def test_bad_settings(make_msa, stars, name, value, rule):
    with pytest.raises(ValueError, match=f"`{name}` must be {rule}"):
        make_msa(**{name: value}).fit(stars)


def test_unknown_schedule(make_msa, stars):
    with pytest.raises(ValueError, match="schedule must be one of .*, got 'linear'"):
        make_msa(lr_schedule="linear").fit(stars)
