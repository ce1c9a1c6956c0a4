"""What the net hides, watches, and steps by."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from msaestimator.training import ParameterGroup, check_finished


class Spy(Callback):
    """Keep what the module sees, and the rates and gradients of each step."""

    def on_train_begin(self, net, **kwargs):
        self.inputs, self.rates, self.norms = [], [], []
        net.module_.register_forward_pre_hook(lambda _, x: self.inputs.append(x[0].clone()))

    def on_batch_begin(self, net, **kwargs):
        self.rates.append([group["lr"] for group in net.optimizer_.param_groups])

    def on_grad_computed(self, net, named_parameters, **kwargs):
        squares = [float(p.grad.square().sum()) for _, p in named_parameters if p.grad is not None]
        self.norms.append(sum(squares) ** 0.5)


def ended_by(error, epoch):
    """Return a callback that raises an error at the end of an epoch."""

    class End(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == epoch:
                raise error

    return [("end", End())]


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0])
def test_hides_that_fraction_of_features_and_draws_anew(make_net, data, ratio):
    spy = Spy()
    make_net(ratio=ratio, callbacks=[("spy", spy)], max_epochs=20).partial_fit(data)
    seen = torch.cat(spy.inputs)
    assert len(seen) == 20 * 90
    assert float(seen.isnan().float().mean()) == pytest.approx(ratio, abs=0.02)


def test_validation_draws_the_same_masks_in_every_epoch(make_net, data):
    still = [ParameterGroup("*", 0.0, "constant", 0.0)]
    net = make_net(validation=data, groups=still).partial_fit(data)
    assert len(set(net.history[:, "valid_loss"])) == 1
    assert len(set(net.history[:, "train_loss"])) == 4


def test_validation_leaves_the_training_as_it_is(make_net, data):
    alone, watched = (make_net(validation=v) for v in (None, data))
    for net in (alone, watched):
        torch.manual_seed(5)
        net.partial_fit(data)
    assert alone.history[:, "train_loss"] == watched.history[:, "train_loss"]


def test_parts_of_the_module_have_rates_of_their_own(make_net, data):
    spy = Spy()
    groups = [
        ParameterGroup("encoder.*", 0.5, "exponential", 0.0),
        ParameterGroup("*", 0.1, "constant", 0.0),
    ]
    make_net(groups=groups, callbacks=[("spy", spy)], max_epochs=2).partial_fit(data)
    rates = np.array(spy.rates).reshape(2, 5, -1)
    np.testing.assert_allclose(rates[0, :, 0], 0.5)
    np.testing.assert_allclose(rates[1, :, 0], 0.5 * 0.95)
    np.testing.assert_allclose(rates[..., 1], 0.1)


def test_gradients_are_clipped(make_net, data):
    free, clipped = Spy(), Spy()
    make_net(gradient_clip=None, callbacks=[("spy", free)]).partial_fit(data)
    # The plan's clipping comes before its further callbacks.
    make_net(gradient_clip=1e-3, callbacks=[("spy", clipped)]).partial_fit(data)
    assert min(free.norms) > 1e-3
    assert max(clipped.norms) <= 1e-3 * (1 + 1e-4)


def test_an_interrupted_training_is_not_a_trained_one(make_net, data):
    net = make_net(callbacks=ended_by(KeyboardInterrupt, 2)).partial_fit(data)
    with pytest.raises(KeyboardInterrupt, match="The training was interrupted after 2 of 4 epoch"):
        check_finished(net, "training")


@pytest.mark.parametrize("epoch", [1, 3, 4])
def test_an_epoch_that_was_interrupted_does_not_count(make_net, data, epoch):
    """Not even the last."""

    class Interrupt(Callback):
        def on_batch_begin(self, net, **kwargs):
            if len(net.history) == epoch:
                raise KeyboardInterrupt

    net = make_net(callbacks=[("interrupt", Interrupt())]).partial_fit(data)
    with pytest.raises(KeyboardInterrupt, match=f"after {epoch - 1} of 4 epochs"):
        check_finished(net, "training")


@pytest.mark.parametrize(
    ("checkpoint", "n_epochs", "advice"),
    [
        (
            None,
            2,
            "is lost, for there is no `checkpoint`: with one, a file, the same call goes on",
        ),
        ("run", 2, "is in the checkpoint 'run': the same call, on the same stars, goes on from"),
        (Path("run"), 0, "Nothing is in the checkpoint yet: the same call starts afresh"),
    ],
)
def test_an_interrupted_training_says_how_to_go_on(make_net, data, checkpoint, n_epochs, advice):
    net = make_net(callbacks=ended_by(KeyboardInterrupt, n_epochs))
    if n_epochs:
        net.partial_fit(data)
    with pytest.raises(KeyboardInterrupt, match=advice):
        check_finished(net, "training", checkpoint)


def test_a_whole_training_is_finished(make_net, data):
    check_finished(make_net().partial_fit(data), "training")


def test_early_stopping_is_a_proper_end(make_net, data):
    still = [ParameterGroup("*", 0.0, "constant", 0.0)]
    net = make_net(validation=data, groups=still, patience=2, max_epochs=50).partial_fit(data)
    check_finished(net, "training")
    assert len(net.history) == 3
