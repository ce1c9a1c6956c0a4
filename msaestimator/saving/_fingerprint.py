"""A short text that tells a fitted estimator from any other, and is the same once it is loaded."""

import hashlib
import json
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from msaestimator.saving._json import Encoder
from msaestimator.saving._kinds import KINDS

__all__ = ["fingerprint"]

LENGTH = 16
"""Characters of a fingerprint: 64 bits."""


def fingerprint(estimator: Any) -> str:
    """Return hexadecimal digits of what a fitted estimator answers by: weights and settings.

    Settings of its training, such as the learning rate, or of the computation, such as the
    device, do not count.
    """
    encoder = AnswerEncoder(KINDS)
    described = [encoder.estimator(estimator), encoder.shared]
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    weights = {
        name: tensor.detach().cpu().numpy()
        for name, tensor in estimator.module_.state_dict().items()
    }
    for name, array in (encoder.arrays | weights).items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:LENGTH]


class AnswerEncoder(Encoder):
    """Describe what estimators answer by, whatever their parts are."""

    def estimator(self, estimator: BaseEstimator) -> dict[str, Any]:
        """Describe an estimator by what is fitted, and the parameters that it stays with."""
        described = super().estimator(estimator)
        if hasattr(estimator, "_fit_parameters"):
            kept = estimator._fit_parameters()
            parameters = described["parameters"]
            described["parameters"] = {n: v for n, v in parameters.items() if n in kept}
        return described

    def _object(self, value: Any) -> Any:
        try:
            return super()._object(value)
        except TypeError:
            # A part of one's own can be fitted and asked, though not be saved.
            if isinstance(value, BaseEstimator):
                return self.estimator(value)
            return type(value).__name__
