"""Stellar parameters from Gaia: masked stellar autoencoders as scikit-learn estimators."""

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

__all__ = [
    "MaskedStellarAutoencoder",
    "StarTable",
    "StellarFoundationModel",
    "StellarParameterRegressor",
    "__version__",
    "predict_from_gaia",
]

__version__ = "0.1.0.dev0"

if TYPE_CHECKING:
    from msaestimator.estimators import (
        MaskedStellarAutoencoder,
        StellarFoundationModel,
        StellarParameterRegressor,
        predict_from_gaia,
    )
    from msaestimator.schema import StarTable

_ROOM_OF = {
    "MaskedStellarAutoencoder": "estimators",
    "StarTable": "schema",
    "StellarFoundationModel": "estimators",
    "StellarParameterRegressor": "estimators",
    "predict_from_gaia": "estimators",
}
"""Rooms of the names above, which load when touched: torch alone takes seconds."""


def __getattr__(name: str) -> Any:
    """Return a name of a room, or a room; called for what has not been touched before."""
    if name in _ROOM_OF:
        value = getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
    elif name in _rooms():
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return what there is, touched or not."""
    return sorted({*globals(), *__all__, *_rooms()})


def _rooms() -> set[str]:
    """Return the names of the public subpackages and modules."""
    names = {module.name for module in pkgutil.iter_modules(__path__)}
    return {name for name in names if not name.startswith("_")}
