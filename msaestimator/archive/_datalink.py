"""XP coefficients from a DataLink server: one zip of tables a request."""

import io
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from typing import IO

import numpy as np
import pyarrow as pa
import requests
from astropy.table import Table

from msaestimator.archive._columns import ArchiveColumn
from msaestimator.archive._failures import Malformed, Refused, RequestFailure, Unreachable
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
"""Ending of a file in the zip to astropy's name of its format."""

IN_MEMORY = 64 * 2**20
"""Bytes of an answer that are kept in memory; a longer one goes to a temporary file."""


class DataLink:
    """A client for the part of DataLink that gives XP coefficients.

    Parameters
    ----------
    session : requests.Session
    url : str
        The server's ``data`` endpoint.
    release : str
        Pinned in each request, since the server's own default is the newest release.
    columns : sequence of ArchiveColumn
        What to read of each product.
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
        self._structures = list(STRUCTURES)

    def fetch(self, ids: np.ndarray) -> pa.Table:
        """Return the rows of the sources the server has, in its order.

        Raises
        ------
        Malformed, Refused, Unreachable
            By what can be done about it.
        """
        while True:
            try:
                return self._fetch(ids, self._structures[0])
            except (Refused, Unreachable):
                # A server that knows only the other name says so in ways of its own.
                if len(self._structures) == 1:
                    raise
                del self._structures[0]

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
            self._download(request, file)
            return read_products(file, self.columns)

    def _download(self, request: dict[str, str], file: IO[bytes]) -> None:
        try:
            with self.session.post(self.url, data=request, stream=True) as response:
                if not response.ok:
                    failure = Refused if 400 <= response.status_code < 429 else Unreachable
                    raise failure(
                        f"HTTP {response.status_code} {response.reason}: "
                        f"{response.text.strip():.200}"
                    )
                for block in response.iter_content(2**20):
                    file.write(block)
        except requests.exceptions.ChunkedEncodingError as error:
            raise Malformed(f"the answer broke off ({error})") from error
        except requests.RequestException as error:
            raise Unreachable(str(error)) from error


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
    except zipfile.BadZipFile as error:
        raise Malformed(f"the answer is not a whole zip file ({error})") from error
    return pa.concat_tables(tables)


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
