"""FITS files: the table that is meant, nulls, arrays, units of other dialects."""

import tracemalloc

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from msaestimator.exceptions import ColumnError
from msaestimator.tables import raw_column, read_stars, write_stars

BIG = 5937083312263887616


@pytest.fixture
def several(tmp_path):
    """A file with an image and two tables."""
    path = tmp_path / "several.fits"
    wide = Table({f"column_{number}": [1.0, 2.0] for number in range(6)})
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(np.zeros((2, 2)), name="SKY"),
        fits.BinTableHDU(Table({"source_id": [BIG]}), name="STARS"),
        fits.BinTableHDU(wide, name="LOG"),
    ]
    fits.HDUList(hdus).writeto(path)
    return path


def test_several_tables_are_listed(several):
    with pytest.raises(ColumnError) as caught:
        read_stars(several)
    assert str(caught.value) == (
        f"The file {str(several)!r} cannot be read as FITS: it has 2 tables, of which `hdu` "
        "(--hdu) must name one by its number or name: 2 'STARS' (1 rows: source_id); 3 'LOG' (2 "
        "rows: column_0, column_1, column_2, column_3, ...)."
    )


@pytest.mark.parametrize("hdu", [2, "2", "STARS", "stars"])
def test_a_table_by_number_or_name(several, hdu):
    assert read_stars(several, hdu=hdu)["source_id"].tolist() == [BIG]


@pytest.mark.parametrize("hdu", [0, 1, 4, -1, "SKY", "star", ""])
def test_a_table_that_is_not_there(several, hdu):
    with pytest.raises(ColumnError, match=f"no table {hdu!r}, .* it has 2 'STARS' .*; 3 'LOG'"):
        read_stars(several, hdu=hdu)


def test_the_only_table_needs_no_name(tmp_path):
    hdus = [
        fits.PrimaryHDU(np.zeros((2, 2))),
        fits.ImageHDU(),
        fits.BinTableHDU(Table({"a": [1]})),
    ]
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    assert read_stars(tmp_path / "a.fits")["a"].tolist() == [1]
    assert read_stars(tmp_path / "a.fits", hdu=2)["a"].tolist() == [1]
    with pytest.raises(ColumnError, match="has no table 1"):
        read_stars(tmp_path / "a.fits", hdu=1)


def test_images_are_no_tables(tmp_path):
    image = np.zeros((30, 30), dtype=np.int16)
    fits.HDUList([fits.PrimaryHDU(image), fits.CompImageHDU(image)]).writeto(tmp_path / "a.fits")
    with pytest.raises(ColumnError, match="cannot be read as FITS: it has no table"):
        read_stars(tmp_path / "a.fits")


def test_ascii_tables(tmp_path):
    columns = [fits.Column("a", "I10", array=np.array([1, 2]), ascii=True)]
    fits.TableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    assert read_stars(tmp_path / "a.fits")["a"].tolist() == [1, 2]


