"""One training: stars to train and to validate on, a net, and whether it came to its end."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import TensorDataset

from msaestimator.training._identity import RunIdentity
from msaestimator.training._net import MaskedNet, TrainingPlan, build_net, check_finished
from msaestimator.training._redraw import Draw, Redraw

__all__ = ["train"]


def train(
    module: nn.Module,
    criterion: nn.Module,
    mask: Callable[..., Any],
    plan: TrainingPlan,
    stars: Sequence[np.ndarray],
    *,
    draw: Draw | None = None,
    validation_fraction: float | None = None,
    run: RunIdentity,
) -> MaskedNet:
    """Train a module on stars, and return the net that did.

    Parameters
    ----------
    module, criterion, mask
        Arguments of `MaskedNet`.
    plan : TrainingPlan
    stars : sequence of ndarray of n_stars rows
        Features, targets, and weights of the stars in the loss, of mean one, if they have any.
    draw : callable, optional
        Function of the number of an epoch, from one, that returns the arrays of ``stars`` as they
        are in it; see `Redraw`. None has the same stars in every epoch.
    validation_fraction : float, optional
        Stars to watch the loss on. None trains on all.
    run : RunIdentity
        Identity of the run, which a checkpoint must have to be resumed.

    Raises
    ------
    KeyboardInterrupt
        Training was interrupted; a checkpoint has the epochs until then.
    """
    rows, validation = _split(stars, validation_fraction)
    training = _dataset(stars, rows)
    if draw is not None:
        plan = replace(plan, callbacks=[("redraw", Redraw(draw, rows)), *plan.callbacks])
    net = build_net(
        module,
        criterion,
        mask,
        plan,
        n_stars=len(training),
        validation=validation,
        run=run,
    )
    net.partial_fit(training)
    check_finished(net, plan.title, plan.checkpoint)
    return net


def _split(
    arrays: Sequence[np.ndarray], fraction: float | None
) -> tuple[np.ndarray, TensorDataset | None]:
    """Return the rows of the stars to train on, and the stars to validate on, if any."""
    rows = np.arange(len(arrays[0]))
    if fraction is None:
        return rows, None
    training, validation = train_test_split(
        rows, test_size=fraction, random_state=torch.initial_seed() % 2**32
    )
    return training, _dataset(arrays, validation)


def _dataset(arrays: Sequence[np.ndarray], rows: np.ndarray) -> TensorDataset:
    whole = len(rows) == len(arrays[0])
    return TensorDataset(*(torch.from_numpy(a if whole else a[rows]) for a in arrays))
