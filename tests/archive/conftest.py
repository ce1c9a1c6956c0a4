"""An archive like ESA's on this machine, its companions included."""

from dataclasses import replace

import numpy as np
import pytest
from catalogue import SPECIAL
from standin import StandIn

from msaestimator.archive import SERVICES, GaiaArchive
from msaestimator.archive._companions import COMPANIONS


@pytest.fixture(scope="session")
def source_ids(catalogue):
    """All ids of the catalogue, the planted cases first."""
    return np.array(catalogue["gaiadr3.gaia_source"]["source_id"])


@pytest.fixture(scope="session")
def special(source_ids):
    """The ids of the planted cases, by name."""
    return {name: int(source_ids[row]) for name, row in SPECIAL.items()}


@pytest.fixture
def esa(server):
    """ESA's service, but for its addresses."""
    server.n_correlations = 3
    return replace(SERVICES["esa"], tap_url=server.tap_url, datalink_url=server.datalink_url)


@pytest.fixture
def make_archive(esa, monkeypatch):
    """Return a function that makes an archive there, without a cache or companions."""
    _move_companions(monkeypatch, esa.tap_url)

    def make(service=esa, **settings):
        settings = {"cache": False, "companions": (), "progress": False} | settings
        return GaiaArchive(service, **settings)

    return make


@pytest.fixture(scope="session")
def fetched(database, source_ids):
    """All stars, uncut, SkyMapper DR4 where it has them; never change them."""
    with StandIn(database) as server, pytest.MonkeyPatch.context() as patch:
        server.n_correlations = 3
        _move_companions(patch, server.tap_url)
        service = replace(
            SERVICES["esa"], tap_url=server.tap_url, datalink_url=server.datalink_url
        )
        archive = GaiaArchive(
            service,
            cache=False,
            companions=["skymapper_dr4"],
            quality_cuts="none",
            progress=False,
        )
        return archive.fetch_features(source_ids)


def _move_companions(patch, tap_url):
    for name, companion in tuple(COMPANIONS.items()):
        patch.setitem(COMPANIONS, name, replace(companion, tap_url=tap_url))
