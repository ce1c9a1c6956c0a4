"""The generalist stellar model: any known quantities in, any asked quantities out."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from msaestimator.archive import GaiaArchive
from msaestimator.estimators._asking import AskableEstimator
from msaestimator.estimators._gaia import fetch_stars, with_provenance
from msaestimator.preprocessing._label_set import collect_labels
from msaestimator.estimators._trained import TrainedEstimator
from msaestimator.exceptions import ColumnError, did_you_mean
from msaestimator.metrics import r2
from msaestimator.networks import StellarTransformer, TokenDraw
from msaestimator.preprocessing import column_names
from msaestimator.schema import GAIA_DR3, StarTable, Vocabulary
from msaestimator.training import (
    ParameterGroup,
    RequestObjective,
    resolve_device,
    seeded,
)

__all__ = ["StellarFoundationModel"]


class StellarFoundationModel(RegressorMixin, TrainedEstimator, AskableEstimator):
    """Answer any question about a star from whatever is known of it, with uncertainties.

    A transformer reads the known quantities of a star as tokens (XP coefficients, colours,
    labels, reddening, luminosity) and answers requests for others: labels from spectra, spectra
    from labels, missing bands, masses and ages. It is trained by showing it random parts of
    stars and asking for quantities of theirs.

    Parameters
    ----------
    vocabulary : Vocabulary, optional
        The quantities; None is :data:`msaestimator.schema.GENERALIST`.
    labels : sequence of str, optional
        What `predict` and `score` are about. None takes the columns of ``y``, or the stellar
        parameters that the stars of ``fit`` have.
    asinh : bool
        Compress scaled quantities by asinh, so that rare stars do not rule the loss.
    embedding_dim : int
        Length of the tokens' vectors.
    embedding_scale : float, optional
        Standard deviation they start with; None is Xavier's.
    encoder_heads, encoder_widths : sequence of int
        Attention heads and hidden width of each encoder block.
    decoder_heads, decoder_widths : sequence of int
        The same of each decoder block.
    head_widths : sequence of int
        Hidden layers between decoder and output.
    dropout : float
        In blocks and head.
    n_inputs : pair of int
        Fewest and most quantities shown of a star in training. It is no limit afterwards.
    n_requests : int
        Quantities asked of each star in a training step.
    request_by : {"block", "token"}
        Whether requests are drawn evenly over the blocks of the vocabulary, so that a label is
        asked for as often as a whole spectrum, or over its tokens.
    block_dropout : float or mapping of str to float
        Probability that a block is hidden from a star as a whole, in training. A mapping tells
        it of blocks by name (``{"label": 0.7}``); those that it does not have are never hidden.
    resample_noise : bool
        In training, add to each shown value noise of its measurement error.
    beta : float
        Power of the predicted variance that weights each answer's likelihood (Seitzer et al.
        2022). With 0, the likelihood itself, easy questions rule the training; a last short
        run with it (``warm_start``) makes answers to them exact and errors honest.
    max_epochs, batch_size : int
        Length of the training, and stars a step.
    optimizer : {"adamw", "muon"}
        As in `MaskedStellarAutoencoder`.
    lr : float
        First learning rate.
    lr_schedule : {"cosine", "cosine_restarts", "exponential", "halving", "constant"}
        How it falls over the epochs.
    weight_decay : float
        Of the weights.
    gradient_clip : float, optional
        Largest norm of the gradient.
    inference_batch_size : int
        Known or asked quantities, of all stars together, computed at a time.
    early_stopping, validation_fraction, n_iter_no_change, callbacks, checkpoint, warm_start, \
