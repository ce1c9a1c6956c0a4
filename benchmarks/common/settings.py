"""Settings that more than one benchmark tries."""

__all__ = ["AVERAGED"]

AVERAGED = {
    "lr_schedule": "cosine_plateau",
    "encoder_lr_schedule": "cosine_plateau",
    "average_from": 0.5,
}
"""Weights averaged over the second half of a training."""
