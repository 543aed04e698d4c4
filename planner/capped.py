"""Re-planning under a hard cap on published times that change.

Published times are pinned to the second, openings and closings, whichever vehicle keeps them, but
for a few stops at a time that the cap has room for. These are freed, near stops that are not
served, and the search goes on from the best plan so far. A plan is taken only where the changes,
counted anew after clock times are set, stay within the cap. Nothing is proved: a better plan with
as few changes may exist.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from data.model.pins import ChangeCap, PublishedTime, VisitPin
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest
from data.model.travel import UNREACHABLE
from planner.compile import compile_request
from planner.params import SolveParams
from planner.rhythm import visit_range
from planner.score import check, summarise
from planner.solve import Progress, problem_hash, solve

TURNS = 24
"""Sets of stops freed one after the other, the first one included."""
FIRST_RATIO = 0.3
"""Share of the time or work of the first turn."""

_Times = Mapping[StopId, tuple[PublishedTime, ...]]


def cap_changes(request: PlanRequest, published: Plan, most: int) -> PlanRequest:
    """The request with at most so many changes against the times of a plan."""
    times = tuple(
        PublishedTime(stop_id=v.stop_id, day=r.day, start_s=v.start_s, end_s=v.end_s)
        for r in published.runs
        for v in r.visits
    )
    return replace(request, change_cap=ChangeCap(published=times, max_changes=most))


def solve_capped(
    request: PlanRequest,
    params: SolveParams,
    *,
    start: Plan,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Plan:
    """The best plan found whose changes stay within the request's cap.

    Where none is found, the plan of fewest broken rules; the checker names what it breaks.

    Raises
    ------
    ValueError
        If the request has no cap.
    RequestError
        As ``planner.solve.solve``.
    """
    if request.change_cap is None:
        raise ValueError("the request has no cap on changes")
    began = time.perf_counter()
    rng = np.random.default_rng(params.seed)
    times = _by_stop(request, request.change_cap)
    room = request.change_cap.max_changes - _gone(request, request.change_cap)
    best: Plan | None = None
    for turn in range(TURNS):
        freed = (
            _cannot_stay(request, times, room)
            if best is None
            else _to_free(request, times, best, room, rng)
        )
        plan = solve(
            _pinned(request, times, freed),
            _slice(params, turn) if room > 0 else params,
            start=start if best is None else best,
            progress=None if progress is None else _part(progress, turn, began),
            should_stop=should_stop,
        )
        if best is None or _rank(request, plan) < _rank(request, best):
            best = plan
        is_late = time.perf_counter() - began >= params.time_limit_s
        if is_late or (should_stop is not None and should_stop()) or room <= 0:
            break
    assert best is not None  # there is at least one turn
    return _signed(request, best, params, time.perf_counter() - began)


def _by_stop(request: PlanRequest, cap: ChangeCap) -> _Times:
    """The published times of each stop that is still planned."""
    known = {s.stop_id for s in request.stops}
    times: dict[StopId, list[PublishedTime]] = defaultdict(list)
    for published in cap.published:
        if published.stop_id in known:
            times[published.stop_id].append(published)
    return {stop_id: tuple(found) for stop_id, found in times.items()}


def _gone(request: PlanRequest, cap: ChangeCap) -> int:
    """Changes that no plan avoids: published times of stops that are planned no more."""
    known = {s.stop_id for s in request.stops}
    return sum(t.stop_id not in known for t in cap.published)


def _pinned(request: PlanRequest, times: _Times, freed: frozenset[StopId]) -> PlanRequest:
    """The request with every published time of stops that are not freed pinned to the second."""
    pins = tuple(
        VisitPin(stop_id=t.stop_id, day=t.day, earliest_s=t.start_s, latest_s=t.start_s)
        for stop_id, found in times.items()
        if stop_id not in freed
        for t in found
    )
    fixed = replace(request.pins, visits=(*request.pins.visits, *pins))
    stops = tuple(
        s if s.stop_id in freed or s.stop_id not in times else _with_closing(s, times[s.stop_id])
        for s in request.stops
    )
    return replace(request, stops=stops, pins=fixed, change_cap=None)


def _with_closing(stop: Stop, published: tuple[PublishedTime, ...]) -> Stop:
    """The stop open as long as published, if it may be so."""
    open_s = _may_stay_open(stop, published)
    return stop if open_s is None else replace(stop, service_s=open_s, service_most_s=None)


def _may_stay_open(stop: Stop, published: tuple[PublishedTime, ...]) -> int | None:
    """How long all published visits are open; ``None`` where they differ or the stop forbids it."""
    lengths = {stop.service_s if t.end_s is None else t.end_s - t.start_s for t in published}
    open_s = lengths.pop()
    is_allowed = stop.service_s <= open_s <= stop.service_s + stop.spare_service_s
    return open_s if is_allowed and not lengths else None


def _most_changes(request: PlanRequest, times: _Times) -> dict[StopId, int]:
    """Most changes that freeing a stop can bring: all its times before, or all after."""
    visits = {s.stop_id: visit_range(request, s)[1] for s in request.stops if s.stop_id in times}
    return {stop_id: max(len(found), visits[stop_id]) for stop_id, found in times.items()}


def _cannot_stay(request: PlanRequest, times: _Times, room: int) -> frozenset[StopId]:
    """Stops whose published times no longer hold by themselves, as many as there is room for."""
    if room <= 0:
        return frozenset()
    compiled = compile_request(_pinned(request, times, frozenset()))
    unable = [
        s
        for k, s in enumerate(request.stops)
        if s.stop_id in times
        and (k in compiled.unserved or _may_stay_open(s, times[s.stop_id]) is None)
    ]
    wanted = sorted(unable, key=lambda s: (not s.mandatory, -s.prize))
    return _filled((s.stop_id for s in wanted), _most_changes(request, times), room)


def _filled(stop_ids: Iterator[StopId], most: Mapping[StopId, int], room: int) -> frozenset[StopId]:
    """The first stops whose changes fit into the room together."""
    chosen = set()
    for stop_id in stop_ids:
        if stop_id not in chosen and most[stop_id] <= room:
            chosen.add(stop_id)
            room -= most[stop_id]
    return frozenset(chosen)


def _to_free(
    request: PlanRequest, times: _Times, best: Plan, room: int, rng: np.random.Generator
) -> frozenset[StopId]:
    """Stops near one that is not served, or of little worth, in drawn proportion.

    Every other time those that have changed already go first.
    """
    visited = {v.stop_id for r in best.runs for v in r.visits}
    left = [s for s in request.stops if s.stop_id not in visited]
    pool = left or list(request.stops)
    worth = np.array([s.prize + 1.0 for s in pool])
    centre = pool[int(rng.choice(len(pool), p=worth / worth.sum()))]
    matrix = request.travel[request.vehicles[0].vehicle_id]

    prizes = {s.stop_id: s.prize for s in request.stops if s.stop_id in times}
    legs = {t: matrix.seconds(str(centre.stop_id), str(t)) for t in times}
    longest = 1.0 + max(legs.values(), default=0)
    highest = 1.0 + max(prizes.values(), default=0.0)
    closeness = float(rng.random())

    def order(stop_id: StopId) -> float:
        far = 1.0 if legs[stop_id] == UNREACHABLE else legs[stop_id] / longest
        score = closeness * far + (1 - closeness) * prizes[stop_id] / highest
        return score * float(rng.uniform(0.8, 1.25))

    near = sorted(times, key=order)
    changed = []
    if rng.random() < 0.5:
        now: dict[StopId, set[tuple[int, int, int]]] = defaultdict(set)
        for run in best.runs:
            for visit in run.visits:
                now[visit.stop_id].add((run.day, visit.start_s, visit.end_s))
        changed = [s for s in times if {(t.day, t.start_s, t.end_s) for t in times[s]} != now[s]]
    return _filled(iter([*changed, *near]), _most_changes(request, times), room)


def _rank(request: PlanRequest, plan: Plan) -> tuple[int, float, int]:
    """Broken rules of the whole request, prize, driving: smaller is better."""
    summary = summarise(request, plan)
    return len(check(request, plan)), -summary.prize_collected, summary.drive_s


def _slice(params: SolveParams, turn: int) -> SolveParams:
    share = FIRST_RATIO if turn == 0 else (1 - FIRST_RATIO) / (TURNS - 1)
    work = None if params.work_limit is None else max(1, round(params.work_limit * share))
    return replace(
        params,
        seed=params.seed + turn,
        # Nights away are decided in the first turn; the others free stops, not nights.
        tour_ratio=params.tour_ratio if turn == 0 else 0.0,
        time_limit_s=params.time_limit_s * share,
        work_limit=work,
    )


def _part(
    progress: Callable[[Progress], None], turn: int, began: float
) -> Callable[[Progress], None]:
    """Tell a turn's progress as that of the whole."""
    share = FIRST_RATIO if turn == 0 else (1 - FIRST_RATIO) / (TURNS - 1)
    done = 0.0 if turn == 0 else FIRST_RATIO + (turn - 1) * share

    def tell(state: Progress) -> None:
        progress(
            replace(
                state,
                fraction=done + share * state.fraction,
                elapsed_s=time.perf_counter() - began,
            )
        )

    return tell


def _signed(request: PlanRequest, plan: Plan, params: SolveParams, seconds: float) -> Plan:
    """The plan with the whole search in its provenance."""
    if plan.provenance is None or request.change_cap is None:
        return plan
    told = dict(plan.provenance.parameters) | params.to_mapping()
    told["max_changes"] = request.change_cap.max_changes
    provenance = replace(
        plan.provenance,
        problem_hash=problem_hash(compile_request(request)),
        seed=params.seed,
        parameters=told,
        solve_seconds=seconds,
    )
    return replace(plan, provenance=provenance)
