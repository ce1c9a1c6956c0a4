"""A generalist that learns from stars on disk, as it does from stars in memory."""

import astropy.units as u
import numpy as np
import pytest

from msaestimator.datasets import StarDataset
from msaestimator.estimators import _training_stars
from msaestimator.estimators._held_stars import HeldStars
from msaestimator.exceptions import ColumnError

pytestmark = pytest.mark.usefixtures("small_windows")


COLUMNS = (
    "source_id",
    "phot_g_mean_mag",
    "phot_bp_mean_mag",
    "phot_rp_mean_mag",
    "j_m",
    "ks_m",
    "teff",
    "logg",
    "fe_h",
    "teff_err",
)


@pytest.fixture(scope="module")
def few(stars):
    """The stars with a few columns, which a generalist learns fast."""
    return stars[COLUMNS]


@pytest.fixture(scope="module")
def few_on_disk(star_files):
    return StarDataset(star_files, columns=COLUMNS)


def test_learns_as_much_as_in_memory(make_generalist, few, few_on_disk, losses):
    """The losses of four seeds differ by as much as those on disk do from those in memory."""
    settings = {"max_epochs": 4, "batch_size": 20, "n_inputs": (3, 8)}
    curves = {
        name: np.array(
            [losses(make_generalist(**settings, random_state=n).fit(X)) for n in range(4)]
        )
        for name, X in (("memory", few), ("disk", few_on_disk))
    }
    difference = curves["disk"].mean(axis=0) - curves["memory"].mean(axis=0)
    scatter = np.hypot(*(curve.std(axis=0, ddof=1) for curve in curves.values()))
    assert (np.abs(difference) < 3 * scatter / np.sqrt(4)).all()
    learned = curves["memory"][:, 0] - curves["memory"][:, -1]
    assert learned.mean() > 2 * scatter[-1], "A curve that does not fall compares nothing."


@pytest.mark.parametrize("read_by", ["token", "block"])
def test_what_is_held_teaches_the_rest_as_in_memory(make_generalist, few, few_on_disk, read_by):
    """Of fewer stars than are held all are: scales, ranges, calibration, answers."""
    settings = {"max_epochs": 0, "calibration_fraction": 0.3, "read_by": read_by}
    memory, disk = (make_generalist(**settings).fit(X) for X in (few, few_on_disk))
    assert disk.n_stars_ == memory.n_stars_ == 210
    assert disk.labels_ == memory.labels_
    assert disk.trained_tokens == memory.trained_tokens
    np.testing.assert_allclose(disk.coverage_.range_, memory.coverage_.range_, rtol=1e-4)
    answers = [model.request(few[:30]["teff", "logg"], ["fe_h"]) for model in (disk, memory)]
    for name in ("fe_h", "fe_h_err"):
        np.testing.assert_allclose(*(answer[name].value for answer in answers), rtol=1e-3)


def test_stars_that_calibrate_are_not_trained_on(make_generalist, stars, on_disk, stars_of):
    settings = {"calibration_fraction": 0.3}
    in_memory = stars_of(make_generalist(**settings), stars)
    streamed = stars_of(make_generalist(**settings), on_disk)
    trained = [streamed.ids_of(number, 50) for number in range(streamed.n_batches(50))]
    assert len(in_memory) == 210
    assert sorted(np.concatenate(trained)) == sorted(in_memory.ids)


def test_quantities_are_those_in_memory(make_generalist, stars, on_disk, stars_of):
    x, _ = stars_of(make_generalist(), stars).arrays
    streamed = stars_of(make_generalist(), on_disk)
    parts = [streamed.pieces.read(n, 1) for n in range(len(streamed.sizes))]
    (found,) = (np.concatenate(part) for part in zip(*parts, strict=True))
    np.testing.assert_allclose(found, x, rtol=1e-4, atol=1e-4)
    assert found.dtype == np.float32
    read = set(streamed.pieces.columns)
    assert {"bp_coefficients", "bp_coefficient_errors", "teff", "teff_err"} <= read
    assert not {"source_id", "designation"} & read


