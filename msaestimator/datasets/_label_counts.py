"""Label catalogues as one table, and how many stars it has of each."""

from collections.abc import Mapping, Sequence

import astropy.units as u
import numpy as np
from astropy.table import QTable, Table
from numpy.typing import ArrayLike

from msaestimator.datasets._label_catalogues import CATALOGUE_LABELS
from msaestimator.exceptions import ColumnError
from msaestimator.schema import StarTable, get_label
from msaestimator.tables import check_source_ids

__all__ = ["count_ages", "count_labels", "stack_labels"]


def stack_labels(
    catalogues: Sequence[Table], taken_as: Mapping[str, str] | None = None
) -> StarTable:
    """Return the rows of several label catalogues as one table, a row a star and catalogue.

    Parameters
    ----------
    catalogues : sequence of Table
        Catalogues as `read_apogee_dr17` and its like give them.
    taken_as : mapping of str to str, optional
        Labels to call by another label's name. The thesis takes ``{"alpha_m": "alpha_fe"}``
        although they differ, and of RAVE ``{"m_h": "fe_h"}``; the surveys' offsets, which
        ``fit(survey="survey")`` learns, then take in the difference.

    Returns
    -------
    StarTable
        ``source_id``, ``survey``, the labels that any catalogue has with their errors, NaN where
        a catalogue lacks one, and ``age_catalogue``, the source of the age: that column where a
        catalogue has it, and else the survey; "" where there is no age.

    Raises
    ------
    ColumnError
        A name in ``taken_as`` is no label, or a catalogue has both labels.

    Examples
    --------
    >>> import astropy.units as u
    >>> from msaestimator import StarTable
    >>> from msaestimator.datasets import count_labels, stack_labels
    >>> apogee = StarTable({"source_id": [7, 8], "survey": ["apogee"] * 2})
    >>> apogee["teff"] = [4800.0, 5000.0] * u.K
    >>> galah = StarTable({"source_id": [8], "survey": ["galah"], "logg": [4.4] * u.dex})
    >>> labels = stack_labels([apogee, galah])
    >>> labels["source_id", "survey", "teff"].as_array().tolist()
    [(7, 'apogee', 4800.0), (8, 'apogee', 5000.0), (8, 'galah', nan)]
    """
    taken_as = dict(taken_as or {})
    for name in (*taken_as, *taken_as.values()):
        get_label(name)
    parts = [_renamed(catalogue, taken_as) for catalogue in catalogues]
    labels = [n for n in CATALOGUE_LABELS if any(n in part.colnames for part in parts)]
    stacked = StarTable(
        {
            "source_id": np.concatenate([np.asarray(part["source_id"]) for part in parts]),
            "survey": np.concatenate([np.asarray(part["survey"], dtype=str) for part in parts]),
        }
    )
    for label in map(get_label, labels):
        stacked[label.name] = _stack(parts, label.name, label.unit)
        if any(label.error in part.colnames for part in parts):
            stacked[label.error] = _stack(parts, label.error, label.unit)
    if "age" in labels:
        named = np.concatenate([_age_catalogue(part) for part in parts])
        stacked["age_catalogue"] = np.where(np.isfinite(stacked["age"]), named, "")
    return stacked


def count_labels(labels: Table, source_ids: ArrayLike | None = None) -> QTable:
    """Count the stars of each label catalogue, in the form of the thesis's Table 2.2.

    Parameters
    ----------
    labels : Table
        Rows as `stack_labels` gives them.
    source_ids : array-like of int, optional
        Gaia ids of the stars to count: the thesis counts those with an XP spectrum. None counts
        all.

    Returns
    -------
    QTable
        A row a survey, then ``"all rows"`` and ``"different stars"``: ``catalogue``, ``n_stars``
        and for each label the number of rows, or of stars, that have it.

    Examples
    --------
    >>> import astropy.units as u
    >>> from msaestimator import StarTable
    >>> from msaestimator.datasets import count_labels
    >>> labels = StarTable(
    ...     {
    ...         "source_id": [7, 8, 8],
    ...         "survey": ["apogee", "apogee", "galah"],
    ...         "teff": [4800.0, float("nan"), 5000.0] * u.K,
    ...     }
    ... )
    >>> print(count_labels(labels))
       catalogue    n_stars teff
    --------------- ------- ----
             apogee       2    1
              galah       1    1
           all rows       3    2
    different stars       2    2
    """
    kept = _of_stars(labels, source_ids)
    known = {name: np.isfinite(kept[name]) for name in CATALOGUE_LABELS if name in kept.colnames}
    return _count(kept, np.asarray(kept["survey"], dtype=str), known)


def count_ages(labels: Table, source_ids: ArrayLike | None = None) -> QTable:
    """Count the stars with an age of each catalogue, in the form of the thesis's Table 2.3.

    Parameters
    ----------
    labels : Table
        Rows as `stack_labels` gives them, with ages.
    source_ids : array-like of int, optional
        Gaia ids of the stars to count, as in `count_labels`.

    Returns
    -------
    QTable
        A row a catalogue of ages, then ``"all rows"`` and ``"different stars"``: ``catalogue``
        and ``n_stars``.

    Raises
    ------
    ColumnError
        The table has no ages.
    """
    if "age_catalogue" not in labels.colnames:
        raise ColumnError(
            "`labels` must have the column 'age_catalogue', as stack_labels gives it to "
            f"catalogues with ages, got {', '.join(labels.colnames)}."
        )
    kept = _of_stars(labels, source_ids)
    kept = kept[np.asarray(kept["age_catalogue"]) != ""]
    return _count(kept, np.asarray(kept["age_catalogue"], dtype=str), {})


def _of_stars(labels: Table, source_ids: ArrayLike | None) -> Table:
    if source_ids is None:
        return labels
    return labels[np.isin(np.asarray(labels["source_id"]), check_source_ids(source_ids))]


def _count(rows: Table, catalogues: np.ndarray, known: Mapping[str, np.ndarray]) -> QTable:
    """Return numbers of rows by catalogue, of all, and of stars."""
    ids = np.asarray(rows["source_id"])
    columns = {"n_stars": np.ones(len(rows), dtype=bool), **known}
    names = list(dict.fromkeys(catalogues.tolist()))
    counts = {
        column: [
            *(int((has & (catalogues == name)).sum()) for name in names),
            int(has.sum()),
            len(np.unique(ids[has])),
        ]
        for column, has in columns.items()
    }
    return QTable({"catalogue": [*names, "all rows", "different stars"], **counts})


def _renamed(catalogue: Table, taken_as: Mapping[str, str]) -> StarTable:
    part = StarTable(catalogue, copy=False)
    for old, new in taken_as.items():
        if old not in part.colnames:
            continue
        if new in part.colnames:
            raise ColumnError(
                f"A catalogue in which {old!r} is taken as {new!r} must not have both. Remove one "
                "of them first."
            )
        part.rename_column(old, new)
        error = get_label(old).error
        if error in part.colnames:
            part.rename_column(error, get_label(new).error)
    return part


def _stack(parts: Sequence[StarTable], name: str, unit: str) -> u.Quantity:
    """Return a column of all parts, NaN for those that lack it."""
    values = [
        u.Quantity(part[name], unit).value if name in part.colnames else np.full(len(part), np.nan)
        for part in parts
    ]
    return u.Quantity(np.concatenate(values), unit)


def _age_catalogue(part: StarTable) -> np.ndarray:
    survey = np.asarray(part["survey"], dtype=str)
    if "age_catalogue" not in part.colnames:
        return survey
    named = np.asarray(part["age_catalogue"], dtype=str)
    return np.where(named == "", survey, named)
