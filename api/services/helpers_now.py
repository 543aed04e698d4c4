"""Where vehicles are at a moment of their day, for the planner: measured, else as promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from api.services.promised_days import PromisedDay
from data.db import live_store
from data.model.calendar import DAY_S, MINUTE_S
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.geo import distance_m
from data.model.live import ActualState, Phase, VehicleNow
from data.model.place import Depot, DepotId
from data.model.plan import Plan, PlanRequest, Run
from data.model.publication import PromisedVisit
from data.model.timetable import run_dates
from data.model.travel import UNREACHABLE, TravelMatrix
from planner.rescue_request import Due, Helper, WeekUse, earliest_of

FRESH = timedelta(minutes=15)
"""An older position tells no more where a vehicle is."""
_DETOUR, _CROW_MPS = 1.35, 45 / 3.6
_NEAR = 3
_SLACK_S = 5 * MINUTE_S
_UNDER_WAY = frozenset({Phase.DRIVING, Phase.WAITING, Phase.STANDING})
_HELD = frozenset({ActualState.KEPT, ActualState.EARLY, ActualState.LATE, ActualState.STANDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The instant of which is asked, by the region's clocks."""

    on: date
    now_s: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where a vehicle is and from when on it is free; ``place_id`` where it is at a known place."""

    lon: float
    lat: float
    free_at_s: int
    place_id: str | None
    is_out: bool
    is_measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDay:
    """What is known of a vehicle's day beyond the promise."""

    now: VehicleNow | None = None
    states: Mapping[str, ActualState] | None = None
    """What became of visits so far, by id."""


def live_day(session: Session, region_id: str, vehicle_id: VehicleId, moment: Moment) -> LiveDay:
    """The live state of a vehicle, if it is of now."""
    now = live_store.vehicle_now(session, region_id, vehicle_id)
    is_fresh = (
        now is not None
        and now.service_date == moment.on
        and now.fix is not None
        and moment.at - now.fix.fix_at <= FRESH
    )
    actuals = live_store.load_actuals(
        session,
        region_id,
        from_date=moment.on,
        until_date=moment.on,
        vehicle_id=vehicle_id,
    )
    states = {str(a.visit_id): a.state for a in actuals if a.visit_id is not None}
    return LiveDay(now=now if is_fresh else None, states=states)


def visits_to_come(day: PromisedDay, live: LiveDay, moment: Moment) -> tuple[PromisedVisit, ...]:
    """Promised visits that have not begun; also those that are due and known not to be held.

    Of a vehicle that nobody follows nothing is known: its visits are held as promised.
    """
    states = live.states or {}
    is_known = live.now is not None
    found = []
    for visit in day.visits:
        state = states.get(str(visit.visit_id))
        is_missed_yet = is_known and state is ActualState.TO_COME and visit.end_s > moment.now_s
        if (
            visit.is_coming
            and state not in _HELD
            and (visit.start_s > moment.now_s or is_missed_yet)
        ):
            found.append(visit)
    return tuple(found)


def whereabouts(day: PromisedDay, live: LiveDay, moment: Moment) -> Whereabouts | None:
    """Where a vehicle is; ``None`` where its depot is not known."""
    now_s = moment.now_s
    depots = {str(d.depot_id): d for d in day.request.depots}
    start, end = day.run.start_depot_id, day.run.end_depot_id
    if start is None or end is None or start not in depots or end not in depots:
        return None
    if live.now is not None and live.now.fix is not None and live.now.phase in _UNDER_WAY:
        return _measured(day, live.now, moment)
    run = day.plan_run
    sign_on_s = run.sign_on_s if run else (day.vehicle.duty_start_s if day.vehicle else now_s)
    if not day.run.stops or now_s < (run.depart_s if run else sign_on_s):
        leave_s = max(now_s, run.depart_s if run and now_s >= sign_on_s else now_s)
        return _at_depot(depots[start], leave_s, is_out=bool(run) and now_s >= sign_on_s)
    for stop, visit in zip(day.run.stops, day.visits, strict=True):
        if visit.departure_s > now_s:
            # There, or on the way there; what is under way is not turned round unseen.
            free_s = visit.departure_s if visit.start_s <= now_s else visit.arrival_s
            return Whereabouts(
                lon=stop.lon,
                lat=stop.lat,
                free_at_s=max(now_s, free_s),
                place_id=stop.stop_id,
                is_out=True,
                is_measured=False,
            )
    return _at_depot(depots[end], max(now_s, run.return_s if run else now_s), is_out=True)


