"""A small diary of stop visits, and the sums that a person got from it on paper."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.stop_counts import CountMethod
from data.model.visit_record import RecordState, VisitRecord

REGION = "kaliningrad"
FIRST_DATE = date(2026, 3, 2)


def record(key: str, on: date, vehicle: str, stop: str | None, **more: Any) -> VisitRecord:
    """A stop visit held from ten to noon, with other values as given."""
    opens_at = datetime(on.year, on.month, on.day, 8, 0, tzinfo=UTC)
    is_planned = more.pop("is_planned", stop is not None)
    values: dict[str, Any] = {
        "region_id": REGION,
        "key": key,
        "visit_id": VisitId(key) if is_planned else None,
        "stop_id": None if stop is None else StopId(stop),
        "name": more.pop("name", f"Stop {stop}"),
        "vehicle_id": VehicleId(vehicle),
        "service_date": on,
        "state": RecordState.DONE,
        "planned_open_at": opens_at if is_planned else None,
        "planned_close_at": opens_at + timedelta(hours=2) if is_planned else None,
        "opened_at": opens_at,
        "closed_at": opens_at + timedelta(hours=2),
        "count_methods": (CountMethod.TAPPED,),
    }
    return VisitRecord(**values | more)


def diary() -> tuple[VisitRecord, ...]:
    """Two vehicles in March 2026: seven lines, five of them held."""
    second, third = date(2026, 3, 3), date(2026, 3, 17)
    return (
        record(
            "a1", FIRST_DATE, "kibo-1", "kalinovka", settlement_id="kalinovka",
            is_gps_confirmed=True,
            counts={"visits_service.children": 3, "visits_service.adult": 5, "visits_event": 4,
                    "events_count": 1, "event_participants": 4, "loans_home.adult": 9,
                    "loans_periodical": 2, "users_new.adult": 2, "users_renewed.children": 1},
        ),
        record(
            "a2", FIRST_DATE, "kibo-1", "kamenskoe", settlement_id="kamenskoe",
            state=RecordState.PARTIAL, is_gps_confirmed=True, num_corrections=1,
            counts={"visits_service": 2, "loans_home": 3, "views_onboard": 1, "users_new": 1},
        ),
        record("a3", FIRST_DATE, "kibo-1", "kaluzhskoe", state=RecordState.SKIPPED,
               reason="road", opened_at=None, closed_at=None),
        record(
            "b1", second, "kibo-2", "kalinovka", settlement_id="kalinovka",
            counts={"visits_service.senior": 6, "loans_home.senior": 7, "egov_consultations": 2,
                    "satisfied_yes": 4, "satisfied_no": 1},
        ),
        record("b2", second, "kibo-2", None, name="Ярмарка", counts={"visits_service": 10}),
        record("b3", second, "kibo-2", "zelenyy", state=RecordState.UNKNOWN,
               opened_at=None, closed_at=None),
        record("a4", third, "kibo-1", "kalinovka", settlement_id="kalinovka", counts={}),
    )  # fmt: skip


HAND = {
    "kibo_visits": 30,  # 3+5+4, 2, 6, 10, 0
    "kibo_runs": 3,  # kibo-1 on the 2nd and the 17th, kibo-2 on the 3rd
    "kibo_stops": 5,  # a1 a2 b1 b2 a4
    "kibo_places": 3,  # Kalinovka, Kamenskoe, the fair
    "users": 4,  # 2+1, 1
    "users_children": 1,
    "users_youth": 0,
    "visits_service": 26,
    "visits_event": 4,
    "events": 1,
    "participants": 4,
    "loans": 20,  # 9, 3+1, 7
    "loans_books": 18,
    "loans_periodical": 2,
    "loans_children": 0,
    "references": 0,
}
"""Figures of form 6-НК over ``diary``, added up by hand."""
