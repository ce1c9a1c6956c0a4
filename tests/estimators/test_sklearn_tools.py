"""Every tool of scikit-learn on tables: splitters, searches, scores, pipelines, clones, joblib."""

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from astropy.table import QTable, Table
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor, VotingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401, it makes the next importable
from sklearn.inspection import permutation_importance
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    LeavePGroupsOut,
    LeavePOut,
    PredefinedSplit,
    RandomizedSearchCV,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils import resample, shuffle

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError
from msaestimator.metrics import BoostingBaseline, LabelScorer
from msaestimator.preprocessing import StellarFeatures, XPCoefficientScaler

LABELS = ["teff", "logg", "fe_h"]
STRICT = {"cv": 2, "error_score": "raise"}


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_pipeline(make_regressor, make_msa, stars, other_stars, output):
    pipeline = make_pipeline(
        StellarFeatures(), XPCoefficientScaler(), make_regressor(make_msa())
    ).set_output(transform=output)
    labels = stars[["teff", "logg", "fe_h"]]
    pipeline.fit(stars, labels)
    assert pipeline.predict(other_stars).shape == (100, 3)
    # An array as wide as the schema has the schema's names; a frame brings its own.
    names = pipeline[-1].feature_names_
    assert {"j_m", "normalized_bp_1" if output == "pandas" else "bp_1"} < set(names)
    assert sum(pipeline[-1].encoder_.mask().ratios == 0) == 3, "G, BP and RP are protected."
    assert np.isfinite(pipeline.score(other_stars, other_stars[["teff", "logg", "fe_h"]]))
    assert pipeline[-1].predict_table(pipeline[:-1].transform(other_stars))["teff"].unit == "K"


def test_pipelines_of_arrays_and_frames_are_the_same(make_regressor, make_msa, stars):
    predicted = [
        make_pipeline(StellarFeatures(), XPCoefficientScaler(), make_regressor(make_msa()))
        .set_output(transform=output)
        .fit(stars, stars[["teff", "logg", "fe_h"]])
        .predict(stars)
        for output in ("default", "pandas")
    ]
    np.testing.assert_array_equal(*predicted)


def test_the_autoencoder_in_a_pipeline(make_msa, stars):
    pipeline = make_pipeline(StellarFeatures(), XPCoefficientScaler(), make_msa())
    assert pipeline.fit_transform(stars).shape == (len(stars), 8)
    assert pipeline.score(stars) < 0


def test_splitting(regressor, stars):
    train, test = train_test_split(stars, test_size=0.25, random_state=0)
    assert (len(train), len(test)) == (225, 75)
    assert np.isfinite(regressor.score(test))


@pytest.mark.parametrize("with_y", [False, True])
def test_grid_search(make_regressor, msa, stars, with_y):
    labels = stars[["teff", "logg", "fe_h"]] if with_y else None
    search = GridSearchCV(
        make_regressor(msa, max_epochs=2),
        {"dropout": [0.0, 0.1], "encoder__mask_ratio": [0.15]},
        cv=2,
        error_score="raise",
    ).fit(stars, labels)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(stars).shape == (len(stars), 3)
    assert msa.mask_ratio != 0.15, "The search must not reach the encoder that was passed."


@pytest.mark.parametrize("with_y", [False, True])
def test_cross_validation(make_regressor, msa, stars, with_y):
    labels = stars[["teff", "logg", "fe_h"]] if with_y else None
    scores = cross_val_score(make_regressor(msa), stars, labels, cv=2, error_score="raise")
    assert np.isfinite(scores).all()


def test_searching_for_an_autoencoder(make_msa, stars):
    search = GridSearchCV(make_msa(), {"mask_ratio": [0.1, 0.5]}, cv=2, error_score="raise")
    assert search.fit(stars).best_score_ < 0


