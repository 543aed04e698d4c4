"""What a librarian does with a reader or an item in hand: lend, take back, renew, register.

A person stands there, so what a tablet would bring as a conflict is told at once and not written
down; what may be overridden is, by a second word.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from api.services.ledger import Ledger
from api.services.own_journal import SERVICE, Entry, write_down
from api.state import Service
from data.db import audit_store, event_store, publication_store
from data.model.accounts import Caller
from data.model.errors import ConflictError, InputError, NotFoundError
from data.model.journal import EventId, EventKind, JournalEvent
from data.model.journal_bodies import (
    LoanBody,
    RegistrationBody,
    RenewalBody,
    ReregistrationBody,
    ReturnBody,
)
from data.model.lending import LendingRules
from data.model.loans import Due, HoldId, Loan, LoanId
from data.model.patrons import Patron, PatronId, PatronKind
from data.model.place import StopId
from data.model.publication import PromisedVisit
from data.model.stock import Item, ItemId, ItemPlace
from fleet.circulation import apply
from fleet.circulation_due import coming_visits, due_of
from fleet.circulation_limits import Rule
from fleet.circulation_outcome import Outcome, Verdict
from fleet.circulation_replay import Step
from fleet.journal import TimedEvent
from fleet.journal_clock import Corrected

MAY_OVERRIDE = frozenset(
    {Rule.BLOCKED, Rule.EXPIRED, Rule.OVERDUE, Rule.OVER_LIMIT, Rule.AGE_MARK,
     Rule.HELD_FOR_OTHER, Rule.RENEWAL_LIMIT}
)  # fmt: skip
"""What a librarian may do all the same; an age mark only where the law leaves it to them."""
TRIAL = EventId("trial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Where and when a librarian works."""

    service: Service
    region_id: str
    place: ItemPlace
    by: Caller
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done, for whoever stands at the counter."""

    item_name: str = ""
    due_date: date | None = None
    patron_id: str = ""
    """Whose loan it was or is; empty where nobody had the item."""


def find_item(ledger: Ledger, told: str) -> Item:
    """The item that was scanned, or whose inventory number was typed.

    Raises
    ------
    NotFoundError
        ``counter.unknown_item``.
    ConflictError
        ``counter.several_items`` where an inventory number is of several.
    """
    item = ledger.state.items.get(ItemId(told))
    if item is not None:
        return item
    found = [i for i in ledger.state.items.values() if told and i.inventory_no == told]
    if not found:
        raise NotFoundError("counter.unknown_item", item=told[:80])
    if len(found) > 1:
        raise ConflictError("counter.several_items", item=told[:80], count=len(found))
    return found[0]


def find_patron(ledger: Ledger, told: str) -> Patron:
    """The reader of an id or a card.

    Raises
    ------
    NotFoundError
        ``counter.unknown_reader``.
    """
    patron = ledger.state.patron_of(told, told)
    if patron is None:
        raise NotFoundError("counter.unknown_reader", reader=told[:80])
    return patron


def lend(
    counter: Counter,
    *,
    reader: str,
    item: str,
    stop_id: str = "",
    hold_id: str = "",
    overrides: Sequence[str] = (),
) -> Done:
    """Lend an item; due at the next visit of the stop, or after the most days where none is given.

    Raises
    ------
    NotFoundError
        ``counter.unknown_item``, ``counter.unknown_reader``.
    ConflictError
        ``counter.no.<rule>`` where a rule forbids it.
    """
    with counter.service.ledgers.changing(counter.service.engine, counter.region_id) as (
        session,
        ledger,
    ):
        patron, found = find_patron(ledger, reader), find_item(ledger, item)
        due = _due(session, ledger, counter, stop_id)
        body = LoanBody(
            item_id=found.item_id,
            patron_id=patron.patron_id,
            due_date=due.due_date,
            due_visit_id=due.visit_id or "",
            hold_id=hold_id,
            overrides=_overrides(overrides),
        )
        step = _write(session, ledger, counter, EventKind.LOAN, body, stop_id)
        loan = next((c.after for c in step.outcome.changes if isinstance(c.after, Loan)), None)
        return Done(
            item_name=_name(ledger, found),
            due_date=loan.due.due_date if isinstance(loan, Loan) else due.due_date,
            patron_id=patron.patron_id,
        )


def take_back(counter: Counter, *, item: str, note: str = "") -> Done:
    """Take an item back, whoever had it.

    Raises
    ------
    NotFoundError
        ``counter.unknown_item``.
    """
    with counter.service.ledgers.changing(counter.service.engine, counter.region_id) as (
        session,
        ledger,
    ):
        found = find_item(ledger, item)
        loans = ledger.state.open_loans_of_item(found.item_id)
        last = loans[-1] if loans else None
        # The librarian sees the loan on the screen: it is the one that is meant.
        body = ReturnBody(
            item_id=found.item_id, loan_id="" if last is None else last.loan_id, note=note
        )
        _write(session, ledger, counter, EventKind.RETURN, body)
        return Done(
            item_name=_name(ledger, found), patron_id="" if last is None else last.patron_id
        )


def renew(counter: Counter, *, loan_id: str, overrides: Sequence[str] = ()) -> Done:
    """Make a loan longer, to the next visit of its stop.

    Raises
    ------
    NotFoundError
        ``counter.unknown_loan``; for one that has ended too.
    ConflictError
        ``counter.no.<rule>`` where a rule forbids it.
    """
    with counter.service.ledgers.changing(counter.service.engine, counter.region_id) as (
        session,
        ledger,
    ):
        loan = ledger.state.loans.get(LoanId(loan_id))
        if loan is None or not loan.is_open:
            raise NotFoundError("counter.unknown_loan", loan_id=loan_id[:80])
        stop_id = loan.stop_id or ""
        due = _due(session, ledger, counter, stop_id)
        body = RenewalBody(
            item_id=loan.item_id,
            loan_id=loan.loan_id,
            patron_id=loan.patron_id,
            due_date=due.due_date,
            due_visit_id=due.visit_id or "",
            overrides=_overrides(overrides),
        )
        _write(session, ledger, counter, EventKind.RENEWAL, body, stop_id)
        after = ledger.state.loans[loan.loan_id]
        item = ledger.state.items.get(loan.item_id)
        return Done(
            item_name="" if item is None else _name(ledger, item),
            due_date=after.due.due_date,
            patron_id=loan.patron_id,
        )


def hand_over(counter: Counter, *, hold_id: str, overrides: Sequence[str] = ()) -> Done:
    """Lend the item that is set aside for a hold to whoever asked for it.

    Raises
    ------
    NotFoundError
        ``circulation.unknown_hold``.
    ConflictError
        ``counter.not_set_aside``; ``counter.no.<rule>`` where a rule forbids it.
    """
    with counter.service.ledgers.reading(counter.service.engine, counter.region_id) as (_, ledger):
        hold = ledger.state.holds.get(HoldId(hold_id))
        if hold is None or not hold.is_open:
            raise NotFoundError("circulation.unknown_hold", hold_id=hold_id[:80])
        if hold.item_id is None:
            raise ConflictError("counter.not_set_aside", hold_id=hold_id)
    return lend(
        counter,
        reader=hold.patron_id,
        item=hold.item_id,
        stop_id=hold.stop_id,
        hold_id=hold.hold_id,
        overrides=overrides,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReader:
    """What a reader tells of themselves when they register."""

    card: str = ""
    name: str
    kind: PatronKind = PatronKind.PERSON
    birth_date: date | None = None
    phone: str = ""
    stop_id: str = ""
    is_disabled: bool = False
    has_agreed: bool = False
    """To the keeping of their data (152-FZ)."""


def register(counter: Counter, new: NewReader) -> PatronId:
    """Register a reader.

    Raises
    ------
    InputError
        ``counter.needs_name``, ``counter.needs_consent``, ``counter.born_later``.
    NotFoundError
        ``circulation.unknown_stop``.
    ConflictError
        ``counter.no.card_taken``.
    """
    if not new.name.strip():
        raise InputError("counter.needs_name")
    if not new.has_agreed:
        raise InputError("counter.needs_consent")
    with counter.service.ledgers.changing(counter.service.engine, counter.region_id) as (
        session,
        ledger,
    ):
        today = ledger.lending.local_date(counter.at)
        if new.birth_date is not None and new.birth_date > today:
            raise InputError("counter.born_later", value=new.birth_date.isoformat())
        if new.stop_id:
            _check_stop(session, counter, new.stop_id)
        patron_id = PatronId(uuid.uuid4().hex)
        body = RegistrationBody(
            patron_id=patron_id,
            card=new.card,
            name=new.name,
            kind=new.kind,
            birth_date=new.birth_date,
            phone=new.phone,
            is_disabled=new.is_disabled,
            consent_at=counter.at,
        )
        _write(session, ledger, counter, EventKind.REGISTRATION, body, new.stop_id)
        return patron_id


def reregister(counter: Counter, *, patron_id: str, card: str = "") -> date:
    """Let a registration last anew from today, with another card where one is given.

    Raises
    ------
    NotFoundError
        ``counter.unknown_reader``.
    ConflictError
        ``counter.no.card_taken``.
    """
    with counter.service.ledgers.changing(counter.service.engine, counter.region_id) as (
        session,
        ledger,
    ):
        patron = find_patron(ledger, patron_id)
        today = ledger.lending.local_date(counter.at)
        body = ReregistrationBody(
            patron_id=patron.patron_id,
            expires_date=today + timedelta(days=ledger.lending.rules.registration_days),
            card="" if card == patron.card else card,
        )
        _write(session, ledger, counter, EventKind.REREGISTRATION, body)
        after = ledger.state.patrons[patron.patron_id].expires_date
        return after or body.expires_date


def _overrides(told: Sequence[str]) -> tuple[str, ...]:
    return tuple(rule for rule in told if rule in MAY_OVERRIDE)


def _due(session: Session, ledger: Ledger, counter: Counter, stop_id: str) -> Due:
    on, rules = ledger.lending.local_date(counter.at), ledger.lending.rules
    if not stop_id:
        return due_of((), on, rules)
    visits = _visits(session, counter, stop_id, on, on + timedelta(days=rules.most_days + 1))
    return due_of(coming_visits(visits, StopId(stop_id)), on, rules)


def _check_stop(session: Session, counter: Counter, stop_id: str) -> None:
    if not publication_store.load_visits(session, counter.region_id, stop_id=StopId(stop_id)):
        raise NotFoundError("circulation.unknown_stop", stop_id=stop_id[:80])


def _visits(
    session: Session, counter: Counter, stop_id: str, first: date, last: date
) -> tuple[PromisedVisit, ...]:
    return publication_store.load_visits(
        session, counter.region_id, from_date=first, until_date=last, stop_id=StopId(stop_id)
    )


type _Body = LoanBody | ReturnBody | RenewalBody | RegistrationBody | ReregistrationBody


def _write(
    session: Session,
    ledger: Ledger,
    counter: Counter,
    kind: EventKind,
    body: _Body,
    stop_id: str = "",
) -> Step:
    """Write an event down if nothing speaks against it; gives what became of it."""
    entry = Entry(
        kind=kind,
        body=body,
        service_date=ledger.lending.local_date(counter.at),
        place=counter.place,
        stop_id=StopId(stop_id) if stop_id else None,
    )
    _check(_trial(ledger, entry, counter.at), ledger.lending.rules)
    (event,) = write_down(
        session, counter.region_id, [entry], at=counter.at, by=counter.by.account_id or ""
    )
    ledger.catch_up(session)
    step = ledger.step(event.event_id)
    assert step is not None
    audit_store.record(
        session, counter.by, f"circulation.{kind.value}", event.event_id,
        region_id=counter.region_id, place=str(counter.place),
    )  # fmt: skip
    event_store.emit(session, "circulation", event.event_id, counter.region_id, kind=kind.value)
    return step


def _trial(ledger: Ledger, entry: Entry, at: datetime) -> Outcome:
    event = JournalEvent(
        event_id=TRIAL,
        device_id=SERVICE,
        sequence=1,
        device_at=at,
        kind=entry.kind,
        body=entry.body,
        place=entry.place,
        service_date=entry.service_date,
        stop_id=entry.stop_id,
    )
    timed = TimedEvent(event=event, corrected=Corrected(at=at, offset_s=0.0))
    return apply(ledger.state, timed, ledger.lending)


def _check(outcome: Outcome, rules: LendingRules) -> None:
    if outcome.verdict is Verdict.ACCEPTED:
        return
    facts = dict(outcome.facts)
    # 436-FZ leaves marks below 18+ to the librarian; a library may be stricter.
    mark = str(facts.get("mark", "")).removesuffix("+")
    is_firm = outcome.rule == Rule.AGE_MARK and int(mark or 0) >= rules.firm_mark_years
    can_override = outcome.rule in MAY_OVERRIDE and not is_firm
    raise ConflictError(
        f"counter.no.{outcome.rule}", rule=outcome.rule, can_override=can_override, **facts
    )


def _name(ledger: Ledger, item: Item) -> str:
    title = ledger.state.title_of(item)
    return item.item_id if title is None else title.name
