"""A star's look apart from its brightness: scaled spectrum, colours, their agreement."""

from typing import Self

import numpy as np
from scipy.optimize import nnls
from sklearn.base import BaseEstimator

from msaestimator.preprocessing import XPCoefficientScaler, with_arrays
from msaestimator.schema import G_BAND, FeatureSchema, g_flux

__all__ = ["BrightnessFreeView"]

COLOR_WEIGHT = 3.0
"""Weight of a colour: a few precise ones would drown among a hundred coefficients."""

NOISE_WEIGHT = 3.0
"""Weight of a coefficient's error, over the spread between stars, in letting it count less."""

BP_BAND, RP_BAND = "phot_bp_mean_mag", "phot_rp_mean_mag"

COLOR_FLOOR = 0.02
"""Least error in mag of a colour."""

MAG_IN_FLUX = 0.4 * np.log(10.0)
"""Relative flux of a magnitude, for small errors."""

AGREEMENT = 0.05
"""Relative flux beyond which a star's spectrum and magnitude disagree."""

RELATIVE_RANK = 1e-6

STARS_PER_COEFFICIENT = 3
"""Complete spectra needed to learn a passband."""


class BrightnessFreeView(BaseEstimator):
    """A star's look apart from its brightness.

    XP coefficients over the G flux, and magnitudes minus G: the input of the outlier score.

    Parameters
    ----------
    schema : FeatureSchema
        The columns of values and errors, G among them.

    Attributes
    ----------
    scaler_ : XPCoefficientScaler
        Scaler that divides coefficients by the G flux.
    is_xp_, is_color_ : ndarray of bool of shape (n_schema,)
        Columns of the schema that any star had: coefficients, and magnitudes beside G.
    weights_ : ndarray of shape (n_view,)
        Weight of each column of the view: less, the more of it is noise.
    bands_ : ndarray of bool of shape (n_schema,)
        Magnitudes that a spectrum has to agree with, if there were spectra enough to learn how.
    passbands_ : ndarray of shape (n_coefficients, n_bands)
        Weights from coefficients to these bands' flux, relative to magnitude 0.
    deviations_ : ndarray of shape (n_bands,)
        68th percentile of the relative misfit.
    variances_ : ndarray of shape (2,)
        Variances of coefficients relative to G: at any brightness, and times the G flux, from
        photons.

    Notes
    -----
    A magnitude counts relative to G. Parallax, proper motions and E(B-V) do not count: along
    a whole sightline, dust says little of a star.
    """

    def __init__(self, schema: FeatureSchema) -> None:
        self.schema = schema

    @with_arrays
    def fit(self, values: np.ndarray, errors: np.ndarray) -> Self:
        """Learn from the values of stars and their errors.

        Parameters
        ----------
        values, errors : ndarray of shape (n_stars, n_schema)
            Values and errors as in `Measurements`; NaN is missing.
        """
        columns = self.schema.columns
        observed = np.isfinite(values).any(axis=0)
        magnitude = observed & [c.unit == "mag" and c.reconstructed for c in columns]
        # Without G there is nothing to be relative to.
        observed &= magnitude[self._g]
        self.is_xp_ = observed & [c.block == "xp" for c in columns]
        self.is_color_ = observed & magnitude & [c.name != G_BAND for c in columns]
        self.bands_ = observed & magnitude & [c.block == "gaia" for c in columns]
        seen = np.where(self.is_xp_ | magnitude, values, np.nan)
        self.scaler_ = XPCoefficientScaler(self.schema).fit(seen)
        self._fit_passbands(values, errors)
        self._fit_noise(values, errors)
        noise = _median_or_zero(self._relative(errors, values, self._g))
        noise = noise / self.scaler_.scale_[self.is_xp_]
        self.weights_ = np.append(
            1 / np.hypot(1.0, NOISE_WEIGHT * noise),
            np.full(self.is_color_.sum(), COLOR_WEIGHT),
        )
        return self

    @with_arrays
    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return the view, (n_stars, n_view): coefficients, then colours; NaN missing."""
        scaled = self.scaler_.transform(values)
        colors = values[:, self.is_color_] - values[:, [self._g]]
        return np.hstack([scaled[:, self.is_xp_], colors])

    def disagreement(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        """Return the disagreement of spectra with their stars' magnitudes, (n_stars,).

        The logarithm of one plus the mean square of relative misfits, in units of what is
        usual, or with ``errors`` of what these add to it; NaN for a star without a complete
        spectrum or any of these magnitudes.
        """
        flux = g_flux(values[:, self.bands_])
        misfit = values[:, self.is_xp_] @ self.passbands_ / flux - 1.0
        deviation = self.deviations_
        if errors is not None:
            noise = np.nan_to_num(errors[:, self.is_xp_]) ** 2 @ self.passbands_**2 / flux**2
            noise += (MAG_IN_FLUX * np.nan_to_num(errors[:, self.bands_])) ** 2
            deviation = np.sqrt(deviation**2 + noise)
        squares = (misfit / deviation) ** 2
        known = np.isfinite(squares)
        with np.errstate(invalid="ignore"):
            return np.log1p(np.where(known, squares, 0.0).sum(axis=1) / known.sum(axis=1))

    def noise(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Return log10 of each star's median coefficient error relative to G, (n_stars,).

        A star without errors has what is usual at its G; NaN if no star of ``fit`` had errors.
        """
        known = self._relative_noise(values, errors)
        usual = np.log10(np.sqrt(self._noise_terms(values) @ self.variances_))
        return np.where(np.isfinite(known), known, usual)

    def relative(self, values: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients over the G flux and colours, and their errors, (n_stars, n_view).

        Unlike ``transform`` this is linear, so that errors stay errors. NaN is missing, and an
        error that is not known; a colour has one of 0.02 mag or more, by which surveys' scales
        differ.
        """
        colors = values[:, self.is_color_] - values[:, [self._g]]
        uncertain = np.hypot(COLOR_FLOOR, np.nan_to_num(errors[:, self.is_color_]))
        return (
            np.hstack([self._relative(values, values, self._g), colors]),
            np.hstack([self._relative(errors, values, self._g), uncertain]),
        )

    def blueness(self, values: np.ndarray) -> np.ndarray:
        """Return RP minus BP in mag, (n_stars,), NaN where one is missing."""
        names = self.schema.names
        if not {BP_BAND, RP_BAND}.issubset(names):
            return np.full(len(values), np.nan)
        return values[:, names.index(RP_BAND)] - values[:, names.index(BP_BAND)]

    def g_magnitude(self, values: np.ndarray) -> np.ndarray:
        """Return the stars' G in mag, (n_stars,)."""
        return values[:, self._g]

    @property
    def n_coefficients(self) -> int:
        """Number of columns of the view, the first ones, that are coefficients."""
        return int(self.is_xp_.sum())

    @property
    def _g(self) -> int:
        return self.schema.names.index(G_BAND)

    def _fit_passbands(self, values: np.ndarray, errors: np.ndarray) -> None:
        """Fit each band's passband twice, the second time without stars that disagree."""
        passbands, deviations = [], []
        for band in np.flatnonzero(self.bands_).tolist():
            spectra = self._relative(values, values, band)
            spectra = spectra[np.isfinite(spectra).all(axis=1)]
            if not 0 < STARS_PER_COEFFICIENT * spectra.shape[1] <= len(spectra):
                self.bands_[band] = False
                continue
            noise = np.diag(_median_or_zero(self._relative(errors, values, band)))
            agree = np.ones(len(spectra), dtype=bool)
            for _ in range(2):
                used = spectra[agree] if agree.any() else spectra
                # Noise would be added to each star's sum, were the passband to depend on it.
                rows = np.vstack([used, np.sqrt(len(used)) * noise])
                wanted = np.append(np.ones(len(used)), np.zeros(len(noise)))
                passband = np.linalg.lstsq(rows, wanted, rcond=RELATIVE_RANK)[0]
                misfit = np.abs(spectra @ passband - 1.0)
                agree = misfit < AGREEMENT
            passbands.append(passband)
            deviations.append(np.percentile(misfit, 68))
        self.passbands_ = np.reshape(passbands, (len(passbands), self.n_coefficients)).T
        self.deviations_ = np.maximum(deviations, np.finfo(np.float32).eps)

    def _fit_noise(self, values: np.ndarray, errors: np.ndarray) -> None:
        noise = self._relative_noise(values, errors)
        known = np.isfinite(noise)
        self.variances_ = np.full(2, np.nan)
        if known.any():
            terms = self._noise_terms(values[known]) / 10.0 ** (2 * noise[known, None])
            self.variances_ = nnls(terms, np.ones(len(terms)))[0]

    def _noise_terms(self, values: np.ndarray) -> np.ndarray:
        """Return what a constant relative error and photons add to the variance, (n_stars, 2)."""
        flux = g_flux(values[:, self._g])
        return np.column_stack([np.ones(len(flux)), 1 / flux])

    def _relative_noise(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Return log10 of the median coefficient error relative to G, NaN unknown."""
        relative = self._relative(errors, values, self._g)
        noise = np.full(len(values), np.nan)
        known = np.isfinite(relative)
        # The median that minds NaN is slow, and most stars have all coefficients or none.
        some, whole = known.any(axis=1), known.all(axis=1)
        for rows, median in ((some & whole, np.median), (some & ~whole, np.nanmedian)):
            if rows.any():
                noise[rows] = median(relative[rows], axis=1)
        return np.log10(np.maximum(noise, np.finfo(np.float32).tiny))

    def _relative(self, of: np.ndarray, values: np.ndarray, band: int) -> np.ndarray:
        """Return the coefficients ``of`` stars, or their errors, in units of a band's flux."""
        return of[:, self.is_xp_] / g_flux(values[:, [band]])


def _median_or_zero(values: np.ndarray) -> np.ndarray:
    """Return the median of each column, 0 for one of NaN."""
    medians = np.zeros(values.shape[1])
    known = np.isfinite(values).any(axis=0)
    if known.any():
        medians[known] = np.nanmedian(values[:, known], axis=0)
    return medians
