"""The skorch side: nets, batches, objectives, callbacks, checkpoints, devices."""

from msaestimator.training._batches import DiskBatches, TensorBatches, map_batches, star_batches
from msaestimator.training._callbacks import FiniteLoss, Progress
from msaestimator.training._checkpoint import ResumableCheckpoint
from msaestimator.training._devices import (
    PRECISIONS,
    autocast,
    check_speed,
    resolve_device,
    seeded,
)
from msaestimator.training._files import read_tensors, write_bytes, write_tensors
from msaestimator.training._identity import RunIdentity
from msaestimator.training._net import (
    OPTIMIZERS,
    MaskedNet,
    ParameterGroup,
    TrainingPlan,
    build_net,
    check_finished,
)
from msaestimator.training._objectives import (
    EnsembleObjective,
    PredictionObjective,
    ReconstructionObjective,
    RequestObjective,
    TaughtObjective,
)
from msaestimator.training._plan import plan
from msaestimator.training._processes import Processes
from msaestimator.training._run import train
from msaestimator.training._schedules import SCHEDULES, Schedule
from msaestimator.training._stars_in_memory import Draw, StarsInMemory
from msaestimator.training._stars_on_disk import Pieces, StarsOnDisk

__all__ = [
    "OPTIMIZERS",
    "PRECISIONS",
    "SCHEDULES",
    "DiskBatches",
    "Draw",
    "EnsembleObjective",
    "FiniteLoss",
    "MaskedNet",
    "ParameterGroup",
    "Pieces",
    "PredictionObjective",
    "Processes",
    "Progress",
    "ReconstructionObjective",
    "RequestObjective",
    "ResumableCheckpoint",
    "RunIdentity",
    "Schedule",
    "StarsInMemory",
    "StarsOnDisk",
    "TaughtObjective",
    "TensorBatches",
    "TrainingPlan",
    "autocast",
    "build_net",
    "check_finished",
    "check_speed",
    "map_batches",
    "plan",
    "read_tensors",
    "resolve_device",
    "seeded",
    "star_batches",
    "train",
    "write_bytes",
    "write_tensors",
]
