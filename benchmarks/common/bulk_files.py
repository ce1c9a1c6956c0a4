"""Files in the layout of the archive's bulk download, of stars that never were."""

import gzip
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from astropy_healpix import HEALPix

__all__ = ["GAIA_SOURCE", "N_SOURCES", "XP_COLUMNS", "write_checksums", "write_pair"]

N_SOURCES = 1_811_709_771
"""Sources of Gaia DR3, which ``random_index`` numbers."""

PER_SPECTRUM = 8
"""Sources for each that has a spectrum."""


def _numbered(names: str, *ends: str) -> list[str]:
    return [name + end for name in names.split() for end in ends]


_CORRELATED = ["ra", "dec", "parallax", "pmra", "pmdec"]
GAIA_SOURCE = [
    *["solution_id", "designation", "source_id", "random_index", "ref_epoch"],
    *_numbered("ra dec", "", "_error"),
    *["parallax", "parallax_error", "parallax_over_error", "pm"],
    *_numbered("pmra pmdec", "", "_error"),
    *(f"{a}_{b}_corr" for i, a in enumerate(_CORRELATED) for b in _CORRELATED[i + 1 :]),
    *(f"astrometric_n_{what}" for what in ("obs_al", "obs_ac", "good_obs_al", "bad_obs_al")),
    *["astrometric_gof_al", "astrometric_chi2_al"],
    *_numbered("astrometric_excess_noise", "", "_sig"),
    *["astrometric_params_solved", "astrometric_primary_flag", "nu_eff_used_in_astrometry"],
    *_numbered("pseudocolour", "", "_error"),
    *(f"{name}_pseudocolour_corr" for name in _CORRELATED),
    *["astrometric_matched_transits", "visibility_periods_used", "astrometric_sigma5d_max"],
    *["matched_transits", "new_matched_transits", "matched_transits_removed"],
    *["ipd_gof_harmonic_amplitude", "ipd_gof_harmonic_phase", "ipd_frac_multi_peak"],
    *["ipd_frac_odd_win", "ruwe"],
    *(f"scan_direction_{what}_k{k}" for what in ("strength", "mean") for k in (1, 2, 3, 4)),
    "duplicated_source",
    *(
        f"phot_{band}_{what}"
        for band in ("g", "bp", "rp")
        for what in (
            *("n_obs", "mean_flux", "mean_flux_error", "mean_flux_over_error", "mean_mag"),
        )
    ),
    "phot_bp_rp_excess_factor",
    *(
        f"phot_{band}_n_{what}_transits"
        for band in ("bp", "rp")
        for what in ("contaminated", "blended")
    ),
    *["phot_proc_mode", "bp_rp", "bp_g", "g_rp"],
    *_numbered("radial_velocity", "", "_error"),
    *[
        "rv_method_used",
        "rv_nb_transits",
        "rv_nb_deblended_transits",
        "rv_visibility_periods_used",
    ],
    *["rv_expected_sig_to_noise", "rv_renormalised_gof", "rv_chisq_pvalue", "rv_time_duration"],
    *["rv_amplitude_robust", "rv_template_teff", "rv_template_logg", "rv_template_fe_h"],
    "rv_atm_param_origin",
    *_numbered("vbroad", "", "_error", "_nb_transits"),
    *_numbered("grvs_mag", "", "_error", "_nb_transits"),
    *["rvs_spec_sig_to_noise", "phot_variable_flag", "l", "b", "ecl_lon", "ecl_lat"],
    *["in_qso_candidates", "in_galaxy_candidates", "non_single_star", "has_xp_continuous"],
    *["has_xp_sampled", "has_rvs", "has_epoch_photometry", "has_epoch_rv", "has_mcmc_gspphot"],
    *["has_mcmc_msc", "in_andromeda_survey"],
    *(f"classprob_dsc_combmod_{what}" for what in ("quasar", "galaxy", "star")),
    *_numbered(
        "teff_gspphot logg_gspphot mh_gspphot distance_gspphot azero_gspphot ag_gspphot "
        "ebpminrp_gspphot",
        *("", "_lower", "_upper"),
    ),
    "libname_gspphot",
]
"""Columns of the archive's ``gaia_source``, in order."""

