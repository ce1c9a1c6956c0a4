"""The files of stars that are to be answered, each with the place of its answers."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from msaestimator.catalogs._batch_predictor import POSITION, BatchPredictor
from msaestimator.catalogs._healpix import Pixel, place_of
from msaestimator.catalogs._report import Failure
from msaestimator.datasets import HATS_INDEX, StarDataset, star_paths
from msaestimator.exceptions import ColumnError
from msaestimator.tables import expand_home

__all__ = ["Input", "Inputs", "check_apart", "find_inputs"]


class Input(NamedTuple):
    """A file of stars.

    Parameters
    ----------
    path : Path
        The file.
    place : str
        Path of its answers within the catalogue.
    dataset : StarDataset
        Dataset that reads it.
    columns : tuple of str
        Columns to read.
    n_stars : int
    fingerprint : str
        Text that changes with the content of the file.
    """

    path: Path
    place: str
    dataset: StarDataset
    columns: tuple[str, ...]
    n_stars: int
    fingerprint: str

    @property
    def pixel(self) -> Pixel | None:
        """Pixel that the file is the partition of, if its answers are to be one too."""
        return place_of(Path(self.place))


class Inputs(NamedTuple):
    """The files of a catalogue, in order.

    Parameters
    ----------
    files : list of Input or Failure
        Files that can be read, and those that cannot.
    are_partitions : bool
        Whether they are the partitions of a HATS catalogue, so that their answers are too.
    """

    files: list[Input | Failure]
    are_partitions: bool


def find_inputs(stars: Any, predictor: BatchPredictor) -> Inputs:
    """Return the files of stars; what is wrong with one of them concerns no other.

    Parameters
    ----------
    stars : StarDataset, path, or iterable of paths
        Stars to answer about.
    predictor : BatchPredictor
        Predictor that is to answer about them.
    """
    if isinstance(stars, StarDataset):
        paths = list(stars.files)
    else:
        paths = star_paths(stars)
    pixels = [place_of(path) for path in paths]
    are_partitions = _are_disjoint(pixels)
    places = [p.place for p in pixels if p] if are_partitions else _places(paths)
    files = [
        _open(path, place, stars if isinstance(stars, StarDataset) else None, predictor)
        for path, place in zip(paths, places, strict=True)
    ]
    return Inputs(_without_lacking(files), are_partitions)


def check_apart(stars: Any, output: Path) -> None:
    """Refuse an output among the stars, or stars within the output."""
    if isinstance(stars, StarDataset):
        given: Iterable[Any] = stars.files
    else:
        given = [stars] if isinstance(stars, str | os.PathLike) else stars
    target = output.resolve()
    for path in (expand_home(one).resolve() for one in given):
        if path == target or path in target.parents or target in path.parents:
            raise ColumnError(
                f"The catalogue {str(output)!r} must be apart from the stars, got {str(path)!r}. "
                "Choose a folder beside it."
            )


def _are_disjoint(pixels: Sequence[Pixel | None]) -> bool:
    """Tell whether all files are partitions, and none a part of another."""
    known = sorted(pixel.ends for pixel in pixels if pixel is not None)
    apart = all(first[1] <= second[0] for first, second in zip(known, known[1:], strict=False))
    return apart and len(known) == len(pixels)


def _places(paths: Sequence[Path]) -> list[str]:
    """Return where the answers of files go that are no partitions: to files of their names."""
    whole = [path.absolute() for path in paths]
    common = Path(os.path.commonpath([path.parent for path in whole]))
    names = (path.relative_to(common).as_posix().removesuffix(".parquet") for path in whole)
    return [f"answers/{name}.parquet" for name in names]


def _open(
    path: Path, place: str, dataset: StarDataset | None, predictor: BatchPredictor
) -> Input | Failure:
    """Return a file with what its footer tells, or why it cannot be read."""
    try:
        # By itself, so that what is wrong with a file concerns no other.
        dataset = dataset or StarDataset(path, aliases=predictor.model.aliases)
        n_stars = dataset.n_stars_of(path)
        columns = predictor.columns_of(dataset.columns)
        if HATS_INDEX in dataset.columns:
            columns.append(HATS_INDEX)
        return Input(path, place, dataset, tuple(columns), n_stars, dataset.fingerprint_of(path))
    except (OSError, ValueError) as error:
        return Failure(path, str(error))


def _without_lacking(files: Sequence[Input | Failure]) -> list[Input | Failure]:
    """Return files in which each lacks no column that at least half of them have.

    The model would take the values for missing, and say nothing that is seen among thousands.
    """
    opened = [file for file in files if isinstance(file, Input)]
    counts = Counter(name for file in opened for name in file.columns if name != HATS_INDEX)
    usual = {name for name, count in counts.items() if 2 * count >= len(opened)}
    usual |= {"source_id", *POSITION}
    return [_unless_lacking(file, usual) if isinstance(file, Input) else file for file in files]


def _unless_lacking(file: Input, usual: set[str]) -> Input | Failure:
    lacking = sorted(usual.difference(file.columns))
    if not lacking:
        return file
    named = ", ".join(map(repr, lacking[:3])) + (" and others" if len(lacking) > 3 else "")
    return Failure(
        file.path,
        f"the file lacks the column {named}, which a catalogue needs or most of the files have. "
        "Add it, NaN where unknown, or answer such files to a catalogue of their own.",
    )
