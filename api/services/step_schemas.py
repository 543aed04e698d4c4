"""Steps as the API takes them, as the steps of a plan."""

from collections.abc import Callable, Sequence

from api.schemas import plans as body
from api.services.placing import Spot
from api.services.plan_steps import (
    Forbid,
    NewStop,
    PinDay,
    PinRun,
    PinVisit,
    Retime,
    Step,
)
from data.model.calendar import MINUTE_S
from data.model.fleet import VehicleId
from data.model.place import StopId
from planner.edit import Add, Move, MoveRun, Remove, Swap

type Placed = Callable[[Spot], NewStop]
"""Gives a new point of the map its rules and its travel."""


def steps_of(given: Sequence[body.AnyStep], placed: Placed) -> list[Step]:
    """The steps of a request."""
    return [_step(one, placed) for one in given]


def spot_of(given: body.NewStopStep) -> Spot:
    """A new point of the map."""
    return Spot(
        stop_id=given.stop_id,
        name=given.name.strip() or given.stop_id,
        lon=given.lon,
        lat=given.lat,
        visits=given.visits,
        service_s=given.service_min * MINUTE_S,
        people=given.people,
    )


def _step(given: body.AnyStep, placed: Placed) -> Step:
    match given:
        case body.NewStopStep():
            return placed(spot_of(given))
        case body.AddStep():
            return Add(
                stop_id=StopId(given.stop_id),
                vehicle_id=VehicleId(given.vehicle_id),
                day=given.day,
                position=given.position,
                at_s=given.at_s,
            )
        case body.RemoveStep():
            return Remove(stop_id=StopId(given.stop_id), day=given.day)
        case body.MoveStep():
            return Move(
                stop_id=StopId(given.stop_id),
                from_day=given.from_day,
                vehicle_id=VehicleId(given.vehicle_id),
                day=given.day,
                position=given.position,
                at_s=given.at_s,
            )
        case body.SwapStep():
            return Swap(
                stop_id=StopId(given.stop_id),
                day=given.day,
                other_id=StopId(given.other_id),
                other_day=given.other_day,
            )
        case body.MoveRunStep():
            return MoveRun(
                vehicle_id=VehicleId(given.vehicle_id),
                day=given.day,
                to_vehicle_id=VehicleId(given.to_vehicle_id),
                to_day=given.to_day,
            )
        case body.RetimeStep():
            return Retime(stop_id=StopId(given.stop_id), day=given.day, at_s=given.at_s)
        case body.PinVisitStep():
            stop_id = StopId(given.stop_id)
            return PinVisit(stop_id=stop_id, day=given.day, is_pinned=given.is_pinned)
        case body.PinRunStep():
            vehicle_id = VehicleId(given.vehicle_id)
            return PinRun(vehicle_id=vehicle_id, day=given.day, is_pinned=given.is_pinned)
        case body.PinDayStep():
            return PinDay(day=given.day, is_pinned=given.is_pinned)
        case body.ForbidStep():
            return Forbid(
                stop_id=StopId(given.stop_id),
                vehicle_id=None if given.vehicle_id is None else VehicleId(given.vehicle_id),
                day=given.day,
                weekday=given.weekday,
                is_forbidden=given.is_forbidden,
            )
