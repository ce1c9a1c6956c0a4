"""HDF5 files by astropy."""

import numpy as np
import pytest
from astropy.table import Table

from msaestimator.exceptions import ColumnError
from msaestimator.tables import read_stars, write_stars

h5py = pytest.importorskip("h5py")


@pytest.fixture
def several(tmp_path):
    """A file with two tables, one in a group."""
    path = tmp_path / "several.h5"
    Table({"a": [1, 2]}).write(path, path="stars", format="hdf5")
    Table({"b": ["x"]}).write(path, path="of/log", format="hdf5", append=True)
    return path


def test_several_tables_are_listed(several):
    with pytest.raises(
        ColumnError, match=r"2 tables, .*: 1 'of/log' \(1 rows: b\); 2 'stars' \(2"
    ):
        read_stars(several)


@pytest.mark.parametrize("hdu", [1, "of/log"])
def test_a_table_by_number_or_path(several, hdu):
    assert read_stars(several, hdu=hdu)["b"].tolist() == ["x"]


def test_arrays_are_no_tables(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = np.arange(3)
    with pytest.raises(ColumnError, match="cannot be read as HDF5: it has no table"):
        read_stars(tmp_path / "a.h5")


def test_text_is_text(tmp_path):
    write_stars(Table({"a": ["é", "b"]}), tmp_path / "a.h5")
    assert read_stars(tmp_path / "a.h5")["a"].dtype.kind == "U"
