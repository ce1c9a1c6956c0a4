"""Label catalogues as published become labels of stars, by the rules of the thesis."""

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from label_files import ALLSTAR, DATA, GALAH, columns_of, write_label_files

from msaestimator.datasets import (
    fetch_apogee_dr17,
    read_apogee_dr17,
    read_galah_dr4,
    read_li2022,
    read_rave_dr6,
)
from msaestimator.datasets._label_catalogues import labels_of, once_each
from msaestimator.exceptions import ColumnError, UnitMismatchError
from msaestimator.schema import LABELS, StarTable
from msaestimator.tables import read_stars

RAVE = [DATA / f"dr6_{name}.csv" for name in ("bdasp", "cnn", "x_gaiaedr3")]
READ = {
    "apogee": lambda: read_apogee_dr17(DATA / ALLSTAR),
    "galah": lambda: read_galah_dr4(DATA / GALAH),
    "rave": lambda: read_rave_dr6(*RAVE),
    "li2022": lambda: read_li2022(DATA / "li2022.csv"),
}


def test_files_are_as_they_are_made(tmp_path):
    write_label_files(tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (DATA / path.name).read_bytes(), path.name


def test_layouts_are_those_of_the_published_files():
    """The widths are those that the author's notebook prints of the real files."""
    assert len(columns_of("allstar")) == 215
    assert len(columns_of("galah")) == 184


@pytest.mark.parametrize("survey", READ)
def test_every_catalogue_gives_labels_by_name_and_unit(survey):
    stars = READ[survey]()
    assert isinstance(stars, StarTable)
    assert stars["source_id"].dtype == np.int64
    assert set(stars["survey"]) == {survey}
    assert len(np.unique(stars["source_id"])) == len(stars)
    known = np.zeros(len(stars), dtype=bool)
    for label in LABELS.values():
        for name in {label.name, label.error} & set(stars.colnames):
            assert stars[name].unit == label.unit
            assert not np.ma.is_masked(stars[name])
        if label.name in stars.colnames:
            known |= np.isfinite(stars[label.name])
    assert known.all()


def test_apogee():
    """Without Gaia id, twice the same id, nothing measured: left out. A hot star is not."""
    stars = READ["apogee"]()
    assert stars["source_id"].tolist() == [2772097619417608704, 538028216707715712, 2, 3]
    assert stars["apogee_id"][0] == "2M00000103+1525513"
    labels = ["teff", "logg", "fe_h", "alpha_m"]
    columns = [name for label in labels for name in (label, f"{label}_err")]
    assert stars.colnames == ["source_id", "survey", "apogee_id", *columns]
    row = [5945.750977, 44.246799, 4.123192, 0.033373, -0.26189, 0.008906, 0.012409, 0.012326]
    np.testing.assert_allclose([stars[name][0].value for name in columns], row, rtol=1e-6)
    hot = [stars[name][-1].value for name in labels]
    np.testing.assert_array_equal(hot, [12000.0, 4.0, np.nan, np.nan])


def test_galah():
    """[alpha/Fe] of the real stars is what the author's notebook prints of them."""
    stars = READ["galah"]()
    assert stars["source_id"].tolist() == [
        4922452332795612416,
        4919409709243747968,
        1823067317695766784,
        5,
        6,
        2772097619417608704,
    ]
    alpha, error = stars["alpha_fe"].value, stars["alpha_fe_err"].value
    np.testing.assert_allclose(alpha[:3], [0.231157, 0.292858, 0.102499], atol=1e-6)
    np.testing.assert_allclose(error[:3], [0.042733, 0.041623, 0.007309], atol=1e-6)
    # Of the fourth [Ca/Fe] is flagged, of the fifth every element.
    np.testing.assert_allclose(alpha[3:5], [(0.4 + 0.1 + 0.2 + 0.3) / 4, np.nan])
    assert stars["age"][:3].to_value("Gyr").tolist() == [0.017005, 13.842698, 4.350832]
    assert np.isnan(stars["logg_err"][2])
    assert "age_err" not in stars.colnames


def test_rave_joins_three_tables_by_observation():
    """Of 13 there are two observations, and one observation has no Gaia id."""
    stars = READ["rave"]()
    assert stars["source_id"].tolist() == [4919409709243747968, 12]
    values = {name: stars[name].value.tolist() for name in ("teff", "m_h", "age")}
    assert values == {"teff": [5800.0, 4900.0], "m_h": [-0.1, -0.3], "age": [5.5, 7.5]}
    np.testing.assert_array_equal(stars["alpha_m"].value, [0.08, np.nan])
    np.testing.assert_array_equal(stars["alpha_m_err"].value, [0.03, np.nan])


def test_li2022():
    stars = READ["li2022"]()
    assert stars["source_id"][0] == 2660208219502547584
    rows = [stars[n].value.tolist() for n in ("teff", "teff_err", "logg", "fe_h", "fe_h_err")]
    assert [row[0] for row in rows] == [5035.0, 28.0, 2.05, -2.43, 0.12]


def test_li2022_without_ids_takes_them_beside_the_file(tmp_path):
    path = tmp_path / "table3.ecsv"
    Table({"Teff": [5035, 4736], "logg": [2.05, 1.74], "[Fe/H]": [-2.4, -3.2]}).write(path)
    ids = np.ma.MaskedArray([2660208219502547584, 0], mask=[False, True])
    stars = read_li2022(path, ids)
    assert stars["source_id"].tolist() == [2660208219502547584]
    assert stars.colnames == ["source_id", "survey", "teff", "logg", "fe_h"]
    with pytest.raises(ColumnError, match=r"must have the columns source_id, got .*`source_ids`"):
        read_li2022(path)
    with pytest.raises(ColumnError, match=r"id for each of the 2 rows of .*, got shape \(1,\)"):
        read_li2022(path, ids[:1])


def test_a_catalogue_in_another_format_is_the_same(tmp_path):
    path = tmp_path / "galah.parquet"
    stars = read_stars(DATA / GALAH, 1)
    stars.write(path)
    again = read_galah_dr4(path)
    np.testing.assert_array_equal(again["alpha_fe"], READ["galah"]()["alpha_fe"])
    assert again["source_id"].tolist() == READ["galah"]()["source_id"].tolist()


@pytest.mark.parametrize(
    ("read", "lacking"),
    [
        (lambda path: read_apogee_dr17(path), "GAIAEDR3_SOURCE_ID"),
        (lambda path: read_galah_dr4(path), "gaiadr3_source_id"),
        (lambda path: read_rave_dr6(RAVE[0], path, RAVE[2]), "rave_obs_id"),
    ],
)
def test_what_a_file_lacks_is_told(tmp_path, read, lacking):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ColumnError, match=rf"'.*other.csv' must have the columns .*{lacking}"):
        read(path)
    with pytest.raises(FileNotFoundError, match="no file"):
        read(tmp_path / "none.csv")


