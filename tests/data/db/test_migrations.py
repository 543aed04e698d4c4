"""The migrations build exactly the tables that the code knows, on both databases."""

import time
from pathlib import Path

import pytest
from alembic import command
from alembic.util.exc import CommandError
from sqlalchemy import Engine, inspect, text

from data.db.engine import open_engine, writing
from data.db.migrate import config_for, current_revision, migrate, newest_revision
from data.db.tables import METADATA
from data.model.errors import StoreError


def test_the_migrations_and_the_tables_agree(engine: Engine) -> None:
    """A column that the code has and the migrations lack, or the other way, is a fault."""
    with engine.connect() as connection:
        try:
            command.check(config_for(connection))
        except CommandError as wrong:
            pytest.fail(str(wrong))


def test_down_and_up_again(engine: Engine) -> None:
    """Every step can be taken back, and leaves nothing behind."""
    with engine.begin() as connection:
        command.downgrade(config_for(connection), "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    migrate(engine)
    assert set(METADATA.tables) <= set(inspect(engine).get_table_names())


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """An old program does not touch what a newer one wrote."""
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreError) as refused:
        migrate(engine)
    assert refused.value.code == "store.newer"
    assert current_revision(engine) == "9999"
    engine.dispose()


def test_the_revision_is_told_while_somebody_writes(engine: Engine) -> None:
    """Whoever watches over the service is answered also during a long import."""
    with writing(engine) as session:
        session.execute(text("update alembic_version set version_num = version_num"))
        began_s = time.monotonic()
        assert current_revision(engine) == newest_revision()
        assert time.monotonic() - began_s < 5
