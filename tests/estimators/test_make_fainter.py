"""Trainings on stars made fainter, with weights of the sky's mix and labels drawn anew."""

import numpy as np
import pytest
from astropy.table import QTable

from msaestimator.datasets import draw_fainter
from msaestimator.estimators._epoch_draws import CALIBRATION_DRAWS, epoch_draws, move_labels
from msaestimator.estimators._fainter_stars import FainterStars
from msaestimator.exceptions import ColumnError, MissingColumnWarning
from msaestimator.preprocessing import LabelScaler, collect_labels


@pytest.fixture(scope="module")
def labels(stars):
    """Labels with a posterior, a mass of 1 with an error of 10 %, and a parallax of 2 mas."""
    table = QTable({name: stars[name] for name in ("teff", "logg", "fe_h")})
    table["mass"] = np.ones(len(stars))
    table["parallax"] = np.full(len(stars), 2.0)
    table["mass_err"] = np.where(np.arange(len(stars)) % 2, 0.1, np.nan)
    return table


@pytest.fixture(scope="module")
def make_fitted(make_msa, make_regressor, stars, labels):
    """Return a function that fits a tiny regressor on the stars made fainter."""

    def make(**changes):
        encoder = make_msa(max_epochs=0)
        names = ("teff", "logg", "fe_h", "mass", "parallax")
        settings = {"labels": names, "max_epochs": 1}
        regressor = make_regressor(encoder, **settings | {"make_fainter": 18.0} | changes)
        return regressor.fit(stars, labels)

    return make


@pytest.fixture(scope="module")
def fitted(make_fitted):
    return make_fitted(sky_mix=True, resample_labels=("mass",), resample_noise=True)


@pytest.fixture(scope="module")
def draws(fitted, stars, labels):
    found = collect_labels(stars, labels, fitted.labels)
    targets = fitted.label_scaler_.scaled(found.values).astype(np.float32)
    features = fitted.reader_.transform(stars)
    return epoch_draws(fitted, (stars, labels), features, found, targets, None, seed=0)


def test_a_draw_is_read_as_its_table_is(fitted, stars):
    faint = FainterStars(fitted.reader_.transform(stars).measured.columns, fitted.reader_, 18.0, 5)
    table, features, modulus = faint.draw(3)
    expected, moved = draw_fainter(stars, 18.0, np.random.RandomState([5, 3]))
    np.testing.assert_array_equal(modulus, moved)
    np.testing.assert_array_equal(features.values, fitted.reader_.transform(expected).values)
    np.testing.assert_array_equal(
        table["phot_g_mean_mag"].value, expected["phot_g_mean_mag"].value
    )


def test_autoencoder_reconstructs_the_coefficients_of_the_star_as_it_is(make_msa, stars):
    seen = []
    msa = make_msa(make_fainter=19.0, max_epochs=1, mask_ratio=0.0)

    class Spy(type(msa)):
        def _objective(self):
            criterion = super()._objective()
            forward = criterion.forward
            criterion.forward = lambda o, h, x, y, *rest: (
                seen.append((x, y)) or forward(o, h, x, y, *rest)
            )
            return criterion

    spy = Spy(**msa.get_params()).fit(stars)
    own = spy.reader_.transform(stars).values
    is_xp = spy.reader_.columns.is_xp
    x, y = (np.concatenate([pair[n].numpy() for pair in seen]) for n in (0, 1))
    np.testing.assert_array_equal(np.sort(y[:, is_xp], axis=0), np.sort(own[:, is_xp], axis=0))
    # Those beyond G = 17.65 have none of their own, and magnitudes are those of the copies.
    assert np.isnan(x[:, is_xp]).any()
    np.testing.assert_array_equal(x[:, ~is_xp], y[:, ~is_xp])


