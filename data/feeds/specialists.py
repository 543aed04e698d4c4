"""Specialists who ride along: rows to values and back, and their import."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from data.feeds.entity import Entity
from data.feeds.importing import check_known, fill_ids, import_table
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.values import write_clock, write_date, write_number, write_weekdays
from data.model.crew import Specialist, SpecialistId
from data.model.fleet import VehicleId


def specialist_from_row(row: Row) -> Specialist | None:
    specialist_id, name = row.required("specialist_id"), row.required("name")
    service = row.required("service")
    duty_start_s = row.clock_s("duty_start", 0) if row.has("duty_start") else None
    duty_end_s = row.clock_s("duty_end", 0) if row.has("duty_end") else None
    weekdays, off_dates = row.weekdays("weekdays"), row.days("off_dates")
    days_per_week_max = row.count("days_per_week_max", least=1)
    if (
        not row.is_wrong
        and duty_start_s is not None
        and duty_end_s is not None
        and duty_end_s <= duty_start_s
    ):
        row.note("feeds.row.duty_backwards", "duty_end", duty_start=write_clock(duty_start_s))
    if row.is_wrong:
        return None
    return Specialist(
        specialist_id=SpecialistId(specialist_id),
        name=name,
        service=service,
        weekdays=weekdays,
        off_dates=off_dates,
        duty_start_s=duty_start_s,
        duty_end_s=duty_end_s,
        vehicle_ids=frozenset(VehicleId(part) for part in row.parts("vehicles")),
        days_per_week_max=days_per_week_max,
    )


def specialist_cells(item: Specialist) -> dict[str, str]:
    return {
        "specialist_id": item.specialist_id,
        "name": item.name,
        "service": item.service,
        "weekdays": write_weekdays(item.weekdays),
        "off_dates": ";".join(write_date(day) for day in sorted(item.off_dates)),
        "duty_start": "" if item.duty_start_s is None else write_clock(item.duty_start_s),
        "duty_end": "" if item.duty_end_s is None else write_clock(item.duty_end_s),
        "vehicles": ";".join(sorted(item.vehicle_ids)),
        "days_per_week_max": write_number(item.days_per_week_max),
    }


SPECIALISTS: Entity[Specialist] = Entity(
    name="specialists",
    id_column="specialist_id",
    columns=(
        "specialist_id",
        "name",
        "service",
        "weekdays",
        "off_dates",
        "duty_start",
        "duty_end",
        "vehicles",
        "days_per_week_max",
    ),
    required=("specialist_id", "name", "service"),
    from_row=specialist_from_row,
    to_cells=specialist_cells,
    id_of=lambda item: item.specialist_id,
)


def import_specialists(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    vehicle_ids: Collection[str] | None = None,
) -> tuple[tuple[Specialist, ...], ImportReport]:
    """Specialists of a table.

    Parameters
    ----------
    vehicle_ids
        Known vehicles; a specialist who may ride with any other is rejected. ``None`` does not ask.

    Raises
    ------
    InputError
        Where the file cannot be read at all (see ``import_table``).
    """

    def check(pairs: Sequence[tuple[Specialist, Row]]) -> None:
        check_known(pairs, "vehicles", vehicle_ids, "vehicles.csv")

    return import_table(
        path,
        SPECIALISTS,
        mapping=mapping,
        encoding=encoding,
        layer=layer,
        optional=("specialist_id",),
        complete=lambda rows: fill_ids(rows, "specialist_id", "specialist", ("name", "service")),
        check=check,
    )
