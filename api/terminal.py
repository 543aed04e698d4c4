"""What the terminal shows: progress bars, errors, tables; Ctrl-C asks to stop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from api.words import Words


class Bars:
    """A ticker that draws one bar a phase and takes Ctrl-C as "keep the best so far".

    Where no terminal watches, a phase is one line of text as it begins.
    """

    def __init__(self, progress: Progress, words: Words, stopping: str) -> None:
        self._progress = progress
        self._words = words
        self._stopping = stopping
        self._task: TaskID | None = None
        self._stop = False
        self._to_say: SimpleQueue[str | None] = SimpleQueue()
        self._speaker = threading.Thread(target=self._speak, name="stopping", daemon=True)
        self._speaker.start()

    def phase(self, code: str) -> None:
        self._finish()
        name = self._words(code)
        if self._progress.disable:
            self._progress.console.print(name)
        self._task = self._progress.add_task(name, total=1.0, note="")

    def fraction(self, done: float) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=min(max(done, 0.0), 1.0))

    def best(self, text_code: str, **facts: object) -> None:
        if self._task is not None:
            self._progress.update(self._task, note=self._words(text_code, **facts))

    def should_stop(self) -> bool:
        return self._stop

    def ask_to_stop(self) -> None:
        """Remember that the person wants to end here; for signal handlers.

        A signal may cut into the printing of a line, so this one is printed by a thread of its own.
        """
        self._stop = True
        self._to_say.put(self._stopping)

    def _speak(self) -> None:
        while (code := self._to_say.get()) is not None:
            self._progress.console.print(self._words(code))

    def _finish(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=1.0)

    def close(self) -> None:
        self._finish()
        self._to_say.put(None)
        self._speaker.join()


@contextmanager
def progress_bars(
    console: Console, words: Words, *, stopping: str = "cli.stopping"
) -> Iterator[Bars]:
    """Show progress while the block runs.

    Parameters
    ----------
    stopping
        Code of what is said when a person asks to stop.

    Notes
    -----
    The first Ctrl-C asks the work to stop and keep its best; a second one ends the program.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars = Bars(progress, words, stopping)
        before = signal.getsignal(signal.SIGINT)

        def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
            if bars.should_stop():
                raise KeyboardInterrupt
            bars.ask_to_stop()

        signal.signal(signal.SIGINT, on_interrupt)
        try:
            yield bars
        finally:
            signal.signal(signal.SIGINT, before)
            bars.close()
