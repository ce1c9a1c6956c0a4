"""What a trained regressor tells of stars: medians, intervals, flags."""

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from msaestimator.archive import GaiaArchive
from msaestimator.uncertainty._members import epistemic_share
from msaestimator.estimators._gaia import fetch_stars, with_provenance
from msaestimator.preprocessing._label_set import collect_labels
from msaestimator.estimators._outliers import OutlierEstimator
from msaestimator.metrics import r2
from msaestimator.preprocessing import column_names
from msaestimator.results import limit_flags, prediction_flags, prediction_table
from msaestimator.schema import FeatureSchema, StarTable

__all__ = ["PredictingEstimator"]


class PredictingEstimator(RegressorMixin, OutlierEstimator):
    """An estimator whose ``module_`` gives quantiles of the labels ``labels_``."""

    def predict(self, X: Any) -> np.ndarray:
        """Return the medians of stars' parameters.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        ndarray of shape (n_stars, n_labels), or (n_stars,) if ``y`` was one-dimensional
            In the labels' units; NaN for a star without any feature.
        """
        medians = self.predict_quantiles(X)[..., len(self.quantiles) // 2]
        return medians[:, 0] if self.one_dimensional_ else medians

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Return the quantiles of stars' parameters.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        ndarray of shape (n_stars, n_labels, n_quantiles)
            Increasing along the last axis, at the levels `quantiles`, in the labels' units,
            calibrated if the regressor is; NaN for a star without any feature.
        """
        check_is_fitted(self, "module_")
        features = self._enter(X, reset=False)
        return self._quantiles(features, self._members(features), self.quantiles)

    def predict_table(self, X: Any) -> StarTable:
        """Return stars' parameters with intervals, units and flags.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        StarTable of length n_stars
            ``source_id`` if ``X`` has it; of each label its median (``teff``), ``teff_lower``
            and ``teff_upper``, and with several members the parts ``teff_aleatoric`` and
            ``teff_epistemic`` of the interval; and ``flags``, see
            :class:`~msaestimator.results.PredictionFlag`.
        """
        check_is_fitted(self, "module_")
        features = self._enter(X, reset=False)
        members = self._members(features)
        quantiles = self._quantiles(features, members, self.quantiles)
        bands = {
            array.prefix: np.isin(
                [self._base_name(name) for name in self.feature_names_],
                [column.name for column in array.columns],
            )
            for array in self._schema.arrays
        }
        flags = prediction_flags(features, self.feature_names_, bands, *self.feature_range_)
        medians = quantiles[..., len(self.quantiles) // 2]
        flags |= limit_flags(medians, self.labels_, units=self.units_)
        flags |= self._interval_flags(quantiles)
        flags |= self._novelty_flags(X, features)
        has_ids = "source_id" in (column_names(X) or ())
        return prediction_table(
            self.labels_,
            quantiles,
            self.quantiles,
            units=self.units_,
            identifiers=np.asarray(X["source_id"]) if has_ids else None,
            flags=flags,
            epistemic_share=(
                epistemic_share(members, self.quantiles) if self.n_members > 1 else None
            ),
        )

    def predict_from_gaia(
        self, source_ids: Any, archive: GaiaArchive | None = None, *, dust_map: Any = "sfd"
    ) -> StarTable:
        """Return the parameters of stars that an archive describes.

        Parameters
        ----------
        source_ids : array-like of int of shape (n_stars,), str, or StarTable
            Gaia source ids; ADQL that selects ``source_id``; or stars that an archive gave.
        archive : GaiaArchive, optional
            None is ESA's.
        dust_map : str or callable
            Where reddening is from, as in :func:`msaestimator.dust.add_reddening`, for stars
            without a column ``ebv``.

        Returns
        -------
        StarTable of length n_stars
            As of `predict_table`, one row an id, in order. Further, ``archive_flags``
            (:class:`~msaestimator.archive.ArchiveFlag`) and of each survey and XP band whether
            the star has any of it: ``has_bp``, ``has_rp``, ``has_tmass`` and so on.

        Raises
        ------
        ColumnError
            An id is not an integer; nothing was sent.
        ArchiveError
            The archive failed. What was received is in its cache.
        """
        check_is_fitted(self, "module_")
        self._check_fitted_on_table()
        stars = fetch_stars(source_ids, archive, dust_map if self._uses("ebv") else None)
        predictions = self.predict_table(self._without_unseen(stars))
        return with_provenance(predictions, stars, self._schema)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the coefficient of determination, averaged over the labels.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            The labels; unknown ones (NaN) are ignored. None takes them from ``X``.
        """
        check_is_fitted(self, "module_")
        predicted = self.predict(X)
        truth = collect_labels(X, y, self.units_).values
        return float(np.nanmean(r2(truth, predicted.reshape(truth.shape))))

    def _interval_flags(self, quantiles: np.ndarray) -> np.ndarray:
        levels = quantiles.swapaxes(1, 2).reshape(-1, len(self.labels_))
        scaled = self.label_scaler_.transform(levels).reshape(quantiles.swapaxes(1, 2).shape)
        return self.label_domains_.flags(scaled.swapaxes(1, 2), self.quantiles)

    def _latent_vectors(self, X: Any) -> np.ndarray:
        return self.encoder_.transform(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @property
    def _schema(self) -> FeatureSchema:
        return self.encoder_._schema
