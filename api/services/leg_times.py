"""Learned times for forecasts: what the planner learned, as the fleet asks for it."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from data.model.fleet import VehicleId
from data.model.learned import Learned
from data.model.plan import PlanRequest
from fleet.eta import EtaParams
from fleet.leg_times import LegTimes, planned_times
from fleet.spans import NUM_FACTORS, Spans


def leg_times(
    request: PlanRequest,
    vehicle_id: VehicleId,
    place_ids: tuple[str, ...],
    learned: Learned | None = None,
) -> LegTimes:
    """The times that a vehicle's forecasts are made of: learned where there is anything learned."""
    if learned is None or not learned.drive.num_records:
        return planned_times(request, vehicle_id, place_ids)
    # Loads what fits recorded days: only where there is something of them.
    from api.services.learned_leg_times import LearnedLegTimes

    matrix = request.travel.get(vehicle_id) or next(iter(request.travel.values()))
    return LearnedLegTimes(
        vehicle_id,
        matrix,
        {str(s.stop_id): s for s in request.stops},
        ZoneInfo(request.time_zone),
        learned,
    )


def habits(learned: Learned | None) -> EtaParams | None:
    """How crews behave and how far forecasts err, as recorded days say; ``None``: nothing of it."""
    if learned is None or (learned.recovery_ratio, learned.span_factors) == (None, None):
        return None
    params = EtaParams()
    if learned.recovery_ratio is not None:
        params = replace(params, recovery_ratio=learned.recovery_ratio)
    if learned.span_factors is not None and len(learned.span_factors) == NUM_FACTORS:
        params = replace(params, spans=Spans(factors=learned.span_factors))
    return params