def test_clones_are_unfitted_and_start_from_the_same_encoder(regressor, msa, stars, weights):
    copied = clone(regressor)
    assert not hasattr(copied, "module_")
    assert copied.get_params().keys() == regressor.get_params().keys()
    assert weights(copied.encoder) == weights(msa)
    copied.set_params(encoder__mask_ratio=0.77)
    assert regressor.encoder.mask_ratio != 0.77
    np.testing.assert_array_equal(
        clone(regressor).fit(stars).predict(stars), regressor.predict(stars)
    )


def test_clones_of_autoencoders_and_of_unfitted_encoders(make_regressor, make_msa, msa):
    assert not hasattr(clone(msa), "module_")
    encoder = make_msa(lr=0.123)
    copied = clone(make_regressor(encoder))
    assert copied.encoder is not encoder
    assert copied.encoder.lr == 0.123


def test_joblib_round_trip(regressor, msa, other_stars, tmp_path):
    joblib.dump((regressor, msa), tmp_path / "estimators")
    loaded_regressor, loaded_msa = joblib.load(tmp_path / "estimators")
    np.testing.assert_array_equal(
        loaded_regressor.predict_quantiles(other_stars), regressor.predict_quantiles(other_stars)
    )
    np.testing.assert_array_equal(loaded_msa.transform(other_stars), msa.transform(other_stars))
    assert loaded_msa.score(other_stars) == msa.score(other_stars)


def test_joblib_round_trip_after_a_fit_with_a_bar(make_msa, stars, tmp_path):
    joblib.dump(make_msa(verbose=1).fit(stars), tmp_path / "estimator")
    assert joblib.load(tmp_path / "estimator").transform(stars).shape == (len(stars), 8)


@pytest.fixture(scope="module")
def known(few):
    """Stars of which all labels are known, since scikit-learn's metrics refuse NaN."""
    labels = np.asarray(few[LABELS])
    return few[np.isfinite(labels).all(axis=1)]


@pytest.fixture(scope="module")
def quick(make_regressor, make_msa, known):
    """A regressor that is fitted in a blink."""
    encoder = make_msa(max_epochs=1).fit(known)
    return make_regressor(encoder, max_epochs=1, calibration_fraction=0.0)


def as_pandas(stars):
    return Table({name: np.asarray(stars[name].value) for name in stars.colnames}).to_pandas()


def as_polars(stars):
    return pl.DataFrame(as_pandas(stars))


DROPOUTS = {"dropout": [0.0, 0.3]}


def searched(search, X, y):
    search.fit(X, y)
    assert search.predict(X).shape == (len(X), 3)
    return search.cv_results_["mean_test_score"]


TOOLS = {
    "cross_val_score": lambda r, X, y: cross_val_score(r, X, y, **STRICT),
    "scoring string": lambda r, X, y: cross_val_score(r, X, y, scoring="r2", **STRICT),
    "scoring callable": lambda r, X, y: cross_val_score(r, X, y, scoring=LabelScorer(), **STRICT),
    "cross_validate": lambda r, X, y: cross_validate(
        r, X, y, scoring=["r2", "neg_mean_absolute_error"], **STRICT
    )["test_neg_mean_absolute_error"],
    "cross_val_predict": lambda r, X, y: cross_val_predict(r, X, y, cv=2),
    "GridSearchCV": lambda r, X, y: searched(GridSearchCV(r, DROPOUTS, **STRICT), X, y),
    "RandomizedSearchCV": lambda r, X, y: searched(
        RandomizedSearchCV(r, DROPOUTS, n_iter=2, random_state=0, **STRICT), X, y
    ),
    "HalvingGridSearchCV": lambda r, X, y: searched(
        HalvingGridSearchCV(r, DROPOUTS, min_resources=30, random_state=0, **STRICT), X, y
    ),
    "HalvingRandomSearchCV": lambda r, X, y: searched(
        HalvingRandomSearchCV(
            r, DROPOUTS, n_candidates=2, min_resources=30, random_state=0, **STRICT
        ),
        X,
        y,
    ),
    "learning_curve": lambda r, X, y: learning_curve(r, X, y, train_sizes=[0.5, 1.0], **STRICT)[2],
    "validation_curve": lambda r, X, y: validation_curve(
        r, X, y, param_name="dropout", param_range=[0.0, 0.3], **STRICT
    )[1],
    "permutation_test_score": lambda r, X, y: permutation_test_score(
        r, X, y, cv=2, n_permutations=1, random_state=0
    )[1],
    "permutation_importance": lambda r, X, y: (
        permutation_importance(
            clone(r).fit(X, y), X, y, n_repeats=1, scoring="r2", random_state=0
        ).importances_mean
    ),
    "VotingRegressor": lambda r, X, y: (
        VotingRegressor([("one", r)]).fit(X, np.asarray(y)[:, 0]).predict(X)
    ),
}


