"""The queue that hands ids of jobs to workers: huey's storage, in a file or in PostgreSQL.

It carries nothing but ids. What is lost of it is handed out again from the table of jobs, and an
id that comes twice finds its job claimed.
"""

import logging
import time
from pathlib import Path

from huey.storage import BaseSqlStorage, PostgresStorage, SqliteStorage
from sqlalchemy import URL
from sqlalchemy.engine import make_url

from data.model.jobs import JobKind

log = logging.getLogger(__name__)

LONG, SHORT = "long", "short"
LANES = (LONG, SHORT)
"""A question is answered while a plan is searched: it has a lane of its own."""
USUAL_KIND = {LONG: JobKind.PLAN, SHORT: JobKind.EXPLAIN}
"""The kind of job that a lane's worker is ready for."""
PREFIX = "bookmobile_queue"
_PRIORITY = {JobKind.REPLAN: 2, JobKind.PLAN: 1}
_TRIES = 5


def lane_of(kind: JobKind) -> str:
    """The lane of a kind of job."""
    return SHORT if kind is JobKind.EXPLAIN else LONG


class JobQueue:
    """Ids of waiting jobs, the more urgent ones first.

    Parameters
    ----------
    url
        Address of the service's database. The queue of an SQLite file lies beside it; in
        PostgreSQL it has tables of its own.
    """

    def __init__(self, url: str) -> None:
        self._lanes = {lane: _storage(make_url(url), lane) for lane in LANES}

    def hand_out(self, job_id: str, kind: JobKind) -> None:
        """Offer a job to the workers."""
        lane = self._lanes[lane_of(kind)]
        lane.enqueue(job_id.encode("ascii"), _PRIORITY.get(kind, 0))

    def next_id(self, lane: str) -> str | None:
        """The next id, gone from the queue; ``None`` where nothing waits."""
        found = self._lanes[lane].dequeue()
        return None if found is None else bytes(found).decode("ascii")

    def size(self, lane: str) -> int:
        """Ids that wait in a lane."""
        return int(self._lanes[lane].queue_size())

    def close(self) -> None:
        for storage in self._lanes.values():
            storage.close()


def _storage(url: URL, lane: str) -> BaseSqlStorage:
    if url.get_backend_name() == "sqlite":
        database = Path(url.database or "")
        file = database.with_name(f"{database.stem}-queue{database.suffix or '.sqlite'}")
        return SqliteStorage(lane, filename=str(file), timeout=15)
    from psycopg import Error  # an optional package: who has no PostgreSQL needs none of it

    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    # Two workers that start at once both make the tables, and one of them is told so.
    for left in reversed(range(_TRIES)):
        try:
            return PostgresStorage(lane, dsn=dsn, blocking=False, table_prefix=PREFIX)
        except Error:
            if left == 0:
                raise
            time.sleep(0.2)
    raise AssertionError("the loop returns or raises")
