"""Features, targets and weights of a fine-tuning as they are in each epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from msaestimator.datasets import SkyMix
from msaestimator.estimators._fainter_stars import ONCE, FainterStars, fainter_stars
from msaestimator.preprocessing import (
    Features,
    LabelScaler,
    LabelSet,
    collect_label_errors,
)
from msaestimator.schema import LABELS, StarTable
from msaestimator.training import Draw

__all__ = ["EpochDraws", "epoch_draws"]

CALIBRATION_DRAWS = 9
"""Draws of each star held back, at as many brightnesses, that intervals are calibrated on."""


@dataclass(frozen=True)
class EpochDraws:
    """Stars as a fine-tuning sees them, drawn anew in every epoch.

    Parameters
    ----------
    regressor : StellarParameterRegressor
        Regressor that is fitted, with its reader and label scaler.
    features : Features of n_stars stars
        Stars as they were measured.
    labels : LabelSet of n_stars stars
    targets : ndarray of shape (n_stars, n_labels), float32
        Scaled labels on the reference scale, NaN where unknown.
    target_errors : ndarray of shape (n_stars, n_labels)
        Standard deviations that targets are drawn anew with; zero where they are not.
    weights : ndarray of shape (n_stars,)
        Weights of the stars.
    seed : int
        Seed of the draws.
    faint : FainterStars or None
        Draws of stars that are farther away.
    """

    regressor: Any
    features: Features
    labels: LabelSet
    targets: np.ndarray
    target_errors: np.ndarray
    weights: np.ndarray
    seed: int
    faint: FainterStars | None

    @property
    def is_needed(self) -> bool:
        """Whether any epoch differs from another."""
        return self.faint is not None or bool(self.target_errors.any())

    def epochs(self, rows: np.ndarray) -> Draw:
        """Return what draws the arrays of `train` for an epoch: of some rows of the stars."""
        mix = self.sky_mix()

        def draw(epoch: int) -> list[np.ndarray]:
            *arrays, weights = self.draw(mix, epoch)
            weights = weights[rows] / weights[rows].mean()
            return [*(array[rows] for array in arrays), weights.astype(np.float32)]

        return draw

    def sky_mix(self) -> SkyMix | None:
        """Return the weights that make the mix of kinds the sky's, if the regressor asks."""
        if self.faint is None or not self.regressor.sky_mix:
            return None
        return self.faint.sky_mix(self._with_labels)

    def draw(self, mix: SkyMix | None, epoch: int, *part: int) -> list[np.ndarray]:
        """Return features, targets and weights of all stars in an epoch.

        Parameters
        ----------
        mix : SkyMix or None
            Weights by kind and brightness.
        epoch : int
        *part : int
            Numbers that tell these stars from others of a dataset.
        """
        if self.faint is None:
            x = self.regressor._with_errors(self.features)
            return [x, self.draw_targets(epoch, *part), self.weights]
        table, features, modulus = self.faint.draw(epoch, *part)
        weights = self.weights
        if mix is not None:
            weights = weights * mix.weights(self._with_labels(table))
        x = self.regressor._with_errors(features, modulus > 0)
        return [x, self.draw_targets(epoch, *part, modulus=modulus), weights]

    def draw_targets(
        self, epoch: int, *part: int, modulus: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the targets of an epoch, (n_stars, n_labels) float32.

        Parameters
        ----------
        epoch : int
            Number of the draw.
        *part : int
            Numbers that tell these stars from others of a dataset.
        modulus : ndarray of shape (n_stars,), optional
            Growth of the stars' distance moduli in mag: parallaxes are those of stars so far away.
        """
        rng = np.random.RandomState([self.seed, epoch, *part])
        targets = self.targets + self.target_errors * rng.standard_normal(self.targets.shape)
        if modulus is not None:
            targets = move_labels(
                self.regressor.label_scaler_, self.labels.names, targets, modulus
            )
        return targets.astype(np.float32)

    def copies(self, n_draws: int) -> Iterator[Features]:
        """Yield draws of the stars for what is learned once; none if none are made fainter."""
        if self.faint is not None:
            for number in range(n_draws):
                yield self.faint.draw(ONCE + number)[1]

    def to_calibrate(self, rows: np.ndarray) -> list[tuple[Features, np.ndarray]]:
        """Return some stars with their targets: as they are, or draws with some farther away."""

        def chosen(features: Features, targets: np.ndarray) -> tuple[Features, np.ndarray]:
            values = np.ascontiguousarray(features.values[rows])
            return Features(values, features.columns), targets[rows]

        if self.faint is None or not len(rows):
            return [chosen(self.features, self.draw_targets(ONCE))]
        copies = []
        for number in range(ONCE, ONCE + CALIBRATION_DRAWS):
            _, features, modulus = self.faint.draw(number)
            copies.append(chosen(features, self.draw_targets(number, modulus=modulus)))
        return copies

    def _with_labels(self, table: StarTable) -> StarTable:
        """Return a draw of the stars with their labels as columns."""
        for name, values in zip(self.labels.names, self.labels.values.T, strict=True):
            # What is measured keeps its column, such as a parallax that is a label too.
            if name not in table.colnames:
                table[name] = values
        return table


def move_labels(
    scaler: LabelScaler, names: Sequence[str], scaled: np.ndarray, modulus: np.ndarray
) -> np.ndarray:
    """Return scaled labels of stars farther away: a parallax is smaller, a mass the same.

    Parameters
    ----------
    scaler : LabelScaler
        Fitted scaler of the labels.
    names : sequence of str of length n_labels
    scaled : ndarray of shape (n_stars, n_labels)
        Scaled labels where the stars are, NaN where unknown.
    modulus : ndarray of shape (n_stars,)
        Growth of the distance moduli in mag.
    """
    powers = np.array([LABELS[n].distance_power if n in LABELS else 0 for n in names])
    farther = scaler.inverse_transform(scaled) * 10.0 ** (0.2 * powers * modulus[:, None])
    return np.where(powers != 0, scaler.scaled(farther), scaled)


def epoch_draws(
    regressor: Any,
    stars: tuple[Any, Any],
    features: Features,
    labels: LabelSet,
    targets: np.ndarray,
    weights: np.ndarray | None,
    seed: int,
) -> EpochDraws:
    """Return the draws that the parameters of a regressor ask for.

    Parameters
    ----------
    regressor : StellarParameterRegressor
    stars : pair
        ``X`` and ``y`` of the fit.
    features, labels, targets, weights, seed
        The same as in `EpochDraws`.
    """
    errors = collect_label_errors(
        *stars, labels, regressor.resample_labels, aliases=regressor.aliases
    )
    scaled = regressor.label_scaler_.transform_errors(labels.values, errors)
    measured = None if features.measured is None else features.measured.columns
    return EpochDraws(
        regressor,
        features,
        labels,
        targets,
        np.nan_to_num(scaled, posinf=0.0, neginf=0.0),
        np.ones(len(features)) if weights is None else weights,
        seed,
        fainter_stars(regressor.make_fainter, measured, regressor.reader_, seed),
    )
