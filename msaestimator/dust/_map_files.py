"""The files of a map of dustmaps: their folder, and the command that fetches them."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from msaestimator.exceptions import DustMapError, MissingDependencyError
from msaestimator.tables import expand_home

__all__ = ["MapFiles", "importing_dustmaps"]


@contextmanager
def importing_dustmaps() -> Iterator[None]:
    """Import from dustmaps inside: quietly, with an error that says what to install.

    dustmaps warns of a ``~/.dustmapsrc`` that is absent or elsewhere, though both are in order:
    its default folder, or the one given, is in use. Nothing is written there.
    """
    with warnings.catch_warnings():
        for harmless in (
            "Configuration file not found",
            "Overriding default configuration",
            "invalid escape sequence",
        ):
            warnings.filterwarnings("ignore", message=f".*{harmless}")
        try:
            yield
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                f"Dust maps are read with dustmaps, but {error.name} is not installed. "
                "Install it with: pip install msaestimator[dust]"
            ) from error


@dataclass(frozen=True)
class MapFiles:
    """The files one map consists of.

    Parameters
    ----------
    module : str
        The map's module in dustmaps, and its subfolder in dustmaps' data folder.
    names : tuple of str
        File names.
    source : str
        Address at which the files are published.
    """

    module: str
    names: tuple[str, ...]
    source: str

    def find(self, map_dir: str | Path | None) -> Path:
        """Return the folder that holds the files: ``map_dir/module``, or ``map_dir`` itself.

        Parameters
        ----------
        map_dir : str, Path or None
            Folder of the files; None is the data folder dustmaps is configured with.

        Raises
        ------
        DustMapError
            The files are in neither.
        """
        root = _data_folder() if map_dir is None else expand_home(map_dir).absolute()
        for folder in (root / self.module, root):
            if all((folder / name).is_file() for name in self.names):
                return folder
        raise DustMapError(
            f"The dust map {self.module!r} ({', '.join(self.names)}) must be in "
            f"{root / self.module} or {root}, but is not. {self._advice(map_dir, root)}"
        )

    @contextmanager
    def reading(self, folder: Path) -> Iterator[None]:
        """Open the files inside, without what dustmaps prints; name the map if one is broken."""
        try:
            with redirect_stdout(io.StringIO()), warnings.catch_warnings():
                # The error that follows says the same.
                warnings.filterwarnings("ignore", message="File may have been truncated")
                yield
        except (OSError, KeyError, TypeError, ValueError) as error:
            root = folder.parent if folder.name == self.module else folder
            raise DustMapError(
                f"The dust map {self.module!r} in {folder} must hold readable files, but "
                f"{', '.join(self.names)} cannot be read: {error}. Delete what is there. "
                f"{self._advice(root, root)}"
            ) from error

    def _advice(self, map_dir: str | Path | None, root: Path) -> str:
        configure = (
            ""
            if map_dir is None
            else f"from dustmaps.config import config; config['data_dir'] = {str(root)!r}; "
        )
        return (
            f'Fetch it with: python -c "{configure}import dustmaps.{self.module}; '
            f'dustmaps.{self.module}.fetch()". If the server refuses, it is published as '
            f"{self.source}."
        )


def _data_folder() -> Path:
    """Return dustmaps' data folder."""
    with importing_dustmaps():
        from dustmaps.std_paths import data_dir
    return Path(data_dir())
