import re

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from msaestimator.dust import add_reddening
from msaestimator.exceptions import ColumnError, DustMapError
from msaestimator.schema import StarTable


def test_the_table_is_copied_and_its_ebv_replaced(stars):
    before = stars["ebv"].copy()
    reddened = add_reddening(stars, "sfd-lowres")
    assert isinstance(reddened, StarTable)
    assert reddened.colnames == stars.colnames
    np.testing.assert_array_equal(stars["ebv"], before)
    assert (reddened["ebv"] != before).any()
    assert reddened["ebv"].unit == u.mag
    reddened["teff"][0] = 0.0 * u.K
    assert stars["teff"][0] != 0.0 * u.K


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sfd", "to infinity of Schlegel et al. .1998.*4096"),
        ("sfd-lowres", "to infinity of Schlegel et al. .1998.*0.9 deg"),
        ("bayestar", "to the star of Bayestar19"),
        ("marshall", "to the star of Marshall et al. .2006.*/ 0.310"),
        ("combined", "Marshall.*; else .*Bayestar19.*; else .*Schlegel"),
    ],
)
def test_the_table_says_which_map(sky, map_dir, name, words):
    reddened = add_reddening(sky, name, map_dir=map_dir).take([4, 2])
    assert reddened["ebv"].info.description == reddened.meta["ebv"]
    assert re.search(words, reddened.meta["ebv"])
    assert ("ebv_map" in reddened.colnames) == (name == "combined")


def test_map_names_of_an_earlier_call_go(sky, map_dir):
    combined = add_reddening(sky, "combined", map_dir=map_dir)
    assert "ebv_map" not in add_reddening(combined, "sfd-lowres").colnames


def test_the_description_survives_a_file(sky, tmp_path):
    add_reddening(sky[:5], "sfd-lowres").write(tmp_path / "stars.ecsv")
    back = StarTable.read(tmp_path / "stars.ecsv")
    assert "packaged map" in back["ebv"].info.description
    assert back.meta["ebv"] == back["ebv"].info.description


@pytest.mark.parametrize("wrong", ["sdf", "SFD", None, ["sfd"]])
def test_an_unknown_name(sky, wrong):
    with pytest.raises(ValueError, match="`dust_map` must be one of 'sfd', .* got"):
        add_reddening(sky, wrong)


def test_a_near_miss_is_recognised(sky):
    with pytest.raises(ValueError, match="Did you mean 'bayestar'"):
        add_reddening(sky, "bayestar19")


def test_the_errors_are_those_a_caller_would_catch(sky, tmp_path):
    with pytest.raises(FileNotFoundError, match="marshall"):
        add_reddening(sky, "marshall", map_dir=tmp_path)
    assert issubclass(DustMapError, FileNotFoundError)


@given(st.lists(st.tuples(st.floats(0, 360), st.floats(-90, 90)), min_size=1, max_size=5))
def test_a_function_is_asked_with_the_positions(positions):
    ra, dec = np.array(positions).T
    asked = []

    def latitude(coords):
        asked.append(coords)
        return abs(coords.icrs.dec.deg) * u.mag

    ebv = add_reddening(Table({"ra": ra, "dec": dec}), latitude)["ebv"]
    np.testing.assert_allclose(ebv.value, abs(dec), atol=1e-9)
    assert asked[0].distance.unit == u.dimensionless_unscaled


def test_a_function_gets_distances_if_the_table_has_them(sky):
    missing = sky.copy()
    missing["distance"][7] = np.nan
    ebv = add_reddening(missing, lambda coords: coords.distance.to_value(u.pc))["ebv"].value
    assert np.flatnonzero(np.isnan(ebv)).tolist() == [7]
    np.testing.assert_allclose(np.delete(ebv, 7), np.delete(sky["distance"].to_value(u.pc), 7))


def test_a_query_object_of_dustmaps_is_a_function(sky, map_dir):
    from dustmaps.sfd import SFDQuery

    reddened = add_reddening(sky, SFDQuery(map_dir=str(map_dir / "sfd")))
    np.testing.assert_array_equal(
        reddened["ebv"], add_reddening(sky, "sfd", map_dir=map_dir)["ebv"]
    )
    assert reddened.meta["ebv"] == "E(B-V) of the function 'SFDQuery'"


def test_what_a_function_masks_is_missing(sky):
    def masked(coords):
        return np.ma.masked_where(np.arange(len(coords)) < 2, np.ones(len(coords)))

    assert np.isnan(add_reddening(sky, masked)["ebv"].value).nonzero()[0].tolist() == [0, 1]


def test_a_function_returns_one_number_a_star(sky):
    with pytest.raises(
        ColumnError, match=r"one E\(B-V\) a star, \(2000,\), got shape \(2000, 3\)"
    ):
        add_reddening(sky, lambda coords: np.ones((len(coords), 3)))
