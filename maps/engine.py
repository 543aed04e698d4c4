"""Worker processes that hold a native engine: a crash costs one request, not the program.

The workers are plain child processes with pipes, not a process pool: they never import the
caller's main module, so they start the same from a script, a test and an interactive session.
"""

import json
import logging
import os
import queue
import subprocess
import sys
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from data.model.errors import RoadsError

log = logging.getLogger(__name__)

WORKER = "maps.valhalla_worker"
CRASHED = "roads.engine_crashed"


def worker_command(*arguments: str) -> list[str]:
    """The command line of a child process."""
    return [sys.executable, "-m", WORKER, *arguments]


def worker_environment() -> dict[str, str]:
    """The environment of a child process: this package is found from any folder."""
    root = str(Path(__file__).resolve().parents[1])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, known] if known else [root])}


class EngineError(Exception):
    """A refusal of the engine itself: its error number and text."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code}: {text}")


class _Worker:
    """One child process, started on first use and again after a crash."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def ask(self, action: str, request: str) -> str:
        line = f"{action}\t{request}\n".encode()
        answer = self._talk(line)
        if answer is None and not self._is_closed:
            log.warning("road_engine_died", extra={"action": action, "pid": self.pid})
            self.stop()
            answer = self._talk(line)  # once more: it may have been killed while idle
        if answer is None:
            self.stop()
            raise RoadsError(CRASHED, action=action)
        code, _, text = answer.decode().partition("\t")
        if code != "0":
            raise EngineError(int(code), text.strip())
        return text

    def _talk(self, line: bytes) -> bytes | None:
        if self._is_closed:
            return None
        if self._process is None:
            self._process = subprocess.Popen(
                worker_command("serve", str(self._config)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=worker_environment(),
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("the worker has no pipes")
        try:
            stdin.write(line)
            stdin.flush()
            answer = stdout.readline()
        except OSError:  # the pipe is broken
            return None
        return answer if answer.endswith(b"\n") else None

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # unsent bytes for a process that is gone
                    continue
        process.wait()

    def close(self) -> None:
        self._is_closed = True
        self.stop()


class Engine:
    """A fixed number of workers behind one door; safe to use from several threads.

    Parameters
    ----------
    config
        The engine's configuration file.
    workers
        Worker processes, each started on first use.
    """

    def __init__(self, config: Path, *, workers: int = 2) -> None:
        self.workers = max(1, workers)
        self._all = [_Worker(config) for _ in range(self.workers)]
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for worker in self._all:
            self._free.put(worker)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="roads")
        self._stop = weakref.finalize(self, _stop_all, self._threads, self._all)

    def ask(self, action: str, request: dict[str, Any]) -> Any:
        """The engine's answer to one request.

        Raises
        ------
        EngineError
            The engine refuses: its number and text.
        RoadsError
            ``roads.engine_crashed``: the engine died twice over this request. The next request
            finds a new worker.
        """
        worker = self._free.get()
        try:
            text = worker.ask(action, json.dumps(request, separators=(",", ":")))
        finally:
            self._free.put(worker)
        return json.loads(text)

    def submit(self, action: str, request: dict[str, Any]) -> Future[Any]:
        """Ask in the background; as many requests run at once as there are workers."""
        return self._threads.submit(self.ask, action, request)

    def pids(self) -> list[int]:
        """Process numbers of the workers that run."""
        return [worker.pid for worker in self._all if worker.pid is not None]

    def close(self) -> None:
        """End the workers."""
        self._stop()


def _stop_all(threads: ThreadPoolExecutor, workers: list[_Worker]) -> None:
    threads.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.close()
