"""The generalist stellar model: any known quantities in, any asked quantities out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import astropy.units as u
import numpy as np
import torch
from astropy.table import Table
from sklearn.base import RegressorMixin, TransformerMixin
from sklearn.utils import check_random_state

from msaestimator.archive import GaiaArchive
from msaestimator.datasets import StarDataset
from msaestimator.estimators._block_inference import BlockInference
from msaestimator.estimators._draws import draw_apart, draw_in_common, draw_jointly
from msaestimator.estimators._fainter_stars import ONCE
from msaestimator.estimators._gaia import fetch_stars, with_provenance
from msaestimator.estimators._generalist_draws import fainter_words
from msaestimator.estimators._generalist_errors import (
    calibrate_errors,
    hold_back,
    predict_words,
    shares_of_errors,
)
from msaestimator.estimators._generalist_network import (
    build_generalist,
    contrasts_of,
    inference_of,
    objective_of,
    shown_and_asked,
)
from msaestimator.estimators._held_stars import check_on_disk, held_stars
from msaestimator.estimators._new_words import check_no_new_words
from msaestimator.estimators._parameters import (
    Rule,
    at_least,
    between,
    fitted,
    of_part,
    one_of,
    parameter,
    probabilities,
)
from msaestimator.estimators._request_flags import (
    coverage_of,
    request_flags,
    told_answers,
    warn_of_told,
)
from msaestimator.estimators._requests import check_blocks
from msaestimator.estimators._saved import SavedEstimator
from msaestimator.estimators._score_in_parts import mean_r2
from msaestimator.estimators._stars_to_ask import label_words, stars_to_ask
from msaestimator.estimators._token_inference import TokenInference
from msaestimator.estimators._training_stars import in_parts
from msaestimator.estimators._words import list_words
from msaestimator.metrics import r2
from msaestimator.networks import BlockTransformer, StellarTransformer
from msaestimator.outliers import TokenOutliers
from msaestimator.preprocessing import (
    TokenReader,
    check_any_star,
    collect_labels,
    counted_stars,
)
from msaestimator.results import (
    SPECTRUM,
    apparent_spectra,
    check_spectrum,
    request_table,
    spectra_at_10pc,
)
from msaestimator.schema import GAIA_DR3, StarTable, Vocabulary
from msaestimator.tables import column_names, source_ids_of
from msaestimator.training import ParameterGroup, resolve_device, seeded
from msaestimator.uncertainty import ErrorCalibration, TokenCoverage

__all__ = ["StellarFoundationModel"]


@dataclass(eq=False, repr=False, kw_only=True)
class StellarFoundationModel(RegressorMixin, TransformerMixin, SavedEstimator):
    """Answer any question about a star from whatever is known of it, with uncertainties.

    A transformer reads the known quantities of a star as tokens (XP coefficients, colours,
    labels, reddening, luminosity) and answers requests for others: labels from spectra, spectra
    from labels, missing bands, masses and ages. It is trained by showing it random parts of
    stars and asking for quantities of theirs.

    Parameters
    ----------
    vocabulary : Vocabulary, optional
        Quantities that the model knows; None is :data:`msaestimator.schema.GENERALIST`.
    labels : sequence of str, optional
        Labels that `predict` and `score` are about. None takes the columns of ``y``, or the
        stellar parameters that the stars of ``fit`` have.
    asinh : bool
        Whether scaled quantities are compressed by asinh, so that rare stars do not rule the loss.
    embedding_dim : int
        Length of the tokens' vectors.
    embedding_scale : float, optional
        Standard deviation of the tokens' first weights; None is Xavier's.
    encoder_heads, encoder_widths : sequence of int
        Attention heads and hidden width of each encoder block.
    decoder_heads, decoder_widths : sequence of int
        Attention heads and hidden width of each decoder block.
    head_widths : sequence of int
        Widths of the hidden layers between decoder and output.
    dropout : float
        Dropout in blocks and head.
    read_by : {"block", "token"}
        Whether the quantities of a block of the vocabulary are read as one token and answered
        together, such as the coefficients of BP, or each by itself as in the paper.
    n_inputs : pair of int
        Fewest and most quantities shown of a star in training, if these are read one by one. It is
        no limit afterwards.
    n_requests : int
        Quantities asked of each star in a training step; or blocks of them besides the labels,
        which are asked in every step.
    request_by : {"block", "token"}
        Whether requests are drawn evenly over the blocks of the vocabulary, so that a label is
        asked for as often as a whole spectrum, or over its tokens.
    block_dropout : float or mapping of str to float
        Probability that a block is hidden from a star as a whole, in training. A mapping tells
        it of blocks by name (``{"label": 0.7}``); those that it does not have are never hidden.
        ``"xp"`` are BP and RP together, if blocks are read as one.
    partial_ratio : float or mapping of str to float
        Probability that a part of a block is shown, in training that reads blocks as one: some of
        its quantities, the first or the last. A mapping tells it of blocks by name, as in
        ``block_dropout``; ``"xp"`` are BP and RP, which are shown in part together.
    from_labels_ratio : float
        Probability that a star is shown without its spectrum and colours, and with labels, in
        training that reads blocks as one: spectra that follow from labels are learned from these.
    resample_noise : bool
        Whether training adds to each shown value noise of its measurement error.
    beta : float
        Power of the predicted variance that weights each answer's likelihood (Seitzer et al.
        2022). With 0, the likelihood itself, easy questions rule the training; a last short
        run with it (``warm_start``) makes answers to them exact and errors honest.
    likelihood : {"gaussian", "student"}
        Distribution of a quantity about its answer: a normal one as in the paper, or Student's t
        of four degrees of freedom, to which stars far off count less.
    n_factors : int
        Number of factors that the errors of answers have in common, for `covariance`, if blocks
        are read as one; with 0 errors are independent.
    make_fainter, sky_mix
        The same as in `StellarParameterRegressor`.
    calibration_fraction : float
        Fraction of the stars that are held back from training, to learn how far errors hold by
        what is known of a star; 0 for none. None are held back if these would be fewer than 50.
    invalid : {"raise", "mask"}
        Treatment of labels that no star has, such as a log g of -999, in `fit` and `score`: an
        error that shows them, or taken as unknown with a warning.
    max_epochs, batch_size : int
        Length of the training, and stars a step.
    optimizer : {"adamw", "muon"}
        Optimiser, as in `MaskedStellarAutoencoder`.
    lr : float
        First learning rate.
    lr_schedule : {"cosine", "cosine_restarts", "exponential", "halving", "constant"}
        Course of the learning rate over the epochs.
    weight_decay : float
        Decay of the weights.
    gradient_clip : float, optional
        Largest norm of the gradient.
    inference_batch_size : int
        Known or asked quantities, of all stars together, computed at a time.
    early_stopping, validation_fraction, n_iter_no_change, callbacks, checkpoint, warm_start, \
