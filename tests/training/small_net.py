"""A small autoencoder with its net, and stars that are random numbers."""

import numpy as np
import torch

from msaestimator.networks import GroupMask, MaskedAutoencoder
from msaestimator.training import (
    ParameterGroup,
    ReconstructionObjective,
    RunIdentity,
    StarsInMemory,
    TrainingPlan,
    build_net,
)

N_FEATURES = 6
SETTINGS = {
    "title": "training",
    "max_epochs": 4,
    "batch_size": 20,
    "optimizer": "adamw",
    "groups": [ParameterGroup("*", 1e-2, "cosine", 1e-2)],
    "gradient_clip": 1.0,
    "patience": None,
    "device": torch.device("cpu"),
    "precision": "float32",
    "verbose": 0,
}


def make_data():
    """Return features of 90 stars as their own targets."""
    x = torch.randn(90, N_FEATURES, generator=torch.Generator().manual_seed(1))
    return StarsInMemory([x.numpy(), x.numpy()], ids=100 + np.arange(90))


def make_net(*, validation=None, criterion=None, ratio=0.3, dropout=0.1, seed=2, **changes):
    """Return a net of a plan with changes, from the same weights."""
    torch.manual_seed(seed)
    module = MaskedAutoencoder(
        N_FEATURES,
        N_FEATURES,
        (8, 4),
        d_embedding=2,
        n_frequencies=2,
        frequency_scale=0.1,
        dropout=dropout,
    )
    return build_net(
        module,
        criterion or ReconstructionObjective(range(N_FEATURES), 1, hidden_only=False),
        GroupMask(range(N_FEATURES), [ratio] * N_FEATURES),
        TrainingPlan(**SETTINGS | changes),
        n_stars=90,
        validation=validation,
        run=RunIdentity(),
    )
