"""The planner's front door: a planning request in, a plan out."""

import hashlib
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from typing import Any

from data.model.demand import PrizeBy
from data.model.learned import LearnedUse
from data.model.nights import Nights, nights_of
from data.model.plan import Plan, PlanRequest, Provenance, Unserved
from planner.aboard import Deal, is_settled, possible_rides
from planner.choices import part_of
from planner.compile import Compiled, compile_request
from planner.dealing import LEAST_S as DEAL_LEAST_S
from planner.dealing import USED_RATIO as DEAL_RATIO
from planner.dealing import Dealt, best_deal
from planner.improve import SearchState, optimise
from planner.lengthen import has_choice, lengthen
from planner.master import Column, Key
from planner.nights import Config, allowed, as_nights, config_of, may_be_away, spent
from planner.params import SolveParams
from planner.problem import Solution
from planner.resume import solution_of
from planner.schedule import schedule
from planner.skeleton import laid_on, skeleton_of
from planner.tours import LEAST_S, best_nights

NO_CAPACITY = "unserved.no_capacity"
_PACKAGES = ("ortools", "numba", "numpy", "scipy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a solve is and what the best plan so far is worth."""

    fraction: float
    elapsed_s: float
    mandatory_unserved: int
    prize: float
    """Prize of optional stops served, pinned ones too."""
    travel_s: float


def solve(
    request: PlanRequest,
    params: SolveParams,
    *,
    start: Plan | None = None,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    pool: dict[Key, Column] | None = None,
) -> Plan:
    """The best plan found within the limits of ``params``.

    With ``start``, an earlier plan of this or a like request, the search goes on from what of it
    still keeps every rule; where all of it does, the result is never worse.

    Stops that cannot be served, mandatory ones too, stand in ``Plan.unserved`` with a reason.
    Once ``should_stop`` answers true the best plan so far is returned. ``pool`` carries routes from
    one search to the next, of requests that differ in prizes, in what is mandatory and in the
    weekly driving alone (``planner.improve.optimise``); searches of nights away, or of who rides
    where, leave it as it is.

    Raises
    ------
    RequestError
        ``request.no_vehicle``, ``request.no_stop``, ``request.no_working_day``,
        ``request.travel_missing``.
    """
    if not is_settled(request, possible_rides(request)):
        return _with_deals(request, params, start, progress, should_stop)
    if may_be_away(request):
        return _with_tours(request, params, start, progress, should_stop)
    skeleton = None
    if start is None and params.skeleton_ratio > 0:
        skeleton = skeleton_of(request)
    if skeleton is not None:
        return _from_skeleton(request, skeleton, params, progress, should_stop)
    compiled = compile_request(request)
    known = None if start is None else solution_of(compiled, start)
    solution = _searched(compiled, params, known, progress, should_stop, pool)
    return plan_of(compiled, solution, params, start=start)


def _searched(
    compiled: Compiled,
    params: SolveParams,
    known: Solution | None,
    progress: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool] | None,
    pool: dict[Key, Column] | None = None,
) -> Solution:
    """One search of a compiled request from a known solution."""
    held = _pinned_prize(compiled)

    def tell(state: SearchState) -> None:
        if progress is not None:
            progress(
                Progress(
                    fraction=state.fraction,
                    elapsed_s=state.elapsed_s,
                    mandatory_unserved=state.mandatory_unserved,
                    prize=state.prize + (0.0 if state.mandatory_unserved else held),
                    travel_s=state.cost,
                )
            )

    return optimise(
        compiled.problem,
        params,
        progress=tell,
        should_stop=should_stop,
        start=known,
        pool=pool,
    )


def _pinned_prize(compiled: Compiled) -> float:
    """Prize of optional stops that a search must serve since a visit of theirs is pinned."""
    return sum(
        float(compiled.problem.prize[k])
        for k, stop in enumerate(compiled.request.stops)
        if compiled.problem.mandatory[k] and not stop.mandatory
    )


def _from_skeleton(
    request: PlanRequest,
    skeleton: PlanRequest,
    params: SolveParams,
    progress: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool] | None,
) -> Plan:
    """The best plan of dates found from a repeating plan laid on them (``planner.skeleton``)."""
    began = time.perf_counter()
    share = params.skeleton_ratio

    def tell(first: float, last: float) -> Callable[[Progress], None]:
        def told(state: Progress) -> None:
            if progress is not None:
                fraction = first + (last - first) * state.fraction
                elapsed_s = time.perf_counter() - began
                progress(replace(state, fraction=fraction, elapsed_s=elapsed_s))

        return told

    compiled = compile_request(skeleton)
    first = part_of(params, share, 0, left_s=params.time_limit_s)
    rhythm = _searched(compiled, first, None, tell(0, share), should_stop)
    laid = laid_on(request, skeleton.cycle, Plan(runs=schedule(compiled, rhythm)))
    compiled = compile_request(request)
    left_s = max(LEAST_S, params.time_limit_s - (time.perf_counter() - began))
    rest = part_of(params, 1 - share, 1, left_s=left_s)
    known = solution_of(compiled, laid)
    solution = _searched(compiled, rest, known, tell(share, 1), should_stop)
    seconds = time.perf_counter() - began
    solution = replace(solution, stats={**solution.stats, "seconds": seconds})
    return plan_of(compiled, solution, params)


