"""One measurement: read, search, check, tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from api.bench.effort import Effort, Stopwatch
from api.bench.instance import Instance, Outcome, judged
from api.bench.limits import Limits, limits_of
from api.bench.published import Published, travel_between
from api.bench.replan import Plan, Replan, best_depot
from api.bench.text import best_known
from api.progress import Ticker
from data.model.plan import Violation
from data.model.travel import TravelMatrix
from maps.roads import Roads
from planner.improve import SearchState, optimise
from planner.params import SolveParams
from planner.problem import Problem, Solution

OPEN_SHARE = 2 / 3
"""Share of the time limit for open rounds; the rounds from a depot get the rest."""


def searched(
    problem: Problem, params: SolveParams, tick: Ticker, start: Solution | None = None
) -> Solution:
    """The search's best solution, progress told and a stop heeded."""

    def tell(state: SearchState) -> None:
        tick.fraction(state.fraction)

    return optimise(problem, params, progress=tell, should_stop=tick.should_stop, start=start)


def measure(instance: Instance, file: Path, params: SolveParams, tick: Ticker) -> Outcome:
    """Solve a published problem and judge the solution by the problem's own rules."""
    tick.phase("bench.phase.instance")
    best = best_known(file)
    watch = Stopwatch()
    problem = instance.problem()
    solution = searched(problem, params, tick)
    effort = watch.read()
    return judged(instance, instance.tours(problem, solution), best=best, effort=effort)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """Driving of one cycle."""

    seconds: float
    metres: float
    vehicle_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsOutcome:
    """Published against planned rounds of one authority, on the same travel times.

    ``planned`` is ``None`` if the plan found breaks a promise. ``depot`` names the stop where
    all rounds start and end; empty for open rounds. ``is_kept`` says that nothing better than
    the published rounds was found.
    """

    authority: str
    visits: int
    depot: str
    published: Driven
    planned: Driven | None
    is_kept: bool
    violations: tuple[Violation, ...]
    effort: Effort
    num_widened: int
    num_unclocked: int
    num_pauses: int
    limits: Limits | None = None
    """What bounds open rounds; ``None`` for rounds from a depot."""

    @property
    def is_feasible(self) -> bool:
        return self.planned is not None

    @property
    def change_pct(self) -> float | None:
        """Per cent of driving time added; negative is saved."""
        if self.planned is None or not self.published.seconds:
            return None
        return 100 * (self.planned.seconds / self.published.seconds - 1)


def measure_rounds(
    published: Published, roads: Roads, params: SolveParams, tick: Ticker
) -> tuple[RoundsOutcome, ...]:
    """Replan a timetable as open rounds and from one depot.

    The depot stands at the stop's place from which the published rounds drive least. A search
    that was stopped by hand gives what it has; a search not begun gives nothing.
    """
    tick.phase("phase.matrix")
    travel, place = travel_between(published, roads, tick.fraction)
    tick.phase("bench.phase.open")
    outcomes = [_replanned(published, travel, place, None, _share(params, OPEN_SHARE), tick)]
    if not tick.should_stop():
        tick.phase("bench.phase.depot")
        depot = best_depot(published.timetable, travel, place)
        rest = _share(params, 1 - OPEN_SHARE)
        outcomes.append(_replanned(published, travel, place, depot, rest, tick))
    return tuple(outcomes)


def _share(params: SolveParams, share: float) -> SolveParams:
    return replace(params, time_limit_s=share * params.time_limit_s)


def _replanned(
    published: Published,
    travel: TravelMatrix,
    place: Sequence[int],
    depot: int | None,
    params: SolveParams,
    tick: Ticker,
) -> RoundsOutcome:
    timetable = published.timetable
    replan = Replan.of(timetable, travel, place, depot)
    watch = Stopwatch()
    problem = replan.problem()
    start = replan.published_solution(problem)
    solution = searched(problem, params, tick, start)
    plan = replan.plan_of(solution)
    violations = replan.violations(plan, solution.anchor)
    before = _driven(replan, replan.published)
    after = None if violations else _driven(replan, plan)
    # Where the published rounds keep every promise they are a plan too.
    effort = watch.read()
    is_kept = start is not None and (after is None or after.seconds >= before.seconds)
    if is_kept:
        after, violations = before, ()
    promises = timetable.promises
    return RoundsOutcome(
        authority=timetable.authority,
        visits=timetable.num_visits,
        depot="" if depot is None else promises[list(place).index(depot)].name,
        published=before,
        planned=after,
        is_kept=is_kept,
        violations=violations,
        effort=effort,
        num_widened=replan.num_widened,
        num_unclocked=replan.num_unclocked,
        num_pauses=sum(span.pause_s > 0 for span in replan.spans),
        limits=limits_of(replan) if depot is None else None,
    )


def _driven(replan: Replan, plan: Plan) -> Driven:
    seconds, metres = replan.driven(plan)
    return Driven(seconds=seconds, metres=metres, vehicle_days=len(plan))
