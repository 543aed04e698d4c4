"""How evenly access time is spread over people, and the settlements that each figure is made of.

The figures are those of ``data.model.weighted``; the lines hold every part of their sums, so that
anybody can add them up again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from data.model.coverage import REACHES, Coverage, Group, Reach
from data.model.weighted import (
    Floats,
    gini,
    mean_of_worst,
    weighted_mean,
    weighted_percentile,
)

WORST_SHARE = 0.1
# People are whole: the tolerance is far below one of them, as in ``weighted_percentile``.
_LITTLE = 1e-6


class Whom(StrEnum):
    """Whose time is told."""

    RESIDENTS = "population"
    CHILDREN = "children"
    YOUTH = "youth"
    SENIORS = "seniors"
    DISABLED = "disabled"
    WEIGHTED = "weighted"
    """All residents by the region's weights."""
    LACKING = "lacking"
    """Residents who had no library in reach, whom the many that have one would hide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equity:
    """How evenly access time is spread over the people of a group, before or after.

    Times are seconds, ``None`` where somebody has no way at all. ``gini`` is that of the time.
    """

    group: Group | None
    """``None`` where ``kind`` says it."""
    kind: str = ""
    """``weighted`` or ``lacking``, as in ``Whom``."""
    is_after: bool
    mean_s: float | None
    p90_s: float | None
    worst_tenth_s: float | None
    gini: float | None

    @property
    def whom(self) -> Whom:
        """Whose time it is."""
        return Whom(self.group.value if self.group is not None else self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityLine:
    """One settlement's part in the figures; the order of lines is that of the time.

    ``people`` may be broken where the region weighs them. ``before`` are the people of all lines
    above this one. ``worst`` are those of it who belong to the worst tenth. ``lorenz`` is the
    share of all person-seconds up to and with this line; ``gini_part`` is the line's part of the
    sum that Gini lacks to 1. Both are ``None`` where somebody has no way at all.
    """

    row: int
    """Place of the settlement in the coverage."""
    seconds: float
    is_walk: bool
    """Whether the time is that on foot to a stop."""
    people: float
    people_before: float
    worst: float
    is_p90: bool
    lorenz: float | None
    gini_part: float | None

    @property
    def person_s(self) -> float:
        """People times seconds."""
        return self.people * self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityLines:
    """The figures of some people, and every settlement in which any of them live."""

    whom: Whom
    is_after: bool
    figures: Equity
    lines: tuple[EquityLine, ...]

    @property
    def people(self) -> float:
        """Of all lines."""
        return sum(line.people for line in self.lines)


def equity_of(coverage: Coverage, weights: Floats | None = None) -> tuple[Equity, ...]:
    """Evenness of access time for each group that is known, before and after.

    Parameters
    ----------
    weights
        People of every settlement by the region's weights; told as a group of its own.
    """
    return tuple(
        _figures(coverage, whom, people, is_after=is_after)
        for whom, people in _measured(coverage, weights)
        if people.sum() > 0
        for is_after in (False, True)
    )


def equity_lines(
    coverage: Coverage, whom: Whom, *, is_after: bool, weights: Floats | None = None
) -> EquityLines | None:
    """What the figures of some people are made of; ``None`` where none of them are known."""
    people = dict(_measured(coverage, weights)).get(whom)
    if people is None or not people.sum() > 0:
        return None
    seconds = coverage.access_s(is_after=is_after)
    return EquityLines(
        whom=whom,
        is_after=is_after,
        figures=_figures(coverage, whom, people, is_after=is_after),
        lines=time_lines(seconds, seconds < coverage.library_s, people),
    )


def _measured(coverage: Coverage, weights: Floats | None) -> Iterator[tuple[Whom, Floats]]:
    """People of each kind in every settlement."""
    for group, people in coverage.people.items():
        yield Whom(group.value), np.nan_to_num(people)
    if weights is not None:
        yield Whom.WEIGHTED, np.nan_to_num(weights)
    has_library = coverage.before >= REACHES.index(Reach.ASSUMED)
    residents = np.nan_to_num(coverage.people[Group.RESIDENTS])
    yield Whom.LACKING, np.where(has_library, 0.0, residents)


def _figures(coverage: Coverage, whom: Whom, people: Floats, *, is_after: bool) -> Equity:
    seconds = coverage.access_s(is_after=is_after)
    is_group = whom.value in set(Group)
    return Equity(
        group=Group(whom.value) if is_group else None,
        kind="" if is_group else whom.value,
        is_after=is_after,
        mean_s=weighted_mean(seconds, people),
        p90_s=weighted_percentile(seconds, people, 1 - WORST_SHARE),
        worst_tenth_s=mean_of_worst(seconds, people, WORST_SHARE),
        gini=gini(seconds, people),
    )


def time_lines(
    seconds: Floats, is_walk: NDArray[np.bool_], people: Floats
) -> tuple[EquityLine, ...]:
    """Settlements in which any people live, from the nearest, with their part in each figure."""
    order = np.argsort(seconds, kind="stable")
    order = order[people[order] > 0]
    weight, times = people[order], seconds[order]
    reached = np.cumsum(weight)
    before = reached - weight
    whole = float(reached[-1])
    p90 = int(np.searchsorted(reached, (1 - WORST_SHARE) * whole - _LITTLE))
    worst = np.clip(reached - (1 - WORST_SHARE) * whole, 0.0, weight)
    lorenz = gini_part = None
    total = float((weight * times).sum())
    if np.isfinite(total) and total > 0:
        lorenz = np.cumsum(weight * times) / total
        gini_part = weight / whole * (lorenz + np.concatenate([[0.0], lorenz[:-1]]))
    return tuple(
        EquityLine(
            row=int(row),
            seconds=float(times[i]),
            is_walk=bool(is_walk[row]),
            people=float(weight[i]),
            people_before=float(before[i]),
            worst=float(worst[i]) if worst[i] > _LITTLE else 0.0,
            is_p90=i == p90,
            lorenz=None if lorenz is None else float(lorenz[i]),
            gini_part=None if gini_part is None else float(gini_part[i]),
        )
        for i, row in enumerate(order.tolist())
    )
