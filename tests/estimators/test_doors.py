"""The same stars give the same numbers through every door of an estimator."""

import warnings

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn
from astropy.utils.masked import Masked
from doors import CONTAINERS, STATES_UNITS, column
from hypothesis import given, settings
from hypothesis import strategies as st

from msaestimator import StarTable
from msaestimator.exceptions import (
    ColumnError,
    MissingColumnWarning,
    MissingValueWarning,
    RenamedColumnWarning,
)
from msaestimator.results import PredictionFlag

MAGNITUDES = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m")


@given(
    door=st.sampled_from(sorted(CONTAINERS)),
    dtype=st.sampled_from(["<f4", ">f4", "<f8", ">f8"]),
    scale=st.sampled_from([1.0, 1000.0]),
    masks=st.lists(st.booleans(), min_size=16, max_size=16),
)
@settings(max_examples=60)
def test_a_star_is_the_same_through_every_door(regressor, other_stars, door, dtype, scale, masks):
    stars, known = other_stars[:4], np.zeros(4, dtype=bool)
    scale = scale if door in STATES_UNITS else 1.0
    columns = {"source_id": column(stars["source_id"], known)}
    plain = StarTable({"source_id": stars["source_id"]})
    for name, mask in zip(MAGNITUDES, np.reshape(masks, (4, 4)), strict=True):
        values = (stars[name].value * scale).astype(dtype)
        columns[name] = column(values, mask, "mag" if scale == 1 else "mmag")
        plain[name] = np.where(mask, np.nan, values.astype(float) / scale) * u.mag
    columns["bp_coefficients"] = column(stars["bp_coefficients"].astype(dtype), known)
    plain["bp_coefficients"] = stars["bp_coefficients"].astype(dtype).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingColumnWarning)
        found = regressor.predict_table(CONTAINERS[door](columns))
        wanted = regressor.predict_table(plain)
    assert found.colnames == wanted.colnames
    np.testing.assert_array_equal(found["source_id"], wanted["source_id"])
    for name in wanted.colnames[1:]:
        values = (np.asarray(getattr(t[name], "value", t[name])) for t in (found, wanted))
        np.testing.assert_allclose(*values, rtol=1e-4, atol=1e-5, err_msg=name)


def masked_arrays(values, mask):
    """Return labels in every container that has masks, or words for missing."""
    hidden = np.where(mask, 999999.0, values)
    one = np.where(mask, None, hidden.astype(object))
    return {
        "numpy": np.ma.MaskedArray(hidden, mask),
        "Masked": Masked(hidden, mask=mask),
        "MaskedColumn": MaskedColumn(hidden, mask=mask),
        "objects": one,
        "NA": np.where(mask, pd.NA, hidden.astype(object)),
        "list": one.tolist(),
        "Series": pd.Series(one.tolist(), dtype="Float64"),
        "pyarrow": pa.array(one.tolist(), pa.float64()),
        "Quantity": Masked(hidden * u.dex, mask=mask),
    }


@pytest.mark.parametrize("container", masked_arrays(np.ones(1), np.zeros(1, bool)))
def test_what_is_masked_is_not_learned(make_regressor, msa, stars, container):
    logg, mask = stars["logg"].value, np.arange(len(stars)) % 3 == 0
    labels = masked_arrays(logg, mask)[container]
    bare = np.where(mask, np.nan, logg)
    masked, plain = (
        make_regressor(msa, labels=("logg",), max_epochs=1).fit(stars, y) for y in (labels, bare)
    )
    np.testing.assert_array_equal(masked.predict(stars[:20]), plain.predict(stars[:20]))
    assert masked.score(stars, labels) == plain.score(stars, bare)


@pytest.mark.parametrize("container", ["numpy", "Masked", "objects", "pyarrow"])
def test_a_generalist_learns_nothing_masked(make_generalist, few, container):
    logg, mask = few["logg"].value, np.arange(len(few)) % 3 == 0
    labels = masked_arrays(logg, mask)[container]
    bare = np.where(mask, np.nan, logg)
    masked, plain = (
        make_generalist(labels=("logg",), max_epochs=1).fit(few, y) for y in (labels, bare)
    )
    np.testing.assert_array_equal(masked.predict(few[:20]), plain.predict(few[:20]))
    assert masked.score(few, labels) == plain.score(few, bare)


