"""Real plans that trade people reached, fairness and kilometres: a set to choose from.

No weight is hidden: each plan of the set is better than each other one in at least one of three
figures, which it names. The plans come from the ordinary search, steered in turn by

- the request as it stands: most people, the end that ``planner.solve`` seeks;
- prizes of people times a power of their distance to a library: worst served first;
- ceilings on driving, as weekly driving limits, with plain prizes and with the worst served first.

The searches share one pool of routes. At the end set partitioning takes each plan that none
dominates and seeks, among all routes met, more people at no more kilometres and no longer P90: an
epsilon constraint method (Haimes, Lasdon, Wismer 1971, doi:10.1109/TSMC.1971.4308298).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from data.model.plan import Plan, PlanRequest
from planner.choices import part_of
from planner.compile import Compiled, compile_request
from planner.cover import floor_of
from planner.frontier_points import Point, judged, non_dominated, thinned, with_ends
from planner.master import Column, Cover, Key, Side, Sum, choose, groups_of
from planner.params import SolveParams
from planner.resume import solution_of
from planner.solutions import assembled, columns_of
from planner.solve import Progress, plan_of, solve
from planner.steer import weekly_driving, with_driving_limit, with_weekly_sums, worst_first
from planner.stopping import DETERMINISTIC_PER_STEP, Budget

MOST_PLANS = 9
"""Plans of a frontier unless asked otherwise: as many as a person can weigh up."""
LEAST_PLANS = 3
PEOPLE_RATIO = 0.3
"""Share of the time for the first search, which seeks most people."""
LAST_RATIO = 0.07
"""Share of the time for going on from the best of these when all else is done."""
MASTER_RATIO = 0.2
"""Share of the time for choosing among all routes met."""
DEFICIT_POWERS = (0.5, 1.0, 1.5, 2.0)
"""Powers of the distance to a library in prizes that put the worst served first. Beyond two, P90
rises again: a few homes far out then outweigh many."""
DRIVE_STEPS = (0.75, 0.5, 0.25)
"""Ceilings on driving, as shares of that of the plan that reaches most people."""
SPARING_POWER = 1.0
"""Power of the distance where worst served first and a ceiling on driving meet."""
LEAST_CHOICE_S = 4.0
"""A choice among all routes in less time finds nothing."""
MOST_COLUMNS = 30_000
"""Routes that the pool keeps from search to search, the latest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """Plans of which none dominates another, most people first; the checker passed each."""

    points: tuple[Point, ...]
    num_searches: int
    num_planned: int
    """Searches that were meant; fewer were run where time ran out or a person stopped it."""
    num_found: int
    """Plans found of which none dominates another; ``points`` are some of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierProgress:
    """How far the work is, and the best of each figure among the plans so far."""

    fraction: float
    num_plans: int
    prize: float
    p90_s: float | None
    drive_m: int


def frontier(
    request: PlanRequest,
    params: SolveParams,
    *,
    num_plans: int = MOST_PLANS,
    start: Plan | None = None,
    progress: Callable[[FrontierProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Frontier:
    """Plans of the request that trade people, fairness and kilometres.

    Parameters
    ----------
    request
        With ``access``; without it the plans trade people and kilometres alone.
    params
        Limits of the whole. With a limit on work and one worker the same frontier is found again.
    num_plans
        Most plans; of more the ends are kept, and those that differ most.
    start
        An earlier plan to go on from.

    Raises
    ------
    RequestError
        As ``planner.solve.solve``.
    ValueError
        If ``num_plans`` is less than three, the ends of three figures.
    """
    if num_plans < LEAST_PLANS:
        raise ValueError(f"num_plans is {num_plans}, must be at least {LEAST_PLANS}")
    search = _Search(request, params, progress, should_stop)
    search.run(start)
    return Frontier(
        points=tuple(with_ends(thinned(search.points, num_plans))),
        num_searches=search.num_searches,
        num_planned=search.num_planned,
        num_found=len(search.points),
    )


class _Search:
    """The plans found so far of which none dominates another, and what the searches share."""

    def __init__(
        self,
        request: PlanRequest,
        params: SolveParams,
        progress: Callable[[FrontierProgress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.request = request
        self.points: list[Point] = []
        self.num_searches = 0
        has_access = request.access is not None
        self._middle = len(DRIVE_STEPS) + has_access * (len(DEFICIT_POWERS) + len(DRIVE_STEPS))
        self.num_planned = 2 + self._middle
        self._params = params
        self._tell = progress
        self._should_stop = should_stop
        self._began = time.perf_counter()
        self._beside_s = 0.0
        self._pool: dict[Key, Column] = {}

    def run(self, start: Plan | None) -> None:
        """All searches in turn; the first gives a plan however short the time is."""
        first = self._search(self.request, start, PEOPLE_RATIO)
        if first is None:
            return
        access, fair = self.request.access, first
        if access is not None:
            for power in DEFICIT_POWERS:
                fair = self._search(worst_first(self.request, access, power), fair.plan) or fair
        weekly = weekly_driving(self.request, first.plan)
        for share in DRIVE_STEPS:
            most_s = {v: share * s for v, s in weekly.items()}
            self._search(with_driving_limit(self.request, most_s), first.plan)
            if access is not None:
                keen = worst_first(self.request, access, SPARING_POWER)
                self._search(with_driving_limit(keen, most_s), fair.plan)
        self._recombine()
        # Routes that the others met may have improved the plan that most will look at first.
        self._search(self.request, min(self.points, key=lambda p: p.figures).plan, LAST_RATIO)

    def _left_s(self) -> float:
        return self._params.time_limit_s - (time.perf_counter() - self._began)

    def _is_over(self) -> bool:
        return self._is_cancelled() or self._left_s() < 0.05

    def _is_cancelled(self) -> bool:
        return self._should_stop is not None and self._should_stop()

    def _search(
        self, request: PlanRequest, start: Plan | None, ratio: float | None = None
    ) -> Point | None:
        """One search of a variant of the request, its plan judged by the request itself.

        Without a ratio it gets its share of what the others leave.
        """
        if self.points and self._is_over():
            return None
        is_middle = ratio is None
        if ratio is None:
            ratio = (1 - PEOPLE_RATIO - MASTER_RATIO - LAST_RATIO) / self._middle
        left_s = self._left_s()
        if is_middle:
            rest_s = left_s - (MASTER_RATIO + LAST_RATIO) * self._params.time_limit_s
            left_s = rest_s / max(1, 1 + self._middle - self.num_searches)
        params = part_of(
            self._params,
            ratio,
            self.num_searches,
            left_s=max(0.05, left_s - self._beside_s),
            rounds=2,
        )
        began = time.perf_counter()
        plan = solve(
            with_weekly_sums(request),
            params,
            start=start,
            progress=self._report,
            should_stop=self._should_stop,
            pool=self._pool,
        )
        self.num_searches += 1
        # Making the problem ready and emptying the pool come on top of the searching.
        self._beside_s = max(0.0, time.perf_counter() - began - params.time_limit_s)
        for key in list(self._pool)[: max(0, len(self._pool) - MOST_COLUMNS)]:
            del self._pool[key]
        return self._add(plan)

    def _add(self, plan: Plan) -> Point | None:
        """The plan judged; kept if the checker passes it and no known one dominates it."""
        point = judged(self.request, plan)
        if point is not None:
            self.points = non_dominated([*self.points, point])
        return point

    def _report(self, progress: Progress) -> None:
        if self._tell is None or not self.points:
            return
        done = 1 - self._left_s() / self._params.time_limit_s
        if self._params.work_limit is not None:
            done = (self.num_searches + progress.fraction) / self.num_planned
        known = [p.p90_s for p in self.points if p.p90_s is not None]
        self._tell(
            FrontierProgress(
                fraction=min(1.0, max(0.0, done)),
                num_plans=len(self.points),
                prize=max(p.summary.prize_collected for p in self.points),
                p90_s=min(known, default=None),
                drive_m=min(p.summary.drive_m for p in self.points),
            )
        )

    def _recombine(self) -> None:
        """For each plan, more people by all routes met, at no more metres and no longer P90."""
        if not self._pool or self._is_over():
            return
        compiled = compile_request(with_weekly_sums(self.request))
        metres = _metres(compiled)
        until_s = LAST_RATIO * self._params.time_limit_s
        seconds = max(LEAST_CHOICE_S, MASTER_RATIO * self._params.time_limit_s / len(self.points))
        # The fairest first: the others have had more of the searches.
        for point in sorted(self.points, key=lambda p: (p.figures[1], p.figures)):
            if self._is_cancelled() or self._left_s() < until_s + seconds:
                return
            side = _no_worse_than(self.request, point, metres)
            plan = self._chosen(compiled, point, side, seconds)
            if plan is not None:
                self._add(plan)

    def _chosen(self, compiled: Compiled, point: Point, side: Side, seconds: float) -> Plan | None:
        problem = compiled.problem
        incumbent = solution_of(compiled, point.plan)
        group = groups_of(problem)
        own = {c.key(group): c for c in columns_of(problem, incumbent)}
        work = self._params.work_limit
        answer = choose(
            problem,
            self._pool | own,
            incumbent,
            frozenset(own),
            Budget(
                seconds=seconds,
                deterministic=None if work is None else max(0.2, work * DETERMINISTIC_PER_STEP),
                workers=self._params.workers if work is None else 1,
                max_columns=self._params.pool_limit,
            ),
            self._is_cancelled,
            side,
        )
        if answer is None:
            return None
        found = assembled(problem, *answer[:2])
        return plan_of(compiled, replace(found, stopped_by="complete"), self._params)


def _no_worse_than(request: PlanRequest, point: Point, metres: Callable[[Column], float]) -> Side:
    """The driving and the fairness of a plan as limits on a choice of routes."""
    sums = (Sum(amount=metres, most=float(point.summary.drive_m)),)
    if request.access is None or point.p90_s is None:
        return Side(sums=sums)
    number = {s.stop_id: k for k, s in enumerate(request.stops)}
    target = floor_of(request.access, point.p90_s)
    covers = tuple(
        Cover(weight=r.people, stops=frozenset(number[s] for s in r.stops)) for r in target.remote
    )
    return Side(sums=sums, covers=covers, most_uncovered=target.most_people)


def _metres(compiled: Compiled) -> Callable[[Column], float]:
    """The road metres of a route."""
    request, problem = compiled.request, compiled.problem
    points = [str(s.stop_id) for s in request.stops] + [str(d.depot_id) for d in request.depots]

    def metres(column: Column) -> float:
        run = problem.runs[column.run]
        matrix = request.travel[request.vehicles[compiled.vehicle_of(run)].vehicle_id]
        path = [points[k] for k in (run.start_node, *column.stops, run.end_node)]
        return float(sum(matrix.metres(a, b) for a, b in pairwise(path)))

    return metres
