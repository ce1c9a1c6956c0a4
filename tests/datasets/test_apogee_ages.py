"""Ages of APOGEE's stars: the cuts of their authors, and one catalogue after the other."""

import gzip

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from label_files import ALLSTAR, ASTRONN, DATA, LATENT

from msaestimator.datasets import add_ages, read_apogee_dr17, read_leung2023, read_mackereth2019
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable

GIANT, STAR_WITH_FLAGS = "2M00000068+5710233", "2M00000002+7417074"


def test_leung_takes_small_errors_without_flags_once_a_star():
    """Left out: flags, no age, an error of 40 % and no less, and the second row of a star."""
    ages = read_leung2023(DATA / LATENT)
    assert ages["apogee_id"].tolist() == [GIANT, "2M23594733+5640020"]
    assert ages["age"].to_value("Gyr").tolist() == [3.713866, 3.322011]
    assert ages["age_err"].to_value("Gyr").tolist() == [1.315107, 0.391614]
    assert set(ages["age_catalogue"]) == {"leung2023"}


def test_leung_as_it_is_compressed(tmp_path):
    path = tmp_path / f"{LATENT}.gz"
    path.write_bytes(gzip.compress((DATA / LATENT).read_bytes()))
    assert len(read_leung2023(path)) == 2


def test_mackereth_takes_the_corrected_age_once_a_star():
    ages = read_mackereth2019(DATA / ASTRONN)
    assert ages["apogee_id"].tolist() == [
        STAR_WITH_FLAGS,
        "2M00000103+1525513",
        "2M23594733+5640020",
    ]
    assert ages["age"].to_value("Gyr").tolist() == [6.521422, 7.0, 9.0]
    assert ages["age_err"].to_value("Gyr").tolist() == [3.875223, 2.0, 2.0]


def test_the_second_catalogue_fills_what_the_first_leaves():
    apogee = read_apogee_dr17(DATA / ALLSTAR)
    leung, mackereth = read_leung2023(DATA / LATENT), read_mackereth2019(DATA / ASTRONN)
    stars = add_ages(apogee, leung, mackereth)
    found = dict(zip(stars["apogee_id"], stars["age_catalogue"], strict=True))
    assert found == {
        "2M00000103+1525513": "mackereth2019",
        STAR_WITH_FLAGS: "mackereth2019",
        "2M23594733+5640020": "leung2023",
        "2M00000004+0000001": "",
    }
    np.testing.assert_array_equal(stars["age"].value, [7.0, 6.521422, 3.322011, np.nan])
    np.testing.assert_array_equal(stars["age_err"].value, [2.0, 3.875223, 0.391614, np.nan])
    assert "age" not in apogee.colnames
    other = add_ages(apogee, mackereth, leung)
    assert other["age_catalogue"].tolist() == ["mackereth2019"] * 3 + [""]


def test_ages_without_a_star_to_have_them():
    stars = StarTable({"apogee_id": ["2M1"], "teff": [5000.0] * u.K})
    aged = add_ages(stars, read_leung2023(DATA / LATENT))
    assert np.isnan(aged["age"]).all()
    assert aged["age"].unit == u.Gyr
    assert np.isnan(add_ages(stars)["age"]).all()


def test_a_table_without_names_of_stars():
    stars = Table({"apogee_id": ["2M1"]})
    with pytest.raises(ColumnError, match="must have the column 'apogee_id', got source_id"):
        add_ages(stars, Table({"source_id": [1]}))
