"""What of a replayed journal is settled, and the base that it comes to.

The settled part is a beginning of the order in which things happened: nothing in it waits for a
person or for the library's system, nothing after it takes back or decides anything in it, and each
device's part ends where its clock is known. Its outcome becomes the base from which the rest is
replayed, so that a region's past is not replayed at every start.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from data.model.journal import EventId, JournalEvent
from data.model.journal_bodies import DecisionBody, VoidBody
from data.model.loans import Loan
from data.model.stock import Item, ItemMove
from fleet.circulation_outcome import Verdict
from fleet.circulation_replay import Replay, Settled, Step
from fleet.circulation_state import Key, Subject, Thing, subjects_of
from fleet.crew_log import VisitLog
from fleet.journal import Journal
from fleet.journal_clock import ClockAnchor, ClockMark, anchored


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A settled part, and what it comes to.

    Parameters
    ----------
    event_ids
        Settled events, with when they happened. What takes back or decides something that has
        not come stays, as it has no effect of its own.
    things
        By kind and id the things that changed, as they are now; ``None`` where one is gone.
    touched
        When something settled last had to do with an item, reader or title.
    anchors
        By device, where its settled part ends.
    moves
        Items that were put elsewhere: what a loan does not tell of where an item was.
    """

    until: datetime
    event_ids: Mapping[EventId, datetime]
    things: Mapping[Key, Thing | None]
    touched: Mapping[Subject, datetime]
    anchors: Mapping[str, ClockAnchor]
    moves: tuple[ItemMove, ...] = ()


def is_ended(thing: Thing) -> bool:
    """Whether a settled thing is only looked up, and nothing is judged by it any more."""
    return isinstance(thing, VisitLog) or (isinstance(thing, Loan) and not thing.is_open)


def settle(
    replay: Replay,
    journal: Journal,
    before: datetime,
    *,
    held: Set[str] = frozenset(),
    most: int = 1_000_000,
) -> Settlement | None:
    """What happened before an instant and is settled; ``None`` where nothing is.

    Parameters
    ----------
    replay
        Stands at the journal.
    held
        Events of which somebody outside has yet to be told.
    most
        So many events at a time.
    """
    steps = replay.steps
    num = _undisputed(steps, before, held)[:most]
    count = _cut(steps, len(num), journal)
    if not count:
        return None
    part = steps[:count]
    known = set() if replay.settled is None else replay.settled.event_ids
    ids = {s.timed.event.event_id for s in part}
    settled = {s.timed.event.event_id: s.timed.at for s in part if not _is_loose(s, ids, known)}
    if not settled:
        return None
    things: dict[Key, Thing | None] = {}
    touched: dict[Subject, datetime] = {}
    for step in part:
        for change in step.outcome.changes:
            things[change.key] = change.after
            touched |= dict.fromkeys(subjects_of(change), step.timed.at)
    until = max(settled.values())
    if replay.settled is not None:
        until = max(until, replay.settled.until)
    return Settlement(
        until=until,
        event_ids=settled,
        things=things,
        touched=touched,
        anchors=_anchors(part, settled, journal),
        moves=tuple(move for step in part for move in _moves(step)),
    )


def _moves(step: Step) -> Iterator[ItemMove]:
    changes = step.outcome.changes
    if any(isinstance(change.after, Loan) for change in changes):
        return  # the loan tells where it was lent and returned
    event = step.timed.event
    for change in changes:
        before, after = change.before, change.after
        if not isinstance(before, Item) or not isinstance(after, Item):
            continue
        if (before.place, before.box_id) != (after.place, after.box_id):
            yield ItemMove(
                event_id=event.event_id,
                item_id=after.item_id,
                moved_at=step.timed.at,
                from_place=before.place,
                to_place=after.place,
                box_id=after.box_id or "",
                scanned_at=event.place,
                device_id=event.device_id,
            )


def _undisputed(steps: Sequence[Step], before: datetime, held: Set[str]) -> Sequence[Step]:
    for number, step in enumerate(steps):
        is_open = step.outcome.verdict is Verdict.CONFLICT
        if step.timed.at >= before or is_open or step.timed.event.event_id in held:
            return steps[:number]
    return steps


