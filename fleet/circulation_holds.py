"""Holds: placed, set aside, handed over, and moved with the visits of their stop."""

from dataclasses import replace

from data.model.journal_bodies import (
    HoldBody,
    HoldCancelledBody,
    HoldExpiredBody,
    HoldHandedBody,
    HoldReadyBody,
    VisitsMovedBody,
    parse_visit_date,
)
from data.model.lending import LendingRules
from data.model.loans import Hold, HoldId, HoldState
from data.model.patrons import PatronId
from data.model.place import StopId
from data.model.stock import ItemId, TitleId
from fleet.circulation_act import Act
from fleet.circulation_due import Pickup, move_dues, move_holds, with_pickup
from fleet.circulation_limits import Rule
from fleet.circulation_outcome import Outcome, Proposal, accepted, conflict, duplicate
from fleet.circulation_state import Change, Circulation


def change_hold(
    state: Circulation, act: Act, body: HoldBody | HoldHandedBody | HoldCancelledBody
) -> Outcome:
    """A hold was placed, handed over or given up."""
    hold = state.holds.get(HoldId(body.hold_id))
    if isinstance(body, HoldBody):
        return duplicate("same_hold") if hold is not None else _placed(state, act, body)
    wanted = HoldState.HANDED if isinstance(body, HoldHandedBody) else HoldState.CANCELLED
    if hold is not None and hold.state is wanted:
        return duplicate("same_hold")
    if hold is not None and hold.is_open:
        return accepted(Change(before=hold, after=replace(hold, state=wanted)))
    if act.is_settled(Rule.HOLD_GONE):
        return accepted()
    facts = {"hold_id": body.hold_id, "state": "" if hold is None else hold.state.value}
    return conflict(Rule.HOLD_GONE, Proposal.KEEP_FIRST, facts)


def _placed(state: Circulation, act: Act, body: HoldBody) -> Outcome:
    patron = state.patron_of(act.told("patron_id", body.patron_id))
    if patron is None:
        facts = {"patron_id": body.patron_id}
        return conflict(Rule.PATRON_UNKNOWN, Proposal.IDENTIFY_PATRON, facts)
    hold = Hold(
        hold_id=HoldId(body.hold_id),
        title_id=TitleId(body.title_id),
        patron_id=PatronId(patron.patron_id),
        stop_id=StopId(body.stop_id),
        item_id=ItemId(body.item_id) if body.item_id else None,
        placed_at=act.at,
    )
    return accepted(Change(before=None, after=hold))


def move_visits(state: Circulation, act: Act, body: VisitsMovedBody) -> Outcome:
    """Visits of a stop are gone: due dates and holds that rest on them go to the next ones."""
    return accepted(*moves_with(state, act.lending.rules, act.event.stop_id or "", body))


def moves_with(
    state: Circulation, rules: LendingRules, stop_id: str, body: VisitsMovedBody
) -> tuple[Change, ...]:
    """The loans and holds that follow when visits of a stop are gone; nothing is changed."""
    gone = [parse_visit_date(text) for text in body.gone]
    coming = [parse_visit_date(text) for text in body.coming]
    loans = [loan for visit in gone for loan in state.open_loans_due_at(visit.visit_id)]
    changes = [
        Change(before=state.loans[m.loan_id], after=replace(state.loans[m.loan_id], due=m.after))
        for m in move_dues(loans, gone, coming)
    ]
    changes += [
        Change(before=state.holds[m.hold_id], after=with_pickup(state.holds[m.hold_id], m.after))
        for m in move_holds(state.open_holds_at(stop_id), gone, coming, rules)
    ]
    return tuple(changes)


def set_aside(state: Circulation, act: Act, body: HoldReadyBody | HoldExpiredBody) -> Outcome:
    """An item was set aside for a hold, or is free again because nobody came."""
    hold = state.holds.get(HoldId(body.hold_id))
    if hold is None or not hold.is_open:
        # Handed over or given up aboard meanwhile: that is what counts.
        return duplicate("hold_closed")
    if isinstance(body, HoldExpiredBody):
        return accepted(Change(before=hold, after=replace(hold, state=HoldState.EXPIRED)))
    visit = parse_visit_date(body.pickup)
    pickup = Pickup(
        visit_id=visit.visit_id,
        pickup_date=visit.opens_date,
        keep_until_date=body.keep_until_date,
    )
    ready = replace(hold, state=HoldState.READY, item_id=ItemId(body.item_id))
    return accepted(Change(before=hold, after=with_pickup(ready, pickup)))
