"""A student learns its teacher's predictions from what it is shown of stars, and stands alone."""

import json

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from msaestimator import StellarParameterRegressor
from msaestimator.estimators._teaching import TaughtMask
from msaestimator.exceptions import CheckpointError
from msaestimator.training import PredictionObjective, TaughtObjective
from msaestimator.uncertainty import combine_members

SMALLER = {"hidden_widths": (12, 6), "d_embedding": 2, "n_frequencies": 1}


@pytest.fixture(scope="module")
def make_student(make_msa, make_regressor, regressor):
    """Return a function that makes a small student of the small regressor."""

    def make(**changes):
        settings = {"teacher": regressor, "n_members": 1, "reconstruction_weight": 0.0}
        return make_regressor(make_msa(**SMALLER), **settings | changes)

    return make


@pytest.fixture(scope="module")
def student(make_student, stars):
    """A student that has learned something."""
    return make_student(max_epochs=30, lr=1e-2, encoder_lr=1e-2).fit(stars)


@pytest.fixture(scope="module")
def features(regressor, stars):
    """Features of some stars as a training gets them."""
    return torch.from_numpy(regressor.reader_.transform(stars[:50]).values)


def weights(model):
    return {name: w.clone() for name, w in model.module_.state_dict().items()}


def assert_same_weights(first, second):
    for name, weight in weights(first).items():
        torch.testing.assert_close(weight, second.module_.state_dict()[name], rtol=0, atol=0)


def scaled(model, stars):
    return model.label_scaler_.scaled(model.predict(stars))


def test_a_student_predicts_what_its_teacher_does(student, regressor, other_stars):
    taught = scaled(regressor, other_stars)
    apart = np.abs(scaled(student, other_stars) - taught)
    assert apart.mean() < 0.3 * taught.std(axis=0).mean()


def test_quantiles_of_a_student_rise(student, other_stars):
    assert (np.diff(student.predict_quantiles(other_stars)) > 0).all()


def test_the_teacher_is_asked_about_what_is_shown(regressor, features):
    mask = TaughtMask(regressor._mask(), regressor)
    torch.manual_seed(0)
    (shown,), (hidden, taught) = mask(features)
    assert hidden.any()
    assert shown[hidden].isnan().all()
    with torch.no_grad():
        members = regressor.module_.quantiles(shown).numpy().astype(float)
    expected = combine_members(members, regressor.quantiles)
    np.testing.assert_allclose(taught.numpy(), expected, rtol=1e-5, atol=1e-6)
    # What is hidden tells nothing.
    torch.manual_seed(0)
    _, (same, again) = mask(torch.where(hidden, features + 1.0, features))
    torch.testing.assert_close(same, hidden)
    torch.testing.assert_close(again, taught)


def test_the_teacher_itself_has_no_loss(make_regressor, msa, stars, features):
    teacher = make_regressor(msa, n_members=1, max_epochs=1).fit(stars[:100])
    objective = PredictionObjective(teacher.quantiles, 0.8, 0.0, teacher.encoder_._objective())
    (shown,), draw = TaughtMask(teacher._mask(), teacher)(features)
    with torch.no_grad():
        output = teacher.module_.quantiles(shown), None
    assert float(TaughtObjective(objective)(output, draw, features, None)) < 1e-6
    other = output[0] + 0.1, None
    assert float(TaughtObjective(objective)(other, draw, features, None)) > 1e-3


def test_labels_teach_a_student_nothing(make_student, stars):
    told, others = stars[:150].copy(), stars[:150].copy()
    for name in ("teff", "logg", "fe_h"):
        others[name] = others[name][::-1]
        others[name][:100] = np.nan
    assert_same_weights(make_student().fit(told), make_student().fit(others))


def test_the_teacher_stays_as_it_is(make_student, make_regressor, msa, stars):
    teacher = make_regressor(msa).fit(stars[:100])
    before, predicted, ranges = weights(teacher), teacher.predict(stars), teacher.feature_range_
    teacher.module_.zero_grad(set_to_none=True)
    make_student(teacher=teacher, make_fainter=17.0).fit(stars[:150])
    for name, weight in before.items():
        torch.testing.assert_close(weight, teacher.module_.state_dict()[name], rtol=0, atol=0)
    np.testing.assert_array_equal(teacher.predict(stars), predicted)
    assert teacher.feature_range_ is ranges
    assert all(weight.grad is None for weight in teacher.module_.parameters())


