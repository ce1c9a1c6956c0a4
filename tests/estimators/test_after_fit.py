"""Parameters set after ``fit`` are followed, harmless, or refused by name."""

import copy
import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import RobustScaler
from skorch.callbacks import Callback

from msaestimator import StellarParameterRegressor
from msaestimator.estimators import SavedEstimator
from msaestimator.estimators._after_fit import check_unchanged
from msaestimator.metrics import coverage
from msaestimator.schema import GAIA_DR3, ZHANG2026, Column
from msaestimator.uncertainty import QuantileCalibrator

OTHER = {
    "schema": GAIA_DR3.with_columns(Column("cfis_u")),
    "preprocessor": RobustScaler(),
    "colors": False,
    "hidden_widths": (8, 8),
    "d_embedding": 2,
    "n_frequencies": 2,
    "linear_term": False,
    "sentinel": -9999.0,
    "block": "mckay2025",
    "encoder": None,
    "labels": ("teff",),
    "log_labels": (),
    "head_widths": (8,),
    "n_members": 3,
    "ensemble": "independent",
    "reference_survey": "apogee",
    "calibrator": QuantileCalibrator(),
    "outlier_detector": QuantileCalibrator(),
    "vocabulary": ZHANG2026,
    "asinh": False,
    "embedding_dim": 16,
    "read_by": "block",
    "n_factors": 2,
    "encoder_heads": (1,),
    "encoder_widths": (8,),
    "decoder_heads": (1, 1),
    "decoder_widths": (8, 4),
}
"""Another value of each parameter that a fitted model cannot follow."""

HARMLESS = {"device": "cpu", "inference_batch_size": 7, "max_epochs": 99, "lr": 1.0, "verbose": 0}

QUERIES = {
    "msa": ("transform", "reconstruct", "score", "find_similar"),
    "regressor": (
        *("predict", "predict_quantiles", "predict_interval", "predict_table", "score"),
        *("outlier_score", "find_similar", "calibrate"),
    ),
    "generalist": ("predict", "transform", "score", "find_similar", "request", "sample"),
}
ARGUMENTS = {"request": ["logg"], "sample": ["logg"], "find_similar": [2]}

ALL = [
    (fixture, name)
    for fixture, kind in {
        "msa": "MaskedStellarAutoencoder",
        "regressor": "StellarParameterRegressor",
        "generalist": "StellarFoundationModel",
    }.items()
    for name in OTHER
    if name in getattr(__import__("msaestimator"), kind)._declared()
]


@pytest.fixture
def changed(request):
    """Return a function that returns a copy of a fitted estimator with other parameters."""

    def change(fixture, **parameters):
        return copy.copy(request.getfixturevalue(fixture)).set_params(**parameters)

    return change


def test_every_such_parameter_is_tried():
    for kind in SavedEstimator.__subclasses__():
        if kind.__module__.startswith("msaestimator"):
            declared = kind._declared()
            assert {n for n in declared if declared[n].get("of_fit")} <= set(OTHER)


@pytest.mark.parametrize(("fixture", "name"), ALL)
def test_what_cannot_be_followed_is_refused_by_name(changed, other_stars, fixture, name):
    model = changed(fixture, **{name: OTHER[name]})
    for query in QUERIES[fixture]:
        with pytest.raises(ValueError, match=f"cannot follow a change of `{name}`.*Fit again, or"):
            getattr(model, query)(other_stars, *ARGUMENTS.get(query, []))


def test_the_message_has_both_values(changed, other_stars):
    text = "a change of `encoder`, `n_members` (2 in `fit`, 8 now). Fit again, or set back what"
    with pytest.raises(ValueError, match=re.escape(text)):
        changed("regressor", n_members=8, encoder=None).predict(other_stars)


def test_nothing_is_asked_of_an_archive(changed, loopback, server):
    with pytest.raises(ValueError, match="cannot follow a change of `labels`"):
        changed("regressor", labels=("teff",)).predict_from_gaia([1, 2], loopback)
    assert not server.requests


def test_set_back_it_answers(changed, regressor, other_stars):
    model = changed("regressor", n_members=8).set_params(n_members=2)
    np.testing.assert_array_equal(model.predict(other_stars), regressor.predict(other_stars))


