"""One training: stars to train and to validate on, a net, and whether it came to its end."""

from collections.abc import Callable, Sequence
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
    stars: Sequence[np.ndarray],
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
    stars : sequence of ndarray of n_stars rows
        Features, targets, and weights of the stars in the loss, of mean one, if they have any.
    validation_fraction : float, optional
        Stars to watch the loss on. None trains on all.
    run : RunIdentity
        Identity of the run, which a checkpoint must have to be resumed.

    Raises
    ------
    KeyboardInterrupt
        Training was interrupted; a checkpoint has the epochs until then.
    """
    training, validation = _split(stars, validation_fraction)
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
) -> tuple[TensorDataset, TensorDataset | None]:
    """Return the stars to train on, and those to validate on, if any."""
    tensors = [torch.from_numpy(array) for array in arrays]
    if fraction is None:
        return TensorDataset(*tensors), None
    rows = train_test_split(
        np.arange(len(arrays[0])), test_size=fraction, random_state=torch.initial_seed() % 2**32
    )
    training, validation = (
        TensorDataset(*(tensor[torch.from_numpy(part)] for tensor in tensors)) for part in rows
    )
    return training, validation
