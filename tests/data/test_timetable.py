"""The cycle on the calendar."""

from dataclasses import replace
from datetime import date

import pytest

from data.model.calendar import ServiceCalendar
from data.model.place import StopId
from data.model.plan import Plan
from data.model.timetable import run_dates, visit_dates, visit_series
from tests import plan_example as example
from tests.planner.examples import tour_plan, tour_request

UNTIL = date(2026, 8, 30)


def test_a_run_repeats_until_the_last_date() -> None:
    """Every fourth Monday, the last date included and the day after it not."""
    [run] = [r for r in example.plan().runs if r.day == 14]
    dates = run_dates(example.request(), example.plan(), run, date(2026, 5, 11))
    assert dates == (date(2026, 3, 16), date(2026, 4, 13), date(2026, 5, 11))
    assert run_dates(example.request(), example.plan(), run, date(2026, 5, 10)) == dates[:2]


def test_a_moved_working_day_is_served_once() -> None:
    """A Saturday that works in this cycle does not work in the next."""
    request = example.request()
    saturday = date(2026, 3, 7)
    calendar = replace(request.calendar, extra_dates={saturday: "instead of Monday"})
    request = replace(request, calendar=calendar)
    plan = Plan(runs=(example.make_run(example.SOUTH, 5, [(example.EXTON, 36_000)]),))
    assert visit_dates(request, plan, example.EXTON.stop_id, UNTIL) == (saturday,)
    [series] = visit_series(request, plan, UNTIL)
    assert series.dates == (saturday,)
    assert len(series.exceptions) == 6


def test_seconds_do_not_split_a_series() -> None:
    """Visits that print the same minute are one line of the timetable."""
    runs = tuple(
        example.make_run(example.SOUTH, day, [(example.EXTON, 36_000 + second)])
        for day, second in ((0, 12), (14, 48))
    )
    [series] = visit_series(example.request(), Plan(runs=runs), UNTIL)
    assert (series.rule.interval, series.opens_s, series.closes_s) == (2, 36_000, 39_600)


def test_uneven_visits_are_series_of_their_own() -> None:
    """Weeks 1 and 2 of four are no fortnightly rhythm."""
    runs = tuple(example.make_run(example.SOUTH, day, [(example.EXTON, 36_000)]) for day in (0, 7))
    series = visit_series(example.request(), Plan(runs=runs), UNTIL)
    assert [(s.day, s.rule.interval) for s in series] == [(0, 4), (7, 4)]


def test_a_visit_after_midnight_belongs_to_the_next_date() -> None:
    """Planned times may pass midnight; the reader's date is the one on which the doors open."""
    run = example.make_run(example.SOUTH, 0, [(example.EXTON, 86_400 + 1_800)])
    plan = Plan(runs=(run,))
    [series] = visit_series(example.request(), plan, date(2026, 3, 10))
    assert (series.dates, series.opens_s) == ((date(2026, 3, 3),), 1_800)
    assert visit_dates(example.request(), plan, example.EXTON.stop_id, UNTIL)[0] == date(2026, 3, 3)


@pytest.mark.parametrize("until", [date(2026, 3, 1), date(2020, 1, 1)])
def test_before_the_cycle_there_is_nothing(until: date) -> None:
    """An end before the start gives no date and no series."""
    assert visit_series(example.request(), example.plan(), until) == ()
    assert visit_dates(example.request(), example.plan(), StopId("exton"), until) == ()


def test_of_a_tour_all_days_are_dropped_together() -> None:
    """The Wednesday of a tour is closed in the second cycle: its Tuesday is dropped too."""
    request, plan = tour_request(), tour_plan()
    closed = {**request.calendar.closed_dates, date(2026, 12, 16): "санитарный день"}
    request = replace(request, calendar=ServiceCalendar(closed_dates=closed))
    out, home, single = plan.runs
    until = date(2026, 12, 31)
    assert run_dates(request, plan, out, until) == (date(2026, 12, 1), date(2026, 12, 29))
    assert run_dates(request, plan, home, until) == (date(2026, 12, 2), date(2026, 12, 30))
    assert date(2026, 12, 22) in run_dates(request, plan, single, until)
