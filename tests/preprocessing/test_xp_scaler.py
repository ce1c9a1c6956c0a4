"""XP coefficients over the G flux, robustly scaled, against the formula in plain numpy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import StellarFeatures, XPCoefficientScaler
from msaestimator.schema import GAIA_DR3, GAIA_DR4

SINGLE = np.finfo(np.float32).eps
# Nothing, the thesis's way, and each switch alone.
SWITCHES = [
    {},
    {"normalize_flux": False, "asinh": False},
    {"normalize_flux": False},
    {"asinh": False},
]


def positions(schema, names):
    return [schema.names.index(name) for name in names]


def flux_by_hand(g_magnitude):
    """Electrons per second of a G magnitude: 1 e-/s at the zero point, 100 at 5 mag less."""
    return 100 ** ((25.6873668671 - g_magnitude) / 5)


def median_and_iqr(values):
    known = np.sort(values[~np.isnan(values)])
    where = np.arange(len(known)) / (len(known) - 1)
    low, median, high = np.interp([0.25, 0.5, 0.75], where, known)
    return median, high - low


def by_hand(matrix, fitted_on, schema, *, normalize_flux=True, asinh=True):
    """The documented formula, coefficient by coefficient."""
    g = schema.names.index("phot_g_mean_mag")
    scaled = matrix.astype(np.float64)
    for column in positions(schema, schema.block("xp")):
        values, known = matrix[:, column].astype(float), fitted_on[:, column].astype(float)
        if normalize_flux:
            values = values / flux_by_hand(matrix[:, g].astype(float))
            known = known / flux_by_hand(fitted_on[:, g].astype(float))
        median, width = median_and_iqr(known)
        values = (values - median) / width
        scaled[:, column] = np.log(values + np.sqrt(values**2 + 1)) if asinh else values
    return scaled


@pytest.mark.parametrize("schema", [GAIA_DR3, GAIA_DR4], ids=["DR3", "DR4"])
@pytest.mark.parametrize("switches", SWITCHES)
def test_formula(schema, switches, stars_of, matrix_of):
    train, test = stars_of(schema, 60, missing=0.2), stars_of(schema, 9, missing=0.2, seed=1)
    scaler = XPCoefficientScaler(schema, **switches).fit(train)
    matrices = [matrix_of(stars, schema).astype(np.float32) for stars in (test, train)]
    expected = by_hand(*matrices, schema, **switches)
    found = scaler.transform(test)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("switches", SWITCHES)
def test_scaled_coefficients_have_median_zero_and_unit_range(switches, stars):
    scaled = XPCoefficientScaler(**switches).fit_transform(stars).astype(float)
    for column in positions(GAIA_DR3, GAIA_DR3.block("xp")):
        values = scaled[:, column]
        if switches.get("asinh", True):
            values = np.sinh(values)
        np.testing.assert_allclose(median_and_iqr(values), [0.0, 1.0], atol=1e-4)


def test_other_columns_pass_unchanged(stars):
    scaler = XPCoefficientScaler().fit(stars)
    others = ~np.isin(GAIA_DR3.names, GAIA_DR3.block("xp"))
    np.testing.assert_array_equal(scaler.is_coefficient_, ~others)
    np.testing.assert_array_equal(
        scaler.transform(stars)[:, others], StellarFeatures().fit_transform(stars)[:, others]
    )
    assert np.all(scaler.center_[others] == 0)
    assert np.all(scaler.scale_[others] == 1)


def test_a_table_and_its_matrix_are_scaled_alike(stars):
    matrix = StellarFeatures().fit_transform(stars)
    np.testing.assert_array_equal(
        XPCoefficientScaler().fit_transform(stars), XPCoefficientScaler().fit_transform(matrix)
    )


@given(factor=st.floats(1e-4, 1e4), row=st.integers(0, 39))
def test_a_star_looks_the_same_at_any_distance(factor, row, stars_of):
    stars = stars_of()
    scaler = XPCoefficientScaler().fit(stars)
    near, far = stars[[row]], stars[[row]].copy()
    for array in GAIA_DR3.arrays:
        far[array.name] = factor * np.asarray(far[array.name])
    far["phot_g_mean_mag"] -= 2.5 * np.log10(factor) * far["phot_g_mean_mag"].unit
    xp = scaler.is_coefficient_
    np.testing.assert_allclose(
        scaler.transform(far)[:, xp], scaler.transform(near)[:, xp], rtol=1e-4, atol=1e-4
    )


def test_without_the_flux_it_does_not(stars):
    scaler = XPCoefficientScaler(normalize_flux=False).fit(stars)
    fainter = stars.copy()
    fainter["phot_g_mean_mag"] += 5 * fainter["phot_g_mean_mag"].unit
    xp = scaler.is_coefficient_
    np.testing.assert_array_equal(scaler.transform(fainter)[:, xp], scaler.transform(stars)[:, xp])


@pytest.mark.parametrize("switches", SWITCHES)
@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    brightness=st.floats(1e-3, 1e4),
    missing=st.floats(0, 0.9),
)
def test_there_and_back(switches, seed, brightness, missing, stars_of, matrix_of):
    stars = stars_of(n_stars=5, missing=missing, seed=seed)
    for array in GAIA_DR3.arrays:
        stars[array.name] = brightness * np.asarray(stars[array.name])
    scaler = XPCoefficientScaler(**switches).fit(stars_of())
    scaled = scaler.transform(stars).astype(float)
    restored = scaler.inverse_transform(scaled).astype(float)

    matrix = matrix_of(stars)
    xp = scaler.is_coefficient_
    flux = np.ones(len(stars))
    if scaler.normalize_flux:
        g = matrix[:, GAIA_DR3.names.index("phot_g_mean_mag")]
        matrix[np.ix_(np.isnan(g), xp)] = np.nan
        flux = np.nan_to_num(flux_by_hand(g))
    # One rounding to single precision in the scaled value, one in the result.
    slope = np.abs(scaled) * np.cosh(np.where(xp, scaled, 0)) if scaler.asinh else np.abs(scaled)
    tolerance = SINGLE * (np.abs(matrix) + flux[:, None] * scaler.scale_ * slope)
    tolerance[:, xp] += SINGLE * flux[:, None] * np.abs(scaler.center_[xp])
    np.testing.assert_array_equal(np.isnan(restored), np.isnan(matrix))
    assert np.all((np.abs(restored - matrix) <= 2 * tolerance) | np.isnan(matrix))


@pytest.mark.parametrize("n_coefficients", [1, 20, np.int64(7), 55, 100])
def test_first_coefficients_of_each_band(n_coefficients, stars):
    scaler = XPCoefficientScaler(n_coefficients=n_coefficients).fit(stars)
    kept = min(n_coefficients, 55)
    first = [f"{band}_{order + 1}" for band in ("bp", "rp") for order in range(kept)]
    xp = GAIA_DR3.block("xp")
    names = [name for name in GAIA_DR3.names if name not in xp or name in first]
    everything = XPCoefficientScaler().fit_transform(stars)
    scaled = scaler.transform(stars)
    np.testing.assert_array_equal(scaled, everything[:, positions(GAIA_DR3, names)])
    expected = [f"normalized_{name}" if name in xp else name for name in names]
    assert list(scaler.get_feature_names_out()) == expected
    restored = scaler.inverse_transform(scaled)
    assert restored.shape == (len(stars), 138)
    dropped = [name for name in GAIA_DR3.names if name not in names]
    assert np.isnan(restored[:, positions(GAIA_DR3, dropped)]).all()


@pytest.mark.parametrize("schema", [GAIA_DR3, GAIA_DR4], ids=["DR3", "DR4"])
def test_relevant_coefficients_of_each_star(schema, stars_of):
    stars = stars_of(schema, 30)
    rng = np.random.default_rng(2)
    blanked = stars.copy()
    for array in schema.arrays:
        relevant = rng.integers(3, array.size + 1, len(stars))
        stars[array.relevant_bases] = relevant
        values = np.array(blanked[array.name])
        for row, number in zip(values, relevant, strict=True):
            row[number:] = np.nan
        blanked[array.name] = values
    scaler = XPCoefficientScaler(schema, n_coefficients="relevant")
    np.testing.assert_array_equal(
        scaler.fit_transform(stars), XPCoefficientScaler(schema).fit_transform(blanked)
    )
    assert scaler.is_kept_.all()


def test_relevant_needs_its_columns(stars):
    scaler = XPCoefficientScaler(n_coefficients="relevant")
    text = "needs a table of stars with the column 'bp_n_relevant_bases', which is absent. Use a"
    with pytest.raises(ColumnError, match=text):
        scaler.fit(stars)
    with pytest.raises(ColumnError, match=text):
        scaler.fit(StellarFeatures().fit_transform(stars))


@pytest.mark.parametrize("n_coefficients", [0, -3, 2.5, "all"])
def test_bad_n_coefficients(n_coefficients, stars):
    with pytest.raises(ValueError, match="must be a positive integer, 'relevant' or None, got"):
        XPCoefficientScaler(n_coefficients=n_coefficients).fit(stars)


class TestMissing:
    def test_a_star_without_g_loses_its_coefficients(self, stars):
        stars["phot_g_mean_mag"][0] = np.nan
        scaler = XPCoefficientScaler().fit(stars)
        scaled = scaler.transform(stars)
        assert np.isnan(scaled[0, scaler.is_coefficient_]).all()
        raw = XPCoefficientScaler(normalize_flux=False).fit_transform(stars)
        without_g = np.isnan(stars["phot_g_mean_mag"])
        np.testing.assert_array_equal(
            np.isnan(scaled)[~without_g], np.isnan(raw)[~without_g], "the others keep theirs"
        )

    def test_a_frame_of_coefficients_without_g_is_read_as_stars_without_g(self):
        frame = pd.DataFrame({"bp_1": [1.0, 2.0, 3.0]})
        with pytest.raises(ColumnError, match="stars must have 'phot_g_mean_mag', and no star"):
            XPCoefficientScaler().fit(frame)
        raw = XPCoefficientScaler(normalize_flux=False, asinh=False).fit_transform(frame)
        np.testing.assert_array_equal(raw[:, positions(GAIA_DR3, ["bp_1"])[0]], [-1, 0, 1])

    def test_a_schema_without_g(self):
        schema = GAIA_DR3.without_blocks("gaia")
        stars = StarTable({"bp_1": [1.0, 2.0, 3.0]})
        with pytest.raises(ColumnError, match="needs the column 'phot_g_mean_mag', which is abs"):
            XPCoefficientScaler(schema).fit(stars)
        assert XPCoefficientScaler(schema, normalize_flux=False).fit(stars)

    def test_a_coefficient_that_no_star_has_stays_missing(self, stars, stars_of):
        stars["rp_coefficients"] = np.nan * stars["rp_coefficients"]
        scaler = XPCoefficientScaler().fit(stars)
        scaled = scaler.transform(stars_of())
        rp = positions(GAIA_DR3, [f"rp_{n}" for n in range(1, 56)])
        assert np.isnan(scaled[:, rp]).all()
        assert np.isfinite(np.delete(scaled, rp, axis=1)).all()

    def test_no_spectra_at_all(self):
        stars = StarTable({"j_m": [11.0, 12.0]})
        np.testing.assert_array_equal(
            XPCoefficientScaler().fit_transform(stars), StellarFeatures().fit_transform(stars)
        )

    def test_a_schema_without_spectra(self):
        schema = GAIA_DR3.without_blocks("xp")
        stars = StarTable({"j_m": [11.0, 12.0]})
        scaler = XPCoefficientScaler(schema).fit(stars)
        matrix = StellarFeatures(schema).fit_transform(stars)
        np.testing.assert_array_equal(scaler.transform(stars), matrix)
        np.testing.assert_array_equal(scaler.inverse_transform(matrix), matrix)
        assert list(scaler.get_feature_names_out()) == list(schema.names)


@pytest.mark.parametrize("n_stars", [1, 3])
def test_equal_coefficients_are_only_centred(n_stars, stars_of):
    stars = stars_of(n_stars=1)[[0] * n_stars]
    scaler = XPCoefficientScaler().fit(stars)
    xp = scaler.is_coefficient_
    assert np.all(scaler.scale_[xp] == 1)
    np.testing.assert_array_equal(scaler.transform(stars)[:, xp], 0.0)


def test_wild_values_overflow_without_a_warning(stars):
    scaler = XPCoefficientScaler().fit(stars)
    xp = scaler.is_coefficient_
    fast = np.isin(GAIA_DR3.names, ["pmra", "pmdec"])
    scaled = np.where(xp | fast, 1000.0, 12.0)[None]
    restored = scaler.inverse_transform(scaled)
    np.testing.assert_array_equal(restored[0, xp], np.inf)
    np.testing.assert_array_equal(restored[0, ~xp], scaled[0, ~xp])


def test_an_array_of_other_width_is_all_coefficients_without_a_flux():
    X = np.random.default_rng(0).normal(5.0, 2.0, (30, 4))
    scaler = XPCoefficientScaler(asinh=False).fit(X)
    expected = np.column_stack([(c - median_and_iqr(c)[0]) / median_and_iqr(c)[1] for c in X.T])
    np.testing.assert_allclose(scaler.transform(X), expected, rtol=1e-5, atol=1e-5)
    assert list(scaler.get_feature_names_out()) == ["x0", "x1", "x2", "x3"]
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(X)), X, rtol=1e-5)
    assert XPCoefficientScaler(n_coefficients=2).fit_transform(X).shape == (30, 2)


def test_inverse_of_another_shape(stars):
    scaler = XPCoefficientScaler(n_coefficients=10).fit(stars)
    with pytest.raises(ColumnError, match=r"must have 48 columns, got shape \(2, 138\)"):
        scaler.inverse_transform(np.ones((2, 138)))


@pytest.mark.parametrize("form", ["table", "matrix"])
def test_no_star_has_g(stars_of, matrix_of, form):
    stars = stars_of(GAIA_DR3, 20)
    stars["phot_g_mean_mag"] = np.nan * stars["phot_g_mean_mag"]
    given = stars if form == "table" else matrix_of(stars, GAIA_DR3)
    with pytest.raises(ColumnError, match="'phot_g_mean_mag', and no star here has it"):
        XPCoefficientScaler().fit(given)
    XPCoefficientScaler(normalize_flux=False).fit(given)


def test_a_table_without_g_after_one_with_it(stars_of):
    stars = stars_of(GAIA_DR3, 20)
    scaler = XPCoefficientScaler().fit(stars)
    absent = stars[[name for name in stars.colnames if name != "phot_g_mean_mag"]]
    with pytest.raises(ColumnError, match="and no star here has it. Join the column"):
        scaler.transform(absent)
    stars["phot_g_mean_mag"] = np.nan * stars["phot_g_mean_mag"]
    is_xp = scaler.is_coefficient_
    assert np.isnan(scaler.transform(stars)[:, is_xp]).all()
