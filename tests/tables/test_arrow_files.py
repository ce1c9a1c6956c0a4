"""Parquet and Feather files of pandas, polars, Spark and astropy."""

import datetime
import decimal

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from astropy.utils.masked import Masked

from msaestimator.exceptions import ColumnError
from msaestimator.tables import read_stars, write_stars

BIG = 5937083312263887616
IDS = [BIG, BIG + 1, BIG + 2]


def through(tmp_path, columns, write=pq.write_table, name="stars.parquet"):
    try:
        write(pa.table(columns), tmp_path / name)
    except pa.ArrowNotImplementedError:
        pytest.skip("This pyarrow reads such a column, but cannot write it.")
    return read_stars(tmp_path / name)


KINDS = {
    "text": (pa.array(["a", None, "é"]), ["a", None, "é"]),
    "large text": (pa.array(["a", None, "b"], pa.large_string()), ["a", None, "b"]),
    "views of text": (pa.array(["a", None, "b"], pa.string_view()), ["a", None, "b"]),
    "bytes": (pa.array([b"a", None, b"b"]), ["a", None, "b"]),
    "categories": (pa.array(["a", None, "b"]).dictionary_encode(), ["a", None, "b"]),
    "integers": (pa.array([BIG, None, 2]), [BIG, None, 2]),
    "small integers": (pa.array([1, None, 2], pa.int8()), [1, None, 2]),
    "decimals": (pa.array([decimal.Decimal(BIG), None, decimal.Decimal(2)]), [BIG, None, 2]),
    "fractions": (pa.array([decimal.Decimal("1.5"), None, decimal.Decimal(2)]), [1.5, None, 2.0]),
    "large decimals": (
        pa.array([decimal.Decimal(2**70), None], pa.decimal128(38)),
        [2.0**70, None],
    ),
    "halves": (pa.array([np.float16(1.5), None]), [1.5, None]),
    "empty lists": (pa.array([[1.0, 2.0], [], None]), [[1.0, 2.0], [None] * 2, [None] * 2]),
    "only empty lists": (pa.array([[], [], None], pa.list_(pa.float32())), [None] * 3),
    "no lists": (pa.array([None] * 3, pa.large_list(pa.float32())), [None] * 3),
    "floats": (pa.array([1.5, None, 2.5], pa.float32()), [1.5, None, 2.5]),
    "truths": (pa.array([True, None, False]), [True, None, False]),
    "nothing": (pa.nulls(3), [None, None, None]),
    "lists": (pa.array([[1.5, 2.5], None, [3.5, None]]), [[1.5, 2.5], [None] * 2, [3.5, None]]),
    "large lists": (
        pa.array([[1, 2], [3, 4], [5, 6]], pa.large_list(pa.int64())),
        [[1, 2], [3, 4], [5, 6]],
    ),
    "fixed lists": (
        pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2)),
        [[1.0, 2.0], [None] * 2, [3.0, 4.0]],
    ),
    "lists of lists": (
        pa.array([[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]]),
        [[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]],
    ),
    "texts of arrays": (
        pa.array(["(1.0, 2.0)", None, "[3.0 4.0]"]),
        [[1.0, 2.0], [None] * 2, [3.0, 4.0]],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("write", "ending"), [(pq.write_table, ".pq"), (feather.write_feather, ".feather")]
)
def test_columns_of_every_kind(tmp_path, kind, write, ending):
    array, expected = KINDS[kind]
    stars = through(
        tmp_path, {"source_id": IDS[: len(array)], "x": array}, write, f"stars{ending}"
    )
    assert stars["source_id"].tolist() == IDS[: len(array)]
    assert stars["x"].tolist() == expected
    values = np.ma.asarray(stars["x"])
    if values.dtype.kind == "f" and values.mask.any():
        assert np.isnan(values.data[values.mask]).all()


def test_text_without_rows_or_values_is_text(tmp_path):
    for array in (pa.array([], pa.string()), pa.array([None], pa.large_string())):
        stars = through(tmp_path, {"x": array})
        assert stars["x"].dtype.kind == "U"
        assert stars["x"].tolist() == array.to_pylist()


def test_columns_that_stay_python_objects(tmp_path):
    columns = {
        "of text": pa.array([["a"], None, ["b", "c"]]),
        "ragged": pa.array([[1.0], [2.0, 3.0], None]),
        "times": pa.array([datetime.time(1), None, datetime.time(2)]),
        "maps": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    }
    stars = through(tmp_path, columns)
    assert stars["ragged"][1].tolist() == [2.0, 3.0]
    assert stars["times"][0] == datetime.time(1)
    assert all(name in stars.colnames for name in columns)


def test_dates(tmp_path):
    day = datetime.date(2016, 1, 1)
    stars = through(
        tmp_path, {"day": pa.array([day, None]), "at": pa.array([None, Time.now().datetime])}
    )
    assert stars["day"].dtype == "datetime64[D]"
    assert stars["day"].tolist() == [day, None]
    assert stars["at"].dtype.kind == "M"