device, precision, random_state, verbose
        As in `MaskedStellarAutoencoder`.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        The quantities the network knows.
    is_trained_ : ndarray of bool of shape (n_tokens,)
        Which of them any star of ``fit`` had; only these can be told and asked.
    labels_ : tuple of str
        What `predict` returns.
    scaler_ : LabelScaler
        Between quantities and what the network sees.
    module_ : StellarTransformer
        The fitted network.
    net_ : MaskedNet
        The skorch net that trained it, with its ``history``.

    Notes
    -----
    Masked, NaN, -9999 and absent values are unknown, of inputs and of labels. Errors of
    measurements (``teff_err``, ``parallax_error``, …) count in the loss: the predicted error is
    the scatter beyond them. XP coefficients are told in the archive's units with the G
    magnitude, and answered over the G flux (``relative_bp_1``); see `spectrum`.

    References
    ----------
    Zhang et al. (2026), *A Generalist Model Including Evolved Star Mass and Age*; Leung & Bovy
    (2024), MNRAS 527, 1494.

    Examples
    --------
    >>> from msaestimator.datasets import load_apogee_xp
    >>> stars = load_apogee_xp()[:200]
    >>> gen = StellarFoundationModel(max_epochs=1, random_state=0).fit(stars)
    >>> answer = gen.request(stars["teff", "logg"], ["bp_rp", "fe_h"])
    >>> answer["bp_rp"].unit, len(answer)
    (Unit("mag"), 200)
    >>> gen.transform(stars).shape
    (200, 64)
    """

    # DIFF(zhang2026): the default network and rates suit some ten thousand stars and two cores.
    def __init__(
        self,
        *,
        vocabulary: Vocabulary | None = None,
        labels: Sequence[str] | None = None,
        asinh: bool = True,
        embedding_dim: int = 64,
        embedding_scale: float | None = 1.0,
        encoder_heads: Sequence[int] = (8,),
        encoder_widths: Sequence[int] = (128,),
        decoder_heads: Sequence[int] = (8, 8),
        decoder_widths: Sequence[int] = (256, 256),
        head_widths: Sequence[int] = (256,),
        dropout: float = 0.0,
        n_inputs: tuple[int, int] = (1, 64),
        n_requests: int = 16,
        request_by: str = "block",
        block_dropout: float | Mapping[str, float] = 0.5,
        resample_noise: bool = False,
        beta: float = 0.5,
        max_epochs: int = 100,
        batch_size: int = 64,
        optimizer: str = "muon",
        lr: float = 6e-3,
        lr_schedule: str = "cosine",
        weight_decay: float = 1e-2,
        gradient_clip: float | None = 1.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        callbacks: list | None = None,
        checkpoint: Any = None,
        warm_start: bool = False,
        inference_batch_size: int = 16384,
        device: str = "auto",
        precision: str = "float32",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.vocabulary = vocabulary
        self.labels = labels
        self.asinh = asinh
        self.embedding_dim = embedding_dim
        self.embedding_scale = embedding_scale
        self.encoder_heads = encoder_heads
        self.encoder_widths = encoder_widths
        self.decoder_heads = decoder_heads
        self.decoder_widths = decoder_widths
        self.head_widths = head_widths
        self.dropout = dropout
        self.n_inputs = n_inputs
        self.n_requests = n_requests
        self.request_by = request_by
        self.block_dropout = block_dropout
        self.resample_noise = resample_noise
        self.beta = beta
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.warm_start = warm_start
        self.inference_batch_size = inference_batch_size
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what the quantities of stars say of each other.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            Stars with all that is known of them, labels included; or a matrix, of which each
            column becomes a quantity.
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            Labels in the place of those of ``X``; NaN is unknown.

        Returns
        -------
        self

        Raises
        ------
        ColumnError, UnitMismatchError
            What is wrong with the stars.
        ValueError
            What is wrong with a parameter.
        """
        self._check_parameters()
        again = self.warm_start and self.__sklearn_is_fitted__()
        stars = self._enter_labeled(X, y) if again else self._learn_tokens(X, y)
        known = np.isfinite(stars[:, 0]).any(axis=1)
        with seeded(self.random_state, resolve_device(self.device)):
            start = [t.cpu().numpy() for t in self.module_.state_dict().values()] if again else ()
            if not again:
                self.module_ = self._build_module()
            self._train(
                "training",
                RequestObjective(self.beta),
                self._draw(),
                [ParameterGroup("*", self.lr, self.lr_schedule, self.weight_decay)],
                stars[known],
                stars[known],
                start=start,
            )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return stars' labels, from what else is known of them.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            Its own labels are not looked at.

        Returns
        -------
        ndarray of shape (n_stars, n_labels), or (n_stars,) if ``y`` was one-dimensional
            `labels_` in the tokens' units.
        """
        check_is_fitted(self, "module_")
        positions = self._positions(self.labels_, what="labels")
        means, _ = self._answer(self._without_labels(X), positions)
        return means[:, 0] if self.one_dimensional_ else means

    def score(self, X: Any, y: Any = None) -> float:
        """Return the coefficient of determination, averaged over the labels.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            The labels; unknown ones (NaN) are ignored. None takes them from ``X``.
        """
        predicted = self.predict(X)
        source = X if y is None else y
        if column_names(source) is None:
            truth = collect_labels(X, y, self.labels_).values
        else:
            truth, _ = self._read_labels(source, self.labels_)
        return float(np.nanmean(r2(truth, predicted.reshape(truth.shape))))

    def predict_from_gaia(
        self,
        source_ids: Any,
        archive: GaiaArchive | None = None,
        *,
        requests: str | Sequence[str] | None = None,
        dust_map: Any = "sfd",
    ) -> StarTable:
        """Return what is asked of stars that an archive describes.

        Parameters
        ----------
        source_ids : array-like of int of shape (n_stars,), str, or StarTable
            Gaia source ids; ADQL that selects ``source_id``; or stars that an archive gave.
        archive : GaiaArchive, optional
            None is ESA's.
        requests : str or sequence of str, optional
            As of `request`; None asks for `labels_`.
        dust_map : str or callable
            Where reddening is from, as in :func:`msaestimator.dust.add_reddening`, for stars
            without a column ``ebv``.

        Returns
        -------
        StarTable of length n_stars
            As of `request`, one row an id, in order. Further, ``archive_flags``
            (:class:`~msaestimator.archive.ArchiveFlag`) and of each survey and XP band whether
            the star has any of it: ``has_bp``, ``has_rp``, ``has_tmass`` and so on.

        Raises
        ------
        ColumnError
            An id is not an integer, or a request is not a token; nothing was sent.
        ArchiveError
            The archive failed. What was received is in its cache.
        """
        check_is_fitted(self, "module_")
        self._check_fitted_on_table()
        asked = self.labels_ if requests is None else requests
        self._positions(asked, what="requests")
        uses_reddening = "ebv" in self.trained_tokens
        stars = fetch_stars(source_ids, archive, dust_map if uses_reddening else None)
        answers = self.request(self._without_untrained(stars), asked)
        return with_provenance(answers, stars, GAIA_DR3)

    def _draw(self) -> TokenDraw:
        tokens = self.vocabulary_.tokens
        blocks = [token.block for token in tokens]
        names = sorted(set(blocks))
        shown = np.array([token.weight for token in tokens]) * self.is_trained_
        asked = shown * [token.requested for token in tokens]
        if not asked.any():
            raise ColumnError(
                "The stars must have a quantity that training asks for, got only "
                f"{', '.join(self.trained_tokens)}. Set `requested` of one of these tokens."
            )
        for block in names:
            members = np.array([name == block for name in blocks])
            # So that a heavy token is shown at the cost of others of its block only.
            shown[members] /= shown[members].mean() or 1.0
            if self.request_by == "block":
                asked[members] /= asked[members].sum() or 1.0
        return TokenDraw(
            [names.index(block) for block in blocks],
            asked,
            input_weights=shown,
            n_inputs=self.n_inputs,
            n_requests=self.n_requests,
            block_dropout=self._dropout_of_blocks(names),
            resample_noise=self.resample_noise,
        )

    def _dropout_of_blocks(self, names: Sequence[str]) -> float | list[float]:
        """Return the probability that a block is hidden, of each by its number or of any."""
        if not isinstance(self.block_dropout, Mapping):
            return self.block_dropout
        for name in self.block_dropout:
            if name not in names:
                raise ValueError(
                    f"`block_dropout` must name blocks of the vocabulary ({', '.join(names)}), "
                    f"got {name!r}." + did_you_mean(name, names)
                )
        return [self.block_dropout.get(name, 0.0) for name in names]

    def _build_module(self) -> StellarTransformer:
        return StellarTransformer(
            len(self.vocabulary_),
            self.embedding_dim,
            self.encoder_heads,
            self.encoder_widths,
            self.decoder_heads,
            self.decoder_widths,
            self.head_widths,
            self.dropout,
            self.embedding_scale,
        )

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if not isinstance(self.vocabulary, Vocabulary | None):
            raise TypeError(
                "`vocabulary` must be a Vocabulary or None, got "
                f"{type(self.vocabulary).__name__}. Make one with vocabulary_of(schema)."
            )
        if isinstance(self.labels, str | Mapping):
            raise ValueError(f"`labels` must be a sequence of names, got {self.labels!r}.")
        self._check_training()
        self._check_blocks()

    def _check_training(self) -> None:
        bounds = np.ravel(self.n_inputs)
        if len(bounds) != 2 or not 0 <= bounds[0] <= bounds[1] or bounds[1] < 1:
            raise ValueError(
                "`n_inputs` must be a fewest and a most number of inputs, in this order, got "
                f"{self.n_inputs}."
            )
        if self.n_requests < 1:
            raise ValueError(f"`n_requests` must be at least 1, got {self.n_requests}.")
        if self.request_by not in ("block", "token"):
            raise ValueError(f"`request_by` must be 'block' or 'token', got {self.request_by!r}.")
        told = self.block_dropout
        chances = told.values() if isinstance(told, Mapping) else [told]
        if not all(0 <= chance <= 1 for chance in chances):
            raise ValueError(f"`block_dropout` must be between 0 and 1, got {told}.")

    def _check_blocks(self) -> None:
        if self.embedding_scale is not None and not self.embedding_scale > 0:
            raise ValueError(
                f"`embedding_scale` must be positive or None, got {self.embedding_scale}."
            )
        for name in ("encoder", "decoder"):
            heads, widths = getattr(self, f"{name}_heads"), getattr(self, f"{name}_widths")
            if len(heads) != len(widths) or any(h < 1 or self.embedding_dim % h for h in heads):
                raise ValueError(
                    f"`{name}_heads` must have as many blocks as `{name}_widths`, and divide "
                    f"`embedding_dim` ({self.embedding_dim}), got {heads} and {widths}."
                )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