def test_every_row_of_a_repeated_id_is_left_out():
    ids = np.array([5, 3, 5, 4, 3, 9])
    assert once_each(ids).tolist() == [False, False, False, True, False, True]
    rows = Table({"source_id": ids, "teff": np.arange(5000.0, 5006.0)})
    assert labels_of(rows, "mine")["source_id"].tolist() == [4, 9]


def test_what_is_no_value():
    rows = Table(
        {
            "source_id": MaskedColumn([1, 2, 3, 4, -1], mask=[False, True, False, False, False]),
            "teff": MaskedColumn([5.0, 5.1, -9999.0, 5.2, 5.3], unit="kK"),
            "logg": MaskedColumn([4.0, 4.0, 4.0, 1.0, 4.0], mask=[0, 0, 0, 1, 0], unit="cm.s**-2"),
        }
    )
    labels = labels_of(rows, "mine")
    assert labels["source_id"].tolist() == [1, 3, 4]
    np.testing.assert_allclose(labels["teff"].to_value("K"), [5000.0, np.nan, 5200.0])
    np.testing.assert_array_equal(labels["logg"].value, [4.0, 4.0, np.nan])
    rows["teff"].unit = "Gyr"
    with pytest.raises(UnitMismatchError, match="'teff' must be in K"):
        labels_of(rows, "mine")


def test_apogee_from_vizier(vizier):
    """One row has no Gaia id. The others are rounded as VizieR rounds."""
    fetched, read = fetch_apogee_dr17(), READ["apogee"]()
    assert fetched.colnames == read.colnames
    assert fetched["source_id"].tolist() == [2772097619417608704, 3]
    for name in read.colnames[:3]:
        assert fetched[name].tolist() == read[name][[0, -1]].tolist()
    for name in read.colnames[3:]:
        assert fetched[name].unit == read[name].unit
        np.testing.assert_allclose(fetched[name].value, read[name][[0, -1]].value, rtol=0.02)
