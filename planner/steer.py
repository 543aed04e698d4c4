"""Variants of a request that steer the search towards fairness or less driving.

Plans of a variant answer the request itself, too: prizes change what is looked for, and the weekly
driving limits only get tighter. All variants of one request have the same visit options and
vehicle-days, so that routes found for one serve the others.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from data.model.access import Access
from data.model.fleet import CrewRules, VehicleId
from data.model.plan import Plan, PlanRequest

UNLIMITED_S = 10**8
"""A weekly driving limit that binds nobody; it gives every variant the same weekly sums."""


def with_weekly_sums(request: PlanRequest) -> PlanRequest:
    """The request with a weekly driving limit for every vehicle, where it has none an idle one."""
    return with_driving_limit(request, {})


def with_driving_limit(request: PlanRequest, most_s: Mapping[VehicleId, float]) -> PlanRequest:
    """The request with at most so many seconds of driving a week for a vehicle, if not fewer."""
    rules = {}
    for vehicle in request.vehicles:
        known = request.crew_rules.get(vehicle.vehicle_id, CrewRules())
        own = UNLIMITED_S if known.drive_week_max_s is None else known.drive_week_max_s
        limit = min(own, int(most_s.get(vehicle.vehicle_id, UNLIMITED_S)))
        rules[vehicle.vehicle_id] = replace(known, drive_week_max_s=limit)
    return replace(request, crew_rules=rules)


def weekly_driving(request: PlanRequest, plan: Plan) -> dict[VehicleId, float]:
    """Mean seconds of driving a week of each vehicle."""
    weeks = request.cycle.num_weeks
    return {
        v.vehicle_id: sum(r.drive_s for r in plan.runs if r.vehicle_id == v.vehicle_id) / weeks
        for v in request.vehicles
    }


def worst_first(request: PlanRequest, access: Access, power: float) -> PlanRequest:
    """The request with prizes times the distance to a library, in means of it, to a power.

    The distance of a stop is that of the farthest home at its door or in walking distance. Homes
    that no road joins to a library count as the farthest.
    """
    seconds = np.array(
        [np.nan if h.library_s is None else h.library_s for h in access.homes], np.float64
    )
    if np.isnan(seconds).all():
        return request
    seconds = np.where(np.isnan(seconds), np.nanmax(seconds), seconds)
    mean = float(seconds.mean()) or 1.0
    index = {h.settlement_id: k for k, h in enumerate(access.homes)}

    stops = []
    for stop in request.stops:
        homes = [index[h] for h in stop.settlement_ids if h in index]
        deficit = max((float(seconds[h]) / mean for h in homes), default=1.0)
        stops.append(replace(stop, prize=stop.prize * deficit**power))
    return replace(request, stops=tuple(stops))
