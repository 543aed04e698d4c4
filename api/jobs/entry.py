"""The door of a search process: what a search needs is loaded behind it, not by the worker."""

from multiprocessing.connection import Connection

from api.settings import Settings
from data.model.jobs import JobKind


def enter(line: Connection, settings: Settings, lease_s: float, kind: JobKind) -> None:
    """Load what searches of a kind need, then wait for a job: the target of the process."""
    from api.jobs.search import runner_of, search

    runner_of(kind)
    search(line, settings, lease_s)
