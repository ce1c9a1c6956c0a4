"""The weights kept are the mean of those of the steps that count."""

import pytest
import torch
from skorch.callbacks import Callback

N_STEPS = 5
"""Steps of an epoch, 90 stars in batches of 20, of which there are 4."""


class Record(Callback):
    """Keep the weights after each step."""

    def __init__(self):
        self.weights = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.weights.append([w.detach().double() for w in net.module_.parameters()])


@pytest.fixture
def train(make_net, data):
    """Return a function that trains, and returns the net and each step's weights."""

    def train(**changes):
        record = Record()
        net = make_net(callbacks=[("record", record)], **changes)
        record = dict(net.callbacks_)["record"]
        return net.partial_fit(data), record.weights

    return train


@pytest.mark.parametrize(("start", "first"), [(0.0, 0), (0.25, 1), (0.5, 2), (0.6, 3), (0.9, 4)])
def test_is_the_mean_of_the_steps_of_the_last_epochs(train, start, first):
    net, steps = train(average_from=start)
    assert len(steps) == 4 * N_STEPS
    counted = steps[first * N_STEPS :] or steps[-1:]
    for weights, *values in zip(net.module_.parameters(), *counted, strict=True):
        torch.testing.assert_close(weights.double(), sum(values) / len(values), rtol=0, atol=1e-6)


def test_of_one_keeps_the_last_step(train):
    net, steps = train(average_from=1.0)
    for weights, last in zip(net.module_.parameters(), steps[-1], strict=True):
        assert torch.equal(weights.double(), last)


def test_does_not_change_the_steps(train):
    for plain, averaged in zip(train()[1], train(average_from=0.5)[1], strict=True):
        assert all(map(torch.equal, plain, averaged))
