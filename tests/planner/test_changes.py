"""What readers would notice between two plans, time by time."""

from dataclasses import replace

from data.model.calendar import MINUTE_S
from data.model.plan import Plan
from planner.changes import Change, changes, num_changes
from tests.planner.examples import KALINOVKA, KALUZHSKOE, KAMENSKOE, SECOND, make_plan, shifted

PLAN = make_plan()
FIRST_RUN, SECOND_RUN = PLAN.runs


def told(before: Plan, after: Plan) -> list[tuple[str, int | None, int | None]]:
    """Stop, day before and day after of each change."""

    def day(change: Change, side: str) -> int | None:
        time = getattr(change, side)
        return None if time is None else int(time.day)

    return [(str(c.stop_id), day(c, "before"), day(c, "after")) for c in changes(before, after)]


def test_the_same_plan_changes_nothing() -> None:
    """Nor does another vehicle, nor another meal: readers come at the same time."""
    assert changes(PLAN, PLAN) == ()
    other = replace(FIRST_RUN, vehicle_id=SECOND.vehicle_id, meal=None)
    assert changes(PLAN, replace(PLAN, runs=(other, SECOND_RUN))) == ()


def test_a_minute_is_a_change() -> None:
    """Both stops of a run that leaves a minute later have a new time."""
    later = replace(PLAN, runs=(shifted(FIRST_RUN, MINUTE_S), SECOND_RUN))
    assert told(PLAN, later) == [("kalinovka", 1, 1), ("kaluzhskoe", 1, 1)]
    assert num_changes(PLAN, later) == 2


def test_a_closing_is_a_change() -> None:
    """Doors that open as before and close earlier are one change."""
    visit = FIRST_RUN.visits[0]
    shorter = replace(visit, end_s=visit.end_s - 10 * MINUTE_S)
    run = replace(FIRST_RUN, visits=(shorter, *FIRST_RUN.visits[1:]))
    (change,) = changes(PLAN, replace(PLAN, runs=(run, SECOND_RUN)))
    assert change.before is not None
    assert change.after is not None
    assert change.before.start_s == change.after.start_s
    assert change.before.end_s == change.after.end_s + 10 * MINUTE_S


def test_a_run_on_another_day_moves_its_stops() -> None:
    """Each visit moved is one change, not one dropped and one added."""
    moved = replace(PLAN, runs=(FIRST_RUN, replace(SECOND_RUN, day=9)))
    assert told(PLAN, moved) == [("kalinovka", 8, 9), ("kamenskoe", 8, 9)]


def test_dropped_and_added_visits_count() -> None:
    """A run that goes drops its visits; back again they come as added where the stop was known."""
    fewer = replace(PLAN, runs=(FIRST_RUN,))
    assert told(PLAN, fewer) == [("kalinovka", 8, None), ("kamenskoe", 8, None)]
    back = changes(fewer, PLAN)
    assert [(c.stop_id, c.is_published) for c in back] == [
        (KALINOVKA.stop_id, True),
        (KAMENSKOE.stop_id, False),
    ]
    assert num_changes(fewer, PLAN) == 1


def test_a_plan_from_nothing_changes_nothing_published() -> None:
    """All stops are new, and every visit is listed."""
    assert num_changes(Plan(runs=()), PLAN) == 0
    assert len(changes(Plan(runs=()), PLAN)) == 4
    assert KALUZHSKOE.stop_id in {c.stop_id for c in changes(Plan(runs=()), PLAN)}
