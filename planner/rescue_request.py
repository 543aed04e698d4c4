"""The small request that the rest of a day is: who is where, what is due, what limits are left."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from data.model.calendar import DAY_S, DAYS_PER_WEEK, MINUTE_S, Cycle, ServiceCalendar, Window
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.pins import ChangeCap, Pins, PublishedTime, VisitPin
from data.model.place import Depot, DepotId, Stop, StopId
from data.model.plan import PlanRequest
from data.model.recurrence import monday_of
from data.model.travel import UNREACHABLE, TravelMatrix

_HERE = "here:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A promised visit that is still to be held; ``latest_s`` is the latest opening."""

    visit_id: str
    stop: Stop
    start_s: int
    end_s: int
    earliest_s: int
    """Not sooner than promised, and not before now."""
    latest_s: int

    @property
    def open_s(self) -> int:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekUse:
    """What a crew drives and works on the other dates of the calendar week, and around it."""

    drive_s: int = 0
    work_s: int = 0
    num_extended: int = 0
    """Dates with more driving than the usual daily limit."""
    near_drive_s: int = 0
    """Driving of the week before or of the week after, whichever is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Helper:
    """A vehicle that may take visits over, as it is now.

    ``way`` gives seconds and metres from where it is to each place.
    """

    vehicle: Vehicle
    lon: float
    lat: float
    free_at_s: int
    """When it can leave: after the visit that goes on, or as soon as the crew knows."""
    way: Mapping[str, tuple[int, int]]
    end_depot_id: DepotId
    is_out: bool
    """Whether its crew is on duty; else it is prepared at its base first."""
    driven_s: int = 0
    worked_s: int = 0
    has_eaten: bool = False
    num_done: int = 0
    latest_off_s: int | None = None
    """Latest sign-off that leaves the rest before tomorrow's run."""
    own: tuple[Due, ...] = ()
    week: WeekUse = field(default_factory=WeekUse)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestOfDay:
    """What is left of a date, and who can do it."""

    request: PlanRequest
    """The plan's own request: stops, travel, crew rules."""
    on: date
    due: tuple[Due, ...]
    helpers: tuple[Helper, ...]
    most_late_s: int = 30 * MINUTE_S
    max_changes: int = 0
    """Promised times of the helpers' own visits that may be moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a visit goes: vehicle and times, seconds from midnight."""

    visit_id: str
    vehicle_id: VehicleId
    position: int
    arrival_s: int
    start_s: int
    end_s: int
    departure_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One small request and what its names stand for."""

    request: PlanRequest
    day: int
    dues: Mapping[str, Due] = field(default_factory=dict)


def problem_of(
    rest: RestOfDay,
    late: Mapping[str, int],
    *,
    kept: Mapping[str, Placed] | None = None,
    is_capped: bool = False,
    is_open: bool = False,
) -> Problem:
    """The small request; ``is_open`` pins nothing, for a plan that is only to be judged."""
    monday = monday_of(rest.on)
    day = (rest.on - monday).days
    pins, stops, published = [], [], []
    dues: dict[str, Due] = {}
    for helper in rest.helpers:
        for own in helper.own:
            dues[own.visit_id] = own
            slack_s = max(0, own.latest_s - own.start_s)
            slack_s = max(slack_s, rest.most_late_s if is_capped or is_open else 0)
            stops.append(_stop(own, slack_s, rest.on, mandatory=True))
            published.append(
                PublishedTime(
                    stop_id=StopId(own.visit_id), day=day, start_s=own.start_s, end_s=own.end_s
                )
            )
            if not is_open:
                pins.append(
                    VisitPin(
                        stop_id=StopId(own.visit_id),
                        day=day,
                        vehicle_id=helper.vehicle.vehicle_id,
                        earliest_s=own.earliest_s,
                        latest_s=None if is_capped else max(own.latest_s, own.earliest_s),
                    )
                )
    for due in rest.due:
        dues[due.visit_id] = due
        place = (kept or {}).get(due.visit_id)
        stops.append(_stop(due, late.get(due.visit_id, 0), rest.on, mandatory=is_open))
        if place is not None and not is_open:
            pins.append(
                VisitPin(
                    stop_id=StopId(due.visit_id),
                    day=day,
                    earliest_s=place.start_s,
                    latest_s=place.start_s,
                )
            )
    vehicles = tuple(_vehicle(h, rest.on) for h in rest.helpers)
    ends = {h.end_depot_id for h in rest.helpers}
    depots = [d for d in rest.request.depots if d.depot_id in ends]
    depots += [Depot(depot_id=_here(h), name="", lon=h.lon, lat=h.lat) for h in rest.helpers]
    cap = ChangeCap(published=tuple(published), max_changes=rest.max_changes)
    request = replace(
        rest.request,
        cycle=Cycle(
            start_date=monday, num_weeks=1, repeats=False, from_date=rest.on, until_date=rest.on
        ),
        calendar=ServiceCalendar(weekdays=frozenset(range(DAYS_PER_WEEK))),
        depots=tuple(depots),
        vehicles=vehicles,
        stops=tuple(stops),
        crew_rules={h.vehicle.vehicle_id: _rules(rest.request, h) for h in rest.helpers},
        travel={h.vehicle.vehicle_id: _travel(rest, h, dues) for h in rest.helpers},
        pins=Pins(visits=tuple(pins)),
        change_cap=cap if is_capped else None,
        specialists=(),
        access=None,
    )
    return Problem(request=request, day=day, dues=dues)


def _stop(due: Due, late_s: int, on: date, *, mandatory: bool) -> Stop:
    """The visit as a stop of its own, open as long as promised, from the promised time on."""
    latest_s = max(due.earliest_s, due.start_s + late_s)
    spans = [(due.earliest_s, latest_s + due.open_s)]
    windows = [w for w in due.stop.windows if w.applies_on(on.weekday())]
    if windows and latest_s > due.start_s:
        spans = [
            (max(first, w.start_s), min(last, w.end_s)) for first, last in spans for w in windows
        ]
        # The promised time itself holds, whatever the stop's hours say.
        spans.append((due.earliest_s, max(due.earliest_s, due.start_s) + due.open_s))
    usable = [(a, b) for a, b in spans if b - a >= due.open_s]
    return replace(
        due.stop,
        stop_id=StopId(due.visit_id),
        service_s=due.open_s,
        service_most_s=None,
        visits_per_cycle=1,
        recurrence=None,
        windows=tuple(Window(start_s=a, end_s=b) for a, b in usable),
        weekdays=frozenset(),
        min_gap_days=1,
        max_gap_days=None,
        services=frozenset(),
        services_visits=None,
        mandatory=mandatory,
        prize=max(1.0, due.stop.prize),
    )


def _here(helper: Helper) -> DepotId:
    return DepotId(f"{_HERE}{helper.vehicle.vehicle_id}")


def last_off_s(helper: Helper) -> int:
    last = helper.vehicle.duty_end_s
    return last if helper.latest_off_s is None else min(last, helper.latest_off_s)


def _vehicle(helper: Helper, on: date) -> Vehicle:
    vehicle, most = helper.vehicle, helper.vehicle.max_stops_per_run
    return replace(
        vehicle,
        depot_id=_here(helper),
        end_depot_id=helper.end_depot_id,
        weekdays=frozenset({on.weekday()}),
        off_dates=frozenset(),
        duty_start_s=helper.free_at_s,
        duty_end_s=last_off_s(helper),
        prep_s=0 if helper.is_out else vehicle.prep_s,
        max_stops_per_run=None if most is None else max(0, most - helper.num_done),
        max_nights_away=0,
    )


def _rules(request: PlanRequest, helper: Helper) -> CrewRules:
    """The crew's rules less what it has driven and worked today and does on other dates."""
    week = helper.week
    rules = request.crew_rules.get(helper.vehicle.vehicle_id, CrewRules())

    def less(limit: int | None, used: int) -> int | None:
        return None if limit is None else max(0, limit - used)

    return replace(
        rules,
        drive_daily_max_s=less(rules.drive_daily_max_s, helper.driven_s),
        drive_extended_max_s=less(rules.drive_extended_max_s, helper.driven_s),
        shift_max_s=less(rules.shift_max_s, helper.worked_s),
        meal_after_s=None if helper.has_eaten else less(rules.meal_after_s, helper.worked_s),
        drive_extended_per_week=less(rules.drive_extended_per_week, week.num_extended),
        drive_week_max_s=less(rules.drive_week_max_s, week.drive_s + helper.driven_s),
        drive_two_week_max_s=less(
            rules.drive_two_week_max_s, week.drive_s + week.near_drive_s + helper.driven_s
        ),
        week_work_max_s=less(rules.week_work_max_s, week.work_s + helper.worked_s),
        daily_rest_s=None,
        rest_shift_ratio=None,
    )


