"""What a newer plan does to visits that readers were promised."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import (
    ChangeKind,
    Closure,
    LaidVisit,
    Moment,
    PromisedVisit,
    Publishing,
    Reconciled,
    VisitState,
    lay,
    reconcile,
)
from data.model.timetable import visit_dates
from tests import plan_example as example

HOUR_S = 3600
FIRST = date(2026, 3, 2)
NOON = datetime(2026, 2, 20, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 20, 12, tzinfo=UTC)


def publishing(
    from_date: date = FIRST, now: Moment = (date(2026, 2, 20), 0), at: datetime = NOON
) -> Publishing:
    numbers = count()
    return Publishing(
        region_id="rutland",
        timetable_id=f"t-{at:%m%d}",
        from_date=from_date,
        now=now,
        reach_days=28,
        at=at,
        make_id=lambda: f"v{at:%m%d}-{next(numbers)}",
    )


def laid(
    on: date, hour: float, stop: str = "exton", vehicle: str = "north", **more: object
) -> LaidVisit:
    start_s = int(hour * HOUR_S)
    visit = LaidVisit(
        stop_id=StopId(stop),
        vehicle_id=VehicleId(vehicle),
        service_date=on,
        position=0,
        arrival_s=start_s - 600,
        start_s=start_s,
        end_s=start_s + HOUR_S,
        departure_s=start_s + HOUR_S + 300,
    )
    return replace(visit, **more)  # type: ignore[arg-type]


def first_of(*visits: LaidVisit) -> tuple[PromisedVisit, ...]:
    return reconcile((), visits, publishing=publishing()).to_store


def after(old: tuple[PromisedVisit, ...], result: Reconciled) -> tuple[PromisedVisit, ...]:
    """All visits of the region once the result is stored."""
    stored = {v.visit_id: v for v in old} | {v.visit_id: v for v in result.to_store}
    return tuple(stored.values())


def test_a_plan_is_laid_on_the_dates_of_its_timetable() -> None:
    """Every visit stands on the dates that the timetable gives it, and nowhere else."""
    request, plan = example.request(), example.plan()
    until = date(2026, 8, 30)
    visits = lay(request, plan, from_date=date(2026, 4, 1), until_date=until)
    for stop in example.STOPS:
        dates = [v.opens_date for v in visits if v.stop_id == stop.stop_id]
        known = visit_dates(request, plan, stop.stop_id, until)
        assert sorted(dates) == [on for on in known if on >= date(2026, 4, 1)]
    assert [v.service_date for v in visits] == sorted(v.service_date for v in visits)
    assert not any(v.service_date == date(2026, 5, 4) for v in visits), "May Day"


def test_the_first_timetable_adds_everything() -> None:
    """Nothing was promised before: every visit is new, with an id of its own."""
    result = reconcile((), [laid(FIRST, 10), laid(FIRST, 10, "wing")], publishing=publishing())
    assert result.counts["added"] == 2
    assert result.num_changed == 0, "what is new breaks no promise"
    assert len({v.visit_id for v in result.to_store}) == 2


def test_another_hour_of_the_day_moves_the_visit() -> None:
    """Same stop, same date: the id stays, calendars take over the new time."""
    (old,) = first_of(laid(FIRST, 10))
    result = reconcile([old], [laid(FIRST, 10.5)], publishing=publishing(at=LATER))
    (change,) = result.changes
    assert change.kind is ChangeKind.MOVED
    assert (change.after.visit_id, change.after.sequence) == (old.visit_id, 1)
    assert change.after.opens_s == 10.5 * HOUR_S
    assert change.after.published_at == NOON
    assert change.after.changed_at == LATER


def test_another_weekday_moves_the_nearest_visit() -> None:
    """From Mondays to Wednesdays each visit goes two days on, none four weeks."""
    mondays = [FIRST + timedelta(days=7 * k) for k in range(4)]
    old = first_of(*(laid(on, 10) for on in mondays))
    new = [laid(on + timedelta(days=2), 10) for on in mondays]
    result = reconcile(old, new, publishing=publishing(at=LATER))
    assert [c.kind for c in result.changes] == [ChangeKind.MOVED] * 4
    for was in old:
        (now,) = [v for v in result.to_store if v.visit_id == was.visit_id]
        assert now.opens_date == was.opens_date + timedelta(days=2)


def test_beyond_a_cycle_it_is_another_visit() -> None:
    """A visit that would move further than the cycle is withdrawn, and a new one is added."""
    (old,) = first_of(laid(FIRST, 10))
    new = laid(FIRST + timedelta(days=29), 10)
    result = reconcile([old], [new], publishing=publishing(at=LATER))
    assert {c.kind for c in result.changes} == {ChangeKind.WITHDRAWN, ChangeKind.ADDED}
    assert result.num_changed == 1
    gone = next(v for v in result.to_store if v.visit_id == old.visit_id)
    assert (gone.state, gone.sequence) == (VisitState.WITHDRAWN, 1)


def test_another_vehicle_is_no_other_time() -> None:
    """Readers keep their hour; calendars still learn who comes."""
    (old,) = first_of(laid(FIRST, 10))
    result = reconcile([old], [laid(FIRST, 10, vehicle="south")], publishing=publishing(at=LATER))
    (change,) = result.changes
    assert change.kind is ChangeKind.ALTERED
    assert (change.after.vehicle_id, change.after.sequence) == ("south", 1)
    assert result.num_changed == 0


def test_seconds_within_the_minute_are_no_change() -> None:
    """What is printed is minutes: the visit keeps its sequence, the crew gets the seconds."""
    (old,) = first_of(laid(FIRST, 10))
    shifted = laid(FIRST, 10, start_s=10 * HOUR_S + 20, position=2)
    (change,) = reconcile([old], [shifted], publishing=publishing(at=LATER)).changes
    assert change.kind is ChangeKind.KEPT
    assert (change.after.start_s, change.after.position) == (10 * HOUR_S + 20, 2)
    assert (change.after.sequence, change.after.changed_at) == (0, NOON)


def test_a_cancelled_visit_stays_cancelled() -> None:
    """Publishing again does not bring it back, nor does it wander to another date."""
    (visit,) = first_of(laid(FIRST, 10))
    old = replace(visit, state=VisitState.CANCELLED, reason="weather", sequence=1)
    same = reconcile([old], [laid(FIRST, 11)], publishing=publishing(at=LATER))
    assert same.to_store == ()
    moved = reconcile([old], [laid(FIRST + timedelta(1), 10)], publishing=publishing(at=LATER))
    assert [c.kind for c in moved.changes] == [ChangeKind.KEPT, ChangeKind.ADDED]
    assert moved.changes[0].after == old


def test_a_make_up_visit_stays_unless_its_vehicle_is_elsewhere() -> None:
    """The plan does not know of it; it holds until the vehicle is needed at that hour."""
    missed, extra = first_of(laid(FIRST, 10), laid(FIRST + timedelta(3), 15))
    extra = replace(extra, make_up_for=missed.visit_id)
    plain = [laid(FIRST, 10), laid(FIRST + timedelta(3), 9, "wing")]
    kept = reconcile([missed, extra], plain, publishing=publishing(at=LATER))
    assert extra in [c.after for c in kept.of(ChangeKind.KEPT)]
    clash = [laid(FIRST, 10), laid(FIRST + timedelta(3), 15.5, "wing")]
    gone = reconcile([missed, extra], clash, publishing=publishing(at=LATER))
    assert [c.after.visit_id for c in gone.of(ChangeKind.WITHDRAWN)] == [extra.visit_id]


def test_nothing_is_promised_on_closed_days() -> None:
    """Visits of the plan that fall on them are counted as dropped."""
    closed = Closure(from_date=FIRST, until_date=FIRST)
    off = Closure(
        from_date=FIRST + timedelta(1),
        until_date=FIRST + timedelta(2),
        vehicle_id=VehicleId("north"),
    )
    new = [laid(FIRST, 10), laid(FIRST + timedelta(2), 10)]
    new += [laid(FIRST + timedelta(2), 10, "wing", "south"), laid(FIRST + timedelta(3), 10)]
    result = reconcile((), new, [closed, off], publishing=publishing())
    assert [v.service_date for v in result.dropped] == [FIRST, FIRST + timedelta(2)]
    assert result.counts == {
        "kept": 0, "altered": 0, "moved": 0, "added": 2, "withdrawn": 0, "dropped": 2
    }  # fmt: skip


def test_what_has_begun_today_is_not_promised_twice() -> None:
    """At noon the morning's visit is the past; the plan's later hour that day is no second one."""
    (old,) = first_of(laid(FIRST, 10))
    now = publishing(now=(FIRST, 12 * HOUR_S), at=LATER)
    assert reconcile([old], [laid(FIRST, 14)], publishing=now).changes == ()


DAYS = st.integers(0, 40)
VISITS = st.lists(
    st.tuples(
        DAYS,
        st.sampled_from([9, 10, 10.25, 15]),
        st.sampled_from(["exton", "wing"]),
        st.sampled_from(["north", "south"]),
    ),
    max_size=14,
    unique_by=lambda v: (v[0], v[1], v[3]),
)
PLANS = VISITS.map(lambda vs: [laid(FIRST + timedelta(d), h, s, v) for d, h, s, v in vs])


@settings(max_examples=200, deadline=None)
@given(first=PLANS, second=PLANS, cancelled=st.sets(st.integers(0, 13)), day=DAYS)
def test_publishing_twice_changes_nothing_and_the_past_stays(
    first: list[LaidVisit], second: list[LaidVisit], cancelled: set[int], day: int
) -> None:
    """Whatever was promised and cancelled, and whatever comes after it, at any time."""
    stored = list(first_of(*first))
    for k in cancelled:
        if k < len(stored):
            stored[k] = replace(stored[k], state=VisitState.CANCELLED, sequence=1)
    before = tuple(stored)
    from_date = FIRST + timedelta(day)
    again = publishing(from_date, now=(from_date, 10 * HOUR_S), at=LATER)
    result = reconcile(before, second, publishing=again)
    whole = after(before, result)
    ids = [v.visit_id for v in whole]
    assert len(set(ids)) == len(ids)
    assert {v.visit_id for v in before} <= set(ids), "no visit is forgotten"
    for was in before:
        (now,) = [v for v in whole if v.visit_id == was.visit_id]
        assert now.stop_id == was.stop_id
        assert now.sequence >= was.sequence
        if was.service_date < from_date or was.begins <= again.now:
            assert now == was
        if was.state is VisitState.CANCELLED:
            assert now == was
    third = publishing(from_date, now=again.now, at=LATER + timedelta(hours=1))
    twice = reconcile(whole, second, publishing=third)
    assert twice.to_store == ()
    assert twice.num_changed == 0


@settings(max_examples=100, deadline=None)
@given(first=PLANS, second=PLANS)
def test_what_is_shown_is_what_the_plan_says(
    first: list[LaidVisit], second: list[LaidVisit]
) -> None:
    """After a publication the visits that are meant to happen are those of the new plan."""
    before = first_of(*first)
    result = reconcile(before, second, publishing=publishing(at=LATER))
    shown = [v for v in after(before, result) if v.is_coming]

    def told(visit: LaidVisit) -> tuple[object, ...]:
        return visit.stop_id, visit.opens_date, visit.opens_s, visit.vehicle_id

    assert sorted(map(told, shown)) == sorted(map(told, second))
