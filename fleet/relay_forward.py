"""From the vehicle's own computer to the service: tablets' events there, its answers back."""

import json
import logging
import random
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from fleet.http_post import NoConnectionError, Poster
from fleet.relay_store import RelayStore

log = logging.getLogger(__name__)

_FIRST_WAIT_S, _MOST_WAIT_S, _NOT_KNOWN_WAIT_S = 1.0, 60.0, 60.0
_AT_ONCE = 200
_PATIENCE_S = 150.0
_WORD = "relay"


def service_of(address: str) -> str:
    """The service's own address of any address of it: ``https://library.example``."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(slots=True)
class RelayForwarder:
    """Brings events to the service by this computer's own token.

    Parameters
    ----------
    service, token
        Address of the service; token of this computer, paired as a device of the vehicle.
    heard
        Told of each moment at which the service answered.
    """

    store: RelayStore
    service: str
    token: str
    every_s: float = 5.0
    heard: Callable[[datetime], None] = lambda _at: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = field(default=random.random)
    num_sent: int = 0
    _device: str = ""
    _fails: int = 0
    _trouble: str = ""
    _poster: Poster | None = None

    def step(self) -> float:
        """One exchange, where something waits; seconds until the next."""
        events = self.store.waiting(_AT_ONCE)
        if not events:
            return self.every_s
        try:
            if not self._device:
                self._device = self._whoami()
            # An empty one first: it tells how far off this computer's clock is.
            met = self._exchange([], [])
            offset = datetime.fromisoformat(met["server_now"]) - self.clock()
            told = self._exchange(list(events), self._marks(offset))
        except PermissionError:
            self._failed("does not know this computer's token")
            return _NOT_KNOWN_WAIT_S
        except (NoConnectionError, OSError, ValueError, KeyError) as wrong:
            return self._failed(f"not reached ({type(wrong).__name__})")
        answers = [
            {**a, "event_id": a["event_id"] or events[a["index"]]["event_id"]}
            for a in told["answers"]
        ]
        if not answers:
            return self._failed("an answer that leaves events out")
        self.store.settle(answers, told["revision"])
        self.num_sent += len(answers)
        self.heard(self.clock())
        if self._trouble:
            log.warning("service takes tablets' events again")
        self._trouble, self._fails = "", 0
        return 0.0 if len(events) == _AT_ONCE else self.every_s

    def close(self) -> None:
        """End the connection."""
        if self._poster is not None:
            self._poster.close()

    def _marks(self, offset: timedelta) -> Sequence[Mapping[str, Any]]:
        """Clocks of tablets beside the service's, by how long ago each was seen."""
        now = self.clock() + offset
        return [
            {
                "device_id": seen.journal,
                "sequence": seen.sequence,
                "device_at": seen.device_at.isoformat(),
                "server_at": (now - timedelta(seconds=seen.ago_s)).isoformat(),
            }
            for seen in self.store.clocks()
        ][:_AT_ONCE]

    def _exchange(
        self, events: list[dict[str, Any]], marks: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        if self._poster is None:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            self._poster = Poster(
                f"{self.service}/api/v1/sync/events", headers=headers, timeout_s=_PATIENCE_S
            )
        body = {
            "device_id": f"{self._device}.{_WORD}",
            "device_now": self.clock().isoformat(timespec="milliseconds"),
            "last_sequence": 0,
            "events": events,
            "marks": marks,
        }
        answer = self._poster.post(json.dumps(body, ensure_ascii=False).encode())
        if answer.status in (401, 403):
            raise PermissionError
        if not answer.is_good:
            raise ValueError(f"status {answer.status}")
        told = json.loads(answer.body)
        if not isinstance(told, dict):
            raise ValueError("an answer of somebody else")
        return told

    def _whoami(self) -> str:
        """The id under which the service knows this computer."""
        asked = urllib.request.Request(
            f"{self.service}/api/v1/session", headers={"Authorization": f"Bearer {self.token}"}
        )
        context = ssl.create_default_context() if self.service.startswith("https:") else None
        try:
            with urllib.request.urlopen(asked, timeout=20, context=context) as answer:
                device = json.load(answer)["device_id"]
        except urllib.error.HTTPError as wrong:
            raise ValueError(f"status {wrong.code}") from wrong
        if not device:
            raise PermissionError
        return str(device)

    def _failed(self, trouble: str) -> float:
        """Wait longer each time, up to a minute; told once."""
        if trouble != self._trouble:
            log.warning("service: %s; tablets' events are kept", trouble)
        self._trouble = trouble
        self._fails += 1
        wait_s = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** min(self._fails - 1, 10))
        return float(wait_s * (0.5 + 0.5 * self.jitter()))
