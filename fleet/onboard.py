"""The on-board program: receivers to buffer to service, each going on without the others."""

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from data.model.telemetry import Fix, Verdict
from fleet.buffer import Buffer
from fleet.filters import FilterParams, FilterState, judge
from fleet.forward import Forwarder
from fleet.receiver import GpsdLostError, Receiver

log = logging.getLogger(__name__)

POLL_S = 0.5
"""Twice as often as receivers speak, so that none of their fixes is overwritten unread."""
_FRESH = timedelta(seconds=5)
_FIRST_WAIT_S, _MOST_WAIT_S = 1.0, 30.0
USELESS = frozenset({Verdict.NO_FIX, Verdict.ZERO_ISLAND, Verdict.DUPLICATE})
"""What is not kept on board; everything else the service judges by itself."""


@dataclass(slots=True)
class Intake:
    """What of the fixes is kept: all while driving, one in so many seconds while parked.

    Everything that is not kept is counted with its reason.
    """

    buffer: Buffer
    parked_every_s: float = 15.0
    params: FilterParams = field(default_factory=FilterParams)
    counts: Counter[str] = field(default_factory=Counter)
    _state: FilterState = field(default_factory=FilterState)
    _last_kept: Fix | None = None

    def take(self, fix: Fix) -> bool:
        """Whether the fix was kept."""
        verdict = judge(fix, self._state, self.params)
        if verdict in USELESS:
            self.counts[verdict.value] += 1
            return False
        if verdict is Verdict.PARKED and self._is_soon(fix):
            self.counts["thinned"] += 1
            return False
        self._last_kept = fix
        self.counts["kept"] += 1
        self.buffer.add(fix)
        return True

    def _is_soon(self, fix: Fix) -> bool:
        if self._last_kept is None:
            return False
        since_s = (fix.fix_at - self._last_kept.fix_at).total_seconds()
        return 0 <= since_s < self.parked_every_s


class Onboard:
    """Reads receivers and forwards, each in a thread of its own, until it is stopped.

    Parameters
    ----------
    receivers
        In order of preference: the first that has a fresh fix counts.
    """

    def __init__(
        self,
        receivers: Sequence[Receiver],
        intake: Intake,
        forwarder: Forwarder | None,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self._receivers = tuple(receivers)
        self._intake, self._forwarder = intake, forwarder
        self._poll_s = poll_s
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._fresh: dict[int, Fix] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; returns at once."""
        jobs = [partial(self._read, number) for number in range(len(self._receivers))]
        if self._forwarder is not None:
            jobs.append(partial(self._forward, self._forwarder))
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait; whether it was stopped meanwhile."""
        return self._stop.wait(seconds)

    def stop(self) -> None:
        """End all threads and write what is held."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)
        for receiver in self._receivers:
            receiver.close()
        if self._forwarder is not None:
            self._forwarder.poster.close()
        with self._lock:
            self._intake.buffer.close()

    def request_stop(self) -> None:
        """Let it end soon; for a signal, which must not wait."""
        self._stop.set()

    def _read(self, number: int) -> None:
        """Poll one receiver for ever; a lost gpsd is told once and looked for again."""
        receiver, is_lost, wait_s = self._receivers[number], False, _FIRST_WAIT_S
        while not self._stop.is_set():
            try:
                fixes = receiver.poll()
            except GpsdLostError as wrong:
                if not is_lost:
                    log.warning("gpsd lost", extra={"port": receiver.port, "cause": str(wrong)})
                is_lost = True
                self._stop.wait(wait_s)
                wait_s = min(_MOST_WAIT_S, 2 * wait_s)
                continue
            if is_lost:
                log.warning("gpsd is back", extra={"port": receiver.port})
            is_lost, wait_s = False, _FIRST_WAIT_S
            for fix in fixes:
                self._take(number, fix)
            self._stop.wait(self._poll_s)

    def _take(self, number: int, fix: Fix) -> None:
        """Keep a fix unless a better receiver has a fresh one."""
        with self._lock:
            self._fresh[number] = fix
            is_second = any(
                other in self._fresh and _device_age(fix, self._fresh[other]) < _FRESH
                for other in range(number)
            )
            if is_second:
                self._intake.counts["second_receiver"] += 1
            else:
                self._intake.take(fix)

    def _forward(self, forwarder: Forwarder) -> None:
        while not self._stop.is_set():
            self._stop.wait(forwarder.step())


def _device_age(fix: Fix, other: Fix) -> timedelta:
    """How much older another receiver's last fix is, by the clock of this machine."""
    if fix.device_at is None or other.device_at is None:
        return timedelta.max
    return fix.device_at - other.device_at
