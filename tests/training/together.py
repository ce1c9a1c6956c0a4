"""What two processes do in the tests of their joint training, and what each finds."""

import json
import multiprocessing
import os
import signal
import time
import warnings
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
from skorch.callbacks import Callback
from small_net import make_data, make_net

from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)
from msaestimator.exceptions import ProcessError
from msaestimator.networks import GroupMask
from msaestimator.training import ParameterGroup, Processes, seeded

WITHOUT_CHANCE = {"ratio": 0.0, "dropout": 0.0}
FAST = [ParameterGroup("*", 0.2, "constant", 0.0)]
"""Learning rates at which the loss soon rises."""


class End(Callback):
    """End this process, or the training, after an epoch."""

    def __init__(self, epoch, end):
        self.epoch = epoch
        self.end = end

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            self.end()


def interrupt():
    raise KeyboardInterrupt


def losses(net, *names):
    """Return a net's losses by epoch, and its weights."""
    history = {name: net.history[:, name] for name in names or ["train_loss"]}
    weights = [t.flatten().tolist() for t in net.module_.state_dict().values()]
    return {"history": history, "weights": sum(weights, [])}


def without_chance(**changes):
    return losses(make_net(**WITHOUT_CHANCE | changes).partial_fit(make_data()))


def early_stopping(**changes):
    data = make_data()
    settings = {"patience": 2, "max_epochs": 30, "groups": FAST} | WITHOUT_CHANCE
    net = make_net(validation=data, **settings | changes)
    return losses(net.partial_fit(data), "train_loss", "valid_loss", "valid_loss_best")


def from_other_seeds(rank):
    """Begin and draw differently in each process."""
    torch.manual_seed(rank)
    return losses(make_net(seed=10 + rank).partial_fit(make_data()))


def masks(rank):
    """Return what each process hides of its stars."""
    drawn, draw = [], GroupMask.draw

    def keep(self, *args):
        drawn.append(draw(self, *args))
        return drawn[-1]

    GroupMask.draw = keep
    net = make_net(max_epochs=1).partial_fit(make_data())
    GroupMask.draw = draw
    return {"hidden": torch.cat(drawn).tolist(), "train_loss": net.history[-1, "train_loss"]}


def resumed(folder):
    """Return a training that was interrupted and went on, and one that was not."""
    whole = make_net(checkpoint=folder / "whole", seed=4).partial_fit(make_data())
    end = [("end", End(2, interrupt))]
    make_net(checkpoint=folder / "part", seed=4, callbacks=end).partial_fit(make_data())
    dist.barrier()
    again = make_net(checkpoint=folder / "part", seed=4).partial_fit(make_data())
    return losses(whole), losses(again)


def apart(rank, folder):
    """Return the message of a training whose checkpoint one process alone sees."""
    path = folder / f"of {rank}"
    if rank == 0:
        (folder / "part").rename(path)
    dist.barrier()
    try:
        make_net(checkpoint=path, seed=4, max_epochs=9).partial_fit(make_data())
    except ProcessError as error:
        return str(error)
    return None


def estimators(rank, stars):
    """Return what the estimators' fits find, each process with a seed of its own."""
    settings = {"max_epochs": 2, "batch_size": 64, "device": "cpu", "random_state": rank}
    msa = MaskedStellarAutoencoder(
        hidden_widths=(16, 8), d_embedding=2, n_frequencies=2, early_stopping=True, **settings
    ).fit(stars)
    regressor = StellarParameterRegressor(
        msa, labels=("teff", "logg"), head_widths=(8,), calibration_fraction=0.3, **settings
    ).fit(stars)
    blocks = {"encoder_widths": (16,), "decoder_widths": (16, 8), "head_widths": (16,)}
    generalist = StellarFoundationModel(embedding_dim=8, **blocks, **settings).fit(stars)
    answers = {
        "latent": msa.transform(stars[:50]),
        "teff": regressor.predict_table(stars[:50])["teff_lower"].value,
        "generalist": generalist.predict(stars[:50]),
    }
    parts = {"msa": msa, "regressor": regressor, "generalist": generalist}
    fitted = {name: losses(part.net_)["history"] for name, part in parts.items()}
    return fitted | {name: np.nan_to_num(values).tolist() for name, values in answers.items()}


def seed_inside(rank):
    with seeded(rank, torch.device("cpu")):
        return torch.initial_seed()


def everything(rank, folder, stars):
    """Return all that the tests look at, of one process."""
    whole, again = resumed(folder)
    return {
        "count": Processes.of_group().count,
        "seed": seed_inside(rank),
        "without_chance": without_chance(),
        "muon": without_chance(optimizer="muon", gradient_clip=None),
        "odd_batch": without_chance(batch_size=27),
        "early_stopping": early_stopping(),
        "other_seeds": from_other_seeds(rank),
        "masks": masks(rank),
        "whole": whole,
        "again": again,
        "apart": apart(rank, folder),
        "estimators": estimators(rank, stars),
    }


def die(rank, folder, stars):
    """Return what the first process is told when the second is killed, and after how long."""
    end = [("end", End(2, lambda: os.kill(os.getpid(), signal.SIGKILL)))] if rank else []
    net = make_net(max_epochs=1000, callbacks=end)
    started = time.monotonic()
    try:
        net.partial_fit(make_data())
    except ProcessError as error:
        return {"message": str(error), "seconds": time.monotonic() - started}
    return None


def join(task, rank, count, folder, stars):
    """Do a task as one of several processes, and write what it returns."""
    warnings.simplefilter("error")
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/meeting",
        rank=rank,
        world_size=count,
        timeout=timedelta(minutes=5),
    )
    found = task(rank, folder, stars)
    (folder / f"{rank}.json").write_text(json.dumps(found))


def run_together(task, folder, stars=None, count=2, timeout=400):
    """Run a task in several processes; return what each found, None of one that was killed."""
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=join, args=(task, rank, count, folder, stars), daemon=True)
        for rank in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout)
        process.kill()
    paths = [folder / f"{rank}.json" for rank in range(count)]
    return [json.loads(path.read_text()) if path.exists() else None for path in paths]
