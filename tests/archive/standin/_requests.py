"""Requests as they come in: forms, uploads, ids."""

import io
import re
from dataclasses import dataclass, field
from email.parser import BytesParser
from urllib.parse import parse_qsl

import numpy as np
from astropy.io.votable import parse
from astropy.table import Table

__all__ = ["Request", "read_request"]

_LISTED = re.compile(r"\bIN\s*\(([\d,\s]+)\)", re.IGNORECASE)


@dataclass
class Request:
    """One request.

    Parameters
    ----------
    kind : str
        What it is about: "sync", "async", "job", "result", "delete", "datalink" or "other".
    method, path : str
        As in HTTP; the path without the query string.
    headers : dict of str to str
        By name in lower case.
    form : dict of str to str
        Parameters of address and body, by name in capitals.
    files : dict of str to bytes
        Uploaded documents.
    uploads : dict of str to Table
        The same, read, by the name of the table.
    """

    kind: str
    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    uploads: dict[str, Table] = field(default_factory=dict, repr=False)

    @property
    def ids(self) -> list[int]:
        """The source ids uploaded, listed in the query, or asked of DataLink."""
        for table in self.uploads.values():
            return np.asarray(table["source_id"]).tolist()
        listed = self.form.get("ID") or ",".join(_LISTED.findall(self.form.get("QUERY", "")))
        return [int(one.split()[-1]) for one in listed.split(",") if one.strip()]

    @property
    def n_ids(self) -> int:
        """The number of them."""
        return len(self.ids)


def read_request(
    kind: str, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> Request:
    """Return what a client sent."""
    content_type = headers.get("content-type", "")
    pairs, files = parse_qsl(query, keep_blank_values=True), {}
    if content_type.startswith("multipart/form-data"):
        message = BytesParser().parsebytes(
            b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
        )
        for part in message.get_payload():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if part.get_filename() is None:
                pairs.append((name, content.decode()))
            else:
                files[name] = content
    else:
        pairs += parse_qsl(body.decode(), keep_blank_values=True)
    form = {name.upper(): value for name, value in pairs}
    uploads = {
        name: _read(files[uri.removeprefix("param:")])
        for name, _, uri in (one.partition(",") for one in form.get("UPLOAD", "").split(";"))
        if name
    }
    return Request(kind, method, path, headers, form, files, uploads)


def _read(content: bytes) -> Table:
    return parse(io.BytesIO(content), verify="ignore").get_first_table().to_table()
