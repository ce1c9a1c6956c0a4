"""Stellar parameters with intervals, from a pre-trained autoencoder and a quantile head."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_consistent_length

from msaestimator.archive import GaiaArchive
from msaestimator.datasets import StarDataset
from msaestimator.estimators._autoencoder import MaskedStellarAutoencoder
from msaestimator.estimators._epoch_draws import EpochDraws, epoch_draws
from msaestimator.estimators._fine_tuning import (
    check_encoder,
    check_reconstructs,
    clone_with_encoder,
    fine_tuning_groups,
    fitted_encoder,
    open_for_fit,
)
from msaestimator.estimators._gaia import fetch_stars, with_provenance
from msaestimator.estimators._held_stars import check_on_disk, held_stars
from msaestimator.estimators._masks import feature_mask
from msaestimator.estimators._parameters import (
    Rule,
    at_least,
    between,
    estimator_with,
    fitted,
    of_part,
    one_of,
    parameter,
    probabilities,
)
from msaestimator.estimators._regression_network import (
    build_regressor,
    prediction_objective,
    start_regressor,
)
from msaestimator.estimators._regressor_passes import (
    latent_and_members,
    latent_vectors,
    member_quantiles,
    star_flags,
)
from msaestimator.estimators._saved import SavedEstimator
from msaestimator.estimators._score_in_parts import mean_r2
from msaestimator.estimators._stars_to_predict import stars_to_predict
from msaestimator.estimators._teaching import (
    TaughtMask,
    check_teacher,
    first_weights,
    fitted_teacher,
    student_encoder,
    take_scale,
)
from msaestimator.estimators._training_stars import in_parts
from msaestimator.metrics import r2
from msaestimator.networks import IndependentRegressors, JointMask, NoisyMask, QuantileRegressor
from msaestimator.outliers import OutlierModel, stars_with_gaps, training_views
from msaestimator.preprocessing import (
    Features,
    check_any_star,
    check_known,
    collect_labels,
    counted_stars,
    known_errors,
    labels_at_hand,
)
from msaestimator.results import prediction_table, with_interval
from msaestimator.schema import StarTable
from msaestimator.surveys import (
    SurveyOffsets,
    offset_in_units,
    on_reference_scale,
    read_surveys,
)
from msaestimator.tables import source_ids_of
from msaestimator.training import (
    ParameterGroup,
    TrainingPlan,
    resolve_device,
    seeded,
)
from msaestimator.uncertainty import (
    IntervalModel,
    calibration_sample,
    check_levels,
    epistemic_share,
)

__all__ = ["StellarParameterRegressor"]

OUTLIER_DRAWS = 2
"""Draws of stars made fainter that tell, with the stars, what is ordinary."""


@dataclass(eq=False, repr=False, kw_only=True)
class StellarParameterRegressor(RegressorMixin, SavedEstimator):
    """Predict stellar parameters with intervals, even from stars that miss features.

    A head that predicts quantiles is put on the latent space of a
    `MaskedStellarAutoencoder`, and both are fine-tuned end to end, with features still
    hidden at random and their reconstruction as a second task.

    Parameters
    ----------
    encoder : MaskedStellarAutoencoder, str or Path, optional
        Autoencoder to start from. A fitted one is itself left unchanged; one that is not fitted is
        pre-trained on the same stars first; the name of a released model (``"gaia-xp"``) or a
        folder is that of ``MaskedStellarAutoencoder.from_pretrained``; None is an untrained
        network of the default size.
    teacher : StellarParameterRegressor, str or Path, optional
        Fitted regressor whose predictions are learned in place of labels: a smaller network is
        then about as good, and faster. In each batch the teacher is asked about just what is shown
        of the stars, hidden features and noise included, so that stars without labels teach as
        well. ``encoder`` tells the network's size, and must not be fitted; stars are read, and
        labels scaled, as the teacher does; ``labels`` and ``quantiles`` must be the teacher's, and
        ``width_power`` does not count. Known labels calibrate the intervals. A string or path is
        that of `from_pretrained`. The teacher is left unchanged, and is no part of a saved model.
    labels : sequence of str, mapping of str to unit, or None
        Names of the stellar parameters, and the units to predict them in (the schema's if
        none are given). None takes every column of ``y`` but errors, or those of the table that
        are stellar parameters (``teff``, ``logg``, ``fe_h``, ``alpha_m``, …).
    log_labels : "auto" or sequence of str
        Labels learned as log10; "auto" takes Teff, age, mass, parallax
        and distance.
    quantiles : sequence of float
        Levels of the predicted quantiles: an odd number in increasing order, 0.5 in the middle.
    head_widths : sequence of int
        Widths of the head's hidden layers.
    dropout : float
        Dropout after each hidden layer of the head.
    n_members : int
        Number of members of an ensemble, whose quantiles are combined.
    ensemble : {"shared", "independent"}
        Kind of the members: heads with weights of their own on one autoencoder, evaluated
        together; or whole networks, as in the thesis, at so many times the cost.
    mask_ratio, xp_mask_ratio : float
        Probability that a feature, or all XP coefficients together, are hidden from a star.
    block_mask_ratio : float, or mapping of str to float
        Probability that the columns of a survey, or the coefficients of BP or of RP, are hidden
        together; of each, or by the block's name.
    span_mask_ratio : float
        Probability that a run of orders, or any XP coefficients, are hidden.
    resample_noise : bool
        Whether noise is added to the features of each star, a random fraction of their measurement
        errors drawn anew in every epoch, so that the network cannot learn the noise they came
        with. It needs a table with columns of errors.
    make_fainter : float, optional
        The same as in `MaskedStellarAutoencoder`; stars made fainter also calibrate the intervals
        and tell which inputs are ordinary.
    sky_mix : bool
        Whether stars made fainter are weighed as :class:`~msaestimator.datasets.SkyMix` does, so
        that kinds of stars are as frequent at a brightness as on the sky. It needs the labels
        ``teff`` and ``logg``.
    resample_labels : sequence of str
        Labels that are drawn anew in every epoch, from normal distributions of their errors in
        columns such as ``mass_err``: those that are no measurements but posteriors, such as of
        isochrone matching, whose width the predicted intervals then have in them.
    label_weights : mapping of str to float, optional
        Weights of labels in the loss (thesis equation 3.2); a label that is not named has 1.
    width_power : float
        Power, from 0 to 1, of the predicted interval's width by whose inverse a star's label
        counts, so that labels which can be told well count more than those which cannot.
    prediction_weight, reconstruction_weight : float
        Weights of the two losses (lambda 1 and lambda 2 of thesis equation 3.3). With a zero for
        the second nothing is reconstructed, which takes half the time.
    reference_survey : str or int, optional
        The survey whose labels are taken as they are, when ``fit`` is told of several; None is
        the one with most stars.
    max_epochs, batch_size : int
        Length of the fine-tuning, and stars a step.
    optimizer : {"adamw", "muon"}
        Optimiser. Muon makes the steps of weight matrices orthogonal, which takes longer and
        learns more.
    lr, encoder_lr : float
        First learning rates of head and autoencoder.
    lr_schedule, encoder_lr_schedule : {"cosine", "cosine_plateau", "exponential", "halving", \
"constant"}
        Courses of these learning rates over the epochs.
    average_from : float
        Fraction of the epochs after which the weights of every step are averaged, for the mean
        to be kept; 1 keeps the last. Best with the schedule "cosine_plateau".
    weight_decay, encoder_weight_decay : float
        Decay of the head's and of the autoencoder's weights.
    gradient_clip : float, optional
        Largest norm of the gradient.
    calibration_fraction : float
        Fraction of the stars with labels that are held back from training, on which the intervals
        are calibrated; 0 for none. They are drawn by ``random_state``, so give an integer with
        ``warm_start``. None are held back if that makes fewer than 50 for every label, and a
        label that fewer than 50 know is not calibrated, which is a warning.
    calibrator : estimator, optional
        Calibration of the intervals, with the methods of
        :class:`~msaestimator.uncertainty.QuantileCalibrator`, which is what None takes.
    invalid : {"raise", "mask"}
        Treatment of labels that no star has, such as a log g of -999: an error that shows them, or
        taken as unknown with a warning.
    outlier_detector : estimator, optional
        Score of unusual stars, see `outlier_score`: ``fit(features)`` learns from
        :class:`~msaestimator.preprocessing.Features`, and ``score(features)`` returns minus log10
        of false-alarm rates. None takes :class:`~msaestimator.outliers.InputOutliers`, and for a
        matrix of features their density.
    early_stopping, validation_fraction, n_iter_no_change, callbacks, checkpoint, warm_start, \
