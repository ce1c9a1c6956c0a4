"""Our names for a container's columns: cases folded, and other catalogues' names understood."""

import re
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from msaestimator.exceptions import RenamedColumnWarning
from msaestimator.schema import ALIASES, CASE_MATTERS, COEFFICIENT_NAMES
from msaestimator.tables._named_columns import NamedColumns

__all__ = ["understand_names", "with_known_names"]

SHOWN = 6
"""Most renamed columns, or families of them, that a message shows."""


def with_known_names(
    columns: NamedColumns, known: Collection[str], *, aliases: bool = True
) -> NamedColumns:
    """Return columns by the names that are known, as far as theirs can be understood.

    Parameters
    ----------
    columns : NamedColumns
        Columns. Those this function has returned are returned as they are.
    known : collection of str
        Names that a column may have.
    aliases : bool
        Whether names of another case, or of :data:`msaestimator.schema.ALIASES`, are understood.
        A column that has a known name goes before one that is understood as it.

    Warns
    -----
    RenamedColumnWarning
        Columns were taken by other names than theirs, or could be several ones and were not; one
        message tells all of them.
    """
    if columns.settled:
        return columns
    taken, unclear = understand_names(columns.names, frozenset(known)) if aliases else ({}, {})
    if taken or unclear:
        warnings.warn(_message(taken, unclear), RenamedColumnWarning, stacklevel=5)
    return columns.renamed(taken)


@lru_cache(maxsize=64)
def understand_names(
    names: tuple[str, ...], known: frozenset[str]
) -> tuple[Mapping[str, str], Mapping[str, Sequence[str]]]:
    """Return what names mean among those known, and what those could mean that are not clear.

    Parameters
    ----------
    names : tuple of str
        Names of columns.
    known : frozenset of str
        Names that a column may have.

    Returns
    -------
    taken : mapping of str to str
        Our name by theirs, of names that are understood.
    unclear : mapping of str to sequence of str
        Names that could mean several of ours, or of which several mean one.
    """
    if known.issuperset(names):
        return {}, {}
    return _single_names(names, known, _coefficients(names, known))


def _single_names(
    names: Sequence[str], known: Collection[str], taken: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return what names mean, and what those could mean that could mean several things."""
    present = {*names, *taken.values()}
    absent = [name for name in known if name not in present]
    spellings = _spellings(absent)
    meanings = {
        name: spellings.get(name, spellings.get(name.casefold(), ()))
        for name in names
        if name not in known and name not in taken
    }
    unclear = {name: sorted(targets) for name, targets in meanings.items() if len(targets) > 1}
    wanted: dict[str, list[str]] = {}
    for name, targets in meanings.items():
        if len(targets) == 1:
            wanted.setdefault(next(iter(targets)), []).append(name)
    found: dict[str, str] = {}
    for target, candidates in wanted.items():
        best = _first_choice(target, candidates)
        if best is None:
            unclear |= {name: [target] for name in candidates}
        else:
            found[best] = target
    return found | dict(taken), unclear


def _spellings(targets: Iterable[str]) -> dict[str, set[str]]:
    """Return what each spelling means: names and aliases as they are, and in lower case."""
    exact: dict[str, set[str]] = {}
    folded: dict[str, set[str]] = {}
    for target in targets:
        for alias in ALIASES.get(target, ()):
            exact.setdefault(alias, set()).add(target)
        for spelling in (target, *ALIASES.get(target, ())):
            if spelling not in CASE_MATTERS:
                folded.setdefault(spelling.casefold(), set()).add(target)
    return folded | exact


def _first_choice(target: str, candidates: Sequence[str]) -> str | None:
    """Return the candidate whose name comes first among the aliases; None if several do."""
    order = [target.casefold(), *(alias.casefold() for alias in ALIASES.get(target, ()))]
    ranks = [order.index(name.casefold()) for name in candidates]
    best = [name for name, rank in zip(candidates, ranks, strict=True) if rank == min(ranks)]
    exact = [name for name in best if name in ALIASES.get(target, ())]
    return best[0] if len(best) == 1 else exact[0] if len(exact) == 1 else None


def _coefficients(names: Sequence[str], known: Collection[str]) -> dict[str, str]:
    """Return what names of single XP coefficients mean, such as ``bp_coeff_0``: ``bp_1``."""
    taken: dict[str, str] = {}
    for band in ("bp", "rp"):
        # Beside the array its coefficients are not needed one by one.
        if f"{band}_1" not in known or f"{band}_coefficients" in names:
            continue
        styles: dict[str, dict[int, str]] = {}
        pattern = re.compile(f"({COEFFICIENT_NAMES.format(band=band)})([0-9]+)", re.IGNORECASE)
        for name in names:
            found = pattern.fullmatch(name)
            if found:
                styles.setdefault(found[1], {})[int(found[2])] = name
        if len(styles) != 1:
            continue
        ((_, numbered),) = styles.items()
        first = 1 if 0 in numbered else 0
        ours = {name: f"{band}_{number + first}" for number, name in numbered.items()}
        taken |= {name: our for name, our in ours.items() if name != our}
    return taken


def _message(taken: Mapping[str, str], unclear: Mapping[str, Sequence[str]]) -> str:
    pairs = [f"{name!r} for {ours!r}" for name, ours in taken.items()]
    more = f" and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    parts = [f"Columns are taken as ours: {', '.join(pairs[:SHOWN])}{more}."] if pairs else []
    for name, targets in unclear.items():
        parts.append(f"{name!r} could be {' or '.join(targets)} and is ignored: rename it.")
    return " ".join([*parts, "Set aliases=False to go by names as they are."])
