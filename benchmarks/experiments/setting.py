"""What every experiment needs: the model, the stars, and where tables and figures go."""

import argparse
from functools import cached_property

import astropy.units as u
import numpy as np
from common.figures import save_figure
from common.generalist import Known
from common.tables import ResultTable
from common.trust_stars import Samples, numbers, with_sides
from matplotlib.figure import Figure

from msaestimator import StellarFoundationModel
from msaestimator.datasets import make_mock_survey
from msaestimator.schema import StarTable

__all__ = ["EVOLUTION", "Setting", "giants_of"]

GIANT_LOGG = 3.5

EVOLUTION = ("mass", "age")

N_MOCK, N_TOY_MOCK = 10_000, 500
"""Stars of the mock survey, enough that there are giants among them."""


class Setting:
    """The released model, stars that it never learned, and those that boosting learns.

    Parameters
    ----------
    options : argparse.Namespace
        What was given to the command.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.model = StellarFoundationModel.from_pretrained(options.model)
        self.samples = Samples(options.stars, toy=options.toy)
        for stars in (self.stars, self.samples.seismic):
            set_distances(stars)

    @property
    def stars(self) -> StarTable:
        """Test stars of APOGEE."""
        return self.samples.apogee

    @cached_property
    def known(self) -> Known:
        """What the test stars say of the model's words."""
        return Known.of(self.model, self.stars)

    @cached_property
    def learned(self) -> Known:
        """What stars that boosting learns say of the model's words."""
        stars = with_sides(self.options.stars, toy=self.options.toy)
        return Known.of(self.model, stars[~np.asarray(stars["is_test"], dtype=bool)])

    @cached_property
    def mock(self) -> StarTable:
        """A mock survey, whose truth is that of MIST isochrones; no model learned from it."""
        stars = make_mock_survey(N_TOY_MOCK if self.options.toy else N_MOCK, random_state=1)
        stars["distance"] = stars["true_distance"]
        return stars

    @cached_property
    def mock_known(self) -> Known:
        """What the mock survey says of the model's words."""
        return Known.of(self.model, self.mock)

    def table(self, name: str, *columns: str) -> ResultTable:
        """Return a table of the documentation, without rows of earlier runs."""
        path = self.options.tables / name
        path.unlink(missing_ok=True)
        return ResultTable(path, columns)

    def save(self, figure: Figure, name: str, caption: str) -> None:
        """Write a figure of the documentation, with a line that says which stars it shows."""
        save_figure(figure, self.options, name, caption)


def set_distances(stars: StarTable) -> None:
    """Set distances by the parallaxes of labels, where there are any."""
    parallax = numbers(stars, "parallax_label")
    stars["distance"] = np.where(parallax > 0, 1.0 / parallax, np.nan) * u.kpc


def giants_of(known: Known) -> np.ndarray:
    """Return which stars are giants."""
    return known["logg"] < GIANT_LOGG
