"""Files that are there whole or not at all, and what to do where they cannot be written."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["whole_file"]

REMEDIES = {
    errno.ENOSPC: "the disk is full. Free some space",
    errno.EDQUOT: "the quota is used up. Free some space",
    errno.EROFS: "it is read-only. Choose another folder",
    errno.EACCES: "it may not be written to. Change that, or choose another folder",
}


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside a file, which is renamed once it is written.

    Parameters
    ----------
    path : Path
        File to be. Its folder is made.

    Raises
    ------
    OSError
        The file cannot be written; the message tells what to do. Nothing is left of it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        raise OSError(
            f"The file {str(path)!r} cannot be written: {remedy}, and begin again. What is "
            "finished is kept."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
