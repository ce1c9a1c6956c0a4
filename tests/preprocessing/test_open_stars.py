"""What comes through the door: stars by known names, without what no star has."""

import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError, MissingValueWarning, RenamedColumnWarning
from msaestimator.preprocessing import (
    LabelScaler,
    StarReader,
    StellarFeatures,
    XPCoefficientScaler,
    collect_labels,
    open_stars,
    read_errors,
    read_features,
)
from msaestimator.preprocessing._table_reader import read_valid
from msaestimator.schema import GAIA_DR3, LABELS

SENTINELS = [-999.0, -99.0, 99.99, 999999.0, 1e20, -9999.99]


def by_name(stars, name):
    return read_features(stars, GAIA_DR3)[:, GAIA_DR3.names.index(name)]


@pytest.mark.parametrize("sentinel", SENTINELS)
def test_a_magnitude_that_no_star_has_is_missing_and_told(sentinel):
    stars = Table({"j_m": [11.0, sentinel, 12.0], "h_m": [10.0, 10.5, 11.0]})
    with pytest.warns(MissingValueWarning, match=r"j_m: 1 of 3 outside -30 to 40 mag, .* row 1"):
        measured = read_valid(stars, GAIA_DR3)
    j_m = measured.values[:, GAIA_DR3.names.index("j_m")]
    np.testing.assert_array_equal(j_m, [11.0, np.nan, 12.0])
    np.testing.assert_array_equal(measured.is_invalid, [False, True, False])
    assert np.isfinite(measured.values[:, GAIA_DR3.names.index("h_m")]).all()


def test_the_limits_are_in_the_unit_of_the_schema():
    stars = Table({"parallax": [0.4, 0.9, 1.2]}, units={"parallax": "arcsec"})
    with pytest.warns(
        MissingValueWarning, match="1 of 3 outside -500 to 1000 mas, the first 1200"
    ):
        np.testing.assert_allclose(by_name(stars, "parallax"), [400.0, 900.0, np.nan])


def test_many_columns_with_such_values_are_counted():
    bands = [column.name for column in GAIA_DR3.columns if column.unit == "mag"][:5]
    with pytest.warns(MissingValueWarning, match="row 0; and 2 columns more"):
        read_features(Table({name: [99.99] for name in bands}), GAIA_DR3)


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("sentinel", [*SENTINELS[:4], -9999.99])
def test_labels_that_no_star_has_are_refused_or_masked(name, sentinel):
    label = LABELS[name]
    good = min(label.limits[1], 5.0) if label.limits[0] <= 5.0 else 5000.0
    inside = label.accepted_in(label.unit)
    if inside[0] <= sentinel <= inside[1]:
        return
    labels = Table({name: [good, sentinel, good, sentinel]})
    with pytest.raises(ColumnError, match=rf"got {name}: 2 of 4 outside .* in row 1.*invalid='ma"):
        collect_labels(labels, None, [name])
    with pytest.warns(MissingValueWarning, match=rf"{name}: 2 of 4 outside"):
        values = collect_labels(labels, None, [name], invalid="mask").values
    np.testing.assert_array_equal(values[:, 0], [good, np.nan, good, np.nan])


def test_labels_of_a_matrix_and_in_other_units_have_limits_too():
    with pytest.raises(ColumnError, match="teff: 1 of 2 outside 2 to 60 kK, the first 99.99 in"):
        collect_labels(None, [99.99, 5.0], {"teff": "kK"})


def test_a_label_without_its_unit_has_no_limits():
    assert collect_labels(None, [-1.3, 0.2], {"teff": ""}).values.tolist() == [[-1.3], [0.2]]


def test_ages_and_parallaxes_may_be_noisy():
    labels = Table({"age": [15.2], "parallax": [-0.4]})
    values = collect_labels(labels, None, ["age", "parallax"]).values
    np.testing.assert_array_equal(values, [[15.2, -0.4]])


@pytest.mark.parametrize("reader", [StellarFeatures, XPCoefficientScaler])
def test_transformers_know_other_names_unless_told(reader):
    stars = Table({"Gmag": [11.0, 12.0], "parallax": [1.0, 2.0]})
    with pytest.warns(RenamedColumnWarning, match="'Gmag' for 'phot_g_mean_mag'"):
        matrix = reader().fit_transform(stars)
    position = GAIA_DR3.names.index("phot_g_mean_mag")
    np.testing.assert_array_equal(matrix[:, position], [11.0, 12.0])
    assert np.isnan(reader(aliases=False).fit_transform(stars)[:, position]).all()


@pytest.mark.parametrize(
    "names", [["bp_1", "x"], ["PARALLAX", "x"], ["Gmag", "BPmag"], ["paralax", "x"]]
)
def test_a_frame_with_a_feature_holds_stars(names):
    frame = pd.DataFrame({name: [1.0] for name in names})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RenamedColumnWarning)
        assert open_stars(frame, GAIA_DR3) is not None


@pytest.mark.parametrize("names", [["x0", "x1"], ["normalized_bp_1", "parallax"], ["source_id"]])
def test_a_frame_without_features_or_of_prepared_ones_is_a_matrix(names):
    assert open_stars(pd.DataFrame({name: [1.0] for name in names}), GAIA_DR3) is None


def test_a_matrix_with_masks_has_nan_where_masked():
    matrix = np.random.default_rng(0).normal(size=(20, 3))
    mask = np.zeros_like(matrix, dtype=bool)
    mask[3, 1] = True
    hidden = np.ma.MaskedArray(np.where(mask, 1e30, matrix), mask)
    bare = np.where(mask, np.nan, matrix)
    np.testing.assert_array_equal(
        StarReader().fit_transform(hidden).values, StarReader().fit_transform(bare).values
    )
    scaler = LabelScaler().fit(bare)
    np.testing.assert_array_equal(LabelScaler().fit(hidden).scale_, scaler.scale_)
    np.testing.assert_array_equal(scaler.transform(hidden), scaler.transform(bare))


def test_what_is_not_used_cannot_stop_a_reading():
    stars = StarTable({"j_m": [11.0, 12.0, 13.0], "h_m": [10.0, 11.0, 12.5]})
    reader = StarReader()
    reader.fit(stars)
    odd = Table({"j_m": [11.5], "h_m": [10.5], "teff": ["hot"], "u_psf": ["bright"]})
    odd["ebv"] = Table.Column([np.inf], unit="Jy")
    odd["rp_coefficients"] = np.ones((1, 7))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = reader.transform(odd)
    np.testing.assert_array_equal(found.values, reader.transform(odd["j_m", "h_m"]).values)


def test_an_error_that_no_star_has_is_unknown():
    stars = Table({"j_m": [11.0] * 4, "j_msigcom": [0.02, 99.99, -999.0, 1e20]})
    errors = read_errors(stars, GAIA_DR3)[:, GAIA_DR3.names.index("j_m")]
    np.testing.assert_array_equal(errors, [0.02, np.nan, np.nan, np.nan])
