"""Columns of a catalogue from VizieR."""

import io
from collections.abc import Mapping, Sequence

import requests
from astropy.io import votable
from astropy.table import Table

from msaestimator.archive._answers import beginning
from msaestimator.archive._session import open_session
from msaestimator.exceptions import ArchiveError, MissingDependencyError
from msaestimator.schema import StarTable

__all__ = ["fetch_vizier"]

TIMEOUT, RETRIES = 300.0, 5
"""Seconds without a byte before a request fails, and how often it is sent again."""


def fetch_vizier(table: str, columns: Mapping[str, Sequence[str]]) -> StarTable:
    """Fetch columns of all rows of a table at VizieR.

    Parameters
    ----------
    table : str
        Name of the table there, such as ``"III/286/catalog"``.
    columns : mapping of str to sequence of str
        VizieR's names of each column by ours. Of several names the first that the table has is
        taken; VizieR passes over those that it does not know.

    Returns
    -------
    StarTable
        The columns by our names, with the units that VizieR states; masked where it has no value.

    Raises
    ------
    ArchiveError
        VizieR failed, or the table lacks a column.
    MissingDependencyError
        astroquery is not installed.

    Examples
    --------
    .. code-block:: python

        from msaestimator.archive import fetch_vizier

        stars = fetch_vizier("III/286/catalog", {"source_id": ["GaiaEDR3"], "teff": ["Teff"]})
    """
    asked = [name for names in columns.values() for name in names]
    answer = _read_votable(table, _ask(table, asked))
    taken = {ours: _first(table, names, answer.colnames) for ours, names in columns.items()}
    return StarTable({ours: answer[theirs] for ours, theirs in taken.items()})


def _ask(table: str, columns: Sequence[str]) -> bytes:
    """Return VizieR's answer."""
    try:
        from astroquery import cache_conf
        from astroquery.vizier import VizierClass
    except ImportError:
        raise MissingDependencyError(
            "Fetching catalogues from VizieR needs the package astroquery, which is not "
            "installed: pip install msaestimator[names]."
        ) from None
    vizier = VizierClass(columns=list(columns), row_limit=-1, timeout=TIMEOUT)
    # astroquery's own has no retries, and its cache is of pickled answers.
    vizier._session = open_session(TIMEOUT, RETRIES)
    try:
        with vizier._session, cache_conf.set_temp("cache_active", False):
            answer = vizier.get_catalogs_async(table)
            answer.raise_for_status()
            return answer.content
    except requests.RequestException as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ArchiveError(
            f"VizieR ({table}): {reason}. Check the network, or try again later."
        ) from error


def _read_votable(table: str, content: bytes) -> Table:
    """Return the only table of VizieR's answer."""
    try:
        document = votable.parse(io.BytesIO(content), verify="ignore")
        (found,) = (one for one in document.iter_tables() if one.fields)
        return found.to_table(use_names_over_ids=True)
    # The parser fails in as many ways as documents can be broken.
    except Exception as error:
        raise ArchiveError(
            f"VizieR ({table}): the answer is not a VOTable with one table; it begins "
            f"{beginning(content)}. Try again later."
        ) from error


def _first(table: str, names: Sequence[str], known: Sequence[str]) -> str:
    """Return the first of several names that an answer has."""
    for name in names:
        if name in known:
            return name
    raise ArchiveError(
        f"VizieR ({table}): the answer must have the column {' or '.join(names)}, got "
        f"{', '.join(known)}."
    )
