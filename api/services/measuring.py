"""What takes a while to measure, measured once in a thread beside the requests and kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field


@dataclass(slots=True)
class MeasuringRun[T]:
    """Something that is being measured, or was; told of its progress as a ``Ticker``."""

    future: Future[T]
    phase_code: str = "phase.need"
    done: float = 0.0

    def phase(self, code: str) -> None:
        self.phase_code, self.done = code, 0.0

    def fraction(self, done: float) -> None:
        self.done = done

    def best(self, text_code: str, **facts: object) -> None:
        pass

    def should_stop(self) -> bool:
        return False

    def result(self, wait_s: float) -> T | None:
        """The result, or ``None`` where it is not measured within that time.

        Raises
        ------
        BookmobileError
            Whatever the measuring was refused for.
        """
        try:
            return self.future.result(timeout=wait_s)
        except NotYet:
            return None

    @property
    def has_failed(self) -> bool:
        return self.future.done() and self.future.exception() is not None


@dataclass(slots=True, kw_only=True)
class Measuring[T]:
    """Results by key, the last ones kept: one measuring at a time."""

    most: int
    _held: OrderedDict[Hashable, MeasuringRun[T]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max_workers=1, thread_name_prefix="measuring")
    )

    def begin(self, key: Hashable, work: Callable[[MeasuringRun[T]], T]) -> MeasuringRun[T]:
        """The run of a key, begun if need be; one that failed is begun anew."""
        with self._lock:
            known = self._held.get(key)
            if known is not None and not known.has_failed:
                self._held.move_to_end(key)
                return known
            run: MeasuringRun[T] = MeasuringRun(future=Future())
            self._held[key] = run
            while len(self._held) > self.most:
                self._held.popitem(last=False)
        self._pool.submit(_measure, run, work)
        return run


def _measure[T](run: MeasuringRun[T], work: Callable[[MeasuringRun[T]], T]) -> None:
    try:
        run.future.set_result(work(run))
    except BaseException as wrong:  # noqa: BLE001
        # Whoever waits is told; this thread has nobody else to tell.
        run.future.set_exception(wrong)
