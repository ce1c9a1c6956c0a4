"""Archive flags."""

import numpy as np
import pytest

from msaestimator.archive import ArchiveFlag


def test_flags_are_distinct_bits_with_a_meaning():
    assert [flag.value for flag in ArchiveFlag] == [1 << bit for bit in range(10)]
    assert len({flag.meaning for flag in ArchiveFlag}) == len(ArchiveFlag)


def test_flags_are_named_in_the_order_users_have_saved_them_in():
    assert [flag.name for flag in ArchiveFlag] == [
        "NOT_FOUND",
        "TWO_PARAMETER",
        "XP_NOT_DELIVERED",
        "EXTRAGALACTIC_CANDIDATE",
        "CUT_SDSS",
        "CUT_PS1",
        "CUT_SKYMAPPER",
        "CUT_TMASS",
        "SKYMAPPER_DR2",
        "WISE_XGBOOST",
    ]


def test_numbers_of_a_table_are_flags():
    (found,) = [ArchiveFlag(flag) for flag in np.array([48], dtype=np.int32)]
    assert found == ArchiveFlag.CUT_SDSS | ArchiveFlag.CUT_PS1
    with pytest.raises(ValueError, match="not a valid ArchiveFlag"):
        ArchiveFlag("CUT_PS1")
