"""What speaks against a loan or a renewal: blocks, limits, age marks, holds of others.

The tablet asks the same before it lends; here it is asked again in the order in which things
happened. A firm rule is not for the crew to override.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from data.model.age_marks import AgeMark, age_on, is_too_young
from data.model.lending import LendingRules
from data.model.loans import Loan
from data.model.patrons import Patron
from data.model.stock import Item
from fleet.circulation_state import Circulation


class Rule(StrEnum):
    """Rules of conflicts; the names are codes of messages and lie in databases, for good."""

    ITEM_UNKNOWN = "item_unknown"
    PATRON_UNKNOWN = "patron_unknown"
    ITEM_WITHDRAWN = "item_withdrawn"
    LENT_TO_OTHER = "lent_to_other"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    OVERDUE = "overdue"
    OVER_LIMIT = "over_limit"
    AGE_MARK = "age_mark"
    NOT_FOR_LOAN = "not_for_loan"
    HELD_FOR_OTHER = "held_for_other"
    RETURNED_ELSEWHERE = "returned_elsewhere"
    RETURN_OF_OTHER_LOAN = "return_of_other_loan"
    RENEWAL_NOT_LENT = "renewal_not_lent"
    RENEWAL_OF_OTHER_LOAN = "renewal_of_other_loan"
    RENEWAL_LIMIT = "renewal_limit"
    CARD_TAKEN = "card_taken"
    HOLD_GONE = "hold_gone"
    NOT_AT_PLACE = "not_at_place"
    """An item that is lent was found on a shelf."""
    VOIDED_TOO_LATE = "voided_too_late"
    """A slip was taken back, or decided anew, that is settled."""
    TOO_LATE = "too_late"
    """It came after what followed it was settled; nobody but a person can tell what it changes."""


FIRM = frozenset({Rule.AGE_MARK, Rule.NOT_FOR_LOAN, Rule.ITEM_WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One thing that speaks against; the crew may override it unless it is firm."""

    rule: Rule
    facts: Mapping[str, object] = field(default_factory=dict)
    is_firm: bool = False


def loan_objections(
    state: Circulation,
    patron: Patron,
    item: Item,
    on: date,
    rules: LendingRules,
    *,
    hold_id: str = "",
) -> tuple[Objection, ...]:
    """What speaks against lending an item to a patron on a date.

    Parameters
    ----------
    hold_id
        The hold that is handed over by the loan.
    """
    found = []
    if item.is_withdrawn:
        found.append(Objection(rule=Rule.ITEM_WITHDRAWN, is_firm=True))
    if not item.is_for_loan:
        found.append(Objection(rule=Rule.NOT_FOR_LOAN, is_firm=True))
    found += _of_patron(state, patron, on, rules)
    found += _of_age(state, patron, item, on, rules)
    found += _of_holds(state, patron, item, hold_id)
    return tuple(found)


def _of_patron(
    state: Circulation, patron: Patron, on: date, rules: LendingRules
) -> list[Objection]:
    found = []
    if blocks := patron.blocks_on(on):
        reasons = ", ".join(b.reason.value for b in blocks)
        found.append(Objection(rule=Rule.BLOCKED, facts={"reasons": reasons}))
    if patron.expires_date is not None and patron.expires_date < on:
        facts: dict[str, object] = {"date": patron.expires_date.isoformat()}
        found.append(Objection(rule=Rule.EXPIRED, facts=facts))
    loans = state.open_loans_of_patron(patron.patron_id)
    worst = max(((on - loan.due.due_date).days for loan in loans), default=0)
    if worst > rules.overdue_days:
        facts = {"days": worst, "limit": rules.overdue_days}
        found.append(Objection(rule=Rule.OVERDUE, facts=facts))
    most = rules.most_loans.get(patron.kind)
    if most is not None and len(loans) >= most:
        facts = {"count": len(loans) + 1, "limit": most}
        found.append(Objection(rule=Rule.OVER_LIMIT, facts=facts))
    return found


def _of_age(
    state: Circulation, patron: Patron, item: Item, on: date, rules: LendingRules
) -> list[Objection]:
    title = state.title_of(item)
    mark = AgeMark.NONE if title is None else title.age_mark
    if not is_too_young(mark, patron.birth_date, on):
        return []
    assert patron.birth_date is not None
    facts = {"mark": mark.value, "age": age_on(patron.birth_date, on)}
    is_firm = mark.years >= rules.firm_mark_years
    return [Objection(rule=Rule.AGE_MARK, facts=facts, is_firm=is_firm)]


def _of_holds(state: Circulation, patron: Patron, item: Item, hold_id: str) -> list[Objection]:
    """An item set aside for another; whether it is any of several makes no hold of its own."""
    for hold in state.open_holds_of_title(item.title_id):
        if hold.item_id == item.item_id and hold.hold_id != hold_id:
            if hold.patron_id == patron.patron_id:
                return []
            return [Objection(rule=Rule.HELD_FOR_OTHER, facts={"hold_id": hold.hold_id})]
    return []


def renewal_objections(
    state: Circulation, loan: Loan, patron: Patron | None, on: date, rules: LendingRules
) -> tuple[Objection, ...]:
    """What speaks against making a loan longer."""
    found = []
    if loan.num_renewals >= rules.most_renewals:
        facts: dict[str, object] = {"count": loan.num_renewals + 1, "limit": rules.most_renewals}
        found.append(Objection(rule=Rule.RENEWAL_LIMIT, facts=facts))
    if patron is not None and (blocks := patron.blocks_on(on)):
        reasons = ", ".join(b.reason.value for b in blocks)
        found.append(Objection(rule=Rule.BLOCKED, facts={"reasons": reasons}))
    item = state.items.get(loan.item_id)
    if item is not None:
        waiting = [
            h
            for h in state.open_holds_of_title(item.title_id)
            if h.patron_id != loan.patron_id and h.item_id in (None, item.item_id)
        ]
        spare = [
            i
            for i in state.items_of_title(item.title_id)
            if not state.open_loans_of_item(i.item_id)
        ]
        if len(waiting) > len(spare):
            facts = {"hold_id": waiting[0].hold_id}
            found.append(Objection(rule=Rule.HELD_FOR_OTHER, facts=facts))
    return tuple(found)


def standing(objections: Sequence[Objection], overrides: Sequence[str]) -> tuple[Objection, ...]:
    """The objections that the crew did not override, or could not."""
    return tuple(o for o in objections if o.is_firm or o.rule not in overrides)
