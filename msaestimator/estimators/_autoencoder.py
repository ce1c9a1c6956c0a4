"""The Masked Stellar Autoencoder behind the scikit-learn API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from msaestimator.archive import GaiaArchive
from msaestimator.estimators._gaia import fetch_training_stars
from msaestimator.estimators._masks import feature_mask
from msaestimator.estimators._parameters import (
    between,
    fitted,
    of_part,
    one_of,
    parameter,
    probabilities,
)
from msaestimator.estimators._reconstruction import measure_reconstruction
from msaestimator.estimators._saved import SavedEstimator
from msaestimator.estimators._star_inference import StarInference
from msaestimator.estimators._training_stars import (
    held_in_memory,
    in_parts,
    stars_to_reconstruct,
)
from msaestimator.networks import Contrasts, JointMask, MaskedAutoencoder, PseudoLuminosity
from msaestimator.preprocessing import (
    Features,
    StarReader,
    color_contrasts,
    counted_stars,
    errors_in_units,
    fill_missing,
    luminosity_input,
    tell_inferred,
    typical_errors,
    units_of_features,
)
from msaestimator.schema import FeatureSchema, StarTable, resolve_schema
from msaestimator.training import (
    MaskedNet,
    ParameterGroup,
    ReconstructionObjective,
    RunIdentity,
    StarsInMemory,
    StarsOnDisk,
    build_net,
    resolve_device,
    seeded,
)
from msaestimator.uncertainty import ReconstructionErrors

__all__ = ["MaskedStellarAutoencoder"]

SCORE_SEED = 20250102
"""Seed of the masks that `score` holds out, always the same ones."""

LEAST_ERROR = 0.01
"""Floor of a feature's error, in interquartile ranges: nothing is reconstructed better."""


