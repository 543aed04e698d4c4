"""Readers forgotten: on request, and when they have not come for longer than is kept."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlmodel import Session

from api.services.ledger import Ledger
from api.state import Service
from data.db import audit_store, circulation_store, journal_store, library_store, region_store
from data.db.engine import reading
from data.model.accounts import PROGRAM, Caller
from data.model.errors import ConflictError, NotFoundError
from data.model.patrons import Patron, PatronId
from fleet.journal_json import event_from_json, event_to_json

PERSONAL = ("name", "phone", "birth_date", "card", "is_disabled", "consent_at", "note")


def forget_patron(service: Service, region_id: str, patron_id: str, *, by: Caller) -> int:
    """Take all that tells who a reader is out of everything kept; gives how many events changed.

    What they borrowed stays under an id that says nothing, for statistics.

    Raises
    ------
    NotFoundError
        ``circulation.unknown_patron``.
    ConflictError
        ``circulation.has_loans`` while the reader has items.
    """
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        patron = ledger.state.patrons.get(PatronId(patron_id))
        if patron is None:
            raise NotFoundError("circulation.unknown_patron", patron_id=patron_id)
        if loans := ledger.state.open_loans_of_patron(patron_id):
            raise ConflictError("circulation.has_loans", count=len(loans))
        return _forget(session, ledger, [patron], by=by)


def forget_inactive(service: Service, before: date) -> int:
    """Forget readers who have nothing and were last there before a date; gives how many.

    Of whom no date is known nothing is known of their coming, and they stay.
    """
    num_forgotten = 0
    with reading(service.engine) as session:
        regions = [r.region_id for r in region_store.list_regions(session)]
    for region_id in regions:
        with service.ledgers.reading(service.engine, region_id) as (_, ledger):
            is_any = bool(_inactive(ledger, before))
        if not is_any:
            continue
        with service.ledgers.changing(service.engine, region_id) as (session, ledger):
            found = _inactive(ledger, before)
            _forget(session, ledger, found, by=PROGRAM)
            num_forgotten += len(found)
    return num_forgotten


def _inactive(ledger: Ledger, before: date) -> list[Patron]:
    last: dict[str, date] = {}
    state, local_date = ledger.state, ledger.lending.local_date
    for loan in state.loans.values():
        until = date.max if loan.returned_at is None else local_date(loan.returned_at)
        last[loan.patron_id] = max(last.get(loan.patron_id, date.min), until)
    for hold in state.holds.values():
        until = date.max if hold.is_open else local_date(hold.placed_at)
        last[hold.patron_id] = max(last.get(hold.patron_id, date.min), until)
    settled = ledger.replay.settled
    touched = {} if settled is None else settled.touched
    found = []
    for patron in state.patrons.values():
        if not (patron.name or patron.card or patron.phone or patron.birth_date):
            continue
        settled_at = touched.get(("patron", str(patron.patron_id)))
        dates = [patron.registered_date, patron.expires_date, last.get(patron.patron_id)]
        dates.append(None if settled_at is None else local_date(settled_at))
        known = [on for on in dates if on is not None]
        if known and max(known) < before:
            found.append(patron)
    return found


def _forget(session: Session, ledger: Ledger, patrons: Sequence[Patron], *, by: Caller) -> int:
    region_id = ledger.region_id
    base = circulation_store.load_base(session, region_id)
    in_base = {thing.patron_id for thing in base if isinstance(thing, Patron)}
    num_changed = 0
    for patron in patrons:
        if patron.patron_id in in_base:
            blank = Patron(patron_id=patron.patron_id, merged_into=patron.merged_into)
            circulation_store.put_things(session, region_id, [blank])
        changed = _without_person(session, ledger, patron)
        journal_store.set_documents(session, region_id, changed)
        journal_store.blank_refused(session, region_id, patron.patron_id, patron.card)
        if patron.card:
            library_store.forget_person(session, region_id, patron.card)
        audit_store.record(
            session, by, "circulation.forget", patron.patron_id, region_id=region_id,
            events=len(changed),
        )  # fmt: skip
        num_changed += len(changed)
    circulation_store.advance(session, region_id, is_new_base=True)
    return num_changed


def _without_person(
    session: Session, ledger: Ledger, patron: Patron
) -> dict[str, Mapping[str, Any]]:
    """The documents of events that tell of a person, without what does."""
    found: dict[str, Mapping[str, Any]] = {}
    past = journal_store.settled_that_tell(
        session, ledger.region_id, [patron.patron_id, patron.card]
    )
    settled = [event_from_json(kept.document) for kept in past]
    for event in (*settled, *ledger.journal.events.values()):
        document = event_to_json(event)
        body = document["body"]
        assert isinstance(body, dict)
        is_of = body.get("patron_id") == patron.patron_id
        is_by_card = bool(patron.card) and body.get("card") == patron.card
        if not is_of and not is_by_card:
            continue
        less = {name: value for name, value in body.items() if name not in PERSONAL}
        if is_by_card and "patron_id" in type(event.body).__dataclass_fields__:
            # Who it was is known by now; the card need not be.
            less["patron_id"] = body.get("patron_id") or patron.patron_id
        if less != body:
            found[event.event_id] = {**document, "body": less}
    return found
