"""A small archive on this machine; its modules ``catalogue`` and ``standin`` are importable."""

import pytest
from catalogue import make_catalogue
from standin import Database, StandIn


@pytest.fixture(scope="session")
def catalogue():
    """The tables served, by ``"schema.table"``; never change them."""
    return make_catalogue()


@pytest.fixture(scope="session")
def database(catalogue):
    """The same in SQLite, shared by all servers."""
    database = Database(catalogue)
    yield database
    database.close()


@pytest.fixture
def server(database):
    """A fresh server."""
    with StandIn(database) as server:
        yield server
