"""Named settings: the library's, and those of the papers."""

import copy
from typing import Any

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler

from msaestimator.exceptions import did_you_mean
from msaestimator.preprocessing import StellarFeatures
from msaestimator.schema import ZHANG2026

__all__ = ["PRESETS", "get_preset"]

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "default": {
        "MaskedStellarAutoencoder": {},
        "StellarParameterRegressor": {},
        "StellarFoundationModel": {},
    },
    # McKay 2025, sections 3.1.2, 3.1.3, 4.1 and 4.2; what the text leaves out (frequencies,
    # embedding, widths, learning rates, batches, clipping) is from the author's code.
    "mckay2025": {
        "MaskedStellarAutoencoder": {
            "preprocessor": make_pipeline(StellarFeatures(), RobustScaler()),
            "colors": False,
            "hidden_widths": (2048, 2048, 1024, 1024, 512, 512, 256, 256),
            "d_embedding": 16,
            "n_frequencies": 48,
            "frequency_scale": 0.01,
            "linear_term": False,
            "sentinel": -9999.0,
            "block": "mckay2025",
            "dropout": 0.1,
            "mask_ratio": 0.6,
            "xp_mask_ratio": 0.9,
            "block_mask_ratio": 0.0,
            "span_mask_ratio": 0.0,
            "loss": "l1",
            "loss_on": "observed",
            "max_epochs": 80,
            "batch_size": 1024,
            "lr": 1e-5,
            "lr_schedule": "exponential",
            "weight_decay": 1e-5,
            "gradient_clip": 1.0,
        },
        "StellarParameterRegressor": {
            "labels": ("teff", "logg", "fe_h", "alpha_fe", "age", "parallax"),
            "head_widths": (2048, 2048, 1024, 512, 256),
            "dropout": 0.0,
            "n_members": 1,
            "mask_ratio": 0.6,
            "xp_mask_ratio": 0.9,
            "block_mask_ratio": 0.0,
            "span_mask_ratio": 0.0,
            "prediction_weight": 0.8,
            "reconstruction_weight": 0.2,
            "calibration_fraction": 0.0,
            "max_epochs": 100,
            "batch_size": 512,
            "lr": 1e-4,
            "lr_schedule": "halving",
            "encoder_lr": 1e-5,
            "encoder_lr_schedule": "exponential",
            "weight_decay": 0.0,
            "encoder_weight_decay": 1e-5,
            "gradient_clip": 1.0,
            "log_labels": (),
        },
    },
    # Zhang et al. 2026, sections 3.1 to 3.4; what the text leaves out (embedding, heads, output
    # widths, which quantities are asked for) is from the code of Leung & Bovy 2024.
    "zhang2026": {
        "StellarFoundationModel": {
            "vocabulary": ZHANG2026,
            "asinh": False,
            "embedding_dim": 128,
            "embedding_scale": None,
            "encoder_heads": (16, 8),
            "encoder_widths": (1024, 512),
            "decoder_heads": (16, 8, 4),
            "decoder_widths": (3096, 1548, 774),
            "head_widths": (3096, 1548, 774, 387),
            "dropout": 0.1,
            "n_inputs": (5, 64),
            "n_requests": 1,
            "request_by": "token",
            "block_dropout": 0.0,
            "resample_noise": False,
            "beta": 0.0,
            "max_epochs": 4096,
            "batch_size": 1024,
            "optimizer": "adamw",
            "lr": 1e-4,
            "lr_schedule": "cosine_restarts",
            "weight_decay": 1e-2,
            "gradient_clip": None,
            "precision": "bfloat16",
        },
    },
}
"""Parameters by preset and estimator."""


def get_preset(name: str, estimator: str) -> dict[str, Any]:
    """Return a copy of an estimator's parameters in a preset."""
    if name not in PRESETS:
        own = sorted(preset for preset, kinds in PRESETS.items() if estimator in kinds)
        raise ValueError(f"`name` must be one of {own}, got {name!r}." + did_you_mean(name, own))
    if estimator not in PRESETS[name]:
        has = ", ".join(PRESETS[name])
        raise ValueError(f"The preset {name!r} is of {has}, not of {estimator}.")
    return copy.deepcopy(PRESETS[name][estimator])
