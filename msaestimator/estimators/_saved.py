"""The base of every estimator: presets, training, saving and loading, similar stars."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from astropy.table import Table
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from msaestimator.estimators._after_fit import check_unchanged, describe
from msaestimator.estimators._model_card import write_card
from msaestimator.estimators._parameters import TrainingParameters, fitted
from msaestimator.estimators._presets import get_preset
from msaestimator.estimators._similar_stars import find_similar
from msaestimator.estimators._valid_ranges import valid_ranges
from msaestimator.results import provenance
from msaestimator.saving import Origin, fingerprint, load_estimator, save_estimator
from msaestimator.schema import StarTable
from msaestimator.tables import expand_home
from msaestimator.training import (
    MaskedNet,
    ParameterGroup,
    RunIdentity,
    StarsInMemory,
    StarsOnDisk,
    TrainingPlan,
    check_speed,
    resolve_device,
    train,
)

__all__ = ["SavedEstimator"]


@dataclass(eq=False, repr=False, kw_only=True)
class SavedEstimator(TrainingParameters, BaseEstimator):
    """Base of the estimators, whose fitted network is ``module_``.

    Subclasses declare their parameters as fields of a dataclass, and make the untrained network
    that these and the stars ask for in ``_build_module``.

    Parameters
    ----------
    max_epochs, batch_size, optimizer, lr, lr_schedule, weight_decay, gradient_clip, \
