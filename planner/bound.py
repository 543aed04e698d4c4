"""Bounds that hold for every plan the checker passes: on people reached and on driving.

Both rest on one argument. A run is a closed chain of legs from depot (or lodging) to
depot. Give half of every
leg to each of its ends: then a visit holds half of the leg that leads to it and half of the leg
that leaves it, which is at least half of the cheapest such pair over all neighbours that it could
have; a run's depot holds at least half of the cheapest leg out and half of the cheapest one back.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from data.model.calendar import DAYS_PER_WEEK
from data.model.fleet import CrewRules, Vehicle
from data.model.place import Stop
from data.model.plan import PlanRequest
from data.model.travel import UNREACHABLE
from planner.alone import impossible_stops, longest_work_s

ALL_PRIZES = "bound.all_prizes"
"""The bound is the prize of all stops that can be served at all."""
FLEET_TIME = "bound.fleet_time"
"""The bound comes from the vehicles' time and their limits of stops per run."""

_NO_LEG = np.inf


def prize_bound(request: PlanRequest) -> tuple[float, str]:
    """A prize that no plan exceeds, and the code of its kind.

    Parameters
    ----------
    request
        With travel between all its depots and stops.

    Returns
    -------
    tuple[float, str]
        The bound and ``ALL_PRIZES`` or ``FLEET_TIME``. Where every stop is mandatory, the total.

    Raises
    ------
    ValueError
        If the travel of a stop or depot is missing.

    Notes
    -----
    A relaxation: each vehicle has the sum of its runs' time for driving and stops (longest work
    less preparation and closing, within the weekly limit) and of its stops per run; a stop costs
    its occupied time and its share of legs, and may be served in part, by several vehicles. The
    value told is that of the Lagrangian dual at the multipliers of the linear programme: it is a
    bound for any multipliers, so the tolerance of the solver cannot make it wrong.
    """
    stops, shares = _possible(request)
    total = math.fsum(s.prize for s in stops)
    if all(s.mandatory for s in stops):
        return total, ALL_PRIZES
    visits = np.array([s.visits_per_cycle for s in stops], dtype=np.float64)
    prize = np.array([s.prize for s in stops], dtype=np.float64)
    forced = np.array([s.mandatory for s in stops], dtype=np.bool_)
    occupied_s = np.array([s.occupied_s for s in stops], dtype=np.float64)
    cost = np.array([visits * (occupied_s + share.visit_s) for share in shares])
    time_s = [_time_s(request, v, s.run_s) for v, s in zip(request.vehicles, shares, strict=True)]
    limits = np.array([*time_s, *(_most_visits(request, v) for v in request.vehicles)])
    relaxed = _Relaxation(cost, visits, prize, limits, forced)
    bound = min(total, relaxed.dual_value(relaxed.multipliers()))
    return bound, ALL_PRIZES if bound >= total else FLEET_TIME


def travel_bound(request: PlanRequest) -> int:
    """Seconds of driving that every plan needs which serves all mandatory stops.

    The visits' and depots' shares of legs (see the module) are summed over the visits of mandatory
    stops and over the least number of runs. A stop's visits fall on different days, so that number
    is at least the greatest number of visits of one stop; it is also at least what the limits of
    stops and of work per run ask for.

    Raises
    ------
    ValueError
        If the travel of a stop or depot is missing.
    """
    stops, shares = _possible(request)
    chosen = np.array([s.mandatory for s in stops], dtype=np.bool_)
    if not chosen.any():
        return 0
    visits = np.array([s.visits_per_cycle for s in stops], dtype=np.float64)[chosen]
    occupied_s = np.array([s.occupied_s for s in stops], dtype=np.float64)[chosen]
    share_s = np.min([s.visit_s for s in shares], axis=0)[chosen]
    run_s = min(s.run_s for s in shares)
    needed = [_days_apart(stops, chosen)]
    caps = [v.max_stops_per_run for v in request.vehicles]
    if all(caps):
        needed.append(math.ceil(visits.sum() / max(c for c in caps if c)))
    longest_s = max(
        _run_time_s(request, v, s.run_s) for v, s in zip(request.vehicles, shares, strict=True)
    )
    if longest_s > 0:
        needed.append(math.ceil((visits * (occupied_s + share_s)).sum() / longest_s - 1e-9))
    # Halves of whole seconds are exact in floating point.
    return math.ceil((visits * share_s).sum() + max(needed) * run_s)


