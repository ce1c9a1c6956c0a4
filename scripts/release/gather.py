"""Gather the stars that the release learns from, or is tested on, into one table.

Run from the repository's root::

    python scripts/release/gather.py --stars apogee_xp.parquet \
        --companions apogee_companions.parquet --photometry photometry_labels.parquet \
        --field field_xp.parquet field_magnitudes.parquet --output build/gaia-xp/stars.parquet

The column ``sample`` is "apogee" (XP spectra and labels), "photometry" (labels of three surveys,
no XP, no ids: ``source_id`` counts from 1, below all of Gaia's) or "field" (XP, no labels).
``is_test`` tells what is never trained on: a fifth of APOGEE by ``source_id``, half of the
photometric stars by their values, but stars of both samples on APOGEE's side, none of the field.

Inputs are on the scales of Gaia DR3's catalogue, Vega for WISE; NaN is missing. ``mass``, ``age``
and ``parallax_label`` (true, by distance) are those of `match_isochrones`, with ``_err``, half the
68 % interval of ``_lower`` and ``_upper``. Seismic values, then published ages, go before them;
``mass_source`` and ``age_source`` say which. They are NaN where no isochrone is like the star, and
where no parallax tells the luminosity of a star whose log g does not tell it either. Giants have
the known ages alone: the isochrones' (``isochrone_age``) are 1.7 Gyr more in the median.

Two stars in three have no measured parallax. Those that are trained on get one that is drawn, by
the isochrones' distance and with the error of a measured star as bright, and ``parallax_drawn`` is
true; so that brightness and kind do not tell who has a parallax, nor few stars what it is worth.
"""

import argparse
import hashlib
import zlib
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import ICRS
from astropy_healpix import HEALPix

from msaestimator.datasets import match_isochrones, split_by_source_id
from msaestimator.dust import add_reddening
from msaestimator.metrics import nmad
from msaestimator.schema import GAIA_DR3, LABELS, CoefficientArray, StarTable
from msaestimator.tables import read_stars, write_stars

Columns = dict[str, np.ndarray]

DR3_OVER_DR2, TRUE_OVER_DR3 = 0.02, 0.03
"""Differences of mean parallaxes, in mas."""

ERROR_FLOOR = 0.02
"""What the photometric sample's errors of magnitudes have been raised by, in mag."""

AB_OVER_VEGA = {"catwise_w1": 2.699, "catwise_w2": 3.339}
GAIA, TMASS = (GAIA_DR3.block(name) for name in ("gaia", "tmass"))
PARAMETERS = ("teff", "logg", "fe_h", "alpha_m")
KNOWN = {"seismic_mass": u.solMass, "published_age": u.Gyr, "seismic_age": u.Gyr}
"""What goes before the isochrones' masses and ages; of two the later counts."""

MATCHED = {"mass": u.solMass, "age": u.Gyr, "parallax_label": u.mas}
ENDS = ("", "_err", "_lower", "_upper")

BANDS = ("phot_rp_mean_mag", *TMASS)
"""Bands that isochrones are matched in: dust reddens the others more than they tell."""

LOGG_ERROR, HOT_LOGG_ERROR = 0.1, 0.3
"""Errors of log g beyond the stated ones, by parallaxes: in dex, the latter of hot stars."""

HOT, COOL, DWARF = 7000.0, 5000.0, 3.5
"""Teff in K above which, and below which in dwarfs (by log g), log g tells no distance."""

MODEL_ERRORS = {"mass": 0.03, "age": 0.1, "parallax_label": 0.01}
"""Relative errors that are added to the isochrones' own."""

MOST_CHI_SQUARED = 2.0
"""Most chi squared of the best isochrone, over the number of measurements."""

RENAMED = {
    "parallax_dr2": "parallax",
    "parallax_dr2_error": "parallax_error",
    "age": "published_age",
    "age_err": "published_age_err",
    "m_h": "fe_h",
    "m_h_err": "fe_h_err",
    **{f"{band}_error": GAIA_DR3[band].error for band in TMASS},
    **{f"ps1_{b}{end}": f"{b}_mean_psf_mag{end}" for b in "grizy" for end in ("", "_error")},
    **{f"w{band}": f"catwise_w{band}" for band in "12"},
}
"""Our names of columns, by the tables' own."""


def read(path: Path) -> Columns:
    """Return the columns of a table by our names, NaN where missing."""
    stars = read_stars(path)
    columns = {RENAMED.get(name, name): stars[name] for name in stars.colnames}
    return {
        name: np.asarray(np.ma.filled(column, np.nan) if column.dtype.kind == "f" else column)
        for name, column in columns.items()
    }


