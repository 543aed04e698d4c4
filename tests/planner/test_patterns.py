"""Patterns are exactly the day sets that keep frequency, weekday and gaps, across the seam too."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from planner.patterns import allowed_patterns, gaps_of


@given(
    num_days=st.integers(1, 3).map(lambda weeks: 7 * weeks),
    visits=st.integers(1, 3),
    days=st.sets(st.integers(0, 20), min_size=1, max_size=12),
    is_same=st.booleans(),
    least=st.integers(1, 8),
    span=st.integers(0, 15),
)
def test_all_patterns_that_keep_the_rules(
    num_days: int,
    visits: int,
    days: set[int],
    is_same: bool,  # noqa: FBT001 - drawn by hypothesis
    least: int,
    span: int,
) -> None:
    """Enumeration equals trying every set of days."""
    days = {d for d in days if d < num_days}
    expected = []
    for pattern in combinations(sorted(days), visits):
        gaps = gaps_of(pattern, num_days)
        is_kept = all(least <= g <= least + span for g in gaps)
        if is_kept and not (is_same and len({d % 7 for d in pattern}) > 1):
            expected.append(pattern)
    found = allowed_patterns(
        num_days=num_days,
        visits=visits,
        days=days,
        same_weekday=is_same,
        min_gap_days=least,
        max_gap_days=least + span,
        limit=10_000,
    )
    assert list(found) == expected


def test_the_seam_counts() -> None:
    """Days 0 and 21 of four weeks are only seven days apart across the seam."""
    rules = {"num_days": 28, "visits": 2, "days": (0, 14, 21), "min_gap_days": 8}
    assert allowed_patterns(**rules) == ((0, 14),)  # type: ignore[arg-type]
    assert gaps_of((0, 21), 28) == (21, 7)


def test_one_visit_has_the_cycle_as_its_gap() -> None:
    """A single visit recurs after the whole cycle, which must not exceed the greatest gap."""
    assert allowed_patterns(num_days=28, visits=1, days=(3,), max_gap_days=28) == ((3,),)
    assert allowed_patterns(num_days=28, visits=1, days=(3,), max_gap_days=27) == ()


def test_too_many_patterns_keep_the_even_ones() -> None:
    """Beyond the limit the most even patterns stay, the same ones every time."""
    call = {"num_days": 42, "visits": 6, "days": range(42), "same_weekday": False, "limit": 50}
    found = allowed_patterns(**call)  # type: ignore[arg-type]
    assert 0 < len(found) <= 50
    assert found == allowed_patterns(**call)  # type: ignore[arg-type]
    assert all(6 <= g <= 8 for pattern in found for g in gaps_of(pattern, 42))


def test_more_visits_than_days_have_no_pattern() -> None:
    """Five visits do not fit on three days."""
    assert allowed_patterns(num_days=28, visits=5, days=(0, 7, 14)) == ()