@dataclass(frozen=True, slots=True)
class _Shares:
    """A vehicle's least shares of legs: of a visit at each stop, and of a run's depots."""

    visit_s: NDArray[np.float64]
    """Infinite where the vehicle cannot serve the stop."""
    run_s: float
    """Infinite where the vehicle can serve none."""


def _possible(request: PlanRequest) -> tuple[list[Stop], list[_Shares]]:
    """The stops that are not proved impossible, and every vehicle's shares at them."""
    if not request.vehicles:
        return [], []
    impossible = impossible_stops(request)
    stops = [s for s in request.stops if s.stop_id not in impossible]
    shares = [_shares(request, vehicle, stops) for vehicle in request.vehicles]
    # A stop that has no leg in or none out, once the impossible ones are gone, is so too.
    reached = np.isfinite([s.visit_s for s in shares]).any(axis=0)
    kept = [_Shares(s.visit_s[reached], s.run_s) for s in shares]
    return [s for s, is_reached in zip(stops, reached, strict=True) if is_reached], kept


def _shares(request: PlanRequest, vehicle: Vehicle, stops: list[Stop]) -> _Shares:
    matrix = request.travel[vehicle.vehicle_id]
    lodgings = [str(d.depot_id) for d in request.lodgings_of(vehicle)]
    starts = [str(vehicle.depot_id), *lodgings]
    ends = [str(vehicle.end_depot_id or vehicle.depot_id), *lodgings]
    points = [str(s.stop_id) for s in stops]
    missing = [p for p in (*starts, *ends, *points) if p not in matrix.index]
    if missing:
        raise ValueError(f"no travel for {missing[0]}")
    visit_s = np.full(len(stops), _NO_LEG)
    able = np.array([s.needs <= vehicle.abilities for s in stops], dtype=np.bool_)
    if not able.any():
        return _Shares(visit_s, _NO_LEG)
    rows = [matrix.index[p] for p, ok in zip(points, able, strict=True) if ok]
    first, last = [matrix.index[p] for p in starts], [matrix.index[p] for p in ends]
    legs = matrix.travel_s.astype(np.float64)
    legs[matrix.travel_s == UNREACHABLE] = _NO_LEG
    between = legs[np.ix_(rows, rows)].copy()
    np.fill_diagonal(between, _NO_LEG)
    none = np.full((len(rows), 1), _NO_LEG)
    # The nearest of the places where a run may start, and of those where it may end.
    from_s, to_s = legs[np.ix_(first, rows)].min(axis=0), legs[np.ix_(rows, last)].min(axis=1)
    # Columns: every stop, the depot before, the depot after.
    into = np.hstack([between.T, from_s[:, None], none])
    out = np.hstack([between, none, to_s[:, None]])
    pairs = np.zeros(len(rows)) if _may_repeat(stops) else _cheapest_pairs(into, out)
    visit_s[able] = pairs / 2
    return _Shares(visit_s, (from_s.min() + to_s.min()) / 2)


def _may_repeat(stops: list[Stop]) -> bool:
    """Whether a stop could be visited twice in a run, so that its neighbours may be one place."""
    return any(s.visits_per_cycle > 1 and s.min_gap_days < 1 for s in stops)


