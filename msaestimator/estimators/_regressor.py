"""Stellar parameters with intervals, from a pre-trained autoencoder and a quantile head."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_consistent_length
from torch import nn

from msaestimator.estimators._autoencoder import MaskedStellarAutoencoder
from msaestimator.uncertainty._conformal import check_levels
from msaestimator.uncertainty._label_coverage import LabelDomains
from msaestimator.preprocessing._measured_errors import known_errors
from msaestimator.preprocessing._label_set import (
    LabelSet,
    check_known,
    collect_labels,
    weights_of_labels,
)
from msaestimator.estimators._surveying import SurveyedEstimator
from msaestimator.networks import (
    GroupMask,
    IndependentRegressors,
    NoisyMask,
    QuantileHead,
    QuantileRegressor,
)
from msaestimator.preprocessing import LabelScaler
from msaestimator.training import (
    EnsembleObjective,
    ParameterGroup,
    PredictionObjective,
    TrainingPlan,
    resolve_device,
    seeded,
)

__all__ = ["StellarParameterRegressor"]

SHARED_WITH_ENCODER = (
    "fitted_on_table_",
    "preprocessor_",
    "is_observed_",
    "feature_names_",
    "feature_range_",
    "n_features_in_",
    "feature_names_in_",
)
"""How stars become features is learned once, by the autoencoder."""
# DIFF(mckay2025): the author's code learns another scaling on the fine-tuning stars, and so
# hands the pre-trained weights inputs they were not trained on.


class StellarParameterRegressor(SurveyedEstimator):
    """Predict stellar parameters with intervals, even from stars that miss features.

    A head that predicts quantiles is put on the latent space of a
    `MaskedStellarAutoencoder`, and both are fine-tuned end to end, with features still
    hidden at random and their reconstruction as a second task.

    Parameters
    ----------
    encoder : MaskedStellarAutoencoder, optional
        Fitted: it is the start, and is itself left unchanged. Not fitted: it is pre-trained
        on the same stars first. None: an untrained network of the default size.
    labels : sequence of str, mapping of str to unit, or None
        Names of the stellar parameters, and the units to predict them in (the schema's if
        none are given). None takes every column of ``y`` but errors, or those of the table that
        are stellar parameters (``teff``, ``logg``, ``fe_h``, ``alpha_m``, …).
    log_labels : "auto" or sequence of str
        Labels learned as log10; "auto" takes Teff, age, mass and parallax.
    quantiles : sequence of float
        An odd number of levels in increasing order, 0.5 in the middle.
    head_widths : sequence of int
        Hidden layers of the head.
    dropout : float
        In the head.
    n_members : int
        Members of an ensemble, whose quantiles are combined.
    ensemble : {"shared", "independent"}
        Members are heads with weights of their own on one autoencoder, evaluated together; or
        whole networks, as in the thesis, at so many times the cost.
    mask_ratio, xp_mask_ratio : float
        Probability that a feature, or all XP coefficients together, are hidden from a star.
    block_mask_ratio : float
        Probability that the columns of a survey, or the coefficients of BP or of RP, are hidden
        together.
    span_mask_ratio : float
        Probability that a run of orders, or any XP coefficients, are hidden.
    resample_noise : bool
        Add noise to the features of each star, a random fraction of their measurement errors drawn
        anew in every epoch, so that the network cannot learn the noise they came with. Needs a
        table with columns of errors.
    label_weights : mapping of str to float, optional
        How much labels count in the loss (thesis equation 3.2); those not named count 1.
    width_power : float
        A star's label counts as the inverse of its predicted interval's width to this power, from
        0 to 1, so that labels which can be told well count more than those which cannot.
    prediction_weight, reconstruction_weight : float
        Weights of the two losses (lambda 1 and lambda 2 of thesis equation 3.3). With a zero for
        the second nothing is reconstructed, which takes half the time.
    reference_survey : str or int, optional
        The survey whose labels are taken as they are, when ``fit`` is told of several; None is
        the one with most stars.
    max_epochs, batch_size : int
        Length of the fine-tuning, and stars a step.
    optimizer : {"adamw", "muon"}
        Muon makes the steps of weight matrices orthogonal, which takes longer and learns more.
    lr, encoder_lr : float
        First learning rates of head and autoencoder.
    lr_schedule, encoder_lr_schedule : {"cosine", "cosine_plateau", "exponential", "halving", \
"constant"}
        How they fall over the epochs.
    average_from : float
        Fraction of the epochs after which the weights of every step are averaged, for the mean
        to be kept; 1 keeps the last. Best with the schedule "cosine_plateau".
    weight_decay, encoder_weight_decay : float
        Of their weights.
    gradient_clip : float, optional
        Largest norm of the gradient.
    calibration_fraction : float
        Stars with labels that are held back from training, on which the intervals are
        calibrated; 0 for none. They are drawn by ``random_state``, so give an integer with
        ``warm_start``. None are held back if that makes fewer than 50 for every label.
    early_stopping, validation_fraction, n_iter_no_change, callbacks, checkpoint, warm_start, \
