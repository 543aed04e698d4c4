"""Plan a region: needs, stops, travel, solver, checker."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from api.progress import Ticker
from api.services.access import access_of
from api.services.dwelling import with_open_times
from api.services.fixing import NO_WISHES, Wishes, with_pins
from api.services.learning import NO_GUIDANCE, Guidance, guided, kept_by
from api.services.needs import NeedAudit
from api.services.plan_frame import fleet_of
from api.services.telling import Limits, tell_progress
from data.model.errors import RequestError
from data.model.fleet import Vehicle, VehicleId
from data.model.nights import depots_for
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest, Violation
from data.model.region import Region
from data.model.travel import TravelMatrix
from maps.roads import NO_CLOSURES, Closures, RoadPoint, Roads, profile_of
from planner.alone import impossible_stops
from planner.bound import prize_bound, travel_bound
from planner.candidates import (
    build_request,
    candidate_stops,
    check_recurrences,
    dated_stops,
    frame_request,
    scaled_stops,
)
from planner.capped import solve_capped
from planner.explain import unserved_reasons
from planner.learn.keeping import Kept
from planner.params import SolveParams
from planner.rhythm import NO_DATE
from planner.score import PlanSummary, check, summarise
from planner.skeleton import brought_to
from planner.solve import Progress, solve
from planner.warm_up import warm_up


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """A plan that the checker has passed, or the rules that it breaks."""

    request: PlanRequest
    plan: Plan
    summary: PlanSummary
    violations: tuple[Violation, ...]
    off_road: tuple[Stop, ...]
    """Stops that no road reaches; the plan cannot serve them."""
    borrowed: int
    """Vehicles beyond the region's own, copied from them for a what-if."""
    kept: tuple[Kept, ...] = ()
    """How surely each arrival is kept, where times were learned."""
    drive_bound_s: int | None = None
    """Driving that no plan can do without; only where every stop must be served."""


def plan_region(
    region: Region,
    audit: NeedAudit,
    roads: Roads,
    *,
    start_date: date,
    weeks: int,
    until_date: date | None = None,
    num_vehicles: int | None,
    params: SolveParams,
    tick: Ticker,
    closures: Closures = NO_CLOSURES,
    wishes: Wishes = NO_WISHES,
    guidance: Guidance = NO_GUIDANCE,
) -> PlanResult:
    """Choose the stops, measure the ways, solve, and have the checker judge the outcome.

    What the ``wishes`` fix is kept, and the search goes on from their earlier plan, if any.
    Stops of the region's own table are scaled to the cycle; where there are none they follow
    from need. With ``until_date`` the horizon is dated, and ``weeks`` say nothing. With
    ``guidance`` times and worth are those learned from recorded days.
    A plan that breaks a rule comes back with its violations and is not to be published.
    """
    ready = prepared(
        region,
        audit,
        roads,
        start_date=start_date,
        weeks=weeks,
        until_date=until_date,
        num_vehicles=num_vehicles,
        tick=tick,
        closures=closures,
        wishes=wishes,
        guidance=guidance,
    )
    request = ready.request
    tick.phase("phase.compile")
    warm_up()
    tick.phase("phase.solve")
    start = None if wishes.earlier is None else _started(request, *wishes.earlier)
    plan = finished(request, solved(request, start, params, tick))
    tick.phase("phase.check")
    is_all_due = all(s.mandatory for s in request.stops)
    return PlanResult(
        request=request,
        plan=plan,
        summary=summarise(request, plan),
        violations=check(request, plan),
        off_road=ready.off_road,
        borrowed=ready.borrowed,
        kept=kept_by(request, plan, guidance),
        drive_bound_s=travel_bound(request) if is_all_due else None,
    )


