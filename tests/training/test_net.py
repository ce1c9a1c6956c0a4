"""What the net hides, watches, and steps by."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skorch.callbacks import Callback

from msaestimator.training import ParameterGroup, check_finished, fingerprint


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
    with pytest.raises(KeyboardInterrupt, match="interrupted after 2 of 4 epochs"):
        check_finished(net)


def test_a_whole_training_is_finished(make_net, data):
    check_finished(make_net().partial_fit(data))


def test_early_stopping_is_a_proper_end(make_net, data):
    still = [ParameterGroup("*", 0.0, "constant", 0.0)]
    net = make_net(validation=data, groups=still, patience=2, max_epochs=50).partial_fit(data)
    check_finished(net)
    assert len(net.history) == 3


PARAMETERS = st.dictionaries(
    st.sampled_from(["lr", "labels", "device"]), st.floats(0, 1) | st.text() | st.none()
)


@given(PARAMETERS, PARAMETERS)
def test_fingerprints_are_equal_only_for_equal_parameters(first, second):
    x = np.arange(4.0)
    assert (fingerprint(first, x) == fingerprint(second, x)) == (first == second)


def test_fingerprints_do_not_depend_on_the_order_of_parameters():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_fingerprints_tell_data_apart():
    x = np.arange(12.0).reshape(3, 4)
    changed = x.copy()
    changed[1, 2] = np.nextafter(changed[1, 2], 9)
    arrays = [(x,), (changed,), (x.reshape(4, 3),), (x.T,), (x[:2],), (x, x), (x, changed)]
    assert len({fingerprint({}, *array) for array in arrays}) == len(arrays)
    assert fingerprint({}, x) == fingerprint({}, np.asfortranarray(x))


def test_fingerprints_of_random_states_hold_in_the_next_process():
    first, second = np.random.RandomState(0), np.random.RandomState(0)
    assert fingerprint({"random_state": first}) == fingerprint({"random_state": second})
    assert fingerprint({"random_state": first}) != fingerprint({"random_state": 0})
