"""What a rule leaves open becomes patterns; what it fixes is one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from data.model.calendar import Cycle, ServiceCalendar
from data.model.errors import BookmobileError
from data.model.place import Stop
from data.model.plan import PlanRequest
from data.model.recurrence import Recurrence
from data.model.seasons import DateSpan, SchoolCalendar, SchoolTime, parse_season
from planner.candidates import check_recurrences, dated_stops, horizon_of
from planner.rhythm import counted, has_no_date, patterns_of, rhythms, visit_range
from tests.planner.examples import KALINOVKA, KALUZHSKOE, make_request

FIRST, LAST = date(2027, 1, 6), date(2027, 7, 7)
EVERY_DAY = ServiceCalendar(weekdays=frozenset(range(7)))
HOLIDAYS = ServiceCalendar(closed_dates={date(2027, 3, 8): "8", date(2027, 5, 4): "x"})


def request_for(
    recurrence: Recurrence,
    *,
    first: date = FIRST,
    last: date = LAST,
    calendar: ServiceCalendar = EVERY_DAY,
    **changes: object,
) -> tuple[PlanRequest, Stop]:
    values: Mapping[str, object] = {"min_gap_days": 1, "max_gap_days": None} | changes
    stop = replace(KALUZHSKOE, windows=(), recurrence=recurrence, **values)  # type: ignore[arg-type]
    return dated(calendar, stop, first=first, last=last), stop


def dated(
    calendar: ServiceCalendar, *stops: Stop, first: date = FIRST, last: date = LAST
) -> PlanRequest:
    """The example on dates, with vehicles that go every day of the calendar."""
    request = make_request()
    vehicles = tuple(
        replace(v, weekdays=frozenset(), off_dates=frozenset()) for v in request.vehicles
    )
    return replace(
        request,
        cycle=Cycle.between(first, last),
        calendar=calendar,
        stops=stops,
        vehicles=vehicles,
    )


def dates_of(request: PlanRequest, stop: Stop) -> list[list[date]]:
    """Every pattern of a stop as dates, all days being possible."""
    days = range(request.cycle.num_days)
    return [[request.cycle.date_of(d) for d in p] for p in patterns_of(request, stop, days)]


def told(rule: str, start: date, first: date = FIRST, last: date = LAST) -> list[date]:
    """What ``dateutil`` says of a rule."""
    found = rrulestr(rule, dtstart=datetime.combine(start, time())).between(
        datetime.combine(first, time()), datetime.combine(last, time()), inc=True
    )
    return [moment.date() for moment in found]


@given(
    st.sampled_from(
        (
            "FREQ=WEEKLY;INTERVAL=1",
            "FREQ=WEEKLY;INTERVAL=3",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH",
            "FREQ=MONTHLY;BYDAY=2TU",
            "FREQ=MONTHLY;BYDAY=2TU,4TU",
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "FREQ=MONTHLY;BYMONTHDAY=15",
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "FREQ=MONTHLY",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=6",
            "FREQ=WEEKLY;INTERVAL=1;BYMONTH=5,6",
        )
    ),
    st.dates(date(2026, 10, 1), date(2027, 3, 1)),
    st.integers(0, 300),
)
def test_a_begun_rule_is_what_dateutil_says(rule: str, start: date, length: int) -> None:
    """A rule with a first date leaves nothing open."""
    last = FIRST + timedelta(days=length)
    request, stop = request_for(Recurrence(rule=rule, start_date=start), last=last)
    wanted = told(rule, start, FIRST, last)
    assert dates_of(request, stop) == ([wanted] if wanted else [])


@given(st.integers(1, 6), st.sampled_from(["", ";BYDAY=WE", ";BYDAY=MO,TH"]))
def test_an_open_week_is_every_week_of_the_interval(interval: int, days: str) -> None:
    """Without a first date each week of the interval, and each weekday, is one pattern."""
    rule = f"FREQ=WEEKLY;INTERVAL={interval}{days}"
    request, stop = request_for(Recurrence(rule=rule))
    monday = date(2027, 1, 4)
    begun = [monday + timedelta(days=d) for d in range(7 * interval)]
    if days:
        begun = [on for on in begun if on.weekday() == 0]
    wanted = {tuple(told(rule, on)) for on in begun}
    assert {tuple(dates) for dates in dates_of(request, stop)} == wanted


def test_once_a_month_any_weekday_of_any_week() -> None:
    """An open monthly rule keeps one weekday and one week of the month."""
    request, stop = request_for(Recurrence(rule="FREQ=MONTHLY"), weekdays=frozenset({1, 4}))
    wanted = {
        tuple(told(f"FREQ=MONTHLY;BYDAY={n}{day}", FIRST))
        for n in (1, 2, 3, 4, -1)
        for day in ("TU", "FR")
    }
    assert {tuple(dates) for dates in dates_of(request, stop)} == wanted
    fixed, stop = request_for(Recurrence(rule="FREQ=MONTHLY;BYSETPOS=1,3"))
    found = {tuple(dates) for dates in dates_of(fixed, stop)}
    assert tuple(told("FREQ=MONTHLY;BYDAY=1WE,3WE", FIRST)) in found
    assert len(found) == 7


def test_a_holiday_drops_its_date_and_moves_none() -> None:
    """The dates left are the rule's without the holiday, and no gap is too long by it."""
    rule = Recurrence(rule="FREQ=MONTHLY;BYDAY=1TU")
    request, stop = request_for(rule, calendar=HOLIDAYS, max_gap_days=35)
    wanted = [on for on in told("FREQ=MONTHLY;BYDAY=1TU", FIRST) if on != date(2027, 5, 4)]
    assert dates_of(request, stop) == [wanted]
    assert date(2027, 5, 4) not in wanted
    assert len(wanted) == 5
    narrow = replace(stop, max_gap_days=28)
    assert dates_of(request, narrow) == []


