"""Checkpoints after every epoch, from which a killed run goes on as if nothing had happened."""

from pathlib import Path
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from skorch.history import History
from torch.optim.lr_scheduler import LambdaLR

from msaestimator.exceptions import CheckpointError
from msaestimator.training._averaging import AveragedWeights
from msaestimator.training._files import read_tensors, write_tensors
from msaestimator.training._identity import RunIdentity

__all__ = ["ResumableCheckpoint"]


class ResumableCheckpoint(Callback):
    """Save all that training needs after every epoch, and go on from there when started again.

    Parameters
    ----------
    path : Path
        Path of the file, which is replaced whole after each epoch.
    run : RunIdentity
        Identity of the run. A checkpoint of another one is an error that names what differs.
    writes : bool
        Whether this process writes the file; of several processes one does, and all read it.

    Notes
    -----
    Saved are the weights, the optimiser, schedules, the state of early stopping and of averages,
    the history and torch's random state, so a run that was killed and started again ends bit for
    bit where an uninterrupted one does (on one machine, one number of threads). It must come after
    the callbacks it restores: they set themselves up when training begins, and are overwritten.

    A run of more epochs goes on as well: learning rates are then those of the new length from
    the epoch on that was reached, and means of weights begin anew there.
    """

    def __init__(self, path: Path, run: RunIdentity, writes: bool = True) -> None:
        self.path = path
        self.run = run
        self.writes = writes

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Load the checkpoint, if there is one."""
        if self.path.exists():
            self._load(net)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Write the checkpoint."""
        if self.writes:
            self._write(net)

    def _write(self, net: NeuralNet) -> None:
        optimizer = net.optimizer_.state_dict()
        tensors = {f"module.{name}": t for name, t in net.module_.state_dict().items()}
        tensors["random_state"] = torch.get_rng_state()
        if net.device != "cpu" and torch.cuda.is_available():
            tensors["random_state_cuda"] = torch.cuda.get_rng_state(net.device)
        for index, state in optimizer["state"].items():
            tensors |= {
                f"optimizer.{index}.{name}": torch.as_tensor(t) for name, t in state.items()
            }
        description = {
            "run": self.run.as_json(),
            "max_epochs": net.max_epochs,
            "history": [_without_batches(epoch) for epoch in net.history],
            "param_groups": optimizer["param_groups"],
            "schedule": [s.lr_scheduler_.state_dict() for s in _callbacks(net, LRScheduler)],
        }
        for stopping in _callbacks(net, EarlyStopping):
            description["early_stopping"] = {
                "misses_": stopping.misses_,
                "dynamic_threshold_": float(stopping.dynamic_threshold_),
                "best_epoch_": stopping.best_epoch_,
            }
            tensors |= {f"best.{name}": t for name, t in stopping.best_model_weights_.items()}
        for averaging in _callbacks(net, AveragedWeights):
            tensors |= {f"mean.{name}": t for name, t in averaging.mean_.state_dict().items()}
        write_tensors(self.path, tensors, description)

    def _load(self, net: NeuralNet) -> None:
        tensors, saved = read_tensors(self.path)
        self._check_run(saved, net.max_epochs)
        net.module_.load_state_dict(_strip(tensors, "module."))
        net.optimizer_.load_state_dict(
            {"param_groups": saved["param_groups"], "state": _optimizer_state(tensors)}
        )
        net.history_ = History(saved["history"])
        net.n_epochs_resumed = len(net.history)
        for scheduler, state in zip(_callbacks(net, LRScheduler), saved["schedule"], strict=True):
            _go_on(scheduler.lr_scheduler_, state)
            scheduler.batch_idx_ = state["last_epoch"]
        for stopping in _callbacks(net, EarlyStopping):
            vars(stopping).update(saved["early_stopping"])
            stopping.best_model_weights_ = _strip(tensors, "best.")
        if saved["max_epochs"] == net.max_epochs:
            for averaging in _callbacks(net, AveragedWeights):
                averaging.mean_.load_state_dict(_strip(tensors, "mean."))
        torch.set_rng_state(tensors["random_state"])
        if "random_state_cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random_state_cuda"], net.device)

    def _check_run(self, saved: dict[str, Any], max_epochs: int) -> None:
        """Refuse the checkpoint of another run."""
        path = repr(str(self.path))
        otherwise = "choose another `checkpoint`, or delete the file to start afresh."
        if "run" not in saved:  # of an earlier version, which kept no more than a hash
            raise CheckpointError(
                f"The checkpoint {path} is of other data or other parameters, or of an earlier "
                f"version, which did not note what they are: {otherwise}"
            )
        differences = self.run.differences(saved["run"])
        if differences:
            raise CheckpointError(
                f"The checkpoint {path} is of another run: {'; '.join(differences)}. To go on "
                f"from it make both alike; else {otherwise}"
            )
        if len(saved["history"]) > max_epochs:
            raise CheckpointError(
                f"The checkpoint {path} has {len(saved['history'])} epochs, more than "
                f"`max_epochs`, {max_epochs}. Set it to as many or more; else {otherwise}"
            )


def _go_on(schedule: LambdaLR, state: dict[str, Any]) -> None:
    """Bring learning rates to where they are in a schedule whose length may be another."""
    # The saved functions know the length that the run had.
    schedule.load_state_dict(state | {"lr_lambdas": [None] * len(state["lr_lambdas"])})
    parts = zip(
        schedule.optimizer.param_groups, schedule.base_lrs, schedule.lr_lambdas, strict=True
    )
    for group, first, factor in parts:
        group["lr"] = first * factor(schedule.last_epoch)


def _callbacks(net: NeuralNet, kind: type[Callback]) -> list[Any]:
    return [callback for _, callback in net.callbacks_ if isinstance(callback, kind)]


def _without_batches(epoch: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in epoch.items() if key != "batches"} | {"batches": []}


def _strip(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _optimizer_state(tensors: dict[str, torch.Tensor]) -> dict[int, dict[str, torch.Tensor]]:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in _strip(tensors, "optimizer.").items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    return state
