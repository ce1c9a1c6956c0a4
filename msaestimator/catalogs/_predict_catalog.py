"""A fitted model over files of stars: one file in, one file out, and a HATS catalogue."""

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from msaestimator.catalogs._answer_file import FileAnswers
from msaestimator.catalogs._answer_schema import schema_of
from msaestimator.catalogs._batch_predictor import BatchPredictor
from msaestimator.catalogs._finish import finish
from msaestimator.catalogs._inputs import Input, check_apart, find_inputs
from msaestimator.catalogs._output import claim, replacing
from msaestimator.catalogs._ranks import Rank, rank_of
from msaestimator.catalogs._report import CatalogReport, Failure
from msaestimator.datasets import HATS_INDEX, StarDataset
from msaestimator.exceptions import CatalogError, CatalogWarning
from msaestimator.schema import StarTable
from msaestimator.tables import expand_home, reason_of

__all__ = ["predict_catalog"]

BATCH_SIZE = 8192
"""Stars in memory at a time."""

FAILED = ".unfinished/failed"
"""Folder in which processes tell each other of files that they could not answer."""

SECONDS = 60
"""Seconds between lines of progress in a log."""


def predict_catalog(
    model: Any,
    stars: StarDataset | str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    methods: str | Sequence[str] | None = None,
    requests: str | Sequence[str] | None = None,
    batch_size: int = BATCH_SIZE,
    overwrite: bool = False,
    progress: bool = True,
) -> CatalogReport:
    """Answer about all stars of files, one file at a time, into a HATS catalogue.

    Parameters
    ----------
    model : fitted estimator
        Autoencoder, regressor or generalist.
    stars : StarDataset, path, or iterable of paths
        Stars with ``source_id``, ``ra`` and ``dec``: parquet files, folders of them, or a HATS
        catalogue.
    output : path
        Folder of the catalogue, which is made, or gone on with.
    methods, requests
        The question, as of `BatchPredictor`: by default the table of parameters.
    batch_size : int
        Stars in memory at a time. Answers do not depend on it beyond rounding of float32.
    overwrite : bool
        Whether a catalogue of another model, or of other answers, is deleted first.
    progress : bool
        Whether to show stars a second and the time left.

    Returns
    -------
    CatalogReport
        Numbers of files and stars, and the files that could not be answered.

    Raises
    ------
    CatalogError
        The output cannot be written to, or holds other answers or files. Files that are finished
        stay.
    KeyboardInterrupt
        Ctrl-C; the message says how to go on.
    ColumnError, FileNotFoundError
        There are no files, or the output lies among them.

    Warns
    -----
    CatalogWarning
        Files could not be answered, or stars are in the catalogue twice; the message lists them.

    Notes
    -----
    A file's answers are written under a temporary name and renamed. One that is there already is
    skipped if model, question and content of the file are the same, so that the same call goes on
    after an interruption, and adds what has come to the stars; what is in the catalogue of files
    that are not among the stars any more stays. Of several processes each takes its share, by
    ``RANK`` and ``WORLD_SIZE``, or Slurm's ``SLURM_PROCID`` and ``SLURM_NTASKS``; the last
    completes the catalogue.

    The partitions of a HATS catalogue keep their files and rows. Answers about other files go to
    ``answers/``, and from there, sorted over the sky, to partitions.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from msaestimator import StellarParameterRegressor
    >>> from msaestimator.catalogs import predict_catalog
    >>> from msaestimator.datasets import StarDataset, load_apogee_xp
    >>> from msaestimator.tables import write_stars
    >>> folder = mkdtemp()
    >>> write_stars(load_apogee_xp("test")[:300], f"{folder}/xp/stars.parquet")
    >>> model = StellarParameterRegressor.from_pretrained("gaia-xp")
    >>> report = predict_catalog(model, f"{folder}/xp", f"{folder}/out", progress=False)
    >>> report.n_answered, report.n_stars
    (1, 300)
    >>> StarDataset(f"{folder}/out").units["teff"]
    'K'
    """
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be at least 1, got {batch_size}.")
    target = expand_home(output)
    if not isinstance(stars, StarDataset | str | os.PathLike):
        stars = [*stars]
    check_apart(stars, target)
    rank = rank_of()
    predictor = BatchPredictor(model, methods, requests)
    inputs = find_inputs(stars, predictor)
    identity = _identity(predictor, inputs.are_partitions)
    claim(target, identity, predictor.name, overwrite=overwrite, alone=rank.size == 1)
    answers = FileAnswers(predictor, _schema(predictor), target, identity, batch_size)
    return _Run(answers, inputs.files, rank, progress).report()


