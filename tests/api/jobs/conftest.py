"""A yard of jobs on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.jobs.yard import Yard
from tests.databases import KINDS, fresh_database, migrated, postgres_url


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """One PostgreSQL server for all tests of the session."""
    with postgres_url() as url:
        yield url


def _opened(folder: Path, url: str) -> Iterator[Yard]:
    with migrated(url):
        yard = Yard(folder, url)
        try:
            yield yard
        finally:
            yard.close()


@pytest.fixture(params=KINDS)
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    """A fresh database of each kind."""
    if request.param == "sqlite":
        yield from _opened(tmp_path, f"sqlite:///{tmp_path / 'service.sqlite'}")
        return
    with fresh_database(request.getfixturevalue("server")) as url:
        yield from _opened(tmp_path, url)


@pytest.fixture
def plain_yard(tmp_path: Path) -> Iterator[Yard]:
    """A fresh database in a file, for what does not hang on its kind."""
    yield from _opened(tmp_path, f"sqlite:///{tmp_path / 'service.sqlite'}")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """A yard for all tests of a module, whose jobs are done on the spot."""
    folder = tmp_path_factory.mktemp("busy")
    yield from _opened(folder, f"sqlite:///{folder / 'service.sqlite'}")
