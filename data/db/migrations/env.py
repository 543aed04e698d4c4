"""Alembic's entry: the connection comes from ``data.db.migrate``, or from ``-x url=…``."""

from alembic import context
from sqlalchemy import Connection

from data.db import tables
from data.db.engine import open_engine


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables.METADATA,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with open_engine(context.get_x_argument(as_dictionary=True)["url"]).connect() as own:
        run(own)
        own.commit()
