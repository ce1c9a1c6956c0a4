"""Older formats lifted to today's, with what they left to the library of their time filled in."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import astropy.units as u

__all__ = ["FORMAT", "OLDEST", "lift"]

FORMAT = 3
"""The format that is written. Formats differ as follows.

3 : parts of an estimator stand by name; what they depend on is resolved; schemas stand once.
2 : parts stand flat in the estimator; a schema of null is Gaia DR3's.
1 : every array is in ``config.json``; no longer read.
"""

OLDEST = 2
"""The oldest format that is read."""

DEFAULTS = Path(__file__).with_name("format_2_defaults.json")
"""The schema and the bounds of labels that files of format 2 took from the library."""

RENAMED = {
    "LabelDomains": "LabelCoverage",
    "Novelty": "DensityOutliers",
    "Oddity": "InputOutliers",
    "StarView": "BrightnessFreeView",
}
"""Names of kinds in format 2 that are other ones since."""

OF_READER = (
    "fitted_on_table_",
    "preprocessor_",
    "is_observed_",
    "feature_names_",
    "feature_range_",
    "n_features_in_",
    "feature_names_in_",
)
OF_TOKEN_READER = (
    "fitted_on_table_",
    "vocabulary_",
    "labels_",
    "one_dimensional_",
    "is_trained_",
    "scaler_",
    "n_features_in_",
    "feature_names_in_",
)
OF_INTERVALS = {
    "labels_": "labels_",
    "units_": "units_",
    "one_dimensional_": "one_dimensional_",
    "label_scaler_": "label_scaler_",
    "label_domains_": "label_coverage_",
    "calibrator_": "calibrator_",
}
"""Flat attributes of format 2 with their names in the part that has them since."""

Described = dict[str, Any]


ADDED: Mapping[str, Described] = {
    "MaskedStellarAutoencoder": {"aliases": True, "make_fainter": None},
    "StellarFoundationModel": {
        "aliases": True,
        "invalid": "raise",
        "read_by": "token",
        "partial_ratio": 0.3,
        "from_labels_ratio": 0.0,
        "likelihood": "gaussian",
        "n_factors": 0,
        "make_fainter": None,
        "sky_mix": False,
        "calibration_fraction": 0.0,
    },
    "StellarParameterRegressor": {
        "aliases": True,
        "invalid": "raise",
        "make_fainter": None,
        "sky_mix": False,
        "resample_labels": [],
        "teacher": None,
    },
    "StellarFeatures": {"aliases": True},
    "TokenReader": {"invalid": "raise"},
    "XPCoefficientScaler": {"aliases": True},
}
"""Parameters that a kind has gained, with the values that it had as good as before."""


def lift(described: Described, written_in: int) -> Described:
    """Return an estimator that is described in an older format as today's would describe it."""
    return _with_added(_lift_2(described) if written_in == OLDEST else described)


def _with_added(value: Any) -> Any:
    """Return a value, with all that it holds, with the parameters that its kind has gained."""
    if isinstance(value, list):
        return [_with_added(item) for item in value]
    if not isinstance(value, dict):
        return value
    whole = {key: _with_added(item) for key, item in value.items()}
    if whole.get("kind") in ADDED:
        whole["parameters"] = ADDED[whole["kind"]] | whole["parameters"]
    return whole


def _lift_2(value: Any) -> Any:
    """Return a value of format 2, with all that it holds, as one of format 3."""
    if isinstance(value, list):
        return [_lift_2(item) for item in value]
    if not isinstance(value, dict):
        return value
    lifted = {key: _lift_2(item) for key, item in value.items()}
    kind = lifted.get("kind")
    if kind in LIFTS:
        LIFTS[kind](lifted["parameters"], lifted["fitted"])
    if kind in RENAMED:
        lifted["kind"] = RENAMED[kind]
    return lifted


