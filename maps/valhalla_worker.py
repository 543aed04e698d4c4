"""The child process that holds the road engine; nothing else imports ``valhalla``.

Native code can crash, and an ``Actor`` must not be shared between threads, so the engine never
runs inside the program: ``maps.engine`` starts this module, one process a worker.

``serve CONFIG``
    Answers requests on standard input, one a line: action, tab, JSON. Each answer is one line:
    the engine's error code (0 is none), tab, JSON or the error's text.
``defaults``
    Prints the engine's default configuration as JSON.
``build CONFIG EXTRACT``
    Builds road tiles and packs them into one file; the log goes to standard output.
"""

import json
import os
import signal
import subprocess
import sys
from typing import BinaryIO


def _serve(config: str, requests: BinaryIO, answers: BinaryIO) -> None:
    from valhalla import Actor, ValhallaError

    actor = Actor(config)
    for line in requests:
        action, _, request = line.decode().partition("\t")
        code = 0
        try:
            answer = getattr(actor, action)(request.rstrip("\n"))
        except ValhallaError as error:
            code, answer = error.code, error.message
        text = answer.replace("\n", " ")
        answers.write(f"{code}\t{text}\n".encode())
        answers.flush()


def _build(config: str, extract: str) -> int:
    from valhalla._scripts import IS_WIN, PYVALHALLA_BIN_DIR, WIN_LIB_DIR

    program = PYVALHALLA_BIN_DIR / (
        "valhalla_build_tiles.exe" if IS_WIN else "valhalla_build_tiles"
    )
    environment = {**os.environ, "PATH": WIN_LIB_DIR} if IS_WIN else None
    done = subprocess.run(
        [program, "-c", config, extract], stderr=subprocess.STDOUT, env=environment, check=False
    )
    if done.returncode:
        return 1
    pack = [sys.executable, "-m", "valhalla.valhalla_build_extract", "-c", config, "-O"]
    return subprocess.run(pack, stderr=subprocess.STDOUT, check=False).returncode


def main() -> int:
    """Run the job named on the command line."""
    job, *rest = sys.argv[1:]
    if job == "serve":
        # Ctrl-C is the program's to handle; this process ends when its input does.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # The engine may print: what it prints must not mix with the answers.
        answers = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        _serve(rest[0], sys.stdin.buffer, answers)
        return 0
    if job == "defaults":
        from valhalla import get_config

        sys.stdout.write(json.dumps(get_config(tile_extract="", tile_dir="", verbose=True)))
        return 0
    return _build(*rest)


if __name__ == "__main__":
    sys.exit(main())