@pytest.fixture(scope="module")
def expected(quick, known):
    """What each tool finds on a StarTable, kept for the other containers."""
    found = {}

    def run(tool):
        if tool not in found:
            found[tool] = np.asarray(run_tool(tool, quick, known, known[LABELS]))
        return found[tool]

    return run


def run_tool(tool, regressor, X, y):
    if tool == "VotingRegressor":  # takes one label
        regressor = clone(regressor).set_params(labels=("teff",))
    return TOOLS[tool](regressor, X, y)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_takes_a_startable(expected, tool):
    found = expected(tool)
    assert found.size
    assert np.isfinite(found).all()


CONTAINERS = [
    *((as_pandas, tool) for tool in TOOLS),
    # Of other frames scikit-learn makes a matrix, to shuffle its columns.
    *((as_polars, tool) for tool in TOOLS if tool != "permutation_importance"),
]


@pytest.mark.parametrize(("convert", "tool"), CONTAINERS)
def test_frames_give_the_numbers_of_a_startable(quick, known, expected, convert, tool):
    found = run_tool(tool, quick, convert(known), convert(known[LABELS]))
    np.testing.assert_allclose(found, expected(tool), rtol=1e-4, atol=1e-5)


def test_importance_of_polars_columns_is_refused(quick, known):
    fitted = clone(quick).fit(known)
    with pytest.raises(ColumnError, match="fitted on a table of stars and got a matrix"):
        permutation_importance(fitted, as_polars(known), known[LABELS])


def test_importance_of_what_is_no_input_is_none(quick, known):
    found = permutation_importance(
        clone(quick).fit(known), known, known[LABELS], n_repeats=1, random_state=0
    )
    importances = dict(zip(known.colnames, found.importances_mean, strict=True))
    assert {importances[name] for name in LABELS} == {0.0}
    assert importances["phot_bp_mean_mag"] != 0


SPLITTERS = [
    GroupKFold(2),
    GroupShuffleSplit(2, random_state=0),
    KFold(3, shuffle=True, random_state=0),
    LeaveOneGroupOut(),
    LeaveOneOut(),
    LeavePGroupsOut(1),
    LeavePOut(1),
    PredefinedSplit([0, 1, 0, -1, 1, 0]),
    RepeatedKFold(n_splits=2, n_repeats=2, random_state=0),
    ShuffleSplit(2, random_state=0),
    TimeSeriesSplit(2),
]


@pytest.mark.parametrize("splitter", SPLITTERS, ids=lambda splitter: type(splitter).__name__)
def test_every_splitter_splits_every_table(known, splitter):
    few = known[:6]
    groups = np.array([0, 0, 1, 1, 2, 2]) if "Group" in type(splitter).__name__ else None
    expected = [
        rows.tolist() for pair in splitter.split(np.ones(6), groups=groups) for rows in pair
    ]
    for stars in (few, QTable(few), Table(few), as_pandas(few), as_polars(few)):
        pairs = splitter.split(stars, groups=groups)
        assert [rows.tolist() for pair in pairs for rows in pair] == expected


