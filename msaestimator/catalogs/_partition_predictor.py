"""A saved model as a function of a catalogue's partitions, for LSDB on a Dask cluster."""

import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from msaestimator.catalogs._batch_predictor import POSITION, BatchPredictor
from msaestimator.estimators import StellarParameterRegressor
from msaestimator.exceptions import CheckpointError, ColumnError
from msaestimator.tables import expand_home

__all__ = ["PartitionPredictor"]

PREDICTORS: dict[tuple[Any, ...], BatchPredictor] = {}
"""Predictors that the process has loaded, each once for all partitions."""


class PartitionPredictor:
    """Answer the partitions of a catalogue, in whatever process they are.

    It holds the name of a folder and no weights, so that it is cheap to send to workers. Each
    loads the model once.

    Parameters
    ----------
    folder : str or Path
        Folder that ``save_pretrained`` wrote, which all workers see, or the name of a released
        model.
    methods, requests
        The question, as of `BatchPredictor`.
    kind : type
        Class of the estimator that is saved there.

    Attributes
    ----------
    fingerprint : str
        Fingerprint of the model. A worker that finds another one in the folder refuses it.

    Examples
    --------
    >>> import pandas as pd
    >>> from msaestimator.catalogs import PartitionPredictor
    >>> from msaestimator.datasets import load_apogee_xp
    >>> from msaestimator.tables import arrow_of_table
    >>> predict = PartitionPredictor("gaia-xp")
    >>> stars = arrow_of_table(load_apogee_xp()[:3])
    >>> answers = predict(stars.to_pandas(types_mapper=pd.ArrowDtype))
    >>> answers.dtypes["teff"], len(answers)
    (float[pyarrow], 3)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        methods: str | Sequence[str] | None = None,
        requests: str | Sequence[str] | None = None,
        *,
        kind: Any = StellarParameterRegressor,
    ) -> None:
        found = expand_home(folder)
        # Workers may stand in other folders.
        self.folder = found.absolute() if found.is_dir() else folder
        self.kind = kind
        self.methods = methods if isinstance(methods, str | None) else tuple(methods)
        self.requests = requests if isinstance(requests, str | None) else tuple(requests)
        self.fingerprint = self._load().model.fingerprint

    def __call__(self, partition: Any) -> Any:
        """Return the answers about a partition's stars, with its index, for LSDB to place them.

        Parameters
        ----------
        partition : DataFrame of n_stars stars
            Stars with ``source_id``, ``ra`` and ``dec``; of no rows too, which LSDB asks to learn
            the columns of the answers.

        Returns
        -------
        DataFrame of n_stars rows
            Columns of `BatchPredictor`, of Arrow's types.
        """
        lacking = [name for name in ("source_id", *POSITION) if name not in partition.columns]
        if lacking:
            raise ColumnError(
                f"A partition must have the columns source_id, ra and dec, but lacks "
                f"{', '.join(lacking)}. Open the catalogue with them."
            )
        import pandas as pd

        answers = pa.Table.from_batches([self._predictor()(partition)])
        frame = answers.to_pandas(types_mapper=pd.ArrowDtype)
        frame.index = partition.index
        return type(partition)(frame)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        """Return what tells the function from others: the model, not the folder."""
        return ("msaestimator", *self._key)

    @property
    def _key(self) -> tuple[Any, ...]:
        return self.kind.__name__, self.fingerprint, self.methods, self.requests

    def _predictor(self) -> BatchPredictor:
        if self._key not in PREDICTORS:
            predictor = self._load()
            if predictor.model.fingerprint != self.fingerprint:
                raise CheckpointError(
                    f"The model in {str(self.folder)!r} must be {self.fingerprint}, as it was "
                    f"when the work began, got {predictor.model.fingerprint}. Save other models "
                    "to other folders."
                )
            PREDICTORS[self._key] = predictor
        return PREDICTORS[self._key]

    def _load(self) -> BatchPredictor:
        model = self.kind.from_pretrained(self.folder)
        return BatchPredictor(model, self.methods, self.requests)
