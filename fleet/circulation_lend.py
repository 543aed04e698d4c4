"""Loans, returns, renewals and moves of items: what each changes, and what stands against it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from data.model.journal_bodies import LoanBody, MoveBody, RenewalBody, ReturnBody
from data.model.loans import Hold, HoldState, Loan, LoanId
from data.model.patrons import Patron
from data.model.stock import BoxId, Item, ItemId, PlaceKind
from fleet.circulation_act import Act
from fleet.circulation_limits import (
    Objection,
    Rule,
    loan_objections,
    renewal_objections,
    standing,
)
from fleet.circulation_outcome import Outcome, Proposal, accepted, conflict, duplicate
from fleet.circulation_state import Change, Circulation


def lend(state: Circulation, act: Act, body: LoanBody) -> Outcome:
    """An item was handed to a reader."""
    item = state.items.get(ItemId(act.told("item_id", body.item_id)))
    if item is None:
        return _unknown_item(act.told("item_id", body.item_id))
    patron = state.patron_of(act.told("patron_id", body.patron_id), body.card)
    if patron is None:
        return conflict(Rule.PATRON_UNKNOWN, Proposal.IDENTIFY_PATRON, {"item_id": item.item_id})
    others = state.open_loans_of_item(item.item_id)
    own = next((loan for loan in others if loan.patron_id == patron.patron_id), None)
    if own is not None:
        return _lent_again(act, own, body)
    hold = _hold_handed(state, patron, item, body.hold_id)
    objections = loan_objections(
        state, patron, item, act.on, act.lending.rules, hold_id=hold.hold_id if hold else ""
    )
    is_disputed = bool(others) and not act.is_settled(Rule.LENT_TO_OTHER)
    changes = [
        Change(before=None, after=_new_loan(act, item, patron, body, is_disputed=is_disputed)),
        Change(before=item, after=_placed(act, item)),
    ]
    if hold is not None:
        handed = replace(hold, state=HoldState.HANDED, item_id=item.item_id)
        changes.append(Change(before=hold, after=handed))
    if others and act.is_applied(Rule.LENT_TO_OTHER):
        changes += [_closed(act, loan) for loan in others]
    if is_disputed:
        facts = {"loan_id": others[-1].loan_id, "item_id": item.item_id}
        return conflict(Rule.LENT_TO_OTHER, Proposal.CLOSE_OTHER_LOAN, facts, *changes)
    return _judged(act, objections, body.overrides, changes, {"item_id": item.item_id})


def _lent_again(act: Act, own: Loan, body: LoanBody) -> Outcome:
    """Lent to who has it: typed twice on one day, or else a renewal (as Koha takes it)."""
    if act.lending.local_date(own.loaned_at) == act.on:
        return duplicate("same_loan")
    return accepted(_renewed(act, own, body))


def _hold_handed(state: Circulation, patron: Patron, item: Item, hold_id: str) -> Hold | None:
    """The hold that a loan fulfils: the one named, or the reader's own of this title."""
    own = [
        h
        for h in state.open_holds_of_title(item.title_id)
        if h.patron_id == patron.patron_id and h.item_id in (None, item.item_id)
    ]
    return next((h for h in own if h.hold_id == hold_id), own[0] if own else None)


def _new_loan(
    act: Act, item: Item, patron: Patron, body: LoanBody | RenewalBody, *, is_disputed: bool
) -> Loan:
    event = act.event
    return Loan(
        loan_id=LoanId(event.event_id),
        item_id=item.item_id,
        patron_id=patron.patron_id,
        place=event.place,
        loaned_at=act.at,
        due=act.due(body.due_date, body.due_visit_id),
        due_from_date=act.on,
        stop_id=event.stop_id,
        is_disputed=is_disputed,
    )


def _renewed(act: Act, loan: Loan, body: LoanBody | RenewalBody) -> Change:
    after = replace(
        loan,
        due=act.due(body.due_date, body.due_visit_id),
        due_from_date=act.on,
        num_renewals=loan.num_renewals + 1,
        renewed_at=act.at,
        stop_id=act.event.stop_id or loan.stop_id,
    )
    return Change(before=loan, after=after)


def _closed(act: Act, loan: Loan) -> Change:
    after = replace(loan, returned_at=act.at, return_place=act.event.place, is_disputed=False)
    return Change(before=loan, after=after)


def _placed(act: Act, item: Item) -> Item:
    """The item where it was scanned; what was scanned elsewhere left its box."""
    if item.place == act.event.place:
        return item
    return replace(item, place=act.event.place, box_id=None, box_left_date=None, box_back_date=None)


def _judged(
    act: Act,
    objections: Sequence[Objection],
    overrides: Sequence[str],
    changes: Sequence[Change],
    facts: Mapping[str, object],
) -> Outcome:
    """Accepted, or a conflict by the first objection that neither crew nor librarian settled."""
    left = [o for o in standing(objections, overrides) if not act.is_settled(o.rule)]
    if not left:
        return accepted(*changes)
    first = left[0]
    return conflict(first.rule, Proposal.ACCEPT, {**facts, **first.facts}, *changes)


def _unknown_item(item_id: str) -> Outcome:
    return conflict(Rule.ITEM_UNKNOWN, Proposal.IDENTIFY_ITEM, {"item_id": item_id})


