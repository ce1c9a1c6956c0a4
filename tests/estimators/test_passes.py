"""How often stars are read and go through the network: once, whatever is asked of them."""

from collections import Counter

import pytest

from msaestimator.networks import MaskedAutoencoder
from msaestimator.schema import StarTable

COLUMNS = ("phot_g_mean_mag", "bp_coefficients")


@pytest.fixture
def reads(monkeypatch, other_stars):
    """Return a counter of how often columns of these stars are read from now on."""
    counter = Counter()
    get = StarTable.__getitem__

    def counting(self, item):
        if self is other_stars and isinstance(item, str):
            counter[item] += 1
        return get(self, item)

    monkeypatch.setattr(StarTable, "__getitem__", counting)
    return counter


@pytest.fixture
def encoded(monkeypatch):
    """Return the list of the numbers of stars that autoencoders encode from now on."""
    numbers = []
    encode = MaskedAutoencoder.encode

    def counting(self, x):
        numbers.append(len(x))
        return encode(self, x)

    monkeypatch.setattr(MaskedAutoencoder, "encode", counting)
    return numbers


def times_read(reads):
    """Return how often some columns were read, once if all were."""
    return {reads[name] for name in COLUMNS}


@pytest.mark.parametrize(
    "query", ["predict", "predict_quantiles", "predict_interval", "predict_table"]
)
def test_answers_take_one_reading_and_one_pass(regressor, other_stars, reads, encoded, query):
    getattr(regressor, query)(other_stars)
    assert times_read(reads) == {1}
    assert sum(encoded) == len(other_stars)


@pytest.mark.parametrize("query", ["transform", "score"])
def test_an_autoencoder_reads_once(msa, other_stars, reads, encoded, query):
    getattr(msa, query)(other_stars)
    assert times_read(reads) == {1}
    assert sum(encoded) == len(other_stars)


def test_outlier_scores_need_no_network(regressor, other_stars, reads, encoded):
    regressor.outlier_score(other_stars)
    assert times_read(reads) == {1}
    assert not encoded


def test_fit_reads_once_on_a_fitted_encoder(make_regressor, msa, other_stars, reads):
    make_regressor(msa, max_epochs=1).fit(other_stars)
    assert times_read(reads) == {1}


def test_fit_reads_twice_with_an_encoder_to_train(make_regressor, make_msa, other_stars, reads):
    make_regressor(make_msa(max_epochs=1), max_epochs=1).fit(other_stars)
    assert times_read(reads) == {2}
