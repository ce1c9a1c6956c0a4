"""FITS files: the table that is meant, nulls, arrays, units of other dialects."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from msaestimator.exceptions import ColumnError
from msaestimator.tables import read_stars, write_stars

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
