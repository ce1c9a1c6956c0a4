"""Stars that are drawn anew in every epoch."""

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
    train,
)

N_FEATURES = 3


@pytest.fixture
def run():
    """Return a function that trains on draws; what an epoch draws is its number."""

    def run(checkpoint=None, max_epochs=4, validation_fraction=None, seen=None):
        torch.manual_seed(0)
        module = MaskedAutoencoder(
            N_FEATURES,
            N_FEATURES,
            (4,),
            d_embedding=2,
            n_frequencies=2,
            frequency_scale=0.1,
            dropout=0.0,
        )

        def mask(x):
            if seen is not None and module.training:
                seen.append(x.clone())
            return hide(x)

        def draw(epoch):
            noise = np.random.RandomState(epoch).standard_normal((20, N_FEATURES))
            x = (1000 * epoch + np.arange(20)[:, None] + 0 * noise).astype(np.float32) / 1e4
            return x, x

        hide = GroupMask(range(N_FEATURES), [0.0] * N_FEATURES)
        plan = TrainingPlan(
            title="training",
            max_epochs=max_epochs,
            batch_size=5,
            optimizer="adamw",
            groups=[ParameterGroup("*", 1e-2, "constant", 0.0)],
            gradient_clip=None,
            patience=None,
            device=torch.device("cpu"),
            precision="float32",
            verbose=0,
            checkpoint=checkpoint,
        )
        return train(
            module,
            ReconstructionObjective(range(N_FEATURES), 1, hidden_only=False),
            mask,
            plan,
            StarsInMemory(draw(0), draw),
            validation_fraction=validation_fraction,
            run=RunIdentity(),
        )

    return run


def epochs_of(seen):
    """Return the numbers of epochs and of stars that batches were of."""
    values = torch.cat(seen)[:, 0].numpy() * 1e4
    numbers = np.rint(values).astype(int)
    return numbers // 1000, numbers % 1000


def test_each_epoch_sees_its_own_draw_of_every_star(run):
    seen = []
    run(seen=seen)
    epochs, stars = epochs_of(seen)
    assert epochs.tolist() == np.repeat([1, 2, 3, 4], 20).tolist()
    for epoch in range(1, 5):
        assert sorted(stars[epochs == epoch]) == list(range(20))


def test_stars_held_out_are_never_trained_on(run):
    seen = []
    run(validation_fraction=0.25, seen=seen)
    epochs, stars = epochs_of(seen)
    training = [set(stars[epochs == epoch]) for epoch in range(1, 5)]
    assert len(training[0]) == 15
    assert all(part == training[0] for part in training)


def test_a_resumed_run_sees_the_draws_that_it_has_not_seen(run, tmp_path):
    whole = run(tmp_path / "whole")
    run(tmp_path / "cut", max_epochs=2)
    seen = []
    resumed = run(tmp_path / "cut", seen=seen)
    assert set(epochs_of(seen)[0]) == {3, 4}
    for one, other in zip(whole.module_.parameters(), resumed.module_.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
