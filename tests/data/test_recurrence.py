"""Days of a cycle become recurrence rules and rules become frequencies."""

from datetime import date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from data.model.calendar import Cycle, ServiceCalendar
from data.model.recurrence import CycleFrequency, WeeklyRecurrence, parse_frequency, recurrences

MONDAY = date(2026, 11, 30)


@given(
    st.integers(1, 6).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, 7 * n - 1))))
)
def test_rules_give_exactly_the_days(drawn: tuple[int, set[int]]) -> None:
    """Over three cycles the rules together fall on the pattern's days, each once."""
    num_weeks, days = drawn
    cycle = Cycle(start_date=MONDAY, num_weeks=num_weeks)
    last = cycle.date_of(3 * cycle.num_days - 1)
    rules = recurrences(sorted(days), cycle)
    found = sorted(day for rule in rules for day in rule.dates(MONDAY, last))
    wanted = sorted(cycle.date_of(day + cycle.num_days * turn) for day in days for turn in range(3))
    assert found == wanted


@given(st.integers(1, 8), st.integers(0, 60), st.integers(0, 200))
def test_dates_agree_with_dateutil(interval: int, ahead: int, length: int) -> None:
    """The rule's text means to a calendar program what its dates say."""
    rule = WeeklyRecurrence(start_date=MONDAY, interval_weeks=interval)
    first = MONDAY + timedelta(days=ahead)
    last = first + timedelta(days=length)
    told = rrulestr(rule.rrule, dtstart=datetime.combine(MONDAY, time()))
    between = told.between(
        datetime.combine(first, time()), datetime.combine(last, time()), inc=True
    )
    assert [d.date() for d in between] == list(rule.dates(first, last))


def test_even_days_are_one_rule() -> None:
    """Every second Tuesday of four weeks is one fortnightly rule, an uneven pair is two."""
    cycle = Cycle(start_date=MONDAY, num_weeks=4)
    (rule,) = recurrences([8, 22], cycle)
    assert (rule.rrule, rule.start_date) == ("FREQ=WEEKLY;INTERVAL=2", date(2026, 12, 8))
    assert [r.interval_weeks for r in recurrences([1, 8], cycle)] == [4, 4]
    with pytest.raises(ValueError, match="outside"):
        recurrences([28], cycle)


def test_holidays_become_exceptions() -> None:
    """Dates of the rule without service are its exceptions, vehicle inspections too."""
    rule = WeeklyRecurrence(start_date=date(2026, 12, 24), interval_weeks=1)
    calendar = ServiceCalendar(closed_dates={date(2026, 12, 31): "x", date(2027, 1, 7): "y"})
    off = [date(2027, 1, 14), date(2027, 1, 15)]
    assert rule.exceptions(calendar, date(2027, 1, 31), off) == (
        date(2026, 12, 31),
        date(2027, 1, 7),
        date(2027, 1, 14),
    )


@pytest.mark.parametrize(
    ("rule", "num_weeks", "visits"),
    [
        ("FREQ=WEEKLY;INTERVAL=4", 4, 1),
        ("FREQ=WEEKLY", 1, 1),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", 2, 2),
        ("FREQ=MONTHLY;BYDAY=2TH", 4, 1),
        ("FREQ=MONTHLY;BYDAY=2TU,4TU", 4, 2),
        ("FREQ=MONTHLY;BYDAY=-1FR", 4, 1),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO", 8, 1),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=1,3", 4, 2),
        ("RRULE:FREQ=MONTHLY;BYDAY=WE", 4, 4),
    ],
)
def test_frequencies(rule: str, num_weeks: int, visits: int) -> None:
    """Weekly and monthly rules are counted in cycles of weeks."""
    found = parse_frequency(rule)
    assert (found.num_weeks, found.visits) == (num_weeks, visits)


def test_positions_are_kept() -> None:
    """The weeks of the month of a monthly rule are told."""
    assert parse_frequency("FREQ=MONTHLY;BYDAY=4TU,2TU") == CycleFrequency(
        num_weeks=4, visits=2, weekdays=frozenset({1}), weeks_of_month=(2, 4)
    )


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "weekly",
        "FREQ=DAILY",
        "FREQ=MONTHLY",
        "FREQ=WEEKLY;INTERVAL=0",
        "FREQ=MONTHLY;BYDAY=9MO",
        "FREQ=WEEKLY;BYDAY=2MO",
        "FREQ=WEEKLY;FREQ=WEEKLY",
        "FREQ=WEEKLY;INTERVAL=x",
    ],
)
def test_other_rules_are_refused(rule: str) -> None:
    """What is no weekly or monthly rule is refused, not guessed at."""
    with pytest.raises(ValueError, match=r".+"):
        parse_frequency(rule)
