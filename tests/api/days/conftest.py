"""A yard of bookmobiles, each test on a copy of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.db.engine import open_engine
from tests.api.days.yard import Yard
from tests.databases import migrated


@pytest.fixture(scope="session")
def yard_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the yard, built once."""
    file = tmp_path_factory.mktemp("yard") / "yard.sqlite"
    with migrated(f"sqlite:///{file}") as engine:
        Yard(engine)
    return file


@pytest.fixture
def yard(yard_file: Path, tmp_path: Path) -> Iterator[Yard]:
    """Two vehicles on their rounds, a third idle, at eleven on a Tuesday."""
    for part in yard_file.parent.glob(f"{yard_file.name}*"):
        shutil.copy(part, tmp_path / part.name)
    engine = open_engine(f"sqlite:///{tmp_path / yard_file.name}")
    yield Yard.again(engine)
    engine.dispose()
