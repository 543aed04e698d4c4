"""The search's own statement of a problem: flat arrays, their checks and their digest.

Nothing here knows of stops' names, dates or rule sets: ``planner.compile`` translates a
``PlanRequest`` into a ``Problem``, the benchmark readers translate published instances.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

NO_ROAD = 1e9
"""Travel time and cost where no road leads; the search refuses such legs."""
NO_LIMIT = float("inf")
MAX_BREAK_PARTS = 2

_OF_LEVELS = ("slot_extra", "option_extra", "option_gain")

Slot = tuple[int, float, float]
"""One visit: (cycle day, earliest start, latest start); the start is that of the occupied time."""
Level = tuple[float, float]
"""How much longer than the least the visits of an option are, and the prize that this brings."""
NO_EXTRA: Level = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleDay:
    """One vehicle on one day: where its run starts and ends and what it may last.

    Times share one unit with the travel times. ``max_work`` bounds sign-on to sign-off less the
    meal; with no preparation, closing and meal it is the plain duration of a route, waiting
    included (the start is as late as possible). ``duty_lo`` and ``duty_hi`` bound sign-on and
    sign-off. ``fixed_cost`` is added, in cost units, where the vehicle-day is used.
    """

    vehicle: int
    day: int
    start_node: int
    end_node: int
    travel_class: int = 0
    capacity: float = NO_LIMIT
    max_work: float = NO_LIMIT
    max_drive: float = NO_LIMIT
    max_stops: int | None = None
    duty_lo: float = 0.0
    duty_hi: float = NO_LIMIT
    prep: float = 0.0
    closing: float = 0.0
    fixed_cost: float = 0.0
    meal_after: float = NO_LIMIT
    """Work beyond which one meal is due; ``NO_LIMIT`` asks for none."""
    meal_min: float = 0.0
    meal_max: float = 0.0
    meal_lo: float = 0.0
    meal_hi: float = NO_LIMIT
    """The whole meal lies between ``meal_lo`` and ``meal_hi``."""
    drive_continuous: float = NO_LIMIT
    break_length: float = 0.0
    break_parts: tuple[float, ...] = ()
    week: int = -1
    """Row of the week limits that the day counts for; -1 counts for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Limits on the sums of one vehicle's week; ``next_week`` is the week after, past the seam."""

    next_week: int
    max_work: float = NO_LIMIT
    max_drive: float = NO_LIMIT
    max_drive_with_next: float = NO_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A periodic, selective vehicle routing problem with windows and crew rules.

    Notes
    -----
    Nodes are the stops ``0 … n-1`` followed by the depot nodes. ``cost[c, i, j]`` (what is
    minimised) and ``time[c, i, j]`` (driving time) are of travel class ``c``.

    A *slot* is one possible visit of a stop (day, earliest start, latest start); an *option* is a
    set of slots, all to be visited. Slots ``slot_ptr[s]:slot_ptr[s+1]`` and options
    ``option_ptr[s]:option_ptr[s+1]`` belong to stop ``s``; option ``o`` consists of the slots
    ``option_slot[option_slot_ptr[o]:option_slot_ptr[o+1]]``.

    Visits of a stop with several visits start within ``clock_tolerance[s]`` of one nominal time
    (infinite: no such rule), which is a multiple of ``clock_grid``.

    Objective, lexicographic: fewest mandatory stops unserved, most prize collected, then least
    cost of travel plus ``fixed_cost`` of used vehicle-days.
    """

    cost: Floats
    time: Floats
    occupied: Floats
    demand: Floats
    prize: Floats
    mandatory: Bools
    slot_ptr: Ints
    slot_day: Ints
    slot_lo: Floats
    slot_hi: Floats
    option_ptr: Ints
    option_slot_ptr: Ints
    option_slot: Ints
    clock_tolerance: Floats
    clock_grid: float
    may_serve: Bools
    """Shape (stops, vehicles)."""
    runs: tuple[VehicleDay, ...]
    weeks: tuple[Week, ...]
    slot_extra: Floats
    """Time beyond ``occupied`` that a visit in the slot holds the vehicle."""
    option_extra: Floats
    """The same of each option: all its slots have it; a stop's options ascend in it."""
    option_gain: Floats
    """Prize that an option collects beyond the stop's own, also where the stop is mandatory."""

    @property
    def has_levels(self) -> bool:
        """Whether any stop leaves the length of its visits to the search."""
        return bool(self.option_extra.any())

    @property
    def levels_come_last(self) -> bool:
        """Whether all that longer stays bring is worth less than any optional stop."""
        optional = self.prize[(~self.mandatory) & (self.prize > 0)]
        return self.has_levels and bool(self.most_gain().sum() < optional.min(initial=NO_LIMIT))

    def most_gain(self) -> Floats:
        """Per stop the greatest gain of its options."""
        most = np.zeros(self.num_stops)
        np.maximum.at(
            most, np.repeat(np.arange(self.num_stops), np.diff(self.option_ptr)), self.option_gain
        )
        return most

    @property
    def num_stops(self) -> int:
        return len(self.occupied)

    @property
    def num_nodes(self) -> int:
        return int(self.cost.shape[1])

    @property
    def num_runs(self) -> int:
        """Number of vehicle-days."""
        return len(self.runs)

    @property
    def num_days(self) -> int:
        days = [r.day for r in self.runs] + [int(d) for d in self.slot_day]
        return max(days) + 1 if days else 0

    def options_of(self, stop: int) -> tuple[tuple[Slot, ...], ...]:
        """The options of a stop, as they were given."""
        return tuple(
            self.slots_of_option(o)
            for o in range(int(self.option_ptr[stop]), int(self.option_ptr[stop + 1]))
        )

    def slots_of_option(self, option: int) -> tuple[Slot, ...]:
        """The slots of one option (index over all stops)."""
        chosen = self.option_slot[self.option_slot_ptr[option] : self.option_slot_ptr[option + 1]]
        return tuple(
            (int(self.slot_day[q]), float(self.slot_lo[q]), float(self.slot_hi[q])) for q in chosen
        )

    def digest(self) -> str:
        """SHA-256 of everything that the search reads, as hexadecimal text."""
        sha = hashlib.sha256()
        for item in fields(self):
            # Problems with one length of stay at each stop keep the digest that they always had.
            if item.name in _OF_LEVELS and not self.has_levels:
                continue
            value = getattr(self, item.name)
            sha.update(item.name.encode())
            if isinstance(value, np.ndarray):
                sha.update(f"{value.dtype.str}{value.shape}".encode())
                sha.update(np.ascontiguousarray(value).tobytes())
            else:
                sha.update(repr(value).encode())
        return sha.hexdigest()


