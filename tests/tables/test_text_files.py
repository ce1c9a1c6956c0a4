"""CSV and ECSV files as archives, pandas and spreadsheets write them."""

import gzip

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from msaestimator.exceptions import ColumnError
from msaestimator.tables import _bulk_files, read_stars, write_stars

BIG = 5937083312263887616

BULK = """\
# %ECSV 1.0
# ---
# delimiter: ','
# datatype:
# -
#   name: source_id
#   datatype: int64
#   description: Unique source identifier
# -
#   name: pmra
#   unit: mas.yr**-1
#   datatype: float64
# -
#   name: logg_gspphot
#   unit: log(cm.s**-2)
#   datatype: float32
# -
#   name: phot_g_n_obs
#   datatype: int16
# -
#   name: has_xp_continuous
#   datatype: bool
# -
#   name: libname_gspphot
#   datatype: string
# -
#   name: bp_coefficients
#   datatype: string
#   subtype: float64[null]
# -
#   name: bp_coefficient_errors
#   datatype: string
#   subtype: float32[null]
# meta: {}
source_id,pmra,logg_gspphot,phot_g_n_obs,has_xp_continuous,libname_gspphot,bp_coefficients,bp_coefficient_errors
5937083312263887616,-1.5,4.25,200,"True","MARCS","[1.0, 2.5, -3e-05]","[0.1, 0.2, 0.3]"
5937083312263887617,null,null,null,"False",null,null,null
"""
"""The archive's bulk files: an ECSV header, and `null` for what is not there."""


def read(tmp_path, text, name="stars.csv"):
    path = tmp_path / name
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return read_stars(path)


@pytest.mark.parametrize("name", ["GaiaSource_000000-003111.csv.gz", "bulk.csv", "bulk.ecsv.gz"])
def test_bulk_files(tmp_path, name):
    stars = read(tmp_path, BULK, name)
    assert stars["source_id"].tolist() == [BIG, BIG + 1]
    assert stars["source_id"].info.description == "Unique source identifier"
    assert stars["pmra"].unit == "mas / yr"
    assert str(stars["logg_gspphot"].unit) == "log(cm.s**-2)"
    assert stars["logg_gspphot"].dtype == np.float32
    for name in ("pmra", "logg_gspphot", "phot_g_n_obs", "libname_gspphot"):
        assert stars[name].mask.tolist() == [False, True]
    assert stars["phot_g_n_obs"].dtype == np.int16
    assert stars["has_xp_continuous"].tolist() == [True, False]
    assert stars["bp_coefficients"].tolist() == [[1.0, 2.5, -3e-05], [None] * 3]
    assert stars["bp_coefficients"].dtype == np.float64
    assert stars["bp_coefficient_errors"].dtype == np.float32


@pytest.mark.parametrize(
    "cell", ['"(1.0, 2.5, NaN)"', '"[1.0, 2.5, null]"', '"[1.  2.5 nan]"', '"(\n1,\n2.5,\nNaN\n)"']
)
def test_arrays_as_text(tmp_path, cell):
    """The archive's brackets and parentheses, and NumPy's text in what pandas writes."""
    stars = read(tmp_path, f"source_id,bp_coefficients\n{BIG},{cell}\n{BIG + 1},\n")
    assert stars["bp_coefficients"].tolist() == [[1.0, 2.5, None], [None] * 3]
    assert np.isnan(stars["bp_coefficients"].data.data[0, 2])


@pytest.mark.parametrize(
    "rows", [[[BIG, BIG + 1], [1, 2]], [[0.5, 1], [1, 2]], [[True, False], [False, False]]]
)
def test_arrays_have_the_type_of_all_their_numbers(tmp_path, rows):
    stars = read(tmp_path, f'a\n"{rows[0]}"\n"{rows[1]}"\n')
    assert stars["a"].tolist() == rows
    assert stars["a"].dtype == np.asarray(rows).dtype


