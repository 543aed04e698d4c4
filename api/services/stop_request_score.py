"""What a request for a stop is worth: people without a library, visits, the best free place.

The settlement is judged by the region's norm as the needs page does; the place in the week comes
from the planner's own ranking of insertions into the plan in force; visits are those expected
before any record, raised by those who ask (``data.model.demand.with_requests``).
"""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlmodel import Session

from api.progress import Quiet
from api.services.needs import audit_region
from api.services.needs_view import NeedLine, need_lines
from api.services.placing import Spot, new_stop
from api.services.plan_documents import open_plan
from api.services.promised_days import timetable_on
from api.services.roads import estimated_roads
from data.db import publication_store
from data.model.demand import PrizeBy, with_requests
from data.model.errors import BookmobileError
from data.model.geo import distance_m
from data.model.place import Settlement, Stop
from data.model.plan import Plan, PlanRequest
from data.model.region import Region
from data.model.stop_request import NEAR_M

SERVICE_S = 3600
_HALF_MIN = 60.0
"""Added driving at which a request is worth half."""
LACKING = 2.0
"""A place that the norm leaves without a library counts so many times."""


def score_of(
    session: Session,
    region: Region,
    settlement: Settlement,
    *,
    num_people: int,
    request_id: str,
    on: date,
) -> dict[str, Any]:
    """The score as facts for a page; ``points`` is what requests are ordered by.

    Parameters
    ----------
    num_people
        Those for whom all open requests of the place speak.
    """
    line = _need(region, settlement, on)
    found: dict[str, Any] = {
        "people": settlement.population,
        "status": None if line is None else line.status.value,
        "is_judged": line is not None,
        "is_lacking": line is not None and not line.passes,
        "library": None if line is None or line.library is None else line.library.name,
        "library_km": None if line is None else line.km,
        "library_min": None if line is None else line.minutes,
        "asked_by": num_people,
    }
    opened = _plan_on(session, region.region_id, on)
    if opened is not None:
        found |= _placed(region, settlement, *opened, request_id=request_id, num_people=num_people)
    visits = float(found.get("visits") or 0.0)
    added_min = float(found.get("added_min") or 0.0)
    weight = LACKING if found["is_lacking"] else 1.0
    fits = 1.0 if found.get("has_place") else 0.5
    found["points"] = round(weight * fits * visits * _HALF_MIN / (_HALF_MIN + added_min), 1)
    return found


def _need(region: Region, settlement: Settlement, on: date) -> NeedLine | None:
    """The verdict on the settlement, by the crow's flight made into roads; none without a norm."""
    if not region.norm_set_id:
        return None
    audit = audit_region(region, estimated_roads(region), on=on, tick=Quiet())
    lines = need_lines(region, audit)
    wanted = settlement.settlement_id
    return next((one for one in lines if one.settlement.settlement_id == wanted), None)


def _plan_on(session: Session, region_id: str, on: date) -> tuple[PlanRequest, Plan] | None:
    found = timetable_on(session, region_id, on)
    found = found or publication_store.newest_timetable(session, region_id)
    if found is None:
        return None
    opened = open_plan(session, found.plan_id)
    return opened.request, opened.plan


def _placed(
    region: Region,
    settlement: Settlement,
    request: PlanRequest,
    plan: Plan,
    *,
    request_id: str,
    num_people: int,
) -> dict[str, Any]:
    """The nearest stop of the plan, the visits expected and the best free place."""
    # What ranks insertions and what learns are loaded by those who ask for them.
    from planner.insert import best_places
    from planner.learn.demand import prior_demand, with_demand

    spot = Spot(
        stop_id=f"request-{request_id[:12]}",
        name=settlement.name,
        lon=settlement.lon,
        lat=settlement.lat,
        visits=1,
        service_s=SERVICE_S,
        people=settlement.population,
    )
    served = [s for s in request.stops if plan.days_of(s.stop_id)]
    near = min(
        ((distance_m(s.lon, s.lat, spot.lon, spot.lat), s) for s in served),
        key=lambda one: one[0],
        default=None,
    )
    found: dict[str, Any] = {
        "near_stop": None if near is None else near[1].name,
        "near_km": None if near is None else round(near[0] / 1000, 1),
        "is_served": near is not None and near[0] <= NEAR_M,
    }
    new = new_stop(request, region, spot, estimated_roads(region))
    alone = replace(request, stops=(new.stop,), travel=new.travel)
    told = with_demand(alone, prior_demand(), PrizeBy.DEMAND).stops[0].visits_expected
    if told is not None:
        asked = with_requests(told, num_people)
        found |= {
            "visits": round(asked.mean, 1),
            "visits_low": round(asked.low, 1),
            "visits_high": round(asked.high, 1),
            "visits_before": round(told.mean, 1),
        }
    try:
        places = best_places(replace(request, travel=new.travel), plan, new.stop, most=1)
    except BookmobileError:
        places = ()
    found["has_place"] = bool(places)
    if places:
        found |= _place(request, new.stop, places[0])
    return found


def _place(request: PlanRequest, stop: Stop, place: Any) -> dict[str, Any]:
    edit = place.edits[0]
    vehicle = next(v for v in request.vehicles if v.vehicle_id == edit.vehicle_id)
    run = next(
        r for r in place.judgement.plan.runs if (r.vehicle_id, r.day) == (edit.vehicle_id, edit.day)
    )
    visit = next(v for v in run.visits if v.stop_id == stop.stop_id)
    return {
        "vehicle": vehicle.name,
        "date": request.cycle.date_of(edit.day).isoformat(),
        "start_s": visit.start_s,
        "end_s": visit.end_s,
        "added_min": round(place.added_drive_s / 60),
        "added_km": round(place.added_drive_m / 1000),
    }
