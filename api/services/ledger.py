"""A region's circulation in memory: its journal replayed, kept up with the database.

The database holds the base and the journal; the state follows from them (ADR 0020). Whoever asks
gets a ledger that stands at what is committed, and holds it alone until done.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from pydantic import TypeAdapter
from sqlalchemy import Engine
from sqlmodel import Session

from data.db import circulation_store, journal_store, publication_store
from data.db.engine import reading, writing
from data.model.journal import EventId, JournalEvent
from data.model.journal_bodies import DecisionBody, VoidBody
from data.model.journal_kept import CirculationHead, KeptMark
from data.model.lending import LendingRules
from data.model.loans import Loan
from data.model.stock import ItemMove, Title
from fleet.circulation_act import Lending
from fleet.circulation_replay import Replay, Settled, Step
from fleet.circulation_state import Change, Circulation
from fleet.journal import Journal, Ordering, TimedEvent, items_of
from fleet.journal_clock import ClockAnchor, ClockMark
from fleet.journal_json import digest, event_from_json

MOST_REGIONS = 20
ANCHOR: TypeAdapter[ClockAnchor] = TypeAdapter(ClockAnchor)


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The replayed journal of a region.

    ``digests`` tells what an event was when it came, by its id: what tells of a person may have
    been taken out of it since.
    """

    region_id: str
    head: CirculationHead
    lending: Lending
    journal: Journal
    replay: Replay
    digests: dict[EventId, str]
    ordering: Ordering = field(default_factory=Ordering)
    event_no: int = 0
    mark_no: int = 0

    @property
    def state(self) -> Circulation:
        return self.replay.state

    @property
    def standing(self) -> tuple[CirculationHead, int, int]:
        """What has been taken in; other where somebody else changed the region's circulation."""
        return self.head, self.event_no, self.mark_no

    def step(self, event_id: str) -> Step | None:
        """What became of an event."""
        return next((s for s in self.replay.steps if s.timed.event.event_id == event_id), None)

    def has_step(self, event_id: str) -> bool:
        """Whether an event is among those that are replayed."""
        return event_id in self.journal.events

    def loans_of_patron(self, session: Session, patron_id: str) -> tuple[Loan, ...]:
        """All loans of a reader, ended and settled ones too, by time."""
        past = circulation_store.ended_loans(session, self.region_id, patron_id=patron_id)
        found = {x.loan_id: x for x in past}
        found |= {x.loan_id: x for x in self.state.loans.values() if x.patron_id == patron_id}
        return tuple(sorted(found.values(), key=lambda x: (x.loaned_at, x.loan_id)))

    def loans_of_item(self, session: Session, item_id: str) -> tuple[Loan, ...]:
        """All loans of an item, ended and settled ones too, by time."""
        past = circulation_store.ended_loans(session, self.region_id, item_id=item_id)
        found = {x.loan_id: x for x in past}
        found |= {x.loan_id: x for x in self.state.loans_of_item(item_id)}
        return tuple(sorted(found.values(), key=lambda x: (x.loaned_at, x.loan_id)))

    def moves_of_item(self, session: Session, item_id: str) -> tuple[ItemMove, ...]:
        """Where an item was put, of what is settled, by time."""
        return circulation_store.ended_moves(session, self.region_id, item_id)

    def steps_of_item(self, item_id: str) -> tuple[Step, ...]:
        """What happened to an item and is not settled, by time."""
        return tuple(s for s in self.replay.steps if item_id in items_of(s.timed.event))

    def last_sequences(self, device_id: str) -> dict[str, int]:
        """By journal, the greatest number of a device's events: its own, and its storages'."""
        last: dict[str, int] = {key: a.sequence for key, a in self.journal.anchors.items()}
        for journal_id, sequence in self.journal.by_sequence:
            if sequence > last.get(journal_id, 0):
                last[journal_id] = sequence
        own = f"{device_id}."
        return {key: n for key, n in last.items() if key == device_id or key.startswith(own)}

    def is_settled(self, on: date) -> bool:
        """Whether what happened on a service date is settled, at least in part."""
        until = self.head.settled_until
        return until is not None and on <= self.lending.local_date(until)

    def recall(self, session: Session, events: Iterable[JournalEvent]) -> None:
        """Call settled things back to mind of which events speak that are to be judged."""
        settled = self.replay.settled
        if settled is None:
            return
        targets, loans = set(), set()
        for event in events:
            body = event.body
            if isinstance(body, VoidBody | DecisionBody):
                targets.add(body.event_id)
            loans.add(getattr(body, "loan_id", ""))
        targets -= set(self.journal.events)
        loans -= {"", *self.state.loans}
        if targets:
            found = journal_store.settled_ids(session, self.region_id, sorted(targets))
            settled.event_ids |= found.keys()
        if loans:
            ids = sorted(loans)
            for loan in circulation_store.ended_loans(session, self.region_id, loan_ids=ids):
                self.state.put(Change(before=None, after=loan))

    def catch_up(self, session: Session) -> tuple[Step, ...]:
        """Take in what was stored since; gives the events whose answers are new or other."""
        events = journal_store.load_events(session, self.region_id, after_no=self.event_no)
        marks = journal_store.load_marks(session, self.region_id, after_no=self.mark_no)
        self.head = circulation_store.circulation_head(session, self.region_id)
        if not events and not marks:
            return ()
        known = dict(self.journal.events)
        received, by_sequence = dict(self.journal.received_at), dict(self.journal.by_sequence)
        fresh = []
        for kept in events:
            event: JournalEvent = event_from_json(kept.document)
            fresh.append(event)
            known[event.event_id] = event
            received[event.event_id] = kept.received_at
            by_sequence[event.device_id, event.sequence] = event.event_id
            self.digests[event.event_id] = kept.digest
        self.event_no, self.mark_no = journal_store.last_numbers(session, self.region_id)
        anchors = self.journal.anchors
        told = {m for m in map(_clock_mark, marks) if not _is_past(m, anchors)}
        self.journal = Journal(
            events=known,
            received_at=received,
            by_sequence=by_sequence,
            marks=_sorted({*self.journal.marks, *told}),
            anchors=anchors,
        )
        self.recall(session, fresh)
        return self.replay.run(self.order(self.journal))

    def order(self, journal: Journal) -> tuple[TimedEvent, ...]:
        """All events of a journal in order; those of devices of which nothing came are known."""
        return self.ordering.in_order(journal)

    def adopt(self, session: Session, journal: Journal) -> None:
        """Stand at a journal to which the state was brought already, once it is stored."""
        for event_id in set(journal.events) - set(self.journal.events):
            self.digests[event_id] = digest(journal.events[event_id])
        self.journal = journal
        self.event_no, self.mark_no = journal_store.last_numbers(session, self.region_id)
        self.head = circulation_store.circulation_head(session, self.region_id)


