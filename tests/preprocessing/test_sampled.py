"""Scalers of stars on disk: they learn from a sample what they learn from its table."""

import numpy as np
import pytest

from msaestimator.datasets import StarDataset, load_apogee_xp
from msaestimator.preprocessing import (
    LabelScaler,
    StellarFeatures,
    XPCoefficientScaler,
    _sampled,
)
from msaestimator.tables import write_stars


@pytest.fixture(scope="module")
def stars():
    """300 real stars."""
    return load_apogee_xp("train")[:300]


@pytest.fixture(scope="module")
def on_disk(stars, tmp_path_factory):
    """The stars in two files."""
    folder = tmp_path_factory.mktemp("stars")
    write_stars(stars[:200], folder / "a.parquet")
    write_stars(stars[200:], folder / "b.parquet")
    return StarDataset(folder)


def test_few_stars_give_the_same_scales(on_disk, stars):
    """A sample of more stars than there are is all of them."""
    expected, found = (XPCoefficientScaler().fit(X) for X in (stars, on_disk))
    np.testing.assert_allclose(found.center_, expected.center_, rtol=1e-6)
    np.testing.assert_allclose(found.scale_, expected.scale_, rtol=1e-6)
    np.testing.assert_array_equal(found.transform(stars[:9]), expected.transform(stars[:9]))


def test_many_stars_give_nearly_the_same(on_disk, stars, monkeypatch):
    monkeypatch.setattr(_sampled, "SAMPLE", 150)
    expected, found, again = (XPCoefficientScaler().fit(X) for X in (stars, on_disk, on_disk))
    np.testing.assert_array_equal(found.center_, again.center_)
    assert (found.center_ != expected.center_).any()
    known = expected.is_coefficient_
    assert np.median(np.abs(found.scale_ / expected.scale_ - 1)[known]) < 0.2


def test_features_and_labels(on_disk, stars):
    features = StellarFeatures().fit(on_disk)
    np.testing.assert_array_equal(
        features.transform(stars), StellarFeatures().fit_transform(stars)
    )
    labels = StarDataset(on_disk.files, columns=["teff", "logg"])
    expected, found = (LabelScaler().fit(X) for X in (stars[["teff", "logg"]], labels))
    np.testing.assert_allclose(found.center_, expected.center_, rtol=1e-6)
