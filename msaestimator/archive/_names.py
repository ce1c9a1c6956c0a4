"""The Gaia ids of stars by their names, as SIMBAD knows them."""

import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import requests
from astropy.io.votable.exceptions import VOWarning
from astropy.table import MaskedColumn, Table
from pyvo.dal import DALAccessError

from msaestimator.archive._session import open_session
from msaestimator.exceptions import ArchiveError, ColumnError, MissingDependencyError
from msaestimator.schema import StarTable
from msaestimator.tables import check_source_ids, is_source_id, raw_column

__all__ = ["NAME_STATUS", "resolve_names"]

NAME_STATUS = {
    "resolved": "SIMBAD has one Gaia DR3 identifier for the name",
    "several ids": "SIMBAD has several Gaia DR3 identifiers for the name: choose a candidate",
    "no id": "SIMBAD has the object, and no Gaia DR3 identifier for it",
    "unknown": "SIMBAD does not know the name",
}
"""Meanings of the column ``status`` of `resolve_names`."""

# A join on ident finds a name however it is written. As astroquery's own query_objects has it.
QUERY = (
    "SELECT TAP_UPLOAD.names.object_number_id, basic.main_id, ids.ids FROM TAP_UPLOAD.names "
    "LEFT JOIN ident ON TAP_UPLOAD.names.user_specified_id = ident.id "
    "LEFT JOIN basic ON basic.oid = ident.oidref LEFT JOIN ids ON ids.oidref = basic.oid"
)

NAMES_PER_QUERY = 5000
TIMEOUT, RETRIES = 120.0, 5
"""Seconds without a byte before a request fails, and how often it is sent again."""


def resolve_names(names: str | Sequence[str]) -> StarTable:
    """Return the Gaia DR3 source ids of stars by their names, as SIMBAD knows them.

    Parameters
    ----------
    names : str or sequence of str of length n_names
        Names such as ``"18 Sco"``, as SIMBAD takes them. ``"Gaia DR3 4345775217221821312"`` is an
        id already, for which SIMBAD is not asked.

    Returns
    -------
    StarTable of length n_names
        A row a name, in order: ``name``; ``source_id`` (int64), masked unless there is exactly
        one; ``status``, a key of `NAME_STATUS`, that tells why; ``main_id``, SIMBAD's own name,
        masked where it has none; and ``candidates``, all ids as text, separated by blanks.

    Raises
    ------
    ColumnError
        A name is blank or no text.
    ArchiveError
        SIMBAD failed.
    MissingDependencyError
        astroquery is not installed.

    Examples
    --------
    .. code-block:: python

        from msaestimator.archive import resolve_names

        stars = resolve_names(["18 Sco", "HD 49933"])
        parameters = regressor.predict_from_gaia(stars[~stars["source_id"].mask])
    """
    given = _texts(names)
    # Such a name may be of a source that no paper has named yet.
    found = {
        name: ("", [int(check_source_ids(name)[0])])
        for name in given
        if is_source_id(name) and re.match("gaia e?dr3", name, re.IGNORECASE)
    }
    asked = [name for name in dict.fromkeys(given) if name not in found]
    for start in range(0, len(asked), NAMES_PER_QUERY):
        found |= _ask_simbad(asked[start : start + NAMES_PER_QUERY])
    return _as_table(given, [found[name] for name in given])


def _texts(names: Any) -> list[str]:
    # As objects, so that a number among the names stays one.
    listed = isinstance(names, str | list | tuple)
    values, mask, _ = raw_column(np.array(names, dtype=object) if listed else names)
    given = np.where(mask, np.array(None), values).reshape(-1).tolist()
    for position, name in enumerate(given):
        if not isinstance(name, str) or not name.strip():
            raise ColumnError(
                f"`names` must be names of stars, such as '18 Sco', got {name!r} "
                f"({type(name).__name__}) at position {position}."
            )
    return [name.strip() for name in given]


def _ask_simbad(names: Sequence[str]) -> dict[str, tuple[str, list[int]]]:
    """Return of each name SIMBAD's own, empty if there is none, and its Gaia DR3 ids."""
    answer = _run_query(
        Table({"user_specified_id": names, "object_number_id": np.arange(len(names))})
    )
    found: dict[int, tuple[str, list[int]]] = {}
    for row in answer:
        main_id, ids = (
            "" if row[column] is np.ma.masked else str(row[column])
            for column in ("main_id", "ids")
        )
        gaia = re.findall(r"(?:^|\|)Gaia DR3 ([0-9]+) *(?=\||$)", ids)
        found[int(row["object_number_id"])] = main_id, [int(one) for one in gaia]
    if sorted(found) != [*range(len(names))]:
        raise ArchiveError(
            f"SIMBAD: the answer must have all {len(names)} names, got {len(found)}. Try again "
            "later."
        )
    return {name: found[number] for number, name in enumerate(names)}


def _run_query(upload: Table) -> Table:
    """Return SIMBAD's answer, of a row a name."""
    try:
        from astroquery.simbad import SimbadClass
    except ImportError:
        raise MissingDependencyError(
            "Finding stars by their names needs the package astroquery, which is not installed: "
            "pip install msaestimator[names]."
        ) from None
    simbad = SimbadClass()
    # astroquery's own has no timeout and no retries.
    simbad._session = open_session(TIMEOUT, RETRIES)
    try:
        with simbad._session, warnings.catch_warnings():
            warnings.simplefilter("ignore", VOWarning)
            return simbad.query_tap(QUERY, names=upload)
    except (DALAccessError, requests.RequestException) as error:
        first, reason = upload["user_specified_id"][0], " ".join(str(error).split())
        raise ArchiveError(
            f"SIMBAD (names: {len(upload)}, the first '{first}'): {reason.rstrip('.')}. "
            "Check the network, or try again later."
        ) from error


def _as_table(names: Sequence[str], found: Sequence[tuple[str, list[int]]]) -> StarTable:
    main_ids = np.array([main_id for main_id, _ in found], dtype=str)
    ids = [several for _, several in found]
    single = np.array([len(several) == 1 for several in ids], dtype=bool)
    return StarTable(
        {
            "name": np.array(names, dtype=str),
            "source_id": MaskedColumn(
                [several[0] if len(several) == 1 else 0 for several in ids],
                mask=~single,
                dtype=np.int64,
            ),
            "status": np.array([_status(*one) for one in found], dtype=str),
            "main_id": MaskedColumn(main_ids, mask=main_ids == ""),
            "candidates": np.array([" ".join(map(str, several)) for several in ids], dtype=str),
        }
    )


def _status(main_id: str, ids: Sequence[int]) -> str:
    if len(ids) == 1:
        return "resolved"
    if ids:
        return "several ids"
    return "no id" if main_id else "unknown"