def test_structs_are_columns_of_their_fields(tmp_path):
    rows = [{"g": 10.5, "of": {"bp": 11.5, "name": "a"}}, None, {"g": 12.5, "of": None}]
    stars = through(tmp_path, {"source_id": IDS, "mag": pa.array(rows)})
    assert stars.colnames == ["source_id", "mag.g", "mag.of.bp", "mag.of.name"]
    assert stars["mag.g"].tolist() == [10.5, None, 12.5]
    assert stars["mag.of.bp"].tolist() == [11.5, None, None]
    assert stars["mag.of.name"].tolist() == ["a", None, None]


def test_folders_as_spark_writes_them(tmp_path):
    """Parts, some of them empty or without a type; checksums; a column by folder."""
    parts = {
        "year=2021/part-00001.snappy.parquet": {"source_id": IDS[1:], "name": ["a", None]},
        "year=2020/part-00000.snappy.parquet": {"source_id": IDS[:1], "name": pa.nulls(1)},
        "year=2021/part-00002.PARQUET": {"source_id": pa.array([], pa.int64())},
    }
    for name, columns in parts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), tmp_path / name)
    for name in ("_SUCCESS", "_metadata.parquet", ".part-00000.parquet.crc", "README.txt"):
        (tmp_path / name).write_text("no table")
    (tmp_path / "_temporary").mkdir()
    (tmp_path / "_temporary" / "part-00000.parquet").write_text("half a table")
    stars = read_stars(tmp_path)
    assert stars["source_id"].tolist() == IDS
    assert stars["name"].tolist() == [None, "a", None]
    assert stars["year"].tolist() == [2020, 2021, 2021]


def test_folders_whose_files_differ_in_type(tmp_path):
    """A column has the type that holds all; what a file has itself is not told by its folder."""
    first = {
        "source_id": pa.array([1], pa.int32()),
        "of": pa.array([[1.5]], pa.list_(pa.float32())),
    }
    second = {"source_id": [BIG], "of": pa.array([[2.5]], pa.large_list(pa.float64()))}
    for number, columns in enumerate((first, second)):
        folder = tmp_path / "Norder=5" / f"Dir=a{number}"
        folder.mkdir(parents=True)
        columns |= {"Norder": pa.array([6], pa.int8()), "name": pa.array(["x"]).cast(pa.string())}
        pq.write_table(pa.table(columns), folder / f"Npix={number}.parquet")
    stars = read_stars(tmp_path)
    assert stars["source_id"].tolist() == [1, BIG]
    assert stars["of"].tolist() == [[1.5], [2.5]]
    assert stars["Norder"].tolist() == [6, 6]
    assert stars["Dir"].tolist() == ["a0", "a1"]
    pq.write_table(pa.table({"source_id": ["text"]}), tmp_path / "a.parquet")
    with pytest.raises(ColumnError, match="Field source_id has incompatible types"):
        read_stars(tmp_path)


def test_folders_that_cannot_be_read(tmp_path):
    with pytest.raises(ColumnError, match=r"The folder '.*' cannot be read as parquet: it has no"):
        read_stars(tmp_path)
    (tmp_path / "a.parquet").write_text("PAR1")
    with pytest.raises(
        ColumnError, match=r"The folder '.*' cannot be read as parquet: .*a\.parquet"
    ):
        read_stars(tmp_path)


def test_folders_of_files_with_units(tmp_path):
    for number in range(2):
        write_stars(QTable({"teff": [number + 0.5] * u.K}), tmp_path / f"{number}.parquet")
    stars = read_stars(tmp_path)
    assert stars["teff"].unit == u.K
    assert stars["teff"].value.tolist() == [0.5, 1.5]


def test_a_file_below_a_folder_with_a_value_has_its_own_columns(tmp_path):
    (tmp_path / "year=2020").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "year=2020" / "a.parquet")
    assert read_stars(tmp_path / "year=2020" / "a.parquet").colnames == ["a"]


