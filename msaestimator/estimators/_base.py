"""What every estimator shares: the run of a training, inference in batches, saving and loading."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted
from torch import nn
from torch.utils.data import TensorDataset

from msaestimator.estimators._door import StarDoor
from msaestimator.estimators._persistence import load_estimator, save_estimator
from msaestimator.estimators._presets import get_preset
from msaestimator.networks import GroupMask
from msaestimator.training import (
    ParameterGroup,
    TrainingPlan,
    build_net,
    check_finished,
    fingerprint,
    map_batches,
    resolve_device,
)

__all__ = ["StellarEstimator", "observed_rows"]


def observed_rows(features: np.ndarray) -> np.ndarray:
    """Tell which stars have at least one observed feature: bool of shape (n_stars,)."""
    return np.isfinite(features).any(axis=1)


class StellarEstimator(StarDoor):
    """Base of the estimators: composition over a skorch net built in ``fit``.

    Subclasses store their parameters in ``__init__``, make the untrained network that these and
    the features ask for in ``_build_module``, and keep the fitted one in ``module_``.
    """

    @classmethod
    def from_preset(cls, name: str, **changes: Any) -> Self:
        """Return an unfitted estimator with the settings of that name.

        Parameters
        ----------
        name : {"default", "mckay2025"}
            The library's settings, or those of the thesis.
        **changes
            Parameters to set otherwise.
        """
        return cls(**(get_preset(name, cls.__name__) | changes))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Return the fitted estimator that `save_pretrained` wrote.

        Parameters
        ----------
        folder : str or Path
            Holds ``config.json`` and ``model.safetensors``. Nothing in it is executed.

        Raises
        ------
        CheckpointError
            A file is absent, truncated or altered, or holds another kind of estimator.
        """
        return load_estimator(cls, Path(folder))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the fitted estimator to a folder: ``config.json`` and ``model.safetensors``.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there. Each file is replaced whole.
        """
        check_is_fitted(self, "module_")
        save_estimator(self, Path(folder))

    def _adopt(self, module: nn.Module) -> None:
        """Take a trained network as the fitted one."""
        self.module_ = module.eval()

    def _check_parameters(self) -> None:
        """Refuse settings no training can have; the others are checked where they are used."""
        for name in ("mask_ratio", "xp_mask_ratio", "dropout"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"`{name}` must be between 0 and 1, got {value}.")
        for name, least in (("max_epochs", 0), ("batch_size", 1), ("inference_batch_size", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"`{name}` must be at least {least}, got {getattr(self, name)}.")

    def _mask(
        self, mask_ratio: float, xp_mask_ratio: float, protected: Sequence[str]
    ) -> GroupMask:
        """Return the mask in which XP coefficients go together and other columns alone."""
        groups: list[int] = []
        ratios: list[float] = []
        xp_group: int | None = None
        for name in map(self._base_name, self.feature_names_):
            if name in self._schema and self._schema[name].block == "xp":
                if xp_group is None:
                    xp_group = len(ratios)
                    ratios.append(xp_mask_ratio)
                groups.append(xp_group)
            else:
                groups.append(len(ratios))
                ratios.append(0.0 if name in protected else mask_ratio)
        return GroupMask(groups, ratios)

    def _train(
        self,
        title: str,
        criterion: nn.Module,
        mask: GroupMask,
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

    def _train_one_epoch(
        self,
        criterion: nn.Module,
        mask: GroupMask,
        groups: Sequence[ParameterGroup],
        x: np.ndarray,
    ) -> None:
        """Train ``module_`` for one more epoch, on features ``x`` as their own targets."""
        data = TensorDataset(torch.from_numpy(x), torch.from_numpy(x))
        if self.n_partial_fits_ == 0:
            plan = replace(
                self._plan("epoch", groups), max_epochs=1, patience=None, checkpoint=None
            )
            self.net_ = build_net(
                self.module_, criterion, mask, plan, n_stars=len(x), validation=None, run_id=""
            )
        self.net_.partial_fit(data)
        self._adopt(self.net_.module_)

    def _plan(self, title: str, groups: Sequence[ParameterGroup]) -> TrainingPlan:
        return TrainingPlan(
            title=title,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
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

    def _map(self, function: Any, features: np.ndarray, n_columns: tuple[int, ...]) -> np.ndarray:
        """Return ``function`` of the stars in batches; NaN rows for stars without a feature."""
        device = resolve_device(self.device)
        rows = observed_rows(features)
        result = np.full((len(features), *n_columns), np.nan, dtype=np.float32)
        if rows.any():
            self.module_.to(device).eval()
            result[rows] = map_batches(
                function,
                features if rows.all() else features[rows],
                batch_size=self.inference_batch_size,
                device=device,
                precision=self.precision,
            )
        return result

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
