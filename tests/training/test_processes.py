"""Two processes learn together what one does alone, and notice when they are no longer two."""

import json

import numpy as np
import pytest
import together
import torch
from torch.utils.data import TensorDataset

from msaestimator.exceptions import ProcessError
from msaestimator.training import Processes, TensorBatches, resolve_device
from msaestimator.training._averaged_gradients import AveragedGradients

ALONE = {"callbacks": [("order", AveragedGradients(Processes()))]}
"""What gives one process the order of the stars that several have."""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def found(tmp_path_factory, load_plain):
    """What two processes find of all that the tests look at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        folder = tmp_path_factory.mktemp("together")
        return together.run_together(together.everything, folder, load_plain("train")[:300])


def as_there(value):
    """Return a value as it comes from another process."""
    return json.loads(json.dumps(value))


def assert_alike(first, second, **tolerance):
    assert first["history"].keys() == second["history"].keys()
    for name, values in first["history"].items():
        np.testing.assert_allclose(values, second["history"][name], **tolerance)
    np.testing.assert_allclose(first["weights"], second["weights"], **tolerance)


def test_there_were_two(found):
    assert [one["count"] for one in found] == [2, 2]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("without_chance", {}),
        ("muon", {"optimizer": "muon", "gradient_clip": None}),
        ("odd_batch", {"batch_size": 27}),
    ],
)
def test_two_learn_as_one_with_twice_their_batch(found, name, changes):
    """To five digits, the last batch of another length included."""
    alone = as_there(together.without_chance(**ALONE | changes))
    for one in found:
        assert_alike(one[name], alone, rtol=1e-5, atol=1e-6)


def test_early_stopping_is_decided_as_by_one(found):
    alone = as_there(together.early_stopping(**ALONE))
    best = alone["history"]["valid_loss_best"]
    for one in found:
        # So fast a training takes differences of rounding further.
        assert_alike(one["early_stopping"], alone, rtol=1e-3, atol=1e-3)
        assert one["early_stopping"]["history"]["valid_loss_best"] == best
    assert 3 < len(best) < 30


@pytest.mark.parametrize("name", ["without_chance", "early_stopping", "other_seeds", "whole"])
def test_both_end_with_the_same(found, name):
    first, second = (one[name] for one in found)
    assert first == second


def test_seeds_are_those_of_the_first(found):
    first, second = (one["seed"] for one in found)
    assert first == second


def test_masks_are_each_processes_own(found):
    first, second = (one["masks"] for one in found)
    assert len(first["hidden"]) == len(second["hidden"]) == 45
    assert np.mean(np.equal(first["hidden"], second["hidden"])) < 0.8
    for one in (first, second):
        assert np.mean(one["hidden"]) == pytest.approx(0.3, abs=0.1)
    assert first["train_loss"] == second["train_loss"]


def test_goes_on_from_a_checkpoint_as_if_nothing_had_happened(found):
    for one in found:
        assert one["again"] == one["whole"]


def test_a_checkpoint_that_one_does_not_see(found):
    for one in found:
        assert "All must see the same file `checkpoint`" in one["apart"]
    assert "Process 1 is at epoch 1, the first process at epoch 5" in found[1]["apart"]


@pytest.mark.parametrize("what", ["msa", "regressor", "generalist", "latent", "teff"])
def test_estimators_are_the_same_in_both(found, what):
    first, second = (one["estimators"][what] for one in found)
    assert first == second
    assert np.any(list(first.values())[0] if isinstance(first, dict) else first)


def test_a_killed_process_ends_the_others(tmp_path):
    told, killed = together.run_together(together.die, tmp_path)
    assert killed is None
    assert "Process 0 of 2 waits in vain for the others" in told["message"]
    assert "a `checkpoint` they go on from the last epoch" in told["message"]
    assert told["seconds"] < 60


def test_one_process_alone():
    assert Processes.of_group() == Processes(0, 1)
    assert not Processes().are_several
    assert Processes().first_number(5, "cpu") == 5


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("n_stars", [40, 41, 61])
def test_shares_are_the_batches(count, n_stars):
    """Of batches of more stars than processes."""
    rows = torch.arange(n_stars)
    shares = []
    for rank in range(count):
        batches = TensorBatches(
            TensorDataset(rows, rows), 20, shuffle=True, processes=Processes(rank, count)
        )
        torch.manual_seed(1)
        shares.append([x for x, _ in batches])
        assert len(shares[-1]) == len(batches)
    for parts in zip(*shares, strict=True):
        lengths = [len(part) for part in parts]
        assert min(lengths) >= 1
        assert max(lengths) - min(lengths) <= 1
    seen = torch.cat([part for share in shares for part in share]).tolist()
    assert set(seen) == set(range(n_stars))
    if n_stars % 20 == 0:
        assert len(seen) == n_stars


def test_each_process_of_a_machine_has_its_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("cuda")
    monkeypatch.setattr(Processes, "of_group", lambda: Processes(5, 8))
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda:1")
    assert resolve_device("cuda:0") == torch.device("cuda:0")
    assert resolve_device("cpu") == torch.device("cpu")


def test_weights_that_one_of_them_used_are_learned(monkeypatch):
    """Of three weights this process used the first, with 2 stars, and another the second."""

    def add_other(self, flat):
        flat += torch.tensor([0.0, 0.0, 5.0, 0.0, 0.0, 1.0, 0.0, 1.0]) * 3

    monkeypatch.setattr(Processes, "sum", add_other)
    weights = [torch.nn.Parameter(torch.ones(n)) for n in (2, 1, 1)]
    weights[0].grad = torch.tensor([1.0, -10.0])
    named = [(str(n), weight) for n, weight in enumerate(weights)]
    AveragedGradients(Processes(0, 2)).on_grad_computed(None, iter(named), batch=[torch.ones(2)])
    torch.testing.assert_close(weights[0].grad, torch.tensor([0.4, -4.0]))
    torch.testing.assert_close(weights[1].grad, torch.tensor([3.0]))
    assert weights[2].grad is None


def test_silence_of_the_others_is_an_error(monkeypatch):
    def fail(tensor):
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(torch.distributed, "all_reduce", fail)
    with pytest.raises(ProcessError, match=r"Process 1 of 4 .*\(Connection closed by peer\)"):
        Processes(1, 4).sum(torch.zeros(1))
