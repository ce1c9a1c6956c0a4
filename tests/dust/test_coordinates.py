import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable, Table

from msaestimator.dust import add_reddening
from msaestimator.exceptions import ColumnError, UnitMismatchError


def reddening(table, dust_map="sfd-lowres", **settings):
    return add_reddening(table, dust_map, **settings)["ebv"].value


def test_other_units_of_angle_are_converted(sky):
    turned = sky.copy()
    turned["ra"], turned["dec"] = sky["ra"].to(u.hourangle), sky["dec"].to(u.rad)
    np.testing.assert_allclose(reddening(turned), reddening(sky), rtol=1e-9)


def test_a_column_without_unit_is_in_degrees(sky):
    plain = Table({name: sky[name].to_value(u.deg) for name in ("ra", "dec")})
    np.testing.assert_allclose(reddening(plain), reddening(sky), rtol=1e-12)


@pytest.mark.parametrize("name", ["ra", "dec"])
def test_a_length_is_no_angle(sky, name):
    wrong = sky.copy()
    wrong[name] = np.ones(len(sky)) * u.m
    with pytest.raises(UnitMismatchError, match=f"{name!r} must be in deg.*got m"):
        reddening(wrong)


def test_a_star_without_position_has_no_reddening_and_disturbs_no_other(sky):
    expected = reddening(sky)
    ra = MaskedColumn(sky["ra"].to_value(u.deg), unit="deg", mask=np.arange(len(sky)) == 3)
    dec = sky["dec"].to_value(u.deg).copy()
    dec[5], dec[8] = np.nan, -9999.0
    for kind in (Table, QTable):
        ebv = reddening(kind({"ra": ra, "dec": dec * u.deg}))
        assert np.flatnonzero(np.isnan(ebv)).tolist() == [3, 5, 8]
        np.testing.assert_allclose(np.delete(ebv, [3, 5, 8]), np.delete(expected, [3, 5, 8]))


def test_a_table_without_any_position_or_row(at):
    assert np.isnan(reddening(at(np.full(3, np.nan), np.zeros(3)))).all()
    assert reddening(at(np.empty(0), np.empty(0))).shape == (0,)


def test_longitude_wraps_around(at):
    np.testing.assert_allclose(
        reddening(at([-10.0, 370.0], [5.0, 5.0])),
        reddening(at([350.0, 10.0], [5.0, 5.0])),
        rtol=1e-9,
    )


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"RA": [1.0], "dec": [1.0]}, "must have a column 'ra'"),
        ({"ra": [1.0], "decl": [1.0]}, "Did you mean 'decl'"),
        ({"ra": ["north"], "dec": [1.0]}, "'ra' must hold one number a star"),
        ({"ra": [[1.0, 2.0]], "dec": [1.0]}, "'ra' must hold one number a star"),
        ({"ra": [np.inf], "dec": [1.0]}, "'ra' must be finite or NaN"),
        ({"ra": [1.0], "dec": [90.5]}, "'dec' must lie between -90 and 90 deg, got 90.5"),
    ],
)
def test_columns_that_are_no_position(columns, complaint):
    with pytest.raises(ColumnError, match=complaint):
        reddening(Table(columns))


def test_only_tables_are_taken():
    with pytest.raises(TypeError, match="must be an astropy Table, got dict"):
        add_reddening({"ra": [1.0], "dec": [1.0]})


def test_parallax_stands_in_for_distance(sky, map_dir):
    by_parallax = sky["ra", "dec"]
    by_parallax["parallax"] = sky["distance"].to(u.mas, u.parallax())
    expected = reddening(sky, "bayestar", map_dir=map_dir)
    np.testing.assert_allclose(
        reddening(by_parallax, "bayestar", map_dir=map_dir), expected, rtol=1e-5
    )


def test_distance_goes_before_parallax_in_any_unit_of_length(sky, map_dir):
    both = sky.copy()
    both["distance"] = sky["distance"].to(u.lyr)
    both["parallax"] = np.full(len(sky), 1.0) * u.mas
    np.testing.assert_allclose(
        reddening(both, "bayestar", map_dir=map_dir),
        reddening(sky, "bayestar", map_dir=map_dir),
        rtol=1e-5,
    )


def test_a_star_without_positive_parallax_has_no_distance(at, map_dir):
    parallax = np.array([1.0, 0.0, -0.5, np.nan, -9999.0]) * u.mas
    stars = at(np.full(5, 80.0), np.full(5, 40.0), parallax=parallax)
    for name in ("bayestar", "combined"):
        ebv = reddening(stars, name, map_dir=map_dir)
        assert np.isfinite(ebv).tolist() == [True, False, False, False, False]


def test_maps_in_three_dimensions_need_a_distance(at, map_dir):
    with pytest.raises(ColumnError, match="needs a column 'distance'.*or 'parallax'"):
        reddening(at([1.0], [1.0]), "marshall", map_dir=map_dir)
    with pytest.raises(ColumnError, match="'distance' must have a unit of length"):
        reddening(at([1.0], [1.0], distance=[1.0]), "marshall", map_dir=map_dir)
    with pytest.raises(UnitMismatchError, match="'distance' must be in kpc.*got mas"):
        reddening(at([1.0], [1.0], distance=[1.0] * u.mas), "marshall", map_dir=map_dir)
