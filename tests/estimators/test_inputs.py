"""What stars may look like at the door, for the regressor that sees them last."""

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, Table

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError, MissingColumnWarning, UnitMismatchError
from msaestimator.results import PredictionFlag
from msaestimator.schema import GAIA_DR3, GAIA_DR4, Column

FEATURES = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m", "ebv")


def without_features(stars):
    stars = stars.copy()
    for name in (*FEATURES, "bp_coefficients", "rp_coefficients"):
        stars[name][...] = np.nan
    return stars


def test_frames_and_tables_are_predicted_alike(regressor, other_stars, to_frame):
    expected = regressor.predict(other_stars)
    frame = to_frame(other_stars)
    np.testing.assert_allclose(regressor.predict(frame), expected, rtol=1e-6)
    np.testing.assert_array_equal(
        regressor.predict_table(frame)["source_id"], other_stars["source_id"]
    )


def test_frames_are_learned_like_tables(make_regressor, make_msa, stars, to_frame, weights):
    # A frame has no room for the errors of coefficients, which set the scale of the loss.
    stars = stars[[name for name in stars.colnames if not name.endswith("_errors")]]
    fitted = [make_regressor(make_msa()).fit(table) for table in (stars, to_frame(stars))]
    assert weights(fitted[0]) == weights(fitted[1])
    assert fitted[1].labels_ == ("teff", "logg", "fe_h")


def test_the_order_of_rows_does_not_matter(regressor, other_stars):
    order = np.random.default_rng(0).permutation(len(other_stars))
    shuffled = regressor.predict_quantiles(other_stars[order])
    np.testing.assert_allclose(
        shuffled, regressor.predict_quantiles(other_stars)[order], rtol=1e-5, atol=1e-5
    )


def test_the_order_of_columns_does_not_matter(regressor, other_stars):
    reversed_columns = other_stars[other_stars.colnames[::-1]]
    np.testing.assert_array_equal(
        regressor.predict(reversed_columns), regressor.predict(other_stars)
    )


@pytest.mark.parametrize("size", [1, 7, 64])
def test_the_batch_size_does_not_matter(regressor, other_stars, size):
    small = copy.copy(regressor).set_params(inference_batch_size=size)
    np.testing.assert_allclose(
        small.predict(other_stars), regressor.predict(other_stars), rtol=1e-5, atol=1e-5
    )


def test_units_do_not_matter(regressor, other_stars):
    other_units = other_stars.copy()
    other_units["j_m"] = (other_units["j_m"].value * 1000).astype(float)
    other_units["j_m"].unit = "mmag"
    np.testing.assert_allclose(
        regressor.predict(StarTable(other_units)), regressor.predict(other_stars), rtol=1e-4
    )


def test_masked_nan_and_9999_are_missing_alike(regressor, other_stars):
    tables = []
    for missing in ("masked", np.nan, -9999.0):
        table = Table(other_stars)
        values = np.array(table["j_m"], dtype=float)
        if missing == "masked":
            table["j_m"] = MaskedColumn(values, mask=np.arange(len(values)) < 30, unit="mag")
        else:
            values[:30] = missing
            table["j_m"] = values
        tables.append(regressor.predict_quantiles(table))
    np.testing.assert_array_equal(tables[0], tables[1])
    np.testing.assert_array_equal(tables[0], tables[2])
    assert np.isfinite(tables[0]).all()


def test_one_row(regressor, other_stars):
    assert regressor.predict(other_stars[:1]).shape == (1, 3)
    assert len(regressor.predict_table(other_stars[:1])) == 1


@pytest.mark.parametrize("method", ["predict", "predict_quantiles", "outlier_score"])
def test_an_empty_table(regressor, stars, method):
    answer, whole = (getattr(regressor, method)(table) for table in (stars[:0], stars[:3]))
    assert answer.shape == (0, *whole.shape[1:])
    assert answer.dtype == whole.dtype


def test_a_table_of_an_empty_table_has_its_columns_and_units(regressor, stars):
    empty, whole = (regressor.predict_table(table) for table in (stars[:0], stars[:3]))
    assert len(empty) == 0
    assert empty.dtype == whole.dtype
    assert [c.unit for c in empty.itercols()] == [c.unit for c in whole.itercols()]


