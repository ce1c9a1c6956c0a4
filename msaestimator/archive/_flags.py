"""Archive flags: what to know about a row that an archive gave."""

from enum import IntFlag

import numpy as np

__all__ = ["ArchiveFlag"]


class ArchiveFlag(IntFlag):
    """Bits of the ``archive_flags`` column; 0 is a row with nothing to say.

    Examples
    --------
    >>> from msaestimator.archive import ArchiveFlag
    >>> ArchiveFlag(20)
    <ArchiveFlag.XP_NOT_DELIVERED|CUT_SDSS: 20>
    >>> ArchiveFlag.CUT_SDSS.meaning
    'SDSS magnitudes were removed by a quality cut'
    """

    NOT_FOUND = 1
    TWO_PARAMETER = 2
    XP_NOT_DELIVERED = 4
    EXTRAGALACTIC_CANDIDATE = 8
    CUT_SDSS = 16
    CUT_PS1 = 32
    CUT_SKYMAPPER = 64
    CUT_TMASS = 128
    SKYMAPPER_DR2 = 256
    WISE_XGBOOST = 512

    @classmethod
    def _missing_(cls, value: object) -> "ArchiveFlag":
        # A table's column gives numpy integers, which enum does not take for integers.
        return super()._missing_(int(value) if isinstance(value, np.integer) else value)

    @property
    def meaning(self) -> str:
        """What one bit says, in a few words."""
        return _MEANINGS[self]


_MEANINGS = {
    ArchiveFlag.NOT_FOUND: "the service has no source of this id",
    ArchiveFlag.TWO_PARAMETER: "no parallax or proper motion: a two-parameter solution",
    ArchiveFlag.XP_NOT_DELIVERED: ("the archive announces an XP spectrum and did not deliver it"),
    ArchiveFlag.EXTRAGALACTIC_CANDIDATE: "Gaia lists it as a candidate quasar or galaxy",
    ArchiveFlag.CUT_SDSS: "SDSS magnitudes were removed by a quality cut",
    ArchiveFlag.CUT_PS1: "Pan-STARRS magnitudes were removed by a quality cut",
    ArchiveFlag.CUT_SKYMAPPER: "SkyMapper magnitudes were removed by a quality cut",
    ArchiveFlag.CUT_TMASS: "2MASS magnitudes were removed by a quality cut",
    ArchiveFlag.SKYMAPPER_DR2: "SkyMapper magnitudes are of DR2, not DR4",
    ArchiveFlag.WISE_XGBOOST: (
        "W1 and W2 are from the table of Andrae et al. 2023, without errors"
    ),
}
