"""Learning rates over the epochs, as factors of the first one."""

import math
from dataclasses import dataclass

__all__ = ["SCHEDULES", "Schedule"]

WARM_UP = 0.05
"""Fraction of a cosine schedule over which the rate rises from zero."""

PLATEAU = 0.3
"""Factor at which a schedule stays over its second half."""

RESTARTS, LEAST = 8, 1e-6
"""Periods of the schedule with restarts (512 of 4096 epochs each), and its least factor."""


def _constant(epoch: float, max_epochs: int) -> float:
    return 1.0


def _cosine(epoch: float, max_epochs: int) -> float:
    """Rise linearly, then fall to zero along half a cosine."""
    progress = min(epoch / max_epochs, 1.0)
    return min(progress / WARM_UP, 1.0) * 0.5 * (1 + math.cos(math.pi * progress))


def _cosine_plateau(epoch: float, max_epochs: int) -> float:
    """Rise linearly, fall along half a cosine that would end halfway, but not below a plateau.

    The plateau is for weights that are averaged over the second half.
    """
    progress = min(epoch / max_epochs, 0.5)
    falling = 0.5 * (1 + math.cos(2 * math.pi * progress))
    return min(progress / WARM_UP, 1.0) * max(falling, PLATEAU)


def _exponential(epoch: float, max_epochs: int) -> float:
    """Lose 5 % an epoch: the thesis's autoencoder."""
    return 0.95 ** math.floor(epoch)


def _halving(epoch: float, max_epochs: int) -> float:
    """Halve every ten epochs: the thesis's head."""
    return 0.5 ** (math.floor(epoch) // 10)


def _cosine_restarts(epoch: float, max_epochs: int) -> float:
    """Fall to a millionth along half a cosine, eight times over: Zhang et al. 2026."""
    progress = math.floor(epoch) / max_epochs * RESTARTS % 1.0
    return LEAST + (1 - LEAST) * 0.5 * (1 + math.cos(math.pi * progress))


SCHEDULES = {
    "constant": _constant,
    "cosine": _cosine,
    "cosine_plateau": _cosine_plateau,
    "cosine_restarts": _cosine_restarts,
    "exponential": _exponential,
    "halving": _halving,
}


@dataclass(frozen=True)
class Schedule:
    """The factor of the learning rate after some batches; torch's ``LambdaLR`` calls it."""

    name: str
    max_epochs: int
    batches_per_epoch: int

    def __post_init__(self) -> None:
        if self.name not in SCHEDULES:
            raise ValueError(
                f"A learning-rate schedule must be one of {sorted(SCHEDULES)}, got {self.name!r}."
            )

    def __call__(self, n_batches: int) -> float:
        """Return the factor for the batch after ``n_batches`` batches."""
        # The middle of the batch, so that neither the first nor the last has a rate of zero.
        epoch = (n_batches + 0.5) / self.batches_per_epoch
        return SCHEDULES[self.name](epoch, self.max_epochs)
