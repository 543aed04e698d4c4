"""What the journal itself counts of each stop visit: loans, returns, readers, holds, exchange.

The names are those of ``data.model.stop_counts`` (DOMAIN §7). What a crew taps besides (visits,
enquiries) stands in ``VisitLog.counts``; ``add_counts`` puts both together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from data.model.age_marks import age_on
from data.model.journal import EventKind
from data.model.journal_bodies import MoveBody
from data.model.loans import Hold, HoldState, Loan
from data.model.patrons import Patron, PatronId, PatronKind
from data.model.stock import Carrier, Item, PlaceKind
from data.model.stop_counts import Band, add_counts
from fleet.circulation_replay import Step
from fleet.circulation_state import Change, Circulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Full years at which bands end or begin; forms of different years draw them differently."""

    children_to: int = 14
    youth_to: int = 30
    senior_from: int = 60

    def of(self, birth_date: date | None, on: date) -> Band | None:
        """The band of a reader on a date; ``None`` where the age is not known."""
        if birth_date is None:
            return None
        age = age_on(birth_date, on)
        if age <= self.children_to:
            return Band.CHILDREN
        if age <= self.youth_to:
            return Band.YOUTH
        return Band.SENIOR if age >= self.senior_from else Band.ADULT


def counts_of_visits(
    state: Circulation, steps: Iterable[Step], bands: Bands | None = None
) -> dict[str, dict[str, int]]:
    """Counts of each stop visit by its id.

    Loans that wait for a person's decision count: the item was handed over.
    """
    bands = bands or Bands()
    found: dict[str, dict[str, int]] = {}
    served: dict[str, set[str]] = {}
    for step in steps:
        event = step.timed.event
        if event.visit_id is None:
            continue
        seen = served.setdefault(event.visit_id, set())
        parts = [_of_change(state, step, change, bands, seen) for change in step.outcome.changes]
        parts += _of_exchange(step)
        found[event.visit_id] = add_counts((found.get(event.visit_id, {}), *parts))
    return {visit_id: counts for visit_id, counts in found.items() if counts}


def readers_of_visits(
    state: Circulation, steps: Iterable[Step], bands: Bands | None = None
) -> dict[str, dict[PatronId, Band | None]]:
    """Readers whom each stop visit served, by its id, with the band of age on its date.

    Served is who borrowed, renewed or brought back, asked for a title or got it, registered or
    registered anew. A registration that turned out to double another counts as that one; an
    organisation that borrows is no reader.
    """
    bands = bands or Bands()
    found: dict[str, dict[PatronId, Band | None]] = {}
    for step in steps:
        event = step.timed.event
        if event.visit_id is None or step.is_voided:
            continue
        for change in step.outcome.changes:
            patron = state.patron_of(_reader_of(change, event.kind))
            if patron is not None and patron.kind is not PatronKind.COLLECTIVE:
                told = found.setdefault(event.visit_id, {})
                told[patron.patron_id] = bands.of(patron.birth_date, event.service_date)
    return found


def _reader_of(change: Change, kind: EventKind) -> str:
    """The reader whom a change served; empty where it served nobody."""
    match change.before, change.after:
        case _, Loan() as loan:
            return loan.patron_id
        case None, Hold() as hold:
            return hold.patron_id
        case Hold(), Hold(state=HoldState.HANDED) as hold:
            return hold.patron_id
        case None, Patron() as patron:
            return patron.patron_id
        case Patron(), Patron() as patron if kind is EventKind.REREGISTRATION:
            return patron.patron_id
    return ""


def _named(name: str, band: Band | None) -> str:
    return name if band is None else f"{name}.{band.value}"


def _of_change(
    state: Circulation, step: Step, change: Change, bands: Bands, seen: set[str]
) -> dict[str, int]:
    on = step.timed.event.service_date
    match change.before, change.after:
        case None, Loan() as loan:
            return _of_loan(state, loan, on, bands, seen)
        case Loan(returned_at=None), Loan(returned_at=back) as loan if back is not None:
            if step.timed.event.kind is not EventKind.RETURN:
                return {}
            elsewhere = int(loan.place != loan.return_place)
            return {"returns": 1, "returns_other_point": elsewhere}
        case Loan(num_renewals=first), Loan(num_renewals=then) if then > first:
            return {"renewals": 1}
        case None, Patron() as patron if patron.merged_into is None:
            return {_named("users_new", bands.of(patron.birth_date, on)): 1}
        case Patron(), Patron() as patron if step.timed.event.kind is EventKind.REREGISTRATION:
            return {_named("users_renewed", bands.of(patron.birth_date, on)): 1}
        case None, Hold():
            return {"requests_taken": 1}
        case Hold() as before, Hold(state=HoldState.HANDED) if before.is_open:
            return {"requests_filled": 1}
        case _:
            return {}


def _of_loan(
    state: Circulation, loan: Loan, on: date, bands: Bands, seen: set[str]
) -> dict[str, int]:
    patron, item = state.patrons.get(loan.patron_id), state.items.get(loan.item_id)
    title = None if item is None else state.title_of(item)
    counts = {_named("loans_home", bands.of(patron.birth_date if patron else None, on)): 1}
    if title is not None:
        counts["loans_child_lit"] = int(title.is_for_children)
        counts["loans_special_format"] = int(title.is_accessible)
        counts["loans_periodical"] = int(title.carrier is Carrier.PERIODICAL)
        counts["loans_audiovisual"] = int(title.carrier is Carrier.AUDIOVISUAL)
    kind = patron.kind if patron else PatronKind.PERSON
    is_first = loan.patron_id not in seen
    seen.add(loan.patron_id)
    if kind is PatronKind.HOME:
        counts |= {"home_deliveries": int(is_first), "home_delivery_docs": 1}
    elif kind is PatronKind.COLLECTIVE:
        counts["collectives_served"] = int(is_first)
    return counts


def _of_exchange(step: Step) -> list[dict[str, int]]:
    """Items that went to a point or came back from one, and the points that got any."""
    body = step.timed.event.body
    if not isinstance(body, MoveBody) or step.is_voided:
        return []
    moved = [c.before for c in step.outcome.changes if isinstance(c.before, Item)]
    if body.to_place.kind is PlaceKind.POINT:
        return [{"exchange_out": len(moved), "points_served": int(bool(moved))}]
    back = [item for item in moved if item.place.kind is PlaceKind.POINT]
    return [{"exchange_in": len(back)}]
