"""The progress bar and the check of the loss."""

import copy
import math

import pytest
import torch

from msaestimator.exceptions import DivergedError
from msaestimator.training import ReconstructionObjective


class LostObjective(ReconstructionObjective):
    """A loss that is no longer a number in the second epoch."""

    n_calls = 0

    def forward(self, *args):
        self.n_calls += 1
        return super().forward(*args) * (math.nan if self.n_calls > 5 else 1.0)


def test_a_loss_that_is_not_a_number_ends_the_training(make_net, data):
    net = make_net(criterion=LostObjective(range(6), 1, False))
    with pytest.raises(FloatingPointError, match=r"got nan in epoch 2.*Lower the learning rate"):
        net.partial_fit(data)


@pytest.mark.parametrize("factor", [1e9, -1e9, math.inf])
def test_a_loss_that_explodes_ends_the_training_and_tells_the_stars(make_net, data, factor):
    class Exploding(ReconstructionObjective):
        """A loss that explodes in the third batch."""

        seen = []

        def forward(self, output, hidden, x, y):
            self.seen.append(x)
            loss = super().forward(output, hidden, x, y)
            return loss * factor if len(self.seen) == 3 else loss

    with pytest.raises(DivergedError, match="not explode, got .* in epoch 1, batch 2") as caught:
        make_net(criterion=Exploding(range(6), 1, False)).partial_fit(data)
    assert "stars are in this error's `source_ids`" in str(caught.value)
    rows = [number - 100 for number in caught.value.source_ids]  # the ids of the fixture
    torch.testing.assert_close(data.tensors[0][rows], Exploding.seen[-1])


def test_silence(make_net, data, capfd):
    make_net(verbose=0).partial_fit(data)
    assert capfd.readouterr() == ("", "")


def test_progress_shows_title_epochs_and_losses(make_net, data, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)  # a narrow terminal's bar has no losses
    make_net(verbose=1, validation=data, patience=9).partial_fit(data)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "training: 100%" in printed.err
    assert "4/4" in printed.err
    assert "train_loss=" in printed.err
    assert "valid_loss=" in printed.err


def test_a_checkpoint_in_the_home_folder(make_net, data, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    make_net(checkpoint="~/runs/checkpoint").partial_fit(data)
    assert (tmp_path / "runs" / "checkpoint").is_file()


def test_progress_opens_where_a_resumed_run_left_off(make_net, data, tmp_path, capsys):
    path = tmp_path / "checkpoint"
    make_net(checkpoint=path).partial_fit(data)
    capsys.readouterr()
    make_net(checkpoint=path, verbose=1).partial_fit(data)
    printed = capsys.readouterr().err
    assert "4/4" in printed
    assert "0/4" not in printed


def test_a_bar_in_use_can_be_copied(make_net):
    net = make_net(verbose=1)
    bar = dict(net.callbacks_)["progress"]
    bar.on_train_begin(net)
    assert vars(copy.deepcopy(bar)) == {"title": "training"}
    bar.on_train_end(net)
