"""An autoencoder that learns from stars on disk, as it does from stars in memory."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from msaestimator.datasets import StarDataset
from msaestimator.estimators import _training_stars
from msaestimator.exceptions import CheckpointError, ColumnError, DivergedError
from msaestimator.tables import write_stars
from msaestimator.training import read_tensors

# The most memory that was in use is told in MB.
FIT_OF_MANY = """
import re, sys
from pathlib import Path
from msaestimator import MaskedStellarAutoencoder, StellarFoundationModel
from msaestimator import StellarParameterRegressor
from msaestimator.datasets import StarDataset
from msaestimator.estimators import _held_stars, _training_stars
from msaestimator.training import _plan

_held_stars.HELD = _training_stars.SAMPLE = 2_000
_plan.WINDOW = 5_000
settings = {"batch_size": 2_000, "random_state": 0, "device": "cpu"}
msa = MaskedStellarAutoencoder(
    **settings, max_epochs=1, hidden_widths=(4,), n_frequencies=1, d_embedding=1
)
model = {
    "autoencoder": msa,
    "regressor": StellarParameterRegressor(
        msa, **settings, max_epochs=1, head_widths=(4,), n_members=1, labels=("teff",)
    ),
    "generalist": StellarFoundationModel(
        **settings, max_epochs=1, embedding_dim=8, n_requests=2, n_inputs=(1, 4),
        encoder_widths=(8,), decoder_heads=(1,), decoder_widths=(8,), head_widths=(8,),
    ),
}[sys.argv[2]]
model.fit(StarDataset(sys.argv[1]))
# What resource tells of a child begins with the peak of its parent.
status = Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024)
"""

# What is killed: slow enough to be caught at work.
KILLED_FIT = """
import sys, time
from skorch.callbacks import Callback
from msaestimator import MaskedStellarAutoencoder
from msaestimator.datasets import StarDataset
from msaestimator.training import _plan

class Slow(Callback):
    def on_batch_end(self, net, **kwargs):
        time.sleep(0.05)

