"""Neighbours of a configuration of nights: tours added, taken out, moved, built anew, repeated."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from data.model.calendar import DAYS_PER_WEEK
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.place import Depot
from data.model.plan import Plan, PlanRequest, Run
from data.model.travel import UNREACHABLE
from planner.alone import longest_work_s
from planner.nights import Config, allowed, free_nights

FIRST_BATCH = 8
"""Tours that are added at once as long as that helps."""
_ADD_RATIO, _REBUILD_RATIO, _COPY_RATIO = 0.35, 0.3, 0.15
"""Shares of the moves; the rest take a night or a tour out, and half of them put another in."""
_ANY_RATIO = 0.25
"""Share of additions that are drawn whatever they seem to be worth."""
_GO_ON_RATIO = 0.75
"""Chance that a week that is built anew gets one more tour."""
_NOISE = (0.6, 1.6)


@dataclass(frozen=True, slots=True)
class _Block:
    """Nights that are added together, and how much they seem to be worth, in seconds."""

    nights: Config
    worth: float


class Moves:
    """Neighbours of a configuration; how many tours are added at once follows what helped.

    Parameters
    ----------
    fixed
        Nights that every configuration holds.
    """

    def __init__(self, request: PlanRequest, fixed: Config) -> None:
        self._request = request
        self._fixed = fixed
        self._near = {v.vehicle_id: _Near(request, v) for v in request.vehicles}
        self._free = {v.vehicle_id: set(free_nights(request, v)) for v in request.vehicles}
        self._batch = FIRST_BATCH
        self._proposed: Config | None = None

    def neighbour(
        self, now: Config, plan: Plan, accepted: Config, rng: np.random.Generator
    ) -> Config | None:
        """A configuration near ``now``, the nights of ``plan``, or ``None``.

        ``accepted`` is the configuration that was valued last and found to be best.
        """
        if self._proposed is not None and accepted != self._proposed:
            self._batch = max(1, self._batch // 2)
        self._proposed = None
        value = _Value(self._request, plan)
        loose = sorted(now - self._fixed)
        draw = float(rng.random())
        if not loose or draw < _ADD_RATIO:
            self._proposed = self._added(value, now, self._batch, rng)
            return self._proposed
        draw -= _ADD_RATIO
        if draw < _REBUILD_RATIO:
            return self._rebuilt(value, now, rng)
        vehicle, day, _ = loose[int(rng.integers(len(loose)))]
        if draw - _REBUILD_RATIO < _COPY_RATIO:
            return self._copied(now, vehicle, day, rng)
        gone = _tour(now, vehicle, day) if rng.random() < 0.5 else {day}
        less = now - {n for n in now - self._fixed if n[0] == vehicle and n[1] in gone}
        return less if rng.random() < 0.5 else self._added(value, less, 1, rng)

    def _added(
        self, value: "_Value", config: Config, most: int, rng: np.random.Generator
    ) -> Config | None:
        """The configuration with the most promising tours that fit into it, ``None`` without."""
        blocks = list(self._blocks(config, value))
        if not blocks:
            return None
        if rng.random() < _ANY_RATIO:
            wider = config | blocks[int(rng.integers(len(blocks)))].nights
            return wider if self._fits(wider) else None
        added, num = config, 0
        for block in _shuffled(blocks, rng):
            if num >= most or (num and block.worth <= 0):
                break
            wider = added | block.nights
            if len(wider) > len(added) and self._fits(wider):
                added, num = wider, num + 1
        return added if num else None

    def _rebuilt(self, value: "_Value", now: Config, rng: np.random.Generator) -> Config | None:
        """The nights of one vehicle's week built anew, tour by tour."""
        vehicles = [v.vehicle_id for v in self._request.vehicles if self._free[v.vehicle_id]]
        vehicle = vehicles[int(rng.integers(len(vehicles)))]
        week = int(rng.integers(self._request.cycle.num_weeks))
        held = now - self._fixed
        config = now - {n for n in held if n[0] == vehicle and n[1] // DAYS_PER_WEEK == week}
        while True:
            blocks = [
                b
                for b in self._blocks(config, value)
                if all(v == vehicle and d // DAYS_PER_WEEK == week for v, d, _ in b.nights)
                and self._fits(config | b.nights)
            ]
            if not blocks:
                return config
            is_any = rng.random() < 2 * _ANY_RATIO
            at = int(rng.integers(len(blocks))) if is_any else 0
            config |= (blocks if is_any else _shuffled(blocks, rng))[at].nights
            if rng.random() > _GO_ON_RATIO:
                return config

    def _copied(
        self, now: Config, vehicle: VehicleId, day: int, rng: np.random.Generator
    ) -> Config | None:
        """The nights of a vehicle's week in another week too, or in all."""
        num_weeks = self._request.cycle.num_weeks
        if num_weeks == 1:
            return None
        week = day // DAYS_PER_WEEK
        others = [w for w in range(num_weeks) if w != week]
        if rng.random() < 0.5:
            others = [others[int(rng.integers(len(others)))]]
        config = now
        for other in others:
            gone = {
                n
                for n in config - self._fixed
                if n[0] == vehicle and n[1] // DAYS_PER_WEEK == other
            }
            shift = (other - week) * DAYS_PER_WEEK
            added = {
                (v, d + shift, place)
                for v, d, place in now
                if v == vehicle
                and d // DAYS_PER_WEEK == week
                and (d + shift, place) in self._free[v]
            }
            config = (config - gone) | added
        return config if self._fits(config) else None

    def _fits(self, config: Config) -> bool:
        """Whether there is one place a night and no more nights in a row than are allowed."""
        nights = {(v, d) for v, d, _ in config}
        return len(nights) == len(config) and allowed(self._request, config) == config

    def _blocks(self, config: Config, value: "_Value") -> Iterator[_Block]:
        """Tours of one and of several nights at one lodging, once or in the rhythm of stops."""
        taken = {(v, d) for v, d, _ in config}
        num_days = self._request.cycle.num_days
        rhythms = sorted(
            {s.visits_per_cycle for s in self._request.stops if num_days % s.visits_per_cycle == 0}
            | {1}
        )
        for vehicle in self._request.vehicles:
            near = self._near[vehicle.vehicle_id]
            free = {
                n for n in self._free[vehicle.vehicle_id] if (vehicle.vehicle_id, n[0]) not in taken
            }
            for lodging in self._request.lodgings_of(vehicle):
                place = lodging.depot_id
                for length in range(1, vehicle.max_nights_away + 1):
                    for times in rhythms:
                        gain = near.reachable(value, lodging, length, times)
                        for first in sorted({d for d, p in free if p == place}):
                            step = num_days // times
                            nights = frozenset(
                                (vehicle.vehicle_id, first + at + k, place)
                                for at in range(0, num_days - first, step)
                                for k in range(length)
                                if (first + at + k, place) in free
                            )
                            if first < step and len(nights) >= length:
                                worth = near.worth(value, nights, lodging, gain)
                                yield _Block(nights=nights, worth=worth)


def _shuffled(blocks: list[_Block], rng: np.random.Generator) -> list[_Block]:
    """The most promising blocks first, with some noise."""
    noise = rng.uniform(*_NOISE, len(blocks))
    order = sorted(
        (-b.worth * (n if b.worth > 0 else 1 / n), k)
        for k, (b, n) in enumerate(zip(blocks, noise, strict=True))
    )
    return [blocks[k] for _, k in order]


def _tour(config: Config, vehicle: VehicleId, day: int) -> set[int]:
    """The nights in a row of which a night is one."""
    days = {d for v, d, _ in config if v == vehicle}
    row = {day}
    for step in (-1, 1):
        at = day + step
        while at in days:
            row.add(at)
            at += step
    return row


class _Value:
    """What a plan's days are worth: prizes served, seconds of work a prize takes, what is left."""

    def __init__(self, request: PlanRequest, plan: Plan) -> None:
        stops = {s.stop_id: s for s in request.stops}
        visited = {v.stop_id for r in plan.runs for v in r.visits}
        self.runs: dict[tuple[VehicleId, int], Run] = {(r.vehicle_id, r.day): r for r in plan.runs}
        highest = 1.0 + max((s.prize for s in request.stops), default=0.0)
        self.left = [s for s in request.stops if s.stop_id not in visited]
        self.prize = {s.stop_id: s.prize + (highest if s.mandatory else 0.0) for s in request.stops}
        self.of_day = {
            key: fsum(self.prize[v.stop_id] / stops[v.stop_id].visits_per_cycle for v in run.visits)
            for key, run in self.runs.items()
        }
        work_s = sum(r.work_s for r in plan.runs)
        served = fsum(self.of_day.values())
        self.per_prize_s = work_s / served if served > 0 else 1.0


class _Near:
    """What a vehicle finds near lodgings: legs, hops between stops, the length of its days."""

    def __init__(self, request: PlanRequest, vehicle: Vehicle) -> None:
        self._request = request
        self._vehicle = vehicle
        self._matrix = request.travel[vehicle.vehicle_id]
        self._work_s = longest_work_s(
            vehicle, request.crew_rules.get(vehicle.vehicle_id, CrewRules())
        )
        self._index = {s.stop_id: k for k, s in enumerate(request.stops)}
        rows = [self._matrix.index[str(s.stop_id)] for s in request.stops]
        legs = self._matrix.travel_s[np.ix_(rows, rows)].astype(np.float64)
        legs[legs == UNREACHABLE] = np.inf
        np.fill_diagonal(legs, np.inf)
        nearest = legs.min(axis=1, initial=np.inf)
        self._hop_s: NDArray[np.float64] = np.where(np.isfinite(nearest), nearest, 0.0)

    def _leg_s(self, origin: str, target: str) -> float:
        seconds = self._matrix.seconds(str(origin), str(target))
        return np.inf if seconds == UNREACHABLE else float(seconds)

    def reachable(self, value: _Value, lodging: Depot, length: int, times: int) -> float:
        """Prize of unserved stops that so many nights at a lodging may reach, by a greedy count."""
        vehicle, place = self._vehicle, lodging.depot_id
        home = vehicle.end_depot_id or vehicle.depot_id
        room_s = float((length + 1) * self._work_s) - 2 * length * lodging.check_s
        room_s -= vehicle.prep_s + vehicle.closing_s
        most = (vehicle.max_stops_per_run or len(value.left)) * (length + 1)
        costs = []
        for stop in value.left:
            if stop.visits_per_cycle != times or not stop.needs <= vehicle.abilities:
                continue
            there_s = self._leg_s(place, stop.stop_id)
            cost_s = stop.occupied_s + min(self._hop_s[self._index[stop.stop_id]], 2 * there_s)
            # On its way from or to the base the tour also passes stops far from the lodging.
            way_s = self._leg_s(vehicle.depot_id, stop.stop_id) + there_s
            way_s -= self._leg_s(vehicle.depot_id, place)
            costs.append((value.prize[stop.stop_id], cost_s, min(there_s, max(0.0, way_s)), stop))
        room_s -= self._leg_s(vehicle.depot_id, place) + self._leg_s(place, home)
        gained, num = 0.0, 0
        for prize, cost_s, aside_s, _ in sorted(
            costs, key=lambda c: (-c[0] / (c[1] + c[2] + 1.0), c[3].stop_id)
        ):
            taken_s = cost_s + aside_s / 2
            if taken_s <= room_s and num < most:
                room_s -= taken_s
                gained += prize
                num += 1
        return gained

    def worth(self, value: _Value, nights: Config, lodging: Depot, gain: float) -> float:
        """Worth of nights in seconds: new people for those of these days, or driving saved."""
        vehicle, place = self._vehicle, lodging.depot_id
        home = vehicle.end_depot_id or vehicle.depot_id
        days = {d for _, d, _ in nights} | {d + 1 for _, d, _ in nights}
        lost = fsum(value.of_day.get((vehicle.vehicle_id, d), 0.0) for d in sorted(days))
        saved_s = 0.0
        for _, day, _ in sorted(nights):
            run = value.runs.get((vehicle.vehicle_id, day))
            after = value.runs.get((vehicle.vehicle_id, day + 1))
            if run is None or after is None:
                continue
            last, first = run.visits[-1].stop_id, after.visits[0].stop_id
            saved_s += self._leg_s(last, home) + self._leg_s(vehicle.depot_id, first)
            saved_s -= self._leg_s(last, place) + self._leg_s(place, first)
        cost_s = float(len(nights) * lodging.night_cost_s)
        return max((gain - lost) * value.per_prize_s, saved_s) - cost_s
