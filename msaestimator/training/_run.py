"""One training: stars to train and to validate on, a net, and whether it came to its end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from msaestimator.exceptions import DivergedError
from msaestimator.tables import expand_home
from msaestimator.training._files import write_bytes
from msaestimator.training._identity import RunIdentity
from msaestimator.training._net import MaskedNet, TrainingPlan, build_net, check_finished
from msaestimator.training._stars_in_memory import StarsInMemory
from msaestimator.training._stars_on_disk import StarsOnDisk

__all__ = ["train"]


def train(
    module: nn.Module,
    criterion: nn.Module,
    mask: Callable[..., Any],
    plan: TrainingPlan,
    stars: StarsInMemory | StarsOnDisk,
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
    stars : StarsInMemory or StarsOnDisk
    validation_fraction : float, optional
        Stars to watch the loss on. None trains on all.
    run : RunIdentity
        Identity of the run, which a checkpoint must have to be resumed.

    Raises
    ------
    DivergedError
        The loss is no longer a number. The source ids of the batch's stars are in the error, and
        in a file beside the checkpoint.
    KeyboardInterrupt
        Training was interrupted; a checkpoint has the epochs until then.
    """
    training, validation = stars.split(validation_fraction, torch.initial_seed() % 2**32)
    net = build_net(
        module,
        criterion,
        mask,
        plan,
        n_stars=len(training),
        validation=validation,
        run=run,
    )
    try:
        net.partial_fit(training)
    except DivergedError as error:
        if plan.checkpoint is not None:
            _write_batch(error, expand_home(plan.checkpoint))
        raise
    check_finished(net, plan.title, plan.checkpoint)
    return net


def _write_batch(error: DivergedError, checkpoint: Path) -> None:
    """Write which stars a training diverged on, beside its checkpoint."""
    path = checkpoint.with_name(f"{checkpoint.name}.diverged.json")
    told = {name: getattr(error, name) for name in ("loss", "epoch", "batch", "source_ids")}
    write_bytes(path, json.dumps(told | {"loss": repr(error.loss)}).encode())
    error.path = str(path)
