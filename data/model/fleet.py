"""Vehicles and the working-time rules of their crews."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import NewType

from data.model.costs import FuelKind
from data.model.place import DepotId

VehicleId = NewType("VehicleId", str)
RuleSetId = NewType("RuleSetId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A bookmobile, its size, abilities and working days.

    The duty window bounds sign-on and sign-off; preparation lies between sign-on and leaving the
    depot, closing between return and sign-off.
    """

    vehicle_id: VehicleId
    name: str
    depot_id: DepotId
    end_depot_id: DepotId | None = None
    """Where runs end; ``None`` means where they start."""
    height_m: float = 3.4
    width_m: float = 2.5
    length_m: float = 9.5
    weight_kg: float = 10_500.0
    axle_load_kg: float = 6_500.0
    avoid_unpaved: bool = False
    abilities: frozenset[str] = frozenset()
    weekdays: frozenset[int] = frozenset()
    """Working weekdays, Monday is 0; empty means every working day of the calendar."""
    off_dates: frozenset[date] = frozenset()
    """Service and inspection days."""
    duty_start_s: int = 8 * 3600
    duty_end_s: int = 18 * 3600
    prep_s: int = 20 * 60
    closing_s: int = 20 * 60
    max_stops_per_run: int | None = None
    seats: int | None = None
    """Seats for specialists, beside the driver and the librarian; ``None`` sets no limit."""
    rule_set_ids: tuple[RuleSetId, ...] = ()
    fuel: FuelKind | None = None
    fuel_per_100km: float | None = None
    """Litres, kilograms (gas) or kilowatt-hours for 100 km; ``None`` is not known."""
    max_nights_away: int = 0
    """Most nights in a row that the vehicle spends at lodgings; 0 brings it home every evening."""
    lodging_ids: frozenset[DepotId] = frozenset()
    """Lodgings that it may use; empty means any that it fits."""

    def __post_init__(self) -> None:
        if self.max_nights_away < 0:
            raise ValueError(f"vehicle {self.vehicle_id}: negative number of nights")
        if not 0 <= self.duty_start_s < self.duty_end_s:
            raise ValueError(f"vehicle {self.vehicle_id}: duty ends before it starts")
        if self.prep_s < 0 or self.closing_s < 0:
            raise ValueError(f"vehicle {self.vehicle_id}: negative time")
        if self.seats is not None and self.seats < 0:
            raise ValueError(f"vehicle {self.vehicle_id}: negative seats")
        if self.fuel_per_100km is not None and not self.fuel_per_100km >= 0:
            raise ValueError(f"vehicle {self.vehicle_id}: fuel use {self.fuel_per_100km} below 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewRules:
    """Limits on driving, work and rest, in seconds; ``None`` sets no limit.

    ``break_split_s`` are the parts, in order, into which a break may be divided.
    ``rest_shift_ratio`` asks rest plus meal to be at least that many times the shift before it.
    Work is sign-on to sign-off less the meal; a stop counts as work.
    """

    drive_daily_max_s: int | None = None
    drive_extended_max_s: int | None = None
    drive_extended_per_week: int | None = None
    drive_week_max_s: int | None = None
    drive_two_week_max_s: int | None = None
    drive_continuous_max_s: int | None = None
    break_s: int | None = None
    break_split_s: tuple[int, ...] = ()
    shift_max_s: int | None = None
    meal_after_s: int | None = None
    """A shift whose work is longer than this needs a meal break."""
    meal_min_s: int | None = None
    meal_max_s: int | None = None
    daily_rest_s: int | None = None
    rest_shift_ratio: float | None = None
    week_work_max_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A named rule set with its validity, source and mark.

    ``mark`` is V (read in the primary text), S (secondary source), U (unverified), D (default of
    this project), C (computed).
    """

    rule_set_id: RuleSetId
    name: str
    rules: CrewRules
    source: str = ""
    mark: str = "U"
    valid_from: date | None = None
    valid_to: date | None = None
    """Exclusive: the set no longer holds on this date."""
    parameter_marks: Mapping[str, str] = field(default_factory=dict)
    """Marks of single parameters of ``rules`` that differ from the set's own."""

    def is_valid_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day < self.valid_to
        )


_LEAST_IS_STRICTEST = frozenset(
    {
        "drive_daily_max_s",
        "drive_extended_max_s",
        "drive_extended_per_week",
        "drive_week_max_s",
        "drive_two_week_max_s",
        "drive_continuous_max_s",
        "shift_max_s",
        "meal_after_s",
        "meal_max_s",
        "week_work_max_s",
    }
)


def strictest(sets: Iterable[CrewRules]) -> CrewRules:
    """The rules that satisfy every given set: the strictest value of each parameter.

    A daily extension of driving counts only if every set with a daily limit grants one. A split
    break counts only if every set with a break grants the same split.
    """
    rules = list(sets)
    chosen: dict[str, object] = {}
    for parameter in fields(CrewRules):
        name = parameter.name
        if name == "break_split_s":
            continue
        values = [v for v in (getattr(r, name) for r in rules) if v is not None]
        if values:
            chosen[name] = min(values) if name in _LEAST_IS_STRICTEST else max(values)
    limiting = [r for r in rules if r.drive_daily_max_s is not None]
    if any(r.drive_extended_max_s is None for r in limiting):
        chosen["drive_extended_max_s"] = None
        chosen["drive_extended_per_week"] = None
    with_break = [r for r in rules if r.break_s is not None]
    strictest_break = [r for r in with_break if r.break_s == chosen.get("break_s")]
    splits = {r.break_split_s for r in strictest_break}
    chosen["break_split_s"] = splits.pop() if len(splits) == 1 else ()
    return CrewRules(**chosen)  # type: ignore[arg-type]
