"""Each test of the stores runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.databases import KINDS, fresh_database, migrated, postgres_url


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
    with fresh_database(request.getfixturevalue("server")) as url, migrated(url) as engine:
        yield engine