def test_surveys_in_every_word_for_missing_are_refused(make_regressor, msa, stars):
    names = np.array(["apogee", "galah"], dtype=object)[np.arange(len(stars)) % 2]
    for missing in (None, pd.NA, np.nan, "", np.ma.masked):
        given_names = names.copy()
        given_names[7] = missing
        with pytest.raises(ColumnError, match="masked or empty for 1 of 300 stars, the first in"):
            make_regressor(msa).fit(stars, survey=given_names)


def test_labels_of_another_name_are_learned_in_one_message(make_regressor, msa, stars):
    theirs = stars.copy()
    theirs.rename_columns(["teff", "fe_h", "phot_g_mean_mag"], ["TEFF", "[Fe/H]", "Gmag"])
    with pytest.warns(RenamedColumnWarning) as caught:
        fitted = make_regressor(msa, max_epochs=1).fit(theirs)
    told = [w for w in caught if w.category is RenamedColumnWarning]
    assert len(told) == 1
    assert "'TEFF' for 'teff'" in str(told[0].message)
    assert "'Gmag' for 'phot_g_mean_mag'" in str(told[0].message)
    plain = make_regressor(msa, max_epochs=1).fit(stars)
    np.testing.assert_array_equal(fitted.predict(stars[:9]), plain.predict(stars[:9]))
    with pytest.raises(ColumnError, match=r"but teff, fe_h are absent.*Did you mean"):
        make_regressor(msa, aliases=False).fit(theirs)


def test_names_as_they_are(regressor, other_stars):
    theirs = other_stars[:5].copy()
    theirs.rename_column("phot_bp_mean_mag", "BPmag")
    with pytest.warns(RenamedColumnWarning, match="'BPmag' for 'phot_bp_mean_mag'"):
        known = regressor.predict(theirs)
    np.testing.assert_array_equal(known, regressor.predict(other_stars[:5]))
    literal = regressor.__sklearn_clone__().set_params(aliases=False)
    literal.__dict__ |= {k: v for k, v in vars(regressor).items() if k.endswith("_")}
    with pytest.warns(MissingColumnWarning, match="'phot_bp_mean_mag': absent here"):
        assert (literal.predict(theirs) != known).any()


@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.ToldRequestWarning")
@pytest.mark.parametrize("sentinel", [1e20, 99.99, -999.0])
def test_an_absurd_magnitude_is_missing_with_a_flag(regressor, generalist, other_stars, sentinel):
    stars = other_stars[:5].copy()
    stars["j_m"][2] = sentinel * u.mag
    missing = other_stars[:5].copy()
    missing["j_m"][2] = np.nan
    for ask in (regressor.predict_table, lambda s: generalist.request(s, ["teff", "logg"])):
        with pytest.warns(MissingValueWarning, match="j_m: 1 of 5 outside"):
            found = ask(stars)
        wanted = ask(missing)
        np.testing.assert_array_equal(found["teff"], wanted["teff"])
        is_invalid = found["flags"] & PredictionFlag.INVALID_INPUT != 0
        np.testing.assert_array_equal(is_invalid, np.arange(5) == 2)
        assert not (wanted["flags"] & PredictionFlag.INVALID_INPUT).any()


def test_labels_that_no_star_has(make_regressor, make_generalist, msa, stars, few):
    for make, table in ((lambda **s: make_regressor(msa, **s), stars), (make_generalist, few)):
        odd, bare = table.copy(), table.copy()
        odd["logg"][3], bare["logg"][3] = -9999.99 * u.dex, np.nan
        with pytest.raises(ColumnError, match="logg: 1 of .* outside -1 to 6.5 dex, the first -9"):
            make(max_epochs=1).fit(odd)
        with pytest.warns(MissingValueWarning, match="logg: 1 of"):
            masked = make(max_epochs=1, invalid="mask").fit(odd)
        plain = make(max_epochs=1).fit(bare)
        np.testing.assert_array_equal(masked.predict(table[:9]), plain.predict(table[:9]))
    with pytest.raises(ValueError, match="`invalid` must be one of 'raise', 'mask'"):
        make_regressor(msa, invalid="drop").fit(stars)


def test_what_a_model_does_not_use_cannot_stop_it(regressor, generalist, other_stars):
    stars = other_stars[:5].copy()
    stars["age"] = ["old"] * 5
    stars["bp_rp_excess"] = [None] * 5
    stars["u_psf"] = ["faint"] * 5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingColumnWarning)
        np.testing.assert_array_equal(regressor.predict(stars), regressor.predict(other_stars[:5]))
        np.testing.assert_array_equal(
            generalist.predict(stars), generalist.predict(other_stars[:5])
        )
