"""A small autoencoder and the plan to train it on random numbers."""

import numpy as np
import pytest
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


@pytest.fixture
def data():
    """Features of 90 stars as their own targets."""
    x = torch.randn(90, N_FEATURES, generator=torch.Generator().manual_seed(1))
    return StarsInMemory([x.numpy(), x.numpy()], ids=100 + np.arange(90))


@pytest.fixture
def make_net():
    """Return a function that builds a net of a plan with changes, from the same weights."""

    def make(*, validation=None, criterion=None, ratio=0.3, **changes):
        torch.manual_seed(2)
        module = MaskedAutoencoder(
            N_FEATURES,
            N_FEATURES,
            (8, 4),
            d_embedding=2,
            n_frequencies=2,
            frequency_scale=0.1,
            dropout=0.1,
        )
        settings = {
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
        return build_net(
            module,
            criterion or ReconstructionObjective(range(N_FEATURES), 1, hidden_only=False),
            GroupMask(range(N_FEATURES), [ratio] * N_FEATURES),
            TrainingPlan(**settings | changes),
            n_stars=90,
            validation=validation,
            run=RunIdentity(),
        )

    return make
