"""Serve a plan folder on this machine and open its map."""

import os
import socket
import threading
import webbrowser
from pathlib import Path

import uvicorn
from rich.console import Console

from api.plan_site import create_plan_site
from api.words import Words

HOST = "127.0.0.1"


def serve_folder(folder: Path, port: int, words: Words) -> None:
    """Serve until Ctrl-C; where the port is taken, on a free one."""
    with listening(port) as bound:
        address = f"http://localhost:{bound.getsockname()[1]}/"
        Console().print(words("cli.serving", address=address))
        threading.Timer(1.0, webbrowser.open, args=(address,)).start()
        config = uvicorn.Config(create_plan_site(folder), log_level="warning")
        uvicorn.Server(config).run(sockets=[bound])


def listening(port: int) -> socket.socket:
    """A socket bound to the port, or to any free one where that is taken."""
    for wanted in (port, 0):
        bound = socket.socket()
        if os.name != "nt":
            # On Windows this would share a port that another program holds.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, wanted))
        except OSError:
            bound.close()
            if wanted == 0:
                raise
        else:
            return bound
    raise AssertionError("a free port is always found or refused")
