"""A small autoencoder and the plan to train it on random numbers."""

import pytest
import small_net


@pytest.fixture
def data():
    """Features of 90 stars as their own targets."""
    return small_net.make_data()


@pytest.fixture
def make_net():
    """Return a function that builds a net of a plan with changes, from the same weights."""
    return small_net.make_net
