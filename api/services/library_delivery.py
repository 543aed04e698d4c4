"""Telling the library's own system of what happened: taken from the journal, sent, decided.

Operations lie in the database from when their events were taken. One process at a time sends those
of a region, in order; what the system refuses waits for a person.
"""

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from api.services.ledger import Ledger
from api.services.library_system import AnySystem, let_go, made_system, zone_of
from api.state import Service
from data.db import accounts_store, audit_store, event_store, library_store
from data.db.engine import reading, writing
from data.model.accounts import Caller
from data.model.errors import BookmobileError, ConflictError, InputError
from data.model.library_link import LibraryFile, LibraryLink
from data.model.library_ops import Answer, LibraryOperation, OperationId, Outcome
from fleet.circulation_outcome import Verdict
from fleet.library.delivery import Delivery
from fleet.library.from_journal import operations_of
from fleet.library.outbox import UNSETTLED, Outbox, Posting, Ruling, Standing, ruled
from fleet.library.outbox_json import operation_to_json, posting_from_json, posting_to_json

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
"""No operation takes longer, whatever becomes of the line; kept up before each."""
MOST_AT_ONCE = 500
MOST_SHOWN = 200
CHANGED = "library.changed_since"
_COMPARED = ("kind", "item_id", "card", "due_date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a turn of delivery came to."""

    num_taken: int = 0
    num_settled: int = 0
    num_asking: int = 0
    is_reached: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryState:
    """How far a region's system was told."""

    link: LibraryLink
    counts: Mapping[Standing, int]
    waiting_since: datetime | None
    asking: tuple[Posting, ...]
    doubtful: tuple[Posting, ...]
    files: tuple[LibraryFile, ...]
    file_makers: Mapping[str, str]


def library_state(service: Service, region_id: str) -> LibraryState:
    """What was sent, what waits, since when, and what was refused."""
    with reading(service.engine) as session:
        counts = library_store.counts(session, region_id)
        files = library_store.files(session, region_id)
        oldest = [
            at
            for standing, (_, at) in counts.items()
            if standing in (Standing.WAITING, Standing.DOUBTFUL) and at is not None
        ]
        return LibraryState(
            link=library_store.link(session, region_id),
            counts={s: counts.get(s.value, (0, None))[0] for s in Standing},
            waiting_since=min(oldest, default=None),
            asking=_postings(session, region_id, [Standing.ASKS], limit=MOST_SHOWN),
            doubtful=_postings(session, region_id, [Standing.DOUBTFUL], limit=MOST_SHOWN),
            files=files,
            file_makers=accounts_store.names(session, {f.made_by for f in files if f.made_by}),
        )


def _postings(
    session: Session, region_id: str, standings: Sequence[Standing], limit: int | None = None
) -> tuple[Posting, ...]:
    told = library_store.load_postings(
        session, region_id, [s.value for s in standings], limit=limit
    )
    return tuple(posting_from_json(one) for one in told)


def take_operations(service: Service, region_id: str) -> int:
    """Take what the journal came to since into the queue; gives how much is new.

    An operation that was not sent yet follows the journal. One that the system has already, and
    that a late event made another, goes to a person.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        link = library_store.link(session, region_id)
        if not link.is_on or link.taken_revision == ledger.head.revision:
            return 0
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        link = library_store.hold_link(session, region_id)
        if not link.is_on or link.told_from is None:
            return 0
        now = service.clock()
        wanted = _wanted(ledger, link, link.told_from)
        known = library_store.known_postings(session, region_id, link.told_from)
        documents, num_new = _news(wanted, known)
        library_store.put_postings(session, region_id, documents, now=now)
        gone = [
            key
            for key, (standing, told) in known.items()
            if key not in wanted and standing == Standing.WAITING and not told["num_tries"]
            and ledger.has_step(key.partition("~")[0])
        ]  # fmt: skip
        library_store.drop_postings(session, region_id, gone)
        library_store.note_taken(session, region_id, ledger.head.revision)
        if num_new:
            event_store.emit(session, "library", "", region_id, taken=num_new)
        return num_new


def _wanted(
    ledger: Ledger, link: LibraryLink, told_from: datetime
) -> dict[OperationId, LibraryOperation]:
    steps = [
        s
        for s in ledger.replay.steps
        if s.timed.at >= told_from and s.outcome.verdict is Verdict.ACCEPTED and s.outcome.changes
    ]
    told = operations_of(
        steps,
        ledger.state,
        place=str(link.settings.get("place", "")),
        operator=str(link.settings.get("operator", "")),
    )
    return {o.operation_id: o for o in told.operations}


def _news(
    wanted: Mapping[OperationId, LibraryOperation],
    known: Mapping[str, tuple[str, Mapping[str, Any]]],
) -> tuple[list[dict[str, object]], int]:
    """Postings to be stored, and how many of them are new."""
    found, num_new = [], 0
    for key, operation in wanted.items():
        if key not in known:
            found.append(posting_to_json(Posting(operation=operation)))
            num_new += 1
            continue
        standing, told = known[key]
        fresh = operation_to_json(operation)
        before = told["operation"]
        if all(fresh.get(n) == before.get(n) for n in _COMPARED):
            continue
        posting = posting_from_json(told)
        if standing == Standing.WAITING and not posting.num_tries:
            found.append(posting_to_json(Posting(operation=operation)))
        elif standing == Standing.SETTLED and posting.ruling is None:
            answer = Answer(outcome=Outcome.REFUSED, code=CHANGED)
            asks = replace(posting, standing=Standing.ASKS, answer=answer, next_at=None)
            found.append(posting_to_json(asks))
    return found, num_new


def deliver(service: Service, region_id: str) -> Delivered:
    """Take what is new, and tell the system what is due; one process at a time."""
    num_taken = take_operations(service, region_id)
    with reading(service.engine) as session:
        link, zone = library_store.link(session, region_id), zone_of(session, region_id)
    if not link.is_on or not link.kind.is_online:
        return Delivered(num_taken=num_taken)
    owner = f"{os.getpid()}.{threading.get_ident()}"
    with writing(service.engine) as session:
        if not library_store.lease(session, region_id, owner, service.clock(), LEASE):
            return Delivered(num_taken=num_taken)
        outbox = Outbox.of(_postings(session, region_id, list(UNSETTLED)))
    try:
        system = made_system(link, time_zone=zone)
        return _sent(service, region_id, owner, outbox, system, num_taken)
    except BookmobileError as wrong:
        # Settings that were right when they were stored, and are not any more.
        _note(service, region_id, _trouble(wrong.code, wrong.facts))
        return Delivered(num_taken=num_taken, is_reached=False)
    finally:
        with writing(service.engine) as session:
            library_store.release(session, region_id, owner)


def _sent(
    service: Service,
    region_id: str,
    owner: str,
    outbox: Outbox,
    system: AnySystem,
    num_taken: int,
) -> Delivered:
    last: list[Answer] = []

    def keep(posting: Posting) -> None:
        with writing(service.engine) as session:
            if not library_store.lease(session, region_id, owner, service.clock(), LEASE):
                raise ConflictError("library.lease_lost")
            document = posting_to_json(posting)
            library_store.put_postings(session, region_id, [document], now=service.clock())
        if posting.answer is not None and posting.standing is not Standing.DOUBTFUL:
            last.append(posting.answer)

    try:
        after = Delivery(system, keep, clock=service.clock).run(outbox, most=MOST_AT_ONCE)
    finally:
        let_go(system)
    before = outbox.counts()
    counts = after.counts()
    failed = _failed(outbox, after)
    if failed is not None:
        _note(service, region_id, _trouble(failed.code, failed.facts))
    elif last:
        _note(service, region_id, {})
    return Delivered(
        num_taken=num_taken,
        num_settled=counts[Standing.SETTLED] - before[Standing.SETTLED],
        num_asking=counts[Standing.ASKS],
        is_reached=failed is None,
    )


def _failed(before: Outbox, after: Outbox) -> Answer | None:
    """The answer by which a turn ended early."""
    for key, posting in after.postings.items():
        answer = posting.answer
        if (
            answer is not None
            and answer.outcome in (Outcome.UNREACHABLE, Outcome.DOUBTFUL)
            and before.postings[key] != posting
        ):
            return answer
    return None


def _trouble(code: str, facts: Mapping[str, object]) -> dict[str, object]:
    return {"code": code, "facts": {name: str(value) for name, value in facts.items()}}


def _note(service: Service, region_id: str, trouble: Mapping[str, object]) -> None:
    with writing(service.engine) as session:
        before = library_store.link(session, region_id).trouble
        library_store.note_try(session, region_id, service.clock(), trouble)
        if bool(before) != bool(trouble):
            # Told once when it is lost, and once when it is back.
            event_store.emit(session, "library", "", region_id, is_reached=not trouble)


def decide(
    service: Service,
    region_id: str,
    operation_id: str,
    ruling: Ruling,
    *,
    note: str,
    by: Caller,
    at: datetime,
) -> Posting:
    """Write down what a person decided of a refused operation.

    Raises
    ------
    InputError
        ``library.needs_reason`` where it is set aside without one.
    NotFoundError
        ``library.unknown_operation``.
    ConflictError
        ``library.nothing_to_decide``.
    """
    if ruling is Ruling.LEAVE and not note.strip():
        raise InputError("library.needs_reason")
    with writing(service.engine) as session:
        library_store.hold_link(session, region_id)
        posting = posting_from_json(library_store.posting(session, region_id, operation_id))
        decided = ruled(posting, ruling, by=by.account_id or "", at=at, note=note)
        library_store.put_postings(session, region_id, [posting_to_json(decided)], now=at)
        audit_store.record(
            session,
            by,
            "circulation.link_decide",
            operation_id,
            region_id=region_id,
            ruling=ruling.value,
        )
        event_store.emit(session, "library", operation_id, region_id, decided=True)
        return decided


def deliver_all(service: Service) -> None:
    """One turn for each region that is linked; trouble with one keeps none of the others back."""
    with reading(service.engine) as session:
        regions = library_store.regions_linked(session)
    for region_id in regions:
        try:
            done = deliver(service, region_id)
        except BookmobileError as wrong:
            log.warning("delivery.failed", extra={"region": region_id, "code": wrong.code})
            continue
        if done.num_settled or done.num_asking:
            log.info(
                "delivery.done",
                extra={"region": region_id, "settled": done.num_settled, "asking": done.num_asking},
            )
