"""The format of a file by its first bytes, whatever its name says."""

from pathlib import Path

from astropy.utils.data import get_readable_fileobj

__all__ = ["BINARY", "content_of"]

BINARY = ("FITS", "parquet", "HDF5", "Feather")
"""Formats whose files all begin with a signature."""

SIGNATURES = {
    "FITS": (b"SIMPLE  =",),
    "parquet": (b"PAR1",),
    "HDF5": (b"\x89HDF\r\n\x1a\n",),
    "Feather": (b"ARROW1", b"FEA1"),
    "VOTable": (b"<?xml", b"<votable"),
    "HTML, such as a server's page of an error or a log-in": (b"<!doctype html", b"<html"),
    "JSON, such as a server's message": (b"{", b"[{"),
    "a zip archive, which must be unpacked first": (b"PK\x03\x04",),
}


def content_of(path: Path) -> str | None:
    """Return a file's format as its first bytes, uncompressed, tell it; None if they do not."""
    with get_readable_fileobj(path, encoding="binary") as file:
        start = file.read(64)
    first_words = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for content, signatures in SIGNATURES.items():
        if start.startswith(signatures) or first_words.startswith(signatures):
            return content
    return None
