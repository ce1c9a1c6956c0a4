"""VOTables as archives send them."""

import numpy as np
import pytest

from msaestimator.exceptions import ColumnError
from msaestimator.tables import read_stars

BIG = 5937083312263887616

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE type="results">{}</RESOURCE></VOTABLE>
"""
FIELDS = """
<FIELD name="SOURCE_ID" ID="col_0" datatype="long"/>
<FIELD name="E(B-V)" ID="E_B-V_" datatype="float" unit="mag"/>
<FIELD name="logg" ID="logg" datatype="float" unit="log(cgs)"/>
<FIELD name="fe_h" ID="fe_h" datatype="float" unit="dex"/>
<FIELD name="name" ID="name" datatype="char" arraysize="*"/>
<FIELD name="bp" ID="bp" datatype="double" arraysize="*"/>
<DATA><TABLEDATA>
<TR><TD>5937083312263887616</TD><TD>0.5</TD><TD>4.5</TD><TD>0</TD><TD>a</TD><TD>1 2.5 NaN</TD></TR>
<TR><TD></TD><TD></TD><TD></TD><TD></TD><TD></TD><TD></TD></TR>
</TABLEDATA></DATA>
"""


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a VOTable with some content."""

    def read_content(content, **options):
        path = tmp_path / "stars.vot"
        path.write_text(DOCUMENT.format(content))
        return read_stars(path, **options)

    return read_content


def test_columns_have_their_names_units_and_masks(read):
    stars = read(f'<TABLE name="a">{FIELDS}</TABLE>')
    assert stars.colnames == ["SOURCE_ID", "E(B-V)", "logg", "fe_h", "name", "bp"]
    assert stars["SOURCE_ID"].tolist() == [BIG, None]
    assert stars["E(B-V)"].unit == "mag"
    assert str(stars["logg"].unit) == "log(cgs)"
    assert stars["fe_h"].unit == "dex"
    for name in ("E(B-V)", "logg", "fe_h", "name"):
        assert stars[name].mask.tolist() == [False, True]
    assert stars["bp"].shape == (2, 3)
    assert np.ma.filled(stars["bp"], np.nan)[0].tolist()[:2] == [1.0, 2.5]
    assert stars["bp"].mask[1].all()


def test_arrays_and_texts_that_no_row_has(read):
    fields = FIELDS.replace("<TD>a</TD><TD>1 2.5 NaN</TD>", "<TD></TD><TD></TD>")
    stars = read(f'<TABLE name="a">{fields}</TABLE>')
    for name in ("bp", "name"):
        assert stars[name].mask.all()
        assert np.isnan(stars[name].data.data).all()


@pytest.mark.parametrize(("hdu", "n_stars"), [(1, 2), ("1", 2), ("stars", 2), ("LOG", 1), (2, 1)])
def test_one_of_several_tables(read, hdu, n_stars):
    log = '<FIELD name="a" datatype="int"/><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA>'
    both = f'<TABLE name="stars">{FIELDS}</TABLE><TABLE ID="log">{log}</TABLE>'
    assert len(read(both, hdu=hdu)) == n_stars
    with pytest.raises(
        ColumnError, match=r"2 tables, .*: 1 'stars' \(2 rows: .*\); 2 'log' \(1 ro"
    ):
        read(both)


def test_the_message_of_a_service(read):
    info = '<INFO name="QUERY_STATUS" value="ERROR">Time is up</INFO>'
    with pytest.raises(ColumnError, match="as VOTable: it is a service's message: Time is up"):
        read(info)
    with pytest.raises(ColumnError, match="it has no table"):
        read('<INFO name="QUERY_STATUS" value="OK"/>')


def test_xml_of_another_kind(tmp_path):
    (tmp_path / "a.xml").write_text("<?xml version='1.0'?><plist><dict/></plist>")
    with pytest.raises(ColumnError, match="does not appear to be a VOTABLE"):
        read_stars(tmp_path / "a.xml")
