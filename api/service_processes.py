"""The processes of the service: what each does, and how it ends when the one above is gone."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing import parent_process

from api.logs import set_up_logs
from api.settings import Settings

LAST_WORDS_S = 20.0
"""Time that a process has to end in good order once nobody watches over it."""
_ABANDONED = 4


def run_web(settings: Settings, bound: socket.socket) -> None:
    """Answer requests until told to end."""
    from api.app import create_app
    from api.serving import make_server

    set_up_logs(settings)
    # The server takes these signals while it runs, and sends them on to itself at its end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    server = make_server(create_app(settings), settings)

    def end() -> None:
        server.should_exit = True

    end_with_parent(end)
    server.run(sockets=[bound])


def run_worker(settings: Settings, name: str, slots: int) -> None:
    """Do jobs until told to end; what is under way is then handed out again."""
    from api.jobs.worker import Worker
    from api.state import clock_of

    set_up_logs(settings)
    worker = Worker(settings, name=name, slots=slots, clock=clock_of(settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.leave())
    end_with_parent(worker.leave)
    worker.run()


def end_with_parent(end: Callable[[], None]) -> None:
    """Have this process end soon after the one that started it, however that one ended."""
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        end()
        killer = threading.Timer(LAST_WORDS_S, os._exit, args=(_ABANDONED,))
        killer.daemon = True
        killer.start()

    threading.Thread(target=wait, name="parent", daemon=True).start()
