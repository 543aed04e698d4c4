"""Plans as points in people reached, fairness and kilometres, and which are worth showing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from data.model.plan import Plan, PlanRequest
from planner.access import AccessFigures, measure, served_stops
from planner.score import PlanSummary, check, summarise


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A plan with the figures that it is judged by; ``is_*`` name the best in one of them."""

    plan: Plan
    summary: PlanSummary
    access: AccessFigures | None
    is_most_people: bool = False
    is_fairest: bool = False
    is_least_driving: bool = False

    @property
    def p90_s(self) -> float | None:
        """Road seconds that nine tenths of the people do not exceed; ``None`` if not known."""
        return None if self.access is None else self.access.p90_s

    @property
    def figures(self) -> tuple[float, float, float]:
        """Weighted people with a minus, P90 of access in seconds, metres: smaller is better.

        P90 is infinite where a tenth of the people has no road, zero where access is not known.
        """
        p90_s = inf if self.p90_s is None else self.p90_s
        return (
            -self.summary.prize_collected,
            0.0 if self.access is None else p90_s,
            float(self.summary.drive_m),
        )

    def dominates(self, other: "Point") -> bool:
        """Whether it is nowhere worse and somewhere better."""
        mine, theirs = self.figures, other.figures
        return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))


def judged(request: PlanRequest, plan: Plan) -> Point | None:
    """A plan with its figures; ``None`` for one that breaks a rule of the request."""
    if check(request, plan):
        return None
    access = request.access
    return Point(
        plan=plan,
        summary=summarise(request, plan),
        access=None if access is None else measure(access, served_stops(plan)),
    )


def non_dominated(points: Iterable[Point]) -> list[Point]:
    """The points that none of the others dominates, equal ones once; most people first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: p.figures):
        if not any(k.dominates(point) or k.figures == point.figures for k in kept):
            kept.append(point)
    return kept


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most so many of the points: the ends, then whichever is farthest from those taken.

    Distances are measured with each figure scaled to its range among the points.
    """
    ordered = sorted(points, key=lambda p: p.figures)
    if len(ordered) <= most:
        return ordered
    columns = list(zip(*(p.figures for p in ordered), strict=True))
    known = [[v for v in column if v < inf] for column in columns]
    low = [min(column, default=0.0) for column in known]
    span = [(max(c, default=0.0) - m) or 1.0 for c, m in zip(known, low, strict=True)]
    places = [
        [min(2.0, (v - m) / s) for v, m, s in zip(p.figures, low, span, strict=True)]
        for p in ordered
    ]
    taken = list(dict.fromkeys(_ends(ordered)))
    while len(taken) < most:
        taken.append(
            max(
                (k for k in range(len(ordered)) if k not in taken),
                key=lambda k: (
                    min(
                        sum((a - b) ** 2 for a, b in zip(places[k], places[t], strict=True))
                        for t in taken
                    ),
                    -k,
                ),
            )
        )
    return [ordered[k] for k in sorted(taken)]


def with_ends(points: Sequence[Point]) -> list[Point]:
    """The points with the best of each figure marked."""
    if not points:
        return []
    people, fair, driving = _ends(points)
    return [
        replace(
            p,
            is_most_people=k == people,
            is_fairest=k == fair and p.access is not None,
            is_least_driving=k == driving,
        )
        for k, p in enumerate(points)
    ]


def _ends(points: Sequence[Point]) -> list[int]:
    """The point that is best in each figure; of equals the one that is best in those before it."""
    return [
        min(range(len(points)), key=lambda k: (points[k].figures[axis], points[k].figures))
        for axis in range(3)
    ]
