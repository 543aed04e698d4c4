"""Patterns: the sets of cycle days on which a stop may be visited."""

from collections.abc import Collection, Iterator
from itertools import pairwise

from data.model.calendar import DAYS_PER_WEEK

MOST_PATTERNS = 300
"""Most patterns kept for one stop; beyond it the most evenly spaced are kept."""
_MOST_STEPS = 200_000


def allowed_patterns(
    *,
    num_days: int,
    visits: int,
    days: Collection[int],
    same_weekday: bool = True,
    min_gap_days: int = 1,
    max_gap_days: int | None = None,
    limit: int = MOST_PATTERNS,
) -> tuple[tuple[int, ...], ...]:
    """All sets of ``visits`` cycle days that a stop may have, each ascending.

    Parameters
    ----------
    num_days
        Days of the cycle, which repeats: the gap from the last day to the first of the next
        cycle counts like any other.
    days
        Cycle days on which a visit is possible at all.
    limit
        Most patterns returned. If there are more, the span of gaps is narrowed around the even
        spacing until they fit; what is left out is always less even than what is kept.

    Returns
    -------
    tuple of tuple of int
        In ascending order; empty if no pattern keeps the rules.
    """
    least = max(1, min_gap_days)
    most = num_days if max_gap_days is None else min(max_gap_days, num_days)
    if visits < 1 or visits > len(set(days)):
        return ()
    found: list[tuple[int, ...]] = []
    even = num_days / visits
    for slack in range(num_days + 1):
        low, high = max(least, int(even) - slack), min(most, -int(-even // 1) + slack)
        last = low <= least and high >= most
        if low <= high:
            level, is_complete = _enumerate(
                num_days, visits, sorted(set(days)), same_weekday, low, high, limit
            )
            if not is_complete:
                found = found or level[:: max(1, len(level) // limit)][:limit]
                break
            found = level
        if last:
            break
    return tuple(sorted(found))


def _enumerate(
    num_days: int,
    visits: int,
    days: list[int],
    same_weekday: bool,  # noqa: FBT001 - private, follows the keyword of the public function
    low: int,
    high: int,
    limit: int,
) -> tuple[list[tuple[int, ...]], bool]:
    """Patterns with all gaps in ``low … high``, and whether they are all of them."""
    found: list[tuple[int, ...]] = []
    steps = 0

    def extend(chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        nonlocal steps
        steps += 1
        left = visits - len(chosen)
        seam = num_days - chosen[-1] + chosen[0]
        if left == 0:
            if low <= seam <= high:
                yield chosen
            return
        if steps > _MOST_STEPS or seam < (left + 1) * low or seam > (left + 1) * high:
            return
        for day in days:
            gap = day - chosen[-1]
            if gap > high:
                break
            if gap >= low and (not same_weekday or gap % DAYS_PER_WEEK == 0):
                yield from extend((*chosen, day))

    for first in days:
        for pattern in extend((first,)):
            found.append(pattern)
            if len(found) > 20 * limit or steps > _MOST_STEPS:
                return found, False
    return found, len(found) <= limit


def gaps_of(pattern: tuple[int, ...], num_days: int) -> tuple[int, ...]:
    """Days between successive visits, the one across the seam last."""
    inner = tuple(b - a for a, b in pairwise(pattern))
    return (*inner, num_days - pattern[-1] + pattern[0])
