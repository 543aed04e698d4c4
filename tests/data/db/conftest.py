"""Each test of the stores runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from data.db.engine import open_engine
from tests.databases import KINDS, migrated, postgres_url


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One PostgreSQL server for all tests of the session."""
    with postgres_url(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A fresh database of each kind, built by the migrations."""
    if request.param == "sqlite":
        with migrated(f"sqlite:///{tmp_path / 'service.db'}") as engine:
            yield engine
        return
    url = request.getfixturevalue("server")
    empty = open_engine(url)
    with empty.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    empty.dispose()
    with migrated(url) as engine:
        yield engine
