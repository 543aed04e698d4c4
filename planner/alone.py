"""Could a stop be served at all, if it were the only one? Necessary conditions only.

What is found impossible here is impossible in every plan; what is not may still be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.model.calendar import DAYS_PER_WEEK, HOUR_S, MINUTE_S
from data.model.fleet import CrewRules, Vehicle
from data.model.place import Stop, StopId
from data.model.plan import PlanRequest, Unserved
from data.model.travel import UNREACHABLE
from planner.aboard import may_ride, narrowed, service_days, why_no_service
from planner.rhythm import has_no_date, patterns_of, why_no_dates

_FAR = np.iinfo(np.int64).max // 4


def longest_work_s(vehicle: Vehicle, rules: CrewRules) -> int:
    """Most work that a run can hold: the duty window, the longest shift and the meal it asks for.

    Work beyond ``meal_after_s`` needs a meal of at least ``meal_min_s``, which is no work.
    """
    duty_s = vehicle.duty_end_s - vehicle.duty_start_s
    shift_s = duty_s if rules.shift_max_s is None else rules.shift_max_s
    if rules.meal_after_s is None:
        return min(duty_s, shift_s)
    without_meal_s = min(duty_s, shift_s, rules.meal_after_s)
    return max(without_meal_s, min(duty_s - (rules.meal_min_s or 0), shift_s))


def longest_driving_s(rules: CrewRules) -> int | None:
    """Most driving that a run may hold, extensions used; ``None`` is no limit."""
    if rules.drive_daily_max_s is None:
        return None
    return max(rules.drive_daily_max_s, rules.drive_extended_max_s or 0)


def least_s(travel_s: NDArray[np.int32], source: int) -> NDArray[np.int64]:
    """Least seconds from a point to every point, over any others in between.

    A matrix of rounded or calibrated times may break the triangle inequality; a way over other
    stops may then be shorter than the direct one.

    Returns
    -------
    NDArray[np.int64], shape (n,)
        ``UNREACHABLE`` where no way leads.

    References
    ----------
    Dijkstra (1959), doi:10.1007/BF01386390, in its dense form.
    """
    legs = np.where(travel_s == UNREACHABLE, _FAR, travel_s.astype(np.int64))
    least = legs[source].copy()
    least[source] = 0
    is_open = np.ones(len(least), dtype=np.bool_)
    for _ in range(len(least)):
        nearest = int(np.argmin(np.where(is_open, least, _FAR)))
        if least[nearest] >= _FAR or not is_open[nearest]:
            break
        is_open[nearest] = False
        np.minimum(least, least[nearest] + legs[nearest], out=least)
    return np.where(least >= _FAR, UNREACHABLE, least)


@dataclass(frozen=True, slots=True)
class _Reach:
    """A vehicle with the least seconds from where its day starts to every point, and on to its end.

    ``prep_s`` and ``closing_s`` are due there.
    """

    vehicle: Vehicle
    rules: CrewRules
    index: Mapping[str, int]
    out_s: NDArray[np.int64]
    back_s: NDArray[np.int64]
    prep_s: int
    closing_s: int


def impossible_stops(request: PlanRequest) -> dict[StopId, Unserved]:
    """Stops that no plan can serve, each with its reason.

    Reasons, of the vehicle that comes nearest: ``unserved.ability``, ``unserved.unreachable``,
    ``unserved.drive_limit``, ``unserved.too_far``, ``unserved.no_day``, ``unserved.window``; and
    ``unserved.no_pattern`` where single visits are possible but no set of days keeps the gaps. A
    stop with a rule may have ``unserved.no_date`` (nothing is owed to it) or
    ``unserved.no_rhythm``. Of a stop's services: ``unserved.service_nobody``,
    ``unserved.service_seats``, ``unserved.service_no_day``, ``unserved.service_vehicle``,
    ``unserved.service_hours``, ``unserved.service_pattern``.
    A stop whose travel is not in the matrices is not called impossible.
    """
    reaches: list[_Reach] = []
    for vehicle in request.vehicles:
        found_reaches = _reaches(request, vehicle)
        if not found_reaches:
            return {}
        reaches += found_reaches
    found: dict[StopId, Unserved] = {}
    for stop in request.stops:
        if all(str(stop.stop_id) in r.index for r in reaches):
            reason = _impossible(request, stop, reaches)
            if reason is not None:
                found[stop.stop_id] = reason
    return found


def _reaches(request: PlanRequest, vehicle: Vehicle) -> list[_Reach]:
    """The vehicle's days from base to base, and those that start or end at a lodging.

    Empty where travel is not known.
    """
    matrix = request.travel.get(vehicle.vehicle_id)
    lodgings = [d.depot_id for d in request.lodgings_of(vehicle)]
    base, home = vehicle.depot_id, vehicle.end_depot_id or vehicle.depot_id
    pairs = [(base, home), *((base, x) for x in lodgings), *((x, home) for x in lodgings)]
    if vehicle.max_nights_away > 1:
        pairs += [(x, y) for x in lodgings for y in lodgings]
    if matrix is None or any(str(p) not in matrix.index for pair in pairs for p in pair):
        return []
    row = {p: matrix.index[str(p)] for pair in pairs for p in pair}
    out_s = {p: least_s(matrix.travel_s, row[p]) for p in {start for start, _ in pairs}}
    back_s = {p: least_s(matrix.travel_s.T, row[p]) for p in {end for _, end in pairs}}
    return [
        _Reach(
            vehicle=vehicle,
            rules=request.crew_rules.get(vehicle.vehicle_id, CrewRules()),
            index=matrix.index,
            out_s=out_s[start],
            back_s=back_s[end],
            prep_s=request.prep_s(vehicle, start),
            closing_s=request.closing_s(vehicle, end),
        )
        for start, end in pairs
    ]


_ORDER = (
    "unserved.ability",
    "unserved.unreachable",
    "unserved.drive_limit",
    "unserved.too_far",
    "unserved.no_day",
    "unserved.window",
)


def _impossible(request: PlanRequest, stop: Stop, reaches: list[_Reach]) -> Unserved | None:
    days: set[int] = set()
    brought: set[int] = set()
    served: set[int] = set()
    reasons = []
    for reach in reaches:
        verdict = _one_visit(request, stop, reach)
        if isinstance(verdict, Unserved):
            reasons.append(verdict)
        else:
            days |= verdict
            brought |= verdict & service_days(request, stop, reach.vehicle)
            served |= _served_days(request, stop, reach, verdict)
    if has_no_date(request, stop):
        return why_no_dates(request, stop)
    if not days:
        return max(reasons, key=lambda r: _ORDER.index(r.reason), default=None)
    if len(brought) < stop.served_visits:
        return why_no_service(request, stop, "service_vehicle")
    if len(served) < stop.served_visits:
        return _no_service(request, stop)
    if stop.services_at_every_visit:
        if _has_pattern(request, stop, days) and not _has_pattern(request, stop, served):
            return why_no_service(request, stop, "service_pattern")
        days = served
    if request.recurrence_of(stop) is not None:
        return None if patterns_of(request, stop, days) else why_no_dates(request, stop)
    if _keeps_gaps(stop, sorted(days), request.cycle.num_days):
        return None
    return Unserved(
        stop_id=stop.stop_id,
        reason="unserved.no_pattern",
        facts={
            "stop": stop.name,
            "visits": stop.visits_per_cycle,
            "num_days": len(days),
            "min_gap_days": stop.min_gap_days,
            "max_gap_days": stop.max_gap_days or request.cycle.num_days,
        },
    )


def _one_visit(request: PlanRequest, stop: Stop, reach: _Reach) -> Unserved | set[int]:
    """Days on which the vehicle could make a run to this stop alone, or why there is none."""
    vehicle = reach.vehicle

    def because(reason: str, **facts: object) -> Unserved:
        named: dict[str, object] = {"stop": stop.name, "vehicle": vehicle.name}
        return Unserved(stop_id=stop.stop_id, reason=reason, facts=named | facts)

    missing = stop.needs - vehicle.abilities
    if missing:
        return because("unserved.ability", missing=", ".join(sorted(missing)))
    point = reach.index[str(stop.stop_id)]
    out_s, back_s = int(reach.out_s[point]), int(reach.back_s[point])
    if UNREACHABLE in (out_s, back_s):
        return because("unserved.unreachable")
    drive_max_s = longest_driving_s(reach.rules)
    if drive_max_s is not None and out_s + back_s > drive_max_s:
        return because(
            "unserved.drive_limit",
            found_min=_minutes_up(out_s + back_s),
            limit_min=drive_max_s // MINUTE_S,
        )
    work_s = reach.prep_s + out_s + stop.occupied_s + back_s + reach.closing_s
    work_max_s = longest_work_s(vehicle, reach.rules)
    if work_s > work_max_s:
        return because(
            "unserved.too_far",
            found_min=_minutes_up(work_s),
            limit_min=work_max_s // MINUTE_S,
            drive_min=_minutes_up(out_s + back_s),
        )
    days = {
        day
        for day in request.working_days(vehicle)
        if not stop.weekdays or day % DAYS_PER_WEEK in stop.weekdays
    }
    if not days:
        return because("unserved.no_day")
    earliest_s = vehicle.duty_start_s + reach.prep_s + out_s + stop.setup_s
    latest_s = vehicle.duty_end_s - reach.closing_s - back_s - stop.teardown_s
    days = {d for d in days if _window_fits(stop, d % DAYS_PER_WEEK, earliest_s, latest_s)}
    return days or because("unserved.window", service_min=_minutes_up(stop.service_s))


def _has_pattern(request: PlanRequest, stop: Stop, days: set[int]) -> bool:
    """Whether some set of the days is one that the stop's rule or gaps allow."""
    if request.recurrence_of(stop) is not None:
        return bool(patterns_of(request, stop, days))
    return _keeps_gaps(stop, sorted(days), request.cycle.num_days)