def test_stars_are_read_and_labels_scaled_as_the_teacher_does(student, regressor, stars):
    read = [model.reader_.transform(stars).values for model in (student, regressor)]
    np.testing.assert_array_equal(*read)
    assert student.label_scaler_ is regressor.label_scaler_
    assert student.encoder_.hidden_widths == SMALLER["hidden_widths"]


def test_a_saved_student_needs_no_teacher(student, regressor, stars, tmp_path):
    student.save_pretrained(tmp_path / "student")
    loaded = StellarParameterRegressor.from_pretrained(tmp_path / "student")
    np.testing.assert_array_equal(loaded.predict(stars), student.predict(stars))
    assert not hasattr(loaded.teacher, "module_")
    assert loaded.fingerprint == student.fingerprint
    text = (tmp_path / "student" / "config.json").read_text()
    assert len(text) < 1.5 * len(json.dumps(json.loads(text)["estimator"]["fitted"], indent=1))


def test_a_folder_is_the_teacher_in_it(make_student, regressor, stars, tmp_path):
    regressor.save_pretrained(tmp_path / "teacher")
    named = make_student(teacher=tmp_path / "teacher").fit(stars[:150])
    assert_same_weights(named, make_student().fit(stars[:150]))


def test_a_clone_has_the_same_teacher(student, regressor, stars):
    copied = clone(student)
    assert not hasattr(copied, "module_")
    assert copied.teacher.module_ is regressor.module_
    copied.set_params(teacher__verbose=1)
    assert regressor.verbose == 0


@pytest.mark.parametrize(
    "changes", [{"ensemble": "independent", "n_members": 2}, {"colors": False}]
)
def test_other_networks_are_taught(make_student, make_msa, stars, changes):
    encoder = make_msa(**SMALLER, colors=changes.pop("colors", True))
    model = make_student(**changes).set_params(encoder=encoder).fit(stars[:150])
    assert np.isfinite(model.predict(stars[:20])).all()
    assert bool(model.encoder_.contrasts_) is encoder.colors


def test_a_student_can_reconstruct(make_student, stars):
    losses = [
        make_student(reconstruction_weight=weight, max_epochs=8).fit(stars).encoder_.score(stars)
        for weight in (0.0, 1.0)
    ]
    assert losses[1] > losses[0]


class Stop(Callback):
    """Raise once an epoch is over and in the checkpoint."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2:
            raise RuntimeError("power cut")


def test_a_stopped_student_goes_on_with_its_teacher(
    make_student, make_regressor, msa, stars, tmp_path
):
    few, path = stars[:150], tmp_path / "checkpoint"
    with pytest.raises(RuntimeError, match="power cut"):
        make_student(checkpoint=path, callbacks=[("stop", Stop())]).fit(few)
    assert_same_weights(make_student(checkpoint=path).fit(few), make_student().fit(few))
    other = make_regressor(msa).fit(few)
    with pytest.raises(CheckpointError, match="weights differ"):
        make_student(checkpoint=path, teacher=other).fit(few)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ("teff", "logg")}, "the labels must be .*'fe_h'.*got"),
        ({"labels": {"teff": "kK", "logg": "dex", "fe_h": "dex"}}, "the units must be"),
        ({"quantiles": (0.05, 0.5, 0.95)}, "the quantiles must be"),
    ],
)
def test_a_student_must_predict_what_its_teacher_does(make_student, stars, changes, message):
    with pytest.raises(ValueError, match=message):
        make_student(**changes).fit(stars[:100])


def test_a_student_that_reads_in_its_own_way(make_student, msa, stars):
    with pytest.raises(
        ValueError, match="`encoder` must not be fitted where there is a `teacher`"
    ):
        make_student().set_params(encoder=msa).fit(stars[:100])


def test_what_is_no_teacher(make_student, make_regressor, msa, stars):
    with pytest.raises(ValueError, match="`teacher` must be fitted"):
        make_student(teacher=make_regressor()).fit(stars[:100])
    with pytest.raises(TypeError, match="`teacher` must be a fitted StellarParameterRegressor"):
        make_student(teacher=msa).fit(stars[:100])
    with pytest.raises(CheckpointError, match="no folder 'gaia-xq'"):
        make_student(teacher="gaia-xq").fit(stars[:100])