def _cheapest_pairs(into: NDArray[np.float64], out: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each row the least sum of a leg in and a leg out whose other ends differ."""
    rows = np.arange(len(into))
    by_in, by_out = np.argsort(into, axis=1), np.argsort(out, axis=1)
    first_in, second_in = into[rows, by_in[:, 0]], into[rows, by_in[:, 1]]
    first_out, second_out = out[rows, by_out[:, 0]], out[rows, by_out[:, 1]]
    apart = np.minimum(first_in + second_out, second_in + first_out)
    return np.where(by_in[:, 0] != by_out[:, 0], first_in + first_out, apart)


def _rules(request: PlanRequest, vehicle: Vehicle) -> CrewRules:
    return request.crew_rules.get(vehicle.vehicle_id, CrewRules())


def _run_time_s(request: PlanRequest, vehicle: Vehicle, run_s: float) -> float:
    """Most seconds that a run has for stops and their shares of legs."""
    work_s = longest_work_s(vehicle, _rules(request, vehicle))
    return max(0.0, work_s - _checks_s(request, vehicle) - run_s)


def _checks_s(request: PlanRequest, vehicle: Vehicle) -> int:
    """Least seconds of a run before it leaves and after it has arrived."""
    places = [vehicle.depot_id, *(d.depot_id for d in request.lodgings_of(vehicle))]
    ends = [vehicle.end_depot_id or vehicle.depot_id, *places[1:]]
    prep_s = min(request.prep_s(vehicle, p) for p in places)
    return prep_s + min(request.closing_s(vehicle, p) for p in ends)


def _time_s(request: PlanRequest, vehicle: Vehicle, run_s: float) -> float:
    """Most seconds that a vehicle's cycle has for stops and their shares of legs."""
    per_run_s = _run_time_s(request, vehicle, run_s)
    if per_run_s == 0:
        return 0.0
    overhead_s = _checks_s(request, vehicle) + run_s
    week_max_s = _rules(request, vehicle).week_work_max_s
    days = request.working_days(vehicle)
    total_s = 0.0
    for week in range(request.cycle.num_weeks):
        num_days = sum(day // DAYS_PER_WEEK == week for day in days)
        total_s += max(
            (
                min(n * per_run_s, math.inf if week_max_s is None else week_max_s - n * overhead_s)
                for n in range(num_days + 1)
            ),
            default=0.0,
        )
    return total_s


def _most_visits(request: PlanRequest, vehicle: Vehicle) -> float:
    if vehicle.max_stops_per_run is None:
        return math.inf
    return float(vehicle.max_stops_per_run * len(request.working_days(vehicle)))


def _days_apart(stops: list[Stop], chosen: NDArray[np.bool_]) -> int:
    """Least number of runs that the visits of one stop ask for."""
    if _may_repeat(stops):
        return 1
    return max(s.visits_per_cycle for s, is_chosen in zip(stops, chosen, strict=True) if is_chosen)


@dataclass(frozen=True, slots=True)
class _Relaxation:
    """Stops served in part by vehicles with limited seconds and visits.

    ``cost[v, i]`` are the seconds that stop ``i`` takes of vehicle ``v``, infinite where it cannot
    serve it; ``limits`` are the vehicles' seconds, then their visits.
    """

    cost: NDArray[np.float64]
    visits: NDArray[np.float64]
    prize: NDArray[np.float64]
    limits: NDArray[np.float64]
    is_forced: NDArray[np.bool_]

    def multipliers(self) -> NDArray[np.float64]:
        """Prices of seconds and visits from the linear programme; zeros if it has no solution."""
        num_vehicles, num_stops = self.cost.shape
        able = np.isfinite(self.cost)
        vehicle, stop = np.nonzero(able)
        column = np.arange(len(stop))
        values = np.concatenate([self.cost[able], self.visits[stop]])
        places = (np.concatenate([vehicle, num_vehicles + vehicle]), np.tile(column, 2))
        used = csr_array((values, places), shape=(2 * num_vehicles, len(stop)))
        shape = (num_stops, len(stop))
        served = csr_array((np.ones(len(stop)), (stop, column)), shape=shape)
        limited = np.flatnonzero(np.isfinite(self.limits))
        forced, free = np.flatnonzero(self.is_forced), np.flatnonzero(~self.is_forced)
        # The stubs of linprog know dense matrices only; it takes sparse ones.
        solved: Any = linprog(  # type: ignore[call-overload]
            -self.prize[stop],
            A_ub=vstack([used[limited], served[free]]),
            b_ub=np.concatenate([self.limits[limited], np.ones(len(free))]),
            A_eq=served[forced] if len(forced) else None,
            b_eq=np.ones(len(forced)) if len(forced) else None,
            method="highs",
        )
        prices = np.zeros(2 * num_vehicles)
        if solved.status == 0:
            prices[limited] = np.maximum(0.0, -solved.ineqlin.marginals[: len(limited)])
        return prices

    def dual_value(self, prices: NDArray[np.float64]) -> float:
        """A bound on the prize for any prices that are not negative."""
        num_vehicles = len(self.cost)
        per_second, per_visit = prices[:num_vehicles, None], prices[num_vehicles:, None]
        # A stop that a vehicle cannot serve stays infinitely dear, also at price zero.
        cost = np.where(np.isfinite(self.cost), self.cost, 0.0)
        paid = np.where(
            np.isfinite(self.cost), per_second * cost + per_visit * self.visits, np.inf
        ).min(axis=0)
        gain = self.prize - paid
        gain = np.where(self.is_forced, gain, np.maximum(0.0, gain))
        priced = prices > 0
        return math.fsum([*gain, *(self.limits[priced] * prices[priced])])
