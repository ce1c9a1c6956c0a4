"""Provenance of answers: the model, and the archive that told of the stars."""

from collections.abc import Mapping
from typing import Any

from msaestimator import __version__

__all__ = ["provenance"]

OF_STARS = {"release": "gaia_release", "service": "gaia_service", "received": "gaia_date"}
"""Entries about the archive, and what they are called in tables of stars that it gave."""


def provenance(
    model: str, fingerprint: str, label_scale: str | None = None, stars: Any = None
) -> dict[str, str]:
    """Return where answers are from, for the ``meta`` of their table.

    Parameters
    ----------
    model : str
        Name of the model.
    fingerprint : str
        Text that tells it from any other model.
    label_scale : str, optional
        Survey, or release of one, on whose scale the labels are.
    stars : table, optional
        Stars that were asked about; an archive notes in their ``meta`` where they are from.

    Returns
    -------
    dict of str to str
        ``model``; ``model_id``, the fingerprint; ``version`` of this library; and as far as they
        are known ``scale`` of the labels, and of the archive its ``release``, ``service`` and
        the day its answer was ``received``. No name has more than eight characters, so that
        FITS keeps them as they are.

    Examples
    --------
    >>> from msaestimator.results import provenance
    >>> provenance("gaia-xp", "0f3a", "APOGEE DR17")["scale"]
    'APOGEE DR17'
    """
    known = {"model": model, "model_id": fingerprint, "version": f"msaestimator {__version__}"}
    if label_scale is not None:
        known["scale"] = label_scale
    return known | _of_stars(getattr(stars, "meta", None))


def _of_stars(meta: Any) -> dict[str, str]:
    """Return what the archive noted, also where a file has changed the case of its words."""
    if not isinstance(meta, Mapping):
        return {}
    noted = {str(name).lower(): value for name, value in meta.items()}
    return {name: str(noted[key]) for name, key in OF_STARS.items() if key in noted}
