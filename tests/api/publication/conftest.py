"""A region with a stored plan on both databases, for tests of what readers are promised."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from data.db.engine import open_engine
from tests.api.publication.office import Office
from tests.databases import KINDS, migrated, postgres_url


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One PostgreSQL server for all tests of the session."""
    with postgres_url(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """The region and its plan in a fresh database."""
    with migrated(f"sqlite:///{tmp_path / 'office.sqlite'}") as engine:
        yield Office(engine)


@pytest.fixture(params=KINDS)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """The same on each kind of database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'office.sqlite'}"
    else:
        url = request.getfixturevalue("server")
        empty = open_engine(url)
        with empty.begin() as connection:
            connection.execute(text("drop schema public cascade"))
            connection.execute(text("create schema public"))
        empty.dispose()
    with migrated(url) as engine:
        yield Office(engine)
