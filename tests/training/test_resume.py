"""A training that was stopped, even by kill -9, ends where an uninterrupted one does."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
import torch
from skorch.callbacks import Callback

from msaestimator.exceptions import CheckpointError
from msaestimator.training import read_tensors, write_tensors

# What is killed: a fit of the fixtures' settings, slowed down so that it is caught at work.
KILLED_FIT = """
import sys, time
from skorch.callbacks import Callback
from msaestimator import MaskedStellarAutoencoder
from msaestimator.datasets import load_apogee_xp

class Slow(Callback):
    def on_epoch_begin(self, net, **kwargs):
        time.sleep(0.2)

MaskedStellarAutoencoder(
    max_epochs=15, batch_size=150, lr=3e-3, random_state=0, device="cpu", dropout=0.1,
    hidden_widths=(16, 8), n_frequencies=4, frequency_scale=0.1, d_embedding=4,
    checkpoint=sys.argv[1], callbacks=[("slow", Slow())],
).fit(load_apogee_xp("train")[:300])
"""


class Stop(Callback):
    """Raise once some epochs are over and in the checkpoint."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch + 1:
            raise RuntimeError("power cut")


class Rates(Callback):
    """Keep the learning rate of each step."""

    def on_train_begin(self, net, **kwargs):
        self.seen = []

    def on_batch_begin(self, net, **kwargs):
        self.seen.append(net.optimizer_.param_groups[0]["lr"])


def losses(estimator):
    return [
        {key: value for key, value in epoch.items() if key.endswith("loss")}
        for epoch in estimator.net_.history
    ]


def assert_same_end(first, second, weights):
    assert weights(first) == weights(second)
    assert losses(first) == losses(second)


def stopped_and_resumed(make, stars, path, epoch):
    """Return the estimator of a fit that was stopped after some epochs and called again."""
    with pytest.raises(RuntimeError, match="power cut"):
        make(checkpoint=path, callbacks=[("stop", Stop(epoch))]).fit(stars)
    _, saved = read_tensors(path)
    assert len(saved["history"]) == epoch
    return make(checkpoint=path).fit(stars)


@pytest.mark.parametrize("epoch", [1, 4])
@pytest.mark.parametrize("schedule", ["cosine", "exponential", "halving", "constant"])
def test_autoencoder_ends_where_an_uninterrupted_one_does(
    make_msa, stars, weights, tmp_path, schedule, epoch
):
    def make(**changes):
        return make_msa(max_epochs=6, dropout=0.2, lr_schedule=schedule, **changes)

    resumed = stopped_and_resumed(make, stars, tmp_path / "checkpoint", epoch)
    assert_same_end(resumed, make().fit(stars), weights)


def test_regressor_ends_where_an_uninterrupted_one_does(
    make_regressor, msa, stars, weights, tmp_path
):
    def make(**changes):
        return make_regressor(msa, max_epochs=6, dropout=0.2, **changes)

    resumed = stopped_and_resumed(make, stars, tmp_path / "checkpoint", 3)
    assert_same_end(resumed, make().fit(stars), weights)


def test_muon_ends_where_an_uninterrupted_one_does(
    make_regressor, make_msa, stars, weights, tmp_path
):
    def make(**changes):
        return make_regressor(msa, **{"max_epochs": 5, "optimizer": "muon"} | changes)

    msa = make_msa(hidden_widths=(20, 16), optimizer="muon").fit(stars)
    whole = make().fit(stars)
    resumed = stopped_and_resumed(make, stars, tmp_path / "checkpoint", 2)
    assert_same_end(resumed, whole, weights)
    assert weights(whole) != weights(make(optimizer="adamw").fit(stars))


@pytest.mark.parametrize("epoch", [2, 5])
def test_averaged_weights_end_where_uninterrupted_ones_do(
    make_regressor, msa, stars, weights, tmp_path, epoch
):
    """Stopped before any step counts, and among those that do."""

    def make(**changes):
        return make_regressor(msa, max_epochs=6, average_from=0.5, **changes)

    whole = make().fit(stars)
    resumed = stopped_and_resumed(make, stars, tmp_path / "checkpoint", epoch)
    assert_same_end(resumed, whole, weights)
    finished = make(checkpoint=tmp_path / "checkpoint").fit(stars)
    assert_same_end(finished, whole, weights)