early_stopping, validation_fraction, n_iter_no_change, callbacks, checkpoint, warm_start, \
aliases, inference_batch_size, device, precision, random_state, verbose
        The same as in `MaskedStellarAutoencoder`.

    Attributes
    ----------
    module_ : nn.Module
        The fitted network.
    reader_ : StarReader or TokenReader
        Reader of stars into what the network takes.
    net_ : MaskedNet
        The skorch net that trained it.
    n_stars_ : int
        Number of stars that it was trained on.
    """

    module_: nn.Module = fitted()
    reader_: Any = fitted()
    net_: MaskedNet = fitted()
    n_stars_: int = fitted()

    _origin: Origin | None = fitted()
    _fingerprint: str | None = fitted()
    _of_fit: Any = fitted()

    saved_as: ClassVar[str]
    """Name of the class in files. A class without one of its own is saved by its name."""
    saved_parts: ClassVar[Mapping[str, type]] = {}
    """Estimators that a saved one may hold, by their names in files."""
    saved_within: ClassVar[Sequence[str]] = ()
    """Names in files of estimators that hold one of the class as their encoder."""

    @classmethod
    def from_preset(cls, name: str, **changes: Any) -> Self:
        """Return an unfitted estimator with the settings of that name.

        Parameters
        ----------
        name : str
            ``"default"``, the library's settings; or the paper that the model is from:
            ``"mckay2025"`` of autoencoder and regressor, ``"zhang2026"`` of the generalist.
        **changes
            Parameters to set otherwise.
        """
        return cls(**(get_preset(name, cls.__name__) | changes))

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, device: str | None = None) -> Self:
        """Return a fitted estimator: a released one, or one that `save_pretrained` wrote.

        Parameters
        ----------
        folder : str or Path
            Name of a model that ships with the package: ``"gaia-xp"``, which holds a regressor,
            its autoencoder, and a generalist, or ``"gaia-xp-fast"``, a regressor for many stars
            that learned from it; or a folder with ``config.json`` and
            ``model.safetensors``. A released model's name goes before a folder of that name,
            which ``Path("gaia-xp")`` or ``"./gaia-xp"`` tells. Nothing in a folder is
            executed.
        device : str, optional
            Device that computes, in place of the one that was saved; "auto" takes CUDA where
            there is one.

        Raises
        ------
        CheckpointError
            A name is unknown; a file is absent, truncated or altered, or holds another kind of
            estimator.
        ValueError
            The device is unknown, or not there.

        Notes
        -----
        An autoencoder comes out of the folder of a regressor too, as it was fine-tuned.
        """
        if device is not None:
            resolve_device(device)
        estimator = load_estimator(cls, folder)
        if device is not None:
            for part in (estimator, getattr(estimator, "encoder_", estimator)):
                part.set_params(device=device)
        return estimator

    def save_pretrained(self, folder: str | Path, dtype: str = "float32") -> None:
        """Write the fitted estimator to a folder: ``config.json`` and ``model.safetensors``.

        Its card, which people read, is ``MODEL_CARD.md``.

        Parameters
        ----------
        folder : str or Path
            Folder to write, made if it is not there. Each file is replaced whole.
        dtype : {"float32", "float16", "bfloat16"}
            Type of the network's weights in the file. The latter two halve it and round the
            weights, to 11 and 8 bits; they are loaded as float32 again. All else is kept exactly.

        Raises
        ------
        ValueError
            A weight is too large for ``dtype``.
        """
        self._check_fitted()
        save_estimator(self, expand_home(folder), dtype)

    @property
    def card(self) -> str:
        """Text of the model's card: what it answers from what, and where it is valid.

        That of a released model, or of a folder, is as it is there; any other is written from
        what the fitted model knows of itself.
        """
        self._check_fitted()
        return self._told.card or write_card(self, self._told.name)

    @property
    def valid_ranges(self) -> Table:
        """Ranges of inputs and labels in which the model is valid, and the flag beyond each.

        They are the numbers that flags of answers go by, see
        :class:`~msaestimator.results.PredictionFlag`, in columns
        ``quantity``, ``unit``, ``low``, ``high`` and ``flag``; infinite where there is no end.
        """
        self._check_fitted()
        return valid_ranges(self)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that tell the model from any other, saved and loaded or not.

        They follow from its weights and settings, but not from those that leave its answers as
        they are, such as the device.
        """
        self._check_fitted()
        known = getattr(self, "_fingerprint", None) or fingerprint(self)
        self._fingerprint = known
        return known

    @property
    def label_scale(self) -> str | None:
        """Survey, or release of one, on whose scale the labels are; None where nobody told it."""
        offsets = getattr(self, "survey_offsets_", None)
        return self._told.label_scale if offsets is None else str(offsets.reference_)

    def find_similar(
        self, X: Any, k: int = 10, *, among: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the stars that are most like each star.

        Parameters
        ----------
        X : table of n_stars stars, or array of shape (n_stars, n_features)
        k : int
            Number of stars to find for each star.
        among : table or array, optional
            The stars to search. None searches ``X`` itself, and finds no star itself.

        Returns
        -------
        distances : ndarray of shape (n_stars, k)
            Increasing distances: Euclidean, between latent vectors whose components are scaled to
            unit variance over the stars searched. NaN for a star without any feature.
        indices : ndarray of int of shape (n_stars, k)
            Rows of ``among``; -1 for a star without any feature. Such a star is never found.

        Raises
        ------
        ValueError
            There are fewer than ``k`` stars to find.
        """
        self._check_fitted()
        encoder: Any = getattr(self, "encoder_", self)
        searched = None if among is None else encoder.transform(among)
        return find_similar(encoder.transform(X), k, among=searched)

    def _train(
        self,
        title: str,
        criterion: nn.Module,
        mask: Callable[..., Any],
        groups: Sequence[ParameterGroup],
        stars: StarsInMemory | StarsOnDisk,
        *,
        start: Sequence[np.ndarray] = (),
    ) -> None:
        """Train ``module_`` on stars; sets ``net_``.

        ``start`` are weights that training starts from when they are not drawn afresh.
        """
        self.n_stars_ = len(stars)
        if self.max_epochs == 0:
            self._adopt(self.module_)
            return
        self.net_ = train(
            self.module_,
            criterion,
            mask,
            self._plan(title, groups),
            stars,
            validation_fraction=self.validation_fraction if self.early_stopping else None,
            run=self._run_identity(stars, start),
        )
        self._adopt(self.net_.module_)

    def _run_identity(
        self, stars: StarsInMemory | StarsOnDisk, start: Sequence[np.ndarray]
    ) -> RunIdentity:
        """Return what tells whether a checkpoint belongs to a training; nothing without one."""
        if self.checkpoint is None:
            return RunIdentity()
        data = {**stars.identity, "network's first weights": start}
        return RunIdentity.of(self._run_parameters(), data)

    def _plan(self, title: str, groups: Sequence[ParameterGroup]) -> TrainingPlan:
        device = resolve_device(self.device)
        check_speed(device, self.precision)
        return TrainingPlan(
            title=title,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
            groups=groups,
            gradient_clip=self.gradient_clip,
            patience=self.n_iter_no_change if self.early_stopping else None,
            device=device,
            precision=self.precision,
            verbose=self.verbose,
            checkpoint=self.checkpoint,
            callbacks=self.callbacks or (),
        )

    def _inference(self, kind: Any) -> Any:
        """Return what runs the fitted network over stars, of a kind such as `StarInference`."""
        # It may have been set after fit.
        self._check_rules("inference_batch_size")
        device = resolve_device(self.device)
        check_speed(device, self.precision)
        return kind(
            self.module_,
            batch_size=self.inference_batch_size,
            device=device,
            precision=self.precision,
        )

    def _adopt(self, module: nn.Module) -> None:
        """Take a trained network as the fitted one."""
        self.module_ = module.eval()
        self._of_fit = describe(self._fit_parameters())
        self._origin = self._fingerprint = None

    def _remember(self, origin: Origin) -> None:
        """Note where the estimator was loaded from."""
        self._origin = origin

    @property
    def _told(self) -> Origin:
        """Name and card from where the estimator was loaded; of a new one, its class."""
        return getattr(self, "_origin", None) or Origin(type(self).__name__)

    def _signed(self, answers: StarTable, stars: Any) -> StarTable:
        """Return answers about stars with where they are from in their ``meta``."""
        corrected = getattr(self, "recalibration_", None) is not None
        name = f"{self._told.name}, recalibrated" if corrected else self._told.name
        answers.meta |= provenance(name, self.fingerprint, self.label_scale, stars)
        return answers

    def _open(self, X: Any) -> Any:
        """Return a container of stars by our names of its columns, and a matrix as it is."""
        self._check_fitted()
        return self.reader_.open(X, aliases=self.aliases)

    def _check_fitted(self, *besides: str) -> None:
        """Refuse to ask a model that is not fitted, or not with the parameters it has now.

        ``besides`` are names of parameters that may change.
        """
        check_is_fitted(self, "module_")
        check_unchanged(getattr(self, "_of_fit", {}), describe(self._fit_parameters()), besides)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "module_")
