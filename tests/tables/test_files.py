"""Files of stars: what is written comes back, and what cannot be read is told in one line."""

import bz2
import gzip
import lzma
import os
import tempfile
import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked
from hypothesis import given, settings, strategies
from hypothesis.extra.numpy import arrays

from msaestimator.exceptions import ColumnError, MissingDependencyError
from msaestimator.schema import StarTable
from msaestimator.tables import _file_formats as file_formats
from msaestimator.tables import is_table_path, raw_column, read_stars, write_stars
from msaestimator.tables._file_formats import COMPRESSED, FORMATS

ENDINGS = [
    ending + compression
    for ending, form in FORMATS.items()
    for compression in ["", *COMPRESSED]
    if form.may_be_compressed or not compression
]
ONE_OF_EACH = (".fits", ".csv", ".ecsv", ".vot", ".parquet", ".feather", ".h5")
UNITS = {
    "logg": u.dex(u.cm / u.s**2),
    "fe_h": u.dex,
    "mass": u.solMass,
    "age": u.Gyr,
    "pmra": u.mas / u.yr,
    "phot_g_mean_mag": u.mag,
    "teff": u.K,
}


def make_stars():
    """Three stars with what columns there are: units, masks, texts, truths, arrays, big ids."""
    stars = StarTable({"source_id": [2**60 + 1, 2**53 + 1, 5937083312263887616]})
    for number, (name, unit) in enumerate(UNITS.items()):
        stars[name] = (np.array([1.25, 2.5, 1 / 3]) + number) * unit
    stars["teff"] = Masked(stars["teff"], mask=[False, True, False])
    stars["ebv"] = np.array([0.1, np.nan, 0.3], dtype=">f4") * u.mag
    stars["survey"] = MaskedColumn(["apogee", "?", "galah, DR3"], mask=[False, True, False])
    stars["other_id"] = MaskedColumn([2**60 + 3, 7, 0], mask=[False, True, False])
    stars["variable"] = [True, False, True]
    stars["bp_coefficients"] = np.arange(9, dtype=">f4").reshape(3, 3) / 7
    stars["rp_coefficients"] = MaskedColumn(np.arange(9.0).reshape(3, 3), mask=np.eye(3, 3))
    return stars


def assert_same(read, written, *, units=True):
    """Compare values where they are known, masks with NaN as masked, and units."""
    assert isinstance(read, StarTable)
    assert read.colnames == written.colnames
    for name in written.colnames:
        got, expected = raw_column(read[name]), raw_column(written[name])
        kind = expected.values.dtype
        missing = [
            raw.mask | (np.isnan(raw.values) if raw.values.dtype.kind == "f" else False)
            for raw in (got, expected)
        ]
        np.testing.assert_array_equal(*missing, err_msg=name)
        known = ~missing[0]
        # Text tells no type: 1.1 is read as float64, and is the float32 that it was.
        np.testing.assert_array_equal(
            got.values[known].astype(kind), expected.values[known], err_msg=name
        )
        assert got.values.dtype.isnative
        if units:
            assert got.unit == expected.unit, name


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_comes_back(tmp_path, ending):
    stars, path = make_stars(), tmp_path / f"my stars{ending}"
    write_stars(stars, path)
    read = read_stars(path)
    assert_same(read, stars, units=".csv" not in ending)
    assert read["source_id"].dtype == np.int64
    assert read["bp_coefficients"].shape == (3, 3)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("ending", ONE_OF_EACH)
def test_a_table_without_rows_comes_back(tmp_path, ending):
    stars, path = make_stars()[:0], tmp_path / f"none{ending}"
    write_stars(stars, path)
    read = read_stars(path)
    assert (len(read), read.colnames) == (0, stars.colnames)
    if ending != ".csv":
        assert_same(read, stars)
        assert read["source_id"].dtype == np.int64
        assert read["bp_coefficients"].shape == (0, 3)
        assert read["bp_coefficients"].dtype == np.float32


@pytest.mark.parametrize("ending", [e for e in ONE_OF_EACH if e != ".fits"])
def test_text_beyond_ascii_comes_back(tmp_path, ending):
    write_stars(Table({"name": ["α Cen", "é", "星"]}), tmp_path / f"a{ending}")
    assert read_stars(tmp_path / f"a{ending}")["name"].tolist() == ["α Cen", "é", "星"]


