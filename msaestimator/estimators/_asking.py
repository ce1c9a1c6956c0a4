"""What can be asked of a trained generalist: requests, draws, vectors, attention."""

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from msaestimator.estimators._token_inference import Oracle
from msaestimator.results._physical_spectra import (
    SPECTRUM,
    apparent_spectra,
    check_spectrum,
    spectra_at_10pc,
)
from msaestimator.estimators._similar_stars import SimilarStars
from msaestimator.preprocessing._token_stars import TokenDoor
from msaestimator.preprocessing import column_names
from msaestimator.results import PredictionFlag, limit_flags, request_table
from msaestimator.schema import StarTable
from msaestimator.training import resolve_device

__all__ = ["AskableEstimator"]


class AskableEstimator(TransformerMixin, TokenDoor, SimilarStars):
    """An estimator whose ``module_`` answers requests for the tokens of ``vocabulary_``."""

    def request(
        self, X: Any, requests: str | Sequence[str], *, inputs: Sequence[str] | None = None
    ) -> StarTable:
        """Return what is asked of stars, from all that ``X`` says of them.

        Parameters
        ----------
        X : table of n_stars stars
            Any of the vocabulary's quantities; each star may have others. What is asked may be
            among them, and then is more or less returned.
        requests : str or sequence of str
            Names of the vocabulary's tokens, such as ``"age"``.
        inputs : sequence of str, optional
            Tokens to take from ``X``; None takes all.

        Returns
        -------
        StarTable of length n_stars
            ``source_id`` if ``X`` has it; of each request its mean (``teff``) and standard error
            (``teff_err``), in the token's unit, a logarithm's being the median and to first
            order; and ``flags``, see :class:`~msaestimator.results.PredictionFlag`. A star of
            which nothing is known gets the answer for any star of the training, and a flag.

        Raises
        ------
        ColumnError
            A token is not in the vocabulary, or no star of ``fit`` had it; an error is negative.
        """
        check_is_fitted(self, "module_")
        names = [requests] if isinstance(requests, str) else list(requests)
        positions = self._positions(names, what="requests")
        values = self._known(X, inputs)
        means, errors = self._answer(values, positions)
        units = {name: self.vocabulary_[name].unit for name in names}
        flags = np.where(np.isfinite(values).any(axis=1), 0, PredictionFlag.NOTHING_KNOWN)
        has_ids = "source_id" in (column_names(X) or ())
        return request_table(
            names,
            means,
            errors,
            units=units,
            identifiers=np.asarray(X["source_id"]) if has_ids else None,
            flags=flags | limit_flags(means, names, units=units),
        )

    def sample(
        self,
        X: Any,
        requests: str | Sequence[str],
        n_samples: int = 1,
        *,
        inputs: Sequence[str] | None = None,
        random_state: Any = None,
    ) -> StarTable:
        """Draw what is asked of stars from its joint distribution.

        The requests are drawn one after the other, each knowing those before it.

        Parameters
        ----------
        X, requests, inputs
            As of `request`.
        n_samples : int
            Draws a star.
        random_state : int, RandomState instance or None

        Returns
        -------
        StarTable of length n_stars
            Of each request a column of shape (n_stars, n_samples), in the token's unit.
        """
        check_is_fitted(self, "module_")
        if n_samples < 1:
            raise ValueError(f"`n_samples` must be at least 1, got {n_samples}.")
        names = [requests] if isinstance(requests, str) else list(requests)
        positions = self._positions(names, what="requests")
        rng = check_random_state(random_state)
        values = np.repeat(self._known(X, inputs), n_samples, axis=0)
        oracle = self._oracle()
        for position in positions:
            mean, error = (part[:, 0] for part in oracle.answer(values, [position]))
            values[:, position] = rng.normal(mean, error)
        drawn = self.scaler_.inverse_transform(values)[:, positions]
        table = StarTable()
        for name, draws in zip(names, drawn.T, strict=True):
            table[name] = draws.reshape(-1, n_samples) * u.Unit(self.vocabulary_[name].unit)
        return table

    def spectrum(
        self, X: Any, *, inputs: Sequence[str] | None = None, at_10pc: bool = False
    ) -> StarTable:
        """Return stars' XP spectra as flux at wavelengths.

        Parameters
        ----------
        X, inputs
            As of `request`.
        at_10pc : bool
            Return what would be seen at 10 pc, behind the star's own extinction, by the
            requested ``pseudo_luminosity`` (which ``X`` may have); otherwise what is seen, by
            the ``phot_g_mean_mag`` of ``X``.

        Returns
        -------
        StarTable of length n_stars
            ``source_id`` if ``X`` has it; ``flux`` and ``flux_err`` (n_stars, 343) in
            W m-2 nm-1 at ``meta["wavelength"]``, NaN where the G magnitude is unknown; and
            ``flags``. The errors take those of the coefficients as independent; at 10 pc that
            of the luminosity is in them.

        Raises
        ------
        ColumnError
            A coefficient of Gaia DR3 is not in the vocabulary, or no star of ``fit`` had it;
            ``X`` has no G magnitude; see also `request`.
        """
        check_spectrum(self.trained_tokens)
        luminosity = ["pseudo_luminosity"] if at_10pc else []
        answers = self.request(X, [*SPECTRUM, *luminosity], inputs=inputs)
        return spectra_at_10pc(answers, *luminosity) if at_10pc else apparent_spectra(answers, X)

    def transform(self, X: Any) -> np.ndarray:
        """Return stars as vectors: the mean over what the encoder makes of each quantity.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            Its own labels are not looked at.

        Returns
        -------
        ndarray of shape (n_stars, embedding_dim), float32
            NaN for a star of which nothing is known.
        """
        check_is_fitted(self, "module_")
        return self._oracle().embed(self._without_labels(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the vectors' components, ``vector0`` and so on."""
        check_is_fitted(self, "module_")
        return np.array([f"vector{i}" for i in range(self.embedding_dim)], dtype=object)

    def attention(
        self, X: Any, requests: str | Sequence[str], *, inputs: Sequence[str] | None = None
    ) -> np.ndarray:
        """Return how much the answer to each request looks at each known quantity.

        Parameters
        ----------
        X, requests, inputs
            As of `request`.

        Returns
        -------
        ndarray of shape (n_stars, n_requests, n_tokens), float32
            Cross-attention of the last decoder block, averaged over its heads, in the order of
            `vocabulary_`; NaN where a quantity is not known. The sum over the known ones is at
            most one: the rest is what the request would look at without any.
        """
        check_is_fitted(self, "module_")
        positions = self._positions(requests, what="requests")
        return self._oracle().look(self._known(X, inputs), positions)

    @property
    def trained_tokens(self) -> tuple[str, ...]:
        """Names of the quantities that can be told and asked."""
        check_is_fitted(self, "module_")
        return tuple(np.array(self.vocabulary_.names)[self.is_trained_].tolist())

    @property
    def xp_columns(self) -> tuple[str, ...]:
        """Names of the XP coefficients that can be told and asked."""
        return tuple(
            name for name in self.trained_tokens if self.vocabulary_[name].recipe == "over_g_flux"
        )

    def _known(self, X: Any, inputs: Sequence[str] | None) -> np.ndarray:
        """Return the scaled values of what is to be taken from stars, NaN where unknown."""
        values = self._enter(X)[:, 0]
        if inputs is not None:
            taken = np.isin(np.arange(values.shape[1]), self._positions(inputs, what="inputs"))
            values[:, ~taken] = np.nan
        return values

    def _without_labels(self, X: Any) -> np.ndarray:
        values = self._enter(X)[:, 0]
        values[:, self.vocabulary_.index(self.labels_)] = np.nan
        return values

    def _answer(
        self, values: np.ndarray, positions: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return values and errors of tokens in their units, each (n_stars, n_chosen)."""
        return self._unscale(positions, *self._oracle().answer(values, positions))

    def _oracle(self) -> Oracle:
        return Oracle(
            self.module_,
            batch_size=self.inference_batch_size,
            device=resolve_device(self.device),
            precision=self.precision,
        )
