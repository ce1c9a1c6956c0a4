"""Stars of a fine-tuning with their labels, in memory or read from disk piece by piece."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from msaestimator.datasets import StarDataset
from msaestimator.estimators._dataset_pieces import DatasetPieces, columns_of_features
from msaestimator.estimators._epoch_draws import EpochDraws, epoch_draws
from msaestimator.estimators._fine_tuning import open_for_fit
from msaestimator.estimators._held_stars import HELD, HeldStars
from msaestimator.estimators._training_stars import stars_in_memory
from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.preprocessing import collect_labels
from msaestimator.schema import StarTable
from msaestimator.surveys import SurveyOffsets, read_surveys
from msaestimator.training import StarsInMemory, StarsOnDisk

__all__ = ["PiecesToPredict", "stars_to_predict"]


def stars_to_predict(
    regressor: Any,
    X: Any,
    held: HeldStars,
    draws: EpochDraws,
    split: tuple[np.ndarray, np.ndarray],
    *,
    survey: Any = None,
    sample_weight: np.ndarray | None = None,
) -> StarsInMemory | StarsOnDisk:
    """Return what a fine-tuning takes of stars, wherever these are.

    Parameters
    ----------
    regressor : StellarParameterRegressor
        Regressor with its reader, the scale of its labels and the offsets of surveys.
    X : table of n_stars stars, array, or StarDataset
        Stars of ``fit``.
    held : HeldStars
        The same, or those of a dataset that are held in memory.
    draws : EpochDraws
        Features and targets of the held stars, and their draws.
    split : pair of ndarray of int
        Rows of the held stars to train on, and those that are held back.
    survey : str, array-like or None
        The same as in ``fit``.
    sample_weight : ndarray of shape (n_stars,), optional
        Weights of the stars in the loss, of any scale.
    """
    rows, held_back = split
    if isinstance(X, StarDataset):
        pieces = PiecesToPredict(regressor, X, draws, survey)
        return StarsOnDisk(pieces, draws.seed, held.left_out(X, held_back))
    return stars_in_memory(
        X,
        rows,
        regressor._with_errors(draws.features)[rows],
        draws.targets[rows],
        sample_weight=sample_weight,
        draw=draws.epochs(rows) if draws.is_needed else None,
    )


class PiecesToPredict(DatasetPieces):
    """Pieces of a dataset on disk as features and targets.

    A star without any feature is among them: it changes nothing, since its labels are left out.

    Parameters
    ----------
    regressor : StellarParameterRegressor
        The same as in `stars_to_predict`.
    stars : StarDataset
    held : EpochDraws
        Draws of the stars that are held in memory.
    survey : str or None
        Column of the survey that labels are from.
    """

    def __init__(
        self, regressor: Any, stars: StarDataset, held: EpochDraws, survey: str | None
    ) -> None:
        super().__init__(stars, _columns_to_read(regressor, stars, survey))
        self.regressor = regressor
        self.survey = survey
        self.seed = held.seed
        self.mix = held.sky_mix()

    def read(self, piece: int, epoch: int) -> list[np.ndarray]:
        """Return features, targets, and weights if the mix of stars is the sky's."""
        with self.table(piece) as table:
            draws = self._draws(table)
            if epoch == 0:
                return [self.regressor._with_errors(draws.features), draws.targets]
            x, y, weights = draws.draw(self.mix, epoch, piece)
        return [x, y] if self.mix is None else [x, y, weights.astype(np.float32)]

    @property
    def identity(self) -> Mapping[str, Iterable[np.ndarray]]:
        """Arrays that tell stars and labels from others."""
        if self.survey is None:
            return super().identity
        offsets = self.regressor.survey_offsets_
        labels = [np.frombuffer(self.survey.encode(), dtype=np.uint8), offsets.coefficients_]
        return {**super().identity, "labels": labels}

    def _draws(self, table: StarTable) -> EpochDraws:
        """Return the draws of a piece's stars."""
        regressor = self.regressor
        stars = open_for_fit(regressor, table)
        labels = collect_labels(
            stars, None, regressor.units_, invalid=regressor.invalid, aliases=regressor.aliases
        )
        targets = regressor.label_scaler_.scaled(labels.values).astype(np.float32)
        surveys = read_surveys(stars, self.survey, len(targets))
        if surveys is not None:
            targets = _on_reference_scale(targets, surveys, regressor.survey_offsets_)
        features = regressor.reader_.transform(stars)
        targets[~features.is_observed] = np.nan
        pair = (stars, None)
        return epoch_draws(regressor, pair, features, labels, targets, None, self.seed)


def _on_reference_scale(
    targets: np.ndarray, surveys: np.ndarray, offsets: SurveyOffsets
) -> np.ndarray:
    """Return scaled labels of stars on the scale of the reference survey."""
    known = offsets.surveys_.tolist()
    for name in np.unique(surveys).tolist():
        if name not in known:
            raise ColumnError(
                f"Each survey must be one of those of the {HELD:,} stars that are held in memory, "
                f"{known}, got {name!r}. Write the files without its stars, or with more of them."
                + did_you_mean(str(name), map(str, known))
            )
    return offsets.transform(targets, surveys)


def _columns_to_read(regressor: Any, stars: StarDataset, survey: str | None) -> list[str] | None:
    """Return the columns that features and targets are made of; None if that may be any."""
    with_errors = regressor.make_fainter is not None or regressor.resample_noise
    features = columns_of_features(stars, regressor.reader_, with_errors=with_errors)
    others = [*regressor.labels_, *(f"{name}_err" for name in regressor.resample_labels)]
    others += [] if survey is None else [survey]
    if features is None or not {*others} <= {*stars.columns}:
        return None
    return list(dict.fromkeys([*features, *others]))
