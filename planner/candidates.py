"""From need to a planning request: which stops there could be, by which rules, on which dates."""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from data.model.calendar import DAYS_PER_WEEK, Cycle, Window
from data.model.errors import InputError, RequestError
from data.model.fleet import Vehicle, VehicleId
from data.model.geo import distances_m
from data.model.nights import depots_for
from data.model.norms import Need
from data.model.place import MunicipalityId, Settlement, Stop, StopId
from data.model.plan import PlanRequest
from data.model.recurrence import Frequency, Recurrence
from data.model.region import PopulationBand, Region, ServiceStandard
from data.model.travel import UNREACHABLE, TravelMatrix
from planner.need import LACKING
from planner.rhythm import counted
from planner.rules_in_force import rules_in_force

WALK_DETOUR_RATIO = 1.3
"""Walked metres for one metre of crow flight where no footpaths are known (a design default)."""

_METRES_PER_DEGREE = 111_000.0
_CHUNK = 512


def candidate_stops(
    region: Region,
    needs: Sequence[Need],
    *,
    cycle_weeks: int,
    walk_m: NDArray[np.int32] | None = None,
) -> tuple[Stop, ...]:
    """Stops for the settlements that lack a library, hamlets in walking distance joined.

    Settlements are covered greedily: the stop that serves the most weighted people not yet served
    comes first, ties go to the larger settlement, then to the smaller id. A stop stands in the
    largest of the settlements that it serves. Settlements with no inhabitants get none
    (``without_stop`` names them); one below the standard's least population gets no stop of its
    own but may share one; one of unknown population is treated as inhabited.

    Parameters
    ----------
    cycle_weeks
        Length of the cycle. Where it is not the standard's, the visits of the standard's bands
        are scaled to it, at least one and as many as the greatest gap asks for.
    walk_m
        Shape (num_settlements, num_settlements) in the order of ``region.settlements``: metres on
        foot, ``UNREACHABLE`` where there is no way. Without it, crow flight times
        ``WALK_DETOUR_RATIO``.

    Returns
    -------
    tuple[Stop, ...]
        In order of choice: greatest number of weighted people first.

    Raises
    ------
    InputError
        ``candidates.gap_impossible`` or ``candidates.visits_impossible`` if the visits per cycle
        cannot keep the standard's greatest gap, or do not fit the cycle.
    """
    standard = region.standard
    lacking = {n.settlement_id for n in needs if n.status in LACKING}
    served = [
        i
        for i, s in enumerate(region.settlements)
        if s.settlement_id in lacking and s.population != 0
    ]
    homes = [region.settlements[i] for i in served]
    worth = [weighted_people(s, standard) for s in homes]
    near = (
        _near_by_crow(homes, standard.walk_to_stop_m)
        if walk_m is None
        else _near_on_foot(walk_m[np.ix_(served, served)], standard.walk_to_stop_m)
    )
    communities: dict[MunicipalityId | None, str] = {
        m.municipality_id: m.name for m in region.municipalities
    }
    stops = []
    for group in _cover(homes, worth, near, standard.min_population):
        home = homes[group[0]]
        known = [p for p in (homes[i].population for i in group) if p is not None]
        people = sum(known) if known else None
        service_s, most_s, visits = _service(standard, people, cycle_weeks)
        stops.append(
            Stop(
                stop_id=StopId(f"stop-{home.settlement_id}"),
                name=home.name,
                lon=home.lon,
                lat=home.lat,
                community=communities.get(home.municipality_id, ""),
                settlement_ids=tuple(homes[i].settlement_id for i in group),
                service_s=service_s,
                service_most_s=most_s,
                setup_s=standard.setup_s,
                teardown_s=standard.teardown_s,
                visits_per_cycle=visits,
                windows=(Window(start_s=standard.day_start_s, end_s=standard.day_end_s),),
                same_weekday=standard.same_weekday,
                min_gap_days=max(1, cycle_weeks * DAYS_PER_WEEK // (2 * visits)),
                max_gap_days=standard.max_gap_days,
                people=people,
                prize=math.fsum(worth[i] for i in group),
            )
        )
    return tuple(stops)


def without_stop(
    region: Region, needs: Sequence[Need], stops: Sequence[Stop]
) -> tuple[Settlement, ...]:
    """Settlements that lack a library and that no stop serves: uninhabited or too small."""
    lacking = {n.settlement_id for n in needs if n.status in LACKING}
    lacking -= {i for stop in stops for i in stop.settlement_ids}
    return tuple(s for s in region.settlements if s.settlement_id in lacking)


def weighted_people(settlement: Settlement, standard: ServiceStandard) -> float:
    """Worth of serving a settlement: its people by the standard's weights.

    Children and seniors whose number is not known count as adults; a settlement of unknown
    population is worth ``unknown_population_people``.
    """
    if settlement.population is None:
        return standard.unknown_population_people
    children, seniors = settlement.children or 0, settlement.seniors or 0
    adults = max(0, settlement.population - children - seniors)
    return (
        standard.weight_adult * adults
        + standard.weight_child * children
        + standard.weight_senior * seniors
    )


def _near_by_crow(homes: Sequence[Settlement], limit_m: float) -> list[list[int]]:
    """For each settlement those in walking distance, itself among them."""
    near: list[list[int]] = [[] for _ in homes]
    if not homes:
        return near
    points = np.array([(s.lon, s.lat) for s in homes], dtype=np.float64)
    order = np.argsort(points[:, 1], kind="stable")
    lats = points[order, 1]
    reach_deg = limit_m / WALK_DETOUR_RATIO / _METRES_PER_DEGREE
    for first in range(0, len(order), _CHUNK):
        rows = order[first : first + _CHUNK]
        low = np.searchsorted(lats, points[rows[0], 1] - reach_deg, side="left")
        high = np.searchsorted(lats, points[rows[-1], 1] + reach_deg, side="right")
        columns = order[low:high]
        walked_m = distances_m(points[rows], points[columns]) * WALK_DETOUR_RATIO
        for row, column in zip(*np.nonzero(walked_m <= limit_m), strict=True):
            near[rows[row]].append(int(columns[column]))
    return near


def _near_on_foot(walk_m: NDArray[np.int32], limit_m: float) -> list[list[int]]:
    is_near = (walk_m != UNREACHABLE) & (walk_m <= limit_m)
    np.fill_diagonal(is_near, val=True)
    # People walk from their settlement (row) to the stop (column).
    return [[int(i) for i in np.flatnonzero(is_near[:, site])] for site in range(len(walk_m))]


def _cover(
    homes: Sequence[Settlement],
    worth: Sequence[float],
    near: Sequence[Sequence[int]],
    min_population: int,
) -> list[list[int]]:
    """Groups of settlements that share a stop, the one it stands in first.

    Greedy set cover; gains only shrink, so a stale heap entry is put back with its new gain.
    """

    def size(i: int) -> tuple[float, str]:
        return (-worth[i], homes[i].settlement_id)

    covers = [[j for j in near[i] if size(j) >= size(i)] for i in range(len(homes))]
    is_covered = [False] * len(homes)

    def gain(i: int) -> float:
        return math.fsum(worth[j] for j in covers[i] if not is_covered[j])

    heap = [
        (-gain(i), size(i), i)
        for i, home in enumerate(homes)
        if home.population is None or home.population >= min_population
    ]
    heapq.heapify(heap)
    groups = []
    while heap:
        promised, _, site = heapq.heappop(heap)
        if is_covered[site]:
            continue
        if -promised > gain(site):
            heapq.heappush(heap, (-gain(site), size(site), site))
            continue
        group = sorted((j for j in covers[site] if not is_covered[j]), key=size)
        for j in group:
            is_covered[j] = True
        groups.append(group)
    return groups


def _service(
    standard: ServiceStandard, people: int | None, cycle_weeks: int
) -> tuple[int, int | None, int]:
    """Service seconds, longest and visits owed to so many people, checked against the gaps."""
    band = standard.bands[0]
    service_s, most_s = standard.unknown_population_service_s, None
    if people is not None:
        band = _band_of(standard, people)
        service_s, most_s = band.service_s, band.service_most_s
    visits, weeks = band.visits_per_cycle, cycle_weeks
    if weeks != standard.cycle_weeks:
        visits = max(1, round(visits * weeks / standard.cycle_weeks))
    facts = {"visits": visits, "weeks": weeks, "up_to": "∞" if band.up_to is None else band.up_to}
    most = weeks if standard.same_weekday else weeks * DAYS_PER_WEEK
    if visits > most:
        raise InputError("candidates.visits_impossible", most=most, **facts)
    step = DAYS_PER_WEEK if standard.same_weekday else 1
    least_gap = -(-most // visits) * step
    if least_gap > standard.max_gap_days:
        needed = -(-most // max(1, standard.max_gap_days // step))
        if weeks != standard.cycle_weeks and needed <= most:
            return service_s, most_s, needed
        raise InputError(
            "candidates.gap_impossible",
            max_gap_days=standard.max_gap_days,
            least_gap_days=least_gap,
            needed_visits=needed,
            **facts,
        )
    return service_s, most_s, visits


def _band_of(standard: ServiceStandard, people: int) -> PopulationBand:
    for band in standard.bands:
        if band.up_to is None or people <= band.up_to:
            return band
    raise InputError("candidates.no_band", people=people, up_to=standard.bands[-1].up_to)


def dated_stops(stops: Sequence[Stop], *, from_weeks: int) -> tuple[Stop, ...]:
    """Stops whose visits are counted for one cycle, with a rule for a dated horizon.

    Where the visits divide the cycle and keep to one weekday the rule is one of every n-th week;
    else the same days are visited in every cycle. A stop that has a rule keeps it.
    """
    ruled = []
    for stop in stops:
        known = stop.recurrence
        if known is not None and known.rule:
            ruled.append(stop)
            continue
        found, visits = known or Recurrence(), stop.visits_per_cycle
        if stop.same_weekday and from_weeks % visits == 0:
            found = replace(found, rule=f"FREQ=WEEKLY;INTERVAL={from_weeks // visits}")
        else:
            found = replace(found, period_weeks=from_weeks, period_visits=visits)
        ruled.append(replace(stop, recurrence=found))
    return tuple(ruled)


def scaled_stops(stops: Sequence[Stop], *, from_weeks: int, to_weeks: int) -> tuple[Stop, ...]:
    """Stops whose visits are counted for one cycle, for a cycle of another length.

    At least one visit remains, and as many as the stop's greatest gap asks for; the least gap is
    lowered to the mean interval where it would be longer. Visits with services keep their share.
    A stop with a rule keeps it.
    """
    if from_weeks == to_weeks:
        return tuple(stops)
    num_days = to_weeks * DAYS_PER_WEEK
    scaled = []
    for stop in stops:
        if stop.recurrence is not None:
            scaled.append(stop)
            continue
        visits = max(1, round(stop.visits_per_cycle * to_weeks / from_weeks))
        if stop.max_gap_days is not None:
            visits = max(visits, -(-num_days // stop.max_gap_days))
        gap = max(1, min(stop.min_gap_days, num_days // visits))
        served = stop.services_visits
        if served is not None:
            served = max(1, -(-served * visits // stop.visits_per_cycle))
        scaled.append(
            replace(stop, visits_per_cycle=visits, min_gap_days=gap, services_visits=served)
        )
    return tuple(scaled)


def frame_request(
    region: Region,
    *,
    start_date: date,
    weeks: int | None = None,
    until_date: date | None = None,
    vehicles: Sequence[Vehicle],
) -> PlanRequest:
    """The request before its stops and travel are known: dates, vehicles, rules, depots.

    With ``until_date`` the horizon is dated, from ``start_date`` to it; else it is the cycle of so
    many ``weeks``, which repeats.

    A vehicle that names no rule sets takes the region's default ones; of several, the strictest
    value of each parameter holds (see ``rules_in_force``). A vehicle without a limit of stops per
    run takes the standard's.

    Raises
    ------
    RequestError
        ``request.no_vehicle``, ``request.no_working_day``.
    InputError
        ``request.start_not_monday``, ``request.weeks_out_of_range``,
        ``request.until_before_start``, ``request.until_too_late``, ``request.depot_unknown``,
        ``request.depot_is_lodging``,
        ``request.rule_set_unknown``, ``request.rules_not_begun`` or ``request.rule_set_expired``.
    """
    if not vehicles:
        raise RequestError("request.no_vehicle")
    cycle = horizon_of(start_date, weeks=weeks, until_date=until_date)
    depots = {d.depot_id: d for d in region.depots}
    used = {
        depot_id: vehicle.name
        for vehicle in vehicles
        for depot_id in (vehicle.depot_id, vehicle.end_depot_id or vehicle.depot_id)
    }
    for depot_id, name in used.items():
        if depot_id not in depots:
            raise InputError("request.depot_unknown", depot=depot_id, vehicle=name)
        if depots[depot_id].is_lodging:
            raise InputError("request.depot_is_lodging", depot=depot_id, vehicle=name)
    set_ids = {v.vehicle_id: v.rule_set_ids or region.default_rule_set_ids for v in vehicles}
    rules = {
        v.vehicle_id: rules_in_force(region, v, set_ids[v.vehicle_id], cycle) for v in vehicles
    }
    ended = {s.rule_set_id: s for _, going_on in rules.values() for s in going_on}
    limit = region.standard.stops_per_day_max
    request = PlanRequest(
        region_id=region.region_id,
        cycle=cycle,
        calendar=region.calendar,
        time_zone=region.time_zone,
        depots=depots_for(region.depots, vehicles),
        vehicles=tuple(
            replace(v, max_stops_per_run=limit) if v.max_stops_per_run is None else v
            for v in vehicles
        ),
        stops=(),
        crew_rules={vehicle_id: strict for vehicle_id, (strict, _) in rules.items()},
        travel={},
        rule_sets_used=set_ids,
        provisional_rules=tuple(ended.values()),
        specialists=region.specialists,
        clock_tolerance_s=region.standard.clock_tolerance_s,
        dwell_worth=region.standard.dwell_worth,
        meal_window_start_s=region.standard.meal_window_start_s,
        meal_window_end_s=region.standard.meal_window_end_s,
        costs=region.costs,
    )
    if not any(request.working_days(v) for v in request.vehicles):
        raise RequestError(
            "request.no_working_day",
            start=start_date.isoformat(),
            end=cycle.last_date.isoformat(),
        )
    return request


def build_request(
    region: Region,
    stops: Sequence[Stop],
    travel: Mapping[VehicleId, TravelMatrix],
    *,
    start_date: date,
    weeks: int | None = None,
    until_date: date | None = None,
    vehicles: Sequence[Vehicle],
) -> PlanRequest:
    """Everything a plan is judged by, from a region, its stops, travel and vehicles.

    Raises
    ------
    RequestError, InputError
        As ``frame_request`` and ``check_recurrences``; ``request.no_stop``, ``request.id_twice``
        or ``request.travel_missing``.
    """
    frame = frame_request(
        region, start_date=start_date, weeks=weeks, until_date=until_date, vehicles=vehicles
    )
    if not stops:
        raise RequestError("request.no_stop")
    points = [str(d.depot_id) for d in frame.depots] + [str(s.stop_id) for s in stops]
    _check_points(points, travel, vehicles)
    check_recurrences(frame, stops)
    return counted(
        replace(
            frame,
            stops=tuple(stops),
            travel={v.vehicle_id: travel[v.vehicle_id] for v in vehicles},
        )
    )


def check_recurrences(request: PlanRequest, stops: Sequence[Stop]) -> None:
    """Refuse stops whose rule the horizon cannot hold, or whose school calendar is not known.

    Raises
    ------
    RequestError
        ``request.rule_needs_dates``: a repeating cycle holds only rules of every n-th week where n
        divides its weeks, without exceptions, seasons or school time.
    InputError
        ``request.school_unknown`` or ``request.school_too_short``.
    """
    cycle = request.cycle
    ruled = [(s, s.recurrence) for s in stops if s.recurrence is not None]
    if cycle.repeats:
        bad = [(s, r) for s, r in ruled if not _divides(r, cycle.num_weeks)]
        if bad:
            stop, recurrence = bad[0]
            raise RequestError(
                "request.rule_needs_dates",
                n=len(bad),
                stop=stop.name,
                rule=recurrence.rule or "—",
                weeks=cycle.num_weeks,
            )
    for stop, recurrence in ruled:
        if recurrence.school_time is None:
            continue
        school = request.calendar.schools.get(recurrence.school)
        if school is None:
            raise InputError(
                "request.school_unknown",
                stop=stop.name,
                school=recurrence.school,
                known=", ".join(sorted(request.calendar.schools)) or "—",
            )
        if cycle.first_date < school.first or school.last < cycle.last_date:
            raise InputError(
                "request.school_too_short",
                school=recurrence.school,
                stop=stop.name,
                first=school.first.isoformat(),
                last=school.last.isoformat(),
                start=cycle.first_date.isoformat(),
                end=cycle.last_date.isoformat(),
            )


def _divides(recurrence: Recurrence, num_weeks: int) -> bool:
    """Whether a cycle of so many weeks, repeated, gives exactly the rule's dates."""
    rule = recurrence.parsed
    if rule is None or not recurrence.is_plain:
        return rule is None and recurrence.is_plain and num_weeks % recurrence.period_weeks == 0
    return (
        rule.frequency is Frequency.WEEKLY
        and num_weeks % rule.interval == 0
        and not rule.months
        and rule.count is None
        and rule.until is None
    )


def horizon_of(
    start_date: date, *, weeks: int | None = None, until_date: date | None = None
) -> Cycle:
    """The dated horizon up to ``until_date``, or the repeating cycle of so many weeks.

    Raises
    ------
    InputError
        ``request.start_not_monday``, ``request.weeks_out_of_range``,
        ``request.until_before_start``, ``request.until_too_late``.
    """
    if until_date is None:
        if weeks is None:
            raise ValueError("a horizon needs its weeks or its last date")
        return _cycle(start_date, weeks)
    facts = {"start": start_date.isoformat(), "until": until_date.isoformat()}
    if until_date < start_date:
        raise InputError("request.until_before_start", **facts)
    monday = start_date - timedelta(days=start_date.weekday())
    latest = monday + timedelta(weeks=Cycle.MAX_DATED_WEEKS, days=-1)
    if until_date > latest:
        raise InputError(
            "request.until_too_late",
            latest=latest.isoformat(),
            limit=Cycle.MAX_DATED_WEEKS,
            **facts,
        )
    return Cycle.between(start_date, until_date)


def _cycle(start_date: date, weeks: int) -> Cycle:
    if start_date.weekday() != 0:
        monday = start_date - timedelta(days=start_date.weekday())
        raise InputError(
            "request.start_not_monday",
            start=start_date.isoformat(),
            monday=monday.isoformat(),
            next_monday=(monday + timedelta(days=DAYS_PER_WEEK)).isoformat(),
        )
    if not 1 <= weeks <= Cycle.MAX_WEEKS:
        raise InputError("request.weeks_out_of_range", weeks=weeks, limit=Cycle.MAX_WEEKS)
    return Cycle(start_date=start_date, num_weeks=weeks)


def _check_points(
    points: Sequence[str],
    travel: Mapping[VehicleId, TravelMatrix],
    vehicles: Sequence[Vehicle],
) -> None:
    seen: set[str] = set()
    for point in [*points, *(f"vehicle {v.vehicle_id}" for v in vehicles)]:
        if point in seen:
            raise InputError("request.id_twice", id=point)
        seen.add(point)
    for vehicle in vehicles:
        matrix = travel.get(vehicle.vehicle_id)
        for point in points:
            if matrix is None or point not in matrix.index:
                raise InputError("request.travel_missing", vehicle=vehicle.name, point=point)