@dataclass(eq=False, repr=False, kw_only=True)
class MaskedStellarAutoencoder(TransformerMixin, SavedEstimator):
    """Learn a latent space of stars, without labels, by reconstructing hidden features.

    Parameters
    ----------
    schema : FeatureSchema, optional
        The input columns; None is :data:`msaestimator.schema.GAIA_DR3`.
    preprocessor : transformer, optional
        Transformer of stars into scaled features. None is `StellarFeatures`, `XPCoefficientScaler`
        and `sklearn.preprocessing.RobustScaler` for a table, and `RobustScaler` for a matrix.
    colors : bool
        Whether the network is given colours of the magnitudes too, their principal components,
        and the pseudo-luminosity that parallax and G make. These need stars as tables, and a
        preprocessor that is linear in magnitudes and has an inverse.
    hidden_widths : tuple of int
        Widths of the encoder's residual blocks; the last is the latent dimension.
    d_embedding, n_frequencies : int
        Length of a feature's embedding, and number of its trainable frequencies.
    frequency_scale : float
        Standard deviation of the first frequencies.
    linear_term : bool
        Whether a feature's embedding depends on its value linearly, beside the waves.
    sentinel : float, optional
        Number that stands for missing values in the network's input. None learns an embedding
        instead.
    block : {"prenorm", "mckay2025"}
        The residual block: one that normalises its input only, or the thesis's.
    dropout : float
        Dropout inside the residual blocks.
    mask_ratio, xp_mask_ratio : float
        Probability that a feature, or all XP coefficients together, are hidden from a star.
    block_mask_ratio : float, or mapping of str to float
        Probability that the columns of a survey, or the coefficients of BP or of RP, are hidden
        together: one for all of these blocks, or a mapping of their names, ``"tmass"``, to their
        own, zero for others.
    span_mask_ratio : float
        Probability that a run of orders, or any XP coefficients, are hidden.
    protected : tuple of str, optional
        Columns never hidden; None takes those the schema protects (G, BP, RP, W1, W2).
    make_fainter : float, optional
        G in mag down to which stars are made fainter, drawn anew in every epoch by
        :func:`~msaestimator.datasets.draw_fainter`, so that the network knows faint stars too;
        the coefficients to reconstruct stay those of the star as it is. It needs a table. None
        takes stars as they are.
    loss : {"cauchy", "l1", "l2"}
        Loss of the reconstruction. The Cauchy loss, ``log(1 + (residual / error) ** 2) / 2``, is
        in units of each feature's median measurement error, as far as a table of stars tells it.
    loss_on : {"observed", "hidden"}
        Features that count in the loss: all that were observed, or only those hidden from the
        network.
    max_epochs, batch_size : int
        Length of the training, and stars a step. With 0 epochs the network stays untrained.
    optimizer : {"adamw", "muon"}
        Optimiser. Muon makes the steps of weight matrices orthogonal, which takes longer and
        learns more.
    lr, weight_decay : float
        First learning rate, and decay of the weights.
    lr_schedule : {"cosine", "exponential", "halving", "constant"}
        Course of the learning rate over the epochs.
    gradient_clip : float, optional
        Largest norm of the gradient.
    early_stopping : bool
        Whether to hold out stars, stop when their loss no longer falls, and keep the best weights.
    validation_fraction, n_iter_no_change : float, int
        Stars held out for early stopping, and epochs to wait for a better loss.
    callbacks : list of (str, skorch callback), optional
        Further callbacks of the skorch net.
    checkpoint : str or Path, optional
        A file to save the training to after every epoch. If it is there when ``fit`` is called
        on the same stars with the same parameters, training goes on from it, to more epochs too
        if ``max_epochs`` has grown. Of another training it is an error that names what differs.
    warm_start : bool
        Whether a further ``fit`` goes on from the fitted weights and scaling.
    aliases : bool
        Whether columns are known by other names too: in another case, as ESA's files have them, or
        as VizieR, GaiaXPy and the surveys call them (:data:`msaestimator.schema.ALIASES`). A
        warning says what was taken for what.
    inference_batch_size : int
        Stars at a time in `transform` and `reconstruct`.
    device : str
        Device that computes; "auto" takes CUDA where there is one.
    precision : {"float32", "bfloat16"}
        Number format of the network's computations.
    random_state : int, RandomState or None
        Seed of weights, masks, dropout and the order of stars.
    verbose : int
        Level of output: 0 is silent, 1 shows a progress bar.

    Attributes
    ----------
    module_ : MaskedAutoencoder
        The fitted network.
    net_ : MaskedNet
        The skorch net that trained it, with its ``history``.
    reader_ : StarReader
        Reader of stars into features.
    preprocessor_ : transformer
        The reader's fitted preprocessor.
    feature_names_ : tuple of str
        The features the network sees: those any star of ``fit`` had.
    feature_range_ : ndarray of shape (2, n_features)
        Least and largest value of each feature in ``fit``.
    is_observed_ : ndarray of bool of shape (n_columns,)
        Mask of the preprocessor's columns that are features.
    reconstruction_errors_ : ReconstructionErrors or None
        Errors that `reconstruct` expects of what it infers; None of a fit on a matrix.
    n_features_in_ : int
        Number of input columns.
    feature_names_in_ : ndarray of str of shape (n_features_in,)
        Names of the input columns, if these had any.

    Notes
    -----
    Masked, NaN, -9999 and absent values are missing. A star without any feature is left out
    of the training and has NaN in the results. Infinite values are an error.

    References
    ----------
    McKay (2025), *Extending the Reach of Gaia with Masked Stellar Autoencoders*, University of
    Victoria, chapter 3.

    Examples
    --------
    >>> from msaestimator.datasets import load_apogee_xp
    >>> stars = load_apogee_xp()[:200]
    >>> msa = MaskedStellarAutoencoder(max_epochs=2, random_state=0).fit(stars)
    >>> msa.transform(stars).shape
    (200, 128)
    >>> msa.reconstruct(stars)["bp_coefficients"].shape
    (200, 55)
    """

    schema: FeatureSchema | None = parameter(None, of_fit=True)
    preprocessor: BaseEstimator | None = parameter(None, of_fit=True)
    colors: bool = parameter(True, of_fit=True)
    # DIFF(mckay2025): the default network, rates and masks suit some ten thousand stars and two
    # cores; the thesis's suit 220 million stars and a GPU.
    hidden_widths: Sequence[int] = parameter((256, 256, 128), of_fit=True)
    d_embedding: int = parameter(8, of_fit=True)
    n_frequencies: int = parameter(8, of_fit=True)
    frequency_scale: float = 0.3
    linear_term: bool = parameter(True, of_fit=True)
    sentinel: float | None = parameter(None, of_fit=True)
    block: str = parameter("prenorm", one_of("prenorm", "mckay2025"), of_fit=True)
    dropout: float = parameter(0.0, between(0, 1))
    mask_ratio: float = parameter(0.1, between(0, 1))
    xp_mask_ratio: float = parameter(0.2, between(0, 1))
    block_mask_ratio: float | Mapping[str, float] = parameter(0.2, probabilities())
    span_mask_ratio: float = parameter(0.4, between(0, 1))
    protected: Sequence[str] | None = None
    make_fainter: float | None = None
    loss: str = parameter("cauchy", one_of("cauchy", "l1", "l2"))
    loss_on: str = parameter("observed", one_of("observed", "hidden"))

    module_: MaskedAutoencoder = fitted()
    reader_: StarReader = fitted()
    contrasts_: dict[str, np.ndarray] = fitted()
    luminosity_: dict[str, np.ndarray] = fitted()
    feature_error_: np.ndarray = fitted()
    reconstruction_errors_: ReconstructionErrors | None = fitted()
    n_partial_fits_: int = fitted()

    saved_as: ClassVar[str] = "MaskedStellarAutoencoder"
    saved_within: ClassVar[Sequence[str]] = ("StellarParameterRegressor",)

    preprocessor_ = of_part("reader_.preprocessor_", "The fitted preprocessor.")
    feature_names_ = of_part("reader_.feature_names_", "Names of the features.")
    feature_range_ = of_part("reader_.feature_range_", "Least and largest value of each feature.")
    is_observed_ = of_part("reader_.is_observed_", "Which columns are features.")
    fitted_on_table_ = of_part("reader_.fitted_on_table_", "Whether `fit` saw a table.")
    n_features_in_ = of_part("reader_.n_features_in_", "Number of input columns.")
    feature_names_in_ = of_part("reader_.feature_names_in_", "Names of the input columns.")

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn to reconstruct stars.

        Parameters
        ----------
        X : table of n_stars stars, array of shape (n_stars, n_features), or StarDataset
            Stars, or features that a pipeline has prepared. Those of a
            :class:`~msaestimator.datasets.StarDataset` are read from disk in every epoch, some
            100,000 at a time; scales, and the errors of what is inferred, are learned from 20,000
            of them.
        y : ignored
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
        DivergedError
            The loss is no longer a number; the message says where the ids of the stars are.
        """
        again = self.warm_start and self.__sklearn_is_fitted__()
        weights, X = counted_stars(sample_weight, X)
        features = self._read_training(X, reset=not again)
        self.n_partial_fits_ = 0
        with seeded(self.random_state, resolve_device(self.device)):
            start = [t.cpu().numpy() for t in self.module_.state_dict().values()] if again else ()
            if not again:
                self.module_ = self._build_module()
            self._train(
                "pre-training",
                self._objective(),
                self.mask(),
                [ParameterGroup("*", self.lr, self.lr_schedule, self.weight_decay)],
                self._stars(X, features, self.make_fainter, weights),
                start=start,
            )
        self._measure(features)
        return self

    def fit_from_gaia(
        self, source_ids: Any, archive: GaiaArchive | None = None, *, dust_map: Any = "sfd"
    ) -> Self:
        """Learn to reconstruct stars that an archive describes.

        Parameters
        ----------
        source_ids : int, str, array-like of shape (n_stars,), or table
            Gaia source ids, as integers or text; a table with the column ``source_id``; ADQL that
            selects it; or stars with features, such as an archive gave, taken as they are.
        archive : GaiaArchive, optional
            Archive to ask; None is ESA's.
        dust_map : str or callable
            Map of the reddening, as in :func:`msaestimator.dust.add_reddening`, for stars without
            a column ``ebv``.

        Returns
        -------
        self

        Warns
        -----
        ArchiveWarning
            Candidates for galaxies and quasars are left out (thesis section 2.2).

        Raises
        ------
        ColumnError
            An id is a float, missing or otherwise no id; nothing was sent.
        ArchiveError
            The archive failed. What was received is in its cache.
        """
        schema = resolve_schema(self.schema)
        dust_map = dust_map if "ebv" in schema else None
        stars = fetch_training_stars(source_ids, archive, dust_map, schema, aliases=self.aliases)
        return self.fit(stars)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Train one epoch on these stars, at a constant learning rate.

        The first call learns the scaling of features from its stars. Later calls keep it, and
        go on with the weights and the optimiser.

        Parameters
        ----------
        X : table of n_stars stars, array of shape (n_stars, n_features), or StarDataset
        y : ignored
        """
        first = not self.__sklearn_is_fitted__()
        features = self._read_training(X, reset=first)
        self.n_partial_fits_ = getattr(self, "n_partial_fits_", 0)
        with seeded(self.random_state, resolve_device(self.device), skip=self.n_partial_fits_):
            if first:
                self.module_ = self._build_module()
            stars = self._stars(X, features)
            if self.n_partial_fits_ == 0:
                self.net_ = self._net_of_single_epochs(len(stars))
            self.net_.partial_fit(stars)
        self._adopt(self.net_.module_)
        self._measure(features)
        self.n_partial_fits_ += 1
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the latent vectors of stars.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        ndarray of shape (n_stars, hidden_widths[-1]), float32
            NaN for a star without any feature.
        """
        features = self.reader_.transform(self._open(X))
        return self._inference(StarInference).map(
            self.module_.encode, features, (self.hidden_widths[-1],)
        )

    def reconstruct(self, X: Any) -> StarTable | np.ndarray:
        """Return the stars with missing features inferred.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        StarTable of length n_stars, or ndarray of the shape of ``X``
            Observed values are as they came, missing ones as the network infers them, NaN of a
            star without any feature. A table keeps its other columns, first, and columns that are
            not reconstructed (parallax, E(B-V), proper motions) or were missing from every star
            of ``fit``; it gets none of these. Behind each column that can be inferred are
            ``<name>_inferred``, true where it is, and ``<name>_err``: the error of the
            measurement as the table tells it, and of an inferred value the error that was found
            by hiding features of stars of ``fit`` of which as much was known; NaN if unknown.

        Notes
        -----
        The error of an inferred value tells how far off a measurement would be, with its noise:
        68 % of them are within, for stars like those of ``fit``. Models that an earlier version
        saved know no errors before `measure_reconstruction`.
        """
        features = self.reader_.transform(self._open(X))
        inferred = np.full(features.values.shape, np.nan, dtype=np.float32)
        inferred[:, features.columns.reconstructed] = self._reconstruct(features)
        # Coefficients are scaled by the star's own G, observed or inferred.
        scaled = np.where(np.isnan(features.values), inferred, features.values)
        filled = self.reader_.inverse_transform(scaled)
        if features.measured is not None:
            errors = errors_in_units(self.reader_, scaled, self._inferred_errors(features))
            names = [features.columns.base_names[i] for i in features.columns.reconstructed]
            table = fill_missing(features.measured, filled)
            return self._signed(tell_inferred(table, features.measured, errors, names), X)
        given = np.asarray(X, dtype=np.float64)
        return np.where(np.isnan(given), filled, given)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the mean error of reconstructing features held out by random masks.

        Parameters
        ----------
        X : table of n_stars stars, array of shape (n_stars, n_features), or StarDataset
            Stars, which are read from disk 10,000 at a time.
        y : ignored
        sample_weight : array-like of shape (n_stars,), optional
            Weights of the stars in the mean; None weighs all alike.

        Returns
        -------
        float
            Minus the mean of absolute errors, or squared ones for the loss "l2", on the features'
            scale (interquartile ranges); 0 is perfect. The same masks are drawn each time.
        """
        weights, X = counted_stars(sample_weight, X)
        with seeded(SCORE_SEED, torch.device("cpu")):
            sums = [self._sum_errors(part, weights) for part in in_parts(X)]
        total, n_compared = np.sum(sums, axis=0)
        return -float(total / n_compared) if n_compared else 0.0

    def measure_reconstruction(self, X: Any) -> Self:
        """Measure on stars how well features are inferred, for `reconstruct` to tell.

        ``fit`` does it on its own stars. This is for models that an earlier version saved, and for
        other kinds of stars.

        Parameters
        ----------
        X : table of n_stars stars

        Returns
        -------
        self
            The model with other ``reconstruction_errors_``.
        """
        self._measure(self.reader_.transform(self._open(X)))
        return self

    def mask(self) -> JointMask:
        """Return what draws the features to hide in training."""
        check_is_fitted(self, "reader_")
        return feature_mask(
            self.reader_.columns,
            mask_ratio=self.mask_ratio,
            xp_mask_ratio=self.xp_mask_ratio,
            block_mask_ratio=self.block_mask_ratio,
            span_mask_ratio=self.span_mask_ratio,
            protected=self.protected,
        )

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the latent dimensions, ``latent0`` and so on."""
        self._check_fitted()
        return np.array([f"latent{i}" for i in range(self.hidden_widths[-1])], dtype=object)

    def _read_training(self, X: Any, *, reset: bool) -> Features:
        """Return the features of the stars."""
        self._check_parameters()
        X = held_in_memory(X)
        if not reset:
            return self.reader_.transform(self._open(X))
        reader = StarReader(self.schema, self.preprocessor)
        features = reader.fit_transform(reader.open(X, aliases=self.aliases))
        self.reader_ = reader
        self.contrasts_ = self._make_contrasts(features)
        self.luminosity_ = self._make_luminosity(features)
        self.feature_error_ = self._typical_errors(features)
        return features

    def _stars(
        self,
        X: Any,
        features: Features,
        faintest: float | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> StarsInMemory | StarsOnDisk:
        """Return the stars to train on, of which ``features`` are those in memory."""
        return stars_to_reconstruct(
            X,
            features,
            self.reader_,
            faintest=faintest,
            seed=torch.initial_seed() % 2**32,
            aliases=self.aliases,
            sample_weight=sample_weight,
        )

    def _sum_errors(self, X: Any, weights: np.ndarray | None) -> tuple[float, float]:
        """Return the sum of the errors of features that are held out, and of their weights."""
        features = self.reader_.transform(self._open(X))
        rows = features.is_observed
        hidden = self.mask().draw(int(rows.sum())).numpy()
        errors = np.abs(self._residuals(features[rows], hidden)) ** self._power
        compared = np.isfinite(errors)
        of_star = np.ones(len(errors)) if weights is None else weights[rows]
        return (
            float(of_star @ np.where(compared, errors, 0.0).sum(axis=1)),
            float(of_star @ compared.sum(axis=1)),
        )

    def _make_contrasts(self, features: Features) -> dict[str, np.ndarray]:
        """Return weights and centers of the colours, if there are any."""
        if not self._takes_colors(features):
            return {}
        # DIFF(mckay2025): without its XP spectrum a star's parameters lie in differences of
        # magnitudes, which the network is slow to find.
        names, schema = features.columns.base_names, features.columns.schema
        units = units_of_features(self.preprocessor_, schema, len(self.is_observed_))
        return color_contrasts(names, schema, features.values, units)

    def _make_luminosity(self, features: Features) -> dict[str, np.ndarray]:
        """Return the settings of the pseudo-luminosity, if there is one."""
        if not self._takes_colors(features):
            return {}
        # DIFF(mckay2025): what a parallax says of a star is in its product with the brightness.
        names, schema = features.columns.base_names, features.columns.schema
        n_columns = len(self.is_observed_)
        return luminosity_input(names, schema, features.values, self.preprocessor_, n_columns)

    def _takes_colors(self, features: Features) -> bool:
        """Tell whether features are those of a table, and can be turned back into it."""
        invertible = hasattr(self.preprocessor_, "inverse_transform")
        return self.colors and features.measured is not None and invertible

    def _typical_errors(self, features: Features) -> np.ndarray:
        """Return each feature's median measurement error on its scale, with a floor."""
        floor = np.full(len(features.columns), LEAST_ERROR)
        # Only the default preprocessor is known to take matrices as it takes tables.
        if features.measured is None or self.preprocessor is not None:
            return floor
        errors = typical_errors(features.measured, self.preprocessor_)
        return np.hypot(errors[self.is_observed_], floor)

    def _reconstruct(self, features: Features) -> np.ndarray:
        """Return the reconstructed features, (n_stars, n_reconstructed)."""
        shape = (len(features.columns.reconstructed),)
        return self._inference(StarInference).map(self.module_, features, shape)

    def _residuals(self, features: Features, hidden: np.ndarray) -> np.ndarray:
        """Return by how much hidden features are reconstructed wrongly, NaN where none is told.

        ``hidden`` marks places of the features (n_stars, n_features); the residuals are those of
        the reconstructed columns, (n_stars, n_reconstructed) on the features' scale.
        """
        shown = np.where(hidden, np.float32(np.nan), features.values)
        # A star whose every feature is hidden has no output; nothing of it can be compared.
        output = self._reconstruct(Features(shown, features.columns))
        reconstructed = features.columns.reconstructed
        residuals = output.astype(np.float64) - features.values[:, reconstructed]
        return np.where(hidden[:, reconstructed], residuals, np.nan)

    def _measure(self, features: Features) -> None:
        self._fingerprint = None
        told = self.fitted_on_table_  # of a matrix none are asked for
        self.reconstruction_errors_ = (
            measure_reconstruction(features, self._residuals) if told else None
        )

    def _inferred_errors(self, features: Features) -> np.ndarray:
        """Return the errors of what is inferred, on the features' scale; zero of the rest."""
        errors = np.full(features.values.shape, np.nan)
        known = getattr(self, "reconstruction_errors_", None)
        if known is not None:
            errors[:, features.columns.reconstructed] = known.predict(features)
        return np.where(np.isnan(features.values), errors, 0.0)

    def _net_of_single_epochs(self, n_stars: int) -> MaskedNet:
        """Return a net that trains another epoch at each call, at a constant learning rate."""
        group = ParameterGroup("*", self.lr, "constant", self.weight_decay)
        plan = replace(self._plan("epoch", [group]), max_epochs=1, patience=None, checkpoint=None)
        return build_net(
            self.module_,
            self._objective(),
            self.mask(),
            plan,
            n_stars=n_stars,
            validation=None,
            run=RunIdentity(),
        )

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if len(self.hidden_widths) == 0 or min(self.hidden_widths) < 1:
            raise ValueError(
                f"`hidden_widths` must be one positive width or more, got {self.hidden_widths}."
            )

    @property
    def _power(self) -> int:
        return 2 if self.loss == "l2" else 1

    def _objective(self) -> ReconstructionObjective:
        reconstructed = self.reader_.columns.reconstructed
        # DIFF(mckay2025): most of an L1 loss is in what is easy, temperature and reddening.
        errors = self.feature_error_[reconstructed].tolist() if self.loss == "cauchy" else None
        return ReconstructionObjective(
            reconstructed, self._power, self.loss_on == "hidden", errors
        )

    def _build_module(self) -> MaskedAutoencoder:
        columns = self.reader_.columns
        # Models that an earlier version saved have none.
        luminosity = getattr(self, "luminosity_", {})
        return MaskedAutoencoder(
            len(columns),
            len(columns.reconstructed),
            tuple(self.hidden_widths),
            d_embedding=self.d_embedding,
            n_frequencies=self.n_frequencies,
            frequency_scale=self.frequency_scale,
            dropout=self.dropout,
            sentinel=self.sentinel,
            linear_term=self.linear_term,
            block=self.block,
            contrasts=Contrasts(**self.contrasts_) if self.contrasts_ else None,
            luminosity=PseudoLuminosity(**luminosity) if luminosity else None,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
