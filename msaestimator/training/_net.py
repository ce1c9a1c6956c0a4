"""The skorch net whose module sees part of each star, and the run that trains it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    EpochTimer,
    GradientNormClipping,
    LRScheduler,
    PassthroughScoring,
)
from skorch.helper import predefined_split
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import TensorDataset

from msaestimator.exceptions import DivergedError
from msaestimator.tables import expand_home
from msaestimator.training._averaged_gradients import AveragedGradients
from msaestimator.training._averaging import AveragedWeights
from msaestimator.training._batches import TensorBatches, star_batches
from msaestimator.training._callbacks import FiniteLoss, Progress
from msaestimator.training._checkpoint import ResumableCheckpoint
from msaestimator.training._delivery import delivered
from msaestimator.training._devices import autocast
from msaestimator.training._identity import RunIdentity
from msaestimator.training._muon import Muon
from msaestimator.training._processes import Processes
from msaestimator.training._recorded_losses import RecordedLosses
from msaestimator.training._schedules import Schedule
from msaestimator.training._stars_in_memory import StarsInMemory
from msaestimator.training._stars_on_disk import StarsOnDisk

__all__ = [
    "OPTIMIZERS",
    "MaskedNet",
    "ParameterGroup",
    "TrainingPlan",
    "build_net",
    "check_finished",
]

Step = Callable[..., dict[str, Any]]
"""Type of a step of training or validation: of a batch, to its loss and output by name."""

Mask = Callable[[Tensor], tuple[tuple[Tensor | None, ...], Any]]
"""Type of a net's mask, see `MaskedNet`."""

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {"adamw": torch.optim.AdamW, "muon": Muon}
"""Optimisers by the name that the estimators' ``optimizer`` has."""

VALIDATION_SEED = 20250101
"""Seed of the masks of validation stars: the same in every epoch, so that losses compare."""


class MaskedNet(NeuralNet):
    """A skorch net whose module sees a part of each star that is drawn anew for each batch.

    The criterion gets the module's output, the draw, the stars, the target, and the weights of
    the stars if they have any.

    Parameters
    ----------
    mask : callable
        Function that draws from a batch of stars: it returns the module's arguments, and the draw
        as the criterion needs it. See `GroupMask` and `TokenDraw`.
    precision : {"float32", "bfloat16"}
        Number format of the module's computations; the loss is in float32.
    processes : Processes
        Processes that train it together. Its history is that of all.
    """

    def __init__(
        self, *args: Any, mask: Mask, precision: str, processes: Processes, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.mask = mask
        self.precision = precision
        self.processes = processes
        self.n_epochs_resumed = 0

    def get_default_callbacks(self) -> list[tuple[str, Callback]]:
        """Record times and losses; printing is left to the progress bar."""
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
        ]

    def on_epoch_begin(self, net: NeuralNet, dataset_train: Any = None, **kwargs: Any) -> None:
        """Turn to the epoch's stars, and forget the batches of the epoch before."""
        super().on_epoch_begin(net, dataset_train=dataset_train, **kwargs)
        if isinstance(dataset_train, StarsInMemory | StarsOnDisk):
            dataset_train.begin(len(self.history))
        for epoch in self.history[-2:-1]:
            epoch["batches"] = []

    def infer(self, x: Tensor, **fit_params: Any) -> tuple[Any, Tensor]:
        """Return the module's output for a part of each star, and the draw of that part."""
        shown, draw = self.mask(x.to(self.device))
        with autocast(torch.device(self.device), self.precision):
            output = self.module_(*shown)
        return output, draw

    def get_loss(
        self,
        y_pred: tuple[Any, Tensor],
        y_true: Tensor | tuple[Tensor, Tensor],
        X: Any = None,
        training: bool = False,
    ) -> Tensor:
        """Return the criterion of output, draw, stars and target, which may have weights."""
        output, draw = y_pred
        given = y_true if isinstance(y_true, tuple) else (y_true,)
        return self.criterion_(output, draw, *(part.to(self.device) for part in (X, *given)))

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Step, **fit_params: Any
    ) -> None:
        """Run an epoch; validation draws the same masks each time."""
        if iterator is None:
            return
        if training:
            try:
                self._run_batches(iterator, training, prefix, step_fn)
            except DivergedError as error:
                error.source_ids = iterator.ids_of(error.batch).tolist()
                raise
            return
        with torch.random.fork_rng():
            torch.manual_seed(VALIDATION_SEED + self.processes.rank)
            self._run_batches(iterator, training, prefix, step_fn)

    def _run_batches(self, iterator: Any, training: bool, prefix: str, step_fn: Step) -> None:
        device, n_batches = torch.device(self.device), len(iterator)
        losses = RecordedLosses(self.history, prefix, self.processes, device)
        for number, batch in enumerate(delivered(iterator, device), 1):
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch)
            losses.add(step["loss"], len(batch[0]))
            if number == n_batches:
                losses.flush()
            self.notify("on_batch_end", batch=batch, training=training, **step)
        self.history.record(f"{prefix}_batch_count", n_batches)

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **kwargs: Any) -> Any:
        """Run the epochs that a resumed checkpoint has not run yet."""
        epochs = self.max_epochs if epochs is None else epochs
        return super().fit_loop(X, y, epochs=max(epochs - self.n_epochs_resumed, 0), **kwargs)


