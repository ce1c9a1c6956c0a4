"""The same three stars in every container, and what is read of each quantity.

``scripts/list_inputs.py`` makes the table of docs/user_guide/inputs.rst from this.
"""

from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from astropy.io import fits
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked

from msaestimator import StarTable
from msaestimator.exceptions import ColumnError
from msaestimator.preprocessing import collect_labels, read_errors, read_features
from msaestimator.schema import GAIA_DR3
from msaestimator.surveys import read_surveys
from msaestimator.tables import source_ids_of

MASK = np.array([False, True, False])
GARBAGE = 12.5  # what lies beneath a mask, and no missing value by itself
NAN = np.nan


def column(values, mask=MASK, unit=None):
    """Return one column as the makers of containers take it."""
    return SimpleNamespace(values=np.array(values), mask=np.array(mask), unit=unit)


SPECTRA = np.where(MASK[:, None], GARBAGE, np.linspace(-3, 5, 165).reshape(3, 55))
COLUMNS = {
    "source_id": column([2**60 + 1, 5, 7]),
    "phot_g_mean_mag": column([11.0, GARBAGE, 17.5], unit="mag"),
    "parallax": column([0.001, GARBAGE, 0.003], unit="arcsec"),
    "pmra_error": column([0.1, GARBAGE, 0.3], unit="mas / yr"),
    "bp_coefficients": column(SPECTRA),
    "teff": column([4000.0, GARBAGE, 5000.0], unit="K"),
    "logg": column([2.0, GARBAGE, 4.5]),
    "survey": column(["apogee", "garbage", "galah"]),
}


def n_rows(columns):
    return len(next(iter(columns.values())).values)


def masked(one):
    """Return a column as a masked array of NumPy."""
    mask = one.mask if one.values.ndim == 1 else one.mask[:, None]
    return np.ma.MaskedArray(one.values, np.broadcast_to(mask, one.values.shape).copy())


def with_none(one):
    """Return a column as a list with None where it is masked."""
    return [None if m else row for row, m in zip(one.values.tolist(), one.mask, strict=True)]


def with_nan(one):
    """Return a column as NumPy has it without masks: NaN in floats, None among objects."""
    if one.values.dtype.kind != "f":
        return np.array(with_none(one), dtype=object)
    mask = one.mask if one.values.ndim == 1 else one.mask[:, None]
    return np.where(mask, NAN, one.values)


def objects(rows):
    """Return rows as an array of objects, also where they are lists."""
    values = np.empty(len(rows), dtype=object)
    values[:] = rows
    return values


def table(columns, kind=Table):
    return kind({n: MaskedColumn(masked(c), unit=c.unit) for n, c in columns.items()})


def quantities(columns):
    return {
        name: Masked(c.values * u.Unit(c.unit), mask=c.mask) if c.unit else masked(c)
        for name, c in columns.items()
    }


def frame(columns):
    return pd.DataFrame({n: list(with_nan(c)) for n, c in columns.items()})


def nullable_frame(columns):
    kinds = {"f": "Float64", "i": "Int64", "U": "string"}
    return pd.DataFrame(
        {
            name: objects(with_none(c))
            if c.values.ndim == 2
            else pd.array(with_none(c), dtype=kinds[c.values.dtype.kind])
            for name, c in columns.items()
        }
    )


def frame_of_text(columns):
    """Return a DataFrame with spectra as text, as CSV files of the archive have them."""
    texts = {
        n: [None if row is None else f"[{', '.join(map(repr, row))}]" for row in with_none(c)]
        for n, c in columns.items()
        if c.values.ndim == 2
    }
    return nullable_frame({n: c for n, c in columns.items() if n not in texts}).assign(**texts)


def arrow(columns):
    return pa.table({name: pa.array(with_none(c)) for name, c in columns.items()})


def arrow_frame(columns):
    return arrow(columns).to_pandas(types_mapper=pd.ArrowDtype)


def indexed_frame(columns):
    data = nullable_frame(columns)
    return data.set_index("source_id") if "source_id" in data else data


def records(columns):
    """Return a structured array, which has no word for missing integers and texts."""
    plain = {n: with_nan(c) for n, c in columns.items()}
    types = [(n, v.dtype, v.shape[1:]) for n, v in plain.items()]
    made = np.empty(n_rows(columns), dtype=types)
    for name, values in plain.items():
        made[name] = values
    return made


def masked_records(columns):
    types = [(n, c.values.dtype, c.values.shape[1:]) for n, c in columns.items()]
    made = np.ma.empty(n_rows(columns), dtype=types)
    for name, c in columns.items():
        made[name] = masked(c)
    return made


def hdu(columns):
    plain = Table()
    for name, c in columns.items():
        if c.values.dtype.kind == "i":
            plain[name] = MaskedColumn(np.where(c.mask, -1, c.values), mask=c.mask)
        else:
            blank = NAN if c.values.dtype.kind == "f" else ""
            mask = c.mask if c.values.ndim == 1 else c.mask[:, None]
            plain[name] = MaskedColumn(np.where(mask, blank, c.values), unit=c.unit)
    return fits.table_to_hdu(plain)