XP_COLUMNS = [
    *("source_id", "solution_id"),
    *(
        f"{band}_{what}"
        for band in ("bp", "rp")
        for what in (
            *("basis_function_id", "degrees_of_freedom", "n_parameters", "n_measurements"),
            *("n_rejected_measurements", "standard_deviation", "chi_squared"),
            *("coefficients", "coefficient_errors", "coefficient_correlations"),
            *("n_relevant_bases", "relative_shrinking"),
        )
    ),
]
"""Columns of the archive's ``xp_continuous_mean_spectrum``, in order."""

_TRUTHS = {
    *[
        "astrometric_primary_flag",
        "duplicated_source",
        "in_qso_candidates",
        "in_galaxy_candidates",
    ],
    *["has_xp_continuous", "has_xp_sampled", "has_rvs", "has_epoch_photometry", "has_epoch_rv"],
    *["has_mcmc_gspphot", "has_mcmc_msc", "in_andromeda_survey"],
}
_TEXTS = {"designation", "phot_variable_flag", "libname_gspphot"}


def write_pair(
    folder: Path,
    first: int,
    last: int,
    n_stars: int,
    *,
    seed: int = 0,
    per_spectrum: int = PER_SPECTRUM,
    without_bp: Sequence[int] = (),
) -> dict[str, np.ndarray]:
    """Write a file of spectra and one of the sources in the same pixels.

    Parameters
    ----------
    folder : Path
        Folder of both files.
    first, last : int
        Range of HEALPix pixels of order 8.
    n_stars : int
        Stars with a spectrum.
    seed : int
        Seed of the draw.
    per_spectrum : int
        Sources for each star.
    without_bp : sequence of int
        Rows that have no BP spectrum.

    Returns
    -------
    dict of str to ndarray
        True values of the stars with a spectrum, by column, as they are in the files.
    """
    rng = np.random.default_rng([seed, first])
    sources = _draw_sources(rng, first, last, n_stars * per_spectrum)
    has_xp = np.sort(rng.choice(len(sources["source_id"]), n_stars, replace=False))
    sources["has_xp_continuous"] = np.zeros(len(sources["source_id"]), dtype=bool)
    sources["has_xp_continuous"][has_xp] = True
    stars = {name: values[has_xp] for name, values in sources.items()}
    stars |= _draw_spectra(rng, n_stars, without_bp)
    pixels = f"{first:06d}-{last:06d}"
    _write(folder / f"GaiaSource_{pixels}.csv.gz", GAIA_SOURCE, _source_rows(sources))
    rows = _spectrum_rows(rng, stars, without_bp)
    _write(folder / f"XpContinuousMeanSpectrum_{pixels}.csv.gz", XP_COLUMNS, rows)
    return stars


def write_checksums(folder: Path) -> None:
    """Write the archive's list of the checksums of a folder's files."""
    lines = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.name}\n"
        for path in sorted(folder.glob("*.csv.gz"))
    ]
    (folder / "_MD5SUM.txt").write_text("".join(lines))


def _draw_sources(
    rng: np.random.Generator, first: int, last: int, n: int
) -> dict[str, np.ndarray]:
    pixels = np.sort(rng.integers(first * 256, (last + 1) * 256, n))
    grid = HEALPix(2**12, "nested")
    lon, lat = grid.healpix_to_lonlat(pixels, rng.random(n), rng.random(n))
    g = rng.uniform(8, 17.6, n).round(6)
    parallax = np.where(rng.random(n) < 0.1, np.nan, rng.normal(0.5, 1, n))
    floats = {
        "ra": lon.deg % 360,
        "dec": lat.deg,
        "parallax": parallax,
        "parallax_error": np.where(np.isnan(parallax), np.nan, rng.uniform(0.02, 0.2, n)),
        "phot_g_mean_mag": g,
        "phot_bp_mean_mag": g + 0.3,
        "phot_rp_mean_mag": np.where(rng.random(n) < 0.05, np.nan, g - 0.4),
        "phot_g_mean_flux_over_error": rng.uniform(500, 5000, n),
        "phot_bp_mean_flux_over_error": rng.uniform(100, 500, n),
        "phot_rp_mean_flux_over_error": rng.uniform(100, 500, n),
        "ruwe": rng.uniform(0.9, 1.4, n),
    }
    return {
        "source_id": (pixels << 35) + 8 * np.arange(1, n + 1),
        "random_index": rng.integers(0, N_SOURCES, n),
        "astrometric_params_solved": rng.choice([31, 95], n),
    } | floats