def test_transformers_of_an_empty_table(msa, stars):
    assert msa.transform(stars[:0]).shape == (0, msa.hidden_widths[-1])
    assert msa.reconstruct(stars[:0]).colnames == msa.reconstruct(stars[:3]).colnames


def test_no_score_of_an_empty_table(regressor, generalist, stars):
    for estimator in (regressor, generalist):
        with pytest.raises(ColumnError, match="must have at least one star, got 0 rows"):
            estimator.score(stars[:0])


def test_learning_from_an_empty_table(make_msa, make_regressor, msa, stars):
    for estimator in (make_msa(), make_regressor(msa), make_regressor(make_msa())):
        with pytest.raises(ColumnError, match="must have at least one star, got 0 rows"):
            estimator.fit(stars[:0])


def test_learning_from_stars_without_features(make_msa, stars):
    with pytest.raises(ColumnError, match="at least one observed feature, got none"):
        make_msa().fit(without_features(stars))


def test_stars_without_features_have_no_prediction_and_a_flag(regressor, other_stars):
    stars = other_stars.copy()
    stars[10:12] = without_features(stars[10:12])
    predicted = regressor.predict(stars)
    table = regressor.predict_table(stars)
    is_empty = np.zeros(len(stars), dtype=bool)
    is_empty[10:12] = True
    np.testing.assert_array_equal(np.isnan(predicted).all(axis=1), is_empty)
    np.testing.assert_array_equal((table["flags"] & PredictionFlag.NO_FEATURES) > 0, is_empty)
    assert np.isnan(table["teff_lower"][10])
    np.testing.assert_allclose(
        predicted[~is_empty], regressor.predict(other_stars)[~is_empty], rtol=1e-5, atol=1e-5
    )


def test_only_stars_without_features(regressor, other_stars):
    assert np.isnan(regressor.predict(without_features(other_stars))).all()


def test_learning_beside_stars_without_features(make_regressor, make_msa, stars):
    some = stars.copy()
    some[:20] = without_features(some[:20])
    predicted = make_regressor(make_msa()).fit(some).predict(some)
    np.testing.assert_array_equal(np.isnan(predicted).all(axis=1), np.arange(len(stars)) < 20)


def test_stars_without_xp_are_predicted_and_flagged(regressor, other_stars):
    hidden = other_stars.copy()
    hidden["bp_coefficients"][:50] = np.nan
    hidden["rp_coefficients"][:60] = np.nan
    table = regressor.predict_table(hidden)
    assert np.isfinite(table["teff"]).all()
    flags = np.asarray(table["flags"])
    np.testing.assert_array_equal((flags & PredictionFlag.NO_XP) > 0, np.arange(100) < 50)
    partial = (np.arange(100) >= 50) & (np.arange(100) < 60)
    np.testing.assert_array_equal((flags & PredictionFlag.PARTIAL_XP) > 0, partial)


@pytest.fixture
def without_g(other_stars):
    """Stars as DataLink has them: ids and spectra, no magnitude."""
    return other_stars[["source_id", "bp_coefficients", "rp_coefficients"]]


def test_spectra_without_g_are_not_learned(make_msa, make_regressor, without_g):
    for estimator in (make_msa(), make_regressor(labels=["x"])):
        with pytest.raises(ColumnError, match=r"'phot_g_mean_mag', and no star here has it.*Join"):
            estimator.fit(without_g, np.arange(float(len(without_g))))


@pytest.mark.parametrize("method", ["predict", "predict_table", "outlier_score", "calibrate"])
def test_spectra_without_g_are_not_predicted(regressor, other_stars, without_g, method):
    arguments = [other_stars[["teff", "logg", "fe_h"]]] if method == "calibrate" else []
    with pytest.raises(ColumnError, match="are divided by the G flux, so stars must have"):
        getattr(regressor, method)(without_g, *arguments)


def test_scalar_columns_of_spectra_without_g(msa, other_stars, to_frame):
    frame = to_frame(other_stars).drop(columns="phot_g_mean_mag")
    with pytest.raises(ColumnError, match="are divided by the G flux, so stars must have"):
        msa.transform(frame)


def test_spectra_without_g_are_no_matter_to_a_network_that_takes_none(
    make_msa, other_stars, without_g
):
    photometry = other_stars[["phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"]]
    msa = make_msa().fit(photometry)
    mixed = without_g.copy()
    mixed["phot_bp_mean_mag"] = photometry["phot_bp_mean_mag"]
    with pytest.warns(MissingColumnWarning, match="no star of fit had it|fit saw it"):
        assert np.isfinite(msa.transform(mixed)).all()


