"""Rules are read, written and expanded; seasons and school time drop dates."""

from datetime import date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from data.model.calendar import ServiceCalendar
from data.model.recurrence import (
    CycleFrequency,
    Drop,
    Recurrence,
    parse_frequency,
    parse_rule,
)
from data.model.seasons import (
    DateSpan,
    SchoolCalendar,
    SchoolTime,
    Season,
    in_seasons,
    parse_season,
)

MONDAY = date(2026, 11, 30)
RULES = (
    "FREQ=WEEKLY;INTERVAL=1",
    "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,FR",
    "FREQ=WEEKLY;INTERVAL=2;BYMONTH=6,7,8;BYDAY=WE",
    "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=MONTHLY;BYDAY=2TU,4TU",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2,-1",
    "FREQ=MONTHLY;BYMONTHDAY=1,15",
    "FREQ=WEEKLY;INTERVAL=2;COUNT=5",
    "FREQ=MONTHLY;BYDAY=1MO;UNTIL=20270601",
)


@given(st.sampled_from(RULES), st.integers(0, 400), st.integers(0, 400))
def test_dates_agree_with_the_text(text: str, ahead: int, length: int) -> None:
    """A rule's dates are those that its text means to a calendar program."""
    rule = parse_rule(text)
    assert rule.text == text
    first = MONDAY + timedelta(days=ahead)
    last = first + timedelta(days=length)
    told = rrulestr(text, dtstart=datetime.combine(MONDAY, time()))
    between = told.between(
        datetime.combine(first, time()), datetime.combine(last, time()), inc=True
    )
    assert [d.date() for d in between] == list(rule.dates(MONDAY, first, last))


def test_texts_are_read_kindly() -> None:
    """Letter case, a prefix, an end mark and the usual start of the week do not matter."""
    assert parse_rule(" rrule:freq=monthly;byday=2tu;wkst=mo; ").text == "FREQ=MONTHLY;BYDAY=2TU"


@given(st.dates(date(2024, 1, 1), date(2028, 12, 31)))
def test_a_season_over_new_year(on: date) -> None:
    """A season from November to March holds both ends of the year and nothing of summer."""
    season = parse_season("11-15/03-31")
    assert season.text == "11-15/03-31"
    is_winter = on.month in (12, 1, 2, 3) or (on.month == 11 and on.day >= 15)
    assert season.contains(on) == is_winter
    summer = Season(first_month=4, first_day=1, last_month=11, last_day=14)
    assert summer.contains(on) != season.contains(on)
    assert in_seasons((), on)


@pytest.mark.parametrize("text", ["", "05-15", "05-15/13-01", "02-30/03-01", "5/6", "a-b/c-d"])
def test_no_seasons(text: str) -> None:
    """What names no two days of a year is refused."""
    with pytest.raises(ValueError, match=r".+"):
        parse_season(text)


def test_reasons_of_dropped_dates() -> None:
    """An exception drops a date even if it is named besides; extra dates know no season."""
    school = SchoolCalendar(
        terms=(
            DateSpan(first=date(2026, 9, 1), last=date(2026, 10, 23)),
            DateSpan(first=date(2026, 11, 2), last=date(2026, 12, 29)),
        )
    )
    calendar = ServiceCalendar(schools={"oblast": school})
    stop = Recurrence(
        rule="FREQ=WEEKLY;INTERVAL=1",
        exceptions=frozenset({date(2026, 9, 8), date(2026, 9, 9)}),
        extra_dates=frozenset({date(2026, 9, 9), date(2026, 7, 1)}),
        seasons=(parse_season("09-01/12-31"),),
        school_time=SchoolTime.TERM,
        school="oblast",
    )
    found = {
        on: stop.drop_on(on, calendar)
        for on in (
            date(2026, 9, 1),
            date(2026, 9, 8),
            date(2026, 9, 9),
            date(2026, 7, 1),
            date(2026, 8, 25),
            date(2026, 10, 27),
            date(2026, 12, 30),
        )
    }
    assert list(found.values()) == [
        None,
        Drop.EXCEPTION,
        Drop.EXCEPTION,
        None,
        Drop.SEASON,
        Drop.SCHOOL,
        Drop.SCHOOL,
    ]
    assert school.time_of(date(2026, 10, 27)) is SchoolTime.HOLIDAYS
    assert school.time_of(date(2027, 1, 1)) is None


def test_contradictions_are_refused() -> None:
    """A recurrence that cannot be meant is none."""
    wrong: list[dict[str, object]] = [
        {"rule": "FREQ=DAILY"},
        {"rule": "FREQ=WEEKLY;COUNT=3"},
        {"start_date": date(2027, 1, 2), "end_date": date(2027, 1, 1)},
        {"school_time": SchoolTime.TERM},
        {"period_weeks": 0},
    ]
    for values in wrong:
        with pytest.raises(ValueError, match=r".+"):
            Recurrence(**values)  # type: ignore[arg-type]


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
        "FREQ=WEEKLY;INTERVAL=0",
        "FREQ=WEEKLY;BYHOUR=9",
        "FREQ=MONTHLY;BYDAY=2TU;BYSETPOS=1",
        "FREQ=MONTHLY;BYDAY=TU;BYMONTHDAY=1",
        "FREQ=WEEKLY;COUNT=3;UNTIL=20270101",
        "FREQ=WEEKLY;WKST=SU",
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