def read_both(paths: tuple[Path, Path]) -> Columns:
    """Return the columns of two tables of the same stars."""
    first, second = map(read, paths)
    if not np.array_equal(first["source_id"], second["source_id"]):
        raise SystemExit(f"{paths[1]} must hold the stars of {paths[0]}, in the same order.")
    return first | second


def of_apogee(paths: tuple[Path, Path]) -> Columns:
    """Return stars with XP spectra, labels of APOGEE and, some, parallaxes of Gaia DR2."""
    stars = read_both(paths)
    stars["parallax"] = stars["parallax"] + DR3_OVER_DR2
    stars["label_source"] = np.full(len(stars["teff"]), "APOGEE DR17")
    return stars | {"is_test": split_by_source_id(stars["source_id"])}


def of_photometry(path: Path, apogee: Columns) -> Columns:
    """Return stars with photometry, parallaxes of Gaia DR2 and labels of three surveys."""
    stars = read(path)
    values = np.column_stack([stars[name] for name in (GAIA[0], "parallax", "teff")])
    is_test = np.array([zlib.crc32(row.astype("<f4").tobytes()) < 2**31 for row in values])
    here, there = same_stars(stars, apogee)
    is_test[here] = apogee["is_test"][there]
    print(f"{len(here)} photometric stars are APOGEE's too")
    for name in (*GAIA, *GAIA_DR3.block("ps1"), *TMASS):
        error = GAIA_DR3[name].error
        stars[error] = np.sqrt(np.maximum(stars[error] ** 2 - ERROR_FLOOR**2, 1e-8))
    for name, offset in (AB_OVER_VEGA | dr2_offsets(stars)).items():
        stars[name] = stars[name] - offset
    stars["parallax"] = stars["parallax"] + DR3_OVER_DR2
    return stars | {"source_id": np.arange(1, len(is_test) + 1), "is_test": is_test}