def test_no_spectra_and_no_g(regressor, other_stars, without_g):
    """Nothing is lost, whatever columns there are."""
    few = without_g.copy()
    few["bp_coefficients"] = few["rp_coefficients"] = np.nan
    few["j_m"] = other_stars["j_m"]
    with pytest.warns(MissingColumnWarning, match="'phot_g_mean_mag'"):
        assert np.isfinite(regressor.predict(few)).all()


def test_g_that_some_stars_lack(regressor, other_stars):
    some = other_stars.copy()
    some["phot_g_mean_mag"][:50] = np.nan
    flags = regressor.predict_table(some)["flags"]
    assert ((flags & PredictionFlag.NO_XP) > 0).tolist() == [True] * 50 + [False] * 50


def test_infinite_features(regressor, make_msa, stars):
    infinite = stars.copy()
    infinite["j_m"][3] = np.inf * infinite["j_m"].unit
    message = r"Column 'j_m' must be finite .*first in row 3"
    with pytest.raises(ColumnError, match=message):
        regressor.predict(infinite)
    with pytest.raises(ColumnError, match=message):
        make_msa().fit(infinite)


def test_infinite_matrix(make_msa):
    x = np.ones((10, 3))
    x[4, 1] = np.inf
    with pytest.raises(ValueError, match="contains infinity"):
        make_msa().fit(x)


def test_strings(make_msa, stars):
    wordy = Table(stars)
    wordy["j_m"] = np.full(len(stars), "bright")
    with pytest.raises(ColumnError, match="Column 'j_m' must hold numbers, got strings"):
        make_msa().fit(wordy)


def test_fluxes(make_msa, stars):
    bright = stars.copy()
    bright.remove_column("j_m")
    bright["j_m"] = Table({"j": np.ones(len(stars))}, units={"j": "Jy"})["j"]
    with pytest.raises(UnitMismatchError, match=r"'j_m' must be in mag.*got Jy.*zero point"):
        make_msa().fit(bright)


def test_a_column_absent_in_predict(regressor, other_stars):
    with pytest.warns(MissingColumnWarning, match="'j_m', 'h_m': absent here and taken as"):
        predicted = regressor.predict(
            other_stars[[name for name in other_stars.colnames if name not in ("j_m", "h_m")]]
        )
    missing = other_stars.copy()
    missing["j_m"][:] = np.nan
    missing["h_m"][:] = np.nan
    np.testing.assert_array_equal(predicted, regressor.predict(missing))


def test_a_column_new_in_predict(regressor, other_stars):
    wider = other_stars.copy()
    wider["parallax"] = np.ones(len(wider))
    with pytest.warns(MissingColumnWarning, match="'parallax': ignored: no star of fit had it"):
        predicted = regressor.predict(wider)
    np.testing.assert_array_equal(predicted, regressor.predict(other_stars))


def test_a_misspelt_column(regressor, other_stars):
    other = other_stars.copy()
    other.rename_column("phot_bp_mean_mag", "phot_bp_mean_magg")
    with pytest.warns(MissingColumnWarning) as caught:
        regressor.predict(other)
    assert any("Did you mean 'phot_bp_mean_mag'?" in str(w.message) for w in caught)


def test_columns_of_no_use(make_msa):
    with pytest.raises(ColumnError, match="None of the 1 columns is a feature"):
        make_msa().fit(StarTable({"colour": [1.0, 2.0]}))


def test_a_matrix_after_a_table_and_the_reverse(make_msa, msa, stars):
    x = np.random.default_rng(0).normal(size=(50, 5))
    with pytest.raises(ColumnError, match="fitted on a table of stars and got a matrix"):
        msa.transform(x)
    with pytest.raises(ColumnError, match="fitted on a matrix of features and got a table"):
        make_msa().fit(x).transform(stars)


def test_a_frame_without_a_column_of_stars(msa):
    frame = pd.DataFrame({"colour": [1.0, 2.0]})
    with pytest.raises(ColumnError, match="none of its columns, 'colour', is one of stars"):
        msa.transform(frame)


