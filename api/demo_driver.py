"""Sends what the demo's devices tell, when they tell it, to the inlets of the running service."""

import heapq
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from urllib.parse import urlencode

from api.services.demo_road import DemoDay, Phone
from api.services.simulating import SimulatedRun, message
from data.model.telemetry import Fix
from data.model.tracker import Protocol
from fleet.http_post import NoConnectionError, Poster

log = logging.getLogger(__name__)
_AGAIN_S = 2.0
_PATIENCE_S = 120.0
_PATHS = {Protocol.OWNTRACKS: "/inlets/owntracks", Protocol.OSMAND: "/inlets/osmand"}
_KINDS = {
    Protocol.OWNTRACKS: "application/json",
    Protocol.OSMAND: "application/x-www-form-urlencoded",
}


class DemoDriver:
    """Drives the demo's day on, in a thread of its own."""

    def __init__(self, day: DemoDay, address: str, *, clock: Callable[[], datetime]) -> None:
        self._day, self._clock = day, clock
        self._address = address.rstrip("/")
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)
        self._is_lost = False

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not sent stays unsent."""
        self._ending.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        posters = {
            phone.tracker.tracker_id: Poster(
                f"{self._address}{_PATHS[phone.tracker.protocol]}",
                timeout_s=_PATIENCE_S,
                headers={
                    "Authorization": f"Bearer {phone.secret}",
                    "Content-Type": _KINDS[phone.tracker.protocol],
                },
            )
            for phone in self._day.phones
        }
        now = self._day.now(self._clock())
        for at, fix, phone in _to_come(self._day, now):
            while not self._ending.is_set():
                wait = (at - self._day.now(self._clock())) / timedelta(seconds=1)
                if wait <= 0:
                    break
                self._ending.wait(min(wait, 30.0))
            if self._ending.is_set():
                break
            self._send(posters[phone.tracker.tracker_id], phone, fix)
        for poster in posters.values():
            poster.close()

    def _send(self, poster: Poster, phone: Phone, fix: Fix) -> None:
        """Post one message; a service that is not there yet is waited for."""
        body = message(fix, phone.kind)
        user, _, device = str(fix.device_id).partition("/")
        query = urlencode({"u": user, "d": device}) if device else ""
        while not self._ending.is_set():
            try:
                answer = poster.post(body, query=query)
            except NoConnectionError:
                self._ending.wait(_AGAIN_S)
                continue
            if not answer.is_good and not self._is_lost:
                log.warning("demo.refused", extra={"status": answer.status})
            self._is_lost = not answer.is_good
            return


def _to_come(day: DemoDay, now: datetime) -> Iterator[tuple[datetime, Fix, Phone]]:
    """What arrives after a moment, all vehicles in order."""

    def told(run: SimulatedRun, phone: Phone, order: int) -> Iterator[tuple[datetime, int, int]]:
        for number, fix in enumerate(run.fixes):
            if fix.received_at is not None and fix.received_at > now:
                yield fix.received_at, order, number

    pairs = list(zip(day.runs, day.phones, strict=True))
    for at, order, number in heapq.merge(*(told(r, p, k) for k, (r, p) in enumerate(pairs))):
        run, phone = pairs[order]
        yield at, run.fixes[number], phone