def test_an_epoch_is_the_same_again_and_another_is_not(draws):
    draw = draws.epochs(np.arange(50))
    for one, other in zip(draw(1), draw(1), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((a != b).any() for a, b in zip(draw(1), draw(2), strict=True))


def test_labels_are_drawn_from_their_errors(draws, fitted):
    mass = list(fitted.labels_).index("mass")
    drawn = np.stack([draws.draw_targets(epoch)[:, mass] for epoch in range(1, 200)])
    scale = fitted.label_scaler_.scale_[mass]
    # A tenth of a mass of one is 0.1 / ln 10 in its logarithm.
    np.testing.assert_allclose(drawn[:, 1::2].std() * scale, 0.1 / np.log(10), rtol=0.03)
    assert (drawn[:, ::2] == draws.targets[::2, mass]).all()
    others = [n for n in range(len(fitted.labels_)) if n != mass]
    np.testing.assert_array_equal(draws.draw_targets(1)[:, others], draws.targets[:, others])


def test_a_parallax_is_that_of_the_star_where_it_is(draws, fitted):
    parallax = list(fitted.labels_).index("parallax")
    targets = draws.epochs(np.arange(len(draws.features)))(1)[1].astype(float)
    modulus = draws.faint.draw(1)[2]
    in_mas = fitted.label_scaler_.inverse_transform(targets)[:, parallax]
    np.testing.assert_allclose(in_mas, 2.0 / 10 ** (modulus / 5), rtol=1e-5)
    spectral = [fitted.labels_.index(name) for name in ("teff", "logg", "fe_h")]
    np.testing.assert_array_equal(targets[:, spectral], draws.targets[:, spectral])


def test_moving_labels_is_undone_by_moving_them_back():
    names = ("distance", "parallax", "mass", "vsini")
    labels = np.array([[1.0, 1.0, 1.0, 5.0], [2.0, 0.5, 3.0, 9.0], [4.0, np.nan, 9.0, 2.0]])
    modulus = np.array([0.0, 5.0, 2.5])
    for settings in ({}, {"log": ()}, {"robust": True, "asinh": True}):
        scaler = LabelScaler(names, **settings).fit(labels)
        moved = move_labels(scaler, names, scaler.scaled(labels), modulus)
        np.testing.assert_array_equal(moved[:, 2:], scaler.scaled(labels)[:, 2:])
        there = scaler.inverse_transform(moved)
        np.testing.assert_allclose(there[:, 0], [1.0, 20.0, 4.0 * 10**0.5])
        np.testing.assert_allclose(there[:, 1], [1.0, 0.05, np.nan])
        back = move_labels(scaler, names, moved, -modulus)
        np.testing.assert_allclose(back, scaler.scaled(labels), atol=1e-12)


def test_moved_stars_get_no_further_noise(draws, fitted):
    x = draws.epochs(np.arange(len(draws.features)))(1)[0]
    _, features, modulus = draws.faint.draw(1)
    is_moved = modulus > 0
    values, errors = np.split(x, 2, axis=1)
    np.testing.assert_array_equal(values, features.values)
    assert not errors[is_moved].any()
    assert errors[~is_moved].any(axis=1).all()


def test_weights_are_the_mix_of_the_sky(draws):
    rows = np.arange(len(draws.features))
    weights = draws.epochs(rows)(1)[2]
    assert weights.mean() == pytest.approx(1.0, rel=1e-5)
    assert weights.std() > 0.05


def test_weights_of_stars_multiply(make_fitted, draws):
    given = np.linspace(0.5, 2.0, len(draws.features))
    weighted = type(draws)(**vars(draws) | {"weights": given})
    rows = np.arange(len(given))
    ratio = weighted.epochs(rows)(1)[2] / draws.epochs(rows)(1)[2]
    np.testing.assert_allclose(ratio / ratio[0], given / given[0], rtol=1e-5)


def test_without_the_switch_all_weigh_alike(make_fitted, draws):
    plain = make_fitted()
    same = type(draws)(**vars(draws) | {"regressor": plain})
    assert (same.epochs(np.arange(50))(1)[2] == 1.0).all()


def test_calibration_is_of_each_star_at_several_brightnesses(draws):
    rows = np.arange(1, 300, 2)
    copies = draws.to_calibrate(rows)
    assert len(copies) == CALIBRATION_DRAWS
    own, seen = draws.features.g_magnitude[rows, 0], []
    others = [n for n, name in enumerate(draws.labels.names) if name not in ("mass", "parallax")]
    for features, targets in copies:
        assert len(features) == len(targets) == len(rows)
        drawn = features.g_magnitude[:, 0]
        assert (drawn >= own).all()
        assert 0.4 < (drawn > own).mean() < 0.8
        np.testing.assert_array_equal(targets[:, others], draws.targets[rows][:, others])
        seen.append(drawn)
    assert (np.ptp(seen, axis=0) > 0.5).mean() > 0.9
    assert len(draws.to_calibrate(rows[:0])[0][0]) == 0


def test_without_fainter_copies_calibration_is_of_the_stars_as_they_are(draws):
    plain = type(draws)(**vars(draws) | {"faint": None})
    ((features, _),) = plain.to_calibrate(np.arange(9))
    np.testing.assert_array_equal(features.values, draws.features.values[:9])


def test_ranges_hold_fainter_stars_and_the_encoder_keeps_its_own(make_regressor, msa, stars):
    before = msa.feature_range_.copy()
    regressor = make_regressor(msa, labels=("logg",), max_epochs=1, make_fainter=18.0).fit(stars)
    np.testing.assert_array_equal(msa.feature_range_, before)
    g = regressor.feature_names_.index("phot_g_mean_mag")
    assert regressor.feature_range_[1, g] > before[1, g] + 0.5
    assert (regressor.feature_range_[0] <= before[0]).all()
    drawn = regressor.reader_.transform(draw_fainter(stars, 18.0, 7)[0])
    assert drawn.values[:, g].max() < regressor.feature_range_[1, g] + 0.2


def test_absent_columns_that_faint_stars_lack_are_no_surprise(fitted, stars, recwarn):
    optional = fitted.reader_.optional_
    assert {"bp_1", "rp_55"}.issubset(optional)
    assert "phot_g_mean_mag" not in optional
    is_xp = [name.startswith(("bp_", "rp_")) for name in stars.colnames]
    names = [n for n, xp in zip(stars.colnames, is_xp, strict=True) if not xp]
    fitted.predict(stars[[name for name in names if name not in optional]])
    assert not [w for w in recwarn if w.category is MissingColumnWarning]
    with pytest.warns(MissingColumnWarning, match="'phot_g_mean_mag': absent here"):
        fitted.predict(stars[[name for name in names if not name.startswith("phot_g")]])


def test_settings_are_saved(fitted, stars, tmp_path):
    fitted.save_pretrained(tmp_path)
    loaded = type(fitted).from_pretrained(tmp_path)
    assert loaded.make_fainter == 18.0
    assert loaded.sky_mix
    assert tuple(loaded.resample_labels) == ("mass",)
    np.testing.assert_array_equal(loaded.predict(stars), fitted.predict(stars))


def test_a_matrix_is_refused(make_msa):
    matrix = np.random.default_rng(0).standard_normal((50, 4))
    with pytest.raises(ValueError, match="`make_fainter` needs a table of stars, got a matrix"):
        make_msa(make_fainter=18.0).fit(matrix)


def test_labels_to_draw_must_have_errors(make_fitted):
    with pytest.raises(ColumnError, match="needs the errors of 'logg' in the column 'logg_err'"):
        make_fitted(resample_labels=("logg",))
    with pytest.raises(ColumnError, match="must name labels of the fit, got 'masss'.*'mass'"):
        make_fitted(resample_labels=("masss",))


@pytest.mark.parametrize("ratio", [{"tmass": 1.0}, {"bp": 1.0, "dust": 1.0}])
def test_blocks_are_hidden_by_name(make_msa, stars, ratio):
    others = dict.fromkeys(("mask_ratio", "xp_mask_ratio", "span_mask_ratio"), 0.0)
    msa = make_msa(**others, block_mask_ratio=ratio, max_epochs=0).fit(stars)
    hidden = msa.mask().draw(20).numpy()
    columns = msa.reader_.columns
    blocks = [
        name.split("_")[0] if block == "xp" else block
        for name, block in zip(columns.base_names, columns.blocks, strict=True)
    ]
    for block, column in zip(blocks, hidden.T, strict=True):
        assert (column == (block in ratio)).all()


@pytest.mark.parametrize(
    ("ratio", "message"),
    [
        ({"2mass": 0.5}, "must name blocks of the schema, got '2mass'"),
        ({"tmass": 1.5}, "between 0 and 1, or such numbers by name, got"),
    ],
)
def test_wrong_blocks(make_msa, stars, ratio, message):
    with pytest.raises(ValueError, match=message):
        make_msa(block_mask_ratio=ratio).fit(stars)
