"""A fitted regressor as the teacher of another, which learns its quantiles in place of labels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from torch import Tensor, nn

from msaestimator.estimators._autoencoder import MaskedStellarAutoencoder
from msaestimator.uncertainty import IntervalModel, combine_members

__all__ = [
    "TaughtMask",
    "check_teacher",
    "first_weights",
    "fitted_teacher",
    "student_encoder",
    "take_scale",
]

OF_READING = ("reader_", "contrasts_", "luminosity_", "feature_error_")
"""Fitted attributes of an autoencoder that are of the stars, not of its network."""


class TaughtMask:
    """Show a student a part of each star, and a teacher just the same part.

    Parameters
    ----------
    mask : callable
        Mask of the student's training, see :class:`~msaestimator.training.MaskedNet`.
    teacher : StellarParameterRegressor
        The fitted teacher, which is only asked.
    """

    def __init__(self, mask: Callable[..., Any], teacher: Any) -> None:
        self.mask = mask
        self.module = teacher.module_
        self.levels = teacher.intervals_.levels

    def __call__(self, x: Tensor) -> tuple[tuple[Tensor], tuple[Tensor, Tensor]]:
        """Return stars with NaN where hidden; the hidden places, and the teacher's quantiles.

        The latter are those of all its members together, of scaled labels before calibration:
        (n_stars, n_labels, n_levels).
        """
        shown, hidden = self.mask(x)
        with torch.no_grad():
            members = self.module.to(x.device).quantiles(*shown)
        taught = combine_members(members.cpu().numpy().astype(np.float64), self.levels)
        return shown, (hidden, torch.from_numpy(taught.astype(np.float32)).to(x.device))


def check_teacher(teacher: Any, kind: type) -> None:
    """Refuse a teacher that is no regressor of ours, or one that has learned nothing itself."""
    if not isinstance(teacher, kind | str | Path | None):
        raise TypeError(
            f"`teacher` must be a fitted {kind.__name__}, the name of a released model or a "
            f"folder, or None, got {type(teacher).__name__}."
        )
    if isinstance(teacher, kind) and not hasattr(teacher, "module_"):
        raise ValueError(
            "`teacher` must be fitted, got one that is not. Fit it first, or pass a folder that "
            "it was saved to."
        )


def fitted_teacher(teacher: Any, kind: Any, *, device: str) -> Any:
    """Return the teacher that a parameter names, or None.

    Raises
    ------
    CheckpointError
        There is no such released model or folder.
    """
    if isinstance(teacher, str | Path):
        return kind.from_pretrained(teacher, device=device)
    return teacher


def student_encoder(
    encoder: MaskedStellarAutoencoder | str | Path | None, teacher: Any
) -> MaskedStellarAutoencoder:
    """Return an autoencoder that reads stars as the teacher's does, and has no network yet.

    Parameters
    ----------
    encoder : MaskedStellarAutoencoder or None
        Settings of its network; None has the default ones.
    teacher : StellarParameterRegressor
        The fitted teacher.

    Raises
    ------
    ValueError
        ``encoder`` is fitted, and so reads stars in its own way.
    """
    if isinstance(encoder, str | Path) or hasattr(encoder, "module_"):
        raise ValueError(
            "`encoder` must not be fitted where there is a `teacher`: a student reads stars as "
            "its teacher does. Pass an unfitted MaskedStellarAutoencoder, or None."
        )
    theirs = teacher.encoder_
    student = MaskedStellarAutoencoder() if encoder is None else clone(encoder)
    student.set_params(schema=theirs.schema, preprocessor=theirs.preprocessor)
    for name in OF_READING:
        setattr(student, name, getattr(theirs, name, {}))
    if not student.colors:
        student.contrasts_ = student.luminosity_ = {}
    return student


def take_scale(intervals: IntervalModel, teacher: Any) -> None:
    """Give labels the teacher's scale, and its knowledge of where each is known.

    Parameters
    ----------
    intervals : IntervalModel
        The student's, fitted to its labels.
    teacher : StellarParameterRegressor
        The fitted teacher.

    Raises
    ------
    ValueError
        Labels, units or levels are not those of the teacher.
    """
    theirs = teacher.intervals_
    for name, own, wanted in (
        ("labels", intervals.labels_, theirs.labels_),
        ("units", intervals.units_, theirs.units_),
        ("quantiles", tuple(intervals.levels), tuple(theirs.levels)),
    ):
        if own != wanted:
            raise ValueError(
                f"A student predicts what its teacher does: the {name} must be {wanted}, got "
                f"{own}. Set `labels` and `quantiles` to what the teacher has."
            )
    intervals.label_scaler_ = theirs.label_scaler_
    intervals.label_coverage_ = theirs.label_coverage_


def first_weights(module: nn.Module, teacher: Any) -> list[np.ndarray]:
    """Return the weights that tell a training from others: a network's first, a teacher's all."""
    modules = [module] if teacher is None else [module, teacher.module_]
    return [t.cpu().numpy() for part in modules for t in part.state_dict().values()]
