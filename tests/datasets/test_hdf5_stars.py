"""HDF5 files of stars: one table with units and masks, or a dataset for each column."""

import astropy.units as u
import numpy as np
import pytest
from astropy.utils.masked import Masked

from msaestimator import StarTable
from msaestimator.datasets import StarDataset, _hdf5_stars
from msaestimator.exceptions import ColumnError, MissingDependencyError
from msaestimator.tables import read_stars, write_stars

h5py = pytest.importorskip("h5py")

N = 250


@pytest.fixture
def stars():
    """Stars with a unit, a mask, arrays, text and exact integers."""
    teff = np.arange(N) * 1.0
    return StarTable(
        {
            "source_id": 5937083312263887616 + np.arange(N),
            "teff": Masked(teff * u.K, mask=np.arange(N) % 3 == 0),
            "bp_coefficients": np.arange(N * 55).reshape(N, 55) / 8,
            "name": np.char.mod("star %d", np.arange(N)),
        }
    )


def known(column):
    """Return the values that are not masked."""
    values = np.asarray(getattr(column, "unmasked", column))
    return values[~np.broadcast_to(getattr(column, "mask", False), values.shape)]


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    monkeypatch.setattr(_hdf5_stars, "GROUP", 100)


def test_a_table_as_we_write_it(stars, tmp_path):
    write_stars(stars, tmp_path / "x.hdf5")
    dataset = StarDataset(tmp_path)
    assert dataset.columns == ("source_id", "teff", "bp_coefficients", "name")
    assert dataset.units == {"teff": "K"}
    assert [fragment.n_rows for fragment in dataset.fragments] == [100, 100, 50]
    expected = read_stars(tmp_path / "x.hdf5")
    (read,) = dataset.batches(1000)
    for name in dataset.columns:
        np.testing.assert_array_equal(known(read[name]), known(expected[name]))
    assert read["bp_coefficients"].dtype == np.float32
    assert dataset.sample(7, 0, columns=["teff"])["teff"].unit == u.K


def test_a_dataset_for_each_column(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["stars/source_id"] = np.arange(150) + 5937083312263887616
        file["stars/phot_g_mean_mag"] = np.array([np.finfo("f4").max, *range(149)], dtype="f4")
        file["stars/bp_n_relevant_bases"] = np.array([np.iinfo("i2").min, *range(149)], "i2")
        file["stars/in_qso_candidates"] = np.zeros(150, dtype=bool)
        file["version"] = 3
    (read,) = StarDataset(tmp_path / "x.h5").batches(1000)
    assert read["source_id"][149] == 5937083312263887616 + 149
    assert np.isnan(read["phot_g_mean_mag"][0])
    assert read["phot_g_mean_mag"][149] == 148
    assert read["bp_n_relevant_bases"].mask.sum() == read["bp_n_relevant_bases"].mask[0] == 1
    assert not read["in_qso_candidates"].any()


def test_columns_of_several_lengths_and_several_tables(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"], file["b"] = np.zeros(3), np.zeros(4)
    with pytest.raises(ColumnError, match=r"columns of one length, got \[3, 4\] in .*x\.h5"):
        StarDataset(tmp_path / "x.h5")
    rows = np.zeros(3, dtype=[("a", float)])
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["one"], file["two"] = rows, rows
    with pytest.raises(ColumnError, match="must have one table, got one, two in"):
        StarDataset(tmp_path / "y.h5")


def test_what_is_no_hdf5(tmp_path):
    (tmp_path / "x.hdf5").write_bytes(b"not at all")
    with pytest.raises(ColumnError, match=r"x\.hdf5' cannot be read as HDF5: .* anew"):
        StarDataset(tmp_path)


def test_fingerprint_changes_with_the_file(stars, tmp_path):
    write_stars(stars, tmp_path / "x.hdf5")
    before = StarDataset(tmp_path).fingerprint
    write_stars(stars[:-1], tmp_path / "x.hdf5", overwrite=True)
    assert StarDataset(tmp_path).fingerprint != before


def test_h5py_is_not_installed(stars, tmp_path, monkeypatch):
    write_stars(stars, tmp_path / "x.hdf5")
    monkeypatch.setattr(_hdf5_stars, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install h5py"):
        StarDataset(tmp_path)