def test_bulk_files_are_read_in_pieces(tmp_path, monkeypatch):
    """A column may be null all through a piece, and the arrays of another be in the next."""
    monkeypatch.setattr(_bulk_files, "PIECE", 2000)
    *header, first, second = BULK.splitlines(keepends=True)
    stars = read(tmp_path, "".join([*header, *[second] * 300, *[first] * 3]))
    assert len(stars) == 303
    assert stars["bp_coefficients"].shape == (303, 3)
    assert stars["bp_coefficients"].mask.all(axis=1).tolist() == [True] * 300 + [False] * 3
    assert stars["libname_gspphot"][-1] == "MARCS"


def test_bulk_files_without_rows(tmp_path):
    header = BULK[: BULK.index("5937083312263887616")].replace("float64[null]", "float64[55]")
    for text in (header, header.rstrip("\n")):
        stars = read(tmp_path, text)
        assert len(stars) == 0
        assert stars["source_id"].dtype == np.int64
        assert stars["bp_coefficients"].shape == (0, 55)
        assert stars["pmra"].unit == "mas / yr"


def test_bulk_files_of_matrices_keep_their_text(tmp_path):
    text = BULK.replace("float64[null]", "float64[2,2]").replace(
        "[1.0, 2.5, -3e-05]", "[[1,2],[3,4]]"
    )
    assert read(tmp_path, text)["bp_coefficients"][0] == "[[1,2],[3,4]]"


def test_bulk_files_whose_arrays_are_none(tmp_path):
    with pytest.raises(
        ColumnError, match="'bp_coefficients' must have arrays of numbers, got abc"
    ):
        read(tmp_path, BULK.replace("[1.0, 2.5, -3e-05]", "abc"))


def test_comments_within_the_header_of_a_bulk_file(tmp_path):
    text = BULK.replace("# meta: {}", "## a comment\n# meta: {}")
    assert read(tmp_path, text)["source_id"].tolist() == [BIG, BIG + 1]


def test_text_in_brackets_stays_text(tmp_path):
    stars = read(
        tmp_path, 'a,b,c\n[Fe/H],"[1, 2]","[[1, 2], [3, 4]]"\n[Mg/H],x,"[[1, 2], [3, 4]]"\n'
    )
    assert stars["a"].tolist() == ["[Fe/H]", "[Mg/H]"]
    assert stars["b"].tolist() == ["[1, 2]", "x"]
    assert stars["c"][0] == "[[1, 2], [3, 4]]"


def test_arrays_of_other_lengths_stay_arrays(tmp_path):
    stars = read(tmp_path, 'a\n"[1, 2]"\n"[3]"\n[]\n')
    assert [None if row is None else row.tolist() for row in stars["a"].tolist()] == [
        [1.0, 2.0],
        [3.0],
        None,
    ]


@pytest.mark.parametrize("word", ["", "null", "NULL", "nan", "NaN", "NA", "<NA>", "None", "--"])
def test_words_for_no_value_leave_integers_exact(tmp_path, word):
    stars = read(tmp_path, f"source_id,teff,name\n{BIG},1.5,a\n{word},{word},{word}\n")
    assert stars["source_id"].tolist() == [BIG, None]
    assert stars["source_id"].dtype == np.int64
    assert stars["teff"].tolist() == [1.5, None]
    assert stars["name"].tolist() == ["a", None]


def test_rows_that_look_like_comments(tmp_path):
    """Lines of as many cells as there are columns are rows, whatever they begin with."""
    stars = read(
        tmp_path, "# comment\n#,\nname,teff\n#1,5000\n# between\n#2,6000\n# after, all, this\n"
    )
    assert stars["name"].tolist() == ["#1", "#2"]
    write_stars(stars, tmp_path / "again.csv")
    assert read_stars(tmp_path / "again.csv")["name"].tolist() == ["#1", "#2"]


def test_spaces_after_commas(tmp_path):
    stars = read(tmp_path, f"source_id, teff, g\n{BIG}, 5772, 1.5\n, , null\n")
    assert stars["source_id"].tolist() == [BIG, None]
    assert stars["teff"].tolist() == [5772, None]
    assert stars["g"].tolist() == [1.5, None]


