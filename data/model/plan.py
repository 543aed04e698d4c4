"""The planning request and the plan that answers it.

A ``PlanRequest`` holds everything a plan is judged by; the solver and the checker both read it
and nothing else, so a stored plan can be checked years later without its region.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from data.model.access import Access
from data.model.calendar import Cycle, ServiceCalendar
from data.model.costs import NO_COSTS, Costs
from data.model.crew import Specialist, SpecialistId
from data.model.demand import PrizeBy
from data.model.dwell import DEFAULT_DWELL_WORTH, DwellWorth
from data.model.fleet import CrewRules, RuleSet, RuleSetId, Vehicle, VehicleId
from data.model.learned import LearnedUse
from data.model.pins import NO_PINS, ChangeCap, Pins
from data.model.place import Depot, DepotId, Stop, StopId
from data.model.recurrence import Drop, Recurrence
from data.model.travel import TravelMatrix


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What is to be planned and by which rules.

    Notes
    -----
    ``crew_rules[v]`` are the strictest rules of vehicle ``v``'s sets on the cycle's dates.
    ``travel[v]`` has every depot and stop id as a point; vehicles of one class share a matrix.
    Every visit of a stop starts within ``clock_tolerance_s`` of one nominal clock time, so two
    visits differ by at most twice that.
    """

    region_id: str
    cycle: Cycle
    calendar: ServiceCalendar
    time_zone: str
    depots: tuple[Depot, ...]
    vehicles: tuple[Vehicle, ...]
    stops: tuple[Stop, ...]
    crew_rules: Mapping[VehicleId, CrewRules]
    travel: Mapping[VehicleId, TravelMatrix]
    rule_sets_used: Mapping[VehicleId, tuple[RuleSetId, ...]] = field(default_factory=dict)
    provisional_rules: tuple[RuleSet, ...] = ()
    """Sets whose time ends before the last date and that no named set follows; the plan keeps to
    them all the same."""
    clock_tolerance_s: int = 15 * 60
    meal_window_start_s: int = 11 * 3600
    meal_window_end_s: int = 15 * 3600
    pins: Pins = NO_PINS
    change_cap: ChangeCap | None = None
    specialists: tuple[Specialist, ...] = ()
    prize_by: PrizeBy = PrizeBy.PEOPLE
    learned: LearnedUse | None = None
    """Where travel and the time at stops come from recorded days."""
    dwell_worth: DwellWorth = DEFAULT_DWELL_WORTH
    """What longer opening is worth where stops leave it to the plan."""
    access: Access | None = None
    """Who is far from a library, for measures of fairness; no rule reads it."""
    costs: Costs = NO_COSTS

    def may_run_on(self, vehicle: Vehicle, on: date) -> bool:
        """Whether a vehicle has service on a date, inside the cycle or, if it repeats, beyond."""
        return (
            self.cycle.covers(on)
            and self.calendar.is_working(on)
            and on not in vehicle.off_dates
            and (not vehicle.weekdays or on.weekday() in vehicle.weekdays)
        )

    def lodgings_of(self, vehicle: Vehicle) -> tuple[Depot, ...]:
        """Lodgings where a vehicle may spend a night; none where it spends no night away."""
        if vehicle.max_nights_away == 0:
            return ()
        return tuple(
            d
            for d in self.depots
            if d.is_lodging
            and (not vehicle.lodging_ids or d.depot_id in vehicle.lodging_ids)
            and (d.room_m is None or vehicle.length_m <= d.room_m)
        )

    def prep_s(self, vehicle: Vehicle, place_id: DepotId) -> int:
        """Seconds due between sign-on and leaving a place: a lodging asks for its check alone."""
        return self._check_s(place_id, vehicle.prep_s)

    def closing_s(self, vehicle: Vehicle, place_id: DepotId) -> int:
        """Seconds due between reaching a place and sign-off."""
        return self._check_s(place_id, vehicle.closing_s)

    def _check_s(self, place_id: DepotId, otherwise_s: int) -> int:
        return next(
            (d.check_s for d in self.depots if d.depot_id == place_id and d.is_lodging),
            otherwise_s,
        )

    def working_days(self, vehicle: Vehicle) -> tuple[int, ...]:
        """Cycle days on which a vehicle may run."""
        days = range(self.cycle.num_days)
        return tuple(d for d in days if self.may_run_on(vehicle, self.cycle.date_of(d)))

    def recurrence_of(self, stop: Stop) -> Recurrence | None:
        """The rule that a stop's dates follow; ``None`` where a repeating cycle counts its visits.

        On a dated horizon a stop without a rule gets its visits once in the whole of it.
        """
        if stop.recurrence is not None or self.cycle.repeats:
            return stop.recurrence
        return Recurrence(period_weeks=self.cycle.num_weeks, period_visits=stop.visits_per_cycle)

    def drop_on(self, stop: Stop, on: date) -> Drop | None:
        """Why a date of a stop's rule has no visit; ``None`` where it must have one.

        On a repeating cycle no date is dropped: its days stand for all their repetitions.
        """
        if self.cycle.repeats:
            return None
        own = stop.recurrence.drop_on(on, self.calendar) if stop.recurrence else None
        if own is not None:
            return own
        if not self.calendar.is_working(on):
            return Drop.CLOSED
        able = (v for v in self.vehicles if stop.needs <= v.abilities)
        return None if any(self.may_run_on(v, on) for v in able) else Drop.NO_VEHICLE


