"""The regressor: labels, quantiles, scores, and what it does with its encoder."""

import copy

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Column, Table
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import r2_score

from msaestimator import StarTable, StellarParameterRegressor
from msaestimator.exceptions import ColumnError, UnitMismatchError

LABELS = ("teff", "logg", "fe_h")


def values(stars, names=LABELS):
    """Return label columns as a plain matrix."""
    return np.column_stack([np.asarray(stars[name].value, dtype=float) for name in names])


@pytest.mark.parametrize("quantiles", [(0.5,), (0.1, 0.5, 0.9), (0.05, 0.16, 0.5, 0.84, 0.95)])
@pytest.mark.parametrize("n_members", [1, 3])
def test_quantiles_increase(make_regressor, msa, stars, quantiles, n_members):
    regressor = make_regressor(msa, quantiles=quantiles, n_members=n_members).fit(stars)
    predicted = regressor.predict_quantiles(stars)
    assert predicted.shape == (len(stars), 3, len(quantiles))
    assert (np.diff(predicted, axis=-1) > 0).all()
    np.testing.assert_array_equal(regressor.predict(stars), predicted[..., len(quantiles) // 2])


@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 1.5))
def test_quantiles_increase_for_any_star(regressor, other_stars, shift, scale):
    odd = other_stars[:20].copy()
    odd["phot_bp_mean_mag"] = (odd["phot_bp_mean_mag"].value * scale + shift) * u.mag
    assert (np.diff(regressor.predict_quantiles(odd), axis=-1) >= 0).all()


@pytest.mark.parametrize(
    "quantiles", [(), (0.5, 0.9), (0.9, 0.5, 0.1), (0.0, 0.5, 1.0), (0.1, 0.4, 0.9)]
)
def test_bad_quantiles(make_regressor, msa, stars, quantiles):
    with pytest.raises(ValueError, match="`quantiles` must be an odd number of increasing"):
        make_regressor(msa, quantiles=quantiles).fit(stars)


def test_encoder_of_another_kind(stars):
    with pytest.raises(TypeError, match="`encoder` must be a MaskedStellarAutoencoder, the name"):
        StellarParameterRegressor(7).fit(stars)


def test_averages_and_early_stopping_do_not_go_together(make_regressor, msa, stars):
    with pytest.raises(ValueError, match="`average_from` below 1 and `early_stopping`"):
        make_regressor(msa, average_from=0.5, early_stopping=True).fit(stars)


def test_a_label_of_more_weight_is_learned_sooner(make_regressor, msa, stars):
    def error(weight):
        settings = {"labels": ("teff", "logg"), "label_weights": {"logg": weight}}
        regressor = make_regressor(msa, max_epochs=8, **settings).fit(stars)
        return np.nanmean(np.abs(regressor.predict(stars)[:, 1] - stars["logg"].value))

    assert error(20.0) < error(0.05)


def test_labels_that_count_by_their_intervals_are_learned_otherwise(make_regressor, msa, stars):
    plain, weighed = (
        make_regressor(msa, width_power=power, max_epochs=2).fit(stars) for power in (0.0, 1.0)
    )
    losses = [regressor.net_.history[:, "train_loss"] for regressor in (plain, weighed)]
    assert np.isfinite(losses).all()
    assert not np.allclose(*losses, rtol=1e-3)
    assert (np.diff(weighed.predict_quantiles(stars), axis=2) > 0).all()


@pytest.mark.parametrize(
    ("weights", "came"),
    [
        ({"log_g": 2.0}, r"must name labels of the fit, got 'log_g'\. Did you mean 'logg'"),
        ({"logg": 0.0}, r"must be positive, got 0\.0 for 'logg'"),
        ({"logg": float("nan")}, "must be positive, got nan"),
    ],
)
def test_bad_weights_of_labels(make_regressor, msa, stars, weights, came):
    with pytest.raises(ValueError, match=came):
        make_regressor(msa, labels=("teff", "logg"), label_weights=weights).fit(stars)