def test_a_column_without_any_value(tmp_path):
    stars = read(tmp_path, "a,b\n1,\n2,null\n")
    assert stars["b"].mask.all()
    assert stars["b"].dtype == np.float64


def test_types_are_told_by_all_rows(tmp_path):
    """A number with decimals, and a text, megabytes after the first row."""
    stars = read(tmp_path, "a,b\n" + "1,\n" * 600_000 + "1.5,text\n")
    assert stars["a"].dtype == np.float64
    assert stars["b"][-1] == "text"


@pytest.mark.parametrize(
    "text",
    [
        "# comment\n#another\na,b\n1,x\n",
        "a,b\r\n1,x\r\n# the last line of a server\r\n",
        "\ufeffa,b\n1,x",
        " a , b\n1,x\n",
        "a;b\n1;x\n",
        "a\tb\n1\tx\n",
        ",a,b\n0,1,x\n",
        "\n\na,b\n\n1,x\n\n",
        "a, b\n 1,x\n",
    ],
)
def test_dialects(tmp_path, text):
    stars = read(tmp_path, text)
    assert stars.colnames == ["a", "b"]
    assert (stars["a"].tolist(), stars["b"].tolist()) == ([1], ["x"])


def test_text_of_windows(tmp_path):
    assert read(tmp_path, "a,é\n1,ü\n".encode("utf-16"))["é"].tolist() == ["ü"]
    assert read(tmp_path, "a,b\n1,ü\n".encode("latin-1"))["b"].tolist() == ["ü"]


def test_pandas(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"source_id": [BIG, BIG + 1], "teff": [5772.0, None], "bp": [(1.0, 2.0), None]}
    )
    frame.to_csv(tmp_path / "stars.csv")
    stars = read_stars(tmp_path / "stars.csv")
    assert stars.colnames == ["source_id", "teff", "bp"]
    assert stars["source_id"].tolist() == [BIG, BIG + 1]
    assert stars["bp"].tolist() == [[1.0, 2.0], [None, None]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        ("a,a\n1,2\n", 'Field "a" exists 2 times'),
        ("# only comments\n", "it has no line with the names of columns"),
        (BULK.replace("5937083312263887616", "1.5"), "invalid value '1.5'"),
        ("# %ECSV 1.0\n# ---\n# datatype: [\na\n1\n", ""),
        ("# %ECSV 1.0\n# ---\n# datatype: []\n", "it has no line with the names of columns"),
    ],
)
def test_what_is_no_table(tmp_path, text, reason):
    with pytest.raises(ColumnError, match="cannot be read as CSV: ") as caught:
        read(tmp_path, text)
    assert reason in str(caught.value)


def test_ecsv_without_its_header(tmp_path):
    with pytest.raises(ColumnError, match=r"as ECSV: ECSV header line like .* not found"):
        read(tmp_path, "a,b\n1,2\n", "stars.ecsv")


def test_ecsv_of_what_only_astropy_reads(tmp_path):
    stars = Table({"text": ["two\nlines", "one"], "of": np.array([{"a": 1}, [1]], dtype=object)})
    stars.write(tmp_path / "a.ecsv")
    read = read_stars(tmp_path / "a.ecsv")
    assert read["text"].tolist() == ["two\nlines", "one"]
    assert read["of"].tolist() == [{"a": 1}, [1]]


def test_objects_are_written_as_text(tmp_path):
    stars = Table({"a": np.array([None, {"b": 1}], dtype=object), "c": [[1.0, 2.0], [3.0, 4.0]]})
    stars["c"] = MaskedColumn(stars["c"], mask=[[False, True], [False, False]])
    write_stars(stars, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines() == [
        "a,c",
        ',"[1.0, null]"',
        "{'b': 1},\"[3.0, 4.0]\"",
    ]


def test_a_format_that_is_no_number_changes_none(tmp_path):
    stars = Table({"a": [1.23456, 2.0]})
    stars["a"].format = "about %.1f"
    write_stars(stars, tmp_path / "a.ecsv")
    assert read_stars(tmp_path / "a.ecsv")["a"].tolist() == [1.23456, 2.0]
