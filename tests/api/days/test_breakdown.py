"""A breakdown: shown before, done in one transaction with notices and calendars, undone in one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from api.services import make_up
from data.db import alert_store
from data.db.engine import reading
from data.db.tables.records import AuditRow, EventRow
from data.model.alert import AlertKind
from data.model.calendar import HOUR_S
from data.model.cancellation import CancelReason, ExceptionKind
from data.model.errors import BookmobileError, ConflictError, InputError, NotFoundError
from data.model.fleet import VehicleId
from data.model.publication import PromisedVisit, VisitState
from tests.api.days.yard import FIRST, SECOND, THIRD, TUESDAY, Yard, decided_of
from tests.api.publication.office import REGION


def of_today(yard: Yard) -> dict[str, PromisedVisit]:
    return {v.visit_id: v for v in yard.visits(from_date=TUESDAY, until_date=TUESDAY)}


def test_an_idle_vehicle_comes_at_the_promised_times(yard: Yard) -> None:
    """All that has not begun goes over; the visit under way and those of others stay."""
    before = of_today(yard)
    shown = yard.breakdown(most_late_min=0, with_other_days=False)
    begun = [v for v in before.values() if v.vehicle_id == FIRST and v.start_s <= 11 * HOUR_S]
    assert len(shown.rows) == 5 - len(begun)
    assert all(r.is_same_time for r in shown.handed_over)
    assert shown.handed_over, "somebody can come"
    done = yard.decide(shown)
    after = of_today(yard)
    moved = {r.visit.visit_id for r in shown.handed_over}
    for visit_id, visit in after.items():
        was = before[visit_id]
        if visit_id in moved:
            assert visit.vehicle_id in (SECOND, THIRD)
            assert (visit.start_s, visit.end_s, visit.state) == (
                was.start_s,
                was.end_s,
                VisitState.PLANNED,
            )
            assert visit.sequence == was.sequence + 1, "calendars learn who comes"
        elif was.vehicle_id == FIRST and was.start_s > 11 * HOUR_S:
            assert visit.state is VisitState.CANCELLED
        else:
            assert replace(visit, position=0) == replace(was, position=0)
    assert (done.kind, done.reason) == (ExceptionKind.BREAKDOWN, "breakdown")


def test_readers_are_told_of_what_changes_for_them_alone(yard: Yard) -> None:
    """No notice where another vehicle comes at the same time, one for each visit that is lost."""
    shown = yard.breakdown(most_late_min=0, with_other_days=False)
    yard.decide(shown)
    lost = {r.visit.stop_id for r in shown.cancelled}
    assert {n.stop_id for n in yard.notices()} == lost
    assert {n.code for n in yard.notices()} <= {"notice.cancelled"}


def test_a_later_opening_is_told_as_moved(yard: Yard) -> None:
    """The vehicle is back after an hour and a half: what it can still hold begins later."""
    shown = yard.breakdown(
        helpers=frozenset(), back_at_s=13 * HOUR_S, most_late_min=60, with_other_days=False
    )
    late = [r for r in shown.handed_over if not r.is_same_time]
    assert late
    assert all(0 < r.later_min <= 60 for r in late)
    assert {r.after.vehicle_id for r in shown.handed_over if r.after} == {FIRST}
    yard.decide(shown)
    told = {n.stop_id: n for n in yard.notices() if n.code == "notice.moved"}
    for row in late:
        assert row.after is not None
        facts = told[row.visit.stop_id].facts
        assert (facts["old_start_s"], facts["new_start_s"]) == (
            row.visit.opens_s,
            row.after.opens_s,
        )


def test_what_nobody_can_hold_today_comes_on_another_date(yard: Yard) -> None:
    """Without helpers each visit is offered another date, no place twice; then it is promised."""
    shown = yard.breakdown(helpers=frozenset())
    assert shown.handed_over == ()
    offers = [r.offer for r in shown.other_date if r.offer is not None]
    assert offers
    assert len({o.key for o in offers}) == len(offers)
    assert all(o.service_date > TUESDAY for o in offers)
    yard.decide(shown)
    coming = {v.make_up_for: v for v in yard.visits() if v.make_up_for and v.is_coming}
    assert coming.keys() == {r.visit.visit_id for r in shown.other_date}


def test_the_broken_vehicle_is_given_nothing(yard: Yard) -> None:
    """No rest of the day, no make-up, not when another breaks down or a visit is cancelled."""
    shown = yard.breakdown(max_changes=3)
    after = [r.after.vehicle_id for r in shown.rows if r.after is not None]
    offered = [r.offer.vehicle_id for r in shown.other_date if r.offer is not None]
    assert after
    assert FIRST not in {*after, *offered}
    alone = yard.breakdown(helpers=frozenset())
    assert {r.offer.vehicle_id for r in alone.other_date if r.offer} <= {SECOND, THIRD}
    done = yard.decide(alone)
    lost = next(v for v in yard.visits(from_date=TUESDAY) if v.state is VisitState.CANCELLED)
    with reading(yard.engine) as session:
        made_up = {v.make_up_for for v in yard.visits() if v.make_up_for}
        if lost.visit_id not in made_up:
            found = make_up.offers(session, REGION, lost.visit_id, at=yard.now, most=50)
            assert FIRST not in {o.vehicle_id for o in found}
    other = yard.breakdown(vehicle_id=SECOND, most_late_min=180)
    placed = [r.after.vehicle_id for r in other.rows if r.after is not None]
    placed += [r.offer.vehicle_id for r in other.other_date if r.offer is not None]
    assert placed
    assert not {FIRST, SECOND} & set(placed)
    yard.take_back(done)
    again = yard.breakdown(vehicle_id=SECOND, helpers=frozenset({FIRST}), most_late_min=180)
    found_now = {r.after.vehicle_id for r in again.rows if r.after is not None}
    found_now |= {r.offer.vehicle_id for r in again.other_date if r.offer is not None}
    assert FIRST in found_now, "taken back, it may help again"


@pytest.mark.parametrize("helpers", [None, frozenset[VehicleId]()])
def test_one_undo_restores_everything(yard: Yard, helpers: frozenset[VehicleId] | None) -> None:
    """Vehicles, times, states, notices, the warning on the board, and no make-up visit is left."""

    def told() -> list[PromisedVisit]:
        return [replace(v, sequence=0, changed_at=yard.now) for v in yard.visits() if v.is_told]

    before = told()
    done = yard.decide(yard.breakdown(helpers=helpers))
    assert told() != before
    yard.now += timedelta(minutes=5)
    yard.take_back(done)
    before = [replace(v, changed_at=yard.now) for v in before]
    assert told() == before
    assert {n.code for n in yard.notices()} == {"notice.restored"}
    with reading(yard.engine) as session:
        assert alert_store.open_alerts(session, REGION) == ()


def test_the_board_is_warned_and_the_act_is_on_record(yard: Yard) -> None:
    """An alert of the vehicle, an audit line, events for open pages."""
    yard.decide(yard.breakdown())
    with reading(yard.engine) as session:
        (alert,) = alert_store.open_alerts(session, REGION)
        actions = [row.action for row in session.exec(select(AuditRow))]
        topics = {row.topic for row in session.exec(select(EventRow))}
    assert (alert.kind, alert.vehicle_id) == (AlertKind.BREAKDOWN, FIRST)
    assert "visits.breakdown" in actions
    assert {"alert", "timetable"} <= topics


def test_a_decision_on_what_has_changed_is_refused(yard: Yard) -> None:
    """Somebody cancelled one of the visits in the meantime: nothing is done."""
    shown = yard.breakdown()
    yard.cancel("visit", visit_id=shown.rows[-1].visit.visit_id)
    before = yard.visits()
    with pytest.raises(ConflictError, match=r"breakdown\.changed"):
        yard.decide(shown)
    assert yard.visits() == before


def test_a_decision_that_comes_too_late_is_refused_with_the_reason(yard: Yard) -> None:
    """An hour later the helper cannot be there in time any more: the checker says so."""
    shown = yard.breakdown(most_late_min=0, with_other_days=False)
    first = min(r.after.start_s for r in shown.handed_over if r.after)
    yard.now += timedelta(seconds=first - 11 * HOUR_S - 60)
    before = yard.visits()
    with pytest.raises(BookmobileError) as refused:
        yard.decide(replace(shown, seen=yard.breakdown(most_late_min=0).seen))
    assert refused.value.code in ("breakdown.impossible", "visit.unknown")
    assert yard.visits() == before


def test_the_cap_on_others_times_is_kept_by_the_server(yard: Yard) -> None:
    """A move of somebody's own visit that was not allowed is refused, whatever a page sends."""
    shown = yard.breakdown()
    own = next(
        v
        for v in yard.visits(from_date=TUESDAY, until_date=TUESDAY)
        if v.vehicle_id == SECOND and v.start_s > 12 * HOUR_S
    )
    decided = decided_of(shown)
    forged = replace(decided.moves[0], visit_id=own.visit_id, start_s=own.start_s + 600)
    shown_again = replace(shown)
    with pytest.raises(BookmobileError, match="over_cap"):
        yard.decide_with(shown_again, replace(decided, moves=(*decided.moves, forged)))


@pytest.mark.parametrize(
    ("asked", "code", "kind"),
    [
        ({"vehicle_id": "kibo-9"}, "breakdown.no_run", NotFoundError),
        ({"vehicle_id": THIRD}, "breakdown.no_run", NotFoundError),
        ({"back_at_s": 9 * HOUR_S}, "breakdown.back_past", InputError),
        ({"most_late_min": 999}, "breakdown.late_range", InputError),
        ({"max_changes": -1}, "breakdown.changes_range", InputError),
        ({"reason": CancelReason.OTHER}, "cancel.needs_note", InputError),
        ({"note": "x" * 501}, "cancel.note_long", InputError),
    ],
)
def test_nonsense_is_told_by_name(
    yard: Yard, asked: dict[str, object], code: str, kind: type[Exception]
) -> None:
    """Each with its own code."""
    with pytest.raises(kind, match=code):
        yard.breakdown(**asked)


def test_after_the_last_visit_there_is_nothing_to_move(yard: Yard) -> None:
    """In the evening a breakdown costs readers nothing."""
    yard.now += timedelta(hours=8)
    with pytest.raises(InputError, match=r"breakdown\.nothing_left"):
        yard.breakdown()
