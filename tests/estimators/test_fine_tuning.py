"""Networks trained one after the other, the last of them taught by those before."""

import copy

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from msaestimator.networks import NoisyMask
from msaestimator.training import PredictionObjective, TaughtObjective


@pytest.fixture(scope="module")
def make(make_regressor, msa):
    """Return a function that makes a small regressor with two teachers."""
    settings = {"dropout": 0.1, "calibration_fraction": 0.0, "n_teachers": 2}
    return lambda **changes: make_regressor(msa, **settings | changes)


class Watch(Callback):
    """Keep what each network was trained by, and what it had become."""

    def __init__(self):
        self.criteria, self.networks, self.masks = [], [], []

    def __deepcopy__(self, memo):
        return self

    def on_train_end(self, net, **kwargs):
        self.criteria.append(net.criterion_)
        self.networks.append(copy.deepcopy(net.module_))
        self.masks.append(net.mask)


@pytest.fixture(scope="module")
def watched(make, stars):
    """A regressor fitted with two teachers, and what was seen of it."""
    watch = Watch()
    return make(callbacks=[("watch", watch)]).fit(stars), watch


def quantiles(network, regressor, stars):
    features = torch.from_numpy(regressor._enter(stars, reset=False))
    with torch.no_grad():
        return network.eval().quantiles(features).mean(dim=1)


def test_teachers_come_first_and_learn_from_labels_alone(watched):
    _, watch = watched
    kinds = [type(criterion) for criterion in watch.criteria]
    assert kinds == [PredictionObjective, PredictionObjective, TaughtObjective]


def test_teachers_are_no_copies_of_each_other(watched, stars):
    regressor, watch = watched
    first, second, learner = (quantiles(n, regressor, stars[:20]) for n in watch.networks)
    assert (first - second).abs().max() > 1e-3
    torch.testing.assert_close(quantiles(regressor.module_, regressor, stars[:20]), learner)


def test_a_taught_network_comes_nearer_to_its_teachers(make, stars, other_stars):
    watch = Watch()
    taught = make(max_epochs=40, callbacks=[("watch", watch)]).fit(stars)
    untaught = make(max_epochs=40, n_teachers=0, random_state=1).fit(stars)
    teachers, answer, other = (
        torch.stack([quantiles(n, taught, other_stars) for n in networks]).mean(dim=0)
        for networks in (watch.networks[:2], [taught.module_], [untaught.module_])
    )
    assert (answer - teachers).abs().mean() < 0.8 * (other - teachers).abs().mean()


def test_only_what_is_taught_sees_noise(make, stars):
    watch = Watch()
    regressor = make(resample_noise=True, max_epochs=1, callbacks=[("watch", watch)]).fit(stars)
    *teachers, learner = watch.masks
    assert not any(isinstance(mask, NoisyMask) for mask in teachers)
    assert isinstance(learner.mask, NoisyMask)
    assert isinstance(regressor.net_.mask, NoisyMask)


def test_teachers_are_not_kept(watched):
    regressor, watch = watched
    assert hasattr(watch.masks[2], "teachers")
    assert not hasattr(regressor.net_.mask, "teachers")


def test_without_teachers_nothing_is_drawn_for_them(make_regressor, msa, stars, weights):
    plain = make_regressor(msa).fit(stars)
    assert weights(make_regressor(msa, n_teachers=0).fit(stars)) == weights(plain)


def test_a_killed_run_goes_on_at_its_teacher(make, stars, weights, tmp_path):
    class Stop(Callback):
        def on_train_begin(self, net, **kwargs):
            if (tmp_path / "run.teacher1").exists() and not (tmp_path / "run.teacher2").exists():
                raise RuntimeError("power cut")

    settings = {"checkpoint": tmp_path / "run"}
    with pytest.raises(RuntimeError, match="power cut"):
        make(callbacks=[("stop", Stop())], **settings).fit(stars)
    resumed = make(**settings).fit(stars)
    assert weights(resumed) == weights(make().fit(stars))


@pytest.mark.parametrize("ensemble", ["shared", "independent"])
def test_a_taught_regressor_is_saved_and_loaded(make, stars, tmp_path, ensemble):
    regressor = make(max_epochs=1, n_teachers=1, ensemble=ensemble).fit(stars)
    regressor.save_pretrained(tmp_path)
    loaded = type(regressor).from_pretrained(tmp_path)
    np.testing.assert_allclose(loaded.predict(stars), regressor.predict(stars), rtol=1e-6)


def test_bad_number_of_teachers(make, stars):
    with pytest.raises(ValueError, match="`n_teachers` must be at least 0, got -1"):
        make(n_teachers=-1).fit(stars)