def _clock_mark(mark: KeptMark) -> ClockMark:
    return ClockMark(
        device_id=mark.device_id,
        sequence=mark.sequence,
        device_at=mark.device_at,
        server_at=mark.server_at,
    )


def _sorted(marks: set[ClockMark]) -> tuple[ClockMark, ...]:
    return tuple(sorted(marks, key=lambda m: (m.device_id, m.sequence, m.server_at)))


@dataclass(slots=True, kw_only=True)
class Waiting:
    """Somebody who waits for a turn with what they bring; whoever has it may serve others too."""

    asked: object
    done: object = None
    error: BaseException | None = None


class Ledgers:
    """The ledgers of a service's regions; those not asked for longest are forgotten."""

    def __init__(self) -> None:
        self.waiting: dict[str, deque[Waiting]] = {}
        self._known: OrderedDict[str, Ledger] = OrderedDict()
        self._locks: dict[str, threading.RLock] = {}
        self._lock = threading.Lock()

    @contextmanager
    def reading(self, engine: Engine, region_id: str) -> Iterator[tuple[Session, Ledger]]:
        """A look at a region's circulation as it is committed.

        Raises
        ------
        NotFoundError
            ``region.unknown``.
        """
        with self.turn(region_id), reading(engine) as session:
            yield session, self.current(session, region_id)

    @contextmanager
    def changing(self, engine: Engine, region_id: str) -> Iterator[tuple[Session, Ledger]]:
        """One transaction that changes a region's circulation; on any error nothing is kept.

        Raises
        ------
        NotFoundError
            ``region.unknown``.
        """
        with self.turn(region_id), writing(engine) as session:
            circulation_store.hold_circulation(session, region_id)
            yield session, self.current(session, region_id)

    @contextmanager
    def turn(self, region_id: str) -> Iterator[None]:
        """Hold a region's ledger alone; on any error it is forgotten."""
        with self._lock:
            lock = self._locks.setdefault(region_id, threading.RLock())
        with lock:
            try:
                yield
            except BaseException:
                # What was replayed in it may never have been.
                self.forget(region_id)
                raise

    def forget(self, region_id: str) -> None:
        """Let a ledger be opened anew when it is asked for next; its turn must be held."""
        with self._lock:
            self._known.pop(region_id, None)

    def current(self, session: Session, region_id: str) -> Ledger:
        """A region's ledger as the session sees it; its turn must be held."""
        head = circulation_store.circulation_head(session, region_id)
        with self._lock:
            known = self._known.get(region_id)
        if known is None or known.head.base_revision != head.base_revision:
            known = _opened(session, region_id, head)
        known.catch_up(session)
        with self._lock:
            self._known[region_id] = known
            self._known.move_to_end(region_id)
            while len(self._known) > MOST_REGIONS:
                self._known.popitem(last=False)
        return known


def _opened(session: Session, region_id: str, head: CirculationHead) -> Ledger:
    lending = lending_of(session, region_id, head)
    base = circulation_store.load_base(session, region_id)
    titles = [thing for thing in base if isinstance(thing, Title)]
    things = [thing for thing in base if not isinstance(thing, Title)]
    settled = None
    anchors: dict[str, ClockAnchor] = {}
    if head.settled_until is not None:
        touched = circulation_store.load_touched(session, region_id)
        settled = Settled(until=head.settled_until, touched=touched)
        told = journal_store.anchors(session, region_id)
        anchors = {key: ANCHOR.validate_python(facts) for key, facts in told.items()}
    marks = {mark for anchor in anchors.values() for mark in anchor.marks}
    return Ledger(
        region_id=region_id,
        head=head,
        lending=lending,
        journal=Journal(anchors=anchors, marks=_sorted(marks)),
        replay=Replay(things, titles, lending, settled),
        digests={},
    )


def _is_past(mark: ClockMark, anchors: Mapping[str, ClockAnchor]) -> bool:
    anchor = anchors.get(mark.device_id)
    return anchor is not None and anchor.is_past(mark)


def lending_of(session: Session, region_id: str, head: CirculationHead) -> Lending:
    """By what a region's events are judged, now and before."""
    changes = circulation_store.rules_changes(head)
    rules = [LendingRules(), *(change.rules for change in changes)]
    return Lending(
        rules=rules[-1],
        time_zone=publication_store.region_head(session, region_id).time_zone,
        earlier=tuple((c.valid_from, r) for c, r in zip(changes, rules, strict=False)),
    )
