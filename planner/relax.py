"""Why a stop is not served, and the least change that would serve it, proved by a plan.

Changes are tried in order of effort, from none over the stop's own wishes to further vehicles. A
change is proved by a plan that the checker has passed on the changed request: the stop put into
the plan as it stands, or else a new search from that plan in which no served stop is lost.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from data.model.calendar import HOUR_S, MINUTE_S
from data.model.errors import RequestError
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest, Unserved
from data.model.recurrence import Recurrence
from planner.alone import impossible_stops, longest_work_s
from planner.edit import Remove, apply
from planner.explain import NO_CAPACITY, unserved_reasons
from planner.insert import best_places, with_stop
from planner.params import SolveParams
from planner.relax_crew import of_services, of_specialists
from planner.score import check
from planner.solve import solve

LONGER_S = (HOUR_S // 2, HOUR_S)
"""By how much a shift is made longer, seconds."""
_SERVICE_SHARES = (0.75, 0.5)
_MOST_DROPPED = 60
_SEARCH_RATIO = 0.8
"""Share of the time limit that is searched; the rest is for what a search began before its end."""
_LEAST_SOLVE_S = 0.5
_MOST_SOLVE_S = 3.0
_DROP_WEIGHT = 2.0
_DROP = "relax.drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the request, with the plan that proves that it serves the stop.

    ``code`` and ``facts`` name the change. ``proof`` is ``"place"`` where the stop goes into the
    plan as it stands, ``"solve"`` where others move, empty where nothing was proved. Differences
    are those of the proving plan to the plan asked about, per cycle.
    """

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    proof: str = ""
    plan: Plan | None = None
    """``None`` without a proof."""
    request: PlanRequest | None = None
    """The changed request that ``plan`` answers."""
    delta_drive_m: int = 0
    delta_work_s: int = 0
    days: tuple[int, ...] = ()
    """Cycle days on which the stop is then visited."""

    @property
    def is_proved(self) -> bool:
        return bool(self.proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a stop is not served, and what would serve it, least effort first."""

    stop: Stop
    reason: Unserved
    changes: tuple[Change, ...]
    """Proved ones, and those of less effort that could not be proved in the time."""

    @property
    def cheapest(self) -> Change | None:
        """The proved change of least effort, ``None`` if none was proved."""
        return next((c for c in self.changes if c.is_proved), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A changed request, its stop, and the plan that it starts from."""

    code: str
    facts: Mapping[str, Any]
    request: PlanRequest
    plan: Plan
    stop: Stop


def explain(
    request: PlanRequest,
    plan: Plan,
    stop: Stop,
    *,
    time_limit_s: float = 10.0,
    seed: int = 1,
    should_stop: Callable[[], bool] | None = None,
) -> Explanation:
    """Why a stop of the request is not served by a plan, and which changes would serve it.

    The order of effort is: none, the stop's weekdays, windows, one weekday for all visits, gaps,
    service time, visits a cycle, visits with specialists; their hours and days, the stop without
    them; then a vehicle's stops a run, a longer shift, abilities; another
    stop left out; one more vehicle-day; one more vehicle. Of every kind the first that works is
    told, of single stops left out the one with the least prize.

    Raises
    ------
    RequestError
        ``edit.already_served``, ``edit.no_travel``.
    """
    ends_s = time.perf_counter() + _SEARCH_RATIO * time_limit_s
    request, plan = with_stop(request, plan, stop)
    changes: dict[str, Change] = {}
    open_trials: dict[str, _Trial] = {}
    for trial in _trials(request, plan, stop):
        if trial.code in changes:
            continue
        # The plain question is always asked: it refuses what cannot be answered at all.
        if trial.code != "relax.none" and time.perf_counter() >= ends_s:
            open_trials.setdefault(trial.code, trial)
            continue
        found = _by_place(trial, plan)
        if found is None:
            open_trials.setdefault(trial.code, trial)
        else:
            changes[trial.code] = found
            open_trials.pop(trial.code, None)
        if "relax.none" in changes:
            break
    order = [*dict.fromkeys((*open_trials, *changes))]
    order.sort(key=_EFFORT.index)
    proved_at = next((k for k, code in enumerate(order) if code in changes), len(order))
    cheaper = [open_trials[c] for c in order[:proved_at]]
    cheaper = [t for t in cheaper if not _is_impossible(t)]
    # Letting the search choose what to leave out is the surest proof: time is kept for it.
    weights = [_DROP_WEIGHT if t.code == _DROP else 1.0 for t in cheaper]
    for number, trial in enumerate(cheaper):
        left_s = ends_s - time.perf_counter()
        share_s = min(_MOST_SOLVE_S, left_s * weights[number] / sum(weights[number:]))
        params = SolveParams(seed=seed, time_limit_s=max(share_s, _LEAST_SOLVE_S), rounds=1)
        solved = None
        if left_s >= _LEAST_SOLVE_S and not (should_stop is not None and should_stop()):
            solved = _by_solve(trial, plan, params, should_stop)
        changes[trial.code] = solved or Change(code=trial.code, facts=trial.facts)
        if solved is not None:
            break
    return Explanation(
        stop=stop,
        reason=_reason(request, plan, stop),
        changes=tuple(changes[c] for c in order if c in changes),
    )


def _reason(request: PlanRequest, plan: Plan, stop: Stop) -> Unserved:
    """The reason as it follows from the request and the plan, without the other unserved stops."""
    small = _without_unserved(request, plan, stop)
    found = {u.stop_id: u for u in unserved_reasons(small, plan)}
    return found.get(
        stop.stop_id,
        Unserved(stop_id=stop.stop_id, reason=NO_CAPACITY, facts={"stop": stop.name}),
    )


def _without_unserved(request: PlanRequest, plan: Plan, stop: Stop) -> PlanRequest:
    kept = {v.stop_id for r in plan.runs for v in r.visits} | {stop.stop_id}
    return replace(request, stops=tuple(s for s in request.stops if s.stop_id in kept))


def _is_impossible(trial: _Trial) -> bool:
    """Whether the stop cannot be served on the changed request even alone."""
    alone = replace(trial.request, stops=(trial.stop,))
    return bool(impossible_stops(alone))


def _by_place(trial: _Trial, before: Plan) -> Change | None:
    """The change with the plan into which the stop is put, ``None`` if it fits nowhere."""
    places = best_places(trial.request, trial.plan, trial.stop, most=1)
    if not places:
        return None
    return _proved(trial, before, places[0].judgement.plan, "place")


def _by_solve(
    trial: _Trial, before: Plan, params: SolveParams, should_stop: Callable[[], bool] | None
) -> Change | None:
    """The change with a plan that serves the stop and all that were served, if one is found.

    Where stops may be dropped the search chooses them: those of least prize in all.
    """
    may_drop = trial.code == _DROP
    start = before if may_drop else trial.plan
    served = _without_unserved(trial.request, start, trial.stop)
    stops = tuple(
        replace(s, mandatory=s.mandatory or not may_drop or s.stop_id == trial.stop.stop_id)
        for s in served.stops
    )
    must = replace(served, stops=stops)
    try:
        found = solve(must, replace(params, tour_ratio=0.0), start=start, should_stop=should_stop)
    except RequestError:
        # A point without travel or no working day: nothing is proved.
        return None
    others = tuple(u for u in start.unserved if u.stop_id != trial.stop.stop_id)
    whole = replace(found, unserved=(*others, *found.unserved))
    is_less = found.unserved and not may_drop
    if is_less or not whole.days_of(trial.stop.stop_id) or check(trial.request, whole):
        return None
    if may_drop:
        gone = {u.stop_id for u in found.unserved}
        trial = replace(trial, facts=_drop_facts([s for s in stops if s.stop_id in gone]))
    return _proved(trial, before, whole, "solve")


def _drop_facts(stops: list[Stop]) -> Mapping[str, Any]:
    """Names, ids and people of stops that are left out instead."""
    return {
        "other": ", ".join(s.name for s in stops),
        "other_id": ", ".join(s.stop_id for s in stops),
        "people": sum(s.people or 0 for s in stops),
    }


def _proved(trial: _Trial, before: Plan, after: Plan, proof: str) -> Change:
    days = after.days_of(trial.stop.stop_id)
    run = next(r for r in after.runs for v in r.visits if v.stop_id == trial.stop.stop_id)
    vehicle = next(v for v in trial.request.vehicles if v.vehicle_id == run.vehicle_id)
    placed = {"on": trial.request.cycle.date_of(days[0]).isoformat(), "by": vehicle.name}
    return Change(
        code=trial.code,
        facts=placed | dict(trial.facts),
        proof=proof,
        plan=after,
        request=trial.request,
        delta_drive_m=sum(r.drive_m for r in after.runs) - sum(r.drive_m for r in before.runs),
        delta_work_s=sum(r.work_s for r in after.runs) - sum(r.work_s for r in before.runs),
        days=days,
    )


_EFFORT = (
    "relax.none",
    "relax.weekdays",
    "relax.phase",
    "relax.windows",
    "relax.same_weekday",
    "relax.gaps",
    "relax.service",
    "relax.visits",
    "relax.services_visits",
    "relax.specialist_hours",
    "relax.specialist_vehicle",
    "relax.specialist_day",
    "relax.services",
    "relax.stops_per_run",
    "relax.shift",
    "relax.ability",
    "relax.drop",
    "relax.day",
    "relax.vehicle",
)


def _trials(request: PlanRequest, plan: Plan, stop: Stop) -> Iterator[_Trial]:
    """The changes in order of effort; of one code the easier first."""
    for code, facts, changed in _of_stop(stop):
        wider, listed = with_stop(request, plan, changed)
        yield _Trial(code=code, facts=facts, request=wider, plan=listed, stop=changed)
    for code, facts, wider in of_specialists(request, plan, stop):
        yield _Trial(code=code, facts=facts, request=wider, plan=plan, stop=stop)
    for code, facts, wider in _of_fleet(request, stop):
        yield _Trial(code=code, facts=facts, request=wider, plan=plan, stop=stop)
    for other in _dropped(request, plan, stop):
        without = apply(request, plan, Remove(stop_id=other.stop_id))
        facts = _drop_facts([other])
        yield _Trial(code=_DROP, facts=facts, request=request, plan=without, stop=stop)
    for code, facts, wider in _of_days(request):
        yield _Trial(code=code, facts=facts, request=wider, plan=plan, stop=stop)


def _of_stop(stop: Stop) -> Iterator[tuple[str, Mapping[str, Any], Stop]]:
    yield "relax.none", {}, stop
    if stop.weekdays:
        yield "relax.weekdays", {}, replace(stop, weekdays=frozenset())
    if stop.windows:
        yield "relax.windows", {}, replace(stop, windows=())
    if stop.recurrence is not None:
        yield from _of_rule(stop, stop.recurrence)
    # A rule says itself how often and on what weekday.
    visits = stop.visits_per_cycle if stop.recurrence is None else 1
    if visits > 1 and stop.same_weekday:
        yield "relax.same_weekday", {}, replace(stop, same_weekday=False)
    if visits > 1:
        yield "relax.gaps", {}, replace(stop, min_gap_days=1, max_gap_days=None)
    for share in _SERVICE_SHARES:
        shorter_s = int(stop.service_s * share) // 300 * 300
        if 0 < shorter_s < stop.service_s:
            facts = {"minutes": shorter_s // MINUTE_S, "before": stop.service_s // MINUTE_S}
            yield "relax.service", facts, replace(stop, service_s=shorter_s)
    for fewer in range(visits - 1, 0, -1):
        facts = {"visits": fewer, "before": visits}
        less = replace(stop, visits_per_cycle=fewer, max_gap_days=None)
        yield "relax.visits", facts, less
    yield from of_services(stop)


def _of_rule(stop: Stop, recurrence: Recurrence) -> Iterator[tuple[str, Mapping[str, Any], Stop]]:
    """The same rule begun in any week or month, then with any gaps."""
    rule = recurrence.parsed
    if recurrence.start_date is not None and (rule is None or rule.count is None):
        free = replace(recurrence, start_date=None)
        yield "relax.phase", {}, replace(stop, recurrence=free)
    if stop.min_gap_days > 1 or stop.max_gap_days is not None:
        yield "relax.gaps", {}, replace(stop, min_gap_days=1, max_gap_days=None)


def _of_fleet(
    request: PlanRequest, stop: Stop
) -> Iterator[tuple[str, Mapping[str, Any], PlanRequest]]:
    able = [v for v in request.vehicles if stop.needs <= v.abilities]
    for vehicle in able:
        limit = vehicle.max_stops_per_run
        if limit is not None:
            facts = {"vehicle": vehicle.name, "limit": limit + 1}
            more = replace(vehicle, max_stops_per_run=limit + 1)
            yield "relax.stops_per_run", facts, _with_vehicle(request, more)
    for longer_s in LONGER_S:
        for vehicle in able:
            facts = {"vehicle": vehicle.name, "minutes": longer_s // MINUTE_S}
            yield "relax.shift", facts, _with_longer_shift(request, vehicle, longer_s)
    for vehicle in sorted(request.vehicles, key=lambda v: len(stop.needs - v.abilities)):
        missing = stop.needs - vehicle.abilities
        if missing:
            facts = {"vehicle": vehicle.name, "missing": ", ".join(sorted(missing))}
            better = replace(vehicle, abilities=vehicle.abilities | missing)
            yield "relax.ability", facts, _with_vehicle(request, better)


def _with_vehicle(request: PlanRequest, vehicle: Vehicle) -> PlanRequest:
    changed = [vehicle if v.vehicle_id == vehicle.vehicle_id else v for v in request.vehicles]
    return replace(request, vehicles=tuple(changed))


def _with_longer_shift(request: PlanRequest, vehicle: Vehicle, longer_s: int) -> PlanRequest:
    """A later end of duty, and longer limits of the shift and of the week's work."""
    rules = request.crew_rules.get(vehicle.vehicle_id, CrewRules())
    shift_s, week_s = rules.shift_max_s, rules.week_work_max_s
    rules = replace(
        rules,
        shift_max_s=None if shift_s is None else shift_s + longer_s,
        week_work_max_s=None if week_s is None else week_s + longer_s,
    )
    wider = _with_vehicle(request, replace(vehicle, duty_end_s=vehicle.duty_end_s + longer_s))
    return replace(wider, crew_rules={**request.crew_rules, vehicle.vehicle_id: rules})


def _dropped(request: PlanRequest, plan: Plan, stop: Stop) -> list[Stop]:
    """Served optional stops worth less than the stop, the least first."""
    visited = {v.stop_id for r in plan.runs for v in r.visits}
    less = [
        s
        for s in request.stops
        if s.stop_id in visited and not s.mandatory and (stop.mandatory or s.prize < stop.prize)
    ]
    return sorted(less, key=lambda s: (s.prize, s.stop_id))[:_MOST_DROPPED]


def _of_days(request: PlanRequest) -> Iterator[tuple[str, Mapping[str, Any], PlanRequest]]:
    """One more date for a vehicle, then one more vehicle."""
    cycle, calendar = request.cycle, request.calendar
    dates = [cycle.date_of(d) for d in range(cycle.num_days)]
    for on in sorted(dates, key=lambda d: (not calendar.is_working(d), d.weekday(), d)):
        for vehicle in request.vehicles:
            is_closed = on in calendar.closed_dates or on in vehicle.off_dates
            if not is_closed and not request.may_run_on(vehicle, on):
                facts = {"vehicle": vehicle.name, "date": on.isoformat()}
                yield "relax.day", facts, _with_date(request, vehicle, on)
    for vehicle in request.vehicles:
        twin_id = VehicleId(f"{vehicle.vehicle_id}+1")
        twin = replace(vehicle, vehicle_id=twin_id, name=f"{vehicle.name} +1")
        wider = replace(
            request,
            vehicles=(*request.vehicles, twin),
            travel={**request.travel, twin_id: request.travel[vehicle.vehicle_id]},
            crew_rules={
                **request.crew_rules,
                twin_id: request.crew_rules.get(vehicle.vehicle_id, CrewRules()),
            },
        )
        yield "relax.vehicle", {"vehicle": vehicle.name}, wider


def _with_date(request: PlanRequest, vehicle: Vehicle, on: date) -> PlanRequest:
    """The vehicle works on one more date, and no other vehicle and no other date changes.

    The limit of a week's work makes room for one more shift: other people may work it.
    """
    dates = [request.cycle.date_of(d) for d in range(request.cycle.num_days)]
    calendar = request.calendar
    if not calendar.is_working(on):
        calendar = replace(calendar, extra_dates={**calendar.extra_dates, on: ""})
    wider = replace(request, calendar=calendar)
    weekdays = vehicle.weekdays | {on.weekday()} if vehicle.weekdays else frozenset[int]()
    vehicles = []
    for one in request.vehicles:
        changed = replace(one, weekdays=weekdays) if one.vehicle_id == vehicle.vehicle_id else one
        won = {
            d for d in dates if wider.may_run_on(changed, d) and not request.may_run_on(one, d)
        } - ({on} if one.vehicle_id == vehicle.vehicle_id else set())
        vehicles.append(replace(changed, off_dates=changed.off_dates | won))
    rules = request.crew_rules.get(vehicle.vehicle_id, CrewRules())
    if rules.week_work_max_s is not None:
        week_s = rules.week_work_max_s + longest_work_s(vehicle, rules)
        rules = replace(rules, week_work_max_s=week_s)
    crews = {**request.crew_rules, vehicle.vehicle_id: rules}
    return replace(wider, vehicles=tuple(vehicles), crew_rules=crews)
