"""A dispatcher's step as a value, and the plan with what is fixed in it after one or several."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from data.model.errors import RequestError
from data.model.fleet import Vehicle, VehicleId
from data.model.pins import Forbidden, KeptRun, KeptVisit, Pins, VisitPin
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, Run, StopVisit
from data.model.travel import TravelMatrix
from planner.edit import Add, Draft, Edit, Move, MoveRun, Remove, Swap
from planner.insert import with_stop
from planner.retime import Retimer


@dataclass(frozen=True, slots=True, kw_only=True)
class Retime:
    """The doors of a visit are to open at another time; vehicle, day and order stay."""

    stop_id: StopId
    day: int
    at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PinVisit:
    """A visit keeps its vehicle, day and time, or is free again."""

    stop_id: StopId
    day: int
    is_pinned: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRun:
    """A vehicle's day stays as it is, or is free again; without a run the vehicle stays in."""

    vehicle_id: VehicleId
    day: int
    is_pinned: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDay:
    """All vehicles' runs of a day stay as they are, or are free again."""

    day: int
    is_pinned: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbid:
    """Visits of a stop by a vehicle, on a day or on a weekday may not be, or may again."""

    stop_id: StopId
    vehicle_id: VehicleId | None = None
    day: int | None = None
    weekday: int | None = None
    is_forbidden: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStop:
    """A stop that the plan did not know, with its travel; it is unserved until visits are added."""

    stop: Stop
    travel: dict[VehicleId, TravelMatrix] = field(repr=False)


type Step = Edit | Retime | PinVisit | PinRun | PinDay | Forbid | NewStop


def after(
    request: PlanRequest, plan: Plan, steps: Sequence[Step], retimer: Retimer | None = None
) -> tuple[PlanRequest, Plan]:
    """What a plan is judged by and the plan, once the steps are taken in their order.

    Moves in a row are timed together, so that a swap of several never passes through a state that
    nobody wants.

    Parameters
    ----------
    retimer
        Of the request and the plan, from an earlier question; made anew without one.

    Raises
    ------
    RequestError
        As ``planner.edit.apply``; ``edit.no_visit`` for a visit that is not there.
    """
    waiting: list[Edit] = []
    for step in steps:
        if isinstance(step, Add | Remove | Move | Swap | MoveRun):
            waiting.append(step)
            continue
        if waiting:
            plan, waiting = _moved(request, plan, waiting, retimer), []
        match step:
            case Retime():
                plan = _moved(request, plan, [_as_move(request, plan, step)], retimer)
            case NewStop():
                request, plan = _with_new(request, plan, step)
            case _:
                request = replace(request, pins=_pinned(request, plan, step))
    if waiting:
        plan = _moved(request, plan, waiting, retimer)
    return request, plan


def _moved(
    request: PlanRequest, plan: Plan, edits: Sequence[Edit], retimer: Retimer | None
) -> Plan:
    is_fit = retimer is not None and retimer.request is request
    draft = Draft(request, plan, retimer if is_fit else None)
    for edit in edits:
        draft.apply(edit)
    return draft.plan()


def told(request: PlanRequest, plan: Plan, steps: Sequence[Step]) -> dict[str, Any]:
    """The steps as a code and facts, as ``data.db.plan_store`` keeps them; names, not ids.

    Parameters
    ----------
    request, plan
        As they are once the steps are taken.
    """
    first = _told_one(request, plan, steps[0])
    visits = [s for s in steps if isinstance(s, Add)]
    if len(steps) > 1 and len(visits) == len(steps) and len({s.stop_id for s in visits}) == 1:
        return first | {"code": "step.add_all", "n": len(visits)}
    if isinstance(steps[0], NewStop) and len(steps) > 1:
        return first | {"code": "step.new_stop_visits", "n": len(steps) - 1}
    return first if len(steps) == 1 else {"code": "step.several", "n": len(steps), "first": first}


def visit_of(request: PlanRequest, plan: Plan, stop_id: StopId, day: int) -> tuple[Run, StopVisit]:
    """The visit of a stop on a day, with its run.

    Raises
    ------
    RequestError
        ``edit.unknown_stop``, ``edit.no_visit``.
    """
    stop = next((s for s in request.stops if s.stop_id == stop_id), None)
    if stop is None:
        raise RequestError("edit.unknown_stop", stop_id=stop_id)
    for run in plan.runs:
        for visit in run.visits if run.day == day else ():
            if visit.stop_id == stop_id:
                return run, visit
    raise RequestError("edit.no_visit", stop=stop.name, stop_id=stop_id, date=_date(request, day))


def _as_move(request: PlanRequest, plan: Plan, step: Retime) -> Move:
    run, visit = visit_of(request, plan, step.stop_id, step.day)
    return Move(
        stop_id=step.stop_id,
        from_day=step.day,
        vehicle_id=run.vehicle_id,
        day=step.day,
        position=run.visits.index(visit),
        at_s=step.at_s,
    )


def _with_new(request: PlanRequest, plan: Plan, step: NewStop) -> tuple[PlanRequest, Plan]:
    if any(s.stop_id == step.stop.stop_id for s in request.stops):
        raise RequestError("edit.stop_taken", stop_id=step.stop.stop_id, stop=step.stop.name)
    return with_stop(replace(request, travel=step.travel), plan, step.stop)


