"""Starts the processes of the service and keeps them running until it is told to end."""

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from api.jobs.pace import USUAL
from api.jobs.queue import JobQueue
from api.jobs.reaping import lose_worker
from api.jobs.worker_names import worker_name
from api.service_processes import run_web, run_worker
from api.serving import LAST_ANSWERS_S
from api.settings import SHARED_METRICS, Settings
from api.state import clock_of
from data.db.engine import open_engine
from data.db.migrate import migrate
from data.model.errors import InputError, StoreError

log = logging.getLogger(__name__)

_SPAWN = multiprocessing.get_context("spawn")
_END_S = LAST_ANSWERS_S + 5.0
"""Time that processes have to end in good order."""
_QUICK_S = 10.0
"""A process that ends sooner than this ended at its start."""
_MOST_QUICK = 5
"""So many such ends in a row mean that the service cannot run at all."""
_MOST_WAIT_S = 30.0


@dataclass(kw_only=True)
class _Child:
    """A process that is to run: how to start it, and how it has fared."""

    role: str
    start: Callable[["_Child"], BaseProcess]
    name: str = ""
    process: BaseProcess | None = None
    started_s: float = 0.0
    quick_ends: int = 0
    due_s: float = 0.0
    """When it is to be started again."""


@dataclass(kw_only=True)
class Supervisor:
    """Web processes on one socket and a worker; each is started again where it dies.

    Parameters
    ----------
    settings
        With the address and port that are served.
    web
        Processes that answer requests.
    jobs
        Long jobs at once; 0: no worker here.
    """

    settings: Settings
    bound: socket.socket
    web: int = 1
    jobs: int = 1
    _children: list[_Child] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)

    def run(self) -> int:
        """Run until ``end``; 0, or 1 where a process could not be kept running."""
        with _shared_metrics(self.web) as metrics_dir:
            self._children = [_Child(role="web", start=self._web) for _ in range(self.web)]
            if self.jobs:
                self._children.append(_Child(role="worker", start=self._worker))
            log.info("service.started", extra={"web": self.web, "jobs": self.jobs})
            try:
                return self._watch(metrics_dir)
            finally:
                self._end_all()
                log.info("service.ended")

    def end(self) -> None:
        """End in good order; safe in a signal handler."""
        self._ending.set()

    def _watch(self, metrics_dir: Path | None) -> int:
        while not self._ending.is_set():
            now_s = time.monotonic()
            for child in self._children:
                if child.process is None and now_s >= child.due_s:
                    child.started_s = now_s
                    child.process = child.start(child)
            running = [c.process.sentinel for c in self._children if c.process is not None]
            connection.wait(running, timeout=0.3)
            for child in self._children:
                if child.process is None or child.process.is_alive():
                    continue
                if self._ending.is_set():
                    break
                if not self._mourn(child, metrics_dir):
                    return 1
        return 0

    def _mourn(self, child: _Child, metrics_dir: Path | None) -> bool:
        """Take note of a process that ended; ``False`` where it never stays."""
        assert child.process is not None
        lived_s = time.monotonic() - child.started_s
        code, pid = child.process.exitcode, child.process.pid
        log.error("service.process_died", extra={"role": child.role, "exit_code": code, "pid": pid})
        child.process.close()
        child.process = None
        if child.role == "worker":
            self._lose(child.name)
        elif metrics_dir is not None and pid is not None:
            mark_process_dead(pid, str(metrics_dir))  # type: ignore[no-untyped-call]
        child.quick_ends = child.quick_ends + 1 if lived_s < _QUICK_S else 0
        wait_s = min(_MOST_WAIT_S, 2.0**child.quick_ends - 1)
        child.due_s = time.monotonic() + wait_s
        # A worker waits for its database as long as it takes; pages must be there.
        return child.role == "worker" or child.quick_ends < _MOST_QUICK

    def _lose(self, worker: str) -> None:
        """Hand out again at once what a dead worker held."""
        url = self.settings.database_url
        engine: Engine = open_engine(url)
        try:
            queue = JobQueue(url)
            try:
                lose_worker(engine, queue, worker, USUAL, clock_of(self.settings)())
            finally:
                queue.close()
        except Exception:  # the drivers share no error, and the reaper finds these jobs later
            log.warning("service.jobs_left", extra={"worker": worker}, exc_info=True)
        finally:
            engine.dispose()

    def _web(self, _child: _Child) -> BaseProcess:
        return _started(run_web, self.settings, self.bound)

    def _worker(self, child: _Child) -> BaseProcess:
        child.name = worker_name()
        return _started(run_worker, self.settings, child.name, self.jobs)

    def _end_all(self) -> None:
        living = [c.process for c in self._children if c.process is not None]
        for process in living:
            process.terminate()
        until_s = time.monotonic() + _END_S
        for process in living:
            process.join(max(0.0, until_s - time.monotonic()))
            if process.is_alive():
                log.error("service.process_killed", extra={"pid": process.pid})
                process.kill()
                process.join()
            process.close()


def _started(target: Callable[..., None], *args: object) -> BaseProcess:
    process = _SPAWN.Process(target=target, args=args)
    process.start()
    return process


@contextmanager
def _shared_metrics(web: int) -> Iterator[Path | None]:
    """A folder where several web processes add up their figures; one needs none."""
    if web == 1:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="bookmobile-metrics-"))
    os.environ[SHARED_METRICS] = str(folder)
    try:
        yield folder
    finally:
        del os.environ[SHARED_METRICS]
        shutil.rmtree(folder, ignore_errors=True)


def prepare_database(settings: Settings) -> Engine:
    """The database, brought to the tables of this version; its folder is made where missing.

    Raises
    ------
    StoreError
        ``store.unreachable``; as ``data.db.migrate.migrate``.
    """
    url = make_url(settings.database_url)
    for folder in (settings.data_dir, settings.cache_dir):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_engine(settings.database_url)
    try:
        migrate(engine)
    except SQLAlchemyError as wrong:
        engine.dispose()
        shown = url.render_as_string(hide_password=True)
        raise StoreError(
            "store.unreachable", database=shown, cause=str(wrong).splitlines()[0]
        ) from wrong
    return engine


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on an address; port 0 is any free one.

    Raises
    ------
    InputError
        ``serve.cannot_listen``.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.create_server(address, family=family, backlog=2048)
        # Connections take this over. Without it the second part of every small answer waits some
        # 40 ms for the first to be acknowledged: asyncio sets it on sockets of its own alone.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound
    except OSError as wrong:
        cause = wrong.strerror or str(wrong)
        raise InputError("serve.cannot_listen", host=host, port=port, cause=cause) from wrong


def placed(settings: Settings, *, host: str | None, port: int | None) -> Settings:
    """The settings at another address and port; the public address follows, if it was not set."""
    own = Settings(port=settings.port, tls_certificate=settings.tls_certificate).public_url
    public_url = "" if settings.public_url == own else settings.public_url
    return replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        public_url=public_url,
    )


def end_on_signals(supervisor: Supervisor) -> None:
    """Ctrl-C and SIGTERM end the service in good order."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.end())