def test_exceptions_extra_dates_and_ends() -> None:
    """Named dates are left out or added; first and last date bound the rule."""
    rule = Recurrence(
        rule="FREQ=WEEKLY;INTERVAL=2",
        start_date=date(2027, 2, 3),
        end_date=date(2027, 3, 31),
        exceptions=frozenset({date(2027, 2, 17)}),
        extra_dates=frozenset({date(2027, 6, 1), date(2027, 12, 31)}),
    )
    request, stop = request_for(rule)
    assert dates_of(request, stop) == [
        [date(2027, 2, 3), date(2027, 3, 3), date(2027, 3, 17), date(2027, 3, 31), date(2027, 6, 1)]
    ]


def test_a_season_over_new_year_and_a_season_past() -> None:
    """Dates out of season are dropped; where none is left nothing is owed."""
    winter = Recurrence(
        rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=TU", seasons=(parse_season("12-01/02-28"),)
    )
    request, stop = request_for(winter)
    (dates,) = dates_of(request, stop)
    assert (dates[0], dates[-1], len(dates)) == (date(2027, 1, 12), date(2027, 2, 23), 7)
    late, stop = request_for(winter, first=date(2027, 3, 1))
    assert has_no_date(late, stop)
    assert patterns_of(late, stop, range(late.cycle.num_days)) == ()
    assert visit_range(late, stop) == (0, 0)


def test_school_time() -> None:
    """A stop of the holidays is visited in them alone, one of the term never."""
    school = SchoolCalendar(
        terms=(
            DateSpan(first=date(2027, 1, 11), last=date(2027, 3, 26)),
            DateSpan(first=date(2027, 4, 5), last=date(2027, 5, 26)),
        ),
        holidays=(DateSpan(first=date(2026, 12, 30), last=date(2027, 8, 31)),),
    )
    calendar = replace(EVERY_DAY, schools={"oblast": school})
    found = {}
    for when in SchoolTime:
        rule = Recurrence(rule="FREQ=WEEKLY;INTERVAL=1;BYDAY=TH", school_time=when, school="oblast")
        request, stop = request_for(rule, calendar=calendar)
        (found[when],) = dates_of(request, stop)
    every = told("FREQ=WEEKLY;BYDAY=TH", FIRST)
    assert sorted(found[SchoolTime.TERM] + found[SchoolTime.HOLIDAYS]) == every
    assert date(2027, 4, 1) in found[SchoolTime.HOLIDAYS]
    assert date(2027, 5, 27) not in found[SchoolTime.TERM]