@pytest.mark.parametrize("power", [-0.5, 2.0, float("nan")])
def test_bad_power_of_widths(make_regressor, msa, stars, power):
    with pytest.raises(ValueError, match="`width_power` must be between 0 and 1, got"):
        make_regressor(msa, width_power=power).fit(stars)


def test_bad_number_of_members(make_regressor, msa, stars):
    with pytest.raises(ValueError, match="`n_members` must be at least 1, got 0"):
        make_regressor(msa, n_members=0).fit(stars)


def test_a_median_alone_makes_no_table(make_regressor, msa, stars):
    regressor = make_regressor(msa, quantiles=(0.5,)).fit(stars)
    with pytest.raises(ColumnError, match="`quantiles` must hold 0.5 and a level on either side"):
        regressor.predict_table(stars)


def test_the_table_holds_what_the_arrays_do(regressor, other_stars):
    table = regressor.predict_table(other_stars)
    assert isinstance(table, StarTable)
    quantiles = regressor.predict_quantiles(other_stars)
    for index, label in enumerate(LABELS):
        for column, suffix in enumerate(("_lower", "", "_upper")):
            np.testing.assert_array_equal(table[label + suffix].value, quantiles[:, index, column])
    assert table["teff"].unit == u.K
    assert table["logg_upper"].unit == u.dex
    np.testing.assert_array_equal(table["source_id"], other_stars["source_id"])
    assert table["source_id"].dtype == np.int64


def test_learns_more_than_the_mean(make_regressor, make_msa, stars, other_stars):
    regressor = make_regressor(make_msa(), max_epochs=60, lr=5e-3, encoder_lr=5e-3).fit(stars)
    assert regressor.score(other_stars) > 0.3


def test_score_is_sklearns_on_complete_rows(regressor, other_stars):
    complete = other_stars[np.isfinite(values(other_stars)).all(axis=1)]
    expected = r2_score(values(complete), regressor.predict(complete))
    assert regressor.score(complete) == pytest.approx(expected)
    assert regressor.score(complete, values(complete)) == pytest.approx(expected)


def test_score_ignores_unknown_labels(regressor, other_stars):
    gappy = other_stars.copy()
    gappy["logg"][:30] = np.nan
    truth, predicted = values(gappy), regressor.predict(gappy)
    expected = np.mean(
        [
            r2_score(true[np.isfinite(true)], pred[np.isfinite(true)])
            for true, pred in zip(truth.T, predicted.T, strict=True)
        ]
    )
    assert regressor.score(gappy) == pytest.approx(expected)
    gappy["fe_h"][:] = np.nan
    assert regressor.score(gappy) != pytest.approx(expected)


def test_labels_come_from_the_table_or_from_y_alike(make_regressor, msa, stars, to_frame, weights):
    names = list(LABELS)
    fits = [
        make_regressor(msa).fit(stars),
        make_regressor(msa).fit(stars, stars[names]),
        make_regressor(msa).fit(stars, Table(stars[names])),
        make_regressor(msa).fit(stars, to_frame(stars)[names]),
        make_regressor(msa).fit(stars, values(stars)),
        make_regressor(msa, labels=None).fit(stars, stars[names]),
        make_regressor(msa, labels=dict.fromkeys(names, ""))
        .set_params(labels={"teff": "K", "logg": "dex", "fe_h": "dex"})
        .fit(stars),
    ]
    for fit in fits:
        assert fit.labels_ == LABELS
        assert fit.units_ == {"teff": "K", "logg": "dex", "fe_h": "dex"}
        assert weights(fit) == weights(fits[0])


def test_labels_none_takes_the_tables_stellar_parameters(make_regressor, msa, stars):
    assert make_regressor(msa, labels=None).fit(stars).labels_ == (*LABELS, "alpha_m")


def test_one_dimensional_labels(make_regressor, msa, stars):
    logg = stars["logg"].value
    regressor = make_regressor(msa, labels=("logg",)).fit(stars, logg)
    assert regressor.predict(stars).shape == (len(stars),)
    assert regressor.predict_quantiles(stars).shape == (len(stars), 1, 3)
    known = np.isfinite(logg)
    expected = r2_score(logg[known], regressor.predict(stars)[known])
    assert regressor.score(stars, logg) == pytest.approx(expected)
    column = make_regressor(msa, labels=("logg",)).fit(stars, logg[:, None])
    assert column.predict(stars).shape == (len(stars), 1)