def _pinned(request: PlanRequest, plan: Plan, step: PinVisit | PinRun | PinDay | Forbid) -> Pins:
    pins = request.pins
    match step:
        case PinVisit():
            kept = tuple(p for p in pins.visits if (p.stop_id, p.day) != (step.stop_id, step.day))
            if step.is_pinned:
                kept = (*kept, _visit_pin(request, plan, step))
            return replace(pins, visits=kept)
        case PinRun():
            return _with_runs(request, plan, step.day, [step.vehicle_id], keep=step.is_pinned)
        case PinDay():
            vehicles = [v.vehicle_id for v in request.vehicles]
            return _with_runs(request, plan, step.day, vehicles, keep=step.is_pinned)
        case Forbid():
            ban = _ban(request, step)
            others = tuple(b for b in pins.forbidden if b != ban)
            return replace(pins, forbidden=(*others, ban) if step.is_forbidden else others)


def _visit_pin(request: PlanRequest, plan: Plan, step: PinVisit) -> VisitPin:
    run, visit = visit_of(request, plan, step.stop_id, step.day)
    return VisitPin(
        stop_id=step.stop_id,
        day=step.day,
        vehicle_id=run.vehicle_id,
        earliest_s=visit.start_s,
        latest_s=visit.start_s,
    )


def _with_runs(
    request: PlanRequest, plan: Plan, day: int, vehicles: Sequence[VehicleId], *, keep: bool
) -> Pins:
    check_day(request, day)
    for vehicle_id in vehicles:
        _vehicle(request, vehicle_id)
    chosen = {(vehicle_id, day) for vehicle_id in vehicles}
    kept = tuple(k for k in request.pins.kept if (k.vehicle_id, k.day) not in chosen)
    if keep:
        runs = {(r.vehicle_id, r.day): r for r in plan.runs}
        kept += tuple(
            _kept(vehicle_id, day, runs.get((vehicle_id, day))) for vehicle_id in vehicles
        )
    return replace(request.pins, kept=kept)


def _kept(vehicle_id: VehicleId, day: int, run: Run | None) -> KeptRun:
    if run is None:
        return KeptRun(vehicle_id=vehicle_id, day=day)
    return KeptRun(
        vehicle_id=vehicle_id,
        day=day,
        visits=tuple(
            KeptVisit(stop_id=v.stop_id, start_s=v.start_s, end_s=v.end_s) for v in run.visits
        ),
        start_depot_id=run.start_depot_id,
        end_depot_id=run.end_depot_id,
    )


def _ban(request: PlanRequest, step: Forbid) -> Forbidden:
    if not any(s.stop_id == step.stop_id for s in request.stops):
        raise RequestError("edit.unknown_stop", stop_id=step.stop_id)
    if step.vehicle_id is not None:
        _vehicle(request, step.vehicle_id)
    if step.day is not None:
        check_day(request, step.day)
    return Forbidden(
        stop_id=step.stop_id, vehicle_id=step.vehicle_id, day=step.day, weekday=step.weekday
    )


def check_day(request: PlanRequest, day: int) -> None:
    """Refuse a day that is not of the plan.

    Raises
    ------
    RequestError
        ``edit.day_outside_cycle``.
    """
    if not 0 <= day < request.cycle.num_days:
        raise RequestError(
            "edit.day_outside_cycle",
            date=_date(request, day),
            first=request.cycle.first_date.isoformat(),
            last=request.cycle.last_date.isoformat(),
        )


def _vehicle(request: PlanRequest, vehicle_id: VehicleId) -> Vehicle:
    found = next((v for v in request.vehicles if v.vehicle_id == vehicle_id), None)
    if found is None:
        raise RequestError("edit.unknown_vehicle", vehicle_id=vehicle_id)
    return found


def _date(request: PlanRequest, day: int) -> str:
    try:
        return request.cycle.date_of(day).isoformat()
    except OverflowError:
        return str(day)


def _told_one(request: PlanRequest, plan: Plan, step: Step) -> dict[str, Any]:
    def stop(stop_id: StopId) -> str:
        return next((s.name for s in request.stops if s.stop_id == stop_id), str(stop_id))

    def where(vehicle_id: VehicleId, day: int) -> dict[str, Any]:
        return {"vehicle": _vehicle(request, vehicle_id).name, "date": _date(request, day)}

    match step:
        case Add():
            return {"code": "step.add", "stop": stop(step.stop_id)} | where(
                step.vehicle_id, step.day
            )
        case Remove():
            if step.day is None:
                return {"code": "step.remove_all", "stop": stop(step.stop_id)}
            return {
                "code": "step.remove",
                "stop": stop(step.stop_id),
                "date": _date(request, step.day),
            }
        case Move():
            was = {"was": _date(request, step.from_day)}
            moved = {"code": "step.move", "stop": stop(step.stop_id)} | was
            return moved | where(step.vehicle_id, step.day)
        case Swap():
            names = {"stop": stop(step.stop_id), "other": stop(step.other_id)}
            return {"code": "step.swap"} | names
        case MoveRun():
            moved = {"code": "step.move_run", "was": _date(request, step.day)}
            moved["was_vehicle"] = _vehicle(request, step.vehicle_id).name
            return moved | where(step.to_vehicle_id, step.to_day)
        case Retime():
            _, visit = visit_of(request, plan, step.stop_id, step.day)
            named = {"stop": stop(step.stop_id), "date": _date(request, step.day)}
            return {"code": "step.retime", "at_s": visit.start_s} | named
        case PinVisit():
            code = "step.pin_visit" if step.is_pinned else "step.free_visit"
            return {"code": code, "stop": stop(step.stop_id), "date": _date(request, step.day)}
        case PinRun():
            code = "step.pin_run" if step.is_pinned else "step.free_run"
            return {"code": code} | where(step.vehicle_id, step.day)
        case PinDay():
            code = "step.pin_day" if step.is_pinned else "step.free_day"
            return {"code": code, "date": _date(request, step.day)}
        case Forbid():
            code = "step.forbid" if step.is_forbidden else "step.allow"
            return {"code": code, "stop": stop(step.stop_id)}
        case NewStop():
            return {"code": "step.new_stop", "stop": step.stop.name}
