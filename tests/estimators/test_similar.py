"""Stars alike are neighbours in the latent space, by a search that looks at every pair."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from msaestimator import StarTable


@pytest.fixture(params=["msa", "regressor", "generalist"])
def estimator(request):
    """Each kind of estimator, fitted."""
    return request.getfixturevalue(request.param)


def latent(estimator, stars):
    """Return latent vectors by the public way of each kind."""
    return getattr(estimator, "encoder_", estimator).transform(stars)


def every_pair(asked, searched):
    """Return the distances of all pairs, by the definition in the docstring."""
    scale = searched.astype(float).std(axis=0)
    scale[scale == 0] = 1
    return cdist(asked / scale, searched / scale)


def without_features(stars, rows):
    """Return stars of which some have no feature."""
    stars = stars.copy()
    for name in stars.colnames:
        if stars[name].dtype.kind == "f":
            stars[name][rows] = np.nan
    return stars


def test_among_other_stars(estimator, stars, other_stars):
    distances, indices = estimator.find_similar(other_stars, 5, among=stars)
    assert distances.shape == indices.shape == (len(other_stars), 5)
    pairs = every_pair(latent(estimator, other_stars), latent(estimator, stars))
    np.testing.assert_allclose(distances, np.sort(pairs, axis=1)[:, :5], rtol=1e-3, atol=1e-4)
    own = np.take_along_axis(pairs, indices, axis=1)
    np.testing.assert_allclose(distances, own, rtol=1e-3, atol=1e-4)


def test_among_themselves_no_star_is_found_itself(estimator, stars):
    stars = stars[:50]
    distances, indices = estimator.find_similar(stars, 49)
    everyone = np.arange(50)
    for row in everyone:
        assert sorted(indices[row]) == np.delete(everyone, row).tolist()
    pairs = every_pair(*2 * [latent(estimator, stars)])
    np.testing.assert_allclose(
        distances, np.take_along_axis(pairs, indices, axis=1), rtol=1e-3, atol=1e-4
    )
    assert (np.diff(distances, axis=1) >= 0).all()


def test_a_star_among_others_finds_itself_first(estimator, stars):
    distances, indices = estimator.find_similar(stars[10:20], 2, among=stars)
    np.testing.assert_array_equal(indices[:, 0], np.arange(10, 20))
    np.testing.assert_allclose(distances[:, 0], 0, atol=1e-3)


def test_a_star_that_is_there_twice_finds_its_twin(msa, stars):
    twice = StarTable(stars[[0, 1, 2, 3, 0]])
    _, indices = msa.find_similar(twice, 1)
    assert indices[[0, 4], 0].tolist() == [4, 0]


def test_stars_without_features(msa, regressor, stars):
    bare = without_features(stars[:30], [3, 7])
    for estimator in (msa, regressor):
        distances, indices = estimator.find_similar(bare, 27)
        empty = np.isin(np.arange(30), [3, 7])
        np.testing.assert_array_equal(np.isnan(distances).all(axis=1), empty)
        np.testing.assert_array_equal((indices == -1).all(axis=1), empty)
        assert np.isfinite(distances[~empty]).all()
        assert not np.isin(indices, [3, 7]).any()
    distances, indices = msa.find_similar(without_features(stars[:2], [0, 1]), 1, among=stars)
    assert np.isnan(distances).all()
    assert (indices == -1).all()


def test_the_order_of_the_stars_does_not_matter(msa, stars):
    few = stars[:40]
    _, indices = msa.find_similar(few, 3)
    order = np.random.default_rng(0).permutation(40)
    _, permuted = msa.find_similar(few[order], 3)
    np.testing.assert_array_equal(order[permuted], indices[order])


def test_a_matrix(make_msa):
    x = np.random.default_rng(0).normal(size=(60, 5))
    msa = make_msa(max_epochs=1).fit(x)
    distances, indices = msa.find_similar(x, 2, among=x)
    np.testing.assert_array_equal(indices[:, 0], np.arange(60))
    assert (distances[:, 1] > 0).all()


def test_alike_in_the_latent_space_is_alike_in_the_sky(regressor, stars, other_stars):
    _, indices = regressor.find_similar(other_stars, 1, among=stars)
    teff = np.asarray(stars["teff"].value)
    ours = np.asarray(other_stars["teff"].value)
    nearest = np.abs(teff[indices[:, 0]] - ours)
    anyone = np.abs(teff[: len(ours)] - ours)
    assert np.median(nearest) < 0.5 * np.median(anyone)


@pytest.mark.parametrize("k", [0, 30, 10**6])
def test_too_many_or_none(msa, stars, k):
    message = f"`k` must be between 1 and 28, the number of other stars of `X` .* got {k}."
    with pytest.raises(ValueError, match=message):
        msa.find_similar(without_features(stars[:30], [3]), k)
    message = f"`k` must be between 1 and 29, the number of stars of `among` .* got {k}."
    with pytest.raises(ValueError, match=message):
        msa.find_similar(stars, k, among=without_features(stars[:30], [3]))


def test_unfitted(make_msa, stars):
    with pytest.raises(ValueError, match="not fitted yet"):
        make_msa().find_similar(stars)
