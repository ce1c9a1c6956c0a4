"""Quality flags of inputs and of predictions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.results import PredictionFlag, limit_flags, prediction_flags
from msaestimator.schema import LABELS

NAMES = ("phot_g_mean_mag", "bp_1", "bp_2", "rp_1", "rp_2")
BANDS = {band: np.array([name.startswith(band) for name in NAMES]) for band in ("bp", "rp")}
LOWER, UPPER = np.array([5.0, -1, -1, -1, -1]), np.array([18.0, 1, 1, 1, 1])
NAN = np.nan
FLAG = PredictionFlag


def flags_of(*rows, bands=BANDS, lower=LOWER, upper=UPPER):
    return prediction_flags(np.array(rows), NAMES, bands, lower, upper)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([12, 0, 0, 0, 0], FLAG(0)),
        ([12, NAN, 0, 0, NAN], FLAG(0)),
        ([5, 1, 1, -1, -1], FLAG(0)),
        ([12, NAN, NAN, NAN, NAN], FLAG.NO_XP),
        ([12, NAN, NAN, 0, 0], FLAG.PARTIAL_XP),
        ([NAN, 0, NAN, NAN, NAN], FLAG.PARTIAL_XP),
        ([NAN, NAN, NAN, NAN, NAN], FLAG.NO_FEATURES | FLAG.NO_XP),
        ([19, 0, 0, 0, 0], FLAG.OUT_OF_RANGE_INPUT),
        ([12, 0, 0, 0, -1.1], FLAG.OUT_OF_RANGE_INPUT),
        ([4, NAN, NAN, NAN, NAN], FLAG.OUT_OF_RANGE_INPUT | FLAG.NO_XP),
    ],
)
def test_flags_of_one_star(row, expected):
    found = flags_of(row)
    assert found.dtype == np.int32
    assert FLAG(found[0]) == expected


@given(hnp.arrays(float, (9, 5), elements=st.floats(-30, 30) | st.just(NAN)))
def test_flags_say_what_their_names_say(features):
    seen = ~np.isnan(features)
    bp, rp = seen[:, 1:3].any(axis=1), seen[:, 3:].any(axis=1)
    beyond = [any(x < lo or x > hi for x, lo, hi in zip(row, LOWER, UPPER, strict=True))
              for row in features]  # fmt: skip
    expected = {
        FLAG.NO_FEATURES: ~seen.any(axis=1),
        FLAG.NO_XP: ~bp & ~rp,
        FLAG.PARTIAL_XP: bp ^ rp,
        FLAG.OUT_OF_RANGE_INPUT: beyond,
    }
    never = np.zeros(9, dtype=bool)  # what is said of answers, or by a model of its stars
    found = flags_of(*features)
    for flag in PredictionFlag:
        flagged = (found & flag) > 0
        np.testing.assert_array_equal(flagged, expected.get(flag, never), err_msg=flag.name)


@pytest.mark.parametrize("bands", [{}, {"bp": np.zeros(5, bool), "rp": np.zeros(5, bool)}])
def test_a_model_without_xp_does_not_miss_it(bands):
    assert flags_of([12, NAN, NAN, NAN, NAN], bands=bands)[0] == 0


def test_a_band_that_is_not_a_feature_is_not_expected():
    bands = {"bp": BANDS["bp"], "rp": np.zeros(5, bool)}
    assert flags_of([12, 0, 0, NAN, NAN], bands=bands)[0] == 0


def test_a_feature_never_seen_in_training_has_no_range():
    low, high = LOWER.copy(), UPPER.copy()
    low[0] = high[0] = NAN
    assert flags_of([99, 0, 0, 0, 0], lower=low, upper=high)[0] == 0


def test_no_star_has_no_flags():
    assert prediction_flags(np.empty((0, 5)), NAMES, BANDS, LOWER, UPPER).shape == (0,)
    assert limit_flags(np.empty((0, 1)), ["teff"]).shape == (0, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": [[1.0, 2.0]]}, "`features` must have one column a name, 5, got shape"),
        ({"lower": [0.0]}, "`lower` must have one value a feature, 5, got shape"),
        ({"xp_bands": {"bp": [True]}}, "`bp` must have one value a feature"),
        ({"xp_bands": {"bp": [0, 1, 1, 0, 0]}}, r"`xp_bands\['bp'\]` must be boolean"),
        ({"lower": UPPER, "upper": LOWER}, "`lower` must not exceed `upper`, .* phot_g_mean_mag"),
    ],
)
def test_refuses_what_does_not_fit(change, message):
    good = {"features": np.zeros((2, 5)), "xp_bands": BANDS, "lower": LOWER, "upper": UPPER}
    with pytest.raises(ColumnError, match=message):
        prediction_flags(names=NAMES, **(good | change))


@pytest.mark.parametrize("label", LABELS)
def test_limits_are_those_of_the_schema_ends_included(label):
    low, high = LABELS[label].limits
    medians = [[low], [high], [np.nextafter(low, -np.inf)], [np.nextafter(high, np.inf)], [NAN]]
    np.testing.assert_array_equal(limit_flags(medians, [label])[:, 0], [0, 0, 16, 16, 0])


def test_a_label_outside_is_flagged_by_itself():
    medians = np.array([[5000.0, 4.0, -99.0], [5000.0, 9.0, 0.0], [1.0, NAN, 0.0]])
    before = medians.copy()
    flags = limit_flags(medians, ["teff", "logg", "activity"])
    np.testing.assert_array_equal(flags, [[0, 0, 0], [0, 16, 0], [16, 0, 0]])
    assert flags.dtype == np.int32
    np.testing.assert_array_equal(medians, before)


def test_limits_are_converted_to_the_units_of_the_medians():
    flags = limit_flags([[5.0], [5000.0]], ["teff"], units={"teff": "kK"})
    np.testing.assert_array_equal(flags, [[0], [16]])
    with pytest.raises(UnitMismatchError, match="'teff' must be convertible to K, got 'mag'"):
        limit_flags([[5.0]], ["teff"], units={"teff": "mag"})
    with pytest.raises(ColumnError, match="`medians` must have one column a label, 2"):
        limit_flags([[5.0]], ["teff", "logg"])


def test_flags_are_distinct_bits_with_a_meaning():
    assert [flag.value for flag in PredictionFlag] == [2**bit for bit in range(14)]
    assert len({flag.meaning for flag in PredictionFlag}) == len(PredictionFlag)
    assert FLAG(np.int32(12)) == FLAG.PARTIAL_XP | FLAG.OUT_OF_RANGE_INPUT
    with pytest.raises(ValueError, match="not a valid PredictionFlag"):
        FLAG("NO_XP")