def _served_days(request: PlanRequest, stop: Stop, reach: _Reach, days: set[int]) -> set[int]:
    """Of days on which the vehicle could come to the stop those on which its services could too."""
    if not stop.services:
        return set()
    vehicle = reach.vehicle
    point = reach.index[str(stop.stop_id)]
    out_s, back_s = int(reach.out_s[point]), int(reach.back_s[point])

    def could_come(service: str, day: int) -> bool:
        for person in request.specialists:
            if person.service == service and may_ride(request, person, vehicle, day):
                lo, hi = narrowed(vehicle, [person], vehicle.duty_start_s, vehicle.duty_end_s)
                earliest_s = int(lo) + vehicle.prep_s + out_s + stop.setup_s
                latest_s = int(hi) - vehicle.closing_s - back_s - stop.teardown_s
                if _window_fits(stop, day % DAYS_PER_WEEK, earliest_s, latest_s):
                    return True
        return False

    possible = days & service_days(request, stop, vehicle)
    return {d for d in possible if all(could_come(service, d) for service in stop.services)}


def _no_service(request: PlanRequest, stop: Stop) -> Unserved:
    """Why too few visits of a stop could have its services; the hours where days would do."""
    reason = why_no_service(request, stop, "service_hours")
    if reason.reason != "unserved.service_hours":
        return reason
    hours = {
        p.name: f"{_clock(p.duty_start_s)}–{_clock(p.duty_end_s)}"
        for p in request.specialists
        if p.service in stop.services and (p.duty_start_s, p.duty_end_s) != (None, None)
    }
    told = ", ".join(f"{name} {span}" for name, span in hours.items()) or "—"
    return replace(reason, facts={**reason.facts, "hours": told})