def test_nameless_labels(make_regressor, msa, stars):
    regressor = make_regressor(msa, labels=None).fit(stars, values(stars)[:, :2])
    assert regressor.labels_ == ("y0", "y1")
    assert "y1_lower" in regressor.predict_table(stars).colnames


def test_units_of_the_labels(make_regressor, msa, stars):
    aged = stars.copy()
    aged["age"] = np.linspace(1.0, 10.0, len(stars)) * u.Gyr
    gyr, myr = (
        make_regressor(msa, labels=labels, random_state=3).fit(aged)
        for labels in (("age",), {"age": "Myr"})
    )
    assert gyr.predict_table(stars)["age"].unit == u.Gyr
    assert myr.predict_table(stars)["age"].unit == u.Myr
    np.testing.assert_allclose(myr.predict(stars), 1000 * gyr.predict(stars), rtol=1e-3)
    assert myr.score(aged) == pytest.approx(gyr.score(aged), abs=1e-3)


def test_labels_of_another_physical_type(make_regressor, msa, stars):
    with pytest.raises(UnitMismatchError, match="Column 'teff' must be in Myr"):
        make_regressor(msa, labels={"teff": "Myr"}).fit(stars)


def test_labels_with_units_outside_a_table(make_regressor, msa, stars):
    """A unit is honoured of one label with a name, and refused of several in one array."""
    in_table = make_regressor(msa, labels=("teff",)).fit(stars)
    for teff in (stars["teff"], stars["teff"].to("kK"), Column(stars["teff"].to("kK"))):
        alone = make_regressor(msa, labels=("teff",)).fit(stars, teff)
        np.testing.assert_allclose(alone.predict(stars), in_table.predict(stars)[:, 0], rtol=2e-4)
    with pytest.raises(UnitMismatchError, match="must be one label with a name, or come in a t"):
        make_regressor(msa).fit(stars, np.ones((len(stars), 3)) * u.K)


def test_unknown_label(make_regressor, msa, stars):
    with pytest.raises(ColumnError, match=r"but tef is absent\. Did you mean 'teff'\?"):
        make_regressor(msa, labels=("tef",)).fit(stars)


def test_label_that_no_star_has(make_regressor, msa, stars):
    bare = stars.copy()
    bare["teff"][:] = np.nan
    with pytest.raises(ColumnError, match="known for at least one star, but teff has no value"):
        make_regressor(msa).fit(bare)


def test_table_without_labels(make_regressor, msa, stars):
    with pytest.raises(ColumnError, match="must have a label to learn, such as 'teff'"):
        make_regressor(msa, labels=None).fit(stars[["phot_g_mean_mag", "j_m"]])


def test_labels_as_one_string(make_regressor, msa, stars):
    with pytest.raises(ValueError, match="must be a sequence of names, got the string 'teff'"):
        make_regressor(msa, labels="teff").fit(stars)


def test_wrong_number_of_labels(make_regressor, msa, stars):
    with pytest.raises(ColumnError, match="must name each of the 2 columns of y"):
        make_regressor(msa).fit(stars, values(stars)[:, :2])


def test_wrong_number_of_rows(make_regressor, msa, stars):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make_regressor(msa).fit(stars, values(stars)[:-1])


def test_a_matrix_needs_labels(make_regressor, make_msa):
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        make_regressor(make_msa()).fit(np.ones((10, 3)))


def test_infinite_labels(make_regressor, msa, stars):
    labels = values(stars)
    labels[0, 0] = np.inf
    with pytest.raises(ValueError, match="Input y contains infinity"):
        make_regressor(msa).fit(stars, labels)


def test_partly_labelled_stars_are_used(make_regressor, msa, stars, weights):
    gappy, masked = stars.copy(), Table(stars, masked=True)
    gappy["logg"][7] = np.nan
    masked["logg"].mask[7] = True
    dropped = stars[np.arange(len(stars)) != 7]
    fitted = [weights(make_regressor(msa).fit(s)) for s in (stars, gappy, masked, dropped)]
    assert fitted[1] == fitted[2], "NaN and masked are unknown alike."
    assert fitted[1] != fitted[0], "The label counts."
    assert fitted[1] != fitted[3], "So do the star's other labels."


