"""Who rides where on which day, decided together with the plan.

First a plan is searched in which every specialist is wherever he might be. A small exact model then
deals the rides so that the most of what that plan serves keeps its services. From there a local
search moves rides between days and vehicles, one day or one weekday of all weeks at a time, each
deal valued by a short search; the best deal is searched to the end. Nothing is proved: another
deal may serve more.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import fsum

import numpy as np
from ortools.sat.python import cp_model

from data.model.calendar import DAYS_PER_WEEK
from data.model.crew import services_of
from data.model.nights import Nights
from data.model.plan import Plan, PlanRequest
from planner.aboard import (
    Deal,
    Ride,
    deal_of,
    due_visits,
    fits,
    have_common_hours,
    narrows,
    possible_rides,
    riders_by_run,
)
from planner.choices import Valued, best_choice, part_of
from planner.params import SolveParams

NEED_RATIO = 0.2
"""Share of the budget for the plan in which everyone is everywhere."""
CHOICE_RATIO = 0.3
"""Share of the budget for valuing deals; the rest is for the best one."""
USED_RATIO = NEED_RATIO + CHOICE_RATIO
MOST_DEALS = 24
"""Deals valued within a limit on work; within a limit on time as many as its share allows."""
LEAST_DEALS = 4
LEAST_STEPS = 100
LEAST_S = 0.3
"""Shortest search that values a deal, in steps and seconds; a small budget values fewer deals."""
_MODEL_S = 5.0
_BLOCK_RATIO = 0.5
_DROP_RATIO = 0.15
_WEIGHT_GRAIN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """What one search gave: a plan without provenance, and its rank."""

    plan: Plan
    rank: tuple[float, ...]


type Run = Callable[[Deal | None, SolveParams, Plan | None], Dealt]
"""A search with a deal, or with everyone everywhere, from a plan."""


def best_deal(
    request: PlanRequest,
    params: SolveParams,
    run: Run,
    *,
    nights: Nights,
    start: Plan | None,
    tell: Callable[[float, Dealt], None],
    is_cancelled: Callable[[], bool],
) -> tuple[Deal, Plan]:
    """The best deal found and the plan that its short search gave.

    Parameters
    ----------
    nights
        Nights away, which are settled.
    start
        An earlier plan; its deal is valued first, from that plan.
    tell
        Told after each deal the share of the whole budget that is used, and what the deal gave.
    """
    began = time.perf_counter()
    end_s = params.time_limit_s * USED_RATIO

    def left_s() -> float:
        return max(0.0, params.time_limit_s - (time.perf_counter() - began))

    def is_over(num_valued: int) -> bool:
        is_late = time.perf_counter() - began >= end_s
        if params.work_limit is not None:
            is_late = num_valued >= num_deals or left_s() <= 0
        return is_late or is_cancelled()

    def value(deal: Deal, best: Dealt | None) -> tuple[Dealt, tuple[float, ...]]:
        part = part_of(params, CHOICE_RATIO / num_deals, len(told), left_s=left_s(), rounds=1)
        if params.work_limit is None:
            part = replace(part, time_limit_s=max(LEAST_S, part.time_limit_s))
        known = (start or wished.plan) if best is None else best.plan
        found = run(deal, replace(part, master_ratio=0.0), known)
        told.append(deal)
        tell(NEED_RATIO + CHOICE_RATIO * min(1.0, _share_used()), found)
        return found, found.rank

    def _share_used() -> float:
        if params.work_limit is not None:
            return len(told) / num_deals
        used_s = time.perf_counter() - began - params.time_limit_s * NEED_RATIO
        return max(0.0, used_s / (params.time_limit_s * CHOICE_RATIO))

    num_deals = _num_deals(params)
    told: list[Deal] = []
    rng = np.random.default_rng([params.seed, 1])
    rides = possible_rides(request, nights)
    wished = run(None, part_of(params, NEED_RATIO, 0, left_s=left_s(), rounds=1), None)
    firsts = [filled(request, rides, deal_by_need(request, rides, wished.plan, left_s()), rng)]
    if start is not None:
        known_deal = deal_of(request, start, nights)
        firsts = [known_deal, filled(request, rides, known_deal, rng), *firsts]
    best = best_choice(
        firsts,
        value=value,
        neighbour=lambda best, rng: _neighbour(request, rides, best, rng),
        rng=rng,
        is_over=is_over,
    )
    used = deal_of(request, best.result.plan)
    # A ride that nobody needs is kept only where it costs the vehicle nothing.
    kept = frozenset(r for r in best.choice if r in used or not narrows(request, r))
    return kept, best.result.plan


def _num_deals(params: SolveParams) -> int:
    """Into how many short searches the share for deals is cut."""
    if params.work_limit is None:
        return MOST_DEALS
    fitting = int(params.work_limit * CHOICE_RATIO / LEAST_STEPS)
    return max(LEAST_DEALS, min(MOST_DEALS, fitting))


def deal_by_need(request: PlanRequest, rides: Deal, plan: Plan, seconds: float) -> Deal:
    """The rides that keep the most of a plan's stops with their services.

    Parameters
    ----------
    plan
        In which any of the rides may have been used.

    Notes
    -----
    An integer programme: a stop counts with its prize if all its visits that need services, on the
    vehicle and day where they are, have them; mandatory stops count before all others. Rides that
    no stop needs are taken where they cost nothing.
    """
    model = cp_model.CpModel()
    taken = {ride: model.new_bool_var("") for ride in sorted(rides)}
    _add_limits(model, request, taken)
    at: dict[tuple[str, int, int], list[cp_model.IntVar]] = defaultdict(list)
    for (person, vehicle, day), variable in taken.items():
        at[request.specialists[person].service, vehicle, day].append(variable)
    numbers = {v.vehicle_id: k for k, v in enumerate(request.vehicles)}
    visits: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for run in plan.runs:
        for visit in run.visits:
            visits[visit.stop_id].append((numbers[run.vehicle_id], run.day))
    terms, weights = [], []
    asking = [s for s in request.stops if s.services and s.stop_id in visits]
    worth = {s.stop_id: 1 + round(_WEIGHT_GRAIN * s.prize) for s in asking}
    first = 1 + sum(worth.values())
    for stop in asking:
        kept = model.new_bool_var("")
        met = []
        for vehicle, day in visits[stop.stop_id]:
            is_met = model.new_bool_var("")
            met.append(is_met)
            for service in sorted(stop.services):
                model.add(sum(at[service, vehicle, day]) >= is_met)
        model.add(sum(met) >= due_visits(stop, len(met)) * kept)
        terms.append(kept)
        weights.append(first if stop.mandatory else worth[stop.stop_id])
    grain = 1 + len(taken)
    model.maximize(
        sum(grain * w * t for w, t in zip(weights, terms, strict=True))
        - sum(v if narrows(request, ride) else -v for ride, v in taken.items())
    )
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = 1.0
    solver.parameters.max_time_in_seconds = max(0.1, min(_MODEL_S, seconds))
    solver.parameters.catch_sigint_signal = False
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return frozenset()
    return frozenset(ride for ride, variable in taken.items() if solver.value(variable))


def _add_limits(
    model: cp_model.CpModel, request: PlanRequest, taken: dict[Ride, cp_model.IntVar]
) -> None:
    """One ride a day and person, days a week, seats, hours that overlap."""
    days: dict[tuple[int, int], list[cp_model.IntVar]] = defaultdict(list)
    weeks: dict[tuple[int, int], list[cp_model.IntVar]] = defaultdict(list)
    for (person, _, day), variable in taken.items():
        days[person, day].append(variable)
        weeks[person, day // DAYS_PER_WEEK].append(variable)
    for variables in days.values():
        model.add_at_most_one(variables)
    for (person, _), variables in weeks.items():
        limit = request.specialists[person].days_per_week_max
        if limit is not None:
            model.add(sum(variables) <= limit)
    for (vehicle, day), people in riders_by_run(frozenset(taken)).items():
        seats = request.vehicles[vehicle].seats
        if seats is not None:
            model.add(sum(taken[p, vehicle, day] for p in people) <= seats)
        for k, one in enumerate(people):
            for other in people[:k]:
                pair = [request.specialists[one], request.specialists[other]]
                if not have_common_hours(request.vehicles[vehicle], pair):
                    model.add(taken[one, vehicle, day] + taken[other, vehicle, day] <= 1)


def filled(request: PlanRequest, rides: Deal, deal: Deal, rng: np.random.Generator) -> Deal:
    """A deal with every further ride, in drawn order, that breaks no limit and costs no hours."""
    more = sorted(rides - deal)
    free = [r for k in rng.permutation(len(more)) if not narrows(request, r := more[int(k)])]
    book = _Book(request, deal)
    for ride in free:
        book.add_if_free(ride)
    return book.deal()


def _neighbour(
    request: PlanRequest, rides: Deal, best: Valued[Deal, Dealt], rng: np.random.Generator
) -> Deal | None:
    """A ride, or that weekday of all weeks, dropped or taken up; what is in its way gives way."""
    is_block = rng.random() < _BLOCK_RATIO
    if best.choice and rng.random() < _DROP_RATIO:
        drawn = _drawn(sorted(best.choice), rng)
        gone = {r for r in best.choice if r == drawn or (is_block and _is_alike(r, drawn))}
        left = best.choice - gone
        return filled(request, rides - gone, left, rng)
    weights = _wanted(request, best.result.plan)
    people = sorted({person for person, _, _ in rides})
    share = np.array([weights[request.specialists[p].service] for p in people])
    person = people[int(rng.choice(len(people), p=share / share.sum()))]
    more = sorted(r for r in rides - best.choice if r[0] == person)
    if not more:
        return None
    drawn = _drawn(more, rng)
    unit = [r for r in more if r == drawn or (is_block and _is_alike(r, drawn))]
    used = deal_of(request, best.result.plan)
    book = _Book(request, best.choice)
    pushed = [gone for ride in unit for gone in book.force(ride, used, rng) if gone[0] != person]
    for ride in pushed:
        book.settle(ride, rides, rng)
    return filled(request, rides, book.deal(), rng)


def _drawn(rides: list[Ride], rng: np.random.Generator) -> Ride:
    return rides[int(rng.integers(len(rides)))]


def _is_alike(ride: Ride, other: Ride) -> bool:
    """Whether two rides differ in the week alone."""
    return ride[:2] == other[:2] and (ride[2] - other[2]) % DAYS_PER_WEEK == 0


def _wanted(request: PlanRequest, plan: Plan) -> dict[str, float]:
    """How much each service is asked for where it does not come, in prize; never nothing."""
    visited = {v.stop_id for r in plan.runs for v in r.visits}
    left: dict[str, list[float]] = {c: [1.0] for c in services_of(request.specialists)}
    for stop in request.stops:
        if stop.stop_id not in visited:
            for service in stop.services & left.keys():
                left[service].append(stop.prize)
    return {service: fsum(prizes) for service, prizes in left.items()}


class _Book:
    """A deal under change that always keeps its limits."""

    def __init__(self, request: PlanRequest, deal: Deal) -> None:
        self._request = request
        self._rides = set(deal)

    def deal(self) -> Deal:
        return frozenset(self._rides)

    def is_free(self, ride: Ride) -> bool:
        """Whether no other ride is in the way of one."""
        return ride not in self._rides and next(self._in_way(ride), None) is None

    def add_if_free(self, ride: Ride) -> None:
        """Take a ride up unless another is in its way."""
        if self.is_free(ride):
            self._rides.add(ride)

    def force(self, ride: Ride, used: Deal, rng: np.random.Generator) -> list[Ride]:
        """Take a ride up and return what had to go; what nobody needs goes first."""
        gone = []
        while way := next(self._in_way(ride), None):
            idle = [r for r in way if r not in used]
            gone.append(_drawn(sorted(idle or way), rng))
            self._rides.discard(gone[-1])
        self._rides.add(ride)
        return [r for r in gone if r in used]

    def settle(self, gone: Ride, rides: Deal, rng: np.random.Generator) -> None:
        """Find a specialist another place for a ride that he lost, on the same day if there is."""
        same = sorted(r for r in rides if r[0] == gone[0] and r[2] == gone[2] and r != gone)
        week = sorted(
            r
            for r in rides
            if r[0] == gone[0]
            and r[2] != gone[2]
            and r[2] // DAYS_PER_WEEK == gone[2] // DAYS_PER_WEEK
        )
        order = [group[int(k)] for group in (same, week) for k in rng.permutation(len(group))]
        free = next((r for r in order if self.is_free(r)), None)
        if free is not None:
            self._rides.add(free)

    def _in_way(self, ride: Ride) -> Iterator[list[Ride]]:
        """Groups of rides of which one each must go before a ride fits."""
        person, vehicle, day = ride
        same_day = [r for r in self._rides if r[0] == person and r[2] == day]
        if same_day:
            yield same_day
        limit = self._request.specialists[person].days_per_week_max
        week = self._of_week(person, day)
        if limit is not None and len(week) >= limit:
            yield week
        others = [r for r in self._rides if r[1:] == (vehicle, day)]
        people = [self._request.specialists[p] for p in (person, *(r[0] for r in others))]
        if others and not fits(self._request, vehicle, people):
            yield others

    def _of_week(self, person: int, day: int) -> list[Ride]:
        week = day // DAYS_PER_WEEK
        return [r for r in self._rides if r[0] == person and r[2] // DAYS_PER_WEEK == week]
