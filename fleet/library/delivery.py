"""Bringing an outbox to a library's system, one operation after another.

What is about to be sent is stored first, so that an end of the program at any moment leaves nothing
that could be sent twice unasked, and nothing lost.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from data.model.library_ops import Answer, LibraryOperation, Outcome
from fleet.library.outbox import Outbox, Posting, Standing, answered, due, sending

log = logging.getLogger(__name__)


class LibrarySystem(Protocol):
    """A library's system, by whichever protocol."""

    def carry_out(self, operation: LibraryOperation, *, is_repeat: bool) -> Answer:
        """Tell the system of an operation; every trouble is an answer, none is raised."""


@dataclass(slots=True)
class Delivery:
    """Sends what is due.

    Parameters
    ----------
    keep
        Stores a posting, durably, before it returns.
    jitter
        A number in [0, 1) that spreads the waits of many vehicles.
    """

    system: LibrarySystem
    keep: Callable[[Posting], None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = field(default=random.random)

    def run(self, outbox: Outbox, *, most: int = 1000) -> Outbox:
        """Send what is due until nothing is, the system is not reached, or ``most`` were sent."""
        num_sent = 0
        while num_sent < most and (ready := due(outbox, self.clock())):
            for posting in ready[: most - num_sent]:
                num_sent += 1
                done = self._sent(posting)
                outbox = outbox.put(done)
                answer = done.answer
                if answer is not None and answer.outcome in (
                    Outcome.UNREACHABLE,
                    Outcome.DOUBTFUL,
                ):
                    log.warning("library system: %s", answer.code, extra={"num_sent": num_sent})
                    return outbox
        return outbox

    def _sent(self, posting: Posting) -> Posting:
        is_repeat = posting.standing is Standing.DOUBTFUL
        begun = sending(posting)
        self.keep(begun)
        answer = self.system.carry_out(posting.operation, is_repeat=is_repeat)
        spread = 0.5 + 0.5 * self.jitter()
        done = answered(begun, answer, now=self.clock(), jitter=spread)
        self.keep(done)
        return done
