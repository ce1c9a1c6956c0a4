"""XP coefficients from a DataLink server: one zip of tables a request."""

import io
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

import numpy as np
import pyarrow as pa
import requests
from astropy.table import Table

from msaestimator.archive._answers import answer_of, beginning
from msaestimator.archive._columns import ArchiveColumn
from msaestimator.archive._failures import Failed, Malformed, Refused, RequestFailure
from msaestimator.archive._rows import arrow_rows, arrow_schema

__all__ = ["DataLink", "read_products"]

STRUCTURES = ("DATAMODEL_GAIA", "RAW")
"""Names of the one product with plain coefficients: today's, and the one before mid-2026."""

FORMATS = {
    ".xml": "votable",
    ".vot": "votable",
    ".fits": "fits",
    ".ecsv": "ascii.ecsv",
    ".csv": "ascii.csv",
}
"""Astropy's names of formats, by the ending of a file in the zip."""

START = 100
"""Number of first bytes by which an answer that is no zip file is explained."""

IN_MEMORY = 64 * 2**20
"""Most bytes of an answer kept in memory; a longer answer goes to a temporary file."""


class DataLink:
    """A client for the part of DataLink that gives XP coefficients.

    Parameters
    ----------
    session : requests.Session
    url : str
        The server's ``data`` endpoint.
    release : str
        Data release, named in each request since the server's default is the newest.
    columns : sequence of ArchiveColumn
        Columns to read of each product.
    """

    def __init__(
        self,
        session: requests.Session,
        url: str,
        release: str,
        columns: Sequence[ArchiveColumn],
    ) -> None:
        self.session = session
        self.url = url
        self.release = release
        self.columns = tuple(columns)
        self._structures: tuple[str, ...] = STRUCTURES

    def fetch(self, ids: np.ndarray) -> pa.Table:
        """Return the rows of the sources the server has, in its order.

        Raises
        ------
        Failed, Malformed, Refused, Unreachable
            The request failed; the class tells what can be done about it.
        """
        *others, last = self._structures
        for structure in others:
            # A server that knows only another name says so in ways of its own.
            with suppress(Refused, Failed):
                return self._fetch_and_keep(ids, structure)
        return self._fetch_and_keep(ids, last)

    def _fetch_and_keep(self, ids: np.ndarray, structure: str) -> pa.Table:
        """Fetch with one data structure, and keep to it once it has worked."""
        rows = self._fetch(ids, structure)
        self._structures = (structure,)
        return rows

    def _fetch(self, ids: np.ndarray, structure: str) -> pa.Table:
        request = {
            "ID": ",".join(str(one) for one in ids.tolist()),
            "RELEASE": self.release,
            "DATA_STRUCTURE": structure,
            "RETRIEVAL_TYPE": "XP_CONTINUOUS",
            "FORMAT": "fits",
            "USE_ZIP_ALWAYS": "true",
        }
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            with answer_of(self.session, "POST", self.url, data=request) as answer:
                for block in answer.iter_content(2**20):
                    file.write(block)
            return read_products(file, self.columns)


def read_products(file: IO[bytes], columns: Sequence[ArchiveColumn]) -> pa.Table:
    """Return the rows of all tables with coefficients in a zip file.

    Parameters
    ----------
    file : binary file
        VOTable, FITS, ECSV and CSV members are read; members without the columns (sampled
        spectra, posterior samples) are passed over.
    columns : sequence of ArchiveColumn

    Raises
    ------
    Malformed
        The zip or one of its members is cut short or altered.
    Refused
        A table of coefficients is not of this form.
    """
    tables = [arrow_schema(columns).empty_table()]
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.namelist():
                if "XP_CONTINUOUS" in member.upper():
                    tables.append(_read_member(member, archive.read(member), columns))
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        file.seek(0)
        raise Malformed(_what_is_wrong(file.read(START))) from error
    return pa.concat_tables(tables)


def _what_is_wrong(start: bytes) -> str:
    """Return an explanation, by its first bytes, of an answer that cannot be unpacked."""
    unlike = "" if start.startswith(b"PK") else f"; it starts {beginning(start)}"
    return f"the answer is not a whole zip file{unlike}"


def _read_member(name: str, content: bytes, columns: Sequence[ArchiveColumn]) -> pa.Table:
    ending = name[name.rfind(".") :].lower()
    if ending not in FORMATS:
        raise Refused(f"the zip holds {name!r}; known endings are {', '.join(FORMATS)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = Table.read(io.BytesIO(content), format=FORMATS[ending])
    except Exception as error:
        raise Malformed(f"{name!r} in the zip cannot be read ({error})") from error
    try:
        return arrow_rows(table, columns)
    except RequestFailure as failure:
        raise type(failure)(f"{name!r} in the zip: {failure}") from failure
