"""Why stops are left out: what can be proved of a stop alone, else the time that is short."""

from dataclasses import replace
from itertools import pairwise

from data.model.calendar import HOUR_S, MINUTE_S
from data.model.fleet import Vehicle
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest, Run, Unserved
from data.model.travel import UNREACHABLE, TravelMatrix
from planner.aboard import why_no_service
from planner.alone import impossible_stops
from planner.insert import best_places
from planner.pinning import PIN_REASONS

NO_CAPACITY = "unserved.no_capacity"
_MOST_TRIED = 40


def unserved_reasons(request: PlanRequest, plan: Plan) -> tuple[Unserved, ...]:
    """A reason for every stop without a visit, in the order of the request.

    A stop that could not be served even alone is told why (``planner.alone``). Any other is told
    ``unserved.no_capacity`` with facts: ``extra_min``, the least vehicle time that its visits would
    add to the runs of this plan as they stand, or as runs of their own; ``people_per_hour``, its
    prize for an hour of that time; and ``weakest_per_hour``, the least prize that an hour spent on
    a served optional stop brings (a dash without one). Nothing is claimed about other plans.

    A stop that would fit into this plan without its services, and does not with them, is told
    ``unserved.service_busy`` (looked for at the first stops that ask for services).

    A stop whose travel is not in the matrices, or that its pins rule out, keeps the reason that the
    plan gives.
    """
    impossible = impossible_stops(request)
    visited = {v.stop_id for r in plan.runs for v in r.visits}
    told = {u.stop_id: u for u in plan.unserved}
    weakest = _weakest_per_hour(request, plan)
    reasons, num_tried = [], 0
    for stop in request.stops:
        if stop.stop_id in visited:
            continue
        reason = impossible.get(stop.stop_id)
        given = told.get(stop.stop_id)
        if reason is None and given is not None and given.reason in PIN_REASONS:
            reason = given
        if reason is None and stop.services and num_tried < _MOST_TRIED:
            num_tried += 1
            reason = _lacks_only_services(request, plan, stop)
        reason = reason or _no_capacity(request, plan, stop, weakest)
        reasons.append(
            reason
            or given
            or Unserved(stop_id=stop.stop_id, reason=NO_CAPACITY, facts={"stop": stop.name})
        )
    return tuple(reasons)


def _lacks_only_services(request: PlanRequest, plan: Plan, stop: Stop) -> Unserved | None:
    """The reason of a stop that a place in the plan waits for, but no free specialist."""
    plain = replace(stop, services=frozenset(), services_visits=None)
    if any(str(stop.stop_id) not in m.index for m in request.travel.values()):
        return None
    if best_places(request, plan, stop, most=1) or not best_places(request, plan, plain, most=1):
        return None
    return why_no_service(request, stop)


def _no_capacity(
    request: PlanRequest, plan: Plan, stop: Stop, weakest: float | None
) -> Unserved | None:
    extra_s = min(
        (
            extra
            for vehicle in request.vehicles
            if stop.needs <= vehicle.abilities
            for extra in [_least_extra_s(request, plan, stop, vehicle)]
            if extra is not None
        ),
        default=None,
    )
    if extra_s is None:
        return None
    cycle_s = extra_s * stop.visits_per_cycle
    facts = {
        "stop": stop.name,
        "extra_min": -(-cycle_s // MINUTE_S),
        "people_per_hour": round(stop.prize * HOUR_S / cycle_s, 1) if cycle_s else "—",
        "weakest_per_hour": "—" if weakest is None else round(weakest, 1),
    }
    return Unserved(stop_id=stop.stop_id, reason=NO_CAPACITY, facts=facts)


def _least_extra_s(request: PlanRequest, plan: Plan, stop: Stop, vehicle: Vehicle) -> int | None:
    """Least time that one visit adds: between two points of a run, or as a run of its own."""
    matrix = request.travel.get(vehicle.vehicle_id)
    point = str(stop.stop_id)
    if matrix is None or point not in matrix.index:
        return None
    ends = (str(vehicle.depot_id), str(vehicle.end_depot_id or vehicle.depot_id))
    alone_s = _way_s(matrix, ends[0], point, ends[1])
    extras = []
    if alone_s is not None:
        extras.append(vehicle.prep_s + alone_s + vehicle.closing_s)
    for run in plan.runs:
        if run.vehicle_id != vehicle.vehicle_id or point in _points(run, vehicle):
            continue
        for origin, target in pairwise(_points(run, vehicle)):
            way_s = _way_s(matrix, origin, point, target)
            if way_s is not None:
                extras.append(way_s - matrix.seconds(origin, target))
    return min(extras) + stop.occupied_s if extras else None


def _points(run: Run, vehicle: Vehicle) -> list[str]:
    start, end = run.ends(vehicle)
    return [str(start), *(str(v.stop_id) for v in run.visits), str(end)]


def _way_s(matrix: TravelMatrix, origin: str, point: str, target: str) -> int | None:
    """Seconds from one point over another to a third; ``None`` where no road leads."""
    legs = matrix.seconds(origin, point), matrix.seconds(point, target)
    return None if UNREACHABLE in legs else sum(legs)


def _weakest_per_hour(request: PlanRequest, plan: Plan) -> float | None:
    """Least prize for an hour of the time that a served optional stop takes in its runs."""
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    taken_s: dict[str, int] = {}
    stops = {str(s.stop_id): s for s in request.stops if not s.mandatory}
    for run in plan.runs:
        vehicle = vehicles[run.vehicle_id]
        points, matrix = _points(run, vehicle), request.travel[run.vehicle_id]
        for before, point, after in zip(points, points[1:], points[2:], strict=False):
            if point in stops:
                way_s = _way_s(matrix, before, point, after) or 0
                direct_s = max(0, matrix.seconds(before, after))
                saved_s = stops[point].occupied_s + max(0, way_s - direct_s)
                taken_s[point] = taken_s.get(point, 0) + saved_s
    rates = [stops[p].prize * HOUR_S / seconds for p, seconds in taken_s.items() if seconds]
    return min(rates, default=None)
