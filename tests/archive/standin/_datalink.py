"""XP spectra as DataLink packs them: 26 columns, arrays of any length, files in a zip."""

import base64
import csv
import io
import struct
import zipfile
from collections.abc import Callable, Iterable

import numpy as np
from astropy.io import fits
from astropy.table import Table

from standin._votable import VOTABLE_TYPE, null_bits, null_rows, votable

__all__ = ["MAX_IDS", "N_CORRELATIONS", "products"]

MAX_IDS = 5000
N_CORRELATIONS = 55 * 54 // 2

_DATATYPES = {"i2": "short", "i8": "long", "f4": "float", "f8": "double"}
_ENDINGS = {"votable": "xml", "fits": "fits", "csv": "csv", "ecsv": "ecsv"}
_MIME_TYPES = {"votable": VOTABLE_TYPE, "fits": "application/fits", "csv": "text/csv"}

# One column: its name, its type as numpy writes it, whether it is an array, and a value or None
# for every row.
_Column = tuple[str, str, bool, list]


def products(table: Table, form: dict[str, str], n_correlations: int) -> tuple[bytes, str]:
    """Return the answer's body and type.

    Parameters
    ----------
    table : Table
        Spectra without correlations.
    form : dict of str to str
        ``DATA_STRUCTURE``: INDIVIDUAL gives a file a source, RAW and DATAMODEL_GAIA one for
        all; ``FORMAT``; ``USE_ZIP_ALWAYS``: else one file comes as it is.
    n_correlations : int
        Length of the arrays of correlations; all are 0.
    """
    structure = form.get("DATA_STRUCTURE", "INDIVIDUAL")
    kind = form.get("FORMAT", "votable").lower()
    write, ending = _WRITERS[kind], _ENDINGS[kind]
    if structure == "INDIVIDUAL":
        files = {
            f"XP_CONTINUOUS-Gaia DR3 {table['source_id'][row]}.{ending}": write(
                _columns(table[row : row + 1], n_correlations)
            )
            for row in range(len(table))
        }
    else:
        files = {f"XP_CONTINUOUS_{structure}.{ending}": write(_columns(table, n_correlations))}
    if len(files) == 1 and form.get("USE_ZIP_ALWAYS", "false").lower() != "true":
        return next(iter(files.values())), _MIME_TYPES.get(kind, "text/plain")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue(), "application/zip"


def _columns(table: Table, n_correlations: int) -> list[_Column]:
    """Return the columns in the archive's order, with the correlations after the errors."""
    columns = []
    for column in table.columns.values():
        mask = null_rows(column)
        code = column.dtype.str[1:]
        values = np.ma.getdata(column)
        if column.ndim == 1:
            values = values.tolist()
        known = [None if null else one for one, null in zip(values, mask, strict=True)]
        columns.append((column.name, code, column.ndim > 1, known))
        if column.name.endswith("_coefficient_errors"):
            zeros = np.zeros(n_correlations, dtype=np.float32)
            name = column.name.replace("_errors", "_correlations")
            columns.append((name, "f4", True, [None if null else zeros for null in mask]))
    return columns


def _votable(columns: list[_Column]) -> bytes:
    variable = ' arraysize="*"'
    fields = "\n".join(
        f'<FIELD name="{name}" datatype="{_DATATYPES[code]}"{array * variable}/>'
        for name, code, array, _ in columns
    )
    encoded = [map(_encoder(code, array), values) for _, code, array, values in columns]
    nulls = null_bits([[one is None for one in values] for *_, values in columns])
    rows = zip(map(np.ndarray.tobytes, nulls), *encoded, strict=True)
    stream = base64.encodebytes(b"".join(map(b"".join, rows))).decode()
    return votable(
        f"<TABLE>\n{fields}\n<DATA><BINARY2><STREAM encoding='base64'>\n{stream}"
        "</STREAM></BINARY2></DATA>\n</TABLE>\n"
    )


def _encoder(code: str, array: bool) -> Callable[[object], bytes]:
    """Return what writes one value of BINARY2: big-endian, an array after its length."""
    big_endian = np.dtype(f">{code}")
    if array:
        empty = np.zeros(0, dtype=big_endian)

        def encode(values: np.ndarray | None) -> bytes:
            values = empty if values is None else values
            return struct.pack(">i", len(values)) + values.astype(big_endian).tobytes()

        return encode
    pack = struct.Struct(">" + {"i2": "h", "i8": "q", "f4": "f", "f8": "d"}[code]).pack
    return lambda value: pack(0 if value is None else value)


def _fits(columns: list[_Column]) -> bytes:
    hdu = fits.BinTableHDU.from_columns([_fits_column(*column) for column in columns])
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
    return buffer.getvalue()


def _fits_column(name: str, code: str, array: bool, values: list) -> fits.Column:
    letter = {"i2": "I", "i8": "K", "f4": "E", "f8": "D"}[code]
    if array:
        arrays = np.empty(len(values), dtype=object)
        arrays[:] = [np.zeros(0, dtype=code) if one is None else one for one in values]
        return fits.Column(name, f"P{letter}()", array=arrays)
    null = -32768 if code == "i2" else None
    missing = np.nan if code.startswith("f") else null
    filled = np.array([missing if one is None else one for one in values], dtype=code)
    return fits.Column(name, letter, array=filled, null=null)


def _csv(columns: list[_Column]) -> bytes:
    return _text(columns, "(%s)", ", ")


def _ecsv(columns: list[_Column]) -> bytes:
    """ECSV in which arrays are strings, as the archive has it."""
    names = {"i2": "int16", "i8": "int64", "f4": "float32", "f8": "float64"}
    header = "".join(
        f"# -\n#   name: {name}\n#   datatype: {'string' if array else names[code]}\n"
        + array * f"#   subtype: '{names[code]}[null]'\n"
        for name, code, array, _ in columns
    )
    start = f"# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n{header}"
    return start.encode() + _text(columns, "[%s]", ",")


def _text(columns: list[_Column], brackets: str, comma: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column[0] for column in columns])
    cells = [_cells(values, array, brackets, comma) for _, _, array, values in columns]
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue().encode()


def _cells(values: list, array: bool, brackets: str, comma: str) -> Iterable[object]:
    for one in values:
        if one is None:
            yield ""
        else:
            yield brackets % comma.join(map(str, one.tolist())) if array else one


_WRITERS = {"votable": _votable, "fits": _fits, "csv": _csv, "ecsv": _ecsv}
