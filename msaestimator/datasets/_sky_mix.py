"""Weights that make training stars the mix of kinds that the sky has at each brightness."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from msaestimator.datasets._sky_classes import Classes, n_magnitudes, read_classes, sky_splits
from msaestimator.exceptions import ColumnError

__all__ = ["SkyMix"]

SMALLEST_WEIGHT, LARGEST_WEIGHT = 0.3, 10.0
"""Limits of a weight: no kind of star is forgotten, and none speaks for all."""

PSEUDO_COUNT = 3.0
"""Stars added to each class on both sides, so that weights are near one where there are few."""


class SkyMix(BaseEstimator):
    """Weights with which stars at a brightness are the mix of kinds that the sky has there.

    Samples with labels are chosen: among APOGEE's stars of G > 14 most are reddened giants, on
    the sky few are. From copies of such stars, made fainter, a model would learn that faint stars
    are giants. Weighted, the copies of one G, colour and reddening are giants and dwarfs, poor
    and rich in metals, cool and hot, in the proportions of a survey of the whole sky.

    Attributes
    ----------
    factors_ : tuple of ndarray of shape (n_within, n_into)
        Weights of each step: of giants and others, of metallicities, and of kinds.
    scales_ : ndarray of shape (n_magnitudes,)
        Factor for each class of G with which the mean weight of its stars is one.

    See Also
    --------
    make_fainter : Copies of stars at a G of one's choice.
    make_mock_sky : The stars that the sky's mix is counted in.

    Notes
    -----
    - **Kind** is the class of log g (0.5 dex; 3.5 divides giants from others), Teff (500 K from
      4,000 to 6,000 K, then wider) and [Fe/H] (0.5 dex from -1.5 to 0). **At a brightness** means
      among stars of a class of G (1 mag from 11 to 20), BP - RP as observed (0.25 mag from 0.25
      to 2) and E(B-V) by a dust map to infinity (to 0.1, to 0.5, beyond). So faint and red stars
      behind dust, which on the sky are giants too, stay; how many stars are of which colour is
      the sample's own.
    - The weight is the product of three ratios, of the sky's share over the sample's: giants
      among the stars seen, metallicities among these, log g and Teff among these. Each side is
      scaled to as many stars as the smaller of both has, and gets 3 stars more in each class, so
      that the ratio is near one where stars are few. The product is kept between 0.3 and 10,
      before the mean at each G is made one. So a kind that is twenty times too frequent stays a
      little too frequent, and what the sample has no stars of stays absent.
    - **The sky** is 3,000,000 stars of :func:`make_mock_sky`, to G = 20. At G = 13-14, 14-15, ...,
      18-19 its share of giants is 42, 37, 30, 19, 10 and 4 %, most of them near the plane. Where
      E(B-V) < 0.1 it is 25, 21, 16, 10, 6 and 3 %, and towards the anticentre at b = -48 deg
      below 10 % from G = 13 to 17.7. There are no binaries, white dwarfs, hot subdwarfs or stars
      before the main sequence: kinds that it lacks weigh one.

    Examples
    --------
    >>> import numpy as np
    >>> from msaestimator.datasets import SkyMix, load_apogee_xp, make_fainter
    >>> copies = make_fainter(load_apogee_xp("train"), 16.5, random_state=0)
    >>> weights = SkyMix().fit(copies).weights(copies)
    >>> is_giant = copies["logg"].value < 3.5
    >>> clear = copies["ebv"].value < 0.1
    >>> print(f"{is_giant[clear].mean():.2f}")
    0.49
    >>> print(f"{np.average(is_giant[clear], weights=weights[clear]):.2f}")
    0.19
    """

    factors_: tuple[np.ndarray, ...]
    scales_: np.ndarray

    def fit(self, stars: Any) -> "SkyMix":
        """Measure the mix of a sample: several draws of all copies, in one table, are best.

        Parameters
        ----------
        stars : container of n_stars stars, see :func:`msaestimator.tables.named_columns`
            Stars with ``phot_g_mean_mag``, ``teff``, ``logg`` and, as far as known,
            ``phot_bp_mean_mag``, ``phot_rp_mean_mag``, ``ebv`` and ``fe_h``.

        Returns
        -------
        SkyMix
            The object itself, fitted.

        Raises
        ------
        ColumnError
            ``phot_g_mean_mag``, ``teff`` or ``logg`` is absent or known of no star together with
            the other two, or a column does not hold numbers.
        UnitMismatchError
            A column's unit is of another physical type.
        """
        classes = read_classes(stars)
        if not classes.is_known.any():
            raise ColumnError(
                "The mix of stars is told by 'phot_g_mean_mag', 'teff' and 'logg', which no star "
                "has all of. Fit stars with labels."
            )
        weights = np.ones(len(classes.g))
        factors = []
        for split in sky_splits():
            rows = np.flatnonzero(getattr(classes, split.where))
            cells = getattr(classes, split.within)[rows], getattr(classes, split.into)[rows]
            flat = np.ravel_multi_index(cells, split.counts.shape)
            counts = np.bincount(flat, weights[rows], minlength=split.counts.size)
            factors.append(_ratio(split.counts, counts.reshape(split.counts.shape)))
            weights[rows] *= factors[-1][cells]
        self.factors_ = tuple(factors)
        self.scales_ = _scales(classes, np.clip(weights, SMALLEST_WEIGHT, LARGEST_WEIGHT))
        return self

    def weights(self, stars: Any) -> np.ndarray:
        """Return the weights of stars of the sample, or of further copies of them.

        Parameters
        ----------
        stars : container of n_stars stars
            Stars with the columns that `fit` needs.

        Returns
        -------
        ndarray of shape (n_stars,)
            Weights, none of them NaN. The mean over the stars that were fitted is one at each G.
            Stars whose G, Teff or log g is not known, or whose kind the sky model lacks, weigh
            one.

        Raises
        ------
        ColumnError, UnitMismatchError
            Columns are not as `fit` needs them.
        """
        check_is_fitted(self, "factors_")
        classes = read_classes(stars)
        weights = np.ones(len(classes.g))
        for split, factors in zip(sky_splits(), self.factors_, strict=True):
            factor = factors[getattr(classes, split.within), getattr(classes, split.into)]
            weights *= np.where(getattr(classes, split.where), factor, 1.0)
        weights = np.clip(weights, SMALLEST_WEIGHT, LARGEST_WEIGHT) * self.scales_[classes.g]
        return np.where(classes.is_known, weights, 1.0)


def _ratio(sky: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Return the sky's share of each class over the sample's, near one where stars are few."""
    of_sky, of_sample = (side.sum(axis=1, keepdims=True) for side in (sky, sample))
    n_stars = np.minimum(of_sky, of_sample)
    above = n_stars * sky / np.maximum(of_sky, 1.0) + PSEUDO_COUNT
    return above / (n_stars * sample / np.maximum(of_sample, 1.0) + PSEUDO_COUNT)


def _scales(classes: Classes, weights: np.ndarray) -> np.ndarray:
    """Return one over the mean weight of each class of G, one where there are no stars."""
    g, known = classes.g[classes.is_known], weights[classes.is_known]
    n_classes = n_magnitudes()
    numbers = np.bincount(g, minlength=n_classes)
    total = np.bincount(g, known, minlength=n_classes)
    return np.divide(numbers, total, out=np.ones(n_classes), where=numbers > 0)