def _clock(seconds: int | None) -> str:
    if seconds is None:
        return "…"
    return f"{seconds // HOUR_S:02d}:{seconds % HOUR_S // MINUTE_S:02d}"


def _window_fits(stop: Stop, weekday: int, earliest_s: int, latest_s: int) -> bool:
    spans = [(w.start_s, w.end_s) for w in stop.windows if w.applies_on(weekday)]
    if not stop.windows:
        spans = [(earliest_s, latest_s)]
    return any(
        max(start, earliest_s) + stop.service_s <= min(end, latest_s) for start, end in spans
    )


def _keeps_gaps(stop: Stop, days: list[int], num_days: int) -> bool:
    """Whether some of the days hold the stop's visits with all gaps in their limits."""
    return any(_chain(stop, group, num_days) for group in _weekday_groups(stop, days))


def _weekday_groups(stop: Stop, days: list[int]) -> Iterator[list[int]]:
    if not stop.same_weekday:
        yield days
        return
    for weekday in range(DAYS_PER_WEEK):
        yield [d for d in days if d % DAYS_PER_WEEK == weekday]


def _chain(stop: Stop, days: list[int], num_days: int) -> bool:
    longest = num_days if stop.max_gap_days is None else stop.max_gap_days
    for first in days:
        last = {first}
        for _ in range(stop.visits_per_cycle - 1):
            last = {d for d in days for e in last if stop.min_gap_days <= d - e <= longest}
        if any(stop.min_gap_days <= first + num_days - d <= longest for d in last):
            return True
    return False


def _minutes_up(seconds: int) -> int:
    return -(-seconds // MINUTE_S)
