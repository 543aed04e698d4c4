"""A region with a stored plan on both databases, for tests of what readers are promised."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.api.publication.office import Office
from tests.databases import KINDS, fresh_database, migrated, postgres_url


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
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'office.sqlite'}"
        else:
            url = stack.enter_context(fresh_database(request.getfixturevalue("server")))
        yield Office(stack.enter_context(migrated(url)))