@dataclass(frozen=True)
class ParameterGroup:
    """Learning of one part of the module: parameters matching ``pattern``, e.g. ``"head.*"``."""

    pattern: str
    lr: float
    schedule: str
    weight_decay: float


@dataclass(frozen=True)
class TrainingPlan:
    """A training as an estimator's parameters say it, apart from module and data."""

    title: str
    max_epochs: int
    batch_size: int
    optimizer: str
    groups: Sequence[ParameterGroup]
    gradient_clip: float | None
    patience: int | None
    device: torch.device
    precision: str
    verbose: int
    checkpoint: str | Path | None = None
    average_from: float = 1.0
    callbacks: Sequence[tuple[str, Callback]] = field(default=())


def build_net(
    module: nn.Module,
    criterion: nn.Module,
    mask: Mask,
    plan: TrainingPlan,
    *,
    n_stars: int,
    validation: TensorDataset | None,
    run: RunIdentity,
) -> MaskedNet:
    """Return the net that carries out a plan, initialised.

    Parameters
    ----------
    module, criterion, mask
        Arguments of `MaskedNet`.
    plan : TrainingPlan
    n_stars : int
        Number of training stars, which sets the batches of an epoch.
    validation : TensorDataset or None
        Stars to watch the loss on.
    run : RunIdentity
        Identity of the run, which a checkpoint must have to be resumed.
    """
    processes = Processes.of_group()
    net = MaskedNet(
        module,
        criterion,
        mask=mask,
        precision=plan.precision,
        processes=processes,
        optimizer=OPTIMIZERS[plan.optimizer],
        # On a CPU the fused step is one pass over the weights instead of eight.
        optimizer__fused=True,
        optimizer__param_groups=[
            (group.pattern, {"lr": group.lr, "weight_decay": group.weight_decay})
            for group in plan.groups
        ],
        max_epochs=plan.max_epochs,
        batch_size=plan.batch_size,
        iterator_train=star_batches,
        iterator_train__shuffle=True,
        iterator_train__processes=processes,
        iterator_valid=TensorBatches,
        iterator_valid__processes=processes,
        train_split=None if validation is None else predefined_split(validation),
        callbacks=list(_callbacks(plan, n_stars, run, processes)),
        device=str(plan.device),
        verbose=0,
    )
    return net.initialize()


def _callbacks(
    plan: TrainingPlan, n_stars: int, run: RunIdentity, processes: Processes
) -> Iterable[tuple[str, Callback]]:
    """Yield the callbacks of a plan; the checkpoint follows all that it restores.

    The bar comes after it, to open at the epoch that was restored, and gradients are averaged
    before any other callback sees them.
    """
    if processes.are_several:
        yield "averaged_gradients", AveragedGradients(processes)
    n_batches = -(-n_stars // plan.batch_size)
    factors = [Schedule(group.schedule, plan.max_epochs, n_batches) for group in plan.groups]
    yield "finite_loss", FiniteLoss()
    yield "schedule", LRScheduler(LambdaLR, lr_lambda=factors, step_every="batch")
    if plan.gradient_clip is not None:
        yield "gradient_clip", GradientNormClipping(plan.gradient_clip)
    yield from plan.callbacks
    if plan.patience is not None:
        yield (
            "early_stopping",
            EarlyStopping(patience=plan.patience, load_best=True, sink=_silent),
        )
    if plan.average_from < 1:
        yield "average", AveragedWeights(plan.average_from)
    if plan.checkpoint is not None:
        path = expand_home(plan.checkpoint)
        yield "checkpoint", ResumableCheckpoint(path, run, writes=processes.is_first)
    if plan.verbose and processes.is_first:
        yield "progress", Progress(plan.title)


def check_finished(net: MaskedNet, title: str, checkpoint: str | Path | None = None) -> None:
    """Raise ``KeyboardInterrupt`` if training ended before its time and not by early stopping.

    skorch ends training quietly at Ctrl-C; nobody wants half a model by surprise. The message
    calls the training by its ``title`` and says how to go on, which ``checkpoint`` allows.
    """
    stopped = any(
        isinstance(c, EarlyStopping) and c.misses_ >= c.patience for _, c in net.callbacks_
    )
    # The epoch that was interrupted is in the history too, without its loss.
    n_epochs = sum("train_loss" in epoch for epoch in net.history)
    if n_epochs < net.max_epochs and not stopped:
        raise KeyboardInterrupt(
            f"The {title} was interrupted after {n_epochs} of {net.max_epochs} epochs. "
            + _how_to_go_on(checkpoint, n_epochs)
        )


def _how_to_go_on(checkpoint: str | Path | None, n_epochs: int) -> str:
    if checkpoint is None:
        return (
            "What was learned is lost, for there is no `checkpoint`: with one, a file, the same "
            "call goes on where it was."
        )
    if n_epochs == 0:
        return "Nothing is in the checkpoint yet: the same call starts afresh."
    return (
        f"What was learned is in the checkpoint {str(checkpoint)!r}: the same call, on the same "
        "stars, goes on from there."
    )


def _silent(text: str) -> None:
    """Take the place of ``print`` in skorch's early stopping."""
