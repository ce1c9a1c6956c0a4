"""Record batches in, record batches out, with columns that the model alone fixes."""

import pickle

import astropy.units as u
import numpy as np
import pyarrow as pa
import pytest

from msaestimator import StarTable
from msaestimator.catalogs import BatchPredictor
from msaestimator.exceptions import ColumnError
from msaestimator.tables import arrow_of_table, stars_of_arrow


@pytest.fixture(scope="module")
def predictor(regressor):
    return BatchPredictor(regressor)


def table_of(batch):
    return stars_of_arrow(pa.Table.from_batches([batch]))


def test_answers_are_those_of_the_estimator(
    predictor, regressor, other_stars, assert_same_answers
):
    batch = predictor(other_stars)
    assert batch.schema == predictor.schema
    expected = regressor.predict_table(other_stars)
    expected["ra"], expected["dec"] = other_stars["ra"], other_stars["dec"]
    found = table_of(batch)
    assert_same_answers(found[np.argsort(found["source_id"])], expected)
    assert {*found.colnames} == {*expected.colnames}
    assert found.meta["model_id"] == regressor.fingerprint
    assert found.meta["flags"] == expected.meta["flags"]


def test_any_container_of_the_same_stars(predictor, other_stars):
    whole = predictor(other_stars)
    table = arrow_of_table(other_stars)
    (batch,) = table.combine_chunks().to_batches()
    assert predictor(batch).equals(whole)
    assert predictor(table).equals(whole)
    assert predictor(table.to_pandas(types_mapper=None)).num_rows == len(other_stars)
    parts = predictor.map([batch.slice(0, 60), batch.slice(60)])
    joined = pa.Table.from_batches(parts)
    assert joined["source_id"].to_pylist() == whole["source_id"].to_pylist()
    np.testing.assert_allclose(joined["teff"].to_numpy(), whole["teff"], rtol=1e-5)


def test_no_stars(predictor, other_stars):
    empty = predictor(other_stars[:0])
    assert empty.num_rows == 0
    assert empty.schema.equals(predictor.schema, check_metadata=True)


def test_columns_tell_units_and_meaning(predictor):
    field = predictor.schema.field("teff_err")
    assert field.type == pa.float32()
    assert field.metadata[b"unit"] == b"K"
    assert b"half the width" in field.metadata[b"description"]
    assert predictor.schema.field("ra").type == pa.float64()
    assert predictor.schema.field("flags").type == pa.int32()


def test_latent_vectors_and_outlier_scores_side_by_side(regressor, other_stars):
    predictor = BatchPredictor(regressor, ("transform", "outlier_score"))
    batch = predictor(other_stars)
    latent = regressor.encoder_.transform(other_stars)
    assert batch.schema.field("latent").type == pa.list_(pa.float32(), latent.shape[1])
    np.testing.assert_array_equal(table_of(batch)["latent"], latent)
    np.testing.assert_allclose(
        batch["outlier_score"], regressor.outlier_score(other_stars), rtol=1e-6
    )


def test_an_autoencoder_gives_latent_vectors(msa, other_stars):
    predictor = BatchPredictor(msa)
    assert predictor.schema.names == ["source_id", "ra", "dec", "latent"]
    np.testing.assert_array_equal(
        table_of(predictor(other_stars))["latent"], msa.transform(other_stars)
    )


@pytest.mark.filterwarnings("ignore::msaestimator.exceptions.ToldRequestWarning")
def test_a_generalist_answers_requests(generalist, other_stars):
    asked = BatchPredictor(generalist, requests="bp_rp")
    expected = generalist.request(other_stars, "bp_rp")
    found = table_of(asked(other_stars))
    np.testing.assert_allclose(found["bp_rp"].value, expected["bp_rp"].value, rtol=1e-6)
    assert found["bp_rp"].unit == u.mag
    labels = BatchPredictor(generalist)
    assert labels.question == (("request",), generalist.labels_)
    vectors = BatchPredictor(generalist, "transform")
    assert vectors(other_stars)["latent"].type.list_size == generalist.embedding_dim


def test_columns_that_matter(predictor, generalist, stars):
    told = [*stars.colnames, "of_nobody"]
    needed = predictor.columns_of(told)
    assert {"source_id", "ra", "dec", "bp_coefficients", "ebv", "j_m"} <= {*needed}
    assert {"teff", "fe_h_err", "of_nobody"}.isdisjoint(needed)
    of_generalist = BatchPredictor(generalist).columns_of(told)
    assert {"teff", "bp_coefficient_errors"} <= {*of_generalist}
    assert "of_nobody" not in of_generalist


def test_positions_are_in_degrees_or_unknown(predictor, other_stars):
    stars = other_stars[:3].copy()
    stars["ra"] = stars["ra"].to(u.rad)
    del stars["dec"]
    batch = predictor(stars)
    np.testing.assert_allclose(batch["ra"], other_stars["ra"][:3].value, rtol=1e-12)
    assert np.isnan(batch["dec"]).all()


def test_positions_that_are_no_numbers(predictor, other_stars):
    stars = other_stars[:2].copy()
    stars["ra"] = ["12h", "13h"]
    with pytest.raises(ColumnError, match="'ra' must be numbers in degrees"):
        predictor(stars)


def test_stars_without_ids(predictor, other_stars):
    with pytest.raises(ColumnError, match="must have the column 'source_id'"):
        predictor(other_stars[["phot_g_mean_mag", "ra", "dec"]])


def test_a_model_of_matrices_has_no_columns(make_msa):
    model = make_msa(max_epochs=0).fit(np.random.default_rng(0).normal(size=(20, 3)))
    with pytest.raises(ColumnError, match="matrix"):
        BatchPredictor(model)


@pytest.mark.parametrize(
    ("methods", "requests", "message"),
    [
        ("request", None, "must be among predict_table, transform, outlier_score for a"),
        ("predict_tabel", None, "got 'predict_tabel'. Did you mean 'predict_table'?"),
        ((), None, "`methods` must be among"),
        (("transform", "transform"), None, "must name each once"),
        ("transform", ["teff"], "`requests` are for the method 'request'"),
    ],
)
def test_questions_that_cannot_be_asked(regressor, methods, requests, message):
    with pytest.raises(ValueError, match=message):
        BatchPredictor(regressor, methods, requests)


def test_it_goes_to_other_processes(predictor, other_stars):
    copy = pickle.loads(pickle.dumps(predictor))
    assert copy(other_stars[:5]).equals(predictor(other_stars[:5]))


def test_masked_ids_are_null(predictor, other_stars):
    stars = StarTable(other_stars[:2], masked=True, copy=True)
    stars["source_id"] = StarTable.MaskedColumn(stars["source_id"], mask=[True, False])
    assert predictor(stars)["source_id"].null_count == 1
