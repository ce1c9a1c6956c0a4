"""The tables of a small archive: real stars with XP spectra, other surveys drawn around them."""

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table, vstack

from msaestimator.datasets import load_apogee_xp, make_mock_survey
from msaestimator.schema import GAIA_DR3, g_flux

__all__ = ["SPECIAL", "make_catalogue"]

SPECIAL = {
    name: row
    for row, name in enumerate(
        (
            "complete",  # in every survey, nothing wrong; the others differ by one thing
            "no_xp",  # has_xp_continuous is false and there is no spectrum
            "no_bp",  # the spectrum has RP only: every bp_* is null
            "no_rp",  # the spectrum has BP only
            "xp_flag_but_no_spectrum",  # has_xp_continuous is true and there is no spectrum
            "two_parameter",  # no parallax, proper motion, ruwe; astrometric_params_solved is 3
            "no_g_magnitude",  # no G magnitude or flux
            "no_survey_at_all",  # Gaia only: in no neighbour table, not in CatWISE or DR4
            "extended_2mass",  # ext_key is not null
            "fan_out",  # two 2MASS neighbours, the farther and 3 mag fainter one listed first
            "qso_candidate",  # in_qso_candidates
            "galaxy_candidate",  # in_galaxy_candidates
            "saturated_sdss",  # SATURATED in flags_g and flags_r
            "sentinel_sdss",  # psfmag_u and its error are -9999
            "not_a_star_sdss",  # type is 3, a galaxy
            "extended_ps1",  # EXT in obj_info_flag and quality_flag, not GOOD
            "bad_skymapper_flags",  # flags is 4 and nimaflags 5, in DR2 and DR4
            "far_skymapper_match",  # the neighbour is 3.2 arcsec away, in DR2 and DR4
            "skymapper_dr2_only",  # in DR2 and not in DR4
            "low_class_star",  # class_star is 0.2, in DR2 and DR4
        )
    )
}
"""Row of ``gaiadr3.gaia_source`` of each planted case; these rows are in every survey."""

_COVERAGE = {"tmass": 0.9, "wise": 0.85, "ps1": 0.8, "sdss": 0.7, "skymapper": 0.75}
_SOLUTION_ID = 4545469030156206080
_SATURATED, _EXTENDED, _GOOD = 1 << 18, 1 << 23, 1 << 25


def make_catalogue(n_stars: int = 2001, random_state: int = 0) -> dict[str, Table]:
    """Return the tables that the archive's queries touch, by ``"schema.table"``.

    Real, from :func:`~msaestimator.datasets.load_apogee_xp`: identifiers, positions, G, BP, RP,
    J, H, Ks and the XP spectra. Drawn: every magnitude of another survey (G plus a colour of a
    star of ``make_mock_survey``), parallaxes, proper motions, errors of photometry, flags and
    who is seen by which survey. ``l``, ``b`` and ``ecl_lat`` are computed. Nulls are masked;
    columns have units.

    Parameters
    ----------
    n_stars : int, default=2001
        From 20 to 17,000 stars; the first are those of ``SPECIAL``.
    random_state : int, default=0
        The same number gives the same catalogue.
    """
    rng = np.random.default_rng(random_state)
    stars = load_apogee_xp()
    stars = stars[rng.permutation(len(stars))[:n_stars]]
    drawn = _draw(stars, rng)
    seen = {survey: _coverage(n_stars, share, rng) for survey, share in _COVERAGE.items()}
    source = _gaia_source(stars, drawn, rng)
    return {
        "gaiadr3.gaia_source": source,
        "gaiadr3.xp_continuous_mean_spectrum": _spectra(stars, source, rng),
        **_tmass(stars, drawn, seen["tmass"], rng),
        **_wise(stars, drawn, seen["wise"], rng),
        **_ps1(stars, drawn, seen["ps1"], rng),
        **_sdss(stars, drawn, seen["sdss"], rng),
        **_skymapper(stars, drawn, seen["skymapper"], rng),
    }