aliases, device, precision, random_state, verbose
        The same as in `MaskedStellarAutoencoder`.

    Attributes
    ----------
    reader_ : TokenReader
        Reader of stars into tokens.
    vocabulary_ : Vocabulary
        The quantities the network knows.
    is_trained_ : ndarray of bool of shape (n_tokens,)
        Mask of the quantities that any star of ``fit`` had; only these can be told and asked.
    labels_ : tuple of str
        Labels that `predict` returns.
    units_ : dict of str to str
        Units of the labels.
    scaler_ : LabelScaler
        Scaler between quantities and the network's numbers.
    coverage_ : TokenCoverage
        Range that each quantity had in ``fit``, beyond which answers have a flag. Models that
        were saved before it was noted lack it.
    outliers_ : TokenOutliers
        Some stars of ``fit``, by which what is told of others together is found to be rare. Models
        that were saved before they were kept lack it.
    n_features_in_ : int
        Number of input columns.
    feature_names_in_ : ndarray of str of shape (n_features_in,)
        Names of the input columns, if these had any.
    contrasts_ : dict
        Combinations of quantities that blocks are told beside them, see
        :func:`msaestimator.preprocessing.word_contrasts`; by block.
    error_calibration_ : ErrorCalibration or None
        Factors of the errors, by what is known of a star.
    module_ : BlockTransformer or StellarTransformer
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

    vocabulary: Vocabulary | None = parameter(None, of_fit=True)
    labels: Sequence[str] | None = parameter(None, of_fit=True)
    asinh: bool = parameter(True, of_fit=True)
    # DIFF(zhang2026): the default network and rates suit some ten thousand stars and two cores.
    embedding_dim: int = parameter(64, of_fit=True)
    embedding_scale: float | None = parameter(
        1.0, Rule("positive or None", lambda value: value is None or value > 0)
    )
    encoder_heads: Sequence[int] = parameter((8,), of_fit=True)
    encoder_widths: Sequence[int] = parameter((128,), of_fit=True)
    decoder_heads: Sequence[int] = parameter((8, 8), of_fit=True)
    decoder_widths: Sequence[int] = parameter((256, 256), of_fit=True)
    head_widths: Sequence[int] = parameter((256,), of_fit=True)
    dropout: float = parameter(0.0, between(0, 1))
    read_by: str = parameter("token", one_of("block", "token"), of_fit=True)
    n_inputs: tuple[int, int] = (1, 64)
    n_requests: int = parameter(16, at_least(1))
    request_by: str = parameter("block", one_of("block", "token"))
    block_dropout: float | Mapping[str, float] = 0.5
    partial_ratio: float | Mapping[str, float] = parameter(0.3, probabilities())
    from_labels_ratio: float = parameter(0.1, between(0, 1))
    resample_noise: bool = False
    beta: float = parameter(0.5, between(0, 1))
    likelihood: str = parameter("gaussian", one_of("gaussian", "student"))
    n_factors: int = parameter(0, at_least(0), of_fit=True)
    invalid: str = parameter("raise", one_of("raise", "mask"), of_run=False)
    make_fainter: float | None = None
    sky_mix: bool = False
    calibration_fraction: float = parameter(
        0.0, Rule("at least 0 and below 1", lambda value: 0 <= value < 1)
    )
    max_epochs: int = 100
    batch_size: int = 64
    optimizer: str = "muon"
    lr: float = 6e-3
    inference_batch_size: int = 16384

    module_: BlockTransformer | StellarTransformer = fitted()
    contrasts_: dict[str, dict[str, np.ndarray]] = fitted()
    error_calibration_: ErrorCalibration | None = fitted()
    reader_: TokenReader = fitted()
    coverage_: TokenCoverage = fitted()
    outliers_: TokenOutliers = fitted()

    saved_as: ClassVar[str] = "StellarFoundationModel"

    vocabulary_ = of_part("reader_.vocabulary_", "The quantities, labels included.")
    labels_ = of_part("reader_.labels_", "Names of what `predict` returns.")
    units_ = of_part("reader_.units_", "Units of the labels.")
    is_trained_ = of_part("reader_.is_trained_", "Which quantities any star of `fit` had.")
    fitted_on_table_ = of_part("reader_.fitted_on_table_", "Whether `fit` saw a table.")
    scaler_ = of_part("reader_.scaler_", "Scaling of the quantities.")
    n_features_in_ = of_part("reader_.n_features_in_", "Number of input columns.")
    feature_names_in_ = of_part("reader_.feature_names_in_", "Names of the input columns.")

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn the quantities of stars from each other.

        Parameters
        ----------
        X : table of n_stars stars, array of shape (n_stars, n_features), or StarDataset
            Stars with all that is known of them, labels included; or a matrix, of which each
            column becomes a quantity. Those of a :class:`~msaestimator.datasets.StarDataset` are
            read from disk in every epoch, some 100,000 at a time; 20,000 of them are held in
            memory, half of these with labels, for what else is learned: scales, ranges, the
            quantities that there are, calibration, outlier scores.
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            Labels in the place of those of ``X``; NaN is unknown. It has to be None for stars on
            disk.
        sample_weight : array-like of shape (n_stars,), optional
            Weights of the stars in the loss, of any scale; a star of weight zero does not count
            at all. None weighs all alike, and has to be for stars on disk.

        Returns
        -------
        self

        Raises
        ------
        ColumnError, UnitMismatchError
            A column of the stars is absent, of another unit or unusable; the message says which.
        ValueError
            A parameter is outside its range; the message says which.
        """
        self._check_parameters()
        check_on_disk(X, y=y)
        weights, X, y = counted_stars(sample_weight, X, y)
        held = held_stars(X, label_words(self.vocabulary), aliases=self.aliases)
        again = self.warm_start and self.__sklearn_is_fitted__()
        if again:
            stars = self.reader_.open(held.stars, aliases=self.aliases)
            check_no_new_words(self.reader_, stars, self.vocabulary, self.labels)
            self.reader_.set_params(labels=self.labels, invalid=self.invalid)
            words = self.reader_.transform(stars, y)
            self._check_fitted()
        else:
            reader = TokenReader(self.vocabulary, self.labels, self.asinh, self.invalid)
            stars = reader.open(held.stars, aliases=self.aliases)
            words = reader.fit_transform(stars, y)
            self.reader_ = reader
        held = held._replace(stars=stars)
        with seeded(self.random_state, resolve_device(self.device)):
            draws = fainter_words(self, stars, words, weights)
            rows, held_back = hold_back(words, self.calibration_fraction, torch.initial_seed())
            coverage, outliers = (self._coverage, self._outliers) if again else (None, None)
            seen = words[rows, 0]
            self.coverage_ = coverage_of(self.reader_, seen, coverage)
            if draws is not None:
                farther = draws(rows, ONCE)[0][:, 0]
                self.coverage_ = self.coverage_.extended(farther)
                seen = np.concatenate([seen, farther])
            self.outliers_ = TokenOutliers().fit(seen, self.vocabulary_, outliers)
            start = [t.cpu().numpy() for t in self.module_.state_dict().values()] if again else ()
            if not again:
                self.contrasts_ = contrasts_of(self, words[rows])
                self.module_ = self._build_module()
            mask, split = shown_and_asked(self), (rows, held_back)
            self._train(
                "training",
                objective_of(self),
                mask,
                [ParameterGroup("*", self.lr, self.lr_schedule, self.weight_decay)],
                stars_to_ask(self, X, held, words, draws, split, sample_weight=weights),
                start=start,
            )
            drawn = None if draws is None else partial(draws, held_back)
            self.error_calibration_ = calibrate_errors(self, words[held_back], drawn, mask)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return stars' labels, from what else is known of them.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            Stars, whose own labels are not looked at.

        Returns
        -------
        ndarray of shape (n_stars, n_labels), or (n_stars,) if ``y`` was one-dimensional
            `labels_` in the tokens' units.
        """
        self._check_fitted()
        positions = self.reader_.positions(self.labels_, what="labels")
        medians, _, _ = self._answer(self._without_labels(X), positions)
        return medians[:, 0] if self.reader_.one_dimensional_ else medians

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the coefficient of determination, averaged over the labels.

        Parameters
        ----------
        X : table of n_stars stars, array of shape (n_stars, n_features), or StarDataset
            Stars, which are read from disk 10,000 at a time.
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            The labels; unknown ones (NaN) are ignored. None takes them from ``X``, and has to be
            for stars on disk.
        sample_weight : array-like of shape (n_stars,), optional
            Weights of the stars; None weighs all alike, and has to be for stars on disk.
        """
        if isinstance(X, StarDataset):
            check_on_disk(X, y=y, sample_weight=sample_weight)
            return mean_r2(self._compared(self._open(part), None) for part in in_parts(X))
        X = self._open(X)
        check_any_star(X)
        return float(np.nanmean(r2(*self._compared(X, y), sample_weight)))

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
        source_ids : int, str, array-like of shape (n_stars,), or table
            Gaia source ids, as integers or text; a table with the column ``source_id``; ADQL that
            selects it; or stars with features, such as an archive gave, taken as they are.
        archive : GaiaArchive, optional
            Archive to ask; None is ESA's.
        requests : str or sequence of str, optional
            Names of quantities, as for `request`; None asks for `labels_`.
        dust_map : str or callable
            Map of the reddening, as in :func:`msaestimator.dust.add_reddening`, for stars without
            a column ``ebv``.

        Returns
        -------
        StarTable of length n_stars
            Columns of `request`, one row an id, in order. Further, ``archive_flags``
            (:class:`~msaestimator.archive.ArchiveFlag`) and of each survey and XP band whether the
            star has any of it: ``has_bp``, ``has_rp``, ``has_tmass`` and so on.

        Raises
        ------
        ColumnError
            An id is a float or missing, or a request is not understood; nothing was sent.
        ArchiveError
            The archive failed. What was received is in its cache.
        """
        self._check_fitted()
        self.reader_.check_takes_tables()
        asked = self.labels_ if requests is None else requests
        self.reader_.find_quantities(asked)
        uses_reddening = "ebv" in self.trained_tokens
        dust_map = dust_map if uses_reddening else None
        stars = fetch_stars(source_ids, archive, dust_map, GAIA_DR3, aliases=self.aliases)
        answers = self.request(self.reader_.without_untrained(stars), asked)
        return with_provenance(answers, stars, GAIA_DR3)

    def request(
        self, X: Any, requests: str | Sequence[str], *, inputs: str | Sequence[str] | None = None
    ) -> StarTable:
        """Return the requested quantities of stars, from all that ``X`` says of them.

        Parameters
        ----------
        X : table of n_stars stars
            Stars with any of the vocabulary's quantities; each star may have others. A request may
            be among them, and is then more or less returned, with a flag and a warning.
        requests : str or sequence of str
            Names of words, such as ``"age"``, see `words`; of a block of them (``"color"``); of
            an array (``"bp_coefficients"``), which stands for its coefficients over the G flux; or
            of a column that follows from a word and another column of ``X``: a magnitude from a
            colour and the other magnitude, ``parallax`` from the luminosity and G.
        inputs : str or sequence of str, optional
            Words, blocks and arrays to take from ``X``; None takes all.

        Returns
        -------
        StarTable of length n_stars
            ``source_id`` if ``X`` has it; of each request its median (``teff``) and standard error
            (``teff_err``), to first order where it is a logarithm that is learned, and the
            central 68 % interval (``teff_lower`` to ``teff_upper``), in the word's unit; and
            ``teff_flags``, what concerns it alone. Last ``flags``, what concerns the star,
            see :class:`~msaestimator.results.PredictionFlag`. A star of which nothing is known
            gets the answer for any star of the training, and a flag. A column that follows is
            NaN where a star lacks the other one, whose error counts.

        Raises
        ------
        ColumnError
            A name is none of these, or no star of ``fit`` had the quantity; ``X`` lacks the other
            column that a request follows from; an error is negative.

        Warns
        -----
        ToldRequestWarning
            A request is among what stars are told.
        """
        table = self._request(X, requests, inputs)
        warn_of_told(*told_answers(table))
        return table

    def sample(
        self,
        X: Any,
        requests: str | Sequence[str],
        n_samples: int = 1,
        *,
        inputs: str | Sequence[str] | None = None,
        joint: bool = True,
        random_state: Any = None,
    ) -> StarTable:
        """Draw the requested quantities of stars, from their joint distribution.

        Parameters
        ----------
        X, requests, inputs
            The same as in `request`.
        n_samples : int
            Draws a star.
        joint : bool
            Whether a star's draws belong together: a draw of a higher mass is one of a lower age.
            They are drawn one after the other, each told those before it; or all from their
            `covariance`, if the model knows it. False draws each by itself.
        random_state : int, RandomState instance or None

        Returns
        -------
        StarTable of length n_stars
            Draws: of each request a column of shape (n_stars, n_samples), in the token's unit.
        """
        self._check_fitted()
        if n_samples < 1:
            raise ValueError(f"`n_samples` must be at least 1, got {n_samples}.")
        X = self._open(X)
        asked = self.reader_.ask(requests, X)
        values = self._known(X, inputs)
        warn_of_told(asked.names, asked.of_tokens(np.isfinite(values[:, asked.tokens])))
        rng = check_random_state(random_state)
        drawn = self._draw(joint)(self._predict_words, values, asked.tokens, n_samples, rng)
        draws = asked.draws(self.reader_.unscaled(asked.tokens, drawn))
        table = StarTable()
        for place, name in enumerate(asked.names):
            table[name] = draws[..., place] * u.Unit(asked.units[name])
        return self._signed(table, X)

    def spectrum(
        self, X: Any, *, inputs: str | Sequence[str] | None = None, at_10pc: bool = False
    ) -> StarTable:
        """Return stars' XP spectra as flux at wavelengths.

        Parameters
        ----------
        X, inputs
            The same as in `request`.
        at_10pc : bool
            Whether to return the flux at 10 pc, behind the star's own extinction, by the requested
            ``pseudo_luminosity`` (which ``X`` may have), rather than the flux at the Earth, by the
            ``phot_g_mean_mag`` of ``X``.

        Returns
        -------
        StarTable of length n_stars
            ``source_id`` if ``X`` has it; ``flux`` and ``flux_err`` (n_stars, 343) in
            W m-2 nm-1 at ``meta["wavelength"]``, NaN where the G magnitude is unknown; and
            ``flags``. What the errors of the coefficients have in common is in theirs, if the
            model knows it, see `covariance`; at 10 pc that of the luminosity, too.

        Raises
        ------
        ColumnError
            A coefficient of Gaia DR3 is not in the vocabulary, or no star of ``fit`` had it;
            ``X`` has no G magnitude; see also `request`.
        """
        check_spectrum(self.trained_tokens)
        luminosity = ["pseudo_luminosity"] if at_10pc else []
        answers = self._request(X, [*SPECTRUM, *luminosity], inputs)
        words = self.vocabulary_.index(SPECTRUM)
        shares = shares_of_errors(self, self._known(X, inputs), words)
        spectra = (
            spectra_at_10pc(answers, luminosity[0], shares)
            if at_10pc
            else apparent_spectra(answers, X, shares)
        )
        return self._signed(spectra, X)

    def covariance(
        self, X: Any, requests: str | Sequence[str], *, inputs: str | Sequence[str] | None = None
    ) -> np.ndarray:
        """Return the covariances of the errors of requested words.

        Parameters
        ----------
        X, inputs
            The same as in `request`.
        requests : str or sequence of str
            Names of words, blocks and arrays, as in `request`.

        Returns
        -------
        ndarray of shape (n_stars, n_requests, n_requests)
            Covariances in the product of the words' units, with the squares of the errors of
            `request` on the diagonal; zero of a word that is told. Memory goes with the
            square of the requests: 100 KB a star for all coefficients.

        Raises
        ------
        ValueError
            The model has no factors that errors have in common, see ``n_factors``.
        """
        self._check_fitted()
        X = self._open(X)
        words = self.reader_.find_words(requests, what="requests")
        values = self._known(X, inputs)
        shares = shares_of_errors(self, values, words)
        if shares is None:
            raise ValueError(
                "The errors of this model's answers have nothing in common. Fit one with "
                "read_by='block' and `n_factors` of some factors, such as 8."
            )
        parts = self._answer(values, words)[1][..., np.newaxis] * shares
        common, own = parts[..., :-1], parts[..., -1]
        return np.asarray(
            common @ common.swapaxes(1, 2)
            + own[..., np.newaxis] * np.eye(len(words)) * own[:, np.newaxis]
        )

    def transform(self, X: Any) -> np.ndarray:
        """Return stars as vectors: the mean over what the encoder makes of each quantity.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            Stars, whose own labels are not looked at.

        Returns
        -------
        ndarray of shape (n_stars, embedding_dim), float32
            NaN for a star of which nothing is known.
        """
        self._check_fitted()
        return self._run().embed(self._without_labels(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the vectors' components, ``vector0`` and so on."""
        self._check_fitted()
        return np.array([f"vector{i}" for i in range(self.embedding_dim)], dtype=object)

    def attention(
        self, X: Any, requests: str | Sequence[str], *, inputs: str | Sequence[str] | None = None
    ) -> np.ndarray:
        """Return the attention of each request to each known quantity.

        Parameters
        ----------
        X, requests, inputs
            The same as in `request`.

        Returns
        -------
        ndarray of shape (n_stars, n_requests, n_tokens), float32
            Cross-attention of the last decoder block, averaged over its heads, in the order of
            `vocabulary_`; NaN where a quantity is not known. The sum over the known ones is at
            most one: the rest is what the request would look at without any.
        """
        self._check_fitted()
        positions = self.reader_.find_words(requests, what="requests")
        return self._run().attention(self._known(X, inputs), positions)

    @property
    def trained_tokens(self) -> tuple[str, ...]:
        """Names of the quantities that can be told and asked."""
        self._check_fitted()
        return self.reader_.trained_tokens

    @property
    def words(self) -> Table:
        """Words of the vocabulary, a row each, with what the model knows of them.

        Columns ``name``, ``unit`` and ``block``; ``can_be_told`` and ``can_be_asked``, which only
        words can that training had; ``n_stars``, the number of its stars that had the word, and
        ``low`` and ``high``, its range there, beyond which a star is flagged;
        ``typical_error``, the NMAD of answers about stars held back to calibrate errors, told what
        training shows of a star, at the word's median; and ``description``. Without such stars
        there is no typical error, and of a model that was saved before they were noted no numbers
        and ranges.
        """
        self._check_fitted()
        return list_words(self.reader_, self._coverage, getattr(self, "error_calibration_", None))

    @property
    def xp_columns(self) -> tuple[str, ...]:
        """Names of the XP coefficients that can be told and asked."""
        return tuple(
            name for name in self.trained_tokens if self.vocabulary_[name].recipe == "over_g_flux"
        )

    def _request(
        self, X: Any, requests: str | Sequence[str], inputs: str | Sequence[str] | None
    ) -> StarTable:
        """Return what `request` does, without a warning of requests that are told."""
        self._check_fitted()
        X = self._open(X)
        asked, identifiers = self.reader_.ask(requests, X), source_ids_of(X)
        stars, is_invalid = self.reader_.read(X)
        values = self._of_inputs(stars[:, 0], inputs)
        tokens = asked.tokens if self._coverage is None else self._coverage.with_teff(asked.tokens)
        answers = self._answer(values, tokens)
        scaled = self.reader_.scaled(tokens, answers[0])
        flags = request_flags(values, tokens, scaled, is_invalid, self._coverage, self._outliers)
        medians, errors, bounds = asked.answers(*answers)
        table = request_table(
            asked.names,
            medians,
            errors,
            units=asked.units,
            bounds=bounds,
            identifiers=identifiers,
            flags=flags.of_stars,
            request_flags=asked.of_tokens(flags.of_answers),
        )
        return self._signed(table, X)

    def _known(self, X: Any, inputs: str | Sequence[str] | None) -> np.ndarray:
        """Return the scaled values of what is to be taken from stars, NaN where unknown."""
        return self._of_inputs(self.reader_.transform(self._open(X))[:, 0], inputs)

    def _of_inputs(self, values: np.ndarray, inputs: str | Sequence[str] | None) -> np.ndarray:
        """Return scaled values of the chosen inputs alone."""
        if inputs is not None:
            positions = self.reader_.find_words(inputs, what="inputs")
            values[:, ~np.isin(np.arange(values.shape[1]), positions)] = np.nan
        return values

    def _without_labels(self, X: Any) -> np.ndarray:
        values = self.reader_.transform(self._open(X))[:, 0]
        values[:, self.vocabulary_.index(self.labels_)] = np.nan
        return values

    def _answer(
        self, values: np.ndarray, positions: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what `TokenReader.inverse_transform` does of tokens."""
        answers = self._predict_words(values, positions)
        return self.reader_.inverse_transform(positions, *answers)

    def _compared(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return known and predicted labels of stars, each (n_stars, n_labels)."""
        predicted, source = self.predict(X), X if y is None else y
        if column_names(source) is None:
            truth = collect_labels(X, y, self.labels_, invalid=self.invalid).values
        else:
            truth, _ = self.reader_.read_labels(source, self.labels_)
        return truth, predicted.reshape(truth.shape)

    @property
    def _coverage(self) -> TokenCoverage | None:
        """Coverage of the training, None of a model that was saved before it was noted."""
        return getattr(self, "coverage_", None)

    @property
    def _outliers(self) -> TokenOutliers | None:
        """Stars of the training, None of a model that was saved before they were kept."""
        return getattr(self, "outliers_", None)

    def _predict_words(
        self, values: np.ndarray, positions: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return scaled answers and their standard errors, each (n_stars, n_requests)."""
        return predict_words(self, values, positions)

    def _draw(self, joint: bool) -> Callable[..., np.ndarray]:
        """Return the function that draws answers."""
        if not joint:
            return draw_apart
        if self.read_by == "block" and self.n_factors:
            return partial(draw_in_common, partial(shares_of_errors, self))
        return draw_jointly

    def _run(self) -> BlockInference | TokenInference:
        return self._inference(inference_of(self.module_))

    def _build_module(self) -> BlockTransformer | StellarTransformer:
        return build_generalist(self)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if not isinstance(self.vocabulary, Vocabulary | None):
            raise TypeError(
                "`vocabulary` must be a Vocabulary or None, got "
                f"{type(self.vocabulary).__name__}. Make one with vocabulary_of(schema)."
            )
        if isinstance(self.labels, str | Mapping):
            raise ValueError(f"`labels` must be a sequence of names, got {self.labels!r}.")
        bounds = np.ravel(self.n_inputs)
        if len(bounds) != 2 or not 0 <= bounds[0] <= bounds[1] or bounds[1] < 1:
            raise ValueError(
                "`n_inputs` must be a fewest and a most number of inputs, in this order, got "
                f"{self.n_inputs}."
            )
        told = self.block_dropout
        chances = told.values() if isinstance(told, Mapping) else [told]
        if not all(0 <= chance <= 1 for chance in chances):
            raise ValueError(f"`block_dropout` must be between 0 and 1, got {told}.")
        check_blocks("encoder", self.encoder_heads, self.encoder_widths, self.embedding_dim)
        check_blocks("decoder", self.decoder_heads, self.decoder_widths, self.embedding_dim)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