def _measured(day: PromisedDay, now: VehicleNow, moment: Moment) -> Whereabouts:
    assert now.fix is not None  # asked before
    place_id = None
    free_s = moment.now_s
    here = now.here_visit_id
    for stop, visit in zip(day.run.stops, day.visits, strict=True):
        if visit.visit_id == here:
            place_id = stop.stop_id
            if now.phase is Phase.STANDING:
                free_s = max(free_s, visit.departure_s)
                if now.departure_at is not None:
                    free_s = max(free_s, round(day.run.clock_s(now.departure_at)))
    return Whereabouts(
        lon=now.fix.lon,
        lat=now.fix.lat,
        free_at_s=free_s,
        place_id=place_id,
        is_out=True,
        is_measured=True,
    )


def _at_depot(depot: Depot, free_at_s: int, *, is_out: bool) -> Whereabouts:
    return Whereabouts(
        lon=depot.lon,
        lat=depot.lat,
        free_at_s=free_at_s,
        place_id=str(depot.depot_id),
        is_out=is_out,
        is_measured=False,
    )


def way_from(
    matrix: TravelMatrix, places: Mapping[str, tuple[float, float]], where: Whereabouts
) -> dict[str, tuple[int, int]]:
    """Seconds and metres from where a vehicle is to each place.

    From a place of the plan they are the plan's own; from elsewhere they lead over one of the
    nearest places, the way there as the crow flies with a usual detour.
    """
    if where.place_id in matrix.index and where.place_id is not None:
        origin = where.place_id
        return {p: (matrix.seconds(origin, p), matrix.metres(origin, p)) for p in matrix.point_ids}
    known = [(p, at) for p, at in places.items() if p in matrix.index]
    away = sorted((distance_m(where.lon, where.lat, *at), p) for p, at in known)[:_NEAR]
    found: dict[str, tuple[int, int]] = {}
    for target in matrix.point_ids:
        ways = []
        for crow_m, via in away:
            seconds = matrix.seconds(via, target)
            if seconds != UNREACHABLE:
                first_m = crow_m * _DETOUR
                ways.append(
                    (
                        round(first_m / _CROW_MPS) + seconds,
                        round(first_m) + matrix.metres(via, target),
                    )
                )
        found[target] = min(ways, default=(UNREACHABLE, UNREACHABLE))
    return found


def helper_of(
    day: PromisedDay,
    live: LiveDay,
    moment: Moment,
    *,
    notice_s: int,
    week: WeekUse | None = None,
) -> Helper | None:
    """A vehicle as it may help from now on; ``None`` where its crew has gone home.

    Parameters
    ----------
    notice_s
        How long it takes until its crew knows.
    week
        What its crew does on the other dates of the week.
    """
    vehicle, run = day.vehicle, day.plan_run
    where = whereabouts(day, live, moment)
    if vehicle is None or where is None or day.run.end_depot_id is None:
        return None
    if run is not None and day.visits and run.sign_off_s <= moment.now_s:
        return None
    coming = visits_to_come(day, live, moment)
    begun = [v for v in day.visits if v not in coming]
    way = way_from(_matrix(day.request, vehicle), places_of(day.request), where)
    free_at_s = max(where.free_at_s, moment.now_s)
    if where.is_out:
        # Until its crew knows, it goes on to its own next stop: only other ways begin later.
        following = str(coming[0].stop_id) if coming else None
        way = {p: (s + (notice_s if p != following else 0), m) for p, (s, m) in way.items()}
        way |= _forecast_way(day, live, moment, way, free_at_s)
    else:
        free_at_s = max(free_at_s + notice_s, vehicle.duty_start_s)
    last_off_s = max(vehicle.duty_end_s, run.sign_off_s if run else 0)
    return Helper(
        vehicle=replace(vehicle, duty_end_s=last_off_s),
        lon=where.lon,
        lat=where.lat,
        free_at_s=free_at_s,
        way=way,
        end_depot_id=DepotId(day.run.end_depot_id),
        is_out=where.is_out,
        driven_s=_driven_s(run, moment.now_s),
        worked_s=_worked_s(run, free_at_s, moment.now_s) if run and where.is_out else 0,
        has_eaten=run is not None and run.meal is not None and run.meal.start_s <= moment.now_s,
        num_done=len(begun),
        latest_off_s=_rested_off_s(day.request, day.plan, vehicle, moment.on),
        own=_own(day, live, moment, coming),
        week=week or WeekUse(),
    )


