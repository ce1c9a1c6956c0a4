"""Settings that both estimators share: seeds, devices, precision, stopping, warm starts."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from msaestimator.exceptions import PrecisionWarning


class Count(Callback):
    """Count epochs."""

    def initialize(self):
        self.n_epochs = 0
        return self

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs += 1


@pytest.fixture(params=["autoencoder", "regressor"])
def make(request, make_msa, make_regressor, msa):
    """Return a function that makes either estimator."""
    if request.param == "autoencoder":
        return make_msa
    return lambda **changes: make_regressor(msa, **changes)


def test_a_fixed_random_state_is_bit_identical(make, stars, weights):
    settings = {"dropout": 0.2, "random_state": 11}
    assert weights(make(**settings).fit(stars)) == weights(make(**settings).fit(stars))


def test_fitting_again_starts_afresh(make, stars, weights):
    estimator = make().fit(stars)
    before = weights(estimator)
    assert weights(estimator.fit(stars)) == before


@pytest.mark.parametrize("random_state", [None, 12, np.random.RandomState(12)])
def test_another_random_state_is_another_fit(make, stars, weights, random_state):
    first = make(random_state=11).fit(stars)
    assert weights(make(random_state=random_state).fit(stars)) != weights(first)


def test_no_random_state_differs_each_time(make, stars, weights):
    assert weights(make(random_state=None).fit(stars)) != weights(
        make(random_state=None).fit(stars)
    )


def test_fit_leaves_the_callers_random_numbers(make, stars):
    torch.manual_seed(4)
    before = torch.get_rng_state()
    make().fit(stars)
    assert torch.equal(torch.get_rng_state(), before)


def test_warm_start_goes_on(make, stars, weights):
    estimator = make(warm_start=True, max_epochs=5, lr_schedule="constant").fit(stars)
    first, before = estimator.net_.history[:, "train_loss"], weights(estimator)
    estimator.fit(stars)
    assert weights(estimator) != before
    assert np.mean(estimator.net_.history[:, "train_loss"]) < np.mean(first)


def test_warm_start_keeps_the_scaling(make, stars, other_stars):
    estimator = make(warm_start=True).fit(stars)
    names, ranges = estimator.feature_names_, estimator.feature_range_
    estimator.fit(other_stars)
    assert estimator.feature_names_ == names
    np.testing.assert_array_equal(estimator.feature_range_, ranges)


def test_warm_start_with_other_labels(make_regressor, msa, stars):
    regressor = make_regressor(msa, warm_start=True).fit(stars)
    with pytest.raises(ValueError, match="With warm_start the labels must stay"):
        regressor.set_params(labels=("teff",)).fit(stars)


def test_partial_fit_goes_on(make_msa, stars, other_stars):
    msa = make_msa().partial_fit(stars)
    untrained = make_msa(max_epochs=0).fit(stars).score(other_stars)
    first = msa.score(other_stars)
    for _ in range(10):
        msa.partial_fit(stars)
    assert untrained < first < msa.score(other_stars)
    assert len(msa.net_.history) == 11


def test_partial_fit_is_bit_identical_and_keeps_the_scaling(make_msa, stars, other_stars, weights):
    first, second = (make_msa().partial_fit(stars).partial_fit(other_stars) for _ in range(2))
    assert weights(first) == weights(second)
    alone = make_msa().partial_fit(stars)
    np.testing.assert_array_equal(first.feature_range_, alone.feature_range_)


def test_partial_fit_after_fit_goes_on_from_its_weights(make_msa, stars, weights):
    msa = make_msa().partial_fit(stars).fit(stars)
    before, score = weights(msa), msa.score(stars)
    msa.partial_fit(stars)
    assert len(msa.net_.history) == 1
    assert weights(msa) != before
    assert msa.score(stars) > score - 0.05
    again = make_msa().fit(stars).partial_fit(stars)
    assert weights(again) == weights(msa), "What came before fit does not matter."


def test_early_stopping_keeps_the_best_weights(make, stars):
    estimator = make(max_epochs=100, lr=0.05, early_stopping=True, n_iter_no_change=2)
    if hasattr(estimator, "encoder_lr"):
        estimator.set_params(encoder_lr=0.05)
    else:
        # Near its minimum the Cauchy loss changes by less than early stopping counts as better.
        estimator.set_params(loss="l1")
    history = estimator.fit(stars).net_.history
    losses = history[:, "valid_loss"]
    assert len(history) < 100
    assert len(history) == np.argmin(losses) + 1 + 2


def test_early_stopping_holds_stars_out(make, stars):
    seen = []

    class Spy(Callback):
        def on_train_begin(self, net, X, **kwargs):
            seen.append(len(X))

    estimator = make(early_stopping=True, validation_fraction=0.2, callbacks=[("spy", Spy())])
    estimator.fit(stars)
    assert seen == [240]


def test_callbacks(make, stars):
    count = Count()
    make(max_epochs=3, callbacks=[("count", count)]).fit(stars)
    assert count.n_epochs == 3


def test_no_epochs_is_an_untrained_network(make, stars):
    estimator = make(max_epochs=0).fit(stars)
    method = getattr(estimator, "predict", None) or estimator.transform
    assert np.isfinite(method(stars)).all()


def test_silence(make, stars, capfd):
    make(verbose=0).fit(stars)
    assert capfd.readouterr() == ("", "")


def test_progress(make, stars, capfd):
    make(verbose=1).fit(stars)
    assert "100%" in capfd.readouterr().err


def test_auto_device(make, stars):
    estimator = make(device="auto").fit(stars)
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert next(estimator.module_.parameters()).device.type == expected


def test_unknown_device(make, stars):
    with pytest.raises(ValueError, match="`device` must be 'auto', .*got 'tpu9'"):
        make(device="tpu9").fit(stars)


@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.PrecisionWarning")
def test_bfloat16_predicts_nearly_as_float32_does(make, stars):
    estimator = make().fit(stars)
    method = getattr(estimator, "predict", None) or estimator.transform
    exact = method(stars)
    estimator.set_params(precision="bfloat16")
    rounded = method(stars)
    assert not np.array_equal(exact, rounded)
    # Three digits of the largest number.
    np.testing.assert_allclose(rounded, exact, atol=0.02 * np.abs(exact).max())


@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.PrecisionWarning")
def test_bfloat16_learns_nearly_as_float32_does(make, stars):
    exact, rounded = (
        make(precision=precision).fit(stars).net_.history[:, "train_loss"]
        for precision in ("float32", "bfloat16")
    )
    assert exact != rounded
    np.testing.assert_allclose(rounded, exact, rtol=0.05)


def test_bfloat16_is_slow_where_the_processor_has_none(make, stars, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    estimator = make(precision="bfloat16")
    with pytest.warns(PrecisionWarning, match="takes about six times as long as 'float32'"):
        estimator.fit(stars)
    with pytest.warns(PrecisionWarning, match="it has AVX2"):
        (getattr(estimator, "predict", None) or estimator.transform)(stars)


def test_unknown_precision(make, stars):
    with pytest.raises(ValueError, match="`precision` must be one of .*, got 'float64'"):
        make(precision="float64").fit(stars)


def test_a_loss_that_explodes(make_msa, stars):
    msa = make_msa(loss="l2", lr=1e30, gradient_clip=None, lr_schedule="constant", max_epochs=20)
    with pytest.raises(FloatingPointError, match="The training loss must be finite"):
        msa.fit(stars)


def test_an_interrupted_fit_is_no_fit(make, stars):
    class CtrlC(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="interrupted after 1 of 3 epochs"):
        make(max_epochs=3, callbacks=[("ctrl_c", CtrlC())]).fit(stars)