_plan.WINDOW = 100
MaskedStellarAutoencoder(
    max_epochs=6, batch_size=50, lr=3e-3, random_state=0, device="cpu", dropout=0.1,
    hidden_widths=(16, 8), n_frequencies=4, frequency_scale=0.1, d_embedding=4,
    checkpoint=sys.argv[2], callbacks=[("slow", Slow())],
).fit(StarDataset(sys.argv[1]))
"""


pytestmark = pytest.mark.usefixtures("small_windows")


def test_learns_as_much_as_in_memory(make_msa, stars, on_disk, losses):
    """The losses of five seeds differ by as much as those on disk do from those in memory."""
    settings = {"max_epochs": 2, "batch_size": 20, "lr": 1e-2}
    curves = {
        name: np.array(
            [losses(make_msa(**settings, random_state=seed).fit(X)) for seed in range(5)]
        )
        for name, X in (("memory", stars), ("disk", on_disk))
    }
    difference = curves["disk"].mean(axis=0) - curves["memory"].mean(axis=0)
    scatter = np.hypot(*(curve.std(axis=0, ddof=1) for curve in curves.values()))
    assert (np.abs(difference) < 3 * scatter / np.sqrt(5)).all()
    learned = curves["memory"][:, 0] - curves["memory"][:, -1]
    assert learned.mean() > 2 * scatter.max(), "A curve that does not fall compares nothing."


def test_scales_are_those_of_a_fit_in_memory(make_msa, stars, on_disk):
    """Of fewer stars than a sample has all are in it."""
    memory, disk = (make_msa(max_epochs=0).fit(X) for X in (stars, on_disk))
    assert disk.n_stars_ == memory.n_stars_ == len(stars)
    assert disk.feature_names_ == memory.feature_names_
    np.testing.assert_allclose(disk.feature_range_, memory.feature_range_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(disk.feature_error_, memory.feature_error_, rtol=1e-5)


def test_score_is_that_of_the_stars_in_memory(msa, stars, on_disk, monkeypatch):
    assert msa.score(on_disk) == pytest.approx(msa.score(stars), rel=1e-6)
    monkeypatch.setattr(_training_stars, "PART", 110)
    in_parts = msa.score(on_disk)  # with other masks
    assert in_parts != msa.score(stars)
    assert in_parts == pytest.approx(msa.score(stars), rel=0.15)


def test_one_seed_gives_the_same_and_another_does_not(make_msa, on_disk, weights):
    first, again, other = (weights(make_msa(random_state=n).fit(on_disk)) for n in (0, 0, 1))
    assert first == again != other


def test_partial_fit_goes_through_the_files_in_another_order_each_time(
    make_msa, stars, on_disk, weights, losses
):
    msa = make_msa(lr=0.0).partial_fit(on_disk).partial_fit(on_disk).partial_fit(stars)
    assert len(set(losses(msa))) == 3
    learned = make_msa().partial_fit(on_disk)
    before = weights(learned)
    assert weights(learned.partial_fit(on_disk)) != before


def test_early_stopping_watches_stars_that_are_not_trained_on(make_msa, on_disk):
    msa = make_msa(early_stopping=True, validation_fraction=0.2).fit(on_disk)
    assert np.isfinite(msa.net_.history[:, "valid_loss"]).all()
    sizes = {
        kind: sum(
            batch[f"{kind}_batch_size"]
            for batch in msa.net_.history[-1]["batches"]
            if f"{kind}_batch_size" in batch
        )
        for kind in ("train", "valid")
    }
    assert sizes == {"train": 240, "valid": 60}


def test_batches_of_an_epoch_are_forgotten_in_the_next(make_msa, on_disk):
    """Of millions of batches they would fill the memory."""
    history = make_msa(max_epochs=3).fit(on_disk).net_.history
    assert [bool(epoch["batches"]) for epoch in history] == [False, False, True]


def test_stars_are_made_fainter_anew_in_each_epoch(make_msa, on_disk, weights):
    changes = {"make_fainter": 18.0, "max_epochs": 1}
    msa, again = (make_msa(**changes).fit(on_disk) for _ in range(2))
    assert weights(msa) == weights(again)
    assert weights(msa) != weights(make_msa(max_epochs=1).fit(on_disk))
    pieces = _training_stars.PiecesToReconstruct(on_disk, msa.reader_, 18.0, 5, True)
    (measured,), (x, y), (other, _) = (pieces.read(1, epoch) for epoch in (0, 1, 2))
    is_xp = msa.reader_.columns.is_xp
    assert (x[:, is_xp] != measured[:, is_xp]).any()
    assert (x != other).any()
    np.testing.assert_array_equal(y[:, is_xp], measured[:, is_xp])
    np.testing.assert_array_equal(y[:, ~is_xp], x[:, ~is_xp])
    np.testing.assert_array_equal(pieces.read(1, 1)[0], x)


def test_only_columns_that_are_features_are_read(make_msa, on_disk):
    reader = make_msa(max_epochs=0).fit(on_disk).reader_
    read = _training_stars.PiecesToReconstruct(on_disk, reader, None, 5, True).columns
    assert {"bp_coefficients", "rp_coefficients", "phot_g_mean_mag", "j_m", "ebv"} <= set(read)
    assert not {"source_id", "teff", "bp_coefficient_errors", "j_msigcom"} & set(read)


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_stopped_run_ends_where_an_uninterrupted_one_does(
    make_msa, on_disk, weights, tmp_path, epoch, losses, stop_in_epoch
):
    def make(**changes):
        return make_msa(**{"max_epochs": 4, "dropout": 0.2, "batch_size": 50} | changes)

    path = tmp_path / "checkpoint"
    with pytest.raises(RuntimeError, match="power cut"):
        make(checkpoint=path, callbacks=[("stop", stop_in_epoch(epoch))]).fit(on_disk)
    resumed = make(checkpoint=path).fit(on_disk)
    assert resumed.net_.n_epochs_resumed == epoch - 1
    whole = make().fit(on_disk)
    assert weights(resumed) == weights(whole)
    np.testing.assert_array_equal(losses(resumed), losses(whole))


def test_a_run_that_is_killed_again_and_again_ends_where_an_uninterrupted_one_does(
    make_msa, star_files, on_disk, weights, tmp_path
):
    path, rng = tmp_path / "checkpoint", np.random.default_rng(0)
    for n_epochs in (1, 3):
        process = subprocess.Popen([sys.executable, "-c", KILLED_FIT, str(star_files), str(path)])
        while process.poll() is None:
            if path.exists() and len(read_tensors(path)[1]["history"]) >= n_epochs:
                break
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.3))  # within an epoch's seven batches of 0.05 s
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "It must have been killed at work."
    settings = {"max_epochs": 6, "batch_size": 50, "dropout": 0.1}
    resumed = make_msa(**settings, checkpoint=path).fit(on_disk)
    assert resumed.net_.n_epochs_resumed >= 3
    assert weights(resumed) == weights(make_msa(**settings).fit(on_disk))


def test_a_checkpoint_of_other_files(make_msa, stars, on_disk, write_groups, tmp_path):
    write_groups(stars[:200], tmp_path / "fewer.parquet", 40)
    make_msa(checkpoint=tmp_path / "checkpoint").fit(on_disk)
    with pytest.raises(CheckpointError, match="of another run: the stars differ"):
        make_msa(checkpoint=tmp_path / "checkpoint").fit(StarDataset(tmp_path / "fewer.parquet"))


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_a_diverged_training_tells_its_stars(make_msa, stars, on_disk, tmp_path, where):
    path = tmp_path / "checkpoint"
    msa = make_msa(lr=1e30, lr_schedule="constant", batch_size=50, checkpoint=path)
    told = f"The training loss must be finite .* whose stars are in '.*{path.name}.diverged.json'"
    with pytest.raises(DivergedError, match=told) as caught:
        msa.fit(stars if where == "memory" else on_disk)
    saved = json.loads((tmp_path / "checkpoint.diverged.json").read_text())
    assert saved["source_ids"] == caught.value.source_ids
    assert len(set(saved["source_ids"])) == 50
    assert set(saved["source_ids"]) < set(stars["source_id"].tolist())
    assert saved["epoch"] == 1
    assert saved["batch"] == caught.value.batch > 0


def test_a_file_with_a_bad_value_is_named(
    make_msa, stars, star_files, write_groups, tmp_path, monkeypatch
):
    bad = stars[:40].copy()
    bad["j_m"][3] = np.inf * bad["j_m"].unit
    write_groups(bad, tmp_path / "bad.parquet", 40)
    on_disk = StarDataset([*sorted(star_files.glob("*.parquet")), tmp_path / "bad.parquet"])
    monkeypatch.setattr(_training_stars, "held_in_memory", lambda X: stars)
    monkeypatch.setattr("msaestimator.estimators._autoencoder.held_in_memory", lambda X: stars)
    with pytest.raises(ColumnError, match=r"File '.*bad.parquet', row group 0: Column 'j_m' must"):
        make_msa().fit(on_disk)


def test_weights_of_stars_on_disk(make_msa, on_disk):
    with pytest.raises(TypeError, match="`sample_weight` must be None for stars on disk"):
        make_msa().fit(on_disk, sample_weight=np.ones(len(on_disk)))


def test_stars_on_disk_where_stars_must_be_in_memory(msa, regressor, generalist, on_disk):
    for call in (msa.transform, regressor.predict_table, regressor.calibrate, generalist.predict):
        with pytest.raises(TypeError, match="`X` must be in memory here, got a StarDataset. Pass"):
            call(on_disk)


@pytest.fixture(scope="module")
def many(stars, tmp_path_factory):
    """Folders of one file, and of ten, of ten row groups of 1,000 stars."""
    columns = ["source_id", "phot_g_mean_mag", "j_m", "bp_coefficients", "rp_coefficients", "teff"]
    rows = stars[np.arange(1_000) % len(stars)][columns]
    folders = []
    for n_files in (1, 10):
        folder = tmp_path_factory.mktemp("many")
        write_stars(rows, folder / "0.parquet")
        group = pq.read_table(folder / "0.parquet")
        for number in range(n_files):
            with pq.ParquetWriter(folder / f"{number}.parquet", group.schema) as writer:
                for _ in range(10):
                    writer.write_table(group)
        assert len(StarDataset(folder)) == 10_000 * n_files
        folders.append(folder)
    return folders


@pytest.mark.parametrize("model", ["autoencoder", "regressor", "generalist"])
def test_memory_does_not_grow_with_the_stars(many, model):
    """Ten times as many rows, in row groups of 1,000, take no more than 40 MB more."""
    peaks = []
    for folder in many:
        told = subprocess.run(
            [sys.executable, "-c", FIT_OF_MANY, str(folder), model],
            check=True,
            capture_output=True,
            text=True,
        )
        peaks.append(float(told.stdout))
    assert peaks[1] - peaks[0] < 40, peaks
    assert peaks[1] < 1_000
