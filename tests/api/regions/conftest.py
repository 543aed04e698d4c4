"""A service of the module's own."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from data.model.accounts import Role
from tests.e2e.service import Running, run_service


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server on a fresh database."""
    folder: Path = tmp_path_factory.mktemp("service")
    with run_service(folder) as service:
        yield service


@pytest.fixture
def dispatcher(running: Running) -> Iterator[httpx.Client]:
    """A dispatcher who reads English."""
    with running.api(Role.DISPATCHER) as client:
        yield client