def test_one_row_by_itself(msa, stars):
    with pytest.raises(ColumnError, match="one row by itself"):
        msa.transform(stars[0])
    with pytest.raises(ColumnError, match="one row by itself"):
        msa.transform(stars["phot_g_mean_mag",].as_array()[0])


def test_a_matrix_after_an_encoder_of_tables(make_regressor, msa):
    x = np.random.default_rng(0).normal(size=(50, 5))
    with pytest.raises(ColumnError, match="fitted on a table of stars and got a matrix"):
        make_regressor(msa, labels=None).fit(x, x[:, 0])


def test_big_endian_files(regressor, other_stars, tmp_path):
    path = tmp_path / "stars.fits"
    columns = [*FEATURES, "bp_coefficients", "rp_coefficients", "source_id"]
    table = Table(other_stars[columns])
    table.meta.clear()  # its long names would make FITS warn
    table.write(path)
    read = Table.read(path)
    assert read["bp_coefficients"].dtype.byteorder == ">"
    assert read["j_m"].dtype.byteorder == ">"
    np.testing.assert_array_equal(regressor.predict(read), regressor.predict(other_stars))


def test_float16(regressor, other_stars):
    coarse = Table(other_stars)
    coarse["ebv"] = np.asarray(coarse["ebv"], dtype=np.float16)
    np.testing.assert_allclose(
        regressor.predict(coarse), regressor.predict(other_stars), rtol=1e-2, atol=1e-2
    )


@pytest.fixture
def dr4_stars(stars):
    dr4 = stars.copy()
    for name in ("bp_coefficients", "bp_coefficient_errors"):
        dr4[name] = np.asarray(stars[name])[:, :51]
    return dr4


def test_stars_of_dr4(make_msa, make_regressor, dr4_stars):
    msa = make_msa(schema=GAIA_DR4).fit(dr4_stars)
    assert sum(name.startswith("normalized_bp") for name in msa.feature_names_) == 51
    assert msa.reconstruct(dr4_stars)["bp_coefficients"].shape == (len(dr4_stars), 51)
    predicted = make_regressor(msa).fit(dr4_stars).predict(dr4_stars)
    assert np.isfinite(predicted).all()


def test_stars_of_another_release(regressor, dr4_stars):
    with pytest.raises(ColumnError, match="must have 55 coefficients a star, got 51.*GAIA_DR4"):
        regressor.predict(dr4_stars)


def test_a_band_of_ones_own(make_msa, stars):
    wider = stars.copy()
    wider["cfis_u"] = stars["phot_g_mean_mag"] + 0.3 * stars["j_m"].unit
    msa = make_msa(schema=GAIA_DR3.with_columns(Column("cfis_u", block="cfis"))).fit(wider)
    assert "cfis_u" in msa.feature_names_


def test_duplicated_columns(regressor, other_stars, to_frame):
    frame = to_frame(other_stars)
    twice = pd.concat([frame, frame[["j_m"]]], axis=1)
    with pytest.raises(ColumnError, match="must be distinct, got j_m more than once"):
        regressor.predict(twice)


def test_good_stars_are_no_cause_for_warnings(make_regressor, make_msa, stars):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_regressor(make_msa()).fit(stars).predict_table(stars)


@pytest.mark.parametrize(
    ("stars_of", "container"),
    [
        (lambda stars: None, "NoneType"),
        (lambda stars: (row for row in stars), "generator"),
        (lambda stars: pd.Series(stars["logg"].value), "pandas' Series"),
        (lambda stars: pd.DataFrame(index=range(5)), "pandas' DataFrame"),
    ],
)
def test_what_has_no_columns_is_named(regressor, other_stars, stars_of, container):
    with pytest.raises(ColumnError, match=f"got {container}, which has no columns of stars"):
        regressor.predict(stars_of(other_stars))


@pytest.mark.parametrize("labels", [["hot"] * 300, np.array(["hot"] * 300, dtype=object)])
def test_labels_that_are_text(make_regressor, msa, stars, labels):
    with pytest.raises(ColumnError, match="Labels must be numbers, got text"):
        make_regressor(msa, labels=("teff",)).fit(stars, labels)


def test_an_empty_frame_of_lists(regressor):
    frame = pd.DataFrame({"phot_g_mean_mag": [11.0], "bp_coefficients": [[1.0] * 55]})
    with pytest.warns(MissingColumnWarning, match="absent here"):
        assert regressor.predict(frame[:0]).shape == (0, 3)
