"""Names of workers."""

import os
import secrets
import socket


def worker_name() -> str:
    """A name that no worker ever had: machine, process, chance."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