def test_masked_truths_come_back_from_fits_as_numbers(tmp_path):
    stars = Table({"variable": MaskedColumn([True, False, True], mask=[False, False, True])})
    write_stars(stars, tmp_path / "a.fits")
    read = read_stars(tmp_path / "a.fits")["variable"]
    assert read.tolist() == [1, 0, None]


@pytest.mark.parametrize("ending", ONE_OF_EACH)
@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "bool"])
def test_no_value_is_taken_for_none(tmp_path, ending, kind):
    """Formats in which a number stands for no value have one that is none of the values."""
    limits = [0, 1] if kind == "bool" else [np.iinfo(kind).min, np.iinfo(kind).max]
    values = np.array([*limits, 63, 1, 0, 0]).astype(kind)
    stars = Table({"a": MaskedColumn(values, mask=[False] * 5 + [True])})
    write_stars(stars, tmp_path / f"a{ending}")
    assert read_stars(tmp_path / f"a{ending}")["a"].tolist() == stars["a"].tolist()


@pytest.mark.parametrize("ending", [".ecsv", ".parquet", ".feather", ".h5"])
def test_times_come_back(tmp_path, ending):
    write_stars(QTable({"epoch": Time([2016.0, 2017.5], format="jyear")}), tmp_path / f"a{ending}")
    read = read_stars(tmp_path / f"a{ending}")["epoch"]
    np.testing.assert_allclose(read.jyear, [2016.0, 2017.5], rtol=1e-12)


@pytest.mark.parametrize("ending", [".ecsv", ".parquet", ".feather", ".h5"])
def test_meta_and_descriptions_come_back(tmp_path, ending):
    stars = Table({"teff": [5772.0] * u.K}, meta={"model": {"name": "gaia-xp", "labels": ["a"]}})
    stars["teff"].info.description = "effective temperature"
    write_stars(stars, tmp_path / f"a{ending}")
    read = read_stars(tmp_path / f"a{ending}")
    assert read.meta == stars.meta
    assert read["teff"].info.description == "effective temperature"


@pytest.mark.parametrize("ending", [".csv", ".ecsv"])
def test_text_has_the_decimals_of_the_columns(tmp_path, ending):
    """The float64 of a float32 shows digits that nobody measured; formats and float32 do not."""
    numbers = np.array([5772.123456789, 0.1])
    stars = QTable({"source_id": [2**60 + 1, 2**60 + 3], "teff": numbers << u.K})
    stars["teff"].info.format = ".1f"
    stars["logg"] = np.float32(numbers)
    stars["ra"] = numbers
    write_stars(stars, tmp_path / f"a{ending}")
    rows = [line.replace(",", " ") for line in (tmp_path / f"a{ending}").read_text().splitlines()]
    assert rows[-2:] == [
        "1152921504606846977 5772.1 5772.1235 5772.123456789",
        "1152921504606846979 0.1 0.1 0.1",
    ]