@pytest.fixture(scope="module")
def make_stopping_early(make_msa):
    return partial(make_msa, max_epochs=60, lr=0.05, early_stopping=True, n_iter_no_change=4)


@pytest.fixture(scope="module")
def stopped_early(make_stopping_early, stars):
    return make_stopping_early().fit(stars)


@pytest.mark.parametrize("epochs_before_the_end", [1, 2, 5])
def test_early_stopping_ends_where_an_uninterrupted_one_does(
    make_stopping_early, stopped_early, stars, weights, tmp_path, epochs_before_the_end
):
    make, whole = make_stopping_early, stopped_early
    n_epochs = len(whole.net_.history)
    assert 7 < n_epochs < 60, "It must have been early stopping that ended the training."
    epoch = n_epochs - epochs_before_the_end
    resumed = stopped_and_resumed(make, stars, tmp_path / "checkpoint", epoch)
    assert_same_end(resumed, whole, weights)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_finished_run_is_not_trained_again(make_msa, stars, weights, tmp_path, early_stopping):
    def fit():
        return make_msa(
            max_epochs=30 if early_stopping else 4,
            lr=0.2,
            early_stopping=early_stopping,
            n_iter_no_change=2,
            checkpoint=tmp_path / "checkpoint",
        ).fit(stars)

    assert_same_end(fit(), fit(), weights)


def test_a_killed_process_is_resumed_bit_for_bit(make_msa, weights, tmp_path):
    from msaestimator.datasets import load_apogee_xp

    stars = load_apogee_xp("train")[:300]
    path = tmp_path / "checkpoint"
    process = subprocess.Popen([sys.executable, "-c", KILLED_FIT, str(path)])
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if path.exists() and len(read_tensors(path)[1]["history"]) >= 3:
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    n_epochs = len(read_tensors(path)[1]["history"])
    assert 3 <= n_epochs < 15, "It must have been killed at work."

    resumed = make_msa(max_epochs=15, dropout=0.1, checkpoint=path).fit(stars)
    assert resumed.net_.n_epochs_resumed == n_epochs
    assert_same_end(resumed, make_msa(max_epochs=15, dropout=0.1).fit(stars), weights)


@pytest.mark.parametrize(
    ("changes", "clause"),
    [
        ({"lr": 1e-4}, "`lr` is 0.0001 here and 0.003 there"),
        ({"hidden_widths": (8, 8)}, r"`hidden_widths` is \[8, 8\] here and \[16, 8\] there"),
        ({"loss": "l2", "batch_size": 9}, '`batch_size` is 9 .* there; `loss` is "l2" here and'),
    ],
)
def test_a_checkpoint_of_other_parameters(make_msa, stars, tmp_path, changes, clause):
    path = tmp_path / "checkpoint"
    make_msa(checkpoint=path).fit(stars)
    with pytest.raises(CheckpointError, match=f"is of another run: {clause}"):
        make_msa(checkpoint=path, **changes).fit(stars)


def test_a_checkpoint_of_other_stars(make_msa, stars, other_stars, tmp_path):
    path = tmp_path / "checkpoint"
    make_msa(checkpoint=path).fit(stars)
    advice = "the stars differ. .*choose another `checkpoint`, or delete the file"
    with pytest.raises(CheckpointError, match=advice):
        make_msa(checkpoint=path).fit(other_stars)


def test_a_checkpoint_of_other_labels(make_regressor, msa, stars, tmp_path):
    path = tmp_path / "checkpoint"
    make_regressor(msa, checkpoint=path).fit(stars)
    changed = stars.copy()
    changed["logg"] += 0.1 * changed["logg"].unit
    with pytest.raises(CheckpointError, match="another run: the labels differ"):
        make_regressor(msa, checkpoint=path).fit(changed)


