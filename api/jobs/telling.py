"""Progress of a job: one fraction that only grows, and what people are told beside it."""

import time
from collections.abc import Callable, Mapping
from threading import Lock

from api.jobs.outcome import Note
from data.model.jobs import JobKind, Told

type Span = tuple[float, float]

_BEFORE: dict[str, Span] = {
    "phase.roads": (0.0, 0.04),
    "phase.need": (0.04, 0.08),
    "phase.matrix": (0.08, 0.12),
    "phase.access": (0.12, 0.14),
    "phase.learned": (0.14, 0.14),
    "phase.compile": (0.14, 0.15),
}
_SEARCH: Span = (0.15, 0.97)
SPANS: Mapping[JobKind, Mapping[str, Span]] = {
    JobKind.PLAN: _BEFORE | {"phase.solve": _SEARCH, "phase.check": (0.97, 0.99)},
    JobKind.REPLAN: {
        "phase.compile": (0.0, 0.05),
        "phase.solve": (0.05, 0.97),
        "phase.check": (0.97, 0.99),
    },
    JobKind.EXPLAIN: {"phase.compile": (0.0, 0.05), "phase.explain": (0.05, 0.99)},
    JobKind.FRONTIER: _BEFORE | {"phase.frontier": _SEARCH, "phase.check": (0.97, 0.99)},
    JobKind.FLEET_SIZE: _BEFORE
    | {"phase.fleet": _SEARCH, "phase.bases": _SEARCH, "phase.check": (0.97, 0.99)},
}
"""Share of the whole that each phase of a kind of job takes."""
SEARCHING = frozenset({"phase.solve", "phase.fleet", "phase.bases", "phase.frontier"})
"""Phases in which there may be a best plan to keep."""
_KEEPING = SEARCHING | {"phase.explain", "phase.check"}
_EVERY_S = 0.25
PREFIX = "jobs."
"""Codes of phases and of the best so far stand in the catalogue of jobs under this."""


class Telling:
    """The ticker of a job: sends notes, a few a second; searches may call it from any thread."""

    def __init__(
        self, kind: JobKind, send: Callable[[Note], None], should_stop: Callable[[], bool]
    ) -> None:
        self._spans = SPANS[kind]
        self._send = send
        self._should_stop = should_stop
        self._lock = Lock()
        self._phase = ""
        self._fraction = 0.0
        self._best = Told()
        self._sent_s = 0.0

    def phase(self, code: str) -> None:
        with self._lock:
            self._phase = code
            self._grow(0.0)
            self._tell(at_once=True)

    def fraction(self, done: float) -> None:
        with self._lock:
            self._grow(done)
            self._tell(at_once=False)

    def best(self, text_code: str, **facts: object) -> None:
        with self._lock:
            self._best = Told(code=PREFIX + text_code, facts=facts)
            self._tell(at_once=False)

    def should_stop(self) -> bool:
        return self._should_stop()

    def _grow(self, done: float) -> None:
        first, last = self._spans.get(self._phase, (self._fraction, self._fraction))
        reached = first + (last - first) * min(1.0, max(0.0, done))
        self._fraction = max(self._fraction, reached)

    def _tell(self, *, at_once: bool) -> None:
        now_s = time.monotonic()
        if not at_once and now_s - self._sent_s < _EVERY_S:
            return
        self._sent_s = now_s
        phase = PREFIX + self._phase if self._phase else ""
        told = Told(phase=phase, code=self._best.code, facts=self._best.facts)
        self._send(
            Note(
                fraction=round(self._fraction, 4),
                told=told,
                is_searching=self._phase in _KEEPING,
            )
        )