def build_problem(
    *,
    cost: Floats,
    time: Floats,
    options: Sequence[Sequence[Sequence[Slot]]],
    runs: Sequence[VehicleDay],
    occupied: Sequence[float] | Floats,
    demand: Sequence[float] | Floats | None = None,
    prize: Sequence[float] | Floats | None = None,
    mandatory: Sequence[bool] | Bools | None = None,
    clock_tolerance: Sequence[float] | Floats | None = None,
    clock_grid: float = 1.0,
    may_serve: Bools | None = None,
    weeks: Sequence[Week] = (),
    levels: Sequence[Sequence[Level]] | None = None,
) -> Problem:
    """A checked ``Problem`` from lists and matrices.

    Parameters
    ----------
    cost, time
        Shape (nodes, nodes) or (classes, nodes, nodes); unreachable cells are ``NO_ROAD`` or
        infinite.
    options
        Per stop its options, each a list of slots on different days. A stop with no option stays
        unserved.
    runs
        The vehicle-days.
    prize, mandatory
        Default: no prize, every stop mandatory.
    levels
        Per stop and option the time beyond ``occupied`` and the prize that it brings; a stop's
        options stand in order of that time. Default: none for all.

    Raises
    ------
    ValueError
        If shapes, indices or signs do not fit.
    """
    costs, times = _stack(cost), _stack(time)
    n = len(options)
    num_vehicles = 1 + max((r.vehicle for r in runs), default=-1)
    flat = [v for own in levels for v in own] if levels else [NO_EXTRA] * sum(map(len, options))
    if levels and [len(o) for o in options] != [len(v) for v in levels]:
        raise ValueError("levels do not match the options")
    index = _index_options(options, flat)
    slots, option_slots, slot_ptr, option_ptr, option_slot_ptr = index
    problem = Problem(
        cost=costs,
        time=times,
        occupied=_floats(occupied, n, "occupied"),
        demand=_floats(np.zeros(n) if demand is None else demand, n, "demand"),
        prize=_floats(np.zeros(n) if prize is None else prize, n, "prize"),
        mandatory=np.ones(n, np.bool_) if mandatory is None else np.asarray(mandatory, np.bool_),
        slot_ptr=np.array(slot_ptr, np.int32),
        slot_day=np.array([s[0] for s, _ in slots], np.int32),
        slot_lo=np.array([s[1] for s, _ in slots], np.float64),
        slot_hi=np.array([s[2] for s, _ in slots], np.float64),
        option_ptr=np.array(option_ptr, np.int32),
        option_slot_ptr=np.array(option_slot_ptr, np.int32),
        option_slot=np.array(option_slots, np.int32),
        clock_tolerance=_floats(
            np.full(n, np.inf) if clock_tolerance is None else clock_tolerance,
            n,
            "clock_tolerance",
        ),
        clock_grid=clock_grid,
        may_serve=np.ones((n, num_vehicles), np.bool_)
        if may_serve is None
        else np.asarray(may_serve, np.bool_),
        runs=tuple(runs),
        weeks=tuple(weeks),
        slot_extra=np.array([extra for _, extra in slots], np.float64),
        option_extra=_floats([extra for extra, _ in flat], len(flat), "extra time"),
        option_gain=_floats([gain for _, gain in flat], len(flat), "gain"),
    )
    _check(problem)
    return problem