def test_equal_values_are_no_change(changed, other_stars):
    labels, widths = ["teff", "logg", "fe_h"], np.array([16])
    changed("regressor", labels=labels, head_widths=widths).predict(other_stars)


@pytest.mark.parametrize("fixture", ["msa", "regressor", "generalist"])
def test_harmless_ones_are_ignored(changed, other_stars, fixture):
    changed(fixture, **HARMLESS).find_similar(other_stars, 2)


@pytest.mark.parametrize("fixture", ["msa", "regressor", "generalist"])
@pytest.mark.parametrize("size", [0, -3])
def test_what_breaks_a_rule_is_refused(changed, other_stars, fixture, size):
    model = changed(fixture, inference_batch_size=size)
    with pytest.raises(ValueError, match="`inference_batch_size` must be at least 1, got"):
        getattr(model, QUERIES[fixture][0])(other_stars)


def test_a_part_that_is_changed_inside_is_noticed(make_msa, stars):
    model = make_msa(preprocessor=RobustScaler(), max_epochs=1)
    x = np.random.default_rng(0).normal(size=(40, 5))
    model.fit(x).transform(x)
    model.set_params(preprocessor__with_centering=False)
    with pytest.raises(ValueError, match="a change of `preprocessor`"):
        model.transform(x)


def test_an_encoder_with_callbacks_is_the_same_encoder(make_msa, make_regressor, stars):
    encoder = make_msa(max_epochs=1, callbacks=[("nothing", Callback())])
    model = make_regressor(encoder, max_epochs=1).fit(stars[:60])
    assert np.isfinite(model.predict(stars[:60])).all()
    model.set_params(encoder__hidden_widths=(8, 8))
    with pytest.raises(ValueError, match="a change of `encoder`"):
        model.predict(stars[:60])


def test_a_fitted_encoder_that_was_changed_is_refused(changed, make_regressor, stars):
    with pytest.raises(ValueError, match="a change of `hidden_widths`"):
        make_regressor(changed("msa", hidden_widths=(8, 4))).fit(stars)


@pytest.mark.parametrize("fixture", ["msa", "regressor", "generalist"])
def test_copies_and_loaded_ones_know_their_fit(request, changed, fixture, other_stars, tmp_path):
    model = request.getfixturevalue(fixture)
    name = {"msa": "hidden_widths", "regressor": "n_members", "generalist": "embedding_dim"}
    model.save_pretrained(tmp_path)
    for again in (pickle.loads(pickle.dumps(model)), type(model).from_pretrained(tmp_path)):
        again.find_similar(other_stars, 2)
        again.set_params(**{name[fixture]: OTHER[name[fixture]]})
        with pytest.raises(ValueError, match="cannot follow a change"):
            again.find_similar(other_stars, 2)


def test_one_pickled_by_an_older_version_answers(regressor, other_stars):
    model = copy.copy(regressor)
    del model.__dict__["_of_fit"]
    np.testing.assert_array_equal(model.predict(other_stars), regressor.predict(other_stars))


def test_what_was_changed_cannot_be_saved(changed, tmp_path):
    with pytest.raises(ValueError, match="a change of `n_members`"):
        changed("regressor", n_members=8).save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


def test_fitting_again_takes_what_was_set(make_regressor, msa, stars):
    model = make_regressor(msa, max_epochs=1).fit(stars)
    model.set_params(n_members=3, labels=("logg",), quantiles=(0.05, 0.5, 0.95)).fit(stars)
    assert model.predict_quantiles(stars).shape == (len(stars), 1, 3)
    assert clone(model).n_members == 3


@pytest.mark.parametrize("name", ["n_members", "head_widths"])
def test_a_warm_start_goes_on_with_the_same_network(make_regressor, msa, stars, name):
    model = make_regressor(msa, max_epochs=1, warm_start=True).fit(stars)
    with pytest.raises(ValueError, match=f"a change of `{name}`"):
        model.set_params(**{name: OTHER[name]}).fit(stars)


