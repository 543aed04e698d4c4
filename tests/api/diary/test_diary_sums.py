"""The diary and the reports add up the same things in the same way."""

import pytest

from api.services.diary import FIGURES, has_figure, sums_of
from data.model import measures
from data.model.measures import KNOWN_MEASURES
from tests.data.diary import HAND, diary

SAME = {
    "visits": "visits", "loans": "loans", "users": "users", "children": "visits_children",
    "runs": "runs", "stops": "stops", "gps": "confirmed", "unknown": "unknown",
}  # fmt: skip
"""Figures of the diary, and the measures of reports that are the same."""


@pytest.mark.parametrize("figure", SAME)
def test_a_figure_of_the_diary_is_the_measure_of_reports(figure: str) -> None:
    """Whoever holds a month's page against a report of the month sees one number."""
    wanted = measures.value_of(KNOWN_MEASURES[SAME[figure]], diary())
    assert sums_of(diary()).value(figure) == wanted


def test_the_diary_is_what_a_person_added_up() -> None:
    """By hand on paper: visits, runs, stops, users, loans."""
    added = sums_of(diary())
    by_hand = {
        "visits": HAND["kibo_visits"], "runs": HAND["kibo_runs"], "stops": HAND["kibo_stops"],
        "users": HAND["users"], "loans": HAND["loans"], "visits_service": HAND["visits_service"],
    }  # fmt: skip
    assert {figure: added.value(figure) for figure in by_hand} == by_hand
    assert added.value("visits_service.children") == 3
    assert (added.value("skipped"), added.value("partial"), added.value("unknown")) == (1, 1, 1)


@pytest.mark.parametrize("figure", [f for f in FIGURES if f not in ("runs", "faults")])
def test_a_figure_is_nothing_where_no_line_has_it(figure: str) -> None:
    """A number opens lines exactly where it is one."""
    has_lines = any(has_figure(r, figure) for r in diary())
    assert (sums_of(diary()).value(figure) != 0) is has_lines
