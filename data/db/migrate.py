"""Bring a database to the tables of this version."""

from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from data.db.engine import READ_ONLY
from data.model.errors import StoreError


def config_for(connection: Connection) -> Config:
    """Alembic's configuration on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(files("data.db") / "migrations"))
    config.attributes["connection"] = connection
    return config


def current_revision(engine: Engine) -> str | None:
    """Revision of the database; ``None`` where it has no tables of ours.

    Only looks: it waits for no writer and keeps none waiting.
    """
    with engine.execution_options(**{READ_ONLY: True}).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine) -> None:
    """Bring the database to the newest revision, in one transaction.

    Raises
    ------
    StoreError
        ``store.newer`` where it was written by a newer version of this program.
    """
    with engine.begin() as connection:
        config = config_for(connection)
        script = ScriptDirectory.from_config(config)
        now = MigrationContext.configure(connection).get_current_revision()
        known = {revision.revision for revision in script.walk_revisions()}
        if now is not None and now not in known:
            raise StoreError("store.newer", revision=now)
        command.upgrade(config, "head")


@cache
def newest_revision() -> str:
    """Revision of the tables of this version of the program."""
    config = Config()
    config.set_main_option("script_location", str(files("data.db") / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None
    return head


def check_revision(engine: Engine) -> None:
    """Refuse a database that is not of this version.

    Raises
    ------
    StoreError
        ``store.not_migrated``.
    """
    current, newest = current_revision(engine), newest_revision()
    if current != newest:
        raise StoreError("store.not_migrated", current=current or "-", newest=newest)