class _Run:
    """The work of one process on a catalogue."""

    def __init__(
        self,
        answers: FileAnswers,
        files: Sequence[Input | Failure],
        rank: Rank,
        progress: bool,
    ) -> None:
        self.answers = answers
        self.files = files
        self.rank = rank
        self.progress = progress
        self.n_answered = self.n_skipped = self.n_stars = 0
        self.failures: list[Failure] = []

    def report(self) -> CatalogReport:
        """Answer the process's share of files, complete the catalogue if it is the last."""
        self._answer_share()
        waiting, told = self._of_others()
        duplicates: tuple[int, ...] = ()
        if not waiting:
            duplicates = finish(self.answers)
            self.failures = [*self.failures, *told]
        report = CatalogReport(
            self.answers.output,
            self.n_answered,
            self.n_skipped,
            self.n_stars,
            waiting,
            tuple(self.failures),
            duplicates,
        )
        if report.trouble:
            warnings.warn(report.trouble, CatalogWarning, stacklevel=3)
        return report

    def _answer_share(self) -> None:
        own = self.files[self.rank.number :: self.rank.size]
        to_do = [f for f in own if isinstance(f, Failure) or not self.answers.is_finished(f)]
        self.n_skipped = len(own) - len(to_do)
        for file in to_do:
            self._failure_file(file.path).unlink(missing_ok=True)
        n_stars = sum(file.n_stars for file in to_do if isinstance(file, Input))
        try:
            with self._bar(n_stars) as bar:
                for file in to_do:
                    self._answer(file, bar)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Interrupted: {self.n_answered + self.n_skipped} of {len(own)} files are "
                f"finished, and kept in {str(self.answers.output)!r}. Start again to go on."
            ) from None

    def _answer(self, file: Input | Failure, bar: tqdm) -> None:
        """Answer a file; what is wrong with it is noted, and the run goes on."""
        if isinstance(file, Failure):
            self._fail(file)
        elif self.answers.is_finished(file):
            self.n_skipped += 1  # by another run, meanwhile
            bar.update(file.n_stars)
        else:
            try:
                self.answers.write(file, bar.update)
            except CatalogError:
                if not self.answers.is_finished(file):
                    raise
            except Exception as error:
                self._fail(Failure(file.path, reason_of(error)))
                return
            self.n_answered += 1
            self.n_stars += file.n_stars

    def _fail(self, failure: Failure) -> None:
        self.failures.append(failure)
        if self.rank.size > 1:
            with replacing(self._failure_file(failure.path), self.answers.output) as path:
                path.write_text(json.dumps([str(failure.path), failure.reason]), encoding="utf-8")

    def _of_others(self) -> tuple[int, list[Failure]]:
        """Return how many files others have yet to answer, and what they failed at."""
        if self.rank.size == 1:
            return 0, []
        own = {failure.path for failure in self.failures}
        waiting, told = 0, []
        for file in self.files:
            if file.path in own or (isinstance(file, Input) and self.answers.is_finished(file)):
                continue
            try:
                path, reason = json.loads(self._failure_file(file.path).read_text("utf-8"))
                told.append(Failure(Path(path), reason))
            except (OSError, ValueError):
                waiting += 1
        return waiting, told

    def _failure_file(self, path: Path) -> Path:
        name = hashlib.sha256(str(path).encode()).hexdigest()
        return self.answers.output / FAILED / f"{name}.json"

    def _bar(self, n_stars: int) -> tqdm:
        size = self.rank.size
        return tqdm(
            total=n_stars,
            desc=self.answers.predictor.name
            + (f", process {self.rank.number} of {size}" if size > 1 else ""),
            unit=" stars",
            unit_scale=True,
            mininterval=0.1 if sys.stderr.isatty() else SECONDS,
            disable=not self.progress,
        )


def _identity(predictor: BatchPredictor, are_partitions: bool) -> dict[str, Any]:
    """Return what tells a catalogue of answers from any other."""
    return {
        "model_id": predictor.model.fingerprint,
        "methods": [*predictor.question.methods],
        "requests": [*predictor.question.requests],
        "partitions": are_partitions,
    }


def _schema(predictor: BatchPredictor) -> Any:
    """Return the columns of a catalogue: the pixel goes before the answers."""
    table = StarTable({HATS_INDEX: predictor.template["source_id"] * 0})
    table[HATS_INDEX].info.description = "HEALPix pixel of order 29, nested"
    for name in predictor.template.colnames:
        table[name] = predictor.template[name]
    table.meta |= predictor.template.meta
    return schema_of(table)