@pytest.mark.parametrize("table", [Table, QTable])
def test_a_plain_table_is_refused_where_it_reaches_us(quick, known, table):
    with pytest.raises(ColumnError, match=r"StarTable\(table\)"):
        clone(quick).fit(list(table(known)))
    with pytest.raises(ColumnError, match=r"StarTable\(table\)"):
        clone(quick).fit(known).predict([row for row in table(known)[:3]])
    # What fails in scikit-learn's own code, before ours: the user guide tells the remedy.
    with pytest.raises(AttributeError, match="'take'"):
        train_test_split(table(known))
    train, test = train_test_split(StarTable(table(known)), random_state=0)
    assert (type(train), len(train) + len(test)) == (StarTable, len(known))


def test_labels_as_quantity_or_table_or_column(make_regressor, quick, known):
    regressor = make_regressor(quick.encoder, labels=("teff",), max_epochs=1)
    regressor.set_params(calibration_fraction=0.0)
    stars, teff = known, known["teff"]
    expected = cross_val_score(regressor, stars, teff.value, scoring="r2", **STRICT)
    table, series = Table(known), pd.Series(teff.value, name="teff")
    for y in (teff, teff[:, None], known[["teff"]], table["teff"], series, pl.Series(series)):
        found = cross_val_score(regressor, stars, y, scoring="r2", **STRICT)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    in_kilokelvin = known[["teff"]]
    in_kilokelvin["teff"] = teff.to("kK")
    found = cross_val_score(regressor, stars, in_kilokelvin, scoring="r2", **STRICT)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_scores_by_name_take_units_and_orders_that_strings_misread(make_regressor, quick, known):
    regressor = make_regressor(quick.encoder, labels=("teff",), max_epochs=1)
    regressor.set_params(calibration_fraction=0.0)
    kilo, by_name = known["teff"].to("kK"), LabelScorer("r2")
    expected = cross_val_score(regressor, known, known["teff"], scoring="r2", **STRICT)
    found = cross_val_score(regressor, known, kilo, scoring=by_name, **STRICT)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    # The limit that the user guide tells of: scikit-learn compares 5.8 with 5800.
    assert (cross_val_score(regressor, known, kilo, scoring="r2", **STRICT) < -1e4).all()
    expected = cross_val_score(quick, known, known[LABELS], scoring="r2", **STRICT)
    found = cross_val_score(quick, known, known[LABELS[::-1]], scoring=by_name, **STRICT)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_scores_by_name_need_no_y_and_mind_no_nan(quick, few):
    for scoring in (None, LabelScorer("neg_median_absolute_error")):
        found = cross_val_score(quick, few, scoring=scoring, **STRICT)
        with_y = cross_val_score(quick, few, few[LABELS], scoring=scoring, **STRICT)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, with_y, rtol=1e-6)
    with pytest.raises(ValueError, match="NaN"):
        cross_val_score(quick, few, few[LABELS], scoring="r2", **STRICT)
    with pytest.raises(TypeError, match="y_true"):
        cross_val_score(quick, few, scoring="r2", **STRICT)


def test_the_generalist_is_scored_by_name(fitted, few):
    assert set(fitted.units_) == set(fitted.labels_)
    assert fitted.units_["teff"] == "K"
    assert LabelScorer()(fitted, few) == pytest.approx(fitted.score(few), rel=1e-5)


def test_the_regressor_is_scored_as_it_scores_itself(regressor, other_stars):
    known = other_stars[["teff", "logg", "fe_h"]]
    known = other_stars[np.isfinite(np.asarray(known)).all(axis=1)]
    own = regressor.score(known)
    assert LabelScorer()(regressor, known) == pytest.approx(own)
    assert r2_score(known[LABELS], regressor.predict(known)) == pytest.approx(own)


