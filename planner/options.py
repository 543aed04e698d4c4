"""When a stop can be visited, or the reason that is known at once why it cannot."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from data.model.calendar import MINUTE_S, Cycle
from data.model.fleet import Vehicle
from data.model.place import Stop
from data.model.plan import PlanRequest, Unserved
from planner.aboard import Aboard, why_no_service
from planner.patterns import MOST_PATTERNS
from planner.pinning import Fixing, why_not
from planner.problem import NO_LIMIT, NO_ROAD, Floats, Slot, VehicleDay
from planner.rhythm import has_no_date, patterns_of, why_no_dates

_PINNED_FACTOR = 20
"""So many times more patterns are looked through for those that hold a pinned day."""


def options_of(
    request: PlanRequest,
    stop: Stop,
    index: int,
    runs: list[VehicleDay],
    able: Any,
    times: Floats,
    fixing: Fixing | None = None,
    aboard: Aboard | None = None,
) -> list[list[Slot]] | Unserved:
    """The visit options of a stop that pins and riders leave it, or the reason why it has none."""
    vehicles = request.vehicles
    if has_no_date(request, stop):
        return why_no_dates(request, stop)
    if not able.any():
        nearest = min(vehicles, key=lambda v: len(stop.needs - v.abilities))
        missing = ", ".join(sorted(stop.needs - nearest.abilities))
        return _left_out(stop, "ability", vehicle=nearest.name, missing=missing)
    fit = [r for r in runs if able[r.vehicle]]
    if aboard is not None:
        fit = [r for r in fit if not aboard.lacking[index, r.vehicle, r.day]]
        if not fit:
            return why_no_service(request, stop)
    if fixing is not None:
        fit = [r for r in fit if not fixing.blocked[index, r.vehicle, r.day]]
        if not fit:
            return why_not(request, fixing, index, {})
    if not fit:
        return _left_out(stop, "no_day", vehicle=vehicles[int(np.argmax(able))].name)
    out = [float(times[r.travel_class, r.start_node, index]) for r in fit]
    back = [float(times[r.travel_class, index, r.end_node]) for r in fit]
    excess = [
        shift_excess(r, a, b, stop.occupied_s) for r, a, b in zip(fit, out, back, strict=True)
    ]
    if fixing is None and all(e is not None for e in excess):
        if aboard is not None:
            return why_no_service(request, stop)
        least = min(range(len(fit)), key=lambda k: out[k] + back[k])
        return _too_far(stop, vehicles[fit[least].vehicle], excess[least], out[least] + back[least])
    windows: dict[int, list[tuple[int, Slot]]] = {}
    for run, there, home, over in zip(fit, out, back, excess, strict=True):
        if over is None and run.day not in windows:
            usable = [
                (k, slot)
                for k, slot in _slots(stop, run.day, index, fixing)
                if _reaches(run, slot, there, home, stop.occupied_s)
            ]
            if usable:
                windows[run.day] = usable
    if fixing is not None:
        return _pinned_options(request, stop, index, windows, fixing, aboard)
    vehicle = vehicles[fit[0].vehicle].name
    if aboard is not None and not windows:
        return why_no_service(request, stop)
    if not windows:
        return _left_out(stop, "window", vehicle=vehicle, service_min=stop.service_s // MINUTE_S)
    weekdays = stop.weekdays
    days = [d for d in windows if not weekdays or Cycle.weekday_of(d) in weekdays]
    if aboard is not None and not days:
        return why_no_service(request, stop)
    if not days:
        return _left_out(stop, "no_day", vehicle=vehicle)
    if aboard is not None:
        patterns = _served_patterns(request, stop, index, days, aboard)
        if not patterns:
            return why_no_service(request, stop)
        return [option for pattern in patterns for option in _with_windows(pattern, windows)]
    patterns = patterns_of(request, stop, days)
    if not patterns and request.recurrence_of(stop) is not None:
        return why_no_dates(request, stop)
    if not patterns:
        return _left_out(
            stop,
            "no_pattern",
            visits=stop.visits_per_cycle,
            num_days=len(days),
            min_gap_days=stop.min_gap_days,
            max_gap_days=stop.max_gap_days or request.cycle.num_days,
        )
    return [option for pattern in patterns for option in _with_windows(pattern, windows)]


def _served_patterns(
    request: PlanRequest, stop: Stop, index: int, days: Collection[int], aboard: Aboard
) -> tuple[tuple[int, ...], ...]:
    """The patterns with as many days on which the stop's services come as it asks for."""
    limit = MOST_PATTERNS * (1 if stop.services_at_every_visit else _PINNED_FACTOR)
    found = [p for p in patterns_of(request, stop, days, limit) if aboard.is_enough(index, p)]
    return tuple(found[:MOST_PATTERNS])