aliases, inference_batch_size, device, precision, random_state, verbose
        The same as in `MaskedStellarAutoencoder`.

    Attributes
    ----------
    encoder_ : MaskedStellarAutoencoder
        The autoencoder as fine-tuned.
    labels_ : tuple of str
        Names of the labels.
    units_ : dict of str to str
        Units of the labels.
    intervals_ : IntervalModel
        Scale of the labels, where they are known, and the calibration.
    label_scaler_ : LabelScaler
        Scaler between labels and the network's predictions.
    label_domains_ : LabelCoverage
        Range of Teff in which each label is known, and its spread; see ``teff_flags`` and so on
        of `predict_table`.
    calibrator_ : estimator or None
        Calibration of the intervals, learned from the stars held back.
    recalibration_ : Recalibration or None
        Correction for a selection of stars, see `recalibrate`.
    outliers_ : OutlierModel
        Distributions of ordinary stars' inputs and of their latent vectors.
    novelty_, latent_novelties_
        The parts of ``outliers_``; see `outlier_score`.
    survey_offsets_ : SurveyOffsets or None
        Differences between the labels of surveys, if ``fit`` was told of them.
    reader_ : StarReader
        Reader of stars into features, as the autoencoder learned it.
    feature_names_, feature_range_, is_observed_, preprocessor_, n_features_in_, \
