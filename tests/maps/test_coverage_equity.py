"""Equity opens its lines: a plain loop over them comes to each figure again."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.coverage import Coverage, CoverageParams, Group
from data.model.coverage_equity import Equity, EquityLines, Whom, equity_lines, equity_of
from maps.coverage import library_reach, measure_coverage
from maps.estimate import WALK_MPS, EstimatedRoads
from tests.maps.coverage_example import STRAIGHT, VILLAGES, library, place, stop

ROADS = EstimatedRoads((), STRAIGHT)
LIMITS = CoverageParams(minutes=10, metres=1000)


def opened(coverage: Coverage, whom: Whom, *, is_after: bool, **more: Any) -> EquityLines:
    found = equity_lines(coverage, whom, is_after=is_after, **more)
    assert found is not None
    return found


def example(*villages: Any) -> Coverage:
    found, where = library("central", 0.0, inside="town")
    places = villages or VILLAGES
    reach = library_reach([found], [where], places, ROADS)
    return measure_coverage(places, reach, (), (stop("at-far", 30.1),), LIMITS)


def by_hand(found: EquityLines) -> dict[str, float | None]:
    """The figures as a person with a pocket calculator reckons them, top to bottom."""
    whole = 0.0
    for line in found.lines:
        whole += line.people
    products = passed = 0.0
    p90 = None
    for line in found.lines:
        products += line.people * line.seconds
        passed += line.people
        if p90 is None and passed >= 0.9 * whole - 1e-6:
            p90 = line.seconds
    worst, left = 0.0, whole / 10
    for line in reversed(found.lines):
        taken = min(left, line.people)
        worst += taken * line.seconds
        left -= taken
    # Gini as the mean of all differences between two people, over twice the mean.
    apart = sum(
        a.people * b.people * abs(a.seconds - b.seconds) for a in found.lines for b in found.lines
    )
    return {
        "mean": products / whole,
        "p90": p90,
        "worst": worst / (whole / 10),
        "gini": apart / (2 * whole * products) if products else 0.0,
    }


def check(found: EquityLines) -> None:
    told, hand = found.figures, by_hand(found)
    assert told.mean_s == pytest.approx(hand["mean"])
    assert told.p90_s == pytest.approx(hand["p90"])
    assert told.worst_tenth_s == pytest.approx(hand["worst"])
    assert told.gini == pytest.approx(hand["gini"], abs=1e-9)
    assert [x.seconds for x in found.lines if x.is_p90] == [told.p90_s]
    assert sum(x.worst for x in found.lines) == pytest.approx(found.people / 10)
    parts = [x.gini_part for x in found.lines if x.gini_part is not None]
    if parts:
        assert told.gini == pytest.approx(1 - sum(parts), abs=1e-9)
        assert found.lines[-1].lorenz == pytest.approx(1)
    passed = 0.0
    for line in found.lines:
        assert line.people_before == pytest.approx(passed)
        passed += line.people


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("whom", [Whom.RESIDENTS, Whom.CHILDREN, Whom.LACKING])
def test_each_figure_follows_from_its_lines(whom: Whom, *, is_after: bool) -> None:
    """Mean, P90, worst tenth and Gini by plain loops, Gini by its other definition."""
    coverage = example()
    found = opened(coverage, whom, is_after=is_after)
    check(found)
    table = [e for e in equity_of(coverage) if e.whom is whom and e.is_after is is_after]
    assert table == [found.figures]


def test_lines_say_how_the_way_is_made() -> None:
    """Before, the far village drives 3,000 s; after, it walks a hundred metres."""
    before = opened(example(), Whom.RESIDENTS, is_after=False)
    assert [(x.row, x.seconds, x.people, x.is_walk) for x in before.lines] == [
        (0, 0, 1000, False), (1, 500, 100, False), (2, 3000, 60, False),
    ]  # fmt: skip
    assert [x.worst for x in before.lines] == [0, pytest.approx(56), 60]
    after = opened(example(), Whom.RESIDENTS, is_after=True)
    walked = next(x for x in after.lines if x.row == 2)
    assert walked.is_walk
    assert walked.seconds == pytest.approx(100 / WALK_MPS, rel=1e-3)


def test_weights_count_instead_of_people() -> None:
    """A village that counts three times has three times the part; nobody is asked for twice."""
    coverage = example()
    weights = coverage.people[Group.RESIDENTS] * np.array([1, 1, 3, 1, 1])
    found = opened(coverage, Whom.WEIGHTED, is_after=False, weights=weights)
    check(found)
    assert [x.people for x in found.lines] == [1000, 100, 180]
    assert equity_lines(coverage, Whom.WEIGHTED, is_after=False) is None
    assert equity_lines(coverage, Whom.SENIORS, is_after=False) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 60), st.integers(0, 2000)), min_size=1, max_size=25
    ).filter(lambda rows: any(people for _, people in rows))
)  # fmt: skip
def test_any_region_opens_to_its_figures(rows: list[tuple[float, int]]) -> None:
    """Whoever lives where, ties and empty villages among them: the lines come to the figures."""
    villages = [place(f"v{n}", km, people) for n, (km, people) in enumerate(rows)]
    coverage = example(*villages)
    for is_after in (False, True):
        check(opened(coverage, Whom.RESIDENTS, is_after=is_after))


def test_nobody_without_a_way_is_hidden() -> None:
    """Without any library the mean is not known and no part of Gini is told, but lines are."""
    places = VILLAGES
    reach = library_reach([], [], places, ROADS)
    coverage = measure_coverage(places, reach, (), (), LIMITS)
    found = opened(coverage, Whom.RESIDENTS, is_after=True)
    figures: Equity = found.figures
    assert (figures.mean_s, figures.gini) == (None, None)
    assert [x.gini_part for x in found.lines] == [None] * 3
    assert found.people == 1160
