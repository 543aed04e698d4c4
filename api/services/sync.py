"""One exchange with a tablet, a relay, or a file that staff bring: taken once, answered each.

Everything stands in one transaction: an exchange that is cut off at any moment is either stored
whole, and answered as known when it is sent again, or not at all.
"""

import hashlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.services import way_sheets
from api.services.ledger import Ledger, Waiting
from api.services.own_journal import SERVICE, kept
from api.state import Service
from data.db import (
    audit_store,
    circulation_store,
    devices_store,
    event_store,
    journal_store,
    publication_store,
)
from data.db.engine import reading, writing
from data.model.accounts import Caller, Device, Role
from data.model.errors import BookmobileError, InputError, NotFoundError
from data.model.journal import EventId, JournalEvent
from data.model.journal_bodies import DecisionBody
from data.model.journal_kept import CirculationHead, KeptMark, RefusedEvent
from data.model.stock import PlaceKind
from fleet.circulation_outcome import Verdict
from fleet.circulation_sync import Answer, Synced, sync_all
from fleet.journal import Brought
from fleet.journal_clock import ClockMark
from fleet.journal_doubles import base_of
from fleet.journal_json import digest, event_from_json, event_to_json

MARK_APART_S = 1.0
"""A mark that says the same of a clock as the one before it, to a second, is not kept again."""
TOLD = 64
MOST_TOGETHER = 64
"""So many exchanges are judged in one replay."""
REFUSED_BYTES = 20_000
"""A refused event that is longer is kept without what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a device, a relay or a person with a file brings."""

    region_id: str
    caller: Caller
    device_id: str
    """The journal whose clock ``device_now`` is."""
    device_now: datetime
    last_sequence: int
    documents: Sequence[Mapping[str, Any]]
    marks: Sequence[ClockMark] = ()
    at: datetime

    @property
    def carried_by(self) -> str:
        return self.caller.device_id or self.caller.account_id or ""

    @property
    def offset_s(self) -> float:
        return (self.at - self.device_now).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """The answers, one for each document, in order."""

    answers: tuple[Answer, ...]
    num_altered: int
    missing: Mapping[str, tuple[range, ...]]
    revision: int


@dataclass(slots=True, kw_only=True)
class _Taken:
    """What could be read of an exchange, and what could not."""

    batch: list[tuple[int, JournalEvent]] = field(default_factory=list)
    refused: dict[int, Answer] = field(default_factory=dict)


def exchange(service: Service, asked: Exchange) -> Exchanged:
    """Take what is brought; what others bring meanwhile is taken with it, in one replay.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    InputError
        ``sync.not_your_journal`` where the clock is told of another device's journal.
    """
    ledgers, region_id = service.ledgers, asked.region_id
    mine = Waiting(asked=asked)
    ledgers.waiting.setdefault(region_id, deque()).append(mine)
    with ledgers.turn(region_id):
        if mine.done is None and mine.error is None:
            _take_turn(service, region_id)
    if mine.error is not None:
        raise mine.error
    assert isinstance(mine.done, Exchanged)
    return mine.done


def _take_turn(service: Service, region_id: str) -> None:
    """Serve all who wait; where that fails, each on its own, so that none fails for another."""
    queue: deque[Waiting] = service.ledgers.waiting[region_id]
    group = [queue.popleft() for _ in range(min(len(queue), MOST_TOGETHER))]
    try:
        together = _exchanged(service, region_id, [_asked(one) for one in group])
        for one, done in zip(group, together, strict=True):
            one.done = done
    except BaseException as wrong:  # noqa: BLE001, each is told of its own in its own thread
        service.ledgers.forget(region_id)
        if len(group) == 1:
            group[0].error = wrong
            return
        for one in group:
            try:
                (one.done,) = _exchanged(service, region_id, [_asked(one)])
            except BaseException as own:  # noqa: BLE001, as above
                service.ledgers.forget(region_id)
                one.error = own


