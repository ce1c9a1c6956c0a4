"""What the estimators on one matrix of features share: masks, and inference in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset

from msaestimator.preprocessing._star_reader import StarDoor
from msaestimator.estimators._similar_stars import SimilarStars
from msaestimator.estimators._trained import TrainedEstimator
from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.networks import GroupMask, JointMask, SpanMask
from msaestimator.training import ParameterGroup, build_net, map_batches, resolve_device

__all__ = ["StellarEstimator", "observed_rows"]


def observed_rows(features: np.ndarray) -> np.ndarray:
    """Tell which stars have at least one observed feature: bool of shape (n_stars,)."""
    return np.isfinite(features).any(axis=1)


def _group_mask(groups: Sequence[str], ratios: Mapping[str, float]) -> GroupMask:
    """Return the mask of columns whose groups go by name."""
    distinct = list(dict.fromkeys(groups))
    return GroupMask([distinct.index(g) for g in groups], [ratios[g] for g in distinct])


class StellarEstimator(TrainedEstimator, StarDoor, SimilarStars):
    """Base of the autoencoder and the regressor, whose networks see a row of features a star."""

    def _mask(
        self,
        mask_ratio: float,
        xp_mask_ratio: float,
        block_mask_ratio: float,
        span_mask_ratio: float,
        protected: Sequence[str] | None,
    ) -> GroupMask:
        """Return the mask in which XP coefficients go together and other columns alone.

        A survey or an XP band is hidden as a whole besides, but for its protected columns, and
        a part of the coefficients.
        """
        if protected is None:
            protected = [column.name for column in self._schema.columns if column.protected]
        known = {*self._schema.names, *self.feature_names_}
        for name in protected:
            if name not in known:
                raise ColumnError(
                    f"`protected` must name features, got {name!r}." + did_you_mean(name, known)
                )
        names = list(map(self._base_name, self.feature_names_))
        bands = {c.name: array.prefix for array in self._schema.arrays for c in array.columns}
        alone = ["xp" if name in bands else name for name in names]
        columns = _group_mask(
            alone,
            {name: 0.0 if name in protected else mask_ratio for name in names}
            | {"xp": xp_mask_ratio},
        )
        surveys = [
            "" if name in protected or name not in self._schema else self._schema[name].block
            for name in names
        ]
        blocks = [bands.get(name, survey) for name, survey in zip(names, surveys, strict=True)]
        ratios = {block: block_mask_ratio if block else 0.0 for block in blocks}
        orders = {c.name: n for a in self._schema.arrays for n, c in enumerate(a.columns)}
        # DIFF(mckay2025): the thesis hides spectra whole or not at all.
        return JointMask(
            columns,
            _group_mask(blocks, ratios),
            SpanMask([orders.get(name, -1) for name in names], span_mask_ratio),
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