@dataclass(frozen=True, slots=True, kw_only=True)
class StopVisit:
    """One opening of one vehicle at one stop.

    ``arrival_s`` to ``departure_s`` is the vehicle at the place; the doors are open from
    ``start_s`` to ``end_s``. ``drive_s`` and ``drive_m`` belong to the leg that leads here.
    """

    stop_id: StopId
    arrival_s: int
    start_s: int
    end_s: int
    departure_s: int
    drive_s: int
    drive_m: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Meal:
    """A meal break, taken parked at the place of the visit before it."""

    start_s: int
    end_s: int
    after_visit: int
    """Index of the visit of the run after which it is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One vehicle on one cycle day, depot to depot; a tour's runs start or end at lodgings."""

    vehicle_id: VehicleId
    day: int
    sign_on_s: int
    depart_s: int
    visits: tuple[StopVisit, ...]
    return_s: int
    sign_off_s: int
    return_drive_s: int
    return_drive_m: int
    meal: Meal | None = None
    specialist_ids: tuple[SpecialistId, ...] = ()
    """Who rides along, in the order of the request."""
    start_depot_id: DepotId | None = None
    """Where the run starts; ``None`` means where the vehicle's runs always do."""
    end_depot_id: DepotId | None = None

    def ends(self, vehicle: Vehicle) -> tuple[DepotId, DepotId]:
        """Where the run starts and where it ends."""
        return (
            self.start_depot_id or vehicle.depot_id,
            self.end_depot_id or vehicle.end_depot_id or vehicle.depot_id,
        )

    @property
    def drive_s(self) -> int:
        return sum(v.drive_s for v in self.visits) + self.return_drive_s

    @property
    def drive_m(self) -> int:
        return sum(v.drive_m for v in self.visits) + self.return_drive_m

    @property
    def open_s(self) -> int:
        return sum(v.end_s - v.start_s for v in self.visits)

    @property
    def work_s(self) -> int:
        meal_s = self.meal.end_s - self.meal.start_s if self.meal else 0
        return self.sign_off_s - self.sign_on_s - meal_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A stop that the plan leaves out, with a reason code and its facts."""

    stop_id: StopId
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How a plan came to be, so that it can be made again."""

    problem_hash: str
    seed: int
    parameters: Mapping[str, Any]
    versions: Mapping[str, str]
    travel_source: str
    is_estimated: bool
    solve_seconds: float
    stopped_by: str
    """``work_limit``, ``time_limit``, ``cancelled`` or ``complete``."""
    bound: float | None = None
    """Upper bound on the prize that any plan can collect; ``None`` if none was proved."""
    bound_kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Runs of a cycle that keep every rule of the request, and what was left out."""

    runs: tuple[Run, ...]
    unserved: tuple[Unserved, ...] = ()
    provenance: Provenance | None = None

    def days_of(self, stop_id: StopId) -> tuple[int, ...]:
        """Cycle days on which a stop is visited, ascending."""
        return tuple(sorted(r.day for r in self.runs for v in r.visits if v.stop_id == stop_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A broken rule: its code and amounts (ids, days, found, limit)."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