def _asked(one: Waiting) -> Exchange:
    assert isinstance(one.asked, Exchange)
    return one.asked


def _exchanged(service: Service, region_id: str, asked: Sequence[Exchange]) -> list[Exchanged]:
    """Judge what is brought and store it; the region's turn must be held."""
    ledgers = service.ledgers
    # The replay takes longest; meanwhile others may write to the database.
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        ledger = ledgers.current(session, region_id)
        standing = ledger.standing
        done = _judge(session, ledger, asked)
    if any(one.is_news for one in done):
        with writing(service.engine) as session:
            circulation_store.hold_circulation(session, region_id)
            if standing != _standing(session, region_id):
                ledgers.forget(region_id)
                ledger = ledgers.current(session, region_id)
                done = _judge(session, ledger, asked)
            for told, one in zip(asked, done, strict=True):
                if one.is_news:
                    _store(session, told, one)
            ledger.adopt(session, done[-1].synced.journal)
            _keep_way(session, ledger, asked, done)
    return [
        Exchanged(
            answers=tuple(one.answers[i] for i in range(len(told.documents))),
            num_altered=len(one.synced.altered),
            missing=one.synced.missing,
            revision=ledger.head.revision,
        )
        for told, one in zip(asked, done, strict=True)
    ]


def _standing(session: Session, region_id: str) -> tuple[CirculationHead, int, int]:
    head = circulation_store.circulation_head(session, region_id)
    return head, *journal_store.last_numbers(session, region_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What an exchange comes to, not stored yet."""

    synced: Synced
    answers: Mapping[int, Answer]
    fresh: tuple[JournalEvent, ...]
    marks: Sequence[ClockMark]

    @property
    def is_news(self) -> bool:
        """Whether there is anything to store."""
        is_refused = any(a.verdict is Verdict.REFUSED for a in self.answers.values())
        return bool(self.fresh or self.marks or is_refused)


def _judge(session: Session, ledger: Ledger, asked: Sequence[Exchange]) -> list[_Judged]:
    takens, brought = [], []
    known = set(ledger.journal.events)
    for one in asked:
        devices = _Devices(session, one)
        devices.check_clock()
        taken = _read(one, ledger, devices)
        _answer_settled(session, ledger, taken)
        takens.append(taken)
        brought.append(
            Brought(
                batch=tuple(event for _, event in taken.batch),
                marks=tuple(_marks(one, ledger, devices)),
                at=one.at,
                is_office=one.caller.device_id is None,
            )
        )
    ledger.recall(session, (e for b in brought for e in b.batch if e.event_id not in known))
    done = sync_all(ledger.journal, ledger.replay, brought, ledger.ordering)
    found = []
    for taken, batch, synced in zip(takens, brought, done, strict=True):
        told = {i: a for (i, _), a in zip(taken.batch, synced.answers, strict=True)}
        is_new = {e.event_id for e in batch.batch} - known
        # What two bring at once is the first one's.
        known |= is_new
        fresh = (synced.journal.events[i] for i in is_new if i in synced.journal.events)
        found.append(
            _Judged(
                synced=synced,
                answers={**taken.refused, **told},
                fresh=tuple(sorted(fresh, key=lambda e: (e.device_id, e.sequence))),
                marks=batch.marks,
            )
        )
    return found


def _answer_settled(session: Session, ledger: Ledger, taken: _Taken) -> None:
    """Answer what is settled already: known, or another under the id or number of a known one."""
    if ledger.replay.settled is None:
        return
    fresh = [(i, e) for i, e in taken.batch if e.event_id not in ledger.journal.events]
    ids = journal_store.settled_ids(session, ledger.region_id, [e.event_id for _, e in fresh])
    numbers: dict[str, list[int]] = {}
    for _, event in fresh:
        anchor = ledger.journal.anchors.get(event.device_id)
        if anchor is not None and event.sequence <= anchor.sequence:
            numbers.setdefault(event.device_id, []).append(event.sequence)
    holders = {
        device: journal_store.settled_sequences(session, ledger.region_id, device, own)
        for device, own in numbers.items()
    }
    for index, event in fresh:
        known, holder = ids.get(event.event_id), holders.get(event.device_id, {})
        facts: dict[str, object] = {"sequence": event.sequence}
        if known == digest(event):
            taken.refused[index] = Answer(event_id=event.event_id, verdict=Verdict.DUPLICATE)
        elif known is not None:
            facts["known_id"] = event.event_id
            taken.refused[index] = _refusal(event.event_id, "journal.id_taken", facts)
        elif event.sequence in holder:
            facts["known_id"] = holder[event.sequence]
            taken.refused[index] = _refusal(event.event_id, "journal.sequence_taken", facts)
    taken.batch = [(i, e) for i, e in taken.batch if i not in taken.refused]


class _Devices:
    """Whose events somebody may bring."""

    def __init__(self, session: Session, asked: Exchange) -> None:
        self._session = session
        self._asked = asked
        self._known: dict[str, Device | None] = {}

    def check_clock(self) -> None:
        device_id = base_of(self._asked.device_id)
        own = self._asked.caller.device_id
        if own is not None and device_id != own:
            raise InputError("sync.not_your_journal", device=self._asked.device_id[:TOLD])

    def is_own(self, journal_id: str) -> bool:
        return base_of(journal_id) == self._asked.caller.device_id

    def fault(self, event: JournalEvent) -> str:
        """Why an event cannot be taken from this caller; empty where it can."""
        caller = self._asked.caller
        if event.device_id == SERVICE:
            return "journal.not_yours"
        device = self._device(base_of(event.device_id))
        if device is None or device.region_id != self._asked.region_id:
            return "sync.unknown_device"
        if caller.device_id is None:
            # The office may bring in what a lost tablet had written, from its second copy.
            return "journal.not_yours" if isinstance(event.body, DecisionBody) else ""
        if device.revoked_at is not None:
            return "sync.device_revoked"
        is_aboard = event.place.kind is not PlaceKind.POINT
        return "" if is_aboard or Role.LIBRARIAN in device.roles else "sync.not_aboard"

    def may_mark(self, journal_id: str) -> bool:
        device = self._device(base_of(journal_id))
        return device is not None and device.region_id == self._asked.region_id

    def _device(self, device_id: str) -> Device | None:
        if device_id not in self._known:
            try:
                self._known[device_id] = devices_store.device(self._session, device_id)
            except NotFoundError:
                self._known[device_id] = None
        return self._known[device_id]


def _read(asked: Exchange, ledger: Ledger, devices: _Devices) -> _Taken:
    taken = _Taken()
    for index, document in enumerate(asked.documents):
        try:
            event = _to_the_millisecond(event_from_json(document))
        except BookmobileError as wrong:
            event_id = document.get("event_id")
            told = event_id[:TOLD] if isinstance(event_id, str) else ""
            taken.refused[index] = _refusal(told, wrong.code, dict(wrong.facts))
            continue
        if fault := devices.fault(event):
            facts: dict[str, object] = {"device": event.device_id}
            taken.refused[index] = _refusal(event.event_id, fault, facts)
            continue
        taken.batch.append((index, _as_known(event, ledger)))
    return taken


def _to_the_millisecond(event: JournalEvent) -> JournalEvent:
    """As it is stored and as all devices tell time, so that what is kept is what was answered."""
    if event.device_at.microsecond % 1000 == 0:
        return event
    return event_from_json(event_to_json(event))


def _as_known(event: JournalEvent, ledger: Ledger) -> JournalEvent:
    """The event as it is kept, where it is one whose reader was forgotten since it came."""
    known = ledger.journal.events.get(event.event_id)
    is_same = known is not None and ledger.digests.get(event.event_id) == digest(event)
    return known if known is not None and is_same else event


def _refusal(event_id: str, code: str, facts: Mapping[str, object]) -> Answer:
    return Answer(event_id=EventId(event_id), verdict=Verdict.REFUSED, code=code, facts=facts)


def _marks(asked: Exchange, ledger: Ledger, devices: _Devices) -> list[ClockMark]:
    """Marks worth keeping: this exchange's, and those of relayed journals."""
    told = list(asked.marks)
    if asked.caller.device_id is not None:
        told.append(
            ClockMark(
                device_id=asked.device_id,
                sequence=asked.last_sequence,
                device_at=asked.device_now,
                server_at=asked.at,
            )
        )
    last: dict[str, ClockMark] = {}
    for mark in ledger.journal.marks:
        last[mark.device_id] = mark
    known = set(ledger.journal.marks)
    found = []
    for mark in told:
        if mark in known or not devices.may_mark(mark.device_id) or mark.server_at > asked.at:
            continue
        before = last.get(mark.device_id)
        is_news = (
            before is None
            or before.sequence != mark.sequence
            or abs(before.offset_s - mark.offset_s) > MARK_APART_S
        )
        if is_news:
            found.append(mark)
            last[mark.device_id] = mark
    return found


def _store(session: Session, asked: Exchange, done: _Judged) -> None:
    """Keep what is new; the region's turn must be held."""
    region_id, fresh = asked.region_id, done.fresh
    stored = (kept(e, asked.at, asked.carried_by) for e in fresh)
    journal_store.add_events(session, region_id, stored)
    marks = (
        KeptMark(
            device_id=m.device_id,
            sequence=m.sequence,
            device_at=m.device_at,
            server_at=m.server_at,
        )
        for m in done.marks
    )
    journal_store.add_marks(session, region_id, marks)
    _keep_refused(session, asked, done.answers)
    if not fresh:
        return
    if asked.caller.device_id is None:
        audit_store.record(
            session, asked.caller, "sync.file", asked.device_id, region_id=region_id,
            events=len(fresh), altered=len(done.synced.altered),
        )  # fmt: skip
    conflicts = sum(a.verdict is Verdict.CONFLICT for a in done.synced.answers)
    event_store.emit(
        session, "circulation", asked.device_id, region_id, events=len(fresh), conflicts=conflicts
    )
    circulation_store.advance(session, region_id)


def _keep_way(
    session: Session, ledger: Ledger, asked: Sequence[Exchange], done: Sequence[_Judged]
) -> None:
    """Bring odometers into the sheets of their days; the journal holds what is new already."""
    fresh = {e.event_id: told for told, one in zip(asked, done, strict=True) for e in one.fresh}
    events = ledger.journal.events
    for event_id, told in fresh.items():
        if way_sheets.tells_of_way(events[event_id], events):
            way_sheets.keep_sheets(session, ledger, fresh.keys(), by=told.caller, at=told.at)
            return


def _keep_refused(session: Session, asked: Exchange, answers: Mapping[int, Answer]) -> None:
    found = []
    for index, answer in answers.items():
        if answer.verdict is not Verdict.REFUSED:
            continue
        document = dict(asked.documents[index])
        text = json.dumps(document, sort_keys=True, ensure_ascii=True)
        device_id = document.get("device_id")
        found.append(
            RefusedEvent(
                digest=hashlib.sha256(text.encode()).hexdigest(),
                code=answer.code,
                reasons={name: _plain(value) for name, value in answer.facts.items()},
                # What is too long, or what PostgreSQL cannot hold, is kept by its digest alone.
                document=document if len(text) <= REFUSED_BYTES and "\\u0000" not in text else {},
                device_id=_told(device_id),
                event_id=_told(answer.event_id),
                carried_by=asked.carried_by,
                refused_at=asked.at,
            )
        )
    if found:
        journal_store.add_refused(session, asked.region_id, found)


def _told(value: object) -> str:
    return "".join(c for c in value[:TOLD] if c.isprintable()) if isinstance(value, str) else ""


def _plain(value: object) -> object:
    if isinstance(value, int | float | bool) or value is None:
        return value
    return "".join(c for c in str(value) if c.isprintable())
