"""When an item is due: at the next real visit of the stop, within the least and the most days.

A due date that was told is never made earlier behind a reader's back; where its visit is cancelled
it moves to the next one, even past the most days, because the reader could not have come sooner.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from data.model.journal_bodies import VisitDate, VisitsMovedBody
from data.model.lending import LendingRules
from data.model.loans import Due, DueBasis, Hold, HoldId, HoldState, Loan, LoanId
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId

MOST_COMING = 60
"""So many visits after a cancelled one are told: more than a year of weekly ones."""


def coming_visits(visits: Iterable[PromisedVisit], stop_id: StopId) -> tuple[VisitDate, ...]:
    """The visits of a stop that are still meant to happen, by date and time."""
    own = (v for v in visits if v.stop_id == stop_id and v.is_coming)
    ordered = sorted(own, key=lambda v: (v.opens_date, v.opens_s, v.visit_id))
    return tuple(VisitDate(visit_id=v.visit_id, opens_date=v.opens_date) for v in ordered)


def due_of(coming: Sequence[VisitDate], lent_on: date, rules: LendingRules) -> Due:
    """When an item that is lent or renewed on a date is to be back.

    Parameters
    ----------
    coming
        As ``coming_visits`` gives them.
    """
    earliest = lent_on + timedelta(days=rules.least_days)
    latest = lent_on + timedelta(days=rules.most_days)
    for visit in coming if rules.is_due_at_visit else ():
        if earliest <= visit.opens_date <= latest:
            return _at(visit)
    return Due(due_date=latest, basis=DueBasis.MOST_DAYS)


def _at(visit: VisitDate) -> Due:
    return Due(due_date=visit.opens_date, basis=DueBasis.VISIT, visit_id=visit.visit_id)


def moved_due(due: Due, coming: Sequence[VisitDate]) -> Due:
    """A due date after the visits of its stop have changed; the same where it can stay.

    One bound to a visit follows it to a later date, and otherwise goes to the next visit on or
    after the date that was told. Where none is promised any more, the date stays with no visit.
    """
    if due.basis is not DueBasis.VISIT:
        return due
    for visit in coming:
        if visit.visit_id == due.visit_id and visit.opens_date >= due.due_date:
            return _at(visit)
    for visit in coming:
        if visit.opens_date >= due.due_date:
            return _at(visit)
    return Due(due_date=due.due_date, basis=DueBasis.MOST_DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMove:
    """A loan before and after its due date moved."""

    loan_id: LoanId
    before: Due
    after: Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Pickup:
    """When a hold can be had and until when it is kept."""

    visit_id: VisitId | None
    pickup_date: date | None
    keep_until_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldMove:
    """A hold before and after its visit moved."""

    hold_id: HoldId
    before: Pickup
    after: Pickup


def move_dues(
    loans: Iterable[Loan], gone: Iterable[VisitDate], coming: Sequence[VisitDate]
) -> tuple[DueMove, ...]:
    """What a change of one stop's visits does to the due dates of open loans.

    Parameters
    ----------
    gone
        The visits that are cancelled, moved or withdrawn, with their dates before; loans bound to
        others stay.
    coming
        The stop's visits after the change, by date.
    """
    concerned = {v.visit_id for v in gone}
    moves = []
    for loan in loans:
        if loan.is_open and loan.due.visit_id in concerned:
            after = moved_due(loan.due, coming)
            if after != loan.due:
                moves.append(DueMove(loan_id=loan.loan_id, before=loan.due, after=after))
    return tuple(moves)


def pickup_of(coming: Sequence[VisitDate], from_date: date, rules: LendingRules) -> Pickup | None:
    """The next visit at which a hold can be had, and the last for which it is kept."""
    later = [v for v in coming if v.opens_date >= from_date]
    if not later:
        return None
    last = later[min(rules.hold_visits, len(later)) - 1]
    return Pickup(
        visit_id=later[0].visit_id,
        pickup_date=later[0].opens_date,
        keep_until_date=last.opens_date,
    )


def pickup_in(hold: Hold) -> Pickup:
    """What a hold says of its visit."""
    return Pickup(
        visit_id=hold.pickup_visit_id,
        pickup_date=hold.pickup_date,
        keep_until_date=hold.keep_until_date,
    )


def with_pickup(hold: Hold, pickup: Pickup) -> Hold:
    """The hold at another visit."""
    return replace(
        hold,
        pickup_visit_id=pickup.visit_id,
        pickup_date=pickup.pickup_date,
        keep_until_date=pickup.keep_until_date,
    )


def move_holds(
    holds: Iterable[Hold],
    gone: Sequence[VisitDate],
    coming: Sequence[VisitDate],
    rules: LendingRules,
) -> tuple[HoldMove, ...]:
    """What a change of one stop's visits does to the holds that wait there.

    A hold whose own visit is gone goes to the next one; where only a later visit for which it is
    kept is gone, it is kept for one more. Where no visit is promised any more, it is kept without
    an end, until one is promised or a person decides.

    Parameters
    ----------
    holds
        Of the stop.
    gone, coming
        As for ``move_dues``.
    """
    moves = []
    for hold in holds:
        before = pickup_in(hold)
        if hold.state is not HoldState.READY or before.pickup_date is None:
            continue
        until = before.keep_until_date or date.max
        own = [v for v in gone if before.pickup_date <= v.opens_date <= until]
        if not own:
            continue
        after = _moved_pickup(before, own, coming, rules)
        if after != before:
            moves.append(HoldMove(hold_id=hold.hold_id, before=before, after=after))
    return tuple(moves)


def _moved_pickup(
    before: Pickup,
    gone: Sequence[VisitDate],
    coming: Sequence[VisitDate],
    rules: LendingRules,
) -> Pickup:
    assert before.pickup_date is not None
    if any(v.visit_id == before.visit_id for v in gone):
        found = pickup_of(coming, before.pickup_date, rules)
        return found or Pickup(visit_id=None, pickup_date=None, keep_until_date=None)
    later = [v for v in coming if v.opens_date > before.pickup_date]
    more = later[: rules.hold_visits - 1]
    keep_until = more[-1].opens_date if more else before.pickup_date
    return replace(before, keep_until_date=keep_until)


def visits_moved(
    before: Iterable[PromisedVisit], visits: Iterable[PromisedVisit]
) -> dict[StopId, VisitsMovedBody]:
    """What a change of promised visits tells the journal, stop by stop.

    Parameters
    ----------
    before
        The visits that changed, as they were.
    visits
        All visits of the stops concerned, after the change.

    Returns
    -------
    dict
        Bodies of events that the server adds; stops that lose no date are not among them.
    """
    now = {v.visit_id: v for v in visits}
    gone: dict[StopId, list[VisitDate]] = {}
    for visit in before:
        after = now.get(visit.visit_id)
        stays = after is not None and after.is_coming and after.opens_date == visit.opens_date
        if visit.is_coming and not stays:
            date_before = VisitDate(visit_id=visit.visit_id, opens_date=visit.opens_date)
            gone.setdefault(visit.stop_id, []).append(date_before)
    found = {}
    for stop_id, lost in gone.items():
        first = min(v.opens_date for v in lost)
        coming = [v for v in coming_visits(now.values(), stop_id) if v.opens_date >= first]
        found[stop_id] = VisitsMovedBody(
            gone=tuple(map(str, lost)), coming=tuple(map(str, coming[:MOST_COMING]))
        )
    return found