def rows(columns):
    """Return a dict a star, which leaves out what it does not know."""

    def value(c, row):
        return c.values[row] * u.Unit(c.unit) if c.unit else c.values[row]

    return [
        {name: value(c, row) for name, c in columns.items() if not c.mask[row]}
        for row in range(n_rows(columns))
    ]


CONTAINERS = {
    "``StarTable``": lambda c: StarTable(quantities(c)),
    "``Table``": table,
    "``QTable``": lambda c: QTable(quantities(c)),
    "pandas ``DataFrame``": frame,
    "… of nullable types": nullable_frame,
    "… of Arrow's types": arrow_frame,
    "… with ``source_id`` as index": indexed_frame,
    "… with arrays as text": frame_of_text,
    "polars ``DataFrame``": lambda c: pl.from_arrow(arrow(c)),
    "pyarrow ``Table``": arrow,
    "pyarrow ``RecordBatch``": lambda c: arrow(c).combine_chunks().to_batches()[0],
    "results of pyvo": lambda c: SimpleNamespace(to_table=lambda: table(c)),
    "structured array": records,
    "masked structured array": masked_records,
    "``BinTableHDU``": hdu,
    "``FITS_rec``": lambda c: hdu(c).data,
    "``HDUList`` with one table": lambda c: fits.HDUList([fits.PrimaryHDU(), hdu(c)]),
    "dict of columns": quantities,
    "list of dicts": rows,
}

STATES_UNITS = {
    "``StarTable``",
    "``Table``",
    "``QTable``",
    "results of pyvo",
    "``BinTableHDU``",
    "``FITS_rec``",
    "``HDUList`` with one table",
    "dict of columns",
    "list of dicts",
}
"""Containers that say in which units their columns are."""


def feature(name, read=read_features):
    position = GAIA_DR3.names.index(name)
    return lambda stars: read(stars, GAIA_DR3)[:, position]


def read_ids(stars):
    ids = source_ids_of(stars)
    missing = np.ma.getmaskarray(ids)
    return np.array([None if m else int(i) for i, m in zip(ids, missing, strict=True)])


def spectra(stars):
    return read_features(stars, GAIA_DR3)[:, np.isin(GAIA_DR3.names, GAIA_DR3.block("xp"))]


def surveys(stars):
    """Return which star is refused for want of a survey."""
    try:
        return read_surveys(stars, "survey", 3)
    except ColumnError as error:
        return np.array([str(error).partition(", the first in ")[2].partition(".")[0]])


QUANTITIES = {
    "numbers": ("phot_g_mean_mag", feature("phot_g_mean_mag"), [11.0, NAN, 17.5]),
    "units": ("parallax", feature("parallax"), [1.0, NAN, 3.0]),
    "errors": ("pmra_error", feature("pmra", read_errors), [0.1, NAN, 0.3]),
    "spectra": ("bp_coefficients", spectra, None),
    "ids": ("source_id", read_ids, np.array([2**60 + 1, None, 7])),
    "labels": ("teff", lambda s: collect_labels(s, None, ["teff"]).values[:, 0], [4e3, NAN, 5e3]),
    "surveys": ("survey", surveys, np.array(["row 1"])),
}
"""Quantities: their column, what reads it, and what is to be read."""

READ, OURS, FLOATS = "read", "in our units", "refused: they became floats"


def expected(quantity):
    if quantity != "spectra":
        return np.asarray(QUANTITIES[quantity][2])
    bp = np.where(MASK[:, None], NAN, SPECTRA)
    return np.hstack([bp, np.full((3, 55), NAN)])


def outcome(container, quantity):
    """Return in words what is read of a quantity out of a container."""
    name, read, _ = QUANTITIES[quantity]
    stars = CONTAINERS[container]({n: COLUMNS[n] for n in {name, "phot_g_mean_mag"}})
    try:
        found, wanted = read(stars), expected(quantity)
    except ColumnError as error:
        return FLOATS if "(float) at position 0" in str(error) else str(error)
    if same(found, wanted):
        return READ
    in_arcsec = COLUMNS["parallax"]
    if quantity == "units" and same(found, np.where(MASK, NAN, in_arcsec.values)):
        return OURS
    return f"{found!r} for {wanted!r}"


def same(found, wanted):
    if found.dtype.kind == "f":
        return np.allclose(found, wanted.astype(float), rtol=1e-12, equal_nan=True)
    return found.tolist() == wanted.tolist()


REFUSED = {
    "one row of a table": lambda: table(COLUMNS)[0],
    "one record of an array": lambda: records({"teff": COLUMNS["teff"]})[0],
    "list of rows": lambda: [*table(COLUMNS)],
    "path": lambda: "stars.fits",
    "image": fits.PrimaryHDU,
    "``HDUList`` with several tables": lambda: fits.HDUList(
        [fits.PrimaryHDU(), hdu(COLUMNS), hdu(COLUMNS)]
    ),
    "dict of columns of several lengths": lambda: {"teff": [5000.0, 6000.0], "logg": [4.5]},
    "polars ``LazyFrame``": lambda: pl.from_arrow(arrow(COLUMNS)).lazy(),
}
"""Containers that hold no one table of stars, or not yet."""


def refusal(container):
    """Return the message that refuses a container."""
    try:
        read_features(REFUSED[container](), GAIA_DR3)
    except ColumnError as error:
        return str(error)
    raise AssertionError(f"{container} was taken.")
