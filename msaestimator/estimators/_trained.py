"""What every estimator shares: settings by name, the run of a training, saving and loading."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted
from torch import nn
from torch.utils.data import TensorDataset

from msaestimator.estimators._persistence import load_estimator, save_estimator
from msaestimator.estimators._presets import get_preset
from msaestimator.estimators._released import released_folder
from msaestimator.training import (
    OPTIMIZERS,
    ParameterGroup,
    TrainingPlan,
    build_net,
    check_finished,
    fingerprint,
    resolve_device,
)

__all__ = ["TrainedEstimator"]


class TrainedEstimator(BaseEstimator):
    """Base of the estimators: composition over a skorch net built in ``fit``.

    Subclasses store their parameters in ``__init__``, make the untrained network that these and
    the stars ask for in ``_build_module``, and keep the fitted one in ``module_``.
    """

    @classmethod
    def from_preset(cls, name: str, **changes: Any) -> Self:
        """Return an unfitted estimator with the settings of that name.

        Parameters
        ----------
        name : str
            ``"default"``, the library's settings; or the paper that the model is from:
            ``"mckay2025"`` of autoencoder and regressor, ``"zhang2026"`` of the generalist.
        **changes
            Parameters to set otherwise.
        """
        return cls(**(get_preset(name, cls.__name__) | changes))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Return a fitted estimator: a released one, or one that `save_pretrained` wrote.

        Parameters
        ----------
        folder : str or Path
            Name of a model that ships with the package, such as ``"apogee-xp"``; or a folder
            with ``config.json`` and ``model.safetensors``. A released model's name goes before a
            folder of that name, which ``Path("apogee-xp")`` or ``"./apogee-xp"`` tells. Nothing
            in a folder is executed.

        Raises
        ------
        CheckpointError
            A name is unknown; a file is absent, truncated or altered, or holds another kind of
            estimator.
        """
        return load_estimator(cls, released_folder(folder, cls.__name__))

    def save_pretrained(self, folder: str | Path, dtype: str = "float32") -> None:
        """Write the fitted estimator to a folder: ``config.json`` and ``model.safetensors``.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there. Each file is replaced whole.
        dtype : {"float32", "float16", "bfloat16"}
            Of the network's weights in the file. The latter two halve it and round the weights,
            to 11 and 8 bits; they are loaded as float32 again. All else is kept exactly.

        Raises
        ------
        ValueError
            A weight is too large for ``dtype``.
        """
        check_is_fitted(self, "module_")
        save_estimator(self, Path(folder), dtype)

    def _adopt(self, module: nn.Module) -> None:
        """Take a trained network as the fitted one."""
        self.module_ = module.eval()

    def _check_parameters(self) -> None:
        """Refuse settings no training can have; the others are checked where they are used."""
        parameters = self.get_params(deep=False)
        for name in FRACTIONS & set(parameters):
            value = parameters[name]
            if not 0 <= value <= 1:
                raise ValueError(f"`{name}` must be between 0 and 1, got {value}.")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"`optimizer` must be one of {sorted(OPTIMIZERS)}, got {self.optimizer!r}."
            )
        for name, least in (("max_epochs", 0), ("batch_size", 1), ("inference_batch_size", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"`{name}` must be at least {least}, got {getattr(self, name)}.")

    def _train(
        self,
        title: str,
        criterion: nn.Module,
        mask: Callable[..., Any],
        groups: Sequence[ParameterGroup],
        x: np.ndarray,
        y: np.ndarray,
        *,
        start: Sequence[np.ndarray] = (),
    ) -> None:
        """Train ``module_`` on features ``x`` and targets ``y``; sets ``net_``.

        ``start`` are weights that training starts from when they are not drawn afresh: with
        data and parameters they tell whether a checkpoint belongs to this run.
        """
        if self.max_epochs == 0:
            self._adopt(self.module_)
            return
        training, validation = self._split(x, y)
        self.net_ = build_net(
            self.module_,
            criterion,
            mask,
            self._plan(title, groups),
            n_stars=len(training),
            validation=validation,
            run_id="" if self.checkpoint is None else self._run_id(x, y, *start),
        )
        self.net_.partial_fit(training)
        check_finished(self.net_)
        self._adopt(self.net_.module_)

    def _run_id(self, *arrays: np.ndarray) -> str:
        """Return what a checkpoint must say to be of this run."""
        parameters = self.get_params(deep=False)
        return fingerprint(
            {n: parameters[n] for n in parameters if n not in NOT_PART_OF_A_RUN}, *arrays
        )

    def _plan(self, title: str, groups: Sequence[ParameterGroup]) -> TrainingPlan:
        return TrainingPlan(
            title=title,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
            groups=groups,
            gradient_clip=self.gradient_clip,
            patience=self.n_iter_no_change if self.early_stopping else None,
            device=resolve_device(self.device),
            precision=self.precision,
            verbose=self.verbose,
            checkpoint=self.checkpoint,
            callbacks=self.callbacks or (),
        )

    def _split(self, x: np.ndarray, y: np.ndarray) -> tuple[TensorDataset, TensorDataset | None]:
        """Return training and validation stars; none of the latter without early stopping."""
        if not self.early_stopping:
            return TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), None
        rows = train_test_split(
            np.arange(len(x)),
            test_size=self.validation_fraction,
            random_state=torch.initial_seed() % 2**32,
        )
        training, validation = (
            TensorDataset(torch.from_numpy(x[part]), torch.from_numpy(y[part])) for part in rows
        )
        return training, validation

    @classmethod
    def _saved_kinds(cls) -> dict[str, type]:
        """Return the estimators of this room that a saved one may hold, by name."""
        return {}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "module_")


NOT_PART_OF_A_RUN = frozenset(
    {"callbacks", "checkpoint", "encoder", "inference_batch_size", "verbose", "warm_start"}
)
"""Parameters that may differ between a killed run and the one that resumes it."""

FRACTIONS = frozenset(
    {
        "beta",
        "average_from",
        "block_mask_ratio",
        "dropout",
        "mask_ratio",
        "span_mask_ratio",
        "width_power",
        "xp_mask_ratio",
    }
)
"""Parameters between 0 and 1."""
