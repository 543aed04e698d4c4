"""Promised visits as lines of a timetable: every date is told by one rule, once."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.publication import VisitId, VisitState
from data.model.visit_lines import rhythms, visit_lines
from tests.data.test_publication import FIRST, first_of, laid

WEEK = timedelta(7)


def every(weeks: int, num: int, first: date = FIRST) -> list[date]:
    return [first + k * weeks * WEEK for k in range(num)]


def test_every_second_week_is_one_rule() -> None:
    """A holiday left out is an exception, not the end of the rhythm."""
    dates = every(2, 10)
    (one,) = rhythms(dates)
    assert one.rule is not None
    assert (one.rule.interval, one.exceptions) == (2, ())
    (one,) = rhythms([d for d in dates if d != dates[4]])
    assert one.exceptions == (dates[4],)


def test_two_neighbouring_weeks_of_four_are_two_rules() -> None:
    """Under one rule half of all weeks would be exceptions."""
    dates = sorted(every(4, 6) + every(4, 6, FIRST + WEEK))
    found = rhythms(dates)
    assert [r.rule and r.rule.interval for r in found] == [4, 4]
    assert not any(r.exceptions for r in found)


def test_the_second_tuesday_of_the_month() -> None:
    """A rule of the month is found where weeks would not hold."""
    dates = [date(2026, m, d) for m, d in ((1, 13), (2, 10), (3, 10), (4, 14), (5, 12), (6, 9))]
    (one,) = rhythms(dates)
    assert one.rule is not None
    assert one.rule.text == "FREQ=MONTHLY;BYDAY=2TU"
    assert one.exceptions == ()


def test_a_single_date_has_no_rule() -> None:
    """It is an event of its own."""
    (one,) = rhythms([FIRST])
    assert (one.rule, one.dates) == (None, (FIRST,))
    assert rhythms([]) == ()


def test_a_line_keeps_its_name_while_it_goes_on() -> None:
    """The first visit names it, cancelled or not; a visit that moved is a line of its own."""
    visits = list(first_of(*(laid(on, 10) for on in every(2, 6))))
    (line,) = visit_lines(visits)
    assert line.line_id == visits[0].visit_id
    longer = [*visits, *first_of(*(laid(on, 10) for on in every(2, 4, FIRST + 12 * WEEK)))]
    longer = [replace(v, visit_id=VisitId(f"{v.visit_id}-{k}")) for k, v in enumerate(longer)]
    longer[0] = replace(longer[0], state=VisitState.CANCELLED)
    (line,) = visit_lines(longer)
    assert line.line_id == longer[0].visit_id
    longer[3] = replace(longer[3], start_s=11 * 3600, end_s=12 * 3600, departure_s=12 * 3600)
    lines = visit_lines(longer)
    assert [len(x.visits) for x in lines] == [9, 1]
    assert lines[0].exceptions == (longer[3].opens_date,)


def test_make_up_and_withdrawn_visits_are_no_part_of_a_line() -> None:
    """A make-up visit stands alone even where it fits the rhythm."""
    visits = list(first_of(*(laid(on, 10) for on in every(1, 6))))
    visits[2] = replace(visits[2], make_up_for=visits[0].visit_id)
    visits[4] = replace(visits[4], state=VisitState.WITHDRAWN)
    lines = visit_lines(visits)
    assert sorted(len(line.visits) for line in lines) == [1, 4]
    assert lines[0].exceptions == (visits[2].opens_date, visits[4].opens_date)


@settings(max_examples=300, deadline=None)
@given(weeks=st.sets(st.integers(0, 60), min_size=1, max_size=30))
def test_rules_give_exactly_the_dates(weeks: set[int]) -> None:
    """Expanded and without their exceptions, the rules give each date once and no other."""
    dates = sorted(FIRST + k * WEEK for k in weeks)
    found = []
    for part in rhythms(dates):
        if part.rule is None:
            found += list(part.dates)
            continue
        told = part.rule.dates(part.dates[0], part.dates[0], part.dates[-1])
        found += [on for on in told if on not in part.exceptions]
        assert set(part.exceptions) <= set(told)
    assert sorted(found) == dates
