"""What a person asks to be fixed, in text, as the pins of a request."""

import re
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches

from data.model.calendar import HOUR_S, MINUTE_S, Cycle
from data.model.errors import InputError
from data.model.fleet import Vehicle, VehicleId
from data.model.pins import Forbidden, KeptRun, KeptVisit, Pins, VisitPin
from data.model.place import StopId
from data.model.plan import Plan, PlanRequest
from planner.capped import cap_changes

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PIN = re.compile(r"(.+)@(.+):(\d{4}-\d{2}-\d{2})(?:T(\d{1,2}):(\d{2}))?")
_KEEP = re.compile(r"(?:(.+):)?(\d{4}-\d{2}-\d{2})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_FORBID = re.compile(r"(.+)@(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is to be fixed, as written, and the plan to go on from with its request."""

    pin: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    max_changes: int | None = None
    """Most published times of the earlier plan that may change; ``None`` is no cap."""
    earlier: tuple[PlanRequest, Plan] | None = None
    dwell: str | None = None
    """Least and longest open minutes of every stop, as ``30-90``."""

    @property
    def start(self) -> Plan | None:
        return None if self.earlier is None else self.earlier[1]


NO_WISHES = Wishes()


def with_pins(request: PlanRequest, wishes: Wishes) -> PlanRequest:
    """The request with the wishes as its pins and its cap on changes.

    Stops and vehicles go by id or by name.

    Raises
    ------
    InputError
        ``pins.bad_pin``, ``pins.bad_keep``, ``pins.bad_forbid``, ``pins.unknown_stop``,
        ``pins.stop_not_unique``, ``pins.unknown_vehicle``, ``pins.outside_cycle``,
        ``pins.keep_needs_start``, ``pins.kept_stop_gone``, ``pins.cap_needs_start``,
        ``pins.other_cycle``, ``pins.other_dates``.
    """
    if wishes.earlier is not None and (wishes.keep or wishes.max_changes is not None):
        _check_alike(wishes.earlier[0].cycle, request.cycle)
    pins = Pins(
        visits=tuple(_pin(request, text) for text in wishes.pin),
        kept=tuple(k for text in wishes.keep for k in _kept(request, text, wishes.start)),
        forbidden=tuple(_forbidden(request, text) for text in wishes.forbid),
    )
    fixed = replace(request, pins=pins)
    if wishes.max_changes is None:
        return fixed
    if wishes.start is None:
        raise InputError("pins.cap_needs_start", max_changes=wishes.max_changes)
    return cap_changes(fixed, wishes.start, wishes.max_changes)


def _check_alike(earlier: Cycle, cycle: Cycle) -> None:
    """Refuse to count days of a plan whose days mean others."""
    if earlier.num_weeks != cycle.num_weeks:
        raise InputError("pins.other_cycle", found=earlier.num_weeks, weeks=cycle.num_weeks)
    if not earlier.counts_like(cycle):
        raise InputError(
            "pins.other_dates",
            first=earlier.first_date.isoformat(),
            last=earlier.last_date.isoformat(),
        )


def _pin(request: PlanRequest, text: str) -> VisitPin:
    found = _PIN.fullmatch(text.strip())
    if found is None:
        raise InputError("pins.bad_pin", text=text)
    stop, vehicle, day, hours, minutes = found.groups()
    start_s = None
    if hours is not None:
        if int(minutes) >= 60 or int(hours) > 47:
            raise InputError("pins.bad_pin", text=text)
        start_s = int(hours) * HOUR_S + int(minutes) * MINUTE_S
    return VisitPin(
        stop_id=_stop(request, stop),
        vehicle_id=_vehicle(request, vehicle).vehicle_id,
        day=_day(request, day, "pins.bad_pin", text),
        earliest_s=start_s,
        latest_s=start_s,
    )


def _kept(request: PlanRequest, text: str, start: Plan | None) -> list[KeptRun]:
    found = _KEEP.fullmatch(text.strip())
    if found is None:
        raise InputError("pins.bad_keep", text=text)
    if start is None:
        raise InputError("pins.keep_needs_start", text=text)
    named, on = found.groups()
    day = _day(request, on, "pins.bad_keep", text)
    vehicles = request.vehicles if named is None else (_vehicle(request, named),)
    return [_kept_run(request, vehicle, day, start) for vehicle in vehicles]


def _kept_run(request: PlanRequest, vehicle: Vehicle, day: int, start: Plan) -> KeptRun:
    known = {s.stop_id for s in request.stops}
    visits = [
        v
        for run in start.runs
        if run.day == day and run.vehicle_id == vehicle.vehicle_id
        for v in run.visits
    ]
    for visit in visits:
        if visit.stop_id not in known:
            raise InputError(
                "pins.kept_stop_gone",
                stop=visit.stop_id,
                vehicle=vehicle.name,
                date=request.cycle.date_of(day).isoformat(),
            )
    run = next((r for r in start.runs if (r.vehicle_id, r.day) == (vehicle.vehicle_id, day)), None)
    return KeptRun(
        vehicle_id=vehicle.vehicle_id,
        day=day,
        visits=tuple(
            KeptVisit(stop_id=v.stop_id, start_s=v.start_s, end_s=v.end_s) for v in visits
        ),
        start_depot_id=None if run is None else run.start_depot_id,
        end_depot_id=None if run is None else run.end_depot_id,
    )


def _forbidden(request: PlanRequest, text: str) -> Forbidden:
    found = _FORBID.fullmatch(text.strip())
    if found is None:
        raise InputError("pins.bad_forbid", text=text)
    stop, what = _stop(request, found[1]), found[2].strip()
    if what.lower() in _WEEKDAYS:
        return Forbidden(stop_id=stop, weekday=_WEEKDAYS.index(what.lower()))
    if _DATE.fullmatch(what):
        return Forbidden(stop_id=stop, day=_day(request, what, "pins.bad_forbid", text))
    return Forbidden(stop_id=stop, vehicle_id=_vehicle(request, what).vehicle_id)


def _stop(request: PlanRequest, named: str) -> StopId:
    wanted = named.strip()
    if any(s.stop_id == wanted for s in request.stops):
        return StopId(wanted)
    ids = [s.stop_id for s in request.stops if s.name.casefold() == wanted.casefold()]
    if len(ids) > 1:
        raise InputError("pins.stop_not_unique", stop=wanted, ids=", ".join(ids))
    if not ids:
        names = [name for s in request.stops for name in (s.name, str(s.stop_id))]
        like = ", ".join(get_close_matches(wanted, names, n=3, cutoff=0.5)) or "—"
        raise InputError("pins.unknown_stop", stop=wanted, like=like)
    return ids[0]


def _vehicle(request: PlanRequest, named: str) -> Vehicle:
    wanted = named.strip()
    by_id = {v.vehicle_id: v for v in request.vehicles}
    if VehicleId(wanted) in by_id:
        return by_id[VehicleId(wanted)]
    found = [v for v in request.vehicles if v.name.casefold() == wanted.casefold()]
    if len(found) != 1:
        known = ", ".join(f"{v.vehicle_id} ({v.name})" for v in request.vehicles)
        raise InputError("pins.unknown_vehicle", vehicle=wanted, known=known)
    return found[0]


def _day(request: PlanRequest, text: str, code: str, whole: str) -> int:
    try:
        on = date.fromisoformat(text)
    except ValueError as wrong:
        raise InputError(code, text=whole) from wrong
    cycle = request.cycle
    day = (on - cycle.start_date).days
    if not 0 <= day < cycle.num_days:
        raise InputError(
            "pins.outside_cycle",
            date=on.isoformat(),
            start=cycle.first_date.isoformat(),
            end=cycle.last_date.isoformat(),
        )
    return day