def _draw(stars: Table, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return, for every feature and error of the mock survey, one value a star, none missing."""
    mock = make_mock_survey(2001, random_state=0)
    drawn = {}
    for block in ("wise", "skymapper", "sdss", "ps1", "tmass", "astrometry"):
        names = [name for pair in _with_errors(block) for name in pair]
        values = {name: np.asarray(mock[name], dtype=np.float64) for name in names}
        complete = np.flatnonzero(np.all([np.isfinite(v) for v in values.values()], axis=0))
        row = rng.choice(complete, len(stars))
        offset = stars["phot_g_mean_mag"].value - mock["phot_g_mean_mag"].value[row]
        magnitudes = () if block == "astrometry" else GAIA_DR3.block(block)
        for name, column in values.items():
            drawn[name] = column[row] + (offset if name in magnitudes else 0.0)
    return drawn


def _with_errors(block: str) -> list[tuple[str, ...]]:
    """Return the names of a block's columns, each with its error's where there is one."""
    pairs = ((name, GAIA_DR3[name].error) for name in GAIA_DR3.block(block))
    return [tuple(filter(None, pair)) for pair in pairs]


def _coverage(n_stars: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return who is in a survey: about ``share`` of the stars and the planted cases."""
    seen = rng.random(n_stars) < share
    seen[: len(SPECIAL)] = True
    seen[SPECIAL["no_survey_at_all"]] = False
    return seen


def _column(
    values: np.ndarray, unit: str | None = None, null: str = "", dtype: type | None = None
) -> MaskedColumn:
    """Return a column in which NaN and the planted cases of ``null`` (by name) are masked."""
    values = np.asarray(getattr(values, "value", values), dtype=dtype)
    mask = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    mask[[SPECIAL[name] for name in null.split()]] = True
    return MaskedColumn(values, mask=mask, unit=unit)


def _where(name: str, n_stars: int) -> np.ndarray:
    """Return a mask that is true for one planted case."""
    return np.arange(n_stars) == SPECIAL[name]


def _gaia_source(stars: Table, drawn: dict, rng: np.random.Generator) -> Table:
    """Return the Gaia table: five-, six- and one two-parameter solutions."""
    n_stars = len(stars)
    sky = SkyCoord(stars["ra"], stars["dec"])
    table = Table({"source_id": stars["source_id"]})
    table["ra"], table["dec"] = _column(stars["ra"], "deg"), _column(stars["dec"], "deg")
    table["l"] = _column(sky.galactic.l.deg, "deg")
    table["b"] = _column(sky.galactic.b.deg, "deg")
    table["ecl_lat"] = _column(sky.barycentricmeanecliptic.lat.deg, "deg")
    for name, unit in (("parallax", "mas"), ("pmra", "mas / yr"), ("pmdec", "mas / yr")):
        table[name] = _column(drawn[name], unit, "two_parameter")
        error = drawn[f"{name}_error"].astype(np.float32)
        table[f"{name}_error"] = _column(error, unit, "two_parameter")
    table["ruwe"] = _column(rng.normal(1.02, 0.05, n_stars), None, "two_parameter", np.float32)
    solved = np.where(rng.random(n_stars) < 0.7, 31, 95).astype(np.int16)
    solved[SPECIAL["two_parameter"]] = 3
    table["astrometric_params_solved"] = solved
    colour = stars["phot_bp_mean_mag"].value - stars["phot_rp_mean_mag"].value
    nu_eff = np.clip(1.6 - 0.15 * (colour - 0.8), 1.26, 1.70).astype(np.float32)
    table["nu_eff_used_in_astrometry"] = _column(np.where(solved == 31, nu_eff, np.nan), "1 / um")
    table["pseudocolour"] = _column(np.where(solved == 95, nu_eff, np.nan), "1 / um")
    for band, null in (("g", "no_g_magnitude"), ("bp", ""), ("rp", "")):
        _add_gaia_photometry(table, band, stars[f"phot_{band}_mean_mag"].value, null)
    excess = 1.2 + 0.05 * colour + rng.normal(0, 0.01, n_stars)
    table["phot_bp_rp_excess_factor"] = _column(excess, dtype=np.float32)
    table["bp_rp"] = _column(colour, "mag")
    absent = _where("no_xp", n_stars) | (rng.random(n_stars) < 0.05)
    absent[[row for name, row in SPECIAL.items() if name != "no_xp"]] = False
    table["has_xp_continuous"] = ~absent
    table["in_qso_candidates"] = _where("qso_candidate", n_stars)
    table["in_galaxy_candidates"] = _where("galaxy_candidate", n_stars)
    return table


def _add_gaia_photometry(table: Table, band: str, magnitude: np.ndarray, null: str) -> None:
    """Add one band's magnitude and flux; BP and RP fluxes get G's zero point, near enough."""
    flux = g_flux(magnitude.astype(np.float64))
    floor, noise = (0.0003, 0.0005) if band == "g" else (0.001, 0.003)
    over_error = 1.0857 / np.hypot(floor, noise * 10 ** (0.4 * (magnitude - 15.0)))
    prefix = f"phot_{band}_mean"
    table[f"{prefix}_mag"] = _column(magnitude, "mag", null)
    table[f"{prefix}_flux"] = _column(flux, "electron / s", null)
    error = (flux / over_error).astype(np.float32)
    table[f"{prefix}_flux_error"] = _column(error, "electron / s", null)
    table[f"{prefix}_flux_over_error"] = _column(over_error, None, null, np.float32)


def _spectra(stars: Table, source: Table, rng: np.random.Generator) -> Table:
    """Return the XP spectra without their correlations: 26 - 2 columns."""
    n_stars = len(stars)
    table = Table({"source_id": stars["source_id"]})
    table["solution_id"] = np.full(n_stars, _SOLUTION_ID)
    for band, basis in (("bp", 56), ("rp", 57)):
        measured = rng.integers(300, 2000, n_stars)
        deviation = rng.normal(1.05, 0.03, n_stars)
        numbers = {
            "basis_function_id": np.full(n_stars, basis),
            "degrees_of_freedom": measured - 55,
            "n_parameters": np.full(n_stars, 55),
            "n_measurements": measured,
            "n_rejected_measurements": rng.integers(0, 20, n_stars),
            "standard_deviation": deviation,
            "chi_squared": deviation**2 * (measured - 55),
            "coefficients": np.asarray(stars[f"{band}_coefficients"]),
            "coefficient_errors": np.asarray(stars[f"{band}_coefficient_errors"]),
            "n_relevant_bases": rng.integers(5, 56, n_stars),
            "relative_shrinking": rng.random(n_stars),
        }
        for name, values in numbers.items():
            wide = name == "coefficients"
            dtype = np.float64 if wide else np.int16 if values.dtype.kind == "i" else np.float32
            table[f"{band}_{name}"] = _column(values, None, f"no_{band}", dtype)
    present = np.array(source["has_xp_continuous"])
    present[SPECIAL["xp_flag_but_no_spectrum"]] = False
    return table[present]


def _neighbours(
    stars: Table, original_id: np.ndarray, seen: np.ndarray, rng: np.random.Generator
) -> Table:
    """Return a best-neighbour table of the stars ``seen``."""
    n_stars = len(stars)
    table = Table({"source_id": stars["source_id"], "original_ext_source_id": original_id})
    table["angular_distance"] = _column(rng.uniform(0.0, 0.6, n_stars), "arcsec")
    table["xm_flag"] = np.full(n_stars, 8, dtype=np.int16)
    table["number_of_neighbours"] = np.ones(n_stars, dtype=np.int16)
    table["number_of_mates"] = np.zeros(n_stars, dtype=np.int16)
    return table[seen]


def _magnitudes(block: str, values: dict, rng: np.random.Generator) -> dict[str, MaskedColumn]:
    """Return a survey's magnitude and error columns; each band lacks 3 % of the ordinary stars."""
    columns = {}
    for names in _with_errors(block):
        missing = rng.random(len(values[names[0]])) < 0.03
        missing[: len(SPECIAL)] = False
        for name in names:
            blanked = np.where(missing, np.nan, values[name])
            columns[name] = _column(blanked, "mag", dtype=np.float32)
    return columns


def _designations(stars: Table, prefix: str, precision: tuple[int, int], sep: str) -> np.ndarray:
    """Return survey names made of the position, such as 2MASS's ``"00424433+4116074"``."""
    sky = SkyCoord(stars["ra"], stars["dec"])
    ra = sky.ra.to_string(u.hour, sep="", pad=True, precision=precision[0])
    dec = sky.dec.to_string(sep="", pad=True, alwayssign=True, precision=precision[1])
    return np.array([f"{prefix}{a}{d}".replace(".", sep) for a, d in zip(ra, dec, strict=True)])


def _tmass(stars: Table, drawn: dict, seen: np.ndarray, rng: np.random.Generator) -> dict:
    """Return 2MASS: the real J, H, Ks, one extended source and one star with two neighbours."""
    n_stars = len(stars)
    designation = _designations(stars, "", (2, 1), "")
    values = drawn | {name: stars[name].value for name in ("j_m", "h_m", "ks_m")}
    table = Table({"designation": designation, "tmass_oid": np.arange(n_stars) + 400_000_000})
    table.update(_magnitudes("tmass", values, rng))
    table["ph_qual"] = np.full(n_stars, "AAA")
    ext_key = np.arange(n_stars) + 1_000_000
    table["ext_key"] = MaskedColumn(ext_key, mask=~_where("extended_2mass", n_stars))
    neighbours = _neighbours(stars, designation, seen, rng)
    row = SPECIAL["fan_out"]
    star = stars["source_id"][row]
    second, far = table[[row]], neighbours[neighbours["source_id"] == star]
    second["designation"], second["tmass_oid"] = "99999999+9999999", 999_999_999
    for name in ("j_m", "h_m", "ks_m"):
        second[name] += 3.0
    far["original_ext_source_id"], far["angular_distance"] = "99999999+9999999", 1.4
    both = vstack([far, neighbours])
    both["number_of_neighbours"][both["source_id"] == star] = 2
    return {
        "gaiadr3.tmass_psc_xsc_best_neighbour": both,
        "gaiadr1.tmass_original_valid": vstack([table[seen], second]),
    }


def _wise(stars: Table, drawn: dict, seen: np.ndarray, rng: np.random.Generator) -> dict:
    """Return AllWISE, W1 and W2 by source_id without errors, and VizieR's CatWISE2020."""
    n_stars = len(stars)
    designation = _designations(stars, "J", (2, 1), ".")
    allwise = Table({"designation": designation, "allwise_oid": np.arange(n_stars) + 700_000_000})
    by_source = Table({"source_id": stars["source_id"]})
    shift = rng.uniform(-0.5, 0.5, n_stars) * u.arcsec
    catwise = Table({"RA_ICRS": _column(stars["ra"], "deg")})
    catwise["DE_ICRS"] = _column(stars["dec"] + shift, "deg")
    for band in ("w1", "w2"):
        magnitude = drawn[f"catwise_{band}"]
        error = rng.uniform(0.01, 0.03, n_stars)
        by_source[f"catwise_{band}"] = _column(magnitude, "mag", dtype=np.float32)
        catwise[f"{band.upper()}mproPM"] = _column(magnitude, "mag", dtype=np.float32)
        catwise[f"e_{band.upper()}mproPM"] = _column(error, "mag", dtype=np.float32)
        noisy = rng.normal(magnitude, error)
        allwise[f"{band}mpro"] = _column(noisy, "mag", dtype=np.float32)
        allwise[f"{band}mpro_error"] = _column(error, "mag", dtype=np.float32)
    allwise["cc_flags"], allwise["ph_qual"] = np.full(n_stars, "0000"), np.full(n_stars, "AAAU")
    allwise["ext_flag"] = np.zeros(n_stars, dtype=np.int16)
    allwise["var_flag"] = np.full(n_stars, "00nn")
    return {
        "gaiadr3.allwise_best_neighbour": _neighbours(stars, designation, seen, rng),
        "gaiadr1.allwise_original_valid": allwise[seen],
        "external.xgboost_table1": by_source[seen],
        "II/365/catwise": catwise[seen],
    }


def _ps1(stars: Table, drawn: dict, seen: np.ndarray, rng: np.random.Generator) -> dict:
    """Return Pan-STARRS1, every object good but one that is extended."""
    n_stars = len(stars)
    extended = _where("extended_ps1", n_stars)
    obj_id = np.arange(n_stars) * 7919 + 129_682_839_570_002_410
    table = Table({"obj_id": obj_id})
    table.update(_magnitudes("ps1", drawn, rng))
    table["obj_info_flag"] = np.where(extended, _EXTENDED, _GOOD).astype(np.int32)
    table["quality_flag"] = np.where(extended, 1, 4).astype(np.int16)
    table["n_detections"] = rng.integers(10, 80, n_stars).astype(np.int16)
    return {
        "gaiadr3.panstarrs1_best_neighbour": _neighbours(stars, obj_id, seen, rng),
        "gaiadr2.panstarrs1_original_valid": table[seen],
    }


def _sdss(stars: Table, drawn: dict, seen: np.ndarray, rng: np.random.Generator) -> dict:
    """Return SDSS: a saturated star, a galaxy, a sentinel instead of a null, clean ones."""
    n_stars = len(stars)
    objid = np.arange(n_stars) * 104_729 + 1_237_645_876_861_272_065
    table = Table({"objid": objid})
    table.update(_magnitudes("sdss", drawn, rng))
    for name in ("psfmag_u", "psfmagerr_u"):
        table[name][SPECIAL["sentinel_sdss"]] = -9999.0
    saturated = _where("saturated_sdss", n_stars)
    ordinary = np.int64(1 << 28)  # BINNED1: detected, as all are
    for band in "ugriz":
        bad = saturated if band in "gr" else np.zeros(n_stars, bool)
        table[f"flags_{band}"] = np.where(bad, ordinary | _SATURATED, ordinary)
    table["type"] = np.where(_where("not_a_star_sdss", n_stars), 3, 6).astype(np.int16)
    table["clean"] = np.where(saturated, 0, 1).astype(np.int32)
    return {
        "gaiadr3.sdssdr13_best_neighbour": _neighbours(stars, objid, seen, rng),
        "external.sdssdr13_photoprimary": table[seen],
    }


def _skymapper(stars: Table, drawn: dict, seen: np.ndarray, rng: np.random.Generator) -> dict:
    """Return SkyMapper DR2, and DR4 0.01 mag fainter with 90 % of its stars."""
    n_stars = len(stars)
    object_id = np.arange(n_stars) * 31 + 100_000_000
    table = Table({"object_id": object_id})
    table.update(_magnitudes("skymapper", drawn, rng))
    bad = _where("bad_skymapper_flags", n_stars)
    table["flags"] = np.where(bad, 4, 0).astype(np.int16)
    table["nimaflags"] = np.where(bad, 5, 0).astype(np.int32)
    table["class_star"] = rng.uniform(0.95, 1.0, n_stars).astype(np.float32)
    table["class_star"][SPECIAL["low_class_star"]] = 0.2
    neighbours = _neighbours(stars, object_id, seen, rng)
    far = stars["source_id"][SPECIAL["far_skymapper_match"]]
    neighbours["angular_distance"][neighbours["source_id"] == far] = 3.2
    in_dr4 = rng.random(n_stars)[seen] < 0.9
    in_dr4 |= np.flatnonzero(seen) < len(SPECIAL)
    in_dr4 &= neighbours["source_id"] != stars["source_id"][SPECIAL["skymapper_dr2_only"]]
    dr2 = table[seen]
    dr4 = dr2[in_dr4]
    dr4["object_id"] += 2_000_000_000
    for name in GAIA_DR3.block("skymapper"):
        dr4[name] += np.float32(0.01)
    dr4["gaia_dr3_id1"] = np.array(neighbours["source_id"][in_dr4])
    dr4["gaia_dr3_dist1"] = neighbours["angular_distance"][in_dr4]
    return {
        "gaiadr3.skymapperdr2_best_neighbour": neighbours,
        "external.skymapperdr2_master": dr2,
        "dr4.master": dr4,
    }
