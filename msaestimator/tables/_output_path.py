"""The path that a table is to be written to, checked before there is work to lose."""

import os
from collections.abc import Iterable
from pathlib import Path

from msaestimator.exceptions import ColumnError
from msaestimator.tables._file_formats import FORMATS, file_ending, file_format

__all__ = ["expand_home", "is_table_path", "output_path"]


def output_path(
    path: str | os.PathLike[str],
    overwrite: bool = False,
    inputs: Iterable[str | os.PathLike[str]] = (),
) -> Path:
    """Return the path that a table is to be written to, if it can be; to be called before work.

    Parameters
    ----------
    path : str or path-like
        File to write, as in `write_stars`.
    overwrite : bool, default=False
        True allows a file of that name, which is to be replaced.
    inputs : iterable of str or path-like
        Files and folders that are read, and may never be replaced or written into.

    Returns
    -------
    Path
        The absolute path that ``~``, ``..`` and links lead to.

    Raises
    ------
    ColumnError
        The ending is unknown, or the path leads to one of the inputs, by whatever links.
    FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError
        There is such a file, or a folder; or its folder is no folder, or may not be written to.
    """
    path = expand_home(path)
    file_format(path)
    # Where links lead, and ".." of a folder that is yet to be made.
    target = path.resolve()
    for read in map(expand_home, inputs):
        if read.exists() and _is_part_of(target, read):
            raise ColumnError(
                f"The output {str(path)!r} is the input {str(read)!r}, or lies in it. Choose "
                "another name."
            )
    if target.is_dir():
        raise IsADirectoryError(f"The output {str(path)!r} is a folder. Name a file in it.")
    if target.exists() and not overwrite:
        raise FileExistsError(
            f"The file {str(path)!r} exists. Choose another name, or replace it by "
            "`overwrite=True` (--overwrite)."
        )
    folder = next(one for one in target.parents if one.exists())
    if not folder.is_dir():
        raise NotADirectoryError(
            f"The output {str(path)!r} cannot be written: {str(folder)!r} is a file, not a folder."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            f"The output {str(path)!r} cannot be written: the folder {str(folder)!r} may not be "
            "written to."
        )
    return target


def is_table_path(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path is a folder, or a file whose ending is that of a table."""
    path = expand_home(path)
    return path.is_dir() or file_ending(path)[0] in FORMATS


def expand_home(path: str | os.PathLike[str]) -> Path:
    """Return a path in which ``~`` and ``~name`` are the home folder, if there is such a user."""
    return Path(os.path.expanduser(path))


def _is_part_of(path: Path, read: Path) -> bool:
    """Tell whether a path is a file that is read, or lies in a folder that is."""
    return any(one.exists() and one.samefile(read) for one in (path, *path.parents))