def same_stars(stars: Columns, others: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of stars in both tables, told by their magnitudes in 2MASS."""
    first, second = (
        np.nan_to_num(np.round(1000.0 * np.column_stack([table[name] for name in TMASS]), 0))
        for table in (stars, others)
    )
    rows = {tuple(row): place for place, row in enumerate(second) if row.all()}
    pairs = [(place, rows[tuple(row)]) for place, row in enumerate(first) if tuple(row) in rows]
    here, there = np.array(pairs, dtype=int).reshape(-1, 2).T
    return here, there


def dr2_offsets(stars: Columns) -> Columns:
    """Return Gaia's magnitudes in DR2 less those in DR3, of 45 stars good to 0.003-0.005 mag."""
    g, bp, rp = (stars[name] for name in GAIA)
    color = np.nan_to_num(np.clip(bp - rp, 0.6, 3.5), nan=1.5)
    of_g = 0.012 + 0.0046 * (np.clip(g, 9.5, 16.0) - 13.0) + 0.0062 * (color - 1.5)
    of_bp = 0.026 - 0.0175 * np.maximum(color - 1.8, 0.0)
    return dict(zip(GAIA, (of_g, of_bp, np.full(len(g), 0.0118)), strict=True))


def of_field(paths: tuple[Path, Path]) -> Columns:
    """Return stars of a field, without labels: the place is in the ``source_id``."""
    stars = read_both(paths)
    pixels = HEALPix(2**12, order="nested", frame=ICRS())
    places = pixels.healpix_to_skycoord(stars["source_id"] >> 35)
    stars |= {"ra": places.ra.deg, "dec": places.dec.deg}
    placed = StarTable({"ra": places.ra, "dec": places.dec})
    stars["ebv"] = add_reddening(placed, "sfd-lowres")["ebv"].value
    return stars | {"is_test": np.zeros(len(places), dtype=bool)}


def quantities() -> dict[str, u.UnitBase | str]:
    """Return the units of all columns that hold one number a star."""
    scalars = [m for m in GAIA_DR3.members if not isinstance(m, CoefficientArray)]
    units = {name: c.unit for c in scalars for name in (c.name, c.error) if name}
    units |= {name + end: LABELS[name].unit for name in PARAMETERS for end in ENDS[:2]}
    units |= {name + end: unit for name, unit in KNOWN.items() for end in ENDS[:2]}
    return units | {"ra": u.deg, "dec": u.deg}


def stack(samples: dict[str, Columns]) -> StarTable:
    """Return the samples one below the other, NaN where one lacks what others have."""
    sizes = [len(columns["source_id"]) for columns in samples.values()]

    def column(name: str, missing: object, dtype: str | None = None) -> np.ndarray:
        blanks = (np.full((size, *np.shape(missing)), missing) for size in sizes)
        parts = zip(samples.values(), blanks, strict=True)
        stacked = np.concatenate([columns.get(name, blank) for columns, blank in parts])
        return stacked.astype(dtype) if dtype else stacked

    stars = StarTable({"source_id": column("source_id", 0), "is_test": column("is_test", False)})
    stars["sample"] = np.repeat(list(samples), sizes)
    stars["label_source"] = column("label_source", "")
    for array in GAIA_DR3.arrays:
        for name in (array.name, array.error):
            stars[name] = column(name, np.full(array.size, np.nan), "f4")
        stars[array.relevant_bases] = column(array.relevant_bases, np.nan, "f4")
    for name, unit in quantities().items():
        dtype = "f8" if name in ("ra", "dec") else "f4"
        stars[name] = u.Quantity(column(name, np.nan, dtype), unit, dtype=dtype)
    return stars


def told(stars: StarTable) -> StarTable:
    """Return what isochrones are told, with the errors that parallaxes show."""
    names = (name + end for name in ("teff", "logg", "fe_h", "alpha_m") for end in ENDS[:2])
    errors = (GAIA_DR3[name].error for name in BANDS)
    table = stars[[*names, "parallax", *BANDS, *errors]]
    g, error = (stars[name].value for name in ("phot_g_mean_mag", "parallax_error"))
    # DR2's errors are too small: Lindegren et al. 2018, "Considerations for the use of DR2".
    table["parallax_error"] = np.hypot(1.08 * error, np.where(g < 13.0, 0.021, 0.043)) * u.mas
    beyond = np.where(stars["teff"].value > HOT, HOT_LOGG_ERROR, LOGG_ERROR)
    table["logg_err"] = np.hypot(stars["logg_err"].value, beyond) * stars["logg_err"].unit
    return table


def has_luminosity(stars: StarTable) -> np.ndarray:
    """Tell the stars whose parallax, or else log g, tells the luminosity."""
    teff, logg = stars["teff"].value, stars["logg"].value
    by_logg = (teff < HOT) & ((teff > COOL) | (logg < DWARF))
    return by_logg | (stars["parallax"].value > 5.0 * stars["parallax_error"].value)


def match(stars: StarTable) -> None:
    """Set masses, ages and parallaxes by isochrones."""
    evidence = told(stars)
    found = match_isochrones(evidence)
    found["parallax_label"] = found["distance"].to(u.mas, u.parallax())
    found["parallax_label_lower"] = found["distance_upper"].to(u.mas, u.parallax())
    found["parallax_label_upper"] = found["distance_lower"].to(u.mas, u.parallax())
    width = found["parallax_label_upper"] - found["parallax_label_lower"]
    found["parallax_label_err"] = 0.5 * width
    measured = sum(np.isfinite(evidence[n].value) for n in (*PARAMETERS[:3], "parallax", *BANDS))
    stars["isochrone_chi2"] = -2.0 * np.asarray(found["log_likelihood"]) / measured
    good = (stars["isochrone_chi2"] <= MOST_CHI_SQUARED) & has_luminosity(stars)
    for name, unit in MATCHED.items():
        for end in ENDS:
            value = np.where(good, found[name + end].value, np.nan)
            stars[name + end] = u.Quantity(value, unit, dtype="f4")
        stars[f"isochrone_{name}"] = stars[name].copy()
        stars[f"{name}_source"] = np.where(good, "isochrones", "").astype("U10")


def widen(stars: StarTable) -> None:
    """Add the models' errors to those of masses, ages and parallaxes."""
    for name, relative in MODEL_ERRORS.items():
        value, error, lower, upper = (stars[name + end].copy() for end in ENDS)
        stars[f"{name}_err"] = np.hypot(error, relative * value)
        stars[f"{name}_lower"] = value - np.hypot(value - lower, relative * value)
        stars[f"{name}_upper"] = value + np.hypot(upper - value, relative * value)


def put_known_first(stars: StarTable) -> None:
    """Put seismic masses and ages, and published ages, in place of the isochrones'.

    Giants keep no ages of isochrones: beside these, a model learns the published ones worse.
    """
    giant = stars["logg"].value < DWARF
    for end in ENDS:
        stars["age" + end][giant] = np.nan
    stars["age_source"][giant] = ""
    for known, unit in KNOWN.items():
        source, name = known.split("_")
        value, error = (stars[known + end].to_value(unit) for end in ENDS[:2])
        error = np.minimum(np.where(np.isfinite(error), error, 0.2 * value), value)
        ratio = np.exp(error / value)
        has = np.isfinite(value)
        for end, better in zip(ENDS, (value, error, value / ratio, value * ratio), strict=True):
            stars[name + end][has] = better[has] * unit
        stars[f"{name}_source"][has] = source


def draw_parallaxes(stars: StarTable, rng: np.random.Generator) -> None:
    """Set parallaxes of training stars that have none, as the catalogue would give them."""
    g, parallax = (stars[name].value for name in (GAIA[0], "parallax"))
    value, _, lower, upper = (stars["parallax_label" + end].value for end in ENDS)
    measured = np.isfinite(parallax) & np.isfinite(g) & (stars["sample"] == "apogee")
    lacking = np.isnan(parallax) & np.isfinite(value) & np.isfinite(g) & ~stars["is_test"]
    by_g = np.flatnonzero(measured)[np.argsort(g[measured], kind="stable")]
    place = np.searchsorted(g[by_g], g[lacking]).clip(max=len(by_g) - 1)
    error = stars["parallax_error"].value[by_g[place]]
    away, noise = rng.standard_normal((2, lacking.sum()))
    side = np.where(away > 0, upper[lacking] / value[lacking], value[lacking] / lower[lacking])
    true = value[lacking] * side**away
    stars["parallax"][lacking] = (true - TRUE_OVER_DR3 + error * noise) * u.mas
    stars["parallax_error"][lacking] = error * u.mas
    stars["parallax_drawn"] = lacking


def report(stars: StarTable) -> None:
    """Print how many numbers there are, and how good they are."""
    columns = {
        name: np.asarray(getattr(stars[name], "value", stars[name])) for name in stars.colnames
    }
    samples = {name: columns["sample"] == name for name in dict.fromkeys(columns["sample"])}
    for name, values in columns.items():
        if values.dtype.kind == "f":
            known = np.isfinite(values.reshape(len(values), -1)).any(axis=1)
            print(f"{name:28s}", *(f"{n} {(known & of).sum():6d} " for n, of in samples.items()))
    parallax = columns["parallax"] + TRUE_OVER_DR3
    ratio = columns["parallax_label"] / np.where(
        parallax > 10.0 * columns["parallax_error"], parallax, np.nan
    )
    giant = columns["logg"] < DWARF
    for title, difference in {
        "mass - seismic": columns["isochrone_mass"] - columns["seismic_mass"],
        "age - seismic": columns["isochrone_age"] - columns["seismic_age"],
        "age - published": columns["isochrone_age"] - columns["published_age"],
        "log parallax - DR2's, S/N > 10, giants": np.log10(np.where(giant, ratio, np.nan)),
        "log parallax - DR2's, S/N > 10, others": np.log10(np.where(giant, np.nan, ratio)),
        "Ks - W1 of photometric giants": np.where(
            giant, columns["ks_m"] - columns["catwise_w1"], np.nan
        ),
    }.items():
        off = difference[np.isfinite(difference)]
        if off.size:
            print(f"{title}: {off.size}, NMAD {nmad(0 * off, off):.3f}, {np.median(off):+.3f}")


def main() -> None:
    """Gather, match, report and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stars", type=Path, required=True)
    parser.add_argument("--companions", type=Path, required=True)
    parser.add_argument("--photometry", type=Path, required=True)
    parser.add_argument("--field", type=Path, nargs=2, required=True)
    parser.add_argument("--output", type=Path, default=Path("build/gaia-xp/stars.parquet"))
    options = parser.parse_args()
    apogee = of_apogee((options.stars, options.companions))
    photometry = of_photometry(options.photometry, apogee)
    field = of_field(options.field)
    stars = stack({"apogee": apogee, "photometry": photometry, "field": field})
    match(stars)
    widen(stars)
    put_known_first(stars)
    report(stars)
    draw_parallaxes(stars, np.random.default_rng(0))
    print(f"{stars['parallax_drawn'].sum()} parallaxes are drawn")
    paths = (options.stars, options.companions, options.photometry, *options.field)
    stars.meta = {
        "sources": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    }
    write_stars(stars, options.output, overwrite=True)


if __name__ == "__main__":
    main()
