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
from fleet.journal_clock import ClockAnchor, ClockMark, Corrected, correct
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
    anchors: Mapping[str, ClockAnchor] = field(default_factory=dict)
    """By device, where the settled part ends; its events are not among these any more."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What one exchange brings.

    Parameters
    ----------
    is_office
        False for a batch of tablets: what only the office may write is refused.
    marks
        Clocks as they stood at this exchange, of whichever devices.
    at
        The server's time.
    """

    batch: tuple[JournalEvent, ...]
    marks: tuple[ClockMark, ...] = ()
    at: datetime
    is_office: bool = True


def receive_all(
    journal: Journal, brought: Iterable[Brought]
) -> tuple[Journal, list[tuple[Received, ...]]]:
    """Take what several exchanges bring into a journal, one after another."""
    events, received_at = dict(journal.events), dict(journal.received_at)
    by_sequence, marks = dict(journal.by_sequence), set(journal.marks)
    answers = []
    for one in brought:
        told = []
        for event in one.batch:
            answer = _received(event, events, by_sequence, is_office=one.is_office)
            told.append(answer)
            if answer.reception is Reception.NEW:
                events[event.event_id] = event
                received_at[event.event_id] = one.at
                by_sequence[event.device_id, event.sequence] = event.event_id
        marks |= set(one.marks)
        answers.append(tuple(told))
    taken = Journal(
        events=events,
        received_at=received_at,
        by_sequence=by_sequence,
        marks=tuple(sorted(marks, key=_mark_key)),
        anchors=journal.anchors,
    )
    return taken, answers


def _received(
    event: JournalEvent,
    events: Mapping[EventId, JournalEvent],
    by_sequence: Mapping[tuple[str, int], EventId],
    *,
    is_office: bool,
) -> Received:
    known = events.get(event.event_id)
    holder = by_sequence.get((event.device_id, event.sequence))
    if known is not None and (known is event or digest(known) == digest(event)):
        return Received(event=event, reception=Reception.DUPLICATE)
    if known is not None:
        return _refused(event, "journal.id_taken", event.event_id)
    if event.kind in OFFICE_KINDS and not is_office:
        return _refused(event, "journal.not_yours", None)
    if holder is not None:
        return _refused(event, "journal.sequence_taken", holder)
    return Received(event=event, reception=Reception.NEW)


def receive(
    journal: Journal,
    batch: Iterable[JournalEvent],
    marks: Iterable[ClockMark] = (),
    *,
    at: datetime,
    is_office: bool = True,
) -> tuple[Journal, tuple[Received, ...]]:
    """Take one batch into a journal; one answer for each of its events, in its order."""
    brought = Brought(batch=tuple(batch), marks=tuple(marks), at=at, is_office=is_office)
    taken, (answers,) = receive_all(journal, [brought])
    return taken, answers


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


class Ordering:
    """Puts journals in order again and again; what is known of a device is not reckoned anew."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[object, ...], list[TimedEvent]]] = {}

    def in_order(self, journal: Journal) -> tuple[TimedEvent, ...]:
        """All events of a journal in the order in which they happened."""
        by_device: dict[str, list[JournalEvent]] = {}
        for event in journal.events.values():
            by_device.setdefault(event.device_id, []).append(event)
        marks: dict[str, list[ClockMark]] = {}
        for mark in journal.marks:
            marks.setdefault(mark.device_id, []).append(mark)
        timed = [
            one
            for device_id, own in by_device.items()
            for one in self._of_device(journal, device_id, own, marks.get(device_id, []))
        ]
        return tuple(sorted(timed, key=lambda t: t.order))

    def _of_device(
        self,
        journal: Journal,
        device_id: str,
        own: list[JournalEvent],
        marks: list[ClockMark],
    ) -> list[TimedEvent]:
        anchor = journal.anchors.get(device_id)
        seen = (tuple(map(id, own)), tuple(marks), anchor)
        known = self._known.get(device_id)
        if known is not None and known[0] == seen:
            return known[1]
        found = correct(own, marks, journal.received_at, anchor)
        before = {} if known is None else {t.event.event_id: t for t in known[1]}
        timed = [_same(before.get(e.event_id), e, found[e.event_id]) for e in own]
        self._known[device_id] = (seen, timed)
        return timed


def _same(known: TimedEvent | None, event: JournalEvent, corrected: Corrected) -> TimedEvent:
    """The event as it was known where nothing is other, so that it is seen to be the same."""
    if known is not None and known.event is event and known.corrected == corrected:
        return known
    return TimedEvent(event=event, corrected=corrected)


def in_order(journal: Journal) -> tuple[TimedEvent, ...]:
    """All events of a journal in the order in which they happened."""
    return Ordering().in_order(journal)


def missing_sequences(journal: Journal, device_id: str, until: int) -> tuple[range, ...]:
    """Numbers up to ``until`` of a device's events that have not come, as spans."""
    anchor = journal.anchors.get(device_id)
    known = {s for device, s in journal.by_sequence if device == device_id and s <= until}
    first = 1
    gaps: list[int] = []
    if anchor is not None:
        first = anchor.sequence + 1
        gaps = [n for n in anchor.gaps if n not in known]
    have = sorted(s for s in known if s >= first)
    spans = [range(n, n + 1) for n in gaps]
    next_ = first
    for sequence in [*have, max(until, first - 1) + 1]:
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
