"""A tiny generalist, how its answers are compared, and stars on disk."""

import astropy.units as u
import numpy as np
import pyarrow.parquet as pq
import pytest
from skorch.callbacks import Callback

from msaestimator.datasets import StarDataset
from msaestimator.schema import StarTable, Token, Vocabulary
from msaestimator.tables import write_stars
from msaestimator.training import _plan as plan_module


@pytest.fixture(scope="session")
def write_groups():
    """Return a function that writes stars to a parquet file with row groups of one size."""

    def write(stars, path, size):
        write_stars(stars, path)
        pq.write_table(pq.read_table(path), path, row_group_size=size)

    return write


@pytest.fixture(scope="session")
def star_files(stars, write_groups, tmp_path_factory):
    """A folder of the stars in three files of row groups of up to 40, in their order."""
    folder = tmp_path_factory.mktemp("stars")
    for number, rows in enumerate(np.array_split(np.arange(len(stars)), 3)):
        write_groups(stars[rows], folder / f"{number}.parquet", 40)
    return folder


@pytest.fixture(scope="session")
def on_disk(star_files):
    """The stars as a dataset of these files."""
    return StarDataset(star_files)


class Spied(Exception):
    """What is raised in the place of a training, with its stars."""


@pytest.fixture
def stars_of(monkeypatch):
    """Return a function that returns the stars that an estimator would be trained on."""

    def spy(estimator, *fit, **more):
        def raise_stars(self, title, criterion, mask, groups, stars, *, start):
            raise Spied(stars)

        with monkeypatch.context() as patch:
            patch.setattr(type(estimator), "_train", raise_stars)
            with pytest.raises(Spied) as caught:
                estimator.fit(*fit, **more)
        return caught.value.args[0]

    return spy


@pytest.fixture(scope="session")
def few(stars):
    """100 stars with three labels, colours and reddening, of scalar columns only."""
    labels = [name + end for name in ("teff", "logg", "fe_h") for end in ("", "_err")]
    colors = ["phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m", "ebv"]
    return stars[:100][colors + labels]


@pytest.fixture(scope="session")
def fitted(make_generalist, few):
    """A tiny generalist fitted on these."""
    return make_generalist().fit(few)


@pytest.fixture(scope="session")
def giants():
    """Mock giants: ages follow from masses but for 5 %, and log g from neither."""
    rng = np.random.default_rng(0)
    log_mass, scatter, logg = rng.normal(size=(3, 600))
    mass = 10 ** (0.1 + 0.07 * log_mass)
    return StarTable(
        {
            "logg": (2.4 + 0.3 * logg) * u.dex,
            "mass": mass * u.Msun,
            "age": 3 * mass**-2.5 * 10 ** (0.02 * scatter) * u.Gyr,
        }
    )


@pytest.fixture(scope="session")
def giant_model(make_generalist, giants):
    """A generalist that has learned how mass and age of these belong together."""
    words = Vocabulary(
        (
            Token("logg", "dex", "label"),
            Token("mass", "solMass", "label", log=True),
            Token("age", "Gyr", "label", log=True),
        )
    )
    settings = {"vocabulary": words, "n_inputs": (0, 2), "n_requests": 3, "block_dropout": 0.0}
    return make_generalist(**settings, max_epochs=40, lr=1e-2, embedding_dim=16).fit(giants)


@pytest.fixture(scope="session")
def assert_same():
    """Return a function that compares tables of answers, to single precision."""

    def compare(first, second, rtol=1e-5):
        assert first.colnames == second.colnames
        for name in first.colnames:
            assert getattr(first[name], "unit", None) == getattr(second[name], "unit", None)
            values = [np.asarray(getattr(t[name], "value", t[name])) for t in (first, second)]
            if values[0].dtype.kind == "f":
                np.testing.assert_allclose(*values, rtol=rtol, atol=rtol, err_msg=name)
            else:
                np.testing.assert_array_equal(*values, err_msg=name)

    return compare


@pytest.fixture
def small_windows(monkeypatch):
    """Shuffle 100 stars on disk at a time, so that a few make several windows."""
    monkeypatch.setattr(plan_module, "WINDOW", 100)


@pytest.fixture(scope="session")
def losses():
    """Return the losses of an estimator's epochs."""
    return lambda estimator: np.array([epoch["train_loss"] for epoch in estimator.net_.history])


@pytest.fixture(scope="session")
def stop_in_epoch():
    """Make callbacks that raise in the middle of an epoch."""

    class Stop(Callback):
        def __init__(self, epoch):
            self.epoch = epoch

        def on_batch_end(self, net, **kwargs):
            if len(net.history) == self.epoch and len(net.history[-1]["batches"]) == 2:
                raise RuntimeError("power cut")

    return Stop
