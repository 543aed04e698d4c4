"""One writer for all inlets: what comes in at the same time is stored in one transaction.

A message is answered only when its transaction is committed, so that a device keeps what is not
stored yet; a disk that takes a hundred commits a second still takes thousands of fixes.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from api.services.duty import Guard, OutOfDuty, refusal_of_guard
from data.db import track_store
from data.db.engine import writing
from data.db.track_store import Delivery
from data.model.errors import StoreError
from data.model.telemetry import Fix, Refusal
from data.model.tracker import Counts, Tracker

log = logging.getLogger(__name__)

MOST_WAITING = 200_000
"""Fixes that wait to be stored; beyond it devices are asked to come again."""
MOST_AT_ONCE = 20_000
"""Fixes of one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a message: counts, and each position that was not taken with its reason."""

    counts: Counts = field(default_factory=Counts)
    refusals: tuple[Refusal, ...] = ()


@dataclass(slots=True)
class _Waiting:
    delivery: Delivery
    guarded: tuple[Refusal, ...]
    future: "Future[Taken]" = field(default_factory=Future)


class Intake:
    """Stores what the inlets bring, in a thread of its own.

    Parameters
    ----------
    stored
        Called after each transaction that stored something new.
    """

    def __init__(
        self, engine: Engine, guard: Guard, *, clock: Callable[[], datetime],
        stored: Callable[[], None],
    ) -> None:  # fmt: skip
        self._engine, self._guard = engine, guard
        self._clock, self._stored = clock, stored
        self._queue: queue.Queue[_Waiting | None] = queue.Queue()
        self._num_waiting = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_lost = False

    def start(self) -> None:
        """Begin to store."""
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Store what waits and end."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(timeout=15)

    def submit(
        self, tracker: Tracker, fixes: Sequence[Fix], refusals: Sequence[Refusal] = ()
    ) -> "Future[Taken]":
        """Hand over the fixes of a message; the future is done when they are stored for good.

        Raises
        ------
        StoreError
            ``tracking.busy`` where too many wait already.
        """
        waiting = _Waiting(
            Delivery(tracker=tracker, fixes=tuple(fixes), num_refused=len(refusals)), ()
        )
        with self._lock:
            if self._num_waiting + len(fixes) > MOST_WAITING:
                raise StoreError("tracking.busy", waiting=self._num_waiting)
            self._num_waiting += len(fixes)
        self._queue.put(waiting)
        return waiting.future

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            number, is_over = len(first.delivery.fixes), False
            while number < MOST_AT_ONCE:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    is_over = True
                    break
                batch.append(following)
                number += len(following.delivery.fixes)
            self._store(batch)
            with self._lock:
                self._num_waiting -= number
            if is_over:
                return

    def _store(self, batch: list[_Waiting]) -> None:
        try:
            for waiting in batch:
                self._judge(waiting)
            counts = self._write([w.delivery for w in batch])
        except SQLAlchemyError as wrong:
            self._failed(batch, wrong)
            return
        except Exception as wrong:  # the edge of a thread: whoever waits must be answered
            log.exception("intake.failed")
            for waiting in batch:
                waiting.future.set_exception(wrong)
            return
        if self._is_lost:
            log.info("intake.back")
        self._is_lost = False
        for waiting, count in zip(batch, counts, strict=True):
            waiting.future.set_result(Taken(counts=count, refusals=waiting.guarded))
        if any(count.num_new for count in counts):
            self._stored()

    def _judge(self, waiting: _Waiting) -> None:
        """Leave out what may not be kept."""
        delivery = waiting.delivery
        tracker = delivery.tracker
        if tracker.vehicle_id is None:
            return
        kept, dropped = self._guard.parted(tracker.region_id, tracker.vehicle_id, delivery.fixes)
        waiting.guarded = tuple(_refusal(delivery.fixes, i, reason) for i, reason in dropped)
        waiting.delivery = Delivery(
            tracker=tracker,
            fixes=kept,
            num_refused=delivery.num_refused,
            num_guarded=len(dropped),
        )

    def _write(self, deliveries: Sequence[Delivery]) -> tuple[Counts, ...]:
        with writing(self._engine) as session:
            return track_store.add_deliveries(session, deliveries, at=self._clock())

    def _failed(self, batch: list[_Waiting], wrong: SQLAlchemyError) -> None:
        """Ask to come again where the database is lost; else find the one it objects to."""
        if len(batch) > 1 and not isinstance(wrong, OperationalError):
            for waiting in batch:
                self._store([waiting])
            return
        if not self._is_lost:
            log.error("intake.lost", exc_info=wrong)
        self._is_lost = isinstance(wrong, OperationalError)
        for waiting in batch:
            waiting.future.set_exception(StoreError("tracking.not_stored"))


def _refusal(fixes: Sequence[Fix], index: int, reason: OutOfDuty) -> Refusal:
    return refusal_of_guard(reason, index, fixes[index])
