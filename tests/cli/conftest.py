"""A model that needs no dust map, for stars of an archive."""

import pytest


@pytest.fixture(scope="session")
def bare_model(make_regressor, make_msa, stars, tmp_path_factory):
    """A regressor without reddening, and the folder it is saved in."""
    bare = stars[[name for name in stars.colnames if name != "ebv"]]
    regressor = make_regressor(make_msa(max_epochs=1), max_epochs=1).fit(bare)
    folder = tmp_path_factory.mktemp("bare-model")
    regressor.save_pretrained(folder)
    return regressor, folder