def test_a_checkpoint_of_another_encoder(make_regressor, make_msa, msa, stars, tmp_path):
    path = tmp_path / "checkpoint"
    make_regressor(msa, checkpoint=path).fit(stars)
    other = make_msa(random_state=1).fit(stars)
    with pytest.raises(CheckpointError, match="run: the network's first weights differ"):
        make_regressor(other, checkpoint=path).fit(stars)


def test_stars_held_back_anew_by_no_random_state(make_regressor, msa, stars, tmp_path):
    path = tmp_path / "checkpoint"
    settings = {"checkpoint": path, "random_state": None, "calibration_fraction": 0.5}
    make_regressor(msa, **settings).fit(stars)
    with pytest.raises(CheckpointError, match="the stars differ; with a `random_state` of None"):
        make_regressor(msa, **settings).fit(stars)


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_a_checkpoint_goes_on_to_more_epochs(
    make_msa, stars, weights, tmp_path, schedule, finished
):
    """Of a schedule without an end, as if it had been so long from the beginning."""

    def make(**changes):
        return make_msa(**{"lr_schedule": schedule, "max_epochs": 6} | changes)

    path, rates = tmp_path / "checkpoint", Rates()
    if finished:
        make(max_epochs=3, checkpoint=path).fit(stars)
    else:
        with pytest.raises(RuntimeError, match="power cut"):
            make(max_epochs=4, checkpoint=path, callbacks=[("stop", Stop(3))]).fit(stars)
    longer = make(checkpoint=path, callbacks=[("rates", rates)]).fit(stars)
    assert longer.net_.n_epochs_resumed == 3
    assert len(longer.net_.history) == 6
    whole = Rates()
    at_once = make(callbacks=[("rates", whole)]).fit(stars)
    assert rates.seen == whole.seen[len(whole.seen) // 2 :]
    if schedule == "constant":
        assert_same_end(longer, at_once, weights)


def test_means_begin_anew_in_a_longer_run(make_regressor, msa, stars, weights, tmp_path):
    """Of one step alone they are the last weights, and no step of before is in them."""

    def make(max_epochs, average_from=0.5, **changes):
        settings = {"batch_size": 300, "lr_schedule": "constant", "calibration_fraction": 0.0}
        schedule = {"encoder_lr_schedule": "constant", "max_epochs": max_epochs}
        return make_regressor(msa, **settings | schedule | changes, average_from=average_from)

    path = tmp_path / "checkpoint"
    make(4, checkpoint=path).fit(stars)
    longer = make(5, checkpoint=path).fit(stars)
    assert weights(longer) == weights(make(5, average_from=0.8).fit(stars))


def test_a_checkpoint_of_more_epochs_than_asked(make_msa, stars, tmp_path):
    path = tmp_path / "checkpoint"
    make_msa(max_epochs=3, checkpoint=path).fit(stars)
    with pytest.raises(CheckpointError, match="has 3 epochs, more than `max_epochs`, 2. Set it"):
        make_msa(max_epochs=2, checkpoint=path).fit(stars)


def test_a_folder_for_a_checkpoint(make_msa, stars, tmp_path):
    with pytest.raises(CheckpointError, match="must be a file, got a folder"):
        make_msa(checkpoint=tmp_path).fit(stars)


def test_a_truncated_checkpoint(make_msa, stars, tmp_path):
    path = tmp_path / "checkpoint"
    make_msa(checkpoint=path).fit(stars)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="is truncated, altered"):
        make_msa(checkpoint=path).fit(stars)


def test_a_file_that_is_no_checkpoint(make_msa, stars, tmp_path):
    path = tmp_path / "weights"
    write_tensors(path, {"weight": torch.zeros(1)}, {"kind": "MaskedStellarAutoencoder"})
    with pytest.raises(CheckpointError, match="is of other data or other parameters"):
        make_msa(checkpoint=path).fit(stars)


def test_what_does_not_change_the_training_may_differ(make_msa, stars, weights, tmp_path):
    path = tmp_path / "checkpoint"
    first = make_msa(checkpoint=path).fit(stars)
    second = make_msa(checkpoint=path, verbose=1, inference_batch_size=7).fit(stars)
    assert_same_end(first, second, weights)