def _stack(matrix: Floats) -> Floats:
    stacked = np.array(matrix, np.float64, copy=True)
    if stacked.ndim == 2:
        stacked = stacked[None]
    if stacked.ndim != 3 or stacked.shape[1] != stacked.shape[2]:
        raise ValueError(f"a travel matrix is square, this one has shape {stacked.shape}")
    if np.isnan(stacked).any() or (stacked < 0).any():
        raise ValueError("a travel matrix holds negative or missing values")
    return np.minimum(stacked, NO_ROAD)


def _floats(values: Sequence[float] | Floats, n: int, name: str) -> Floats:
    array = np.asarray(values, np.float64)
    if array.shape != (n,):
        raise ValueError(f"{name} has shape {array.shape}, stops are {n}")
    if np.isnan(array).any() or (array < 0).any():
        raise ValueError(f"{name} holds negative or missing values")
    return array


def _index_options(
    options: Sequence[Sequence[Sequence[Slot]]], levels: Sequence[Level]
) -> tuple[list[tuple[Slot, float]], list[int], list[int], list[int], list[int]]:
    """Number the distinct slots and stays of every stop and write options as slot numbers."""
    slots: list[tuple[Slot, float]] = []
    option_slots: list[int] = []
    slot_ptr, option_ptr, option_slot_ptr = [0], [0], [0]
    for stop, stop_options in enumerate(options):
        number: dict[tuple[Slot, float], int] = {}
        for option in stop_options:
            extra = levels[len(option_slot_ptr) - 1][0]
            if not option or len({day for day, _, _ in option}) != len(option):
                raise ValueError(f"stop {stop}: an option is empty or visits one day twice")
            for slot in option:
                if (slot, extra) not in number:
                    number[slot, extra] = len(slots)
                    slots.append((slot, extra))
                option_slots.append(number[slot, extra])
            option_slot_ptr.append(len(option_slots))
        slot_ptr.append(len(slots))
        option_ptr.append(len(option_slot_ptr) - 1)
    return slots, option_slots, slot_ptr, option_ptr, option_slot_ptr


def _check(problem: Problem) -> None:
    n, nodes = problem.num_stops, problem.num_nodes
    if problem.cost.shape != problem.time.shape:
        raise ValueError(f"cost is {problem.cost.shape}, time is {problem.time.shape}")
    if nodes < n:
        raise ValueError(f"{nodes} nodes for {n} stops")
    if problem.mandatory.shape != (n,):
        raise ValueError(f"mandatory has shape {problem.mandatory.shape}, stops are {n}")
    num_vehicles = 1 + max((r.vehicle for r in problem.runs), default=-1)
    if problem.may_serve.shape != (n, num_vehicles):
        raise ValueError(f"may_serve is {problem.may_serve.shape}, not {(n, num_vehicles)}")
    for stop in range(n):
        extra = problem.option_extra[problem.option_ptr[stop] : problem.option_ptr[stop + 1]]
        if (np.diff(extra) < 0).any():
            raise ValueError(f"stop {stop}: lengths of stay do not ascend")
    if (problem.slot_hi < problem.slot_lo).any():
        raise ValueError("a slot ends before it starts")
    if not problem.clock_grid > 0:
        raise ValueError(f"clock grid {problem.clock_grid} is not positive")
    if (problem.slot_day < 0).any():
        raise ValueError("a slot has a negative day")
    for run in problem.runs:
        if not (n <= run.start_node < nodes and n <= run.end_node < nodes):
            raise ValueError(f"vehicle-day starts or ends at no depot node: {run}")
        if not 0 <= run.travel_class < problem.cost.shape[0] or run.day < 0 or run.vehicle < 0:
            raise ValueError(f"vehicle-day out of range: {run}")
        if len(run.break_parts) > MAX_BREAK_PARTS:
            raise ValueError(f"a break has at most {MAX_BREAK_PARTS} parts: {run}")
        if not -1 <= run.week < len(problem.weeks):
            raise ValueError(f"vehicle-day counts for no known week: {run}")
    if any(not 0 <= w.next_week < len(problem.weeks) for w in problem.weeks):
        raise ValueError("a week is followed by no known week")


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Routes of all vehicle-days and what they leave out.

    Notes
    -----
    ``routes[r]`` are the stops of vehicle-day ``r`` in order. ``option[s]`` is the chosen option
    (index over all stops) or -1; ``anchor[s]`` the nominal start of a stop with several visits,
    ``nan`` where no such rule applies.
    """

    routes: tuple[tuple[int, ...], ...]
    option: tuple[int, ...]
    anchor: tuple[float, ...]
    unserved: tuple[int, ...]
    mandatory_unserved: int
    prize: float
    """Prize collected."""
    cost: float
    """Travel cost plus fixed cost of used vehicle-days."""
    stopped_by: str
    stats: dict[str, Any] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[int, float, float]:
        """Lexicographic order of solutions of one problem: smaller is better."""
        return (self.mandatory_unserved, -self.prize, self.cost)
