"""The journal that a server keeps: events of many devices, each taken once.

``receive`` takes what a tablet, a relay or a file brings, in any order and as often as it comes.
The journal is the union of all that was ever brought, so an interrupted upload is carried on by
sending everything again. A number of a device's sequence is given once: two different events under
one number mean two tablets with one identity, and the later one is refused, told, and kept apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from data.model.journal import OFFICE_KINDS, EventId, JournalEvent
from fleet.journal_clock import ClockMark, Corrected, correct
from fleet.journal_json import digest


class Reception(StrEnum):
    """What became of an event at the door."""

    NEW = "new"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An event brought, and what became of it.

    ``code`` of a refused one is ``journal.id_taken`` (its id has other content),
    ``journal.sequence_taken`` (its device has given the number to ``known_id``) or
    ``journal.not_yours`` (only the office writes such events).
    """

    event: JournalEvent
    reception: Reception
    code: str = ""
    known_id: EventId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Events taken, with the marks of the clocks of their devices."""

    events: Mapping[EventId, JournalEvent] = field(default_factory=dict)
    received_at: Mapping[EventId, datetime] = field(default_factory=dict)
    by_sequence: Mapping[tuple[str, int], EventId] = field(default_factory=dict)
    marks: tuple[ClockMark, ...] = ()

    @classmethod
    def of(
        cls, events: Iterable[tuple[JournalEvent, datetime]], marks: Iterable[ClockMark] = ()
    ) -> "Journal":
        """A journal of events as they are stored, each with when it was received."""
        pairs = tuple(events)
        return cls(
            events={e.event_id: e for e, _ in pairs},
            received_at={e.event_id: at for e, at in pairs},
            by_sequence={(e.device_id, e.sequence): e.event_id for e, _ in pairs},
            marks=tuple(sorted(marks, key=_mark_key)),
        )


def _mark_key(mark: ClockMark) -> tuple[str, int, datetime]:
    return mark.device_id, mark.sequence, mark.server_at


def receive(
    journal: Journal,
    batch: Iterable[JournalEvent],
    marks: Iterable[ClockMark] = (),
    *,
    at: datetime,
    is_office: bool = True,
) -> tuple[Journal, tuple[Received, ...]]:
    """Take a batch into a journal.

    Parameters
    ----------
    is_office
        False for a batch of tablets: what only the office may write is refused.
    marks
        Clocks as they stood at this exchange, of whichever devices.
    at
        The server's time.

    Returns
    -------
    journal, tuple[Received, ...]
        One answer for each event of the batch, in its order.
    """
    events, received_at = dict(journal.events), dict(journal.received_at)
    by_sequence = dict(journal.by_sequence)
    answers = []
    for event in batch:
        known = events.get(event.event_id)
        holder = by_sequence.get((event.device_id, event.sequence))
        if known is not None and (known is event or digest(known) == digest(event)):
            answers.append(Received(event=event, reception=Reception.DUPLICATE))
        elif known is not None:
            answers.append(_refused(event, "journal.id_taken", event.event_id))
        elif event.kind in OFFICE_KINDS and not is_office:
            answers.append(_refused(event, "journal.not_yours", None))
        elif holder is not None:
            answers.append(_refused(event, "journal.sequence_taken", holder))
        else:
            events[event.event_id] = event
            received_at[event.event_id] = at
            by_sequence[event.device_id, event.sequence] = event.event_id
            answers.append(Received(event=event, reception=Reception.NEW))
    taken = Journal(
        events=events,
        received_at=received_at,
        by_sequence=by_sequence,
        marks=tuple(sorted({*journal.marks, *marks}, key=_mark_key)),
    )
    return taken, tuple(answers)


def _refused(event: JournalEvent, code: str, known_id: EventId | None) -> Received:
    return Received(event=event, reception=Reception.REFUSED, code=code, known_id=known_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedEvent:
    """An event and when it happened in truth."""

    event: JournalEvent
    corrected: Corrected

    @property
    def at(self) -> datetime:
        return self.corrected.at

    @property
    def order(self) -> tuple[datetime, str, int]:
        """Events are replayed in this order, on every machine and after every sync."""
        return self.corrected.at, self.event.device_id, self.event.sequence


def in_order(journal: Journal) -> tuple[TimedEvent, ...]:
    """All events of a journal in the order in which they happened."""
    by_device: dict[str, list[JournalEvent]] = {}
    for event in journal.events.values():
        by_device.setdefault(event.device_id, []).append(event)
    marks: dict[str, list[ClockMark]] = {}
    for mark in journal.marks:
        marks.setdefault(mark.device_id, []).append(mark)
    timed = [
        TimedEvent(event=event, corrected=found[event.event_id])
        for device_id, own in by_device.items()
        for found in (correct(own, marks.get(device_id, ()), journal.received_at),)
        for event in own
    ]
    return tuple(sorted(timed, key=lambda t: t.order))


def missing_sequences(journal: Journal, device_id: str, until: int) -> tuple[range, ...]:
    """Numbers up to ``until`` of a device's events that have not come, as spans."""
    have = sorted(s for device, s in journal.by_sequence if device == device_id and s <= until)
    spans = []
    next_ = 1
    for sequence in [*have, until + 1]:
        if sequence > next_:
            spans.append(range(next_, sequence))
        next_ = sequence + 1
    return tuple(spans)


def items_of(event: JournalEvent) -> tuple[str, ...]:
    """The items that an event speaks of."""
    body = event.body
    several = getattr(body, "item_ids", None)
    if several is not None:
        return tuple(several)
    one = getattr(body, "item_id", "")
    return (one,) if one else ()
