"""Sending what is kept on board, in batches, until the service says that it has them.

The newest fixes go first where many wait, so that the board is right again soon after an outage;
then the oldest. Nothing is let go before the service named it as stored, known or refused.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from data.model.telemetry import RefusedError
from fleet.batch import GZIP, packed, read_answer
from fleet.buffer import Buffer, Pending, batch_body
from fleet.http_post import Answer, NoConnectionError, Poster

log = logging.getLogger(__name__)

_FIRST_WAIT_S, _MOST_WAIT_S = 1.0, 60.0
_NOT_KNOWN_WAIT_S = 60.0
_TOO_LARGE, _TOO_MANY, _BUSY = 413, 429, 503
_NOT_SIGNED_IN = frozenset({401, 403})
_NOT_UNDERSTOOD = frozenset({400, 422})
_MOST_BATCH = 500
_LIVE = 60


@dataclass(slots=True)
class Forwarder:
    """Sends batches of a buffer to one address.

    Parameters
    ----------
    every_s
        Seconds between batches while few wait.
    clock, jitter
        The device's clock; a number in [0, 1) that spreads the waits of a fleet.
    """

    buffer: Buffer
    poster: Poster
    every_s: float = 5.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = field(default=random.random)
    num_sent: int = 0
    num_bytes: int = 0
    """Of bodies as they went out; headers come to some 300 bytes a batch."""
    _size: int = _MOST_BATCH
    _fails: int = 0
    _trouble: str = ""
    _was_live: bool = False

    def step(self) -> float:
        """Send one batch, if there is one; how many seconds to wait before the next."""
        waiting = self.buffer.num_pending
        if not waiting:
            return self.every_s
        is_live = waiting > self._size and not self._was_live
        self._was_live = is_live
        most = min(_LIVE, self._size) if is_live else self._size
        pending = self.buffer.take(most, is_newest_first=is_live)
        try:
            answer = self._post(pending)
        except NoConnectionError as wrong:
            return self._failed(f"not reached ({wrong})")
        return self._answered(answer, pending)

    def _post(self, pending: tuple[Pending, ...]) -> Answer:
        sent_at = self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = packed(batch_body(pending, sent_at=sent_at))
        self.num_bytes += len(body)
        headers = {"Content-Type": "application/json", "Content-Encoding": GZIP}
        return self.poster.post(body, headers=headers)

    def _answered(self, answer: Answer, pending: tuple[Pending, ...]) -> float:
        if answer.is_good:
            return self._taken(answer, pending)
        if answer.status in _NOT_SIGNED_IN:
            self._failed(f"not known there (status {answer.status})")
            return _NOT_KNOWN_WAIT_S
        if answer.status == _TOO_LARGE or answer.status in _NOT_UNDERSTOOD:
            return self._not_understood(answer, pending)
        wait_s = self._failed(f"status {answer.status}")
        if answer.status in (_TOO_MANY, _BUSY):
            return max(wait_s, _retry_after_s(answer))
        return wait_s

    def _taken(self, answer: Answer, pending: tuple[Pending, ...]) -> float:
        try:
            receipt = read_answer(answer.body)
        except RefusedError as wrong:
            # A network that wants a sign-in answers anything with its page.
            return self._failed(f"an answer of somebody else ({wrong.refusal.code})")
        sequences = {p.sequence for p in pending}
        refused = {s: code for s, code in receipt.refused.items() if s in sequences}
        if receipt.num_stored + receipt.num_known + len(refused) < len(pending):
            return self._failed("an answer that leaves positions out")
        self.buffer.done(pending, refused)
        self.num_sent += len(pending) - len(refused)
        if refused:
            log.warning("positions refused", extra={"num": len(refused)})
        self._size = min(_MOST_BATCH, 2 * self._size)
        self._well()
        return 0.0 if self.buffer.num_pending >= _LIVE else self.every_s

    def _not_understood(self, answer: Answer, pending: tuple[Pending, ...]) -> float:
        """Smaller batches, down to the one fix that is refused."""
        if len(pending) > 1:
            self._size = max(1, len(pending) // 2)
            return 0.0
        self.buffer.done(pending, {pending[0].sequence: f"http.{answer.status}"})
        log.warning("a position refused", extra={"status": answer.status})
        return 0.0

    def _failed(self, trouble: str) -> float:
        """Wait longer each time, up to a minute; told once."""
        if not self._trouble:
            log.warning("service: %s; positions are kept", trouble)
        self._trouble = trouble
        self._fails += 1
        wait_s = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** min(self._fails - 1, 10))
        return float(wait_s * (0.5 + 0.5 * self.jitter()))

    def _well(self) -> None:
        if self._trouble:
            log.warning("service takes positions again")
        self._trouble, self._fails = "", 0


def _retry_after_s(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "")
    return float(min(int(text), 3600)) if text.isascii() and text.isdigit() else 0.0
