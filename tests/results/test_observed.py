"""Which surveys and spectra a star was seen by, against what was put in."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.datasets import make_mock_survey
from msaestimator.exceptions import ColumnError
from msaestimator.results import observed_blocks
from msaestimator.schema import GAIA_DR3, GAIA_DR4, StarTable

SURVEYS = ("tmass", "wise", "ps1", "sdss", "skymapper")
NAMES = ["has_bp", "has_rp", *(f"has_{b}" for b in GAIA_DR3.blocks if b != "xp")]


@pytest.fixture(scope="module")
def survey():
    """Stars with gaps of every kind."""
    return make_mock_survey(60, random_state=1)


@pytest.mark.parametrize("schema", [GAIA_DR3, GAIA_DR4])
def test_a_column_of_each_survey_and_band(survey, schema):
    stars = survey.copy()
    stars["bp_coefficients"] = stars["bp_coefficients"][:, : schema.arrays[0].size]
    observed = observed_blocks(stars, schema)
    assert list(observed) == NAMES
    for values in observed.values():
        assert values.dtype == bool
        assert values.shape == (60,)


@given(seen=st.sets(st.tuples(st.integers(0, 4), st.sampled_from(SURVEYS)), max_size=12))
def test_one_value_of_a_block_is_enough(seen):
    stars = StarTable({"source_id": np.arange(1, 6)})
    for block in SURVEYS:
        for place, name in enumerate(GAIA_DR3.block(block)):
            # Each star has another column of the block, so all columns count.
            values = [
                15.0
                if (row, block) in seen and row % len(GAIA_DR3.block(block)) == place
                else np.nan
                for row in range(5)
            ]
            stars[name] = values * u.mag
    observed = observed_blocks(stars, GAIA_DR3)
    for block in SURVEYS:
        assert observed[f"has_{block}"].tolist() == [(row, block) in seen for row in range(5)]
    assert not observed["has_gaia"].any(), "Columns that are not there are missing."


def masked_magnitudes():
    return [
        MaskedColumn([15.0, 15.0, np.nan], mask=[False, True, False], unit="mag"),
        Masked([15.0, 15.0, np.nan], mask=[False, True, False]) * u.mag,
        [15.0, np.nan, -9999.0] * u.mag,
    ]


@pytest.mark.parametrize("magnitudes", masked_magnitudes(), ids=["masked", "Masked", "nan"])
@pytest.mark.parametrize("kind", [Table, QTable, StarTable])
def test_masked_and_nan_are_missing(magnitudes, kind):
    observed = observed_blocks(kind({"j_m": magnitudes}), GAIA_DR3)
    assert observed["has_tmass"].tolist() == [True, False, False]
    assert type(observed["has_tmass"]) is np.ndarray


@pytest.mark.parametrize("masked", [False, True])
def test_spectra(masked):
    bp, rp = np.full((3, 55), np.nan), np.full((3, 55), np.nan)
    bp[0], rp[0, 54] = 1.0, 1.0
    rp[1] = 0.0
    if masked:
        bp, rp = (np.ma.masked_invalid(np.where(np.isnan(a), 7.0, a)) for a in (bp, rp))
        bp[1:], rp[0, :54], rp[2] = np.ma.masked, np.ma.masked, np.ma.masked
    stars = StarTable({"bp_coefficients": bp, "rp_coefficients": rp})
    observed = observed_blocks(stars, GAIA_DR3)
    assert observed["has_bp"].tolist() == [True, False, False]
    assert observed["has_rp"].tolist() == [True, True, False], "A coefficient of 0 is one."


def test_errors_are_no_observation():
    stars = StarTable({"j_m": [np.nan] * u.mag, "j_msigcom": [0.1] * u.mag})
    assert not observed_blocks(stars, GAIA_DR3)["has_tmass"].any()


def test_what_no_model_would_take_is_refused():
    with pytest.raises(ColumnError, match="'j_m' must be finite or NaN"):
        observed_blocks(StarTable({"j_m": [np.inf] * u.mag}), GAIA_DR3)


def test_no_stars(survey):
    observed = observed_blocks(survey[:0], GAIA_DR3)
    assert list(observed) == NAMES
    assert all(values.shape == (0,) for values in observed.values())
