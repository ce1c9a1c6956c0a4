"""The few stars that the demonstration begins with: which they are, and what is said of them."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, get_constellation

from msaestimator.cli._named_stars import (
    NAMED_STARS,
    answer_table,
    apogee_id,
    flag_lines,
    load_named_stars,
)
from msaestimator.datasets import split_by_source_id
from msaestimator.results import prediction_table
from msaestimator.schema import StarTable

CENTERS = {
    "47 Tucanae": ("00h24m05.36s -72d04m53.2s", 7 * u.arcmin),
    "Omega Centauri": ("13h26m47.28s -47d28m46.1s", 7 * u.arcmin),
    "Messier 92": ("17h17m07.39s +43d08m09.4s", 7 * u.arcmin),
    "LMC": ("05h23m34.5s -69d45m22s", 5 * u.deg),
    "NGC 752": ("01h56m53s +37d47m38s", 1 * u.deg),
    "Pleiades": ("03h46m24s +24d06m50s", 2 * u.deg),
    "Kepler's field": ("19h22m40s +44d30m00s", 8 * u.deg),
}


@pytest.fixture(scope="module")
def stars():
    return load_named_stars()


def test_are_stars_that_no_model_has_seen(stars):
    assert stars["source_id"].tolist() == list(NAMED_STARS)
    assert split_by_source_id(stars["source_id"]).all()


def test_are_where_they_are_said_to_be(stars):
    positions = SkyCoord(stars["ra"], stars["dec"])
    found = 0
    for position, what in zip(positions, NAMED_STARS.values(), strict=True):
        for place, (center, radius) in CENTERS.items():
            if what.endswith(place):
                assert position.separation(SkyCoord(center)) < radius, what
                found += 1
        if what.endswith("Orion"):
            assert get_constellation(position) == "Orion"
    assert found == len(CENTERS)


def test_are_of_the_kind_they_are_said_to_be(stars):
    logg, teff = stars["logg"].value, stars["teff"].value
    kinds = {
        "B": (10000, 30000, 3.0, 5.0),
        "F": (6000, 7500, 3.0, 5.0),
        "K": (3900, 5300, 4.0, 5.0),
        "M": (2400, 3900, 4.0, 5.5),
        "giant": (3500, 5200, 0.5, 3.5),
        "supergiant": (3000, 5000, -1.0, 0.5),
    }
    for row, what in enumerate(NAMED_STARS.values()):
        coolest, hottest, least, largest = kinds[what.split()[0]]
        assert coolest < teff[row] < hottest, what
        assert least < logg[row] < largest, what


def test_names_are_the_positions(stars):
    names = apogee_id(stars)
    for name, ra, dec in zip(names, stars["ra"], stars["dec"], strict=True):
        digits = name.removeprefix("2M")
        h, m, s = digits[:2], digits[2:4], f"{digits[4:6]}.{digits[6:8]}"
        sign, d, arcmin, arcsec = digits[8], digits[9:11], digits[11:13], digits[13:]
        said = SkyCoord(f"{h}h{m}m{s}s {sign}{d}d{arcmin}m{arcsec[:2]}.{arcsec[2]}s")
        assert said.separation(SkyCoord(ra, dec)) < 0.01 * u.arcsec
        assert len(name) == 18


def test_names_keep_leading_zeros_and_the_sign():
    position = StarTable({"ra": [0.0625] * u.deg, "dec": [-0.5025] * u.deg})
    assert apogee_id(position) == ["2M00001500-0030090"]


def make_answers(stars, flags):
    """Return predictions of two stars: Teff 5000 +/- 50 K, age 4 +/- 1 Gyr."""
    values = np.broadcast_to([[4950.0, 5000.0, 5050.0], [3.0, 4.0, 5.0]], (len(stars), 2, 3))
    return prediction_table(
        ["teff", "age"], values, (0.16, 0.5, 0.84), units={}, flags=[0] * len(stars),
        label_flags=flags,
    )  # fmt: skip


def test_says_answer_error_and_published_value(stars):
    two = stars[:2].copy()
    two["teff"] = [5049.6, np.nan] * u.K
    table = answer_table(two, make_answers(two, [[0, 0], [0, 512]]), ["teff", "age"])
    assert table["star"].tolist() == apogee_id(two)
    assert table["what it is"].tolist() == list(NAMED_STARS.values())[:2]
    assert table["teff [K]"].tolist() == ["5000 ± 50 (5050)", "5000 ± 50"]
    # APOGEE has published no ages; the second is not to be used.
    assert table["age [Gyr]"].tolist() == ["4.00 ± 1.00", "4.00 ± 1.00*"]


def test_a_known_parallax_is_no_published_answer(stars):
    two = stars[:2].copy()
    two["age"] = [1.0, 2.0] * u.Gyr
    table = answer_table(two, make_answers(two, [[0, 0], [0, 0]]), ["age"])
    assert table["age [Gyr]"].tolist() == ["4.00 ± 1.00"] * 2


def test_flags_are_told_of_stars_that_have_any(stars):
    two = stars[:2]
    lines = flag_lines(two, make_answers(two, [[0, 0], [0, 512]]))
    assert lines == [f"{apogee_id(two)[1]}: age: WIDE_INTERVAL"]
