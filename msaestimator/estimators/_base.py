"""What the estimators on one matrix of features share: masks, and inference in batches."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset

from msaestimator.estimators._door import StarDoor
from msaestimator.estimators._similar import SimilarStars
from msaestimator.estimators._trained import TrainedEstimator
from msaestimator.networks import GroupMask
from msaestimator.training import ParameterGroup, build_net, map_batches, resolve_device

__all__ = ["StellarEstimator", "observed_rows"]


def observed_rows(features: np.ndarray) -> np.ndarray:
    """Tell which stars have at least one observed feature: bool of shape (n_stars,)."""
    return np.isfinite(features).any(axis=1)


class StellarEstimator(TrainedEstimator, StarDoor, SimilarStars):
    """Base of the autoencoder and the regressor, whose networks see a row of features a star."""

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