def test_columns_of_every_kind(tmp_path):
    rows = np.empty(2, dtype=object)
    rows[:] = [np.arange(3.0), np.arange(1.0, 4.0)]
    ragged = np.empty(2, dtype=object)
    ragged[:] = [np.arange(2.0), np.arange(3.0)]
    columns = [
        fits.Column("source_id", "K", null=-1, array=np.array([BIG, -1])),
        fits.Column("n_obs", "I", null=-99, array=np.array([-99, 2])),
        fits.Column("variable", "L", array=np.array([True, False])),
        fits.Column("survey", "8A", array=np.array(["apogee", ""])),
        fits.Column("teff", "E", array=np.array([np.nan, 5772.0]), unit="K"),
        fits.Column("pmra", "D", array=np.array([1.0, 2.0]), unit="mas.yr**-1"),
        fits.Column("logg", "E", array=np.array([1.0, 2.0]), unit="log(cm.s**-2)"),
        fits.Column("fe_h", "E", array=np.array([1.0, 2.0]), unit="dex"),
        fits.Column("xp", "3E", array=np.arange(6.0).reshape(2, 3)),
        fits.Column("rows", "PD()", array=rows),
        fits.Column("ragged", "PD()", array=ragged),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    stars = read_stars(tmp_path / "a.fits")
    assert stars["source_id"].tolist() == [BIG, None]
    assert stars["n_obs"].tolist() == [None, 2]
    assert stars["variable"].tolist() == [True, False]
    assert stars["survey"].tolist() == ["apogee", None]
    assert stars["teff"].mask.tolist() == [True, False]
    assert {name: str(stars[name].unit) for name in ("teff", "pmra", "logg", "fe_h")} == {
        "teff": "K",
        "pmra": "mas / yr",
        "logg": "log(cm.s**-2)",
        "fe_h": "dex",
    }
    assert stars["xp"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert stars["rows"].tolist() == [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]
    assert stars["ragged"][1].tolist() == [0.0, 1.0, 2.0]


def test_ids_with_a_unit_are_exact(tmp_path):
    """A Quantity of them would be floats."""
    columns = [
        fits.Column("source_id", "K", unit="count", array=np.array([BIG + 1])),
        fits.Column("ebv", "J", unit="mag", array=np.array([2])),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    stars = read_stars(tmp_path / "a.fits")
    assert stars["source_id"].tolist() == [BIG + 1]
    assert stars["ebv"].unit == "mag"


def test_masked_logarithms_keep_unit_and_description(tmp_path):
    logg = MaskedColumn([4.5, 1.0], mask=[False, True], unit=u.dex(u.cm / u.s**2))
    logg.description = "surface gravity"
    write_stars(Table({"logg": logg}), tmp_path / "a.fits")
    read = read_stars(tmp_path / "a.fits")["logg"]
    assert read.unit == u.dex(u.cm / u.s**2)
    assert read.info.description == "surface gravity"
    assert np.isnan(read.value).tolist() == [False, True]


def test_text_beyond_ascii_is_refused_by_name(tmp_path):
    with pytest.raises(ColumnError, match="column 'name' has text beyond ASCII, .* such as .ecsv"):
        write_stars(Table({"name": ["α Cen"]}), tmp_path / "a.fits")
    assert not (tmp_path / "a.fits").exists()


@pytest.mark.parametrize("ending", [".csv", ".ecsv"])
def test_text_has_all_that_a_catalogue_shows_less_of(tmp_path, ending):
    stars = Table({"magnitude": [15.123456]})
    stars["magnitude"].format = ".2f"
    write_stars(stars, tmp_path / "stars.fits")
    with fits.open(tmp_path / "stars.fits") as hdus:
        assert hdus[1].header["TDISP1"].endswith(".2")
    write_stars(read_stars(tmp_path / "stars.fits"), tmp_path / f"stars{ending}")
    assert read_stars(tmp_path / f"stars{ending}")["magnitude"][0] == 15.123456


@pytest.fixture
def kinds(tmp_path):
    """A file with a column of every kind, and of one kind too many."""
    stars = Table(
        {
            "unwanted": np.zeros((3, 50)),
            "source_id": [BIG, BIG + 1, BIG + 2],
            "teff": MaskedColumn([5000.0, 0.0, 6000.0], mask=[False, True, False], unit="K"),
            "flag": MaskedColumn([1, 2, 3], mask=[False, False, True], dtype=np.int16),
            "unsigned": np.array([0, 1, 2**32 - 1], dtype=np.uint32),
            "name": ["a", "bb", ""],
            "good": [True, False, True],
            "errors": np.arange(6, dtype=np.float32).reshape(3, 2),
        }
    )
    path = tmp_path / "kinds.fits"
    write_stars(stars, path)
    return path


@pytest.mark.parametrize("ending", ["fits", "fits.gz", "csv", "parquet"])
def test_some_columns_are_as_among_all(kinds, tmp_path, ending):
    path = tmp_path / f"other.{ending}"
    write_stars(read_stars(kinds), path)
    names = ["errors", "source_id", "teff", "flag", "unsigned", "name", "good"]
    every, some = read_stars(path), read_stars(path, columns=names)
    assert some.colnames == names
    for name in names:
        assert some[name].dtype == every[name].dtype
        assert some[name].unit == every[name].unit
        np.testing.assert_array_equal(*(_values(table[name]) for table in (some, every)))


def _values(column):
    """Return values with their fill where they are missing, by mask or by NaN."""
    values, mask, _ = raw_column(column)
    fill = np.nan if values.dtype.kind == "f" else values.dtype.type()
    return np.where(mask, fill, values)


def test_columns_outlive_the_file_they_were_on(kinds):
    stars = read_stars(kinds, columns=["source_id"])
    kinds.unlink()
    assert stars["source_id"].tolist() == [BIG, BIG + 1, BIG + 2]


def test_only_the_columns_wanted_come_into_memory(tmp_path):
    path = tmp_path / "wide.fits"
    write_stars(Table({"teff": np.ones(40_000), "much": np.zeros((40_000, 100))}), path)
    tracemalloc.start()
    assert read_stars(path, columns=["teff"])["teff"].sum() == 40_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 10


@pytest.mark.parametrize("ending", ["fits", "ecsv"])
def test_columns_that_a_file_lacks(tmp_path, ending):
    path = tmp_path / f"few.{ending}"
    write_stars(Table({"TEFF": [1.0], "LOGG": [1.0]}), path)
    with pytest.raises(ColumnError, match="columns TEFF, logg, got none called logg"):
        read_stars(path, columns=["TEFF", "logg"])


def test_a_file_cut_off_has_no_columns(kinds, tmp_path):
    path = tmp_path / "short.fits"
    path.write_bytes(kinds.read_bytes()[:-2880])
    with pytest.raises(ColumnError, match="cannot be read as FITS: File may have been truncated"):
        read_stars(path, columns=["source_id"])
