"""Recorded stop visits as a table: what a diary or a tracker tells of a day."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from data.feeds.entity import Entity
from data.feeds.importing import import_table, recode
from data.feeds.region_tables import write_table
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.values import write_clock, write_date, write_minutes, write_number
from data.model.fleet import VehicleId
from data.model.observed import ObservedVisit, VisitStatus

_SEEN = ("arrival", "doors_open", "doors_close", "departure")
_STATUS = {status.value: status.value for status in VisitStatus} | {
    "выполнена": VisitStatus.DONE.value,
    "проведена": VisitStatus.DONE.value,
    "частично": VisitStatus.PARTIAL.value,
    "отменена": VisitStatus.CANCELLED.value,
    "перенесена": VisitStatus.MOVED.value,
}


def _clock(row: Row, column: str) -> int | None:
    return row.clock_s(column, 0) if row.has(column) else None


def visit_from_row(row: Row) -> ObservedVisit | None:
    """A recorded visit, or ``None`` where the row is wrong."""
    vehicle_id, place_id = row.required("vehicle_id"), row.required("place_id")
    row.required("date")
    on = row.day("date")
    seen = {column: _clock(row, column) for column in _SEEN}
    told = [(column, time) for column, time in seen.items() if time is not None]
    for (earlier, before), (later, after) in pairwise(told):
        if after < before:
            row.note("feeds.row.times_backwards", later, earlier=row.heads.get(earlier, earlier))
    status = row.choice("status", VisitStatus, VisitStatus.DONE)
    if not told and status is not VisitStatus.CANCELLED:
        row.flag("feeds.row.no_times")
    planned = {
        f"planned_{name}_s": _clock(row, f"planned_{name}")
        for name in ("arrival", "open", "close", "departure")
    }
    meal_s = row.seconds("meal_min", 0) if row.has("meal_min") else None
    visits, loans = row.count("visits"), row.count("loans")
    if row.is_wrong or on is None:
        return None
    return ObservedVisit(
        service_date=on,
        vehicle_id=VehicleId(vehicle_id),
        place_id=place_id,
        arrival_s=seen["arrival"],
        open_s=seen["doors_open"],
        close_s=seen["doors_close"],
        departure_s=seen["departure"],
        meal_s=meal_s,
        visits=visits,
        loans=loans,
        status=status,
        reason=row.text("reason"),
        **planned,
    )


def visit_cells(visit: ObservedVisit) -> dict[str, str]:
    """The cells of a recorded visit by column."""

    def clock(seconds: int | None) -> str:
        return "" if seconds is None else write_clock(seconds)

    return {
        "date": write_date(visit.service_date),
        "vehicle_id": visit.vehicle_id,
        "place_id": visit.place_id,
        "planned_arrival": clock(visit.planned_arrival_s),
        "planned_open": clock(visit.planned_open_s),
        "planned_close": clock(visit.planned_close_s),
        "planned_departure": clock(visit.planned_departure_s),
        "arrival": clock(visit.arrival_s),
        "doors_open": clock(visit.open_s),
        "doors_close": clock(visit.close_s),
        "departure": clock(visit.departure_s),
        "meal_min": "" if visit.meal_s is None else write_minutes(visit.meal_s),
        "visits": write_number(visit.visits),
        "loans": write_number(visit.loans),
        "status": visit.status.value,
        "reason": visit.reason,
    }


def _identity(visit: ObservedVisit) -> str:
    """What no two rows share: one vehicle is at one place once at a time."""
    time = visit.first_s if visit.first_s is not None else visit.planned_arrival_s
    at = "" if time is None else f" {write_clock(time)}"
    return f"{visit.service_date} {visit.vehicle_id} {visit.place_id}{at}"


OBSERVED: Entity[ObservedVisit] = Entity(
    name="observed",
    id_column="place_id",
    columns=(
        "date",
        "vehicle_id",
        "place_id",
        "planned_arrival",
        "planned_open",
        "planned_close",
        "planned_departure",
        *_SEEN,
        "meal_min",
        "visits",
        "loans",
        "status",
        "reason",
    ),
    required=("date", "vehicle_id", "place_id"),
    from_row=visit_from_row,
    to_cells=visit_cells,
    id_of=_identity,
)


def import_observed(
    path: Path, *, mapping: Mapping[str, str] | None = None, encoding: str | None = None
) -> tuple[tuple[ObservedVisit, ...], ImportReport]:
    """Recorded visits of a table; good rows load, every other is reported with its cause.

    Raises
    ------
    InputError
        Where the file cannot be read at all (see ``import_table``).
    """

    def complete(rows: Sequence[Row]) -> None:
        for row in rows:
            recode(row, "status", _STATUS, VisitStatus.PARTIAL.value)

    return import_table(path, OBSERVED, mapping=mapping, encoding=encoding, complete=complete)


def write_observed(path: Path, visits: Iterable[ObservedVisit]) -> None:
    """Write recorded visits as a table that ``import_observed`` gives back."""
    write_table(visits, path, OBSERVED)