@pytest.mark.parametrize("ending", [e for e in ONE_OF_EACH if e not in (".csv", ".ecsv")])
def test_decimals_of_a_file_are_no_reason_to_cut_its_numbers(tmp_path, ending):
    stars = Table({"phot_g_mean_mag": [12.3456789]})
    stars["phot_g_mean_mag"].format = ".2f"
    write_stars(stars, tmp_path / f"a{ending}")
    write_stars(read_stars(tmp_path / f"a{ending}"), tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text().split() == ["phot_g_mean_mag", "12.3456789"]


@pytest.mark.parametrize("ending", ONE_OF_EACH)
def test_nothing_is_warned_of(tmp_path, ending):
    stars = make_stars()
    stars.meta["a long name with spaces"] = {"of": "a dict"}
    stars["odd"] = Table.Column([1.0, 2.0, 3.0], unit=u.Unit("sublime", parse_strict="silent"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_stars(stars, tmp_path / f"a{ending}")
        read_stars(tmp_path / f"a{ending}")


@pytest.mark.parametrize("ending", ["FITS", "Csv", "CSV.GZ", "ecsv.Gz", "PARQUET", "VOT", "H5"])
def test_endings_in_capitals(tmp_path, ending):
    path = tmp_path / f"STARS.{ending}"
    write_stars(Table({"a": [1]}), path)
    assert read_stars(path)["a"].tolist() == [1]
    assert is_table_path(path)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compression_is_told_by_the_content(tmp_path, compress):
    path = tmp_path / "plain.csv"
    path.write_bytes(compress(b"a\n1\n"))
    assert read_stars(path)["a"].tolist() == [1]


def test_compressed_files_are_compressed(tmp_path):
    for ending, decompress in {".gz": gzip, ".bz2": bz2, ".xz": lzma}.items():
        write_stars(Table({"a": [1]}), tmp_path / f"a.csv{ending}")
        assert decompress.decompress((tmp_path / f"a.csv{ending}").read_bytes()) == b"a\n1\n"


def test_paths_of_every_kind(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_stars(Table({"a": [1]}), "~/new folder/stars.csv")
    for path in (
        "~/new folder/stars.csv",
        "new folder/stars.csv",
        tmp_path / "new folder/stars.csv",
    ):
        assert read_stars(path)["a"].tolist() == [1]
    with pytest.raises(FileNotFoundError, match="There is no file '~nobody-of-this-name/a.csv'"):
        read_stars("~nobody-of-this-name/a.csv")
    with pytest.raises(FileNotFoundError, match=f"There is no file '{tmp_path}/none.csv'"):
        read_stars("~/none.csv")


@pytest.mark.parametrize(
    "name", ["stars", "stars.txt", "stars.csvv", ".fits", "a.parquet.gz", "a.gz", "a.csv.zip"]
)
def test_unknown_endings(tmp_path, name):
    path = tmp_path / name
    path.write_text("a\n1\n")
    assert not is_table_path(path) or name.endswith(".parquet.gz")
    with pytest.raises(ColumnError, match=r"must be one of \.fits, .*, \.csv, .*; or of .*\.gz"):
        read_stars(path)
    with pytest.raises(ColumnError, match=f"got {name!r}"):
        write_stars(Table({"a": [1]}), path, overwrite=True)


def test_an_ending_with_a_typo(tmp_path):
    (tmp_path / "a.parqet").write_text("")
    with pytest.raises(ColumnError, match=r"Did you mean '\.parquet'"):
        read_stars(tmp_path / "a.parqet")


def broken(path, ending):
    """Return what is wrong with files by what is in them: (content, words of the message)."""
    write_stars(Table({"source_id": np.arange(2000), "x": np.arange(2000) / 7}), path)
    whole = path.read_bytes()
    cut = whole[: len(whole) * 2 // 3]
    noise = np.random.default_rng(0).bytes(3000)
    return {
        "nothing": (b"", "it is empty"),
        "page": (b"\n<!DOCTYPE HTML>\n<html><body>503</body></html>", "its content is HTML"),
        "message": (b'{"error": 503}', "its content is JSON"),
        "archive": (b"PK\x03\x04" + noise, "its content is a zip archive, which must be unpacked"),
        "other": (b"PAR1" if ending != ".parquet" else b"SIMPLE  =", "its content is "),
        "cut": (cut.rpartition(b",")[0] if ending == ".csv" else cut, ""),
        "noise": (noise, ""),
    }


@pytest.mark.parametrize(
    ("ending", "name"),
    [
        (".fits", "FITS"),
        (".fits.gz", "FITS"),
        (".csv", "CSV"),
        (".csv.gz", "CSV"),
        (".ecsv.gz", "ECSV"),
        (".vot", "VOTable"),
        (".vot.gz", "VOTable"),
        (".parquet", "parquet"),
        (".feather", "Feather"),
        (".h5", "HDF5"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_a_line(tmp_path, ending, name):
    path = tmp_path / f"stars{ending}"
    for content, reason in broken(path, ending).values():
        path.write_bytes(content)
        with pytest.raises(ColumnError) as caught:
            read_stars(path)
        message = str(caught.value)
        assert message.startswith(f"The file {str(path)!r} cannot be read as {name}: {reason}")
        assert message.isprintable()
        assert message.endswith(".")


def test_a_cut_compressed_file_says_so(tmp_path):
    for ending in (".fits.gz", ".csv.gz", ".ecsv.gz", ".vot.gz"):
        path = tmp_path / f"stars{ending}"
        write_stars(Table({"x": np.random.default_rng(0).normal(size=2000)}), path)
        path.write_bytes(path.read_bytes()[:9000])
        with pytest.raises(ColumnError, match="ended before the end-of-stream marker"):
            read_stars(path)


@pytest.mark.parametrize("name", ["FITS", "parquet", "Feather", "HDF5"])
def test_text_is_no_binary_file(tmp_path, name):
    ending = next(ending for ending, form in FORMATS.items() if form.name == name)
    (tmp_path / f"a{ending}").write_text("These are not stars.")
    with pytest.raises(ColumnError, match=f"as {name}: it does not begin as {name} files do"):
        read_stars(tmp_path / f"a{ending}")


def test_an_error_without_words_is_named(tmp_path, monkeypatch):
    def fail(path):
        raise ZeroDivisionError

    monkeypatch.setitem(FORMATS, ".csv", FORMATS[".csv"]._replace(read=fail))
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(ColumnError, match="cannot be read as CSV: ZeroDivisionError"):
        read_stars(tmp_path / "a.csv")


def test_too_little_memory_is_no_broken_file(tmp_path, monkeypatch):
    def fail(path):
        raise MemoryError

    monkeypatch.setitem(FORMATS, ".csv", FORMATS[".csv"]._replace(read=fail))
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(MemoryError):
        read_stars(tmp_path / "a.csv")


def test_hdu_of_a_file_that_has_one_table(tmp_path):
    write_stars(Table({"a": [1]}), tmp_path / "a.csv")
    with pytest.raises(ColumnError, match="a FITS, VOTable or HDF5 file, got 1 for 'a.csv'"):
        read_stars(tmp_path / "a.csv", hdu=1)


def test_hdf5_needs_h5py(tmp_path, monkeypatch):
    monkeypatch.setattr(file_formats, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="HDF5 files need h5py. .* pip install h5py"):
        write_stars(Table({"a": [1]}), tmp_path / "a.h5")


def test_what_is_no_table_is_not_written(tmp_path):
    with pytest.raises(ColumnError, match=r"must be an astropy table, got dict. Pass StarTable"):
        write_stars({"a": [1]}, tmp_path / "a.csv")


@pytest.mark.parametrize("ending", [e for e in ONE_OF_EACH if e not in (".csv", ".vot")])
def test_a_table_that_the_format_cannot_hold(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    path.write_text("older")
    stars = Table({"a": np.array([1j, 2]), "b": np.array([{1}, object()], dtype=object)})
    with pytest.raises(ColumnError, match=f"cannot be written to {str(path)!r} as"):
        write_stars(stars, path, overwrite=True)
    assert path.read_text() == "older"
    assert os.listdir(tmp_path) == [path.name]


def test_a_folder_is_read_as_parquet(tmp_path):
    (tmp_path / "stars.csv").mkdir()
    with pytest.raises(
        ColumnError, match=r"The folder .* as parquet: it has no file that ends in"
    ):
        read_stars(tmp_path / "stars.csv")


KINDS = ("<i2", ">i4", "<i8", ">i8", "|u1", "<f4", ">f4", "<f8", ">f8", "bool")


@strategies.composite
def columns(draw, n_stars):
    """Numbers of any type and byte order, in rows or matrices, some of them masked, with units."""
    kind = np.dtype(draw(strategies.sampled_from(KINDS)))
    shape = (n_stars, 3) if kind.kind != "b" and draw(strategies.booleans()) else (n_stars,)
    unit = draw(strategies.sampled_from((None, *UNITS.values()))) if kind.kind == "f" else None
    values = draw(arrays(kind, shape))
    mask = draw(strategies.none() | arrays(bool, shape))
    if mask is None:
        return Table.Column(values, unit=unit)
    return MaskedColumn(values, mask=mask, unit=unit)


@strategies.composite
def tables(draw):
    n_stars = draw(strategies.integers(1, 4))
    n_columns = draw(strategies.integers(1, 3))
    return Table({f"c{number}": draw(columns(n_stars)) for number in range(n_columns)})


@pytest.mark.parametrize("ending", ONE_OF_EACH)
@settings(max_examples=15)
@given(table=tables())
def test_any_numbers_come_back_from_every_format(ending, table):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/a{ending}"
        write_stars(table, path)
        with np.errstate(over="ignore"):
            assert_same(read_stars(path), table, units=ending != ".csv")