def _with_tours(
    request: PlanRequest,
    params: SolveParams,
    start: Plan | None,
    progress: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool] | None,
) -> Plan:
    """The best plan found whose nights away are decided by search (see ``planner.tours``).

    The best configuration of nights is searched to the end; the plan of its short search stands
    where that comes to nothing better.
    """
    began = time.perf_counter()

    def search(
        nights: Nights, part: SolveParams, known: Plan | None, first: float, last: float
    ) -> tuple[Compiled, Solution]:
        compiled = compile_request(request, nights)
        begin = None if known is None else solution_of(compiled, known)

        def tell(state: Progress) -> None:
            if progress is not None:
                told = replace(
                    state,
                    fraction=first + (last - first) * state.fraction,
                    elapsed_s=time.perf_counter() - began,
                    travel_s=state.travel_s + compiled.away_s,
                )
                progress(told)

        return compiled, _searched(compiled, part, begin, tell, should_stop)

    def short(
        nights: Nights, part: SolveParams, known: Plan | None, used: tuple[float, float]
    ) -> tuple[Plan, tuple[float, ...]]:
        compiled, solution = search(nights, part, known, *used)
        return Plan(runs=schedule(compiled, solution)), compiled.rank(solution)

    found = best_nights(
        request,
        params,
        short,
        start=start,
        is_cancelled=lambda: should_stop is not None and should_stop(),
    )
    left_s = max(LEAST_S, params.time_limit_s - (time.perf_counter() - began))
    rest = part_of(params, 1 - params.tour_ratio, 0, left_s=left_s)
    if params.work_limit is None:
        rest = replace(rest, time_limit_s=left_s)
    nights = as_nights(found.nights)
    compiled, solution = search(nights, rest, found.plan, params.tour_ratio, 1.0)
    kept = spent(found.nights, Plan(runs=schedule(compiled, solution)))
    if kept != found.nights:
        compiled = compile_request(request, nights)
        stopped_by = solution.stopped_by
        solution = replace(solution_of(compiled, found.plan), stopped_by=stopped_by)
    seconds = time.perf_counter() - began
    solution = replace(solution, stats={**solution.stats, "seconds": seconds})
    return plan_of(compiled, solution, params, start=start)


def _with_deals(
    request: PlanRequest,
    params: SolveParams,
    start: Plan | None,
    progress: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool] | None,
) -> Plan:
    """The plan of the best deal found of who rides where (see ``planner.dealing``).

    Where nights may be spent away they are those of ``start``, or are decided first, with everyone
    riding wherever he might.
    """
    began = time.perf_counter()
    nights = as_nights(_nights_before_deals(request, params, start, should_stop))
    ratio = 1 - params.tour_ratio if may_be_away(request) and start is None else 1.0

    def short(deal: Deal | None, part: SolveParams, known: Plan | None) -> Dealt:
        compiled = compile_request(request, nights, deal)
        begin = None if known is None else solution_of(compiled, known)
        solution = _searched(compiled, part, begin, None, should_stop)
        return Dealt(plan=Plan(runs=schedule(compiled, solution)), rank=compiled.rank(solution))

    def tell(state: Progress, first: float, last: float) -> None:
        if progress is not None:
            fraction = 1 - ratio * (1 - first - (last - first) * state.fraction)
            elapsed_s = time.perf_counter() - began
            progress(replace(state, fraction=fraction, elapsed_s=elapsed_s))

    deal, known = best_deal(
        request,
        replace(part_of(params, ratio, 0, left_s=params.time_limit_s), seed=params.seed),
        short,
        nights=nights,
        start=start,
        tell=lambda fraction, found: tell(_progress_of(found), fraction, fraction),
        is_cancelled=lambda: should_stop is not None and should_stop(),
    )
    left_s = max(DEAL_LEAST_S, params.time_limit_s - (time.perf_counter() - began))
    rest = part_of(params, ratio * (1 - DEAL_RATIO), 0, left_s=left_s)
    if params.work_limit is None:
        rest = replace(rest, time_limit_s=left_s)
    compiled = compile_request(request, nights, deal)
    solution = _searched(
        compiled,
        rest,
        solution_of(compiled, known),
        lambda state: tell(state, DEAL_RATIO, 1.0),
        should_stop,
    )
    while True:
        config = config_of(compiled.nights)
        kept = spent(config, Plan(runs=schedule(compiled, solution)))
        if kept == config:
            break
        # A night without a run on both sides is spent at home.
        plan = Plan(runs=schedule(compiled, solution))
        compiled = compile_request(request, as_nights(kept), deal)
        solution = replace(solution_of(compiled, plan), stopped_by=solution.stopped_by)
    seconds = time.perf_counter() - began
    solution = replace(solution, stats={**solution.stats, "seconds": seconds})
    return plan_of(compiled, solution, params, start=start)


