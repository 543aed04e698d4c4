"""The database that the settings name, for commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from api.settings import Settings
from data.db.engine import open_engine
from data.db.migrate import check_revision, current_revision, migrate


def make_folder(settings: Settings) -> None:
    """Make the folder of a database that is a file."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def open_database(settings: Settings | None = None) -> Iterator[Engine]:
    """An engine on the database; a new one gets its tables.

    Raises
    ------
    StoreError
        ``store.not_migrated`` for one of another version.
    """
    chosen = settings or Settings.from_environment()
    make_folder(chosen)
    engine = open_engine(chosen.database_url)
    try:
        if current_revision(engine) is None:
            migrate(engine)
        check_revision(engine)
        yield engine
    finally:
        engine.dispose()