feature_names_in_
        The same as in `MaskedStellarAutoencoder`.
    module_ : QuantileRegressor
        The fitted network.
    net_ : MaskedNet
        The skorch net that trained it, with its ``history``.

    Notes
    -----
    A star needs no complete set of labels, nor any: unknown labels (NaN) do not count in the
    loss, and the star's features are reconstructed all the same. A star without any feature
    is left out of the training; its predictions are NaN and flagged.

    References
    ----------
    McKay (2025), *Extending the Reach of Gaia with Masked Stellar Autoencoders*, University of
    Victoria, section 3.1.3.

    Examples
    --------
    >>> from msaestimator.datasets import load_apogee_xp
    >>> stars = load_apogee_xp()[:600]
    >>> reg = StellarParameterRegressor(labels=("teff", "logg"), max_epochs=2, random_state=0)
    >>> reg.fit(stars).predict(stars).shape
    (600, 2)
    >>> reg.predict_table(stars)["teff_lower"].unit
    Unit("K")
    """

    encoder: MaskedStellarAutoencoder | str | Path | None = parameter(
        None, positional=True, of_run=False, of_fit=True
    )
    teacher: "StellarParameterRegressor | str | Path | None" = parameter(None, of_run=False)
    labels: Sequence[str] | Mapping[str, str] | None = parameter(None, of_fit=True)
    log_labels: str | Sequence[str] = parameter("auto", of_fit=True)
    quantiles: Sequence[float] = (0.16, 0.5, 0.84)
    head_widths: Sequence[int] = parameter((128,), of_fit=True)
    dropout: float = parameter(0.0, between(0, 1))
    n_members: int = parameter(4, at_least(1), of_fit=True)
    ensemble: str = parameter("shared", one_of("shared", "independent"), of_fit=True)
    mask_ratio: float = parameter(0.02, between(0, 1))
    xp_mask_ratio: float = parameter(0.3, between(0, 1))
    block_mask_ratio: float | Mapping[str, float] = parameter(0.05, probabilities())
    span_mask_ratio: float = parameter(0.0, between(0, 1))
    resample_noise: bool = False
    make_fainter: float | None = None
    sky_mix: bool = False
    resample_labels: Sequence[str] = ()
    label_weights: Mapping[str, float] | None = None
    width_power: float = parameter(0.0, between(0, 1))
    prediction_weight: float = 0.8
    reconstruction_weight: float = 0.05
    reference_survey: str | int | None = parameter(None, of_fit=True)
    max_epochs: int = 30
    lr: float = 3e-3
    encoder_lr: float = 3e-3
    encoder_lr_schedule: str = "cosine"
    average_from: float = parameter(1.0, between(0, 1))
    weight_decay: float = 0.1
    encoder_weight_decay: float = 0.1
    calibration_fraction: float = parameter(
        0.1, Rule("at least 0 and below 1", lambda value: 0 <= value < 1)
    )
    calibrator: BaseEstimator | None = parameter(
        None, estimator_with("fit", "predict"), of_run=False, of_fit=True
    )
    outlier_detector: BaseEstimator | None = parameter(
        None, estimator_with("fit", "score"), of_run=False, of_fit=True
    )
    invalid: str = parameter("raise", one_of("raise", "mask"), of_run=False)

    module_: QuantileRegressor | IndependentRegressors = fitted()
    encoder_: MaskedStellarAutoencoder = fitted()
    intervals_: IntervalModel = fitted()
    outliers_: OutlierModel = fitted()
    survey_offsets_: SurveyOffsets | None = fitted()

    saved_as: ClassVar[str] = "StellarParameterRegressor"
    saved_parts: ClassVar[Mapping[str, type]] = {
        MaskedStellarAutoencoder.saved_as: MaskedStellarAutoencoder
    }

    # DIFF(mckay2025): the author's code learns another scaling on the fine-tuning stars, and so
    # hands the pre-trained weights inputs they were not trained on.
    reader_ = of_part("encoder_.reader_", "How stars become features.")
    preprocessor_ = of_part("reader_.preprocessor_", "The fitted preprocessor.")
    feature_names_ = of_part("reader_.feature_names_", "Names of the features.")
    feature_range_ = of_part("reader_.feature_range_", "Least and largest value of each feature.")
    is_observed_ = of_part("reader_.is_observed_", "Which columns are features.")
    fitted_on_table_ = of_part("reader_.fitted_on_table_", "Whether `fit` saw a table.")
    n_features_in_ = of_part("reader_.n_features_in_", "Number of input columns.")
    feature_names_in_ = of_part("reader_.feature_names_in_", "Names of the input columns.")
    labels_ = of_part("intervals_.labels_", "Names of the labels.")
    units_ = of_part("intervals_.units_", "Units of the labels.")
    label_scaler_ = of_part("intervals_.label_scaler_", "Scaling of the labels.")
    label_domains_ = of_part("intervals_.label_coverage_", "Where each label is known.")
    calibrator_ = of_part("intervals_.calibrator_", "The fitted calibration, or None.")
    recalibration_ = of_part(
        "intervals_.recalibration_", "The correction for a selection, or None."
    )
    novelty_ = of_part("outliers_.detector_", "What ordinary stars look like.")
    latent_novelties_ = of_part("outliers_.latent_detectors_", "Where latent vectors lie.")

    @classmethod
    def from_preset(cls, name: str, **changes: Any) -> Self:
        """Return an unfitted regressor, with an unfitted encoder, of the settings of that name.

        Parameters
        ----------
        name : {"default", "mckay2025"}
            The library's settings, or those of the thesis.
        **changes
            Parameters of the regressor to set otherwise.
        """
        return super().from_preset(
            name, **{"encoder": MaskedStellarAutoencoder.from_preset(name)} | changes
        )

    def fit(self, X: Any, y: Any = None, survey: Any = None, sample_weight: Any = None) -> Self:
        """Fine-tune on stars with known parameters.

        Parameters
        ----------
        X : table of n_stars stars, array of shape (n_stars, n_features), or StarDataset
            Stars, or features that a pipeline has prepared. Those of a
            :class:`~msaestimator.datasets.StarDataset` are read from disk in every epoch, some
            100,000 at a time; 20,000 of them are held in memory, half of these with labels, for
            what else is learned: scales, offsets of surveys, calibration, outlier scores.
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            The labels, NaN where unknown. None takes the columns ``labels`` of ``X``, and has to
            be for stars on disk.
        survey : str, array-like of shape (n_stars,), or None
            The survey that each star's labels are from, a string or an integer; or the name of
            the column of ``X`` that tells it, as stars on disk need it. Labels are brought to the
            scale of ``reference_survey``. None takes labels as they are.
        sample_weight : array-like of shape (n_stars,), optional
            Weights of the stars in the losses, also of a pre-training, of any scale; a star of
            weight zero does not count at all. None weighs all alike, and has to be for stars on
            disk. Scales, calibration and outlier scores are of all stars that count, whatever
            their weight.

        Returns
        -------
        self

        Raises
        ------
        ColumnError, UnitMismatchError
            A column of stars or labels is absent, of another unit or unusable; the message says
            which.
        ValueError
            A parameter is outside its range; the message says which.

        Warns
        -----
        CalibrationWarning
            Fewer than 50 of the stars held back know a label: its intervals stay as the network
            predicts them.
        """
        self._check_parameters()
        check_on_disk(X, y=y, survey=survey)
        weights, X, y, survey = counted_stars(sample_weight, X, y, survey)
        held = held_stars(X, self.labels, aliases=self.aliases)
        stars = open_for_fit(self, held.stars)
        X = X if isinstance(X, StarDataset) else stars
        labels = collect_labels(stars, y, self.labels, invalid=self.invalid, aliases=self.aliases)
        check_consistent_length(stars, labels.values)
        check_known(labels)
        surveys = read_surveys(stars, survey, len(labels.values), self.reference_survey)
        again = self.warm_start and self.__sklearn_is_fitted__()
        teacher = fitted_teacher(self.teacher, StellarParameterRegressor, device=self.device)
        if again:
            self._check_fitted("labels")
            self.intervals_.check_same(labels, self.quantiles)
        elif teacher is not None:
            self.encoder_ = student_encoder(self.encoder, teacher)
        else:
            self.encoder_ = fitted_encoder(
                self.encoder,
                X,
                device=self.device,
                random_state=self.random_state,
                sample_weight=weights,
            )
        features = self.reader_.transform(stars)
        if not again:
            self.intervals_ = IntervalModel(self.quantiles, self.log_labels, self.calibrator).fit(
                labels
            )
            if teacher is not None:
                take_scale(self.intervals_, teacher)
        targets = self.label_scaler_.scaled(labels.values).astype(np.float32)
        with seeded(self.random_state, resolve_device(self.device)):
            self.survey_offsets_, targets = on_reference_scale(
                features.values,
                targets,
                surveys,
                SurveyOffsets(self.labels_, self.reference_survey, torch.initial_seed() % 2**32),
                before=self.survey_offsets_ if again else None,
            )
            rows, held_back = self.intervals_.split(
                self.calibration_fraction, features, labels, torch.initial_seed()
            )
            if not again:
                self.module_ = start_regressor(self)
            seed = torch.initial_seed() % 2**32
            draws = epoch_draws(self, (stars, y), features, labels, targets, weights, seed)
            self._train(
                "fine-tuning",
                prediction_objective(self, taught=teacher is not None),
                self._mask() if teacher is None else TaughtMask(self._mask(), teacher),
                fine_tuning_groups(self),
                stars_to_predict(
                    self,
                    X,
                    held,
                    draws,
                    (rows, held_back),
                    survey=survey,
                    sample_weight=weights,
                ),
                start=first_weights(self.module_.autoencoder, teacher),
            )
        self.encoder_._measure(features)
        self._calibrate(draws.to_calibrate(held_back))
        self.outliers_ = self._learn_ordinary(features, held_back, draws)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the medians of stars' parameters.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        ndarray of shape (n_stars, n_labels), or (n_stars,) if ``y`` was one-dimensional
            Medians in the labels' units; NaN for a star without any feature.
        """
        medians = self.predict_quantiles(X)[..., len(self.quantiles) // 2]
        return medians[:, 0] if self.intervals_.one_dimensional_ else medians

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Return the quantiles of stars' parameters.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        ndarray of shape (n_stars, n_labels, n_quantiles)
            Increasing along the last axis, at the levels `quantiles`, in the labels' units,
            calibrated if the regressor is; NaN for a star without any feature. Other levels than
            those of ``fit`` are followed, as `predict_interval` does.
        """
        features = self._read(X)
        self.intervals_.check_follows(self.quantiles)
        return self.intervals_.quantiles(self._members(features), features, self.quantiles)

    def predict_interval(self, X: Any, level: float = 0.9) -> np.ndarray:
        """Return central intervals that hold the truth with a given probability.

        `predict_table` with this ``level`` gives them as a table with units.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
        level : float
            The probability, between 0 and 1.

        Returns
        -------
        ndarray of shape (n_stars, n_labels, 2)
            Lower and upper bounds, in the labels' units, with the median between them; NaN for
            a star without any feature. The truth is as often below as above, so the bounds need
            not be equally far from the median.

        Raises
        ------
        ValueError
            The level is not between 0 and 1, or ``quantiles`` is the median alone.
        """
        features = self._read(X)
        self.intervals_.check_level(level)
        return self.intervals_.interval(self._members(features), features, level)

    def predict_table(self, X: Any, level: float | None = None) -> StarTable:
        """Return stars' parameters with errors, intervals, units and flags.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
        level : float, optional
            Probability, between 0 and 1, that the intervals hold the truth. None has those of the
            0.16 and 0.84 quantiles, or of the outermost that are predicted.

        Returns
        -------
        StarTable of length n_stars
            ``source_id`` if ``X`` has it; of each label its median (``teff``); ``teff_err``, half
            the width of the central 68 % interval whatever ``level`` is; the interval,
            ``teff_lower`` to ``teff_upper``; with several members the parts ``teff_aleatoric``
            and ``teff_epistemic`` of the error; and ``teff_flags``, what concerns this label
            alone. Last ``flags``, what concerns the star. See
            :class:`~msaestimator.results.PredictionFlag` for the bits, and
            :func:`~msaestimator.results.usable` for which rows to use. Its ``meta`` says where it
            is from, see :func:`~msaestimator.results.provenance`.

        Raises
        ------
        ValueError
            The level is not between 0 and 1.
        """
        X = self._open(X)
        identifiers = source_ids_of(X)
        features = self.reader_.transform(X)
        self.intervals_.check_follows(self.quantiles)
        if level is not None:
            self.intervals_.check_level(level)
        latent, members = latent_and_members(self, features)
        quantiles = self.intervals_.quantiles(members, features, self.quantiles)
        several = self.n_members > 1
        table = prediction_table(
            self.labels_,
            quantiles,
            self.quantiles,
            units=self.units_,
            identifiers=identifiers,
            flags=star_flags(self, features, latent),
            label_flags=self.intervals_.flags(quantiles, self.quantiles),
            epistemic_share=epistemic_share(members, self.intervals_.levels) if several else None,
        )
        if level is not None:
            bounds = self.intervals_.interval(members, features, level)
            table = with_interval(table, self.labels_, level, bounds)
        return self._signed(table, X)

    def predict_from_gaia(
        self, source_ids: Any, archive: GaiaArchive | None = None, *, dust_map: Any = "sfd"
    ) -> StarTable:
        """Return the parameters of stars that an archive describes.

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
        StarTable of length n_stars
            Columns of `predict_table`, one row an id, in order. Further, ``archive_flags``
            (:class:`~msaestimator.archive.ArchiveFlag`) and of each survey and XP band whether the
            star has any of it: ``has_bp``, ``has_rp``, ``has_tmass`` and so on.

        Raises
        ------
        ColumnError
            An id is a float, missing or otherwise no id; nothing was sent.
        ArchiveError
            The archive failed. What was received is in its cache.
        """
        self._check_fitted()
        self.reader_.check_takes_tables()
        dust_map = dust_map if self.reader_.uses("ebv") else None
        stars = fetch_stars(
            source_ids, archive, dust_map, self.reader_.schema_, aliases=self.aliases
        )
        predictions = self.predict_table(self.reader_.without_unseen(stars))
        return with_provenance(predictions, stars, self.reader_.schema_)

    def outlier_score(self, X: Any) -> np.ndarray:
        """Return how odd stars are, such as blends, emission-line stars and quasars.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        ndarray of shape (n_stars,)
            Minus log10 of the fraction of stars like those of ``fit`` that are at least as odd:
            2 for one in a hundred, and beyond the oddest of them a continuation. NaN for a
            star without colour or spectrum.

        Raises
        ------
        ValueError
            The model was fitted before there was a score, or on a single star with features.

        Notes
        -----
        Odd is a star whose spectrum and colours are seldom seen together among the stars of
        ``fit``, or whose spectrum does not give its own magnitudes. Neither depends on its
        brightness, and ``bp_coefficient_errors`` and ``rp_coefficient_errors`` tell how much of
        it noise explains; a star without them counts as noisy as those of ``fit`` are. A matrix
        of prepared features is taken as it is.
        """
        return self.outliers_.score(self._read(X))

    def reconstruct(self, X: Any) -> StarTable | np.ndarray:
        """Return the stars with missing features inferred, as the fine-tuned network does.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)

        Returns
        -------
        StarTable of length n_stars, or ndarray of the shape of ``X``
            The same as of `MaskedStellarAutoencoder.reconstruct`: each value, its error, and
            whether it is inferred.

        Raises
        ------
        ValueError
            ``reconstruction_weight`` was zero, so that the network has unlearned it.
        """
        self._check_fitted()
        check_reconstructs(self.reconstruction_weight)
        return self.encoder_.reconstruct(X)

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
        self._check_fitted()
        if isinstance(X, StarDataset):
            check_on_disk(X, y=y, sample_weight=sample_weight)
            return mean_r2(self._compared(part, None) for part in in_parts(X))
        X = self._open(X)
        check_any_star(X)
        return float(np.nanmean(r2(*self._compared(X, y), sample_weight)))

    def calibrate(self, X: Any, y: Any = None) -> Self:
        """Calibrate the intervals on stars that were not in ``fit``.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            Stars, at least 50 of them with a known label; a few hundred do better. Each counts as
            it is and, for stars with photometry only, without its XP coefficients.
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            The labels, NaN where unknown. None takes the columns ``labels_`` of ``X``.

        Returns
        -------
        self
            The model with a new ``calibrator_``, in place of the old one and of what
            `recalibrate` learned; medians are those of the network.

        Raises
        ------
        ValueError
            Too few labels are known, or ``quantiles`` is the median alone.

        Warns
        -----
        CalibrationWarning
            Fewer than 50 stars know one of the labels: its intervals stay as the network predicts
            them.
        """
        X = self._open(X)
        truth, features = self._truth(X, y), self._read(X)
        self._calibrate([(features, self._enough(features, truth, "calibrate"))])
        return self

    def recalibrate(self, X: Any, y: Any = None) -> Self:
        """Correct the quantiles for stars of one's own selection, starting from the calibration.

        Medians may be shifted and intervals widened or narrowed, as far as the stars bear it out:
        few of them change little. `calibrate` in contrast forgets the calibration and keeps the
        medians, for which it takes many stars.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            Stars of the selection, which were not in ``fit``: at least 50 with a known label, 200
            do well. Each counts as it is.
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            The labels, NaN where unknown; a table may lack some of ``labels_``, which stay as they
            were. None takes the columns of ``X`` of these names. Answers are then on their scale.

        Returns
        -------
        self
            The model itself, which is changed: keep a ``copy.deepcopy`` to ask both. Its
            ``recalibration_`` takes the place of one that there was, so that the same stars twice
            are the same as once. Tables of answers tell in their ``meta`` that it is recalibrated.

        Raises
        ------
        ValueError
            Too few labels are known, or ``quantiles`` is the median alone.

        Warns
        -----
        CalibrationWarning
            Some stars, but fewer than 50, know one of the labels, which stays as it was.
        """
        X = self._open(X)
        truth = labels_at_hand(X, y, self.units_, invalid=self.invalid, aliases=self.aliases)
        features = self._read(X)
        targets = self._enough(features, truth, "recalibrate")
        self._fingerprint = None
        self.intervals_.recalibrate(self._members(features), features, targets)
        return self

    def survey_offset(self, X: Any, survey: str | int) -> np.ndarray:
        """Return by how much a survey's labels of stars exceed those of the reference survey.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
        survey : str or int
            One of the surveys of ``fit``.

        Returns
        -------
        ndarray of shape (n_stars, n_labels)
            Offsets to be added to predictions, in the labels' units; zero for the reference
            survey, NaN for a star without any feature.

        Raises
        ------
        ValueError
            ``fit`` was given no surveys, or not this one.
        """
        medians = self.intervals_.medians(self._members(self._read(X)))
        return offset_in_units(self.survey_offsets_, survey, medians, self.label_scaler_)

    def _enough(self, features: Features, truth: np.ndarray, asked: str) -> np.ndarray:
        """Return the scaled labels of stars, which are enough for what is asked."""
        self.intervals_.check_intervals()
        check_consistent_length(features.values, truth)
        self.intervals_.check_enough(truth[features.is_observed], asked)
        return self.label_scaler_.scaled(truth)

    def _truth(self, X: Any, y: Any) -> np.ndarray:
        """Return the labels of stars, (n_stars, n_labels), in the model's units."""
        given = collect_labels(X, y, self.units_, invalid=self.invalid, aliases=self.aliases)
        return given.values

    def _compared(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return known and predicted labels of stars, each (n_stars, n_labels)."""
        predicted = self.predict(X)
        truth = self._truth(self._open(X), y)
        return truth, predicted.reshape(truth.shape)

    def _read(self, X: Any) -> Features:
        self._check_fitted()
        return self.reader_.transform(self._open(X))

    def _members(self, features: Features) -> np.ndarray:
        return member_quantiles(self, features)

    def _calibrate(self, draws: Sequence[tuple[Features, np.ndarray]]) -> None:
        """Calibrate on draws of stars with their scaled labels, if there are any stars."""
        self.intervals_.calibrator_ = self.intervals_.recalibration_ = None
        self._fingerprint = None
        if len(draws[0][0]):
            sample, truth, stars = calibration_sample(draws)
            self.intervals_.calibrate(self._members(sample), sample, truth, stars)

    def _mask(self) -> JointMask | NoisyMask:
        mask = self._feature_mask()
        return NoisyMask(mask) if self.resample_noise else mask

    def _feature_mask(self) -> JointMask:
        return feature_mask(
            self.reader_.columns,
            mask_ratio=self.mask_ratio,
            xp_mask_ratio=self.xp_mask_ratio,
            block_mask_ratio=self.block_mask_ratio,
            span_mask_ratio=self.span_mask_ratio,
            protected=self.encoder_.protected,
        )

    def _learn_ordinary(
        self, features: Features, held_back: np.ndarray, draws: EpochDraws
    ) -> OutlierModel:
        """Return what ordinary stars look like, at every brightness that training showed."""
        # The encoder that was given may have the same reader, and keeps its range.
        self.encoder_.reader_ = copy(self.reader_)
        copies = list(draws.copies(OUTLIER_DRAWS))
        for stars in copies:
            self.reader_.extend_range(stars)
        every = (features, *copies)
        lacking = [s for stars in every if copies for s in stars_with_gaps(stars[held_back])]
        seen, seen_lacking = (
            [(s, [latent_vectors(self, view) for view in training_views(s)]) for s in some]
            for some in (every, lacking)
        )
        outliers = OutlierModel(self.outlier_detector)
        return outliers.fit(*seen[0], held_back, seen[1:], seen_lacking)

    def _with_errors(self, features: Features, is_moved: np.ndarray | None = None) -> np.ndarray:
        """Return what the mask takes: features, and their errors if it adds noise.

        Stars that were moved have the noise of another measurement as it is.
        """
        if not self.resample_noise:
            return features.values
        if features.measured is None or self.encoder_.preprocessor is not None:
            raise ValueError(
                "`resample_noise` needs a table of stars with columns of errors, and the default "
                "preprocessor. Set resample_noise=False."
            )
        errors = known_errors(features.measured, self.preprocessor_)
        if is_moved is not None:
            errors[is_moved] = 0.0
        return np.concatenate([features.values, errors[:, self.is_observed_]], axis=1)

    def _plan(self, title: str, groups: Sequence[ParameterGroup]) -> TrainingPlan:
        return replace(super()._plan(title, groups), average_from=self.average_from)

    def _build_module(self) -> QuantileRegressor | IndependentRegressors:
        return build_regressor(self)

    def _adopt(self, module: Any) -> None:
        super()._adopt(module)
        self.encoder_._adopt(module.autoencoder)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_levels(self.quantiles)
        check_encoder(self.encoder)
        check_teacher(self.teacher, StellarParameterRegressor)
        if self.average_from < 1 and self.early_stopping:
            raise ValueError(
                "`average_from` below 1 and `early_stopping` would both choose the weights to "
                "keep. Set one of them only."
            )

    def __sklearn_clone__(self) -> Self:
        return clone_with_encoder(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags
