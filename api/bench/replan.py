"""Replan published rounds on their own vehicle-days, and judge the result by their own promises.

Both sides drive on the same travel times. *Open* rounds are counted from the first to the last
stop, because timetables name no depot; with a depot every round also leaves it and comes back.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from api.bench.instance import broken
from api.bench.rounds import Promise, Round, Timetable
from data.model.calendar import MINUTE_S
from data.model.plan import Violation
from data.model.travel import UNREACHABLE, TravelMatrix
from planner.problem import NO_LIMIT, NO_ROAD, Problem, Slot, Solution, VehicleDay, build_problem

PAUSE_LEAST_S = 20 * 60
"""A published midday gap of at least this much beyond the drive is the crew's meal."""
PAUSE_MOST_S = 60 * 60
MIDDAY_S = (11 * 3600, 15 * 3600)
CLOCK_TOLERANCE_S = 15 * 60
"""Visits of a stop that share one published clock time stay this close to a common one."""
TOLERANCE_S = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Clock times that bound one vehicle-day, and the pause that must lie in it.

    The whole pause, taken parked after a visit, lies between ``pause_lo_s`` and ``pause_hi_s``.
    """

    start_s: float
    end_s: float
    pause_s: float = 0.0
    pause_lo_s: float = float(MIDDAY_S[0])
    pause_hi_s: float = float(MIDDAY_S[1])


type Plan = Mapping[int, Sequence[int]]
"""Promises by round index, in order of visit; rounds that stay at home are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replan:
    """A timetable with travel times; ``depot`` is a place of the matrix, ``None`` for open rounds.

    ``place[p]`` is the matrix row of promise ``p``. ``num_widened`` rounds did not fit their
    published span on these travel times and got the span that they need; ``num_unclocked``
    promises lost their common clock time, because a published round itself misses it.
    """

    timetable: Timetable
    travel_s: NDArray[np.float64]
    travel_m: NDArray[np.float64]
    place: tuple[int, ...]
    depot: int | None
    spans: tuple[Span, ...]
    num_widened: int
    num_unclocked: int

    @classmethod
    def of(
        cls, timetable: Timetable, travel: TravelMatrix, place: Sequence[int], depot: int | None
    ) -> Self:
        """Measure the published rounds on the travel times and fix what each may last."""
        travel_s = _passable(travel.travel_s)
        spans = [_span(r, timetable.promises, travel_s, place, depot) for r in timetable.rounds]
        measured = cls(
            timetable=timetable,
            travel_s=travel_s,
            travel_m=_passable(travel.travel_m),
            place=tuple(place),
            depot=depot,
            spans=tuple(span for span, _ in spans),
            num_widened=sum(widened for _, widened in spans),
            num_unclocked=0,
        )
        late = {
            visit
            for index, r in enumerate(timetable.rounds)
            if measured._overrun(index, r.visits, measured.published_clock_s)
            for visit in r.visits
            if timetable.promises[visit].clock_s is not None
        }
        promises = tuple(
            replace(promise, clock_s=None) if number in late else promise
            for number, promise in enumerate(timetable.promises)
        )
        return replace(
            measured, timetable=replace(timetable, promises=promises), num_unclocked=len(late)
        )

    @property
    def published(self) -> Plan:
        """The rounds as they are published."""
        return {index: r.visits for index, r in enumerate(self.timetable.rounds)}

    def driven(self, plan: Plan) -> tuple[float, float]:
        """Seconds and metres driven in a cycle."""
        legs = [
            leg
            for visits in plan.values()
            if visits
            for leg in pairwise(_way(visits, self.place, self.depot))
        ]
        return (
            float(sum(self.travel_s[a, b] for a, b in legs)),
            float(sum(self.travel_m[a, b] for a, b in legs)),
        )

    def problem(self) -> Problem:
        """The search's statement: driving seconds are minimised on the published vehicle-days.

        A promise may move to other days as a whole: its visits keep their distances. Free ends
        are a depot node that lies next to every stop.
        """
        promises = self.timetable.promises
        rows = np.array(self.place, np.intp)
        n = len(rows)
        time = np.zeros((n + 1, n + 1))
        time[:n, :n] = self.travel_s[np.ix_(rows, rows)]
        if self.depot is not None:
            time[n, :n] = self.travel_s[self.depot, rows]
            time[:n, n] = self.travel_s[rows, self.depot]
        mobiles = sorted({r.mobile for r in self.timetable.rounds})
        vehicles = _vehicle_numbers(self.timetable.rounds, mobiles)
        runs = [
            VehicleDay(
                vehicle=vehicle,
                day=r.day,
                start_node=n,
                end_node=n,
                duty_lo=span.start_s,
                duty_hi=span.end_s,
                meal_after=0.0 if span.pause_s else NO_LIMIT,
                meal_min=span.pause_s,
                meal_max=span.pause_s,
                meal_lo=span.pause_lo_s,
                meal_hi=span.pause_hi_s,
            )
            for r, span, vehicle in zip(self.timetable.rounds, self.spans, vehicles, strict=True)
        ]
        served_days = frozenset(r.day for r in self.timetable.rounds)
        return build_problem(
            cost=time,
            time=time,
            options=[self._options(promise, served_days) for promise in promises],
            runs=runs,
            occupied=[float(p.dwell_s) for p in promises],
            clock_grid=float(MINUTE_S),
            clock_tolerance=[
                math.inf if p.clock_s is None else float(CLOCK_TOLERANCE_S) for p in promises
            ],
        )

    def _options(self, promise: Promise, served_days: frozenset[int]) -> list[list[Slot]]:
        length = self.timetable.num_days
        shifted = {
            tuple(sorted((day + shift) % length for day in promise.days)) for shift in range(length)
        }
        return [
            [(day, 0.0, math.inf) for day in days]
            for days in sorted(shifted)
            if served_days.issuperset(days)
        ]

    def plan_of(self, solution: Solution) -> Plan:
        """The routes of a solution of ``problem``."""
        return {index: route for index, route in enumerate(solution.routes) if route}

    @property
    def published_clock_s(self) -> tuple[float, ...]:
        """The common clock time of each promise as published, ``nan`` where there is none."""
        return tuple(
            math.nan if p.clock_s is None else float(p.clock_s) for p in self.timetable.promises
        )

    def published_solution(self, problem: Problem) -> Solution | None:
        """The published rounds as a start of the search; ``None`` if they break a promise."""
        if self.violations(self.published, self.published_clock_s):
            return None
        options = []
        for stop, promise in enumerate(self.timetable.promises):
            first = int(problem.option_ptr[stop])
            days = [{day for day, _, _ in option} for option in problem.options_of(stop)]
            options.append(first + days.index(set(promise.days)))
        routes = [r.visits for r in self.timetable.rounds]
        return Solution(
            routes=tuple(routes),
            option=tuple(options),
            anchor=self.published_clock_s,
            unserved=(),
            mandatory_unserved=0,
            prize=0.0,
            cost=self.driven(self.published)[0],
            stopped_by="",
        )

    def violations(self, plan: Plan, nominal_s: Sequence[float]) -> tuple[Violation, ...]:
        """Every broken promise of a plan.

        Parameters
        ----------
        plan
            Promises by round.
        nominal_s
            Common clock time of each promise that has one; ``nan`` elsewhere.
        """
        found = []
        for index, visits in plan.items():
            if not 0 <= index < len(self.timetable.rounds):
                found.append(broken("bench.unknown_round", found=index))
                continue
            found += self._overrun(index, visits, nominal_s)
        length = self.timetable.num_days
        for number, promise in enumerate(self.timetable.promises):
            days = sorted(
                self.timetable.rounds[index].day
                for index, visits in plan.items()
                for visit in visits
                if visit == number
            )
            kept = len(days) == len(promise.days) and any(
                sorted((day + shift) % length for day in promise.days) == days
                for shift in range(length)
            )
            if not kept:
                listed = ", ".join(str(day + 1) for day in days) or "-"
                found.append(broken("bench.broken_promise", stop=promise.name, found=listed))
        return tuple(found)

    def _overrun(
        self, index: int, visits: Sequence[int], nominal_s: Sequence[float]
    ) -> list[Violation]:
        """Why a round cannot be driven within its span, pause and clock times; empty if it can."""
        span, published = self.spans[index], self.timetable.rounds[index]
        if not visits:
            return []
        # After no visit: a crew that starts later, or ends earlier, has its pause at home.
        pauses = [None] if not span.pause_s else range(-1, len(visits))
        late = min(self._lateness_s(span, visits, nominal_s, pause) for pause in pauses)
        if late <= TOLERANCE_S:
            return []
        facts = {"mobile": published.mobile, "day": published.day + 1}
        if late == math.inf:
            return [broken("bench.clock_missed", **facts)]
        return [broken("bench.over_span", minutes=round(late / 60, 1), **facts)]

    def _lateness_s(
        self, span: Span, visits: Sequence[int], nominal_s: Sequence[float], pause_after: int | None
    ) -> float:
        """Seconds past the end of the span, the pause taken after one visit (by position).

        Position -1 is before the first visit, ``None`` no pause. Infinite where a common clock
        time or the pause's own bounds are missed.
        """
        way = _way(visits, self.place, self.depot)
        legs = [float(self.travel_s[a, b]) for a, b in pairwise(way)]
        arrivals = legs[:-1] if self.depot is not None else [0.0, *legs]
        clock = span.start_s
        for position in range(-1, len(visits)):
            if position >= 0:
                promise = self.timetable.promises[visits[position]]
                clock += arrivals[position]
                if promise.clock_s is not None:
                    nominal = nominal_s[visits[position]]
                    clock = max(clock, nominal - CLOCK_TOLERANCE_S)
                    if not clock <= nominal + CLOCK_TOLERANCE_S + TOLERANCE_S:
                        return math.inf
                clock += promise.dwell_s
            if position == pause_after:
                clock = max(clock, span.pause_lo_s) + span.pause_s
                if clock > span.pause_hi_s + TOLERANCE_S:
                    return math.inf
        return clock + (legs[-1] if self.depot is not None else 0.0) - span.end_s


def best_depot(timetable: Timetable, travel: TravelMatrix, place: Sequence[int]) -> int:
    """The stop's place from which the published rounds drive least, ends of the day included."""
    travel_s = _passable(travel.travel_s)
    firsts = [place[r.visits[0]] for r in timetable.rounds]
    lasts = [place[r.visits[-1]] for r in timetable.rounds]
    return int(np.argmin(travel_s[:, firsts].sum(axis=1) + travel_s[lasts, :].sum(axis=0)))


def _passable(cells: NDArray[np.int32]) -> NDArray[np.float64]:
    return np.where(cells == UNREACHABLE, NO_ROAD, cells).astype(np.float64)


def _way(visits: Sequence[int], place: Sequence[int], depot: int | None) -> list[int]:
    way = [place[visit] for visit in visits]
    return way if depot is None else [depot, *way, depot]


def _vehicle_numbers(rounds: Sequence[Round], mobiles: Sequence[str]) -> list[int]:
    """A vehicle number for each round; a mobile with several rounds on a day counts as several."""
    number: dict[tuple[str, int], int] = {}
    taken: dict[tuple[str, int], int] = {}
    numbers = []
    for r in rounds:
        turn = taken.get((r.mobile, r.day), 0)
        taken[r.mobile, r.day] = turn + 1
        if (r.mobile, turn) not in number:
            number[r.mobile, turn] = (
                mobiles.index(r.mobile) if turn == 0 else len(mobiles) + len(number)
            )
        numbers.append(number[r.mobile, turn])
    order = {old: new for new, old in enumerate(sorted(set(numbers)))}
    return [order[old] for old in numbers]


def _span(
    published: Round,
    promises: Sequence[Promise],
    travel_s: NDArray[np.float64],
    place: Sequence[int],
    depot: int | None,
) -> tuple[Span, bool]:
    """The published span with its midday pause, widened where the round itself needs more."""
    legs = [float(travel_s[place[a], place[b]]) for a, b in pairwise(published.visits)]
    stays = [
        (arrival_s, arrival_s + promises[visit].dwell_s)
        for visit, arrival_s in zip(published.visits, published.arrivals_s, strict=True)
    ]
    pause_s, pause_lo_s, pause_hi_s = 0.0, float(MIDDAY_S[0]), float(MIDDAY_S[1])
    for (_, leave_s), (arrival_s, _), leg in zip(stays, stays[1:], legs, strict=False):
        idle_s = min(arrival_s - leave_s - leg, PAUSE_MOST_S)
        midday = leave_s < MIDDAY_S[1] and arrival_s > MIDDAY_S[0]
        if midday and idle_s >= PAUSE_LEAST_S and idle_s > pause_s:
            pause_s = idle_s
            pause_lo_s, pause_hi_s = min(leave_s, MIDDAY_S[0]), max(arrival_s, MIDDAY_S[1])
    start_s, end_s = float(published.start_s), float(published.end_s)
    needed_s = sum(legs) + sum(promises[v].dwell_s for v in published.visits) + pause_s
    is_widened = needed_s > end_s - start_s + TOLERANCE_S
    end_s = max(end_s, start_s + needed_s)
    if is_widened:
        pause_hi_s = max(pause_hi_s, end_s)
    if depot is not None:
        start_s -= float(travel_s[depot, place[published.visits[0]]])
        end_s += float(travel_s[place[published.visits[-1]], depot])
    span = Span(
        start_s=start_s,
        end_s=end_s,
        pause_s=pause_s,
        pause_lo_s=pause_lo_s,
        pause_hi_s=pause_hi_s,
    )
    return span, is_widened
