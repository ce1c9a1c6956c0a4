"""One training: stars to train and to validate on, a net, and whether it came to its end."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import TensorDataset

from msaestimator.training._identity import RunIdentity
from msaestimator.training._net import MaskedNet, TrainingPlan, build_net, check_finished

__all__ = ["train"]


def train(
    module: nn.Module,
    criterion: nn.Module,
    mask: Callable[..., Any],
    plan: TrainingPlan,
    x: np.ndarray,
    y: np.ndarray,
    *,
    validation_fraction: float | None = None,
    run: RunIdentity,
) -> MaskedNet:
    """Train a module on stars, and return the net that did.

    Parameters
    ----------
    module, criterion, mask
        Arguments of `MaskedNet`.
    plan : TrainingPlan
    x, y : ndarray of n_stars rows
        Features and targets.
    validation_fraction : float, optional
        Stars to watch the loss on. None trains on all.
    run : RunIdentity
        Identity of the run, which a checkpoint must have to be resumed.

    Raises
    ------
    KeyboardInterrupt
        Training was interrupted; a checkpoint has the epochs until then.
    """
    training, validation = _split(x, y, validation_fraction)
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
    x: np.ndarray, y: np.ndarray, fraction: float | None
) -> tuple[TensorDataset, TensorDataset | None]:
    """Return the stars to train on, and those to validate on, if any."""
    if fraction is None:
        return TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), None
    rows = train_test_split(
        np.arange(len(x)), test_size=fraction, random_state=torch.initial_seed() % 2**32
    )
    training, validation = (
        TensorDataset(torch.from_numpy(x[part]), torch.from_numpy(y[part])) for part in rows
    )
    return training, validation