@pytest.mark.parametrize("ids", [IDS, IDS[:1], [BIG + 7, 5, 12]])
def test_pandas_index(tmp_path, ids):
    """A named index is a column, also where pandas sees a range in it; a nameless one is none."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"teff": np.arange(len(ids)) + 0.5})
    frame.index = pandas.Index(ids, name="source_id")
    frame.to_parquet(tmp_path / "named.parquet")
    assert read_stars(tmp_path / "named.parquet")["source_id"].tolist() == ids
    ranged = frame.set_index(pandas.RangeIndex(5, 5 + len(ids), name="source_id"))
    ranged.to_parquet(tmp_path / "range.parquet")
    assert read_stars(tmp_path / "range.parquet")["source_id"][0] == 5
    frame.rename_axis(None).to_parquet(tmp_path / "nameless.parquet")
    assert read_stars(tmp_path / "nameless.parquet").colnames == ["teff"]


def test_what_astropy_writes(tmp_path):
    stars = QTable(
        {"source_id": IDS, "teff": Masked([1.0, 2.0, 3.0] * u.K, mask=[False, True, False])}
    )
    stars["survey"] = MaskedColumn(["a", "b", "c"], mask=[True, False, False])
    stars["epoch"] = Time([2016.0, 2017.0, 2018.0], format="jyear")
    stars["xp"] = np.arange(6.0).reshape(3, 2)
    stars.meta["from"] = "here"
    stars["teff"].info.description = "temperature"
    stars.write(tmp_path / "a.parquet")
    read = read_stars(tmp_path / "a.parquet")
    assert read.colnames == stars.colnames
    assert read["teff"].unit == u.K
    assert read["teff"].mask.tolist() == [False, True, False]
    assert read["teff"].info.description == "temperature"
    assert read["survey"].tolist() == [None, "b", "c"]
    assert read["epoch"].jyear.tolist() == [2016.0, 2017.0, 2018.0]
    assert read["xp"].tolist() == stars["xp"].tolist()
    assert read.meta == {"from": "here"}


def test_astropy_metadata_of_columns_that_are_gone(tmp_path):
    """As pyarrow keeps them where some of astropy's columns are dropped."""
    stars = QTable({"teff": [1.0] * u.K, "epoch": Time([2016.0], format="jyear")})
    stars.write(tmp_path / "a.parquet")
    fewer = pq.read_table(tmp_path / "a.parquet", columns=["teff", "epoch.jd1"])
    pq.write_table(fewer.append_column("new", pa.array([5])), tmp_path / "b.parquet")
    read = read_stars(tmp_path / "b.parquet")
    assert read.colnames == ["teff", "epoch.jd1", "new"]
    assert read["teff"].unit == u.K


def test_others_read_what_we_write(tmp_path):
    """Masked values are null for everyone, and astropy finds the units."""
    stars = QTable(
        {"source_id": IDS, "teff": Masked([1.0, 2.0, 3.0] * u.K, mask=[False, True, False])}
    )
    stars["survey"] = MaskedColumn(["a", "b", "c"], mask=[True, False, False])
    stars["xp"] = np.arange(6.0).reshape(3, 2)
    write_stars(stars, tmp_path / "a.parquet")
    arrow = pq.read_table(tmp_path / "a.parquet")
    assert arrow.column_names == stars.colnames
    assert arrow["teff"].to_pylist() == [1.0, None, 3.0]
    assert arrow["survey"].to_pylist() == [None, "b", "c"]
    assert arrow["xp"].to_pylist() == stars["xp"].tolist()
    pytest.importorskip("pandas")
    read = QTable.read(tmp_path / "a.parquet")
    assert read["source_id"].tolist() == IDS
    assert read["teff"].unit == u.K
    np.testing.assert_array_equal(read["teff"].value, [1.0, np.nan, 3.0])


def test_polars(tmp_path):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(
        {
            "source_id": IDS,
            "name": ["a", None, "b"],
            "kind": polars.Series(["a", "b", "a"], dtype=polars.Categorical),
            "xp": [[1.0, 2.0], [3.0, 4.0], [5.0, None]],
            "of": [{"g": 1.5}, None, {"g": 2.5}],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ipc(tmp_path / "a.feather")
    for name in ("a.parquet", "a.feather"):
        stars = read_stars(tmp_path / name)
        assert stars["source_id"].tolist() == IDS
        assert stars["name"].tolist() == ["a", None, "b"]
        assert stars["kind"].tolist() == ["a", "b", "a"]
        assert stars["xp"].tolist() == [[1.0, 2.0], [3.0, 4.0], [5.0, None]]
        assert stars["of.g"].tolist() == [1.5, None, 2.5]


@pytest.mark.parametrize("ending", [".parquet", ".feather", ".ecsv"])
def test_matrices_of_more_dimensions_come_back(tmp_path, ending):
    write_stars(Table({"a": np.arange(12.0).reshape(2, 3, 2)}), tmp_path / f"a{ending}")
    assert (
        read_stars(tmp_path / f"a{ending}")["a"].tolist()
        == np.arange(12.0).reshape(2, 3, 2).tolist()
    )


def test_rows_of_arrays_and_of_bytes_are_written(tmp_path):
    rows = np.empty(2, dtype=object)
    rows[:] = [np.arange(2.0), np.arange(3.0)]
    write_stars(Table({"a": rows, "b": np.array([b"x", b"yz"])}), tmp_path / "a.parquet")
    read = read_stars(tmp_path / "a.parquet")
    assert read["b"].tolist() == ["x", "yz"]
    assert [row.tolist() for row in read["a"]] == [[0.0, 1.0], [0.0, 1.0, 2.0]]
