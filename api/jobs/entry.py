"""The door of a search process: what a search needs is loaded behind it, not by the worker."""

from multiprocessing.connection import Connection

from api.settings import Settings


def enter(line: Connection, settings: Settings, lease_s: float) -> None:
    """Load what searches need, then wait for a job: the target of the process."""
    from api.jobs.search import search

    search(line, settings, lease_s)