def _pinned_options(
    request: PlanRequest,
    stop: Stop,
    index: int,
    windows: Mapping[int, list[tuple[int, Slot]]],
    fixing: Fixing,
    aboard: Aboard | None,
) -> list[list[Slot]] | Unserved:
    """The options that hold every pinned day, of the days that pins and bans leave."""
    days = [d for d in windows if not stop.weekdays or Cycle.weekday_of(d) in stop.weekdays]
    pinned = fixing.days.get(index, frozenset())
    is_counted = request.recurrence_of(stop) is None
    if is_counted and len(pinned) >= stop.visits_per_cycle:
        days = [d for d in days if d in pinned]
    limit = MOST_PATTERNS * (_PINNED_FACTOR if pinned else 1)
    found = [
        p
        for p in patterns_of(request, stop, days, limit)
        if pinned <= set(p) and (aboard is None or aboard.is_enough(index, p))
    ]
    if not found or (is_counted and len(pinned) > stop.visits_per_cycle):
        return why_not(request, fixing, index, windows)
    return [o for pattern in found[:MOST_PATTERNS] for o in _with_windows(pattern, windows)]


def _left_out(stop: Stop, reason: str, **facts: object) -> Unserved:
    named = {"stop": stop.name, **facts}
    return Unserved(stop_id=stop.stop_id, reason=f"unserved.{reason}", facts=named)


def _too_far(
    stop: Stop, vehicle: Vehicle, excess: tuple[str, float, float] | None, drive: float
) -> Unserved:
    """The reason why even the nearest vehicle cannot make a run to the stop alone."""
    reason, needed, limit = excess or ("unreachable", NO_ROAD, NO_ROAD)
    if reason == "unreachable":
        return _left_out(stop, reason, vehicle=vehicle.name)
    facts: dict[str, object] = {
        "vehicle": vehicle.name,
        "found_min": -int(-needed // MINUTE_S),
        "limit_min": int(limit // MINUTE_S),
    }
    if reason == "too_far":
        facts["drive_min"] = -int(-drive // MINUTE_S)
    return _left_out(stop, reason, **facts)


def shift_excess(
    run: VehicleDay, out: float, back: float, occupied: float
) -> tuple[str, float, float] | None:
    """(reason, needed, allowed seconds) of a run to one stop alone, if it breaks a limit."""
    drive = out + back
    work = run.prep + drive + occupied + run.closing
    span = work + (run.meal_min if work > run.meal_after else 0.0)
    if max(out, back) >= NO_ROAD:
        return "unreachable", NO_ROAD, NO_ROAD
    if drive > run.max_drive:
        return "drive_limit", drive, run.max_drive
    if work > run.max_work:
        return "too_far", work, run.max_work
    if span > run.duty_hi - run.duty_lo:
        return "too_far", span, run.duty_hi - run.duty_lo
    if max(out, back) > run.drive_continuous:
        return "drive_limit", max(out, back), run.drive_continuous
    return None


def _slots(
    stop: Stop, day: int, index: int = 0, fixing: Fixing | None = None
) -> list[tuple[int, Slot]]:
    """Windows of a stop on a day as (number of the window, slot of the occupied time's start).

    Slots that the day's pins rule out are left out.
    """
    slots = open_slots(stop, day)
    if fixing is None:
        return slots
    narrowed = ((number, fixing.narrowed(index, slot)) for number, slot in slots)
    return [(number, slot) for number, slot in narrowed if slot is not None]


def open_slots(stop: Stop, day: int) -> list[tuple[int, Slot]]:
    if not stop.windows:
        return [(-1, (day, 0.0, NO_LIMIT))]
    weekday = Cycle.weekday_of(day)
    found = []
    for number, window in enumerate(stop.windows):
        lo = float(max(0, window.start_s - stop.setup_s))
        hi = float(window.end_s - stop.service_s - stop.setup_s)
        if window.applies_on(weekday) and hi >= lo:
            found.append((number, (day, lo, hi)))
    return found


def _reaches(run: VehicleDay, slot: Slot, out: float, back: float, occupied: float) -> bool:
    """Whether a run to the stop alone can start in the slot."""
    _, lo, hi = slot
    earliest = max(lo, run.duty_lo + run.prep + out)
    latest = min(hi, run.duty_hi - run.closing - back - occupied)
    return earliest <= latest


def _with_windows(
    pattern: tuple[int, ...], windows: Mapping[int, list[tuple[int, Slot]]]
) -> list[list[Slot]]:
    """Options of a pattern: one for each window that all its days share.

    Days that share no window take the first of their own each.
    """
    by_number = [dict(windows[day]) for day in pattern]
    shared = [k for k in by_number[0] if all(k in slots for slots in by_number)]
    if shared:
        return [[slots[k] for slots in by_number] for k in shared]
    return [[next(iter(slots.values())) for slots in by_number]]
