"""Registrations aboard: new readers, renewed ones, and two who were given one card."""

from dataclasses import replace
from datetime import timedelta

from data.model.journal_bodies import RegistrationBody, ReregistrationBody
from data.model.patrons import Patron, PatronId
from fleet.circulation_act import Act
from fleet.circulation_limits import Rule
from fleet.circulation_outcome import Outcome, Proposal, accepted, conflict, duplicate
from fleet.circulation_state import Change, Circulation


def register(state: Circulation, act: Act, body: RegistrationBody) -> Outcome:
    """A new reader; without the card while it is another's, so that loans to them still hold."""
    if PatronId(body.patron_id) in state.patrons:
        return duplicate("same_patron")
    stop_id = act.event.stop_id
    patron = Patron(
        patron_id=PatronId(body.patron_id),
        card=act.told("card", body.card),
        name=body.name,
        kind=body.kind,
        birth_date=body.birth_date,
        phone=body.phone,
        is_disabled=body.is_disabled,
        stop_ids=frozenset() if stop_id is None else frozenset({stop_id}),
        registered_date=act.on,
        expires_date=act.on + timedelta(days=act.lending.rules.registration_days),
    )
    owners = state.patrons_with_card(patron.card) if patron.card else ()
    if not owners:
        return accepted(Change(before=None, after=patron))
    other = owners[0]
    without = Change(before=None, after=replace(patron, card=""))
    is_one = _is_same_person(patron, other)
    if act.is_applied(Rule.CARD_TAKEN) and is_one:
        merged = replace(patron, card="", merged_into=other.patron_id)
        return accepted(Change(before=None, after=merged))
    if act.is_settled(Rule.CARD_TAKEN) and patron.card == body.card:
        # No other card was named: the reader has none for now.
        return accepted(without)
    proposal = Proposal.MERGE_PATRONS if is_one else Proposal.GIVE_NEW_CARD
    facts = {"patron_id": other.patron_id}
    return conflict(Rule.CARD_TAKEN, proposal, facts, without)


def _is_same_person(one: Patron, other: Patron) -> bool:
    """Whether two registrations say the same of name and birth; an empty name says nothing."""
    name = " ".join(one.name.casefold().split())
    return bool(name) and (name, one.birth_date) == (
        " ".join(other.name.casefold().split()),
        other.birth_date,
    )


def reregister(state: Circulation, act: Act, body: ReregistrationBody) -> Outcome:
    """A reader's registration lasts longer, never shorter; a new card only where it is free."""
    patron = state.patron_of(act.told("patron_id", body.patron_id))
    if patron is None:
        facts = {"patron_id": body.patron_id}
        return conflict(Rule.PATRON_UNKNOWN, Proposal.IDENTIFY_PATRON, facts)
    expires = max(body.expires_date, patron.expires_date or body.expires_date)
    longer = replace(patron, expires_date=expires)
    card = act.told("card", body.card)
    owners = [p for p in state.patrons_with_card(card) if p.patron_id != patron.patron_id]
    if not card:
        return accepted(Change(before=patron, after=longer))
    if not owners:
        return accepted(Change(before=patron, after=replace(longer, card=card)))
    if act.is_settled(Rule.CARD_TAKEN) and card == body.card:
        return accepted(Change(before=patron, after=longer))
    facts = {"patron_id": owners[0].patron_id}
    change = Change(before=patron, after=longer)
    return conflict(Rule.CARD_TAKEN, Proposal.GIVE_NEW_CARD, facts, change)