def _started(request: PlanRequest, earlier: PlanRequest, plan: Plan) -> Plan:
    """The earlier plan on the days of the request."""
    return brought_to(request, earlier.cycle, plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is to be planned, before any search; fields as those of ``PlanResult``."""

    request: PlanRequest
    off_road: tuple[Stop, ...]
    borrowed: int


def prepared(
    region: Region,
    audit: NeedAudit,
    roads: Roads,
    *,
    start_date: date,
    weeks: int,
    until_date: date | None = None,
    num_vehicles: int | None,
    tick: Ticker,
    closures: Closures = NO_CLOSURES,
    wishes: Wishes = NO_WISHES,
    guidance: Guidance = NO_GUIDANCE,
) -> Prepared:
    """The request of a region: its stops, the ways between them, its vehicles and wishes.

    Raises
    ------
    RequestError
        ``request.no_stop``, ``request.mandatory_impossible`` and as ``build_request``.
    """
    vehicles, borrowed = fleet_of(region, num_vehicles)
    stops = stops_of(region, audit, weeks, is_dated=until_date is not None)
    stops = with_open_times(stops, wishes.dwell)
    # What names nothing is refused before the long work.
    horizon: dict[str, Any] = {
        "start_date": start_date,
        "weeks": weeks,
        "until_date": until_date,
        "vehicles": vehicles,
    }
    frame = frame_request(region, **horizon)
    check_recurrences(frame, stops)
    with_pins(replace(frame, stops=stops), wishes)
    travel, off_road = measure(region, stops, vehicles, roads, tick, closures)
    request = build_request(region, stops, travel, **horizon)
    request = replace(request, access=access_of(region, audit, stops, roads, tick))
    if guidance.learned is not None:
        tick.phase("phase.learned")
    request = guided(request, guidance)
    _refuse_doomed(request)
    return Prepared(request=with_pins(request, wishes), off_road=off_road, borrowed=borrowed)


def stops_of(
    region: Region, audit: NeedAudit, weeks: int, *, is_dated: bool = False
) -> tuple[Stop, ...]:
    """The region's own stops for the horizon, else those that follow from need.

    Their visits are scaled to a cycle of so many weeks; for a dated horizon they get rules.

    Raises
    ------
    RequestError
        ``request.no_stop``.
    """
    usual = region.standard.cycle_weeks
    if is_dated:
        own = region.stops or candidate_stops(region, audit.needs, cycle_weeks=usual)
        stops = dated_stops(own, from_weeks=usual)
    else:
        stops = scaled_stops(region.stops, from_weeks=usual, to_weeks=weeks)
        stops = stops or candidate_stops(region, audit.needs, cycle_weeks=weeks)
    if not stops:
        raise RequestError("request.no_stop")
    return tuple(stops)


def finished(request: PlanRequest, plan: Plan) -> Plan:
    """A found plan with the reasons of what it leaves out and a bound on what any could reach."""
    plan = replace(plan, unserved=unserved_reasons(request, plan))
    if plan.provenance is not None:
        bound, kind = prize_bound(request)
        plan = replace(plan, provenance=replace(plan.provenance, bound=bound, bound_kind=kind))
    return plan


def _refuse_doomed(request: PlanRequest) -> None:
    """Refuse mandatory stops that no plan can serve, each with its reason."""
    impossible = impossible_stops(request)
    doomed = [
        impossible[s.stop_id]
        for s in request.stops
        if s.mandatory and s.stop_id in impossible and impossible[s.stop_id].reason != NO_DATE
    ]
    if doomed:
        raise RequestError(
            "request.mandatory_impossible",
            n=len(doomed),
            problems=tuple(Violation(code=f"{u.reason}.detail", facts=u.facts) for u in doomed),
        )


def measure(
    region: Region,
    stops: Sequence[Stop],
    vehicles: Sequence[Vehicle],
    roads: Roads,
    tick: Ticker,
    closures: Closures = NO_CLOSURES,
) -> tuple[dict[VehicleId, TravelMatrix], tuple[Stop, ...]]:
    """Travel between all depots and stops for each vehicle, vehicles of one size sharing."""
    tick.phase("phase.matrix")
    depots = depots_for(region.depots, vehicles)
    points = [RoadPoint(point_id=str(d.depot_id), lon=d.lon, lat=d.lat) for d in depots]
    points += [RoadPoint(point_id=str(s.stop_id), lon=s.lon, lat=s.lat) for s in stops]
    travel: dict[VehicleId, TravelMatrix] = {}
    by_profile: dict[tuple[tuple[str, object], ...], TravelMatrix] = {}
    off_road: tuple[Stop, ...] = ()
    for vehicle in vehicles:
        profile = tuple(sorted(profile_of(vehicle).items()))
        if profile not in by_profile:
            snaps = roads.snap([p.position for p in points], vehicle)
            for depot, snap in zip(depots, snaps, strict=False):
                if snap.problem is not None:
                    raise RequestError(
                        f"request.depot_{snap.problem}", depot=depot.name, depot_id=depot.depot_id
                    )
            met = zip(stops, snaps[len(depots) :], strict=True)
            off_road = off_road or tuple(stop for stop, snap in met if not snap.is_usable)
            by_profile[profile] = roads.matrix(points, vehicle, tick.fraction, closures)
        travel[vehicle.vehicle_id] = by_profile[profile]
    return travel, off_road


def solved(request: PlanRequest, start: Plan | None, params: SolveParams, tick: Ticker) -> Plan:
    """The plan found from an earlier one, within the request's cap on changes if it has one."""
    limits = Limits.of(request)

    def tell(progress: Progress) -> None:
        tell_progress(progress, limits, request.prize_by, tick)

    if request.change_cap is not None and start is not None:
        return solve_capped(
            request, params, start=start, progress=tell, should_stop=tick.should_stop
        )
    return solve(request, params, start=start, progress=tell, should_stop=tick.should_stop)
