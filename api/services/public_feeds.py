"""What was made for readers, kept until it is not asked for any more: pages, feeds, papers."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST_BYTES = 64_000_000
"""So much is kept together; what was not asked for longest goes first."""


@dataclass(slots=True)
class _Turn:
    """Those who wait for one document."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    num: int = 0


class MadeFeeds:
    """Documents by their tag, each made once, however many ask for it at a time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._num_bytes = 0
        self._held: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._lock = threading.Lock()
        self._turns: dict[str, _Turn] = {}

    @property
    def num_bytes(self) -> int:
        """How much is kept."""
        return self._num_bytes

    def get(self, tag: str, make: Callable[[], bytes], *, state: str = "") -> bytes:
        """A document by its tag, made at the first asking.

        Parameters
        ----------
        state
            Of what it is made from: of one tag only the newest state is kept.
        """
        known = self._known(tag, state)
        if known is not None:
            return known
        with self._turn(tag):
            known = self._known(tag, state)
            if known is None:
                known = make()
                self._keep(tag, state, known)
            return known

    def _known(self, tag: str, state: str) -> bytes | None:
        with self._lock:
            found = self._held.get(tag)
            if found is None or found[0] != state:
                return None
            self._held.move_to_end(tag)
            return found[1]

    def _keep(self, tag: str, state: str, made: bytes) -> None:
        with self._lock:
            before = self._held.pop(tag, ("", b""))[1]
            self._held[tag] = state, made
            self._num_bytes += len(made) - len(before)
            while self._num_bytes > self._most_bytes and self._held:
                _, (_, gone) = self._held.popitem(last=False)
                self._num_bytes -= len(gone)

    @contextmanager
    def _turn(self, tag: str) -> Iterator[None]:
        with self._lock:
            turn = self._turns.setdefault(tag, _Turn())
            turn.num += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._lock:
                turn.num -= 1
                if not turn.num:
                    del self._turns[tag]
