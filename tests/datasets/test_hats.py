"""HATS catalogues: the layout that LSDB opens, read in the order of the sky."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy_healpix import HEALPix

from msaestimator.datasets import (
    HATS_INDEX,
    StarDataset,
    hats_index,
    hats_partition,
    write_hats_metadata,
)
from msaestimator.exceptions import ColumnError

PIXELS = [(1, 10), (0, 0), (1, 9)]


@pytest.fixture
def catalogue(tmp_path):
    """A catalogue of a star in the middle of each of three pixels, with what is none of it."""
    folder = tmp_path / "few"
    for order, pixel in PIXELS:
        ra, dec = HEALPix(2**order, "nested").healpix_to_lonlat([pixel])
        ra, dec = ra.to_value(u.deg), dec.to_value(u.deg)
        rows = pa.table({HATS_INDEX: hats_index(ra, dec), "ra": ra, "dec": dec})
        path = folder / hats_partition(order, pixel)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path)
    write_hats_metadata(folder, rows.schema, 3, PIXELS, {"obs_title": "a few"})
    (folder / "dataset" / "data_thumbnail.parquet").write_bytes(path.read_bytes())
    return folder


def test_metadata(catalogue):
    assert (catalogue / "partition_info.csv").read_text() == "Norder,Npix\n0,0\n1,9\n1,10\n"
    lines = (catalogue / "hats.properties").read_text().splitlines()
    properties = dict(line.split("=") for line in lines)
    assert properties["obs_collection"] == "few"
    assert properties["hats_nrows"] == "3"
    assert properties["hats_order"] == "1"
    assert properties["obs_title"] == "a few"
    assert properties["hats_col_healpix"] == HATS_INDEX
    common = pq.read_schema(catalogue / "dataset" / "_common_metadata")
    assert common.names == [HATS_INDEX, "ra", "dec"]
    assert [*catalogue.rglob(".*")] == []


def test_index_is_the_pixel_of_every_order():
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 100), np.degrees(np.arcsin(rng.uniform(-1, 1, 100)))
    for order in (0, 5, 12):
        expected = HEALPix(2**order, "nested").lonlat_to_healpix(ra * u.deg, dec * u.deg)
        np.testing.assert_array_equal(hats_index(ra, dec) >> 2 * (29 - order), expected)


def test_partitions_in_the_order_of_the_sky(catalogue):
    stars = StarDataset(catalogue)
    assert stars.files == tuple(catalogue / hats_partition(*p) for p in [(0, 0), (1, 9), (1, 10)])
    (batch,) = stars.batches(5)
    assert np.all(np.diff(batch[HATS_INDEX]) > 0)
    assert len(stars) == 3


def test_older_names_and_folders_of_partitions(catalogue):
    (catalogue / "hats.properties").rename(catalogue / "properties")
    path = catalogue / hats_partition(0, 0)
    path.with_suffix("").mkdir()
    path.rename(path.with_suffix("") / "part0.parquet")
    assert len(StarDataset(catalogue)) == 3


def test_a_collection_is_read_without_its_margin(catalogue):
    collection = catalogue.parent
    (collection / "few_5arcs").mkdir()
    (collection / "few_5arcs" / "margin.parquet").write_bytes(
        (catalogue / hats_partition(0, 0)).read_bytes()
    )
    properties = collection / "collection.properties"
    properties.write_text("#HATS\nobs_collection=all\nhats_primary_table_url = few\n")
    assert StarDataset(collection).files == StarDataset(catalogue).files
    properties.write_text("obs_collection=all\n")
    with pytest.raises(ColumnError, match="must name the catalogue as hats_primary_table_url"):
        StarDataset(collection)


def test_a_partition_that_vanished(catalogue):
    (catalogue / hats_partition(1, 9)).unlink()
    with pytest.raises(FileNotFoundError, match=r"lists .* 'dataset/Norder=1/.*Npix=9.parquet'"):
        StarDataset(catalogue)


@pytest.mark.parametrize("content", [None, "a,b\n1,2\n", "Norder,Npix\n1,x\n"])
def test_a_listing_that_cannot_be_read(catalogue, content):
    (catalogue / "partition_info.csv").unlink()
    if content is not None:
        (catalogue / "partition_info.csv").write_text(content)
    with pytest.raises(ColumnError, match="must list its partitions in 'partition_info.csv'"):
        StarDataset(catalogue)


def test_a_catalogue_without_partitions(tmp_path):
    write_hats_metadata(tmp_path, pa.schema([("ra", pa.float64())]), 0, [])
    with pytest.raises(ColumnError, match="must have files of stars, got none"):
        StarDataset(tmp_path)
