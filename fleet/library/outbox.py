"""Operations on their way to a library's system: what waits, what is doubtful, what is refused.

The outbox is a value: each step gives a new one, and whoever keeps it stores what changed. No
operation ever leaves it unsettled. Operations of one item go one after another in the order in
which they happened, so that a return never overtakes its loan; a refused one holds the later ones
of its item until a person has decided.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from data.model.errors import ConflictError, NotFoundError
from data.model.library_ops import (
    Answer,
    LibraryOperation,
    OperationId,
    OperationKind,
    Outcome,
    in_time_order,
)
from data.model.stock import NOTE_MAX, check_text

_FIRST_WAIT_S, _MOST_WAIT_S = 30.0, 3600.0


class Standing(StrEnum):
    """Where an operation stands; the names are those in files and databases, for good."""

    WAITING = "waiting"
    DOUBTFUL = "doubtful"
    """Sent, or about to be when the program ended: the system is asked before it is sent again."""
    SETTLED = "settled"
    """The system has it, or a person saw to it."""
    ASKS = "asks"
    """Refused: it waits for a person."""


UNSETTLED = frozenset({Standing.WAITING, Standing.DOUBTFUL, Standing.ASKS})


class Ruling(StrEnum):
    """What a person decides of a refused operation."""

    AGAIN = "again"
    """What stood against it is put right: send it once more."""
    BY_HAND = "by_hand"
    """Entered in the library's system by hand."""
    LEAVE = "leave"
    """The library's system is right; nothing is to be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One operation and how far it got.

    Parameters
    ----------
    next_at
        Not to be tried before.
    answer
        The system's last answer.
    ruling, ruled_by, ruled_at, note
        What a person decided; ``ruled_by`` is an account, never a name.
    """

    operation: LibraryOperation
    standing: Standing = Standing.WAITING
    num_tries: int = 0
    next_at: datetime | None = None
    answer: Answer | None = None
    ruling: Ruling | None = None
    ruled_by: str = ""
    ruled_at: datetime | None = None
    note: str = ""

    @property
    def operation_id(self) -> OperationId:
        return self.operation.operation_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """All operations for one system, by id, in the order in which they happened."""

    postings: Mapping[OperationId, Posting] = field(default_factory=dict)

    @classmethod
    def of(cls, postings: Iterable[Posting]) -> "Outbox":
        """An outbox of postings as they are stored, in any order."""
        found = {p.operation_id: p for p in postings}
        ordered = in_time_order(p.operation for p in found.values())
        return cls(postings={o.operation_id: found[o.operation_id] for o in ordered})

    def __getitem__(self, operation_id: str) -> Posting:
        found = self.postings.get(OperationId(operation_id))
        if found is None:
            raise NotFoundError("library.unknown_operation", operation_id=operation_id)
        return found

    @property
    def asking(self) -> tuple[Posting, ...]:
        """What waits for a person."""
        return self._standing(Standing.ASKS)

    @property
    def unsettled(self) -> tuple[Posting, ...]:
        return tuple(p for p in self.postings.values() if p.standing in UNSETTLED)

    def _standing(self, standing: Standing) -> tuple[Posting, ...]:
        return tuple(p for p in self.postings.values() if p.standing is standing)

    def counts(self) -> dict[Standing, int]:
        """How many stand where."""
        return {s: len(self._standing(s)) for s in Standing}

    def put(self, posting: Posting) -> "Outbox":
        """With a posting in place of the one of its id."""
        if posting.operation_id in self.postings:
            return Outbox(postings={**self.postings, posting.operation_id: posting})
        return Outbox.of((*self.postings.values(), posting))


def add(outbox: Outbox, operations: Iterable[LibraryOperation]) -> Outbox:
    """Take operations in; what is known is not taken again.

    Raises
    ------
    ConflictError
        ``library.other_content`` where an id is known with other content.
    """
    fresh: dict[OperationId, Posting] = {}
    for operation in operations:
        known = outbox.postings.get(operation.operation_id) or fresh.get(operation.operation_id)
        if known is None:
            fresh[operation.operation_id] = Posting(operation=operation)
        elif known.operation != operation:
            raise ConflictError("library.other_content", operation_id=operation.operation_id)
    return Outbox.of((*outbox.postings.values(), *fresh.values())) if fresh else outbox


def due(outbox: Outbox, now: datetime) -> tuple[Posting, ...]:
    """What may be tried now, in order: at most one operation of each item and card's beginning."""
    items: set[str] = set()
    new_cards: set[str] = set()
    found = []
    for posting in outbox.postings.values():
        if posting.standing not in UNSETTLED:
            continue
        operation = posting.operation
        is_held = operation.item_id in items or operation.card in new_cards
        if operation.item_id:
            items.add(operation.item_id)
        if operation.kind is OperationKind.REGISTRATION:
            # Whoever is not registered yet cannot borrow there.
            new_cards.add(operation.card)
        is_time = posting.next_at is None or posting.next_at <= now
        if not is_held and is_time and posting.standing is not Standing.ASKS:
            found.append(posting)
    return tuple(found)


def sending(posting: Posting) -> Posting:
    """As it is to be stored before it is sent: if we die meanwhile, it is doubtful."""
    return replace(
        posting, standing=Standing.DOUBTFUL, num_tries=posting.num_tries + 1, next_at=None
    )


def answered(posting: Posting, answer: Answer, *, now: datetime, jitter: float = 1.0) -> Posting:
    """A posting after its answer.

    Parameters
    ----------
    posting
        As ``sending`` gave it.
    jitter
        In (0, 1]: spreads the waits of many vehicles.
    """
    if answer.is_settled:
        return replace(posting, standing=Standing.SETTLED, answer=answer, next_at=None)
    if answer.outcome is Outcome.REFUSED:
        return replace(posting, standing=Standing.ASKS, answer=answer, next_at=None)
    standing = Standing.DOUBTFUL if answer.outcome is Outcome.DOUBTFUL else Standing.WAITING
    wait_s = wait(posting.num_tries) * jitter
    next_at = now + timedelta(seconds=wait_s)
    return replace(posting, standing=standing, answer=answer, next_at=next_at)


def wait(num_tries: int) -> float:
    """Seconds before the next try: half a minute, doubled each time, an hour at most."""
    return float(min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** min(max(num_tries - 1, 0), 10)))


def ruled(posting: Posting, ruling: Ruling, *, by: str, at: datetime, note: str = "") -> Posting:
    """A posting after a person decided of it.

    Raises
    ------
    ConflictError
        ``library.nothing_to_decide`` where it does not wait for a person.
    """
    if posting.standing is not Standing.ASKS:
        raise ConflictError(
            "library.nothing_to_decide",
            operation_id=posting.operation_id,
            standing=posting.standing.value,
        )
    check_text("note", note, NOTE_MAX)
    # Sent again, it is asked for first: it may have been done by hand meanwhile.
    standing = Standing.DOUBTFUL if ruling is Ruling.AGAIN else Standing.SETTLED
    return replace(
        posting, standing=standing, ruling=ruling, ruled_by=by, ruled_at=at, note=note, next_at=None
    )