def _draw_spectra(
    rng: np.random.Generator, n: int, without_bp: Sequence[int]
) -> dict[str, np.ndarray]:
    scales = 1e4 / np.arange(1, 56) ** 1.5
    drawn = {}
    for band in ("bp", "rp"):
        drawn[f"{band}_coefficients"] = rng.normal(0, scales, (n, 55))
        drawn[f"{band}_coefficient_errors"] = rng.uniform(0.1, 10, (n, 55)).astype(np.float32)
        drawn[f"{band}_n_relevant_bases"] = rng.integers(5, 55, n).astype(float)
    for name in [name for name in drawn if name.startswith("bp_")]:
        drawn[name][[*without_bp]] = np.nan
    return drawn


def _source_rows(sources: dict[str, np.ndarray]) -> Iterable[str]:
    known = {name: sources[name].tolist() for name in GAIA_SOURCE if name in sources}
    plain = {
        name: '"False"' if name in _TRUTHS else '"NOT_AVAILABLE"' if name in _TEXTS else "1.234567"
        for name in GAIA_SOURCE
    }
    plain["radial_velocity"] = "null"
    for row, source_id in enumerate(known["source_id"]):
        cells = plain | {name: _cell(values[row]) for name, values in known.items()}
        cells["designation"] = f'"Gaia DR3 {source_id}"'
        yield ",".join(cells.values())


def _spectrum_rows(
    rng: np.random.Generator, stars: dict[str, np.ndarray], without_bp: Sequence[int]
) -> Iterable[str]:
    for row, source_id in enumerate(stars["source_id"].tolist()):
        cells = {"source_id": str(source_id), "solution_id": "4545469030156206080"}
        for band in ("bp", "rp"):
            cells |= {
                f"{band}_coefficients": _array(stars[f"{band}_coefficients"][row]),
                f"{band}_coefficient_errors": _array(stars[f"{band}_coefficient_errors"][row]),
                f"{band}_coefficient_correlations": _array(
                    rng.normal(0, 0.1, 1485).astype(np.float32)
                ),
                f"{band}_n_relevant_bases": _cell(stars[f"{band}_n_relevant_bases"][row]),
            }
        is_missing = [row in without_bp and name.startswith("bp_") for name in XP_COLUMNS]
        yield ",".join(
            "null" if missing else cells.get(name, "55")
            for name, missing in zip(XP_COLUMNS, is_missing, strict=True)
        )


def _array(numbers: np.ndarray) -> str:
    return '"[' + ",".join(map(str, numbers)) + ']"'


def _cell(value: float | int | bool) -> str:
    if isinstance(value, bool):
        return f'"{value}"'
    if value != value:
        return "null"
    return str(int(value)) if value == int(value) else repr(value)


def _write(path: Path, names: Sequence[str], rows: Iterable[str]) -> None:
    kinds = "".join(f"# -\n#   name: {name}\n#   datatype: {_kind(name)}\n" for name in names)
    with gzip.open(path, "wt", compresslevel=6) as file:
        file.write(f"# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n{kinds}")
        file.write(",".join(names) + "\n")
        file.writelines(f"{row}\n" for row in rows)


def _kind(name: str) -> str:
    if name in _TRUTHS:
        return "bool"
    if name in _TEXTS or "coefficient" in name:
        return "string"
    return "int64" if name.endswith(("_id", "_index")) else "float64"