def test_bagging_of_prepared_features(make_regressor, make_msa, known):
    regressor = make_regressor(make_msa(max_epochs=1), max_epochs=1)
    bagging = BaggingRegressor(regressor, n_estimators=2, random_state=0)
    pipeline = make_pipeline(StellarFeatures(), XPCoefficientScaler(), bagging)
    assert pipeline.fit(known, known[LABELS]).predict(known).shape == (len(known), 3)
    assert np.isfinite(cross_val_score(pipeline, known, known[LABELS], **STRICT)).all()
    # A matrix is made of stars before the regressor sees them, of frames with their ids.
    frame = as_pandas(known).assign(source_id=2**60 + np.arange(len(known)))
    with pytest.raises(ColumnError, match="Column 12 of the matrix holds numbers beyond 2.*53"):
        bagging.fit(frame, known[LABELS])
    with pytest.raises(ValueError, match="2-dimensional container"):
        bagging.fit(known, known[LABELS])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(make_regressor, make_msa, stars, library):
    known = stars[:60]
    frames = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
    features = StellarFeatures().set_output(transform=library)
    matrix = features.fit_transform(known)
    assert type(matrix) is frames[library]
    assert list(matrix.columns) == list(features.get_feature_names_out())
    scaled = XPCoefficientScaler().set_output(transform=library).fit_transform(matrix)
    assert {"normalized_bp_1", "j_m"} < set(scaled.columns)
    latent = make_msa(max_epochs=1).set_output(transform=library).fit_transform(known)
    assert list(latent.columns) == [f"latent{n}" for n in range(8)]
    pipeline = make_pipeline(
        StellarFeatures(), XPCoefficientScaler(), make_regressor(make_msa(max_epochs=1))
    )
    expected = clone(pipeline).fit(known, known[LABELS]).predict(known)
    pipeline.set_output(transform=library).fit(known, known[LABELS])
    np.testing.assert_array_equal(pipeline.predict(known), expected)
    assert "normalized_bp_1" in pipeline[-1].feature_names_


def test_shuffled_and_drawn_anew(quick, known):
    stars, teff = shuffle(known, known["teff"], random_state=0)
    assert list(stars["teff"]) == list(teff)
    assert len(clone(quick).fit(resample(known, random_state=0)).predict(known)) == len(known)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_outputs_set_for_all_of_scikit_learn(
    make_regressor, make_msa, make_generalist, fitted, known, stars, library
):
    """Scalers within the estimators go on with arrays; only what is asked for is a frame."""
    regressor = make_regressor(make_msa(max_epochs=1), max_epochs=1).fit(known)
    expected = regressor.predict_table(known)
    with sklearn.config_context(transform_output=library):
        anew = clone(regressor).fit(known)
        for model in (anew, regressor):
            found = model.predict_table(known)
            for name in expected.colnames:
                np.testing.assert_array_equal(found[name], expected[name])
        np.testing.assert_array_equal(anew.outlier_score(known), regressor.outlier_score(known))
        assert np.isfinite(anew.calibrate(known[[*range(len(known))] * 2]).score(known))
        assert len(anew.encoder_.reconstruct(known)) == len(known)
        assert anew.find_similar(known, k=2)[1].shape == (len(known), 2)
        noisy = clone(regressor).set_params(resample_noise=True)
        noisy.fit(stars[:90], survey=np.arange(90) % 2)
        assert noisy.survey_offset(stars[:9], 1).shape == (9, 3)
        assert make_generalist(max_epochs=1).fit(known).predict(known).shape == (len(known), 3)
        assert len(fitted.request(known[["ebv"]], ["teff"])) == len(known)
        assert BoostingBaseline(("teff",), max_iter=2).fit(known).predict(known).size == len(known)
        assert type(anew.encoder_.transform(known)).__module__.startswith(library)
        assert type(fitted.transform(known)).__module__.startswith(library)
    assert type(fitted.transform(known)) is np.ndarray