def test_a_warm_start_goes_on_with_the_same_levels(make_regressor, msa, stars):
    model = make_regressor(msa, max_epochs=1, warm_start=True).fit(stars)
    with pytest.raises(ValueError, match="With warm_start the `quantiles` must stay"):
        model.set_params(quantiles=(0.1, 0.5, 0.9)).fit(stars)


def test_warm_and_partial_fits_of_the_others(make_generalist, make_msa, few, stars):
    generalist = make_generalist(warm_start=True, max_epochs=1).fit(few)
    with pytest.raises(ValueError, match="a change of `embedding_dim`"):
        generalist.set_params(embedding_dim=16).fit(few)
    msa = make_msa(max_epochs=1).partial_fit(stars)
    with pytest.raises(ValueError, match="a change of `colors`"):
        msa.set_params(colors=False).partial_fit(stars)


def test_new_levels_are_followed(changed, regressor, other_stars):
    levels = (0.05, 0.16, 0.5, 0.84, 0.95)
    model = changed("regressor", quantiles=levels)
    followed, own = model.predict_quantiles(other_stars), regressor.predict_quantiles(other_stars)
    np.testing.assert_allclose(followed[..., 1:4], own, rtol=1e-12)
    interval = regressor.predict_interval(other_stars, 0.9)
    np.testing.assert_array_equal(followed[..., [0, 4]], interval)
    assert (np.diff(followed, axis=-1) >= 0).all()
    np.testing.assert_array_equal(model.predict(other_stars), regressor.predict(other_stars))


def test_new_levels_are_in_the_table(changed, regressor, other_stars):
    wide = changed("regressor", quantiles=(0.05, 0.5, 0.95)).predict_table(other_stars)
    interval = regressor.predict_interval(other_stars, 0.9)
    own = regressor.predict_table(other_stars)
    labels = regressor.labels_
    for position, name in enumerate(labels):
        np.testing.assert_array_equal(wide[f"{name}_lower"].value, interval[:, position, 0])
        np.testing.assert_array_equal(wide[f"{name}_upper"].value, interval[:, position, 1])
        np.testing.assert_array_equal(wide[name].value, own[name].value)
    # What says that an interval is wide compares it with one of the same level.
    assert np.mean(np.asarray(wide["flags"]) == np.asarray(own["flags"])) > 0.9


def test_new_levels_hold_as_many_stars_as_they_say(make_regressor, stars, other_stars):
    model = make_regressor(max_epochs=30, calibration_fraction=0.3, labels=("logg",)).fit(stars)
    lower, _, upper = model.set_params(quantiles=(0.1, 0.5, 0.9)).predict_quantiles(stars)[:, 0].T
    assert 0.7 < coverage(stars["logg"].value, lower, upper) < 0.97


@pytest.mark.parametrize("levels", [(0.1, 0.9), (0.0, 0.5, 1.0), (0.9, 0.5, 0.1)])
def test_levels_that_none_can_have_are_refused(changed, other_stars, levels):
    model = changed("regressor", quantiles=levels)
    for query in (model.predict, model.predict_quantiles, model.predict_table):
        with pytest.raises(ValueError, match="`quantiles` must be an odd number of increasing"):
            query(other_stars)


def test_intervals_of_a_median_alone_are_refused(make_regressor, msa, stars):
    model = make_regressor(msa, max_epochs=1, quantiles=(0.5,)).fit(stars)
    assert np.isfinite(model.predict(stars)).all()
    with pytest.raises(ValueError, match="must hold levels beside the median"):
        model.set_params(quantiles=(0.1, 0.5, 0.9)).predict_quantiles(stars)


def test_levels_that_were_followed_are_saved(changed, other_stars, tmp_path):
    model = changed("regressor", quantiles=(0.05, 0.5, 0.95))
    model.save_pretrained(tmp_path)
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    np.testing.assert_array_equal(
        loaded.predict_quantiles(other_stars), model.predict_quantiles(other_stars)
    )


def test_nan_is_equal_to_itself():
    nan = float("nan")
    check_unchanged({"sentinel": nan}, {"sentinel": nan})
    with pytest.raises(ValueError, match="a change of `sentinel`"):
        check_unchanged({"sentinel": nan}, {"sentinel": None})