def test_no_choice_hides_in_holidays() -> None:
    """A choice that loses far more dates to holidays than another is not offered."""
    mondays = dict.fromkeys(told("FREQ=WEEKLY;BYDAY=MO", FIRST)[::2], "x")
    request, stop = request_for(
        Recurrence(rule="FREQ=WEEKLY;INTERVAL=1"), calendar=replace(EVERY_DAY, closed_dates=mondays)
    )
    assert {dates[0].weekday() for dates in dates_of(request, stop)} == set(range(1, 7))


def test_counted_visits_get_a_rule() -> None:
    """Visits that divide the cycle become every n-th week; others repeat the cycle's days."""
    even = replace(KALINOVKA, visits_per_cycle=2, min_gap_days=1, max_gap_days=None)
    odd = replace(even, visits_per_cycle=3, same_weekday=False, min_gap_days=7)
    ruled, period = dated_stops([even, odd], from_weeks=4)
    assert ruled.recurrence == Recurrence(rule="FREQ=WEEKLY;INTERVAL=2")
    assert period.recurrence == Recurrence(period_weeks=4, period_visits=3)
    request = dated(EVERY_DAY, ruled, period)
    assert {s.visits_per_cycle for s in counted(request).stops} == {13, 19}
    for rhythm in rhythms(request, period):
        gaps = {b - a for a, b in pairwise(rhythm.due)}
        assert min(gaps) >= 7
        assert {d + 28 for d in rhythm.due if d + 28 < 184} <= set(rhythm.due)


@pytest.mark.parametrize(
    ("rule", "weeks", "code"),
    [
        ("FREQ=WEEKLY;INTERVAL=2", 4, ""),
        ("FREQ=WEEKLY;INTERVAL=3", 6, ""),
        ("FREQ=WEEKLY;INTERVAL=3", 4, "request.rule_needs_dates"),
        ("FREQ=MONTHLY;BYDAY=2TU", 4, "request.rule_needs_dates"),
        ("FREQ=WEEKLY;INTERVAL=1;BYMONTH=6", 4, "request.rule_needs_dates"),
    ],
)
def test_a_cycle_holds_rules_that_divide_it(rule: str, weeks: int, code: str) -> None:
    """Others are refused by name; they need dates."""
    stop = replace(KALUZHSKOE, windows=(), recurrence=Recurrence(rule=rule))
    monday = date(2027, 1, 4)
    request = replace(dated(EVERY_DAY), cycle=Cycle(start_date=monday, num_weeks=weeks))
    if code:
        with pytest.raises(BookmobileError) as refused:
            check_recurrences(request, [stop])
        assert (refused.value.code, refused.value.facts["stop"]) == (code, stop.name)
    else:
        check_recurrences(request, [stop])
        found = patterns_of(request, stop, range(request.cycle.num_days))
        interval = weeks // len(found[0])
        assert len(found) == 7 * interval
        assert all(b - a == 7 * interval for p in found for a, b in pairwise(p))


def test_a_school_calendar_must_cover_the_plan() -> None:
    """What is not known of schools is asked for, not guessed."""
    rule = Recurrence(rule="FREQ=WEEKLY", school_time=SchoolTime.TERM, school="oblast")
    request, stop = request_for(rule)
    with pytest.raises(BookmobileError, match="school_unknown"):
        check_recurrences(request, [stop])
    school = SchoolCalendar(terms=(DateSpan(first=FIRST, last=date(2027, 5, 26)),))
    known = replace(request, calendar=replace(EVERY_DAY, schools={"oblast": school}))
    with pytest.raises(BookmobileError, match="school_too_short"):
        check_recurrences(known, [stop])


def test_horizons() -> None:
    """Dates give a dated horizon of whole weeks; impossible ones are refused."""
    cycle = horizon_of(FIRST, until_date=LAST)
    assert (cycle.start_date, cycle.num_weeks, cycle.repeats) == (date(2027, 1, 4), 27, False)
    assert [cycle.covers(on) for on in (date(2027, 1, 5), FIRST, LAST, date(2027, 7, 8))] == [
        False,
        True,
        True,
        False,
    ]
    with pytest.raises(BookmobileError, match="until_before_start"):
        horizon_of(LAST, until_date=FIRST)
    with pytest.raises(BookmobileError, match="until_too_late"):
        horizon_of(FIRST, until_date=date(2028, 2, 1))
