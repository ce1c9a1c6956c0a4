"""The archive's lists of checksums, ``_MD5SUM.txt``, one in each folder of a download."""

import hashlib
from pathlib import Path

from msaestimator.datasets._star_file import reading
from msaestimator.exceptions import ColumnError

__all__ = ["check_sum"]

LISTING = "_MD5SUM.txt"


def check_sum(path: Path) -> None:
    """Check a file by the list in its folder, if it is listed there.

    Parameters
    ----------
    path : Path
        File that was downloaded.

    Raises
    ------
    ColumnError
        The file is another than the list says.
    """
    expected = _listed(path)
    if expected is None:
        return
    with reading(path, "a file of the archive"), path.open("rb") as file:
        # Against accidents on the way; nobody is to be kept out.
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != expected:
        raise ColumnError(
            f"The file {str(path)!r} must have the MD5 {expected}, by {LISTING!r} beside it, got "
            f"{found}: it was cut off or altered. Download it anew."
        )


def _listed(path: Path) -> str | None:
    """Return the checksum that is listed for a file."""
    listing = path.with_name(LISTING)
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            checksum, _, name = line.partition(" ")
            if name.strip().lstrip("*").rpartition("/")[2] == path.name:
                return checksum.lower()
    return None