def _lift_autoencoder(parameters: Described, fitted: Described) -> None:
    if not fitted:
        return
    schema = _resolve(parameters["schema"])
    reader = {name: fitted.pop(name) for name in OF_READER if name in fitted}
    own = {name: parameters[name] for name in ("schema", "preprocessor")}
    fitted["reader_"] = _part("StarReader", own, {"schema_": schema} | reader)


def _lift_regressor(parameters: Described, fitted: Described) -> None:
    parameters |= {"calibrator": None, "outlier_detector": None}
    if not fitted:
        return
    for name in OF_READER:
        fitted.pop(name, None)
    fitted["intervals_"] = _part(
        "IntervalModel",
        {
            "levels": parameters["quantiles"],
            "log_labels": parameters["log_labels"],
            "calibrator": None,
        },
        {new: fitted.pop(old) for old, new in OF_INTERVALS.items()},
    )
    fitted["outliers_"] = _part(
        "OutlierModel",
        {"detector": None},
        {
            "detector_": fitted.pop("novelty_", None),
            "latent_detectors_": fitted.pop("latent_novelties_", {"list": []}),
        },
    )


def _lift_generalist(parameters: Described, fitted: Described) -> None:
    own = {name: parameters[name] for name in ("vocabulary", "labels", "asinh")}
    if fitted:
        reader = {name: fitted.pop(name) for name in OF_TOKEN_READER if name in fitted}
        fitted["reader_"] = _part("TokenReader", own, reader)


def _lift_reading(parameters: Described, fitted: Described) -> None:
    if fitted:
        fitted["schema_"] = _resolve(parameters["schema"])


def _lift_oddity(parameters: Described, fitted: Described) -> None:
    del parameters["schema"]


def _lift_view(parameters: Described, fitted: Described) -> None:
    parameters["schema"] = _resolve(parameters["schema"])


def _lift_label_scaler(parameters: Described, fitted: Described) -> None:
    if fitted:
        names = _names_of_labels(parameters["labels"], fitted)
        units = dict((parameters["units"] or {"dict": []})["dict"])
        bounds = [_bounds(name, units) for name in names]
        flat = [_number(end) for ends in zip(*bounds, strict=True) for end in ends]
        fitted["bounds_"] = {"array": flat, "dtype": "<f8", "shape": [2, len(names)]}


LIFTS: dict[str, Callable[[Described, Described], None]] = {
    "LabelScaler": _lift_label_scaler,
    "MaskedStellarAutoencoder": _lift_autoencoder,
    "Oddity": _lift_oddity,
    "StarView": _lift_view,
    "StellarFeatures": _lift_reading,
    "StellarFoundationModel": _lift_generalist,
    "StellarParameterRegressor": _lift_regressor,
    "XPCoefficientScaler": _lift_reading,
}
"""Functions that bring parameters and fitted attributes of a kind from format 2 to 3, in place."""


def _part(kind: str, parameters: Described, fitted: Described) -> Described:
    return {"kind": kind, "parameters": parameters, "fitted": fitted}


@cache
def _defaults() -> Described:
    return json.loads(DEFAULTS.read_text(encoding="utf-8"))


def _resolve(schema: Described | None) -> Described:
    return _defaults()["schema"] if schema is None else schema


def _names_of_labels(labels: Described | None, fitted: Described) -> list[str]:
    if labels is not None:
        return next(iter(labels.values()))
    generic = [f"x{index}" for index in range(fitted["n_features_in_"])]
    return fitted.get("feature_names_in_", {"array": generic})["array"]


def _bounds(name: str, units: dict[str, str]) -> tuple[float, float]:
    """Return the bounds that format 2 gave a label, in its unit."""
    bounded = _defaults()["bounds"].get(name)
    unit = units.get(name, bounded and bounded["unit"])
    if not bounded or not unit:
        return -float("inf"), float("inf")
    ends = [float(end) for end in bounded["ends"]]
    low, high = u.Quantity(ends, bounded["unit"]).to_value(unit)
    return float(low), float(high)


def _number(value: float) -> Any:
    return value if abs(value) < float("inf") else {"number": repr(value)}