def test_stars_are_made_fainter_anew_in_each_epoch(make_generalist, on_disk, stars_of):
    pieces = stars_of(make_generalist(make_fainter=18.0, sky_mix=True), on_disk).pieces
    (measured,) = pieces.read(1, 0)
    first, again, second = (pieces.read(1, epoch) for epoch in (1, 1, 2))
    for one, same, other in zip(first, again, second, strict=True):
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()
    assert [array.dtype for array in first] == [np.float32] * 3
    names = pieces.model.vocabulary_.names
    g, teff = names.index("phot_g_mean_mag"), names.index("teff")
    assert (first[0][:, 0, g] > measured[:, 0, g]).any()
    np.testing.assert_array_equal(first[0][:, :, teff], measured[:, :, teff])
    (alone,) = stars_of(make_generalist(make_fainter=18.0), on_disk).pieces.read(1, 1)
    np.testing.assert_array_equal(alone, first[0])


@pytest.mark.parametrize("read_by", ["token", "block"])
def test_a_star_of_which_nothing_is_known_teaches_nothing(
    make_generalist, stars, write_groups, tmp_path, weights, read_by
):
    blank = stars[:60]["source_id", "phot_g_mean_mag", "j_m", "teff", "logg"]
    for name in ("phot_g_mean_mag", "j_m", "teff", "logg"):
        blank[name][[3, 40]] = np.nan * blank[name].unit
    write_groups(blank, tmp_path / "blank.parquet", 60)
    model = make_generalist(read_by=read_by, batch_size=1, max_epochs=1)
    model.fit(StarDataset(tmp_path))
    assert all(np.isfinite(np.frombuffer(w, np.float32)).all() for w in weights(model).values())


def test_a_stopped_run_ends_where_an_uninterrupted_one_does(
    make_generalist, few_on_disk, weights, tmp_path, losses, stop_in_epoch
):
    settings = {
        "max_epochs": 3,
        "batch_size": 50,
        "make_fainter": 18.0,
        "calibration_fraction": 0.3,
        "resample_noise": True,
    }
    path = tmp_path / "checkpoint"
    with pytest.raises(RuntimeError, match="power cut"):
        make_generalist(**settings, checkpoint=path, callbacks=[("stop", stop_in_epoch(2))]).fit(
            few_on_disk
        )
    resumed = make_generalist(**settings, checkpoint=path).fit(few_on_disk)
    assert resumed.net_.n_epochs_resumed == 1
    whole = make_generalist(**settings).fit(few_on_disk)
    assert weights(resumed) == weights(whole)
    np.testing.assert_array_equal(losses(resumed), losses(whole))


def test_a_further_fit_goes_on(make_generalist, few_on_disk, weights):
    model = make_generalist(max_epochs=1).fit(few_on_disk)
    before, center = weights(model), model.scaler_.center_
    model.set_params(warm_start=True).fit(few_on_disk)
    assert weights(model) != before
    np.testing.assert_array_equal(model.scaler_.center_, center)


def test_score_is_that_of_the_stars_in_memory(generalist, stars, on_disk, monkeypatch):
    expected = generalist.score(stars)
    monkeypatch.setattr(_training_stars, "PART", 110)
    assert generalist.score(on_disk) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_what_comes_apart_from_stars_on_disk(make_generalist, generalist, on_disk, name):
    for call in (make_generalist().fit, generalist.score):
        with pytest.raises(TypeError, match=f"`{name}` must be None for stars on disk"):
            call(on_disk, **{name: np.ones(300)})


def test_a_file_with_a_bad_label_is_named(
    make_generalist, stars, star_files, write_groups, tmp_path, monkeypatch
):
    bad = stars[:40].copy()
    bad["logg"][3] = -999.0 * u.dex
    write_groups(bad, tmp_path / "bad.parquet", 40)
    on_disk = StarDataset([*sorted(star_files.glob("*.parquet")), tmp_path / "bad.parquet"])
    monkeypatch.setattr(
        "msaestimator.estimators._foundation.held_stars",
        lambda X, *labels, **more: HeldStars(stars, np.arange(len(stars))),
    )
    with pytest.raises(ColumnError, match=r"File '.*bad.parquet', row group 0: Labels must be"):
        make_generalist().fit(on_disk)
