"""Saved estimators predict exactly as before, in files that hold nothing to run."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler

from msaestimator import MaskedStellarAutoencoder, StellarParameterRegressor
from msaestimator.exceptions import CheckpointError
from msaestimator.preprocessing import StellarFeatures
from msaestimator.saving._json import Decoder, Encoder
from msaestimator.schema import GAIA_DR3, Column
from msaestimator.training import read_tensors

READER = ("reader_", "fitted")
"""Where a config of an autoencoder has what its reader learned."""


@pytest.fixture
def folder(msa, tmp_path):
    """A folder with a saved autoencoder."""
    msa.save_pretrained(tmp_path / "msa")
    return tmp_path / "msa"


def change(folder, *keys, value=None):
    """Set one place of a config, or take it out."""
    config = json.loads((folder / "config.json").read_text())
    place = config
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    (folder / "config.json").write_text(json.dumps(config))


def no_constants(name):
    raise AssertionError(f"{name} is not JSON.")


def test_autoencoder_comes_back_exactly(msa, other_stars, folder):
    loaded = MaskedStellarAutoencoder.from_pretrained(folder)
    np.testing.assert_array_equal(loaded.transform(other_stars), msa.transform(other_stars))
    assert loaded.score(other_stars) == msa.score(other_stars)
    assert loaded.feature_names_ == msa.feature_names_
    hidden = other_stars.copy()
    hidden["bp_coefficients"][:] = np.nan
    np.testing.assert_array_equal(
        loaded.reconstruct(hidden)["bp_coefficients"], msa.reconstruct(hidden)["bp_coefficients"]
    )


def test_a_model_in_the_home_folder(msa, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    msa.save_pretrained("~/msa")
    assert [path.name for path in tmp_path.iterdir()] == ["msa"]
    for folder in ("~/msa", Path("~/msa")):
        assert MaskedStellarAutoencoder.from_pretrained(folder).feature_names_
    with pytest.raises(CheckpointError, match="no saved estimator in '~nobody-of-this-name/msa'"):
        MaskedStellarAutoencoder.from_pretrained("~nobody-of-this-name/msa")


def test_regressor_comes_back_exactly(regressor, other_stars, tmp_path):
    regressor.save_pretrained(tmp_path)
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    np.testing.assert_array_equal(
        loaded.predict_quantiles(other_stars), regressor.predict_quantiles(other_stars)
    )
    first, second = loaded.predict_table(other_stars), regressor.predict_table(other_stars)
    np.testing.assert_array_equal(first["flags"], second["flags"])
    assert first["teff"].unit == second["teff"].unit
    assert loaded.score(other_stars) == regressor.score(other_stars)
    np.testing.assert_array_equal(
        loaded.encoder_.transform(other_stars), regressor.encoder_.transform(other_stars)
    )


def test_saved_twice_is_the_same(msa, folder, tmp_path):
    MaskedStellarAutoencoder.from_pretrained(folder).save_pretrained(tmp_path / "again")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_matrix_and_a_schema_of_ones_own_come_back(make_msa, make_regressor, tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 5))
    schema = GAIA_DR3.with_columns(Column("cfis_u"))
    regressor = make_regressor(
        make_msa(schema=schema), labels=None, random_state=np.random.RandomState(0)
    ).fit(x, x[:, 0])
    regressor.save_pretrained(tmp_path)
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded.predict(x), regressor.predict(x))
    assert loaded.encoder_.schema == schema


def test_a_loaded_estimator_can_learn_more(folder, stars):
    loaded = MaskedStellarAutoencoder.from_pretrained(folder)
    score = loaded.score(stars)
    for _ in range(3):
        loaded.partial_fit(stars)
    assert loaded.score(stars) > score - 0.05


def test_partly_fitted_estimators_can_be_saved_and_go_on(make_msa, stars, tmp_path):
    make_msa().partial_fit(stars).save_pretrained(tmp_path)
    loaded = MaskedStellarAutoencoder.from_pretrained(tmp_path).partial_fit(stars)
    assert len(loaded.net_.history) == 1


@pytest.mark.parametrize("which", ["msa", "regressor"])
def test_config_is_strict_json(request, which, tmp_path):
    request.getfixturevalue(which).save_pretrained(tmp_path)
    text = (tmp_path / "config.json").read_text()
    config = json.loads(text, parse_constant=no_constants)
    assert config["provenance"].keys() == {"msaestimator", "torch", "scikit-learn", "python"}


@pytest.mark.parametrize(("dtype", "bits"), [("float16", 11), ("bfloat16", 8)])
def test_half_the_size(regressor, other_stars, tmp_path, dtype, bits):
    regressor.save_pretrained(tmp_path / "whole")
    regressor.save_pretrained(tmp_path / "half", dtype=dtype)
    whole, half = (
        StellarParameterRegressor.from_pretrained(tmp_path / name) for name in ("whole", "half")
    )
    for (name, exact), rounded in zip(
        whole.module_.state_dict().items(), half.module_.state_dict().values(), strict=True
    ):
        assert rounded.dtype == exact.dtype
        # Below 2**-14, numbers of float16 are evenly spaced.
        bound = 2.0**-bits * exact.abs().clamp(min=2**-14)
        assert ((rounded - exact).abs() <= bound).all(), name
    np.testing.assert_array_equal(half.feature_range_, regressor.feature_range_)
    assert not np.array_equal(half.predict(other_stars), regressor.predict(other_stars))
    stored = {
        name: tensor.dtype
        for name, tensor in read_tensors(tmp_path / "half" / "model.safetensors")[0].items()
    }
    for name, kept_as in stored.items():
        assert (kept_as == getattr(torch, dtype)) != name.startswith("fitted/"), name


def test_half_saved_twice_is_the_same(msa, tmp_path):
    for source, target in ((msa, "first"), (None, "second")):
        source = source or MaskedStellarAutoencoder.from_pretrained(tmp_path / "first")
        source.save_pretrained(tmp_path / target, "bfloat16")
    for name in ("config.json", "model.safetensors"):
        first, second = (tmp_path / folder / name for folder in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_types_of_weights_there_are_not(msa, tmp_path):
    with pytest.raises(ValueError, match="`dtype` must be one of float32, .*, got 'int8'"):
        msa.save_pretrained(tmp_path, dtype="int8")
    assert not list(tmp_path.iterdir())


def test_weights_too_large_for_half_precision(msa, tmp_path):
    large = copy.deepcopy(msa)
    name, weight = next(iter(large.module_.named_parameters()))
    weight.data[0] = 1e6
    with pytest.raises(
        ValueError, match=f"'float16' cannot hold the weights {name}: some are inf"
    ):
        large.save_pretrained(tmp_path, dtype="float16")
    assert not list(tmp_path.iterdir())


def test_large_arrays_stand_beside_the_weights_exactly(regressor, tmp_path):
    regressor.save_pretrained(tmp_path)
    described = json.loads((tmp_path / "config.json").read_text())["estimator"]
    reader = described["fitted"]["encoder_"]["fitted"]["reader_"]
    assert reader["fitted"]["feature_range_"].keys() == {"tensor"}
    loaded = StellarParameterRegressor.from_pretrained(tmp_path)
    for name in ("is_observed_", "feature_range_", "feature_names_in_"):
        before, after = getattr(regressor, name), getattr(loaded, name)
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)


@given(
    arrays(
        st.sampled_from(["?", "<i4", "<i8", ">i8", "<f2", "<f4", ">f4", "<f8", "<u2"]),
        st.sampled_from([(), (0,), (64,), (65,), (9, 3, 5)]),
    )
)
def test_every_array_comes_back_exactly(array):
    encoder = Encoder({})
    described = json.loads(json.dumps(encoder.value(array), allow_nan=False))
    again = Decoder({}, encoder.arrays).value(described)
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)


def test_unfitted(make_msa, tmp_path):
    with pytest.raises(ValueError, match="not fitted yet"):
        make_msa().save_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_truncated(folder, name, part):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(part * len(content))])
    with pytest.raises(CheckpointError, match=f"{name}.*truncated"):
        MaskedStellarAutoencoder.from_pretrained(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_absent_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match="There is no saved estimator|is absent"):
        MaskedStellarAutoencoder.from_pretrained(folder)


def test_absent_folder(tmp_path):
    with pytest.raises(CheckpointError, match="There is no saved estimator in .*nowhere"):
        MaskedStellarAutoencoder.from_pretrained(tmp_path / "nowhere")


def test_one_altered_bit_of_the_weights(folder):
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-5] ^= 1
    (folder / "model.safetensors").write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="is absent, truncated or altered"):
        MaskedStellarAutoencoder.from_pretrained(folder)


def test_another_class(folder):
    with pytest.raises(
        CheckpointError, match="holds a MaskedStellarAutoencoder, not a StellarParameterRegressor"
    ):
        StellarParameterRegressor.from_pretrained(folder)


@pytest.mark.parametrize("written_as", [1, 99])
def test_another_format(folder, written_as):
    change(folder, "format", value=written_as)
    message = f"is in format {written_as}, this version reads 2 to 3. Load it with msaestimator"
    with pytest.raises(CheckpointError, match=message):
        MaskedStellarAutoencoder.from_pretrained(folder)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("format",), None, "truncated or was not written by msaestimator"),
        (("estimator",), [1], "truncated or was not written by msaestimator"),
        (("estimator", "parameters"), None, "is altered"),
        (("estimator", "fitted"), None, "is altered"),
        (("estimator", "parameters", "nonsense"), 1, "is altered.*nonsense"),
        (("estimator", "fitted", *READER, "preprocessor_", "kind"), "Popen", "is altered.*Popen"),
        (("estimator", "fitted", *READER, "is_observed_", "tensor"), "none", "is altered"),
        (
            ("estimator", "fitted", *READER, "n_features_in_"),
            {"array": [1], "dtype": "<i8", "shape": [2]},
            "is altered",
        ),
        (
            ("estimator", "parameters", "hidden_widths", "tuple"),
            [16, 9],
            "another schema or architecture",
        ),
        (("estimator", "fitted", *READER, "feature_names_", "tuple"), ["j_m"], "another schema"),
    ],
)
def test_altered_config(folder, keys, value, message):
    change(folder, *keys, value=value)
    with pytest.raises(CheckpointError, match=message):
        MaskedStellarAutoencoder.from_pretrained(folder)


def test_what_json_cannot_hold(make_msa, stars, tmp_path):
    same = FunctionTransformer(feature_names_out="one-to-one")
    preprocessor = make_pipeline(StellarFeatures(), same, RobustScaler())
    msa = make_msa(preprocessor=preprocessor).fit(stars)
    with pytest.raises(TypeError, match="A FunctionTransformer cannot be saved without pickle"):
        msa.save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_save_that_fails_leaves_the_older_one(folder, msa, other_stars):
    unsavable = copy.copy(msa)
    unsavable.protected = object()
    with pytest.raises(TypeError, match="A object cannot be saved without pickle"):
        unsavable.save_pretrained(folder)
    loaded = MaskedStellarAutoencoder.from_pretrained(folder)
    np.testing.assert_array_equal(loaded.transform(other_stars), msa.transform(other_stars))