inference_batch_size, device, precision, random_state, verbose
        As in `MaskedStellarAutoencoder`.

    Attributes
    ----------
    encoder_ : MaskedStellarAutoencoder
        The autoencoder as fine-tuned.
    labels_ : tuple of str
        Names of the labels.
    units_ : dict of str to str
        Their units.
    label_domains_ : LabelDomains
        Where in Teff each label is known, and its spread; see ``flags`` of `predict_table`.
    survey_offsets_ : SurveyOffsets or None
        How the labels of surveys differ, if ``fit`` was told of them.
    calibrator_ : QuantileCalibrator or None
        What was learned from the stars held back.
    novelty_, latent_novelties_
        What ordinary stars look like, and where their latent vectors lie; see `outlier_score`.
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
    >>> stars = load_apogee_xp()[:300]
    >>> reg = StellarParameterRegressor(labels=("teff", "logg"), max_epochs=2, random_state=0)
    >>> reg.fit(stars).predict(stars).shape
    (300, 2)
    >>> reg.predict_table(stars)["teff_lower"].unit
    Unit("K")
    """

    def __init__(
        self,
        encoder: MaskedStellarAutoencoder | None = None,
        *,
        labels: Sequence[str] | Mapping[str, str] | None = None,
        log_labels: str | Sequence[str] = "auto",
        quantiles: Sequence[float] = (0.16, 0.5, 0.84),
        head_widths: Sequence[int] = (128,),
        dropout: float = 0.0,
        n_members: int = 4,
        ensemble: str = "shared",
        mask_ratio: float = 0.02,
        xp_mask_ratio: float = 0.3,
        block_mask_ratio: float = 0.05,
        span_mask_ratio: float = 0.0,
        resample_noise: bool = False,
        label_weights: Mapping[str, float] | None = None,
        width_power: float = 0.0,
        prediction_weight: float = 0.8,
        reconstruction_weight: float = 0.05,
        reference_survey: str | int | None = None,
        max_epochs: int = 30,
        batch_size: int = 256,
        optimizer: str = "adamw",
        lr: float = 3e-3,
        lr_schedule: str = "cosine",
        encoder_lr: float = 3e-3,
        encoder_lr_schedule: str = "cosine",
        average_from: float = 1.0,
        weight_decay: float = 0.1,
        encoder_weight_decay: float = 0.1,
        gradient_clip: float | None = 1.0,
        calibration_fraction: float = 0.1,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        callbacks: list | None = None,
        checkpoint: Any = None,
        warm_start: bool = False,
        inference_batch_size: int = 1024,
        device: str = "auto",
        precision: str = "float32",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.encoder = encoder
        self.labels = labels
        self.log_labels = log_labels
        self.quantiles = quantiles
        self.head_widths = head_widths
        self.dropout = dropout
        self.n_members = n_members
        self.ensemble = ensemble
        self.mask_ratio = mask_ratio
        self.xp_mask_ratio = xp_mask_ratio
        self.block_mask_ratio = block_mask_ratio
        self.span_mask_ratio = span_mask_ratio
        self.resample_noise = resample_noise
        self.label_weights = label_weights
        self.width_power = width_power
        self.prediction_weight = prediction_weight
        self.reconstruction_weight = reconstruction_weight
        self.reference_survey = reference_survey
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.encoder_lr = encoder_lr
        self.encoder_lr_schedule = encoder_lr_schedule
        self.average_from = average_from
        self.weight_decay = weight_decay
        self.encoder_weight_decay = encoder_weight_decay
        self.gradient_clip = gradient_clip
        self.calibration_fraction = calibration_fraction
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

    def fit(self, X: Any, y: Any = None, survey: Any = None) -> Self:
        """Fine-tune on stars with known parameters.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
            Stars, or features that a pipeline has prepared.
        y : table, array of shape (n_stars,) or (n_stars, n_labels), or None
            The labels, NaN where unknown. None takes the columns ``labels`` of ``X``.
        survey : str, array-like of shape (n_stars,), or None
            The survey that each star's labels are from, a string or an integer; or the name of
            the column of ``X`` that tells it. Labels are brought to the scale of
            ``reference_survey``. None takes labels as they are.

        Returns
        -------
        self

        Raises
        ------
        ColumnError, UnitMismatchError
            What is wrong with stars or labels.
        ValueError
            What is wrong with a parameter.
        """
        self._check_parameters()
        labels = collect_labels(X, y, self.labels)
        check_consistent_length(X, labels.values)
        check_known(labels)
        surveys = self._read_surveys(X, survey, len(labels.values))
        again = self.warm_start and self.__sklearn_is_fitted__()
        if not again:
            self._start_from_encoder(X)
        features = self._enter(X, reset=False)
        self._learn_label_scale(labels, reset=not again)
        targets = self.label_scaler_.transform(labels.values).astype(np.float32)
        with seeded(self.random_state, resolve_device(self.device)):
            targets = self._on_reference_scale(features, targets, surveys, reset=not again)
            rows, held_back = self._split_for_calibration(features, labels)
            if not again:
                self.module_ = self._start_module()
            self._train(
                "fine-tuning",
                self._objective(),
                self._fine_tuning_mask(),
                self._parameter_groups(),
                self._with_errors(X, features)[rows],
                targets[rows],
                start=[t.cpu().numpy() for t in self.module_.autoencoder.state_dict().values()],
            )
        self.calibrator_ = None
        if len(held_back):
            self._calibrate(features[held_back], targets[held_back])
        self._learn_novelty(X, features, held_back)
        return self

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy that starts from the same encoder, fitted if this one is."""
        parameters = {
            name: clone(value, safe=False)
            for name, value in self.get_params(deep=False).items()
            if name != "encoder"
        }
        encoder = self.encoder
        if encoder is not None:
            # A pre-trained encoder is data: cloning it away would train it again in every
            # fold. It is never changed by fit; the copy keeps set_params from reaching it.
            fitted = hasattr(encoder, "module_")
            encoder = copy.copy(encoder) if fitted else clone(encoder)
        return type(self)(encoder, **parameters)

    def _start_from_encoder(self, X: Any) -> None:
        """Set ``encoder_``, pre-training it if need be, and take over its view of features."""
        if self.encoder is None:
            # An autoencoder of the default size that is not trained.
            encoder = MaskedStellarAutoencoder(max_epochs=0, device=self.device)
        else:
            encoder = self.encoder
        if hasattr(encoder, "module_"):
            self.encoder_ = copy.copy(encoder)
        else:
            encoder = clone(encoder)
            if encoder.random_state is None:
                encoder.set_params(random_state=self.random_state)
            self.encoder_ = encoder.fit(X)
        for name in SHARED_WITH_ENCODER:
            if hasattr(self.encoder_, name):
                setattr(self, name, getattr(self.encoder_, name))
            elif hasattr(self, name):
                delattr(self, name)

    def _learn_label_scale(self, labels: LabelSet, *, reset: bool) -> None:
        if not reset:
            if labels.names != self.labels_:
                raise ValueError(
                    f"With warm_start the labels must stay {self.labels_}, got {labels.names}."
                )
            return
        self.labels_ = labels.names
        self.units_ = labels.units
        self.one_dimensional_ = labels.one_dimensional
        self.label_scaler_ = LabelScaler(
            labels.names, log=self.log_labels, units=labels.units
        ).fit(labels.values)
        teff = labels.names.index("teff") if "teff" in labels.names else None
        self.label_domains_ = LabelDomains(teff).fit(self.label_scaler_.transform(labels.values))

    def _start_module(self) -> QuantileRegressor | IndependentRegressors:
        """Return the network to fine-tune, with the weights of the pre-training."""
        module = self._build_module()
        for member in getattr(module, "members", [module]):
            # Without pre-training each independent member has its own first weights.
            if self.encoder is not None:
                member.autoencoder.load_state_dict(self.encoder_.module_.state_dict())
        return module

    def _objective(self) -> PredictionObjective | EnsembleObjective:
        objective = PredictionObjective(
            self.quantiles,
            self.prediction_weight,
            self.reconstruction_weight,
            self.encoder_._objective(),
            weights_of_labels(self.label_weights, self.labels_),
            self.width_power,
        )
        return objective if self.ensemble == "shared" else EnsembleObjective(objective)

    def _fine_tuning_mask(self) -> GroupMask | NoisyMask:
        encoder = copy.copy(self.encoder_)
        mask = encoder.set_params(
            mask_ratio=self.mask_ratio,
            xp_mask_ratio=self.xp_mask_ratio,
            block_mask_ratio=self.block_mask_ratio,
            span_mask_ratio=self.span_mask_ratio,
        ).mask()
        return NoisyMask(mask) if self.resample_noise else mask

    def _with_errors(self, X: Any, features: np.ndarray) -> np.ndarray:
        """Return what the mask takes: features, and their errors if it adds noise."""
        if not self.resample_noise:
            return features
        if not self.fitted_on_table_ or self.encoder_.preprocessor is not None:
            raise ValueError(
                "`resample_noise` needs a table of stars with columns of errors, and the default "
                "preprocessor. Set resample_noise=False."
            )
        errors = known_errors(X, self._schema, self.preprocessor_)
        return np.concatenate([features, errors[:, self.is_observed_]], axis=1)

    def _parameter_groups(self) -> list[ParameterGroup]:
        return [
            ParameterGroup(
                "*autoencoder.*",
                self.encoder_lr,
                self.encoder_lr_schedule,
                self.encoder_weight_decay,
            ),
            ParameterGroup("*head.*", self.lr, self.lr_schedule, self.weight_decay),
        ]

    def _plan(self, title: str, groups: Sequence[ParameterGroup]) -> TrainingPlan:
        return replace(super()._plan(title, groups), average_from=self.average_from)

    def _build_module(self) -> QuantileRegressor | IndependentRegressors:
        if self.ensemble == "shared":
            return self._build_regressor(self.n_members)
        return IndependentRegressors([self._build_regressor(1) for _ in range(self.n_members)])

    def _build_regressor(self, n_members: int) -> QuantileRegressor:
        head = QuantileHead(
            self.encoder_.hidden_widths[-1],
            len(self.labels_),
            tuple(self.head_widths),
            n_quantiles=len(self.quantiles),
            n_members=n_members,
            dropout=self.dropout,
        )
        return QuantileRegressor(
            self.encoder_._build_module(), head, reconstructs=self.reconstruction_weight > 0
        )

    def _adopt(self, module: nn.Module) -> None:
        super()._adopt(module)
        self.encoder_._adopt(module.autoencoder)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_levels(self.quantiles)
        if self.average_from < 1 and self.early_stopping:
            raise ValueError(
                "`average_from` below 1 and `early_stopping` would both choose the weights to "
                "keep. Set one of them only."
            )
        if not isinstance(self.encoder, MaskedStellarAutoencoder | None):
            raise TypeError(
                "`encoder` must be a MaskedStellarAutoencoder or None, got "
                f"{type(self.encoder).__name__}."
            )
        if not 0 <= self.calibration_fraction < 1:
            raise ValueError(
                "`calibration_fraction` must be at least 0 and below 1, got "
                f"{self.calibration_fraction}."
            )
        if self.ensemble not in ("shared", "independent"):
            raise ValueError(
                f"`ensemble` must be 'shared' or 'independent', got {self.ensemble!r}."
            )
        if self.n_members < 1:
            raise ValueError(f"`n_members` must be at least 1, got {self.n_members}.")

    @classmethod
    def _saved_kinds(cls) -> dict[str, type]:
        return {MaskedStellarAutoencoder.__name__: MaskedStellarAutoencoder}
