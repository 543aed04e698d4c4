"""The child process that reads the files of one draft.

``python -m api.services.import_worker DRAFTS DRAFT_ID MOST_MB DRIVERS``

Files from outside are read apart from the server: what they cost in time and memory, and whatever
they break, ends with this process. ``DRIVERS`` names the drivers of the vector library that are to
be off, since it opens a file by its content and some kinds lead on to other files or addresses.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

MOST_MEMORY_BYTES = 6 << 30
BEAT_S = 0.5
PROGRESS = "progress.json"
OUTCOME = "outcome.json"
STOP = "stop"
_STOPPED = 3


class FileTicker:
    """Writes what is being done into the draft, and ends the process when told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[str, object] = {"phase": "setup.phase.opening", "fraction": 0.0}
        self._parent = os.getppid()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def phase(self, code: str) -> None:
        self._told = {**self._told, "phase": code, "fraction": 0.0}

    def fraction(self, done: float) -> None:
        self._told = {**self._told, "fraction": done}

    def best(self, text_code: str, **facts: object) -> None:
        pass

    def should_stop(self) -> bool:
        return False

    def file(self, name: str) -> None:
        """Another file is begun."""
        self._told = {**self._told, "file": name}

    def close(self) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._done.is_set():
            is_orphan = os.name != "nt" and os.getppid() != self._parent
            if is_orphan or (self._folder / STOP).exists() or not self._folder.exists():
                os._exit(_STOPPED)
            part = self._folder / f"{PROGRESS}.{os.getpid()}.part"
            part.write_text(json.dumps({**self._told, "at": time.time()}), encoding="utf-8")
            part.replace(self._folder / PROGRESS)
            self._done.wait(BEAT_S)


def limit_memory() -> None:
    """A file that swells in memory ends this process and nothing else."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))


def main() -> int:
    """Read the draft named on the command line and write its outcome."""
    root, draft_id, most_mb, drivers = sys.argv[1:]
    os.environ["GDAL_SKIP"] = drivers
    limit_memory()
    from api.services.import_outcome import OUTCOME as KIND
    from api.services.import_outcome import Outcome, Told
    from api.services.import_reading import DraftReader
    from api.services.region_drafts import Drafts, write_whole

    drafts = Drafts(Path(root))
    folder = drafts.folder(draft_id)
    mark = drafts.print_of(draft_id)
    tick = FileTicker(folder)
    reader = DraftReader(
        drafts=drafts,
        draft=drafts.get(draft_id),
        tick=tick,
        most_bytes=int(most_mb) * 1_000_000,
        begin_file=tick.file,
    )
    try:
        outcome = reader.read(folder / f"region-{uuid4().hex[:8]}")
    except MemoryError:
        outcome = Outcome(print_of_draft=mark, errors=(Told(code="setup.too_large"),))
    tick.close()
    write_whole(folder / OUTCOME, KIND.dump_json(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
