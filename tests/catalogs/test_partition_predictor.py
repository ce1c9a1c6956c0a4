"""Partitions of a catalogue, as LSDB hands them out; with LSDB itself where it is installed."""

import importlib.util
import pickle
import sys
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from msaestimator import MaskedStellarAutoencoder
from msaestimator.catalogs import PartitionPredictor
from msaestimator.catalogs._partition_predictor import PREDICTORS
from msaestimator.exceptions import CheckpointError, ColumnError

needs_lsdb = pytest.mark.skipif(
    importlib.util.find_spec("lsdb") is None, reason="LSDB is not installed (msaestimator[lsdb])"
)


@pytest.fixture(scope="module")
def model(regressor, tmp_path_factory):
    """The folder of a saved regressor."""
    folder = tmp_path_factory.mktemp("model")
    regressor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def predict(model):
    return PartitionPredictor(model)


def frame_of(stars):
    """Return stars as a DataFrame of Arrow's types, arrays as lists of fixed size."""
    columns = {}
    for name in stars.colnames:
        values = np.asarray(getattr(stars[name], "value", stars[name]))
        array = pa.array(values.ravel())
        if values.ndim == 2:
            array = pa.FixedSizeListArray.from_arrays(array, values.shape[1])
        columns[name] = pd.Series(pd.arrays.ArrowExtensionArray(array))
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def partition(other_stars):
    frame = frame_of(other_stars)
    frame.index = pd.Index(range(1000, 1100), name="_healpix_29")
    return frame


def test_a_partition_keeps_its_index(predict, regressor, other_stars, partition):
    answers = predict(partition)
    assert answers.index.equals(partition.index)
    assert [*answers.columns[:3]] == ["source_id", "ra", "dec"]
    expected = regressor.predict_table(other_stars)["teff"].value
    np.testing.assert_allclose(answers["teff"].to_numpy(float), expected, rtol=1e-5)


def test_a_partition_without_stars_has_the_same_columns(predict, partition):
    empty, some = predict(partition[:0]), predict(partition[:2])
    assert len(empty) == 0
    assert empty.dtypes.equals(some.dtypes)
    assert empty.index.name == "_healpix_29"


def test_it_sends_no_weights(predict, model, partition):
    sent = pickle.dumps(predict)
    assert len(sent) < 2000
    PREDICTORS.clear()
    copy = pickle.loads(sent)
    assert copy(partition).equals(predict(partition))
    assert len(PREDICTORS) == 1


def test_its_token_tells_the_model(predict, model, partition):
    same = PartitionPredictor(model)
    other = PartitionPredictor(model, methods=["transform"])
    assert predict.__dask_tokenize__() == same.__dask_tokenize__()
    assert predict.__dask_tokenize__() != other.__dask_tokenize__()


def test_other_estimators(msa, partition, other_stars, tmp_path):
    msa.save_pretrained(tmp_path)
    predict = PartitionPredictor(tmp_path, kind=MaskedStellarAutoencoder)
    latent = np.stack(predict(partition)["latent"].to_list())
    np.testing.assert_allclose(latent, msa.transform(other_stars), rtol=1e-5, atol=1e-6)


def test_another_model_in_the_folder(make_regressor, msa, stars, model, partition, tmp_path):
    regressor = make_regressor(msa, max_epochs=0).fit(stars)
    regressor.save_pretrained(tmp_path)
    predict = PartitionPredictor(tmp_path)
    make_regressor(msa, max_epochs=0, random_state=1).fit(stars).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="must be .*, as it was when the work began"):
        predict(partition)


def test_a_partition_without_positions(predict, partition):
    with pytest.raises(ColumnError, match="but lacks ra, dec. Open the catalogue with them"):
        predict(partition.drop(columns=["ra", "dec"]))


@pytest.fixture
def lsdb():
    """LSDB, whose import and calls warn of changes in pandas and in itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield importlib.import_module("lsdb")
    assert "lsdb" in sys.modules


@needs_lsdb
def test_lsdb_maps_writes_and_searches(lsdb, predict, regressor, other_stars, tmp_path):
    frame = frame_of(other_stars)
    sky = lsdb.from_dataframe(
        frame, ra_column="ra", dec_column="dec", partition_rows=20, margin_threshold=None
    )
    sky.write_catalog(tmp_path / "sky", catalog_name="sky", progress_bar=False)
    sky = lsdb.open_catalog(tmp_path / "sky")
    answers = sky.map_partitions(predict)
    assert answers.meta.dtypes.equals(predict(frame[:0]).dtypes)
    # A search leaves partitions without stars.
    searched = sky.cone_search(0, 90, 3600).map_partitions(predict).compute()
    assert [*searched.columns] == [*answers.columns]
    answers.write_catalog(tmp_path / "answers", catalog_name="answers", progress_bar=False)
    found = lsdb.open_catalog(tmp_path / "answers")
    expected = regressor.predict_table(other_stars)
    order = np.argsort(expected["source_id"])
    table = found.compute().sort_values("source_id")
    np.testing.assert_allclose(
        table["teff"].to_numpy(float), expected["teff"].value[order], rtol=1e-5
    )
    assert len(found.crossmatch(sky, radius_arcsec=1, suffixes=("", "_of_star")).compute()) == 100


@needs_lsdb
def test_lsdb_opens_the_runners_catalogue(lsdb, regressor, other_stars, write_files, tmp_path):
    from hats.io.validation import is_valid_catalog

    from msaestimator.catalogs import predict_catalog

    predict_catalog(
        regressor, write_files(other_stars, (60, 40)), tmp_path / "out", progress=False
    )
    assert is_valid_catalog(tmp_path / "out", strict=True)
    found = lsdb.open_catalog(tmp_path / "out")
    star = other_stars[0]
    near = found.cone_search(star["ra"].value, star["dec"].value, 1).compute()
    assert near["source_id"].tolist() == [star["source_id"]]
    assert near.dtypes["teff"] == pd.ArrowDtype(pa.float32())
    assert len(found.crossmatch(found, radius_arcsec=1, suffixes=("_a", "_b")).compute()) == 100
