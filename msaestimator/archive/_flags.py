"""Archive flags: bits that tell of a row what a user of it should know."""

from msaestimator.schema import ExplainedFlag

__all__ = ["ArchiveFlag"]


class ArchiveFlag(ExplainedFlag):
    """Bits of the ``archive_flags`` column; 0 is a row with nothing to say.

    Examples
    --------
    >>> from msaestimator.archive import ArchiveFlag
    >>> ArchiveFlag(20)
    <ArchiveFlag.XP_NOT_DELIVERED|CUT_SDSS: 20>
    >>> ArchiveFlag.CUT_SDSS.meaning
    'SDSS magnitudes were removed by a quality cut'
    """

    NOT_FOUND = 1, "the service has no source of this id"
    TWO_PARAMETER = 2, "no parallax or proper motion: a two-parameter solution"
    XP_NOT_DELIVERED = 4, "the archive announces an XP spectrum and did not deliver it"
    EXTRAGALACTIC_CANDIDATE = 8, "Gaia lists it as a candidate quasar or galaxy"
    CUT_SDSS = 16, "SDSS magnitudes were removed by a quality cut"
    CUT_PS1 = 32, "Pan-STARRS magnitudes were removed by a quality cut"
    CUT_SKYMAPPER = 64, "SkyMapper magnitudes were removed by a quality cut"
    CUT_TMASS = 128, "2MASS magnitudes were removed by a quality cut"
    SKYMAPPER_DR2 = 256, "SkyMapper magnitudes are of DR2, not DR4"
    WISE_XGBOOST = 512, "W1 and W2 are from the table of Andrae et al. 2023, without errors"