def _own(
    day: PromisedDay, live: LiveDay, moment: Moment, coming: Sequence[PromisedVisit]
) -> tuple[Due, ...]:
    """Its own visits, with the delay that they will have anyway; the next may be off a little."""
    late_s = _expected_delay_s(live)
    slack_s = _SLACK_S if live.now is not None else 0
    return tuple(
        due_of(day.request, v, moment, late_s=max(late_s, 0 if number else slack_s))
        for number, v in enumerate(coming)
    )


def _forecast_way(
    day: PromisedDay,
    live: LiveDay,
    moment: Moment,
    way: Mapping[str, tuple[int, int]],
    free_at_s: int,
) -> dict[str, tuple[int, int]]:
    """The way to its next stop as the board forecasts it: better than by the crow's flight."""
    now = live.now
    if now is None or now.phase is not Phase.DRIVING or now.next_visit_id is None:
        return {}
    eta = next((e for e in now.etas if e.visit_id == now.next_visit_id), None)
    visit = next((v for v in day.visits if v.visit_id == now.next_visit_id), None)
    if eta is None or visit is None or str(visit.stop_id) not in way:
        return {}
    seconds = max(0, round(day.run.clock_s(eta.arrival_at)) - free_at_s)
    return {str(visit.stop_id): (seconds, way[str(visit.stop_id)][1])}


def due_of(request: PlanRequest, visit: PromisedVisit, moment: Moment, *, late_s: int = 0) -> Due:
    """A promised visit as the planner reads it."""
    stop = next(s for s in request.stops if s.stop_id == visit.stop_id)
    earliest_s = earliest_of(visit.start_s, moment.now_s)
    return Due(
        visit_id=str(visit.visit_id),
        stop=stop,
        start_s=visit.start_s,
        end_s=visit.end_s,
        earliest_s=earliest_s,
        latest_s=max(earliest_s, visit.start_s + late_s),
    )


def places_of(request: PlanRequest) -> dict[str, tuple[float, float]]:
    """Lon and lat of stops and depots by id."""
    stops = {str(s.stop_id): (s.lon, s.lat) for s in request.stops}
    return stops | {str(d.depot_id): (d.lon, d.lat) for d in request.depots}


def _matrix(request: PlanRequest, vehicle: Vehicle) -> TravelMatrix:
    return request.travel.get(vehicle.vehicle_id) or next(iter(request.travel.values()))


def _expected_delay_s(live: LiveDay) -> int:
    """How late its own visits will be anyway, in whole five minutes and five more."""
    if live.now is None or not live.now.delay_s or live.now.delay_s < MINUTE_S:
        return 0
    step = 5 * MINUTE_S
    return (-(-live.now.delay_s // step) + 1) * step


def _driven_s(run: Run | None, now_s: int) -> int:
    """Driving of a run that is over, as planned."""
    if run is None:
        return 0
    driven = sum(v.drive_s for v in run.visits if v.arrival_s <= now_s)
    return driven + (run.return_drive_s if run.return_s <= now_s else 0)


def _worked_s(run: Run, free_at_s: int, now_s: int) -> int:
    """Work of a run so far, as planned; a meal that has been taken is none."""
    meal = run.meal
    is_eaten = meal is not None and meal.start_s <= now_s
    meal_s = max(0, min(meal.end_s, free_at_s) - meal.start_s) if meal and is_eaten else 0
    return max(0, free_at_s - run.sign_on_s - meal_s)


def _rested_off_s(request: PlanRequest, plan: Plan, vehicle: Vehicle, on: date) -> int | None:
    """Latest sign-off that leaves the daily rest before tomorrow's run; ``None``: any."""
    rules = request.crew_rules.get(vehicle.vehicle_id, CrewRules())
    rest_s = rules.daily_rest_s
    tomorrow = on + timedelta(days=1)
    if rest_s is None:
        return None
    for run in plan.runs:
        is_its = run.vehicle_id == vehicle.vehicle_id and run.day % 7 == tomorrow.weekday()
        if is_its and tomorrow in run_dates(request, plan, run, tomorrow):
            return run.sign_on_s + DAY_S - rest_s
    return None


def order_of(vehicles: Sequence[Vehicle], vehicle_id: VehicleId) -> int:
    """Place of a vehicle in its fleet."""
    return next((k for k, v in enumerate(vehicles) if v.vehicle_id == vehicle_id), len(vehicles))