def _travel(rest: RestOfDay, helper: Helper, dues: Mapping[str, Due]) -> TravelMatrix:
    """Travel between the vehicle's place now, the visits and the depots where helpers end."""
    base = rest.request.travel.get(helper.vehicle.vehicle_id)
    base = base or next(iter(rest.request.travel.values()))
    here = [str(_here(h)) for h in rest.helpers]
    ends = list(dict.fromkeys(str(h.end_depot_id) for h in rest.helpers))
    places = {i: str(d.stop.stop_id) for i, d in dues.items()} | {e: e for e in ends}
    names = [*here, *places]
    num, offset = len(names), len(here)
    travel_s = np.full((num, num), UNREACHABLE, np.int32)
    travel_m = np.full((num, num), UNREACHABLE, np.int32)
    rows = np.array([base.index[p] for p in places.values()], np.intp)
    cut = np.ix_(rows, rows)
    travel_s[offset:, offset:] = base.travel_s[cut]
    travel_m[offset:, offset:] = base.travel_m[cut]
    for k, other in enumerate(rest.helpers):
        way = [other.way.get(p, (UNREACHABLE, UNREACHABLE)) for p in places.values()]
        seconds: NDArray[np.int32] = np.array([s for s, _ in way], np.int32)
        metres: NDArray[np.int32] = np.array([m for _, m in way], np.int32)
        travel_s[k, offset:] = travel_s[offset:, k] = seconds
        travel_m[k, offset:] = travel_m[offset:, k] = metres
    np.fill_diagonal(travel_s, 0)
    np.fill_diagonal(travel_m, 0)
    return TravelMatrix(
        point_ids=tuple(names),
        travel_s=travel_s,
        travel_m=travel_m,
        source=base.source,
        is_estimated=base.is_estimated,
    )


def earliest_of(start_s: int, now_s: int) -> int:
    """Earliest opening of a visit promised for a time: then, or now on the next five minutes."""
    step = 5 * MINUTE_S
    return start_s if start_s >= now_s else min(-(-now_s // step) * step, 2 * DAY_S)
