"""The maps that a name stands for, asked one after the other."""

from pathlib import Path

from msaestimator.dust._dust_map import DustMap, Query
from msaestimator.dust._dustmaps_maps import open_bayestar, open_marshall, open_sfd
from msaestimator.dust._low_resolution import low_resolution_sfd
from msaestimator.exceptions import did_you_mean

__all__ = ["open_maps"]

# DIFF(zhang2026): no Drimmel et al. (2003), which dustmaps lacks: SFD98 to infinity instead.
_MAPS = {
    "sfd": (open_sfd,),
    "sfd-lowres": (lambda map_dir: low_resolution_sfd(),),
    "bayestar": (open_bayestar,),
    "marshall": (open_marshall,),
    "combined": (open_marshall, open_bayestar, open_sfd),
}


def open_maps(
    dust_map: str | Query, map_dir: str | Path | None, has_distance: bool
) -> tuple[DustMap, ...]:
    """Return the maps to ask in turn, each for the stars that those before it left out.

    Parameters
    ----------
    dust_map : str or callable
        Name of a map, or a function of coordinates.
    map_dir : str, Path or None
        Folder of the maps' files.
    has_distance : bool
        Whether a function gets coordinates with distances.

    Raises
    ------
    ValueError
        The name is no map's.
    """
    if callable(dust_map):
        name = getattr(dust_map, "__qualname__", type(dust_map).__qualname__)
        return (DustMap(name, dust_map, f"E(B-V) of the function {name!r}", has_distance),)
    if not isinstance(dust_map, str) or dust_map not in _MAPS:
        raise ValueError(
            f"`dust_map` must be one of {', '.join(map(repr, _MAPS))}, or a function from "
            f"coordinates to E(B-V), got {dust_map!r}." + did_you_mean(dust_map, _MAPS)
        )
    return tuple(open_map(map_dir) for open_map in _MAPS[dust_map])