def _nights_before_deals(
    request: PlanRequest,
    params: SolveParams,
    start: Plan | None,
    should_stop: Callable[[], bool] | None,
) -> Config:
    if not may_be_away(request):
        return frozenset()
    if start is not None:
        return allowed(request, config_of(nights_of(request, start)))

    def short(
        nights: Nights, part: SolveParams, known: Plan | None, used: tuple[float, float]
    ) -> tuple[Plan, tuple[float, ...]]:
        compiled = compile_request(request, nights)
        begin = None if known is None else solution_of(compiled, known)
        solution = _searched(compiled, part, begin, None, should_stop)
        return Plan(runs=schedule(compiled, solution)), compiled.rank(solution)

    found = best_nights(
        request,
        params,
        short,
        start=None,
        is_cancelled=lambda: should_stop is not None and should_stop(),
    )
    return found.nights


def _progress_of(found: Dealt) -> Progress:
    missing, lost, cost = found.rank
    return Progress(
        fraction=0.0,
        elapsed_s=0.0,
        mandatory_unserved=int(missing),
        prize=max(0.0, -lost),
        travel_s=cost,
    )


def plan_of(
    compiled: Compiled, solution: Solution, params: SolveParams, *, start: Plan | None = None
) -> Plan:
    """The plan that a solution of the compiled problem stands for, found from ``start``."""
    request = compiled.request
    extra_s = None
    if has_choice(compiled):
        longer = lengthen(compiled, solution)
        solution, extra_s = longer.solution, longer.extra_s
    matrices = [request.travel[v.vehicle_id] for v in request.vehicles]
    return Plan(
        runs=schedule(compiled, solution, extra_s),
        unserved=tuple(_unserved(compiled, stop) for stop in solution.unserved),
        provenance=Provenance(
            problem_hash=problem_hash(compiled),
            seed=params.seed,
            parameters=_parameters(compiled, params, start),
            versions={"python": platform.python_version()} | {p: version(p) for p in _PACKAGES},
            travel_source="; ".join(sorted({m.source for m in matrices})),
            is_estimated=any(m.is_estimated for m in matrices),
            solve_seconds=float(solution.stats.get("seconds", 0.0)),
            stopped_by=solution.stopped_by,
        ),
    )


def problem_hash(compiled: Compiled) -> str:
    """SHA-256 of all that the search reads; of a request with specialists, whoever rides where."""
    if compiled.aboard is None:
        return compiled.problem.digest()
    request = compiled.request
    relaxed = compile_request(request, compiled.nights)
    sha = hashlib.sha256(relaxed.problem.digest().encode())
    seats = [v.seats for v in request.vehicles]
    people = [
        (p.service, sorted(p.weekdays), sorted(p.off_dates), sorted(p.vehicle_ids))
        for p in request.specialists
    ]
    hours = [(p.duty_start_s, p.duty_end_s, p.days_per_week_max) for p in request.specialists]
    sha.update(repr((seats, people, hours)).encode())
    return sha.hexdigest()


def _unserved(compiled: Compiled, index: int) -> Unserved:
    """Why a stop is left out, as far as it is known before and after the search."""
    stop = compiled.request.stops[index]
    return compiled.unserved.get(
        index, Unserved(stop_id=stop.stop_id, reason=NO_CAPACITY, facts={"stop": stop.name})
    )


def _told(learned: LearnedUse) -> dict[str, Any]:
    """Where learned times come from, dates as text."""
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in asdict(learned).items()}


def _parameters(compiled: Compiled, params: SolveParams, start: Plan | None) -> dict[str, Any]:
    """All that steered the search: duty windows that keep the daily rest, the plan begun from."""
    cut = {
        str(v.vehicle_id): list(compiled.duty[v.vehicle_id])
        for v in compiled.request.vehicles
        if compiled.duty[v.vehicle_id] != (v.duty_start_s, v.duty_end_s)
    }
    named: dict[str, Any] = params.to_mapping() | {"duty_cut_for_rest_s": cut}
    request = compiled.request
    if request.learned is not None:
        named["learned"] = _told(request.learned)
    if request.prize_by is not PrizeBy.PEOPLE:
        named["prize_by"] = request.prize_by.value
    if start is not None:
        # The hash of no known problem: a plan made by hand or by another program.
        known = start.provenance.problem_hash if start.provenance else ""
        named["started_from"] = known
    return named
