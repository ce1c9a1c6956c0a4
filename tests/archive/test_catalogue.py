import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from catalogue import SPECIAL, make_catalogue

from msaestimator.datasets import load_apogee_xp


def ids_of(catalogue, name):
    return np.asarray(catalogue[name]["source_id"])


@pytest.fixture(scope="session")
def special(catalogue):
    source = ids_of(catalogue, "gaiadr3.gaia_source")
    return {name: source[row] for name, row in SPECIAL.items()}


def test_same_seed_same_catalogue(catalogue):
    again = make_catalogue()
    assert list(again) == list(catalogue)
    for name, table in catalogue.items():
        for column in table.colnames:
            ours, theirs = np.ma.asarray(table[column]), np.ma.asarray(again[name][column])
            np.testing.assert_array_equal(np.ma.getmaskarray(ours), np.ma.getmaskarray(theirs))
            assert ours.compressed().tolist() == theirs.compressed().tolist()


def test_real_stars_keep_their_values(catalogue):
    known = load_apogee_xp()
    row = {star: number for number, star in enumerate(known["source_id"].tolist())}
    source = catalogue["gaiadr3.gaia_source"]
    order = [row[star] for star in source["source_id"].tolist()]
    np.testing.assert_array_equal(source["ra"], known["ra"].value[order])
    np.testing.assert_array_equal(
        source["phot_rp_mean_mag"], known["phot_rp_mean_mag"][order].value
    )
    spectra = catalogue["gaiadr3.xp_continuous_mean_spectrum"]
    order = [row[star] for star in spectra["source_id"].tolist()]
    real = np.asarray(known["rp_coefficients"])[order]
    present = ~np.ma.getmaskarray(spectra["rp_coefficients"])[:, 0]
    np.testing.assert_array_equal(
        np.ma.getdata(spectra["rp_coefficients"])[present], real[present]
    )


def test_every_neighbour_has_its_original(catalogue):
    keys = {
        "tmass_psc_xsc": ("gaiadr1.tmass_original_valid", "designation"),
        "allwise": ("gaiadr1.allwise_original_valid", "designation"),
        "panstarrs1": ("gaiadr2.panstarrs1_original_valid", "obj_id"),
        "sdssdr13": ("external.sdssdr13_photoprimary", "objid"),
        "skymapperdr2": ("external.skymapperdr2_master", "object_id"),
    }
    n_stars = len(catalogue["gaiadr3.gaia_source"])
    for survey, (table, key) in keys.items():
        neighbours = catalogue[f"gaiadr3.{survey}_best_neighbour"]
        originals = catalogue[table][key].tolist()
        assert sorted(neighbours["original_ext_source_id"].tolist()) == sorted(originals)
        assert len(set(originals)) == len(originals)
        assert 0.65 < len(neighbours) / n_stars < 0.95


@pytest.mark.parametrize(
    ("case", "present"), [("no_xp", False), ("xp_flag_but_no_spectrum", False), ("no_bp", True)]
)
def test_planted_spectra(catalogue, special, case, present):
    assert (special[case] in ids_of(catalogue, "gaiadr3.xp_continuous_mean_spectrum")) == present


def test_planted_rows(catalogue, special):
    source = catalogue["gaiadr3.gaia_source"]
    assert source["parallax"].mask.nonzero()[0].tolist() == [SPECIAL["two_parameter"]]
    assert source["phot_g_mean_mag"].mask.nonzero()[0].tolist() == [SPECIAL["no_g_magnitude"]]
    assert not source["has_xp_continuous"][SPECIAL["no_xp"]]
    assert source["has_xp_continuous"][SPECIAL["xp_flag_but_no_spectrum"]]
    neighbours = catalogue["gaiadr3.tmass_psc_xsc_best_neighbour"]
    twice = neighbours["source_id"] == special["fan_out"]
    assert neighbours["angular_distance"][twice][0] > neighbours["angular_distance"][twice][1]
    for name, table in catalogue.items():
        if "source_id" in table.colnames and name.endswith("neighbour"):
            assert special["no_survey_at_all"] not in ids_of(catalogue, name)
            assert special["complete"] in ids_of(catalogue, name)
    assert special["skymapper_dr2_only"] not in catalogue["dr4.master"]["gaia_dr3_id1"]


def test_galactic_positions_are_those_of_the_equatorial_ones(catalogue):
    source = catalogue["gaiadr3.gaia_source"]
    equatorial = SkyCoord(source["ra"], source["dec"])
    galactic = SkyCoord(source["l"], source["b"], frame="galactic")
    assert galactic.separation(equatorial).arcsec.max() < 1e-6