def test_unlabelled_stars_teach_reconstruction_alone(make_regressor, msa, stars):
    unlabelled = stars.copy()
    for name in LABELS:
        unlabelled[name][150:] = np.nan
    whole = make_regressor(msa).fit(unlabelled)
    half = make_regressor(msa).fit(unlabelled[:150])
    np.testing.assert_array_equal(whole.label_scaler_.center_, half.label_scaler_.center_)
    assert np.isfinite(whole.predict(stars)).all()
    assert not np.array_equal(whole.predict(stars), half.predict(stars))


def test_stars_that_lack_the_logarithm_of_a_label(make_regressor, msa, stars):
    ages = StarTable({"age": np.linspace(0, 10, len(stars)) * u.Gyr})
    assert np.isfinite(make_regressor(msa, labels=None).fit(stars, ages).predict(stars)).all()


def test_log_labels(make_regressor, msa, stars):
    linear = make_regressor(msa, log_labels=()).fit(stars)
    logarithmic = make_regressor(msa, log_labels=("teff",)).fit(stars)
    assert list(linear.label_scaler_.is_log_) == [False, False, False]
    assert list(logarithmic.label_scaler_.is_log_) == [True, False, False]


def test_a_fitted_encoder_is_left_as_it_is(make_regressor, make_msa, stars, weights):
    encoder = make_msa().fit(stars)
    before, settings = weights(encoder), encoder.get_params()
    regressor = make_regressor(encoder, max_epochs=5).fit(stars[:200])
    assert weights(encoder) == before
    assert encoder.get_params() == settings
    assert regressor.encoder is encoder
    assert weights(regressor.encoder_) != before, "The copy is fine-tuned."


def test_an_encoder_is_the_start(make_regressor, make_msa, stars, weights):
    encoder = make_msa().fit(stars)
    kept = make_regressor(encoder, encoder_lr=0.0, encoder_weight_decay=0.0).fit(stars)
    assert weights(kept.encoder_) == weights(encoder)


def test_an_unfitted_encoder_is_pretrained_first(make_regressor, make_msa, stars, weights):
    encoder = make_msa(max_epochs=4)
    regressor = make_regressor(encoder).fit(stars)
    assert not hasattr(encoder, "module_")
    apart = make_regressor(make_msa(max_epochs=4).fit(stars)).fit(stars)
    assert weights(regressor) == weights(apart)


def test_without_an_encoder(make_regressor, stars):
    regressor = make_regressor(None, max_epochs=1).fit(stars[:80])
    assert np.isfinite(regressor.predict(stars)).all()


def test_predicts_with_the_encoder_as_fine_tuned(regressor, stars):
    latent = regressor.encoder_.transform(stars)
    assert latent.shape == (len(stars), 8)
    assert not np.array_equal(latent, regressor.encoder.transform(stars))


def test_members_differ_and_are_combined(make_regressor, msa, stars):
    one, many = (make_regressor(msa, n_members=n).fit(stars) for n in (1, 5))
    heads = many.module_.head.median.weight
    assert heads.shape[0] == 5
    assert not np.array_equal(heads[0].detach().numpy(), heads[1].detach().numpy())
    assert one.module_.head.median.weight.shape[0] == 1
    assert many.predict(stars).shape == one.predict(stars).shape


def test_the_weights_of_the_losses(make_regressor, msa, stars, weights):
    balanced = make_regressor(msa).fit(stars)
    for changes in ({"prediction_weight": 0.1}, {"reconstruction_weight": 0.0}):
        assert weights(make_regressor(msa, **changes).fit(stars)) != weights(balanced)


def test_changing_a_copy_of_a_setting_is_not_a_fit(regressor, stars):
    changed = copy.copy(regressor).set_params(lr=1.0)
    np.testing.assert_array_equal(changed.predict(stars), regressor.predict(stars))
