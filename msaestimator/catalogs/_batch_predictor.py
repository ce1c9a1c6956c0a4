"""The core of every engine: record batches of stars in, record batches of answers out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import astropy.units as u
import numpy as np
import pyarrow as pa

from msaestimator.catalogs._answer_schema import batch_of, schema_of
from msaestimator.catalogs._questions import question_of
from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import StarReader
from msaestimator.results import provenance
from msaestimator.schema import StarTable
from msaestimator.tables import (
    NamedColumns,
    convert_unit,
    require_columns,
    source_ids_of,
    stars_of_arrow,
)

__all__ = ["POSITION", "BatchPredictor"]

POSITION = {"ra": "right ascension", "dec": "declination"}
"""Columns of a position in degrees, and what they are."""


class BatchPredictor:
    """Answer record batches of stars by record batches, of a schema that the model alone fixes.

    It reads and writes no files and keeps nothing, so that any engine can feed it.

    Parameters
    ----------
    model : fitted estimator
        Autoencoder, regressor or generalist that was fitted on tables.
    methods : str or sequence of str, optional
        Methods of the estimator to ask: "predict_table", "request", "transform" (latent
        vectors, of a regressor those of its encoder) and "outlier_score"; answers of several stand
        side by side. None is the first of these that the estimator has, or "request" where there
        are ``requests``.
    requests : str or sequence of str, optional
        Quantities to ask a generalist for; None is its labels.

    Attributes
    ----------
    model : fitted estimator
        The parameter.
    question : Question
        Methods and requests.
    template : StarTable of length 0
        The answers about no star, as tables.
    schema : pyarrow.Schema
        Columns of the answers: ``source_id`` (int64), ``ra`` and ``dec`` in degrees (float64,
        NaN where the stars have none), and the estimator's own, numbers as float32, latent
        vectors as lists of fixed size. Units and descriptions are in the metadata.

    Raises
    ------
    ValueError
        The estimator lacks a method.
    ColumnError
        The estimator was fitted on a matrix, whose columns have no names.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from msaestimator import StellarParameterRegressor
    >>> from msaestimator.catalogs import BatchPredictor
    >>> from msaestimator.datasets import load_apogee_xp
    >>> predictor = BatchPredictor(StellarParameterRegressor.from_pretrained("gaia-xp"))
    >>> answers = predictor(load_apogee_xp()[:3])
    >>> answers.num_rows, answers.schema.field("teff_err").type
    (3, DataType(float))
    >>> predictor.schema.field("teff").metadata[b"unit"]
    b'K'
    """

    def __init__(
        self,
        model: Any,
        methods: str | Sequence[str] | None = None,
        requests: str | Sequence[str] | None = None,
    ) -> None:
        self.model = model
        self.question = question_of(model, methods, requests)
        model.reader_.check_takes_tables()
        self.template = self._answer(_no_stars(model))
        self.schema = schema_of(self.template)

    def __call__(self, stars: Any) -> pa.RecordBatch:
        """Return the answers about stars, one row a star, in order.

        Parameters
        ----------
        stars : RecordBatch, or table of any other kind, of n_stars stars
            Columns by the Gaia archive's names, ``source_id`` among them.

        Returns
        -------
        RecordBatch of n_stars rows

        Raises
        ------
        ColumnError, UnitMismatchError
            A column of the stars is absent, of another unit or unusable; the message says which.
        """
        if isinstance(stars, pa.RecordBatch):
            stars = pa.Table.from_batches([stars])
        if isinstance(stars, pa.Table):
            stars = stars_of_arrow(stars)
        return batch_of(self._answer(stars), self.schema)

    def map(self, batches: Iterable[Any]) -> Iterator[pa.RecordBatch]:
        """Yield the answers about batches of stars, one at a time."""
        yield from map(self, batches)

    @property
    def name(self) -> str:
        """Name of the model."""
        return str(self.template.meta["model"])

    def columns_of(self, names: Iterable[str]) -> list[str]:
        """Return those of the names of columns that the answers depend on.

        Parameters
        ----------
        names : iterable of str
            Names of columns that there are.
        """
        needed = self.model.reader_.input_columns
        return [n for n in names if needed is None or n in needed or n in ("source_id", *POSITION)]

    def _answer(self, stars: Any) -> StarTable:
        """Return what goes along of the stars, and the answers about them."""
        columns = require_columns(self.model.reader_.open(stars, aliases=self.model.aliases))
        ids = source_ids_of(columns)
        if ids is None:
            raise ColumnError(
                "The stars must have the column 'source_id', by which their answers are told "
                f"apart, got {', '.join(columns.names)}. Add it, as 64-bit integers."
            )
        answers = StarTable({"source_id": ids})
        answers["source_id"].info.description = "Gaia source id"
        for name, meaning in POSITION.items():
            answers[name] = _degrees(columns, name) * u.deg
            answers[name].info.description = meaning
        found = self.question.ask(self.model, columns)
        for name in found.colnames:
            answers[name] = found[name]
        known = provenance(type(self.model).__name__, self.model.fingerprint)
        answers.meta |= known | found.meta
        return answers


def _degrees(columns: NamedColumns, name: str) -> np.ndarray:
    """Return a coordinate in degrees, NaN where it is missing."""
    if name not in columns:
        return np.full(len(columns), np.nan)
    values, mask, unit = columns.raw(name)
    if values.dtype.kind not in "fiu":
        raise ColumnError(
            f"Column {name!r} must be numbers in degrees, got {values.dtype}. Write it as floats."
        )
    return np.where(mask, np.nan, convert_unit(name, values.astype(float), unit, "deg"))


def _no_stars(model: Any) -> StarTable:
    """Return a table without stars that has every quantity the model takes."""
    reader = model.reader_
    names = reader.columns.base_names if isinstance(reader, StarReader) else reader.trained_tokens
    return StarTable({name: np.empty(0) for name in names} | {"source_id": np.empty(0, np.int64)})
