"""A model's card tells where it is valid, by the numbers that its flags go by."""

import numpy as np
import pytest

from msaestimator import (
    MaskedStellarAutoencoder,
    StellarFoundationModel,
    StellarParameterRegressor,
)
from msaestimator.results import PredictionFlag
from msaestimator.saving import RELEASED
from msaestimator.schema import LABELS

KINDS = (MaskedStellarAutoencoder, StellarParameterRegressor, StellarFoundationModel)


def ranges_of(model):
    """Return {(quantity, flag): (low, high)} of a model."""
    rows = model.valid_ranges
    return {(r["quantity"], r["flag"]): (r["low"], r["high"]) for r in rows}


def card_ranges(card):
    """Return {(quantity, flag): (low, high)} of a card's table."""
    found = {}
    for line in card.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[4].strip("`") in PredictionFlag.__members__:
            ends = float(cells[2] or "-inf"), float(cells[3] or "inf")
            found[cells[0], cells[4].strip("`")] = ends
    return found


def assert_close(first, second):
    assert first.keys() == second.keys()
    for name, ends in first.items():
        np.testing.assert_allclose(ends, second[name], rtol=1e-4, err_msg=str(name))


def test_released_card_has_the_ranges_of_the_released_model():
    model = StellarParameterRegressor.from_pretrained("gaia-xp")
    assert card_ranges(model.card)
    assert_close(card_ranges(model.card), ranges_of(model))


@pytest.mark.parametrize("kind", KINDS)
def test_card_of_a_released_model_is_that_of_the_release(kind):
    card = (RELEASED / "gaia-xp" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert kind.from_pretrained("gaia-xp").card == card


@pytest.mark.parametrize("fixture", ["msa", "regressor", "generalist"])
def test_card_of_a_model_of_ones_own(request, fixture, stars):
    model = request.getfixturevalue(fixture)
    assert f"`{type(model).__name__}`" in model.card
    assert "300 stars." in model.card or "270 stars." in model.card
    assert_close(card_ranges(model.card), ranges_of(model))
    for label in getattr(model, "labels_", ()):
        assert f"`{label}` [{LABELS[label].unit}]" in model.card


def test_inputs_are_counted(msa, generalist):
    assert "`bp_coefficients` (55), `rp_coefficients` (55)" in msa.card
    assert "`relative_bp` (55)" in generalist.card


@pytest.mark.parametrize("name", ["phot_g_mean_mag", "ebv", "ks_m"])
def test_inputs_beyond_a_range_are_flagged(regressor, other_stars, name):
    low, high = ranges_of(regressor)[name, "OUT_OF_RANGE_INPUT"]
    margin = 1e-3 * (high - low)
    inside, outside = [low + margin, high - margin], [low - margin, high + margin]
    ordinary = np.asarray(regressor.predict_table(other_stars)["flags"]) & 8 == 0
    star = other_stars[np.flatnonzero(ordinary)[[0, 0]]]
    # Coefficients are over the flux of G, and would be out of range with it.
    star = star[[n for n in star.colnames if "coefficient" not in n]]
    for values, flagged in ((inside, False), (outside, True)):
        star[name] = values * star[name].unit
        with pytest.warns(match="absent here and taken as missing"):
            flags = np.asarray(regressor.predict_table(star)["flags"])
        assert ((flags & PredictionFlag.OUT_OF_RANGE_INPUT != 0) == flagged).all()


def test_labels_are_known_where_the_ranges_say(stars, make_regressor, msa):
    known = stars.copy()
    hot = known["teff"].value > np.median(known["teff"].value)
    known["fe_h"][hot] = np.nan
    model = make_regressor(msa, max_epochs=1).fit(known)
    low, high = ranges_of(model)["teff of stars with fe_h", "UNCONSTRAINED_LABEL"]
    assert np.isneginf(low)
    assert 0.98 < high / known["teff"].value[~hot].max() <= 1.0 + 1e-6
    teff = model.labels_.index("teff")
    limits = model.label_domains_.limits_[:, model.labels_.index("fe_h")]
    scaled = model.label_scaler_.transform([[high] * len(model.labels_)])[0, teff]
    assert limits[1] == pytest.approx(scaled)


def test_labels_in_units_of_ones_own(make_regressor, msa, stars):
    model = make_regressor(msa, labels={"teff": "kK"}, max_epochs=1).fit(stars)
    limits = [1e-3 * limit for limit in LABELS["teff"].limits]
    np.testing.assert_allclose(ranges_of(model)["teff", "OUTSIDE_LIMITS"], limits)
    assert "`teff` [kK]" in model.card


def test_a_matrix_has_ranges_too(make_regressor, make_msa):
    x = np.random.default_rng(0).normal(size=(80, 50)).astype(np.float32)
    model = make_regressor(make_msa(), labels=None, max_epochs=1).fit(x, x[:, 0])
    ranges = ranges_of(model)
    np.testing.assert_allclose(
        ranges["7", "OUT_OF_RANGE_INPUT"], [x[:, 7].min(), x[:, 7].max()], rtol=1e-4
    )
    assert "50 columns." in model.card


def test_a_scaling_without_a_way_back_has_no_ranges(make_msa):
    from sklearn.kernel_approximation import RBFSampler

    x = np.random.default_rng(0).normal(size=(80, 5))
    model = make_msa(preprocessor=RBFSampler(n_components=4, random_state=0), max_epochs=1).fit(x)
    assert len(model.valid_ranges) == 0
    assert model.valid_ranges.colnames == ["quantity", "unit", "low", "high", "flag"]
    assert card_ranges(model.card) == {}


def test_a_folder_keeps_its_card(regressor, tmp_path):
    regressor.save_pretrained(tmp_path)
    path = tmp_path / "MODEL_CARD.md"
    assert path.read_text() == regressor.card
    path.write_text("# Mine\n")
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    assert loaded.card == "# Mine\n"
    loaded.save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "MODEL_CARD.md").read_text() == "# Mine\n"
    path.unlink()
    assert "## Where it is valid" in StellarParameterRegressor.from_pretrained(tmp_path).card


def test_one_that_nobody_counted(msa, tmp_path, stars):
    partly = MaskedStellarAutoencoder(hidden_widths=(8,)).partial_fit(stars[:50])
    assert "Nobody counted the stars." in partly.card
