"""A regressor that learns from stars on disk, as it does from stars in memory."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator import StellarParameterRegressor
from msaestimator.datasets import StarDataset
from msaestimator.estimators import _held_stars, _training_stars
from msaestimator.estimators._held_stars import HeldStars, held_stars
from msaestimator.exceptions import CheckpointError, ColumnError

pytestmark = pytest.mark.usefixtures("small_windows")


@pytest.fixture(scope="module")
def untrained(make_regressor, msa, on_disk):
    """A regressor of stars on disk whose network is not fine-tuned, with stars held back."""
    return make_regressor(msa, max_epochs=0, calibration_fraction=0.3).fit(on_disk)


def ids_of(stars, size=50):
    return np.concatenate([stars.ids_of(number, size) for number in range(stars.n_batches(size))])


@pytest.fixture
def without_outliers(monkeypatch):
    """Let regressors learn no outlier scores, which takes longer than tests of training do."""
    monkeypatch.setattr(StellarParameterRegressor, "_learn_ordinary", lambda *parts: None)


@pytest.mark.usefixtures("without_outliers")
def test_learns_as_much_as_in_memory(make_regressor, msa, stars, on_disk, losses):
    """The losses of four seeds differ by as much as those on disk do from those in memory."""
    settings = {"max_epochs": 2, "batch_size": 20}
    curves = {
        name: np.array(
            [losses(make_regressor(msa, **settings, random_state=n).fit(X)) for n in range(4)]
        )
        for name, X in (("memory", stars), ("disk", on_disk))
    }
    difference = curves["disk"].mean(axis=0) - curves["memory"].mean(axis=0)
    scatter = np.hypot(*(curve.std(axis=0, ddof=1) for curve in curves.values()))
    assert (np.abs(difference) < 3 * scatter / np.sqrt(4)).all()
    learned = curves["memory"][:, 0] - curves["memory"][:, -1]
    assert learned.mean() > 2 * scatter.max(), "A curve that does not fall compares nothing."


def test_what_is_held_teaches_the_rest_as_in_memory(make_regressor, msa, stars, untrained):
    """Of fewer stars than are held all are: scales, calibration and outlier scores."""
    memory = make_regressor(msa, max_epochs=0, calibration_fraction=0.3).fit(stars)
    assert untrained.n_stars_ == memory.n_stars_ == 210
    assert untrained.labels_ == memory.labels_
    np.testing.assert_allclose(untrained.label_scaler_.center_, memory.label_scaler_.center_)
    for ask in ("predict_quantiles", "outlier_score"):
        asked = [getattr(model, ask)(stars[:50]) for model in (untrained, memory)]
        np.testing.assert_allclose(*asked, rtol=1e-4, atol=1e-4)
    flags = [model.predict_table(stars[:50])["flags"] for model in (untrained, memory)]
    np.testing.assert_array_equal(*flags)


def test_stars_that_calibrate_are_not_trained_on(make_regressor, msa, stars, on_disk, stars_of):
    settings = {"calibration_fraction": 0.3, "max_epochs": 1}
    in_memory = stars_of(make_regressor(msa, **settings), stars)
    streamed = stars_of(make_regressor(msa, **settings), on_disk)
    assert len(in_memory) == 210
    assert sorted(ids_of(streamed)) == sorted(in_memory.ids)


def test_features_and_targets_are_those_in_memory(make_regressor, msa, stars, on_disk, stars_of):
    x, y = stars_of(make_regressor(msa), stars).arrays
    streamed = stars_of(make_regressor(msa), on_disk)
    parts = [streamed.pieces.read(n, 1) for n in range(len(streamed.sizes))]
    found = [np.concatenate(part) for part in zip(*parts, strict=True)]
    np.testing.assert_allclose(found[0], x, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found[1], y, rtol=1e-4, atol=1e-4)
    assert [array.dtype for array in found] == [np.float32, np.float32]


def test_only_columns_of_features_and_labels_are_read(make_regressor, msa, on_disk, stars_of):
    read = stars_of(make_regressor(msa, resample_labels=("teff",)), on_disk).pieces.columns
    assert {"bp_coefficients", "phot_g_mean_mag", "teff", "teff_err", "logg"} <= set(read)
    assert not {"source_id", "bp_coefficient_errors", "logg_err", "alpha_m"} & set(read)


def test_stars_are_drawn_anew_in_each_epoch(make_regressor, msa, on_disk, stars_of):
    changes = {
        "make_fainter": 18.0,
        "sky_mix": True,
        "resample_noise": True,
        "resample_labels": ("teff",),
    }
    pieces = stars_of(make_regressor(msa, **changes), on_disk).pieces
    measured = pieces.read(1, 0)
    first, again, second = (pieces.read(1, epoch) for epoch in (1, 1, 2))
    assert len(measured) == 2
    assert [array.dtype for array in first] == [np.float32] * 3
    for one, same, other in zip(first, again, second, strict=True):
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()
    teff = first[1][:, 0] != measured[1][:, 0]
    assert teff.all()
    np.testing.assert_array_equal(first[1][:, 1:], measured[1][:, 1:])
    moved = (first[0] != measured[0])[:, :50].any(axis=1)
    n_features = measured[0].shape[1] // 2
    assert (first[0][moved][:, n_features:] == 0).all(), "Copies have noise as it is."
    noise = [pieces.read(n, 1)[1][:, 0] - pieces.read(n, 0)[1][:, 0] for n in (0, 1)]
    assert abs(np.corrcoef(*noise)[0, 1]) < 0.6, "Pieces are not drawn alike."


def test_a_star_without_a_feature_teaches_nothing(
    make_regressor, stars, tmp_path, stars_of, write_groups
):
    blank = stars[:60]["source_id", "phot_g_mean_mag", "j_m", "teff", "logg", "fe_h"]
    for name in ("phot_g_mean_mag", "j_m"):
        blank[name][3] = np.nan * blank[name].unit
    write_groups(blank, tmp_path / "blank.parquet", 60)
    x, y = stars_of(make_regressor(), StarDataset(tmp_path)).pieces.read(0, 1)
    assert np.isnan(x[3]).all()
    assert np.isnan(y[3]).all()
    assert np.isfinite(np.delete(y, 3, axis=0)[:, :2]).all()


@pytest.mark.usefixtures("without_outliers")
@pytest.mark.parametrize("encoder", ["none", "unfitted"])
def test_an_encoder_is_pre_trained_on_all_stars(make_regressor, make_msa, on_disk, encoder):
    given = None if encoder == "none" else make_msa(max_epochs=1)
    regressor = make_regressor(given, max_epochs=1).fit(on_disk)
    assert regressor.encoder_.n_stars_ == regressor.n_stars_ == 300
    assert (encoder == "unfitted") == hasattr(regressor.encoder_, "net_")


@pytest.mark.usefixtures("without_outliers")
def test_a_teacher_teaches_stars_on_disk(make_regressor, regressor, on_disk, weights):
    student = make_regressor(teacher=regressor, max_epochs=1).fit(on_disk)
    alone = make_regressor(max_epochs=1).fit(on_disk)
    assert student.n_stars_ == 300
    assert weights(student) != weights(alone)
    assert student.score(on_disk) < 1


@pytest.mark.usefixtures("without_outliers")
def test_a_further_fit_goes_on(make_regressor, msa, on_disk, other_stars, weights):
    regressor = make_regressor(msa, max_epochs=1).fit(on_disk)
    center, before = regressor.label_scaler_.center_, weights(regressor)
    regressor.set_params(warm_start=True).fit(on_disk)
    assert weights(regressor) != before
    np.testing.assert_array_equal(regressor.label_scaler_.center_, center)


@pytest.mark.usefixtures("without_outliers")
def test_a_stopped_run_ends_where_an_uninterrupted_one_does(
    make_regressor, msa, on_disk, weights, tmp_path, losses, stop_in_epoch
):
    settings = {
        "max_epochs": 3,
        "batch_size": 50,
        "dropout": 0.2,
        "make_fainter": 18.0,
        "calibration_fraction": 0.3,
        "resample_noise": True,
    }
    path = tmp_path / "checkpoint"
    with pytest.raises(RuntimeError, match="power cut"):
        make_regressor(
            msa, **settings, checkpoint=path, callbacks=[("stop", stop_in_epoch(2))]
        ).fit(on_disk)
    resumed = make_regressor(msa, **settings, checkpoint=path).fit(on_disk)
    assert resumed.net_.n_epochs_resumed == 1
    whole = make_regressor(msa, **settings).fit(on_disk)
    assert weights(resumed) == weights(whole)
    np.testing.assert_array_equal(losses(resumed), losses(whole))
    with pytest.raises(CheckpointError, match="of another run: the stars differ"):
        make_regressor(msa, **settings, checkpoint=path).fit(StarDataset(on_disk.files[:2]))


@pytest.mark.usefixtures("without_outliers")
def test_stars_to_validate_on_are_neither_trained_on_nor_calibrated_with(
    make_regressor, msa, on_disk
):
    regressor = make_regressor(
        msa, early_stopping=True, validation_fraction=0.2, calibration_fraction=0.3
    ).fit(on_disk)
    sizes = {
        kind: sum(
            batch[f"{kind}_batch_size"]
            for batch in regressor.net_.history[-1]["batches"]
            if f"{kind}_batch_size" in batch
        )
        for kind in ("train", "valid")
    }
    assert sizes == {"train": 168, "valid": 42}


def test_score_is_that_of_the_stars_in_memory(regressor, stars, on_disk, monkeypatch):
    expected = regressor.score(stars)
    assert regressor.score(on_disk) == pytest.approx(expected, rel=1e-5)
    monkeypatch.setattr(_training_stars, "PART", 110)
    assert regressor.score(on_disk) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("fit", "told"),
    [
        ({"y": np.ones((300, 3))}, "`y` must be None for stars on disk, got ndarray. Write the"),
        ({"survey": ["a"] * 300}, "`survey` must be the name of a column, or None, for stars on"),
        ({"sample_weight": np.ones(300)}, "`sample_weight` must be None for stars on disk"),
    ],
)
def test_what_comes_apart_from_stars_on_disk(make_regressor, msa, on_disk, fit, told):
    with pytest.raises(TypeError, match=told):
        make_regressor(msa).fit(on_disk, **fit)


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_what_a_score_of_stars_on_disk_cannot_have(regressor, on_disk, name):
    with pytest.raises(TypeError, match=f"`{name}` must be None for stars on disk"):
        regressor.score(on_disk, **{name: np.ones(300)})


def test_labels_that_are_not_there(make_regressor, msa, on_disk):
    with pytest.raises(ColumnError, match="a column for each label, but mass is absent"):
        make_regressor(msa, labels=("teff", "mass")).fit(on_disk)


def test_a_file_with_a_bad_label_is_named(
    make_regressor, msa, stars, star_files, write_groups, tmp_path, monkeypatch, stars_of
):
    bad = stars[:40].copy()
    bad["logg"][3] = -999.0 * u.dex
    write_groups(bad, tmp_path / "bad.parquet", 40)
    on_disk = StarDataset([*sorted(star_files.glob("*.parquet")), tmp_path / "bad.parquet"])
    monkeypatch.setattr(
        "msaestimator.estimators._regressor.held_stars",
        lambda X, *labels, **more: HeldStars(stars, np.arange(len(stars))),
    )
    with pytest.raises(ColumnError, match=r"File '.*bad.parquet', row group 0: Labels must be"):
        make_regressor(msa).fit(on_disk)
    pieces = stars_of(make_regressor(msa, invalid="mask"), on_disk).pieces
    assert np.isnan(pieces.read(len(pieces.sizes) - 1, 0)[1][3, 1])


@pytest.fixture(scope="module")
def surveyed(stars, write_groups, tmp_path_factory):
    """The stars with labels of two surveys, in memory and on disk."""
    mixed = stars.copy()
    of_galah = np.random.default_rng(0).random(len(stars)) < 0.4
    mixed["survey"] = np.where(of_galah, "galah", "apogee")
    mixed["logg"][of_galah] += 0.8 * u.dex
    path = tmp_path_factory.mktemp("surveys") / "stars.parquet"
    write_groups(mixed, path, 100)
    return mixed, StarDataset(path)


def test_labels_of_surveys_come_to_one_scale(make_regressor, msa, surveyed, stars_of):
    table, on_disk = surveyed
    regressor = make_regressor(msa)
    _, y = stars_of(make_regressor(msa), table, survey="survey").arrays
    pieces = stars_of(regressor, on_disk, survey="survey").pieces
    found = np.concatenate([pieces.read(n, 1)[1] for n in range(len(pieces.sizes))])
    given = regressor.label_scaler_.scaled(
        np.transpose([table[name].value for name in ("teff", "logg", "fe_h")])
    )
    other = np.asarray(table["survey"]) == "galah"
    assert regressor.survey_offsets_.reference_ == "apogee"
    np.testing.assert_allclose(found[~other], given[~other], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found[other], y[other], atol=0.25)
    assert (given[other] - found[other])[:, 1].mean() > 0.4
    assert "survey" in pieces.columns


def test_a_survey_that_no_held_star_has(make_regressor, msa, surveyed, stars, monkeypatch):
    table, on_disk = surveyed
    only = table[np.asarray(table["survey"]) == "apogee"]
    monkeypatch.setattr(
        "msaestimator.estimators._regressor.held_stars",
        lambda X, *labels, **more: HeldStars(only, np.arange(len(only))),
    )
    told = r"stars.parquet', row group \d: Each survey must be one of .*'apogee'.*got 'galah'"
    with pytest.raises(ColumnError, match=told):
        make_regressor(msa).fit(on_disk, survey="survey")


@pytest.fixture(scope="module")
def few_labels(stars, write_groups, tmp_path_factory):
    """Five hundred stars in row groups of twenty, one in ten of which has labels."""
    rows = stars[np.arange(500) % len(stars)]
    rows["source_id"] = np.arange(1, 501)
    for name in ("teff", "logg"):
        rows[name][np.arange(500) % 10 != 7] = np.nan * rows[name].unit
    path = tmp_path_factory.mktemp("few") / "stars.parquet"
    write_groups(rows[["source_id", "phot_g_mean_mag", "teff", "logg"]], path, 20)
    return StarDataset(path)


@pytest.mark.parametrize(("held", "n_labelled"), [(40, 20), (200, 50)])
def test_half_of_the_stars_held_have_labels(few_labels, monkeypatch, held, n_labelled):
    monkeypatch.setattr(_held_stars, "HELD", held)
    found, again = (held_stars(few_labels, ("logg", "absent"), aliases=True) for _ in range(2))
    assert len(found.stars) == len(found.rows) == held
    np.testing.assert_array_equal(found.stars["source_id"], 1 + found.rows)
    np.testing.assert_array_equal(found.rows, again.rows)
    assert (np.diff(found.rows) > 0).all()
    known = np.isfinite(found.stars["logg"].value)
    assert n_labelled <= known.sum() < n_labelled + 0.2 * held


def test_few_row_groups_are_read_for_the_stars_held(few_labels, monkeypatch):
    monkeypatch.setattr(_held_stars, "HELD", 4)
    monkeypatch.setattr(_held_stars, "FEWEST", 5)
    read, read_one = [], StarDataset.read

    def reading(self, fragment, columns=None):
        read.append(tuple(columns))
        return read_one(self, fragment, columns)

    monkeypatch.setattr(StarDataset, "read", reading)
    assert len(held_stars(few_labels, ("teff",), aliases=True).stars) == 4
    assert 5 <= len(read) < 10
    assert set(read) == {("teff",)}


def test_rows_held_back_are_told_by_fragment(few_labels):
    held = HeldStars(None, np.array([3, 19, 20, 45, 499]))
    left_out = held.left_out(few_labels, np.array([4, 1, 2, 3]))
    assert {number: rows.tolist() for number, rows in left_out.items()} == {
        0: [19],
        1: [0],
        2: [5],
        24: [19],
    }
