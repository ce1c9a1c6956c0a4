"""What several rooms' tests share: real stars, tiny fitted estimators, a small archive.

The archive's modules ``catalogue`` and ``standin`` are importable. Never change what is shared.
Imports that take seconds are in the fixtures: of pytest's processes one only hands out tests.
"""

from dataclasses import replace

import numpy as np
import pytest

import msaestimator

# Enough to learn something in a blink. Sizes are given, so that defaults may be tuned.
SMALL = {"max_epochs": 2, "batch_size": 150, "lr": 3e-3, "random_state": 0, "device": "cpu"}
SMALL_NET = {
    "frequency_scale": 0.1,
    "dropout": 0.1,
    "hidden_widths": (16, 8),
    "n_frequencies": 4,
    "d_embedding": 4,
}
# Of so few stars none are held back: they would be too few to calibrate on, which is a warning.
SMALL_HEAD = {
    "head_widths": (16,),
    "n_members": 2,
    "encoder_lr": 3e-3,
    "calibration_fraction": 0.0,
}


@pytest.fixture(scope="session")
def load_plain():
    """Return a function that loads packaged stars without what is of other surveys or DR2.

    The small archive has other such magnitudes and parallaxes of them, and fits are shorter.
    """
    from msaestimator.schema import GAIA_DR3

    others = [c for c in GAIA_DR3.columns if c.block in ("sdss", "ps1", "skymapper", "astrometry")]
    left_out = {name for column in others for name in (column.name, column.error)}

    def load(split):
        stars = msaestimator.datasets.load_apogee_xp(split)
        return stars[[name for name in stars.colnames if name not in left_out]]

    return load


@pytest.fixture(scope="session")
def stars(load_plain):
    """300 real stars with XP coefficients, Gaia's and 2MASS's magnitudes and labels."""
    return load_plain("train")[:300]


@pytest.fixture(scope="session")
def other_stars(load_plain):
    """100 further real stars."""
    return load_plain("test")[:100]


@pytest.fixture(scope="session")
def make_msa():
    """Return a function that makes a small unfitted autoencoder."""
    return lambda **changes: msaestimator.MaskedStellarAutoencoder(**SMALL | SMALL_NET | changes)


@pytest.fixture(scope="session")
def make_regressor():
    """Return a function that makes a small unfitted regressor."""

    def make(encoder=None, **changes):
        settings = SMALL | SMALL_HEAD | {"labels": ("teff", "logg", "fe_h")} | changes
        return msaestimator.StellarParameterRegressor(encoder, **settings)

    return make


@pytest.fixture(scope="session")
def msa(make_msa, stars):
    """A small fitted autoencoder."""
    return make_msa(max_epochs=10).fit(stars)


@pytest.fixture(scope="session")
def regressor(make_regressor, msa, stars):
    """A small fitted regressor."""
    return make_regressor(msa, max_epochs=20).fit(stars)


@pytest.fixture(scope="session")
def to_frame():
    """Return a function that turns a table of stars into a DataFrame of scalar columns."""
    import pandas as pd

    def convert(stars):
        columns = {}
        for name in stars.colnames:
            values = np.asarray(getattr(stars[name], "value", stars[name]))
            if values.ndim == 1:
                columns[name] = values
            elif not name.endswith("errors"):
                prefix = name.removesuffix("_coefficients")
                columns |= {f"{prefix}_{i}": column for i, column in enumerate(values.T, 1)}
        return pd.DataFrame(columns)

    return convert


@pytest.fixture(scope="session")
def weights():
    """Return a function that gives an estimator's weights as bytes, by name."""
    return lambda estimator: {
        name: tensor.cpu().numpy().tobytes()
        for name, tensor in estimator.module_.state_dict().items()
    }


@pytest.fixture(scope="session")
def catalogue():
    """The tables of the small archive, by ``"schema.table"``."""
    from catalogue import make_catalogue

    return make_catalogue()


@pytest.fixture(scope="session")
def database(catalogue):
    """The same in SQLite, shared by all servers."""
    from standin import Database

    database = Database(catalogue)
    yield database
    database.close()


@pytest.fixture
def server(database):
    """A fresh server on this machine."""
    from standin import StandIn

    with StandIn(database) as server:
        yield server


@pytest.fixture
def loopback(server):
    """The archive at that server, without a cache."""
    service = replace(msaestimator.archive.SERVICES["local"], tap_url=server.tap_url)
    return msaestimator.archive.GaiaArchive(service, cache=False)


@pytest.fixture
def esa_is_here(server, monkeypatch, tmp_path):
    """Let ESA's archive and the companions be that server, and let the default cache be new."""
    from msaestimator.archive import SERVICES
    from msaestimator.archive._companions import COMPANIONS

    server.n_correlations = 10  # nobody reads them, and so few are sent sooner
    urls = {"tap_url": server.tap_url, "datalink_url": server.datalink_url}
    monkeypatch.setitem(SERVICES, "esa", replace(SERVICES["esa"], **urls))
    for name, companion in tuple(COMPANIONS.items()):
        monkeypatch.setitem(COMPANIONS, name, replace(companion, tap_url=server.tap_url))
    (tmp_path / "msaestimator").mkdir()  # else astropy makes a folder at home
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def vizier(monkeypatch):
    """VizieR on this machine, which answers with a few rows of APOGEE's catalogue."""
    from vizier import Vizier

    from msaestimator.archive import _vizier

    service, open_session = Vizier(), _vizier.open_session

    def open_here(*settings):
        session = open_session(*settings)
        session.mount("https://vizier.cds.unistra.fr/", service)
        return session

    monkeypatch.setattr(_vizier, "open_session", open_here)
    return service


@pytest.fixture
def simbad(monkeypatch):
    """SIMBAD on this machine, which answers about the names of ``simbad.NAMES`` alone."""
    from simbad import Simbad

    from msaestimator.archive import _names

    service, open_session = Simbad(), _names.open_session

    def open_here(*settings):
        session = open_session(*settings)
        session.mount("https://simbad.cds.unistra.fr/", service)
        return session

    monkeypatch.setattr(_names, "open_session", open_here)
    return service


# Settings are given, so that defaults may be tuned.
TINY = {
    "asinh": True,
    "dropout": 0.0,
    "n_inputs": (5, 64),
    "request_by": "block",
    "block_dropout": 0.2,
    "resample_noise": False,
    "beta": 0.5,
    "embedding_scale": 1.0,
    "embedding_dim": 8,
    "encoder_heads": (2,),
    "encoder_widths": (16,),
    "decoder_heads": (2, 4),
    "decoder_widths": (16, 8),
    "head_widths": (16,),
    "n_requests": 8,
    "max_epochs": 2,
    "batch_size": 64,
    "lr": 3e-3,
    "random_state": 3,
    "device": "cpu",
}


@pytest.fixture(scope="session")
def make_generalist():
    """Return a function that makes a tiny unfitted generalist."""
    return lambda **changes: msaestimator.StellarFoundationModel(**TINY | changes)


@pytest.fixture(scope="session")
def generalist(make_generalist, stars):
    """A tiny fitted generalist."""
    return make_generalist(max_epochs=5).fit(stars)
