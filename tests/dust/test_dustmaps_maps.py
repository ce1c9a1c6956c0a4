import astropy.units as u
import healpy
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from msaestimator.dust import add_reddening

DISTANCE_MODULI = [5.0, 10.0, 15.0]


def reddening(table, dust_map, map_dir):
    return add_reddening(table, dust_map, map_dir=map_dir)["ebv"].value


def expected_sfd(lon, lat):
    """What the synthetic files hold, see conftest."""
    vector = healpy.ang2vec(lon, lat, lonlat=True)
    return 0.5 + vector @ [0.2, 0.1, 0.05]


def expected_bayestar(lon, lat, distance):
    """The synthetic map's pixel, linear in the distance modulus; nearer in the distance."""
    pixel = healpy.ang2pix(16, lon, lat, nest=True, lonlat=True)
    modulus = 5.0 * np.log10(distance * 100.0)
    near = 10.0 ** (0.2 * np.minimum(modulus - DISTANCE_MODULI[0], 0.0))
    ebv = 1e-3 * pixel * near * np.interp(modulus, DISTANCE_MODULI, [1.0, 2.0, 3.0])
    centre = SkyCoord(
        *healpy.pix2ang(16, pixel, nest=True, lonlat=True), unit="deg", frame="galactic"
    )
    return np.where(centre.icrs.dec.deg > -30.0, ebv, np.nan)


def expected_marshall(lon, lat, distance):
    """A(Ks) of the synthetic map, over the A(Ks) of 1 mag of E(B-V)."""
    inside = (lon > -50.0) & (lon < 100.0) & (abs(lat) < 10.0)
    return np.where(inside, np.minimum(distance / 5.0, 2.0) / 0.310, np.nan)


def well_inside(lon, lat):
    """Away from the edges of Marshall's grid, where half a cell matters."""
    edges = abs(lon[:, np.newaxis] - [-100.0, -50.0, 100.0]).min(axis=1)
    return (edges > 0.3) & (abs(abs(lat) - 10.0) > 0.3)


def test_sfd_is_read_in_its_own_format(sky, galactic, map_dir):
    ebv = reddening(sky, "sfd", map_dir)
    np.testing.assert_allclose(ebv, expected_sfd(*galactic), atol=2e-3)


def test_sfd_ignores_distances(sky, map_dir):
    unknown = sky.copy()
    unknown["distance"] = np.nan
    np.testing.assert_array_equal(
        reddening(unknown, "sfd", map_dir), reddening(sky, "sfd", map_dir)
    )


def test_bayestar_is_the_best_fit_at_the_distance(sky, galactic, map_dir):
    expected = expected_bayestar(*galactic, sky["distance"].to_value(u.kpc))
    assert 0.1 < np.isnan(expected).mean() < 0.5
    np.testing.assert_allclose(reddening(sky, "bayestar", map_dir), expected, rtol=1e-4)


def test_marshall_is_divided_by_the_extinction_in_ks(sky, galactic, map_dir):
    rows = well_inside(*galactic)
    expected = expected_marshall(*galactic, sky["distance"].to_value(u.kpc))
    ebv = reddening(sky, "marshall", map_dir)
    np.testing.assert_allclose(ebv[rows], expected[rows], rtol=1e-5)


def test_combined_asks_marshall_then_bayestar_then_sfd(sky, galactic, map_dir):
    stars = add_reddening(sky, "combined", map_dir=map_dir)
    distance = sky["distance"].to_value(u.kpc)
    answers = {
        "marshall": expected_marshall(*galactic, distance),
        "bayestar": expected_bayestar(*galactic, distance),
        "sfd": expected_sfd(*galactic),
    }
    first = [next(n for n in answers if np.isfinite(answers[n][i])) for i in range(len(sky))]
    rows = well_inside(*galactic)
    assert set(first) == set(answers)
    assert stars["ebv_map"][rows].tolist() == [first[i] for i in np.flatnonzero(rows)]
    expected = np.array([answers[name][i] for i, name in enumerate(first)])
    np.testing.assert_allclose(stars["ebv"].value[rows], expected[rows], atol=2e-3, rtol=1e-4)


def test_combined_names_no_map_for_a_star_without_distance(at, map_dir):
    stars = at([10.0, 10.0], [20.0, 20.0], distance=[1.0, np.nan] * u.kpc)
    assert add_reddening(stars, "combined", map_dir=map_dir)["ebv_map"].tolist() == [
        "bayestar",
        "",
    ]


@pytest.mark.parametrize("name", ["sfd", "sfd-lowres", "bayestar", "marshall", "combined"])
def test_neither_order_nor_chunks_matter(sky, map_dir, name):
    whole = reddening(sky, name, map_dir)
    order = np.random.default_rng(0).permutation(len(sky))
    np.testing.assert_array_equal(reddening(sky[order], name, map_dir), whole[order])
    chunks = [reddening(sky[rows], name, map_dir) for rows in np.array_split(np.arange(2000), 7)]
    np.testing.assert_array_equal(np.concatenate(chunks), whole)