def take_back(state: Circulation, act: Act, body: ReturnBody) -> Outcome:
    """An item was taken back.

    A loan ends without a question where the device knew it, or where the item came back to the
    place that lent it. A return that speaks of another loan is shown to a person, and so is one at
    another place, soon after the loan, that knew of none: it may be older news than the loan.
    """
    item = state.items.get(ItemId(act.told("item_id", body.item_id)))
    if item is None:
        return _unknown_item(act.told("item_id", body.item_id))
    loans = state.open_loans_of_item(item.item_id)
    placed = Change(before=item, after=_placed(act, item))
    if not loans:
        return accepted(placed)
    known = [loan for loan in loans if loan.loan_id == body.loan_id]
    last = loans[-1]
    if known:
        return accepted(*(_closed(act, loan) for loan in known), placed)
    rule = Rule.RETURN_OF_OTHER_LOAN if body.loan_id else Rule.RETURNED_ELSEWHERE
    days = (act.on - act.lending.local_date(last.loaned_at)).days
    is_plain = last.place == act.event.place or days >= act.lending.rules.doubt_days
    if not body.loan_id and is_plain:
        return accepted(_closed(act, last), placed)
    if act.is_settled(rule):
        return accepted(*(_closed(act, loan) for loan in loans), placed)
    facts = {"item_id": item.item_id, "loan_id": last.loan_id, "believed": body.loan_id}
    return conflict(rule, Proposal.CLOSE_LOAN, facts)


def renew(state: Circulation, act: Act, body: RenewalBody) -> Outcome:
    """A loan was made longer."""
    item = state.items.get(ItemId(act.told("item_id", body.item_id)))
    if item is None:
        return _unknown_item(act.told("item_id", body.item_id))
    loans = state.open_loans_of_item(item.item_id)
    if not loans:
        return _renewed_too_late(state, act, body, item)
    loan = _meant(state, loans, body)
    if loan is None:
        if act.is_settled(Rule.RENEWAL_OF_OTHER_LOAN):
            return accepted()
        facts = {"item_id": item.item_id, "loan_id": loans[-1].loan_id}
        return conflict(Rule.RENEWAL_OF_OTHER_LOAN, Proposal.KEEP_FIRST, facts)
    if loan.renewed_at is not None and act.lending.local_date(loan.renewed_at) == act.on:
        return duplicate("same_renewal")
    patron = state.patrons.get(loan.patron_id)
    objections = renewal_objections(state, loan, patron, act.on, act.lending.rules)
    facts = {"item_id": item.item_id, "loan_id": loan.loan_id}
    return _judged(act, objections, body.overrides, [_renewed(act, loan, body)], facts)


def _meant(state: Circulation, loans: Sequence[Loan], body: RenewalBody) -> Loan | None:
    if body.loan_id:
        return next((loan for loan in loans if loan.loan_id == body.loan_id), None)
    if body.patron_id:
        patron = state.patron_of(body.patron_id)
        ids = {body.patron_id, patron.patron_id if patron else ""}
        return next((loan for loan in loans if loan.patron_id in ids), None)
    return loans[-1]


def _renewed_too_late(state: Circulation, act: Act, body: RenewalBody, item: Item) -> Outcome:
    """Renewed while the item had been returned elsewhere: maybe a new loan, a person says."""
    before = state.loans.get(LoanId(body.loan_id))
    patron_id = act.told("patron_id", body.patron_id or (before.patron_id if before else ""))
    facts = {"item_id": item.item_id, "loan_id": body.loan_id}
    if not act.is_settled(Rule.RENEWAL_NOT_LENT):
        return conflict(Rule.RENEWAL_NOT_LENT, Proposal.LEND_AGAIN, facts)
    patron = state.patron_of(patron_id)
    if not act.is_applied(Rule.RENEWAL_NOT_LENT):
        return accepted()
    if patron is None:
        return conflict(Rule.PATRON_UNKNOWN, Proposal.IDENTIFY_PATRON, facts)
    loan = _new_loan(act, item, patron, body, is_disputed=False)
    return accepted(Change(before=None, after=loan))


def move(state: Circulation, act: Act, body: MoveBody) -> Outcome:
    """Items were scanned into a place; one that is on loan cannot be there."""
    changes: list[Change] = []
    unknown: list[str] = []
    lent: list[Loan] = []
    box_id = BoxId(body.box_id) if body.box_id else None
    for item_id in dict.fromkeys(body.item_ids):
        item = state.items.get(ItemId(item_id))
        if item is None:
            unknown.append(item_id)
            continue
        is_boxed = body.to_place.kind is PlaceKind.POINT and box_id is not None
        after = replace(
            item,
            place=body.to_place,
            box_id=box_id if is_boxed else None,
            box_left_date=act.on if is_boxed else None,
            box_back_date=body.back_date if is_boxed else None,
        )
        changes.append(Change(before=item, after=after))
        lent += state.open_loans_of_item(item.item_id)
    if lent and act.is_applied(Rule.NOT_AT_PLACE):
        changes += [_closed(act, loan) for loan in lent]
    elif lent and not act.is_settled(Rule.NOT_AT_PLACE):
        told = {"item_id": lent[0].item_id, "count": len(lent), "place": str(body.to_place)}
        return conflict(Rule.NOT_AT_PLACE, Proposal.CLOSE_LOAN, told, *changes)
    if unknown and not act.is_settled(Rule.ITEM_UNKNOWN):
        facts = {"item_id": unknown[0], "count": len(unknown)}
        return conflict(Rule.ITEM_UNKNOWN, Proposal.IDENTIFY_ITEM, facts, *changes)
    return accepted(*changes)
