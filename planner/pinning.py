"""Pins and forbidden visits as limits on options, windows and vehicle-days of the search."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.model.calendar import Cycle
from data.model.pins import VisitPin
from data.model.place import Stop
from data.model.plan import PlanRequest, Unserved
from planner.problem import NO_LIMIT, Slot

PIN_REASONS = frozenset(
    f"unserved.{reason}"
    for reason in (
        "pin_count",
        "pin_unknown",
        "pin_ability",
        "pin_weekday",
        "pin_no_run",
        "pin_forbidden",
        "pin_time",
        "pin_pattern",
        "forbidden",
    )
)
"""Why a stop cannot be served with the pins as they are, though it could without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixing:
    """The pins of a request by stop index.

    ``blocked[s, v, d]`` says that vehicle ``v`` must not visit stop ``s`` on cycle day ``d``.
    """

    blocked: NDArray[np.bool_]
    days: Mapping[int, frozenset[int]]
    """Days on which a stop must be visited."""
    spans: Mapping[tuple[int, int], tuple[float, float]]
    """Earliest and latest start of the occupied time, by stop and day."""
    pins: Mapping[int, tuple[VisitPin, ...]]

    def narrowed(self, stop: int, slot: Slot) -> Slot | None:
        """A slot cut to what its day's pins leave of it, ``None`` if nothing is left."""
        day, lo, hi = slot
        least, most = self.spans.get((stop, day), (0.0, NO_LIMIT))
        lo, hi = max(lo, least), min(hi, most)
        return (day, lo, hi) if lo <= hi else None


def fixing_of(request: PlanRequest) -> Fixing:
    """The pins, kept runs and forbidden visits of a request, one on top of the other.

    What is fixed for a stop, vehicle or day that the request does not know stays out; the checker
    reports it.
    """
    stops = {s.stop_id: k for k, s in enumerate(request.stops)}
    vehicles = {v.vehicle_id: k for k, v in enumerate(request.vehicles)}
    num_days = request.cycle.num_days
    blocked = np.zeros((len(stops), len(vehicles), num_days), np.bool_)
    for ban in request.pins.forbidden:
        who = range(len(vehicles)) if ban.vehicle_id is None else [vehicles.get(ban.vehicle_id)]
        days = [
            d
            for d in range(num_days)
            if ban.day in (None, d) and ban.weekday in (None, Cycle.weekday_of(d))
        ]
        if ban.stop_id in stops and None not in who:
            blocked[np.ix_([stops[ban.stop_id]], [v for v in who if v is not None], days)] = True
    pins: dict[int, list[VisitPin]] = {}
    for pin in request.pins.visits:
        if pin.stop_id in stops:
            pins.setdefault(stops[pin.stop_id], []).append(pin)
    for kept in request.pins.kept:
        vehicle = vehicles.get(kept.vehicle_id)
        if vehicle is None or not 0 <= kept.day < num_days:
            continue
        own = [stops[v.stop_id] for v in kept.visits if v.stop_id in stops]
        others = np.ones(len(stops), np.bool_)
        others[own] = False
        blocked[others, vehicle, kept.day] = True
        for visit in kept.visits:
            if visit.stop_id in stops:
                pin = VisitPin(
                    stop_id=visit.stop_id,
                    vehicle_id=kept.vehicle_id,
                    day=kept.day,
                    earliest_s=visit.start_s,
                    latest_s=visit.start_s,
                )
                pins.setdefault(stops[visit.stop_id], []).append(pin)
    spans: dict[tuple[int, int], tuple[float, float]] = {}
    for stop, own_pins in pins.items():
        setup = request.stops[stop].setup_s
        for pin in own_pins:
            least, most = spans.get((stop, pin.day), (0.0, NO_LIMIT))
            if pin.earliest_s is not None:
                least = max(least, float(pin.earliest_s - setup))
            if pin.latest_s is not None:
                most = min(most, float(pin.latest_s - setup))
            spans[stop, pin.day] = least, most
            if pin.vehicle_id is not None and 0 <= pin.day < num_days:
                others = np.arange(len(vehicles)) != vehicles.get(pin.vehicle_id, -1)
                blocked[stop, others, pin.day] = True
    return Fixing(
        blocked=blocked,
        days={s: frozenset(p.day for p in own) for s, own in pins.items()},
        spans=spans,
        pins={s: tuple(own) for s, own in pins.items()},
    )


def why_not(
    request: PlanRequest, fixing: Fixing, index: int, windows: Mapping[int, Any]
) -> Unserved:
    """Why a stop that could be served has no visit that its pins and bans allow.

    Parameters
    ----------
    windows
        The days on which a visit that the pins allow is possible.
    """
    stop = request.stops[index]

    def because(reason: str, **facts: object) -> Unserved:
        named = {"stop": stop.name, **facts}
        return Unserved(stop_id=stop.stop_id, reason=f"unserved.{reason}", facts=named)

    pinned = sorted(fixing.days.get(index, ()))
    if not pinned:
        return because("forbidden")
    is_counted = request.recurrence_of(stop) is None
    if is_counted and len(pinned) > stop.visits_per_cycle:
        return because("pin_count", pinned=len(pinned), visits=stop.visits_per_cycle)
    for pin in sorted(fixing.pins[index], key=lambda p: p.day):
        reason = _why_not_pin(request, fixing, index, stop, pin, is_open=pin.day in windows)
        if reason is not None:
            return because(reason, **_facts(request, pin))
    dates = ", ".join(request.cycle.date_of(d).isoformat() for d in pinned)
    return because("pin_pattern", dates=dates, visits=stop.visits_per_cycle)


def _why_not_pin(
    request: PlanRequest, fixing: Fixing, index: int, stop: Stop, pin: VisitPin, *, is_open: bool
) -> str | None:
    if not 0 <= pin.day < request.cycle.num_days:
        return "pin_unknown"
    named = [
        (k, v)
        for k, v in enumerate(request.vehicles)
        if pin.vehicle_id is None or v.vehicle_id == pin.vehicle_id
    ]
    if not named:
        return "pin_unknown"
    able = [(k, v) for k, v in named if stop.needs <= v.abilities]
    if not able:
        return "pin_ability"
    if stop.weekdays and Cycle.weekday_of(pin.day) not in stop.weekdays:
        return "pin_weekday"
    running = [(k, v) for k, v in able if pin.day in request.working_days(v)]
    if not running:
        return "pin_no_run"
    if all(fixing.blocked[index, k, pin.day] for k, _ in running):
        return "pin_forbidden"
    return None if is_open else "pin_time"


def _facts(request: PlanRequest, pin: VisitPin) -> dict[str, object]:
    names = {v.vehicle_id: v.name for v in request.vehicles}
    vehicle = "—" if pin.vehicle_id is None else names.get(pin.vehicle_id, pin.vehicle_id)
    date = request.cycle.date_of(pin.day).isoformat()
    return {"date": date, "vehicle": vehicle}