def _cut(steps: Sequence[Step], count: int, journal: Journal) -> int:
    """How many of the first events can be settled: nothing after them may reach into them."""
    place = {s.timed.event.event_id: n for n, s in enumerate(steps)}
    targets = [
        (n, place[EventId(body.event_id)])
        for n, s in enumerate(steps)
        if isinstance(body := s.timed.event.body, VoidBody | DecisionBody)
        and body.event_id in place
    ]
    own = _by_device(steps)
    marked: dict[str, list[int]] = {}
    for mark in journal.marks:
        marked.setdefault(mark.device_id, []).append(mark.sequence)
    while count:
        reach = [target for n, target in targets if n >= count > target]
        reach += [n for n in _beyond(own, marked, journal.anchors, count) if n < count]
        if not reach:
            return count
        count = min(reach)
    return 0


def _by_device(steps: Sequence[Step]) -> dict[str, list[tuple[int, int]]]:
    """By device, number in its journal and place among all, by number."""
    found: dict[str, list[tuple[int, int]]] = {}
    for n, step in enumerate(steps):
        event = step.timed.event
        found.setdefault(event.device_id, []).append((event.sequence, n))
    for own in found.values():
        own.sort()
    return found


def _beyond(
    own: Mapping[str, Sequence[tuple[int, int]]],
    marked: Mapping[str, Sequence[int]],
    anchors: Mapping[str, ClockAnchor],
    count: int,
) -> list[int]:
    """Places of events after which their device's clock is not known yet."""
    found = []
    for device_id, events in own.items():
        inside = [sequence for sequence, n in events if n < count]
        if len(inside) == len(events) or not inside:
            continue
        last = max((m for m in marked.get(device_id, ()) if m <= max(inside)), default=0)
        # What is inside and after the last mark, and what would be left behind among it.
        until = min((sequence for sequence, n in events if n >= count), default=0)
        bound = min(last, until - 1)
        if device_id in anchors:
            bound = max(bound, anchors[device_id].sequence)
        found += [n for sequence, n in events if sequence > bound]
    return found


def _is_loose(step: Step, ids: Set[EventId], known: Set[str]) -> bool:
    body = step.timed.event.body
    return (
        isinstance(body, VoidBody | DecisionBody)
        and body.event_id not in ids
        and body.event_id not in known
    )


def _anchors(
    part: Sequence[Step], settled: Mapping[EventId, datetime], journal: Journal
) -> dict[str, ClockAnchor]:
    by_device: dict[str, list[JournalEvent]] = {}
    for event in journal.events.values():
        by_device.setdefault(event.device_id, []).append(event)
    marks: dict[str, list[ClockMark]] = {}
    for mark in journal.marks:
        marks.setdefault(mark.device_id, []).append(mark)
    times = {s.timed.event.event_id: s.timed.corrected for s in part}
    last: dict[str, int] = {}
    for step in part:
        event = step.timed.event
        if event.event_id in settled:
            last[event.device_id] = max(last.get(event.device_id, 0), event.sequence)
    found = {}
    for device_id, sequence in last.items():
        before = journal.anchors.get(device_id)
        own = [e for e in by_device[device_id] if e.event_id in times]
        found[device_id] = anchored(
            device_id,
            sequence if before is None else max(sequence, before.sequence),
            own,
            marks.get(device_id, ()),
            times,
            before,
        )
    return found


def rest_of(journal: Journal, settlement: Settlement) -> Journal:
    """The journal without what is settled."""
    gone = settlement.event_ids
    events = {i: e for i, e in journal.events.items() if i not in gone}
    anchors = {**journal.anchors, **settlement.anchors}
    return Journal(
        events=events,
        received_at={i: journal.received_at[i] for i in events},
        by_sequence={(e.device_id, e.sequence): i for i, e in events.items()},
        marks=tuple(m for m in journal.marks if not _is_past(m, anchors)),
        anchors=anchors,
    )


def _is_past(mark: ClockMark, anchors: Mapping[str, ClockAnchor]) -> bool:
    anchor = anchors.get(mark.device_id)
    return anchor is not None and mark not in anchor.marks and anchor.is_past(mark)


def settled_after(before: Settled | None, settlement: Settlement) -> Settled:
    """What is known of the settled past after one more part of it."""
    touched = {} if before is None else dict(before.touched)
    for subject, at in settlement.touched.items():
        touched[subject] = max(at, touched.get(subject, at))
    return Settled(until=settlement.until, touched=touched)
