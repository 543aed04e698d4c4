"""Vehicles: rows to values and back, and their import."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from data.feeds.entity import Entity
from data.feeds.importing import check_known, import_table
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.values import (
    write_clock,
    write_date,
    write_minutes,
    write_number,
    write_weekdays,
    write_yes_no,
)
from data.model.costs import FuelKind
from data.model.fleet import RuleSetId, Vehicle, VehicleId
from data.model.place import DepotId

_VEHICLE = Vehicle(vehicle_id=VehicleId(""), name="", depot_id=DepotId(""))
"""Carries the defaults of empty cells."""


def vehicle_from_row(row: Row) -> Vehicle | None:
    vehicle_id, name = row.required("vehicle_id"), row.required("name")
    depot_id = row.required("depot_id")
    sizes = {
        column: size
        for column in ("height_m", "width_m", "length_m", "weight_kg", "axle_load_kg")
        if (size := row.number(column, least=0)) is not None
    }
    duty_start_s = row.clock_s("duty_start", _VEHICLE.duty_start_s)
    duty_end_s = row.clock_s("duty_end", _VEHICLE.duty_end_s)
    weekdays, off_dates = row.weekdays("weekdays"), row.days("off_dates")
    prep_s = row.seconds("prep_min", _VEHICLE.prep_s)
    closing_s = row.seconds("closing_min", _VEHICLE.closing_s)
    max_stops = row.count("max_stops_per_run", least=1)
    seats = row.count("seats")
    fuel = row.choice("fuel", FuelKind, FuelKind.DIESEL) if row.has("fuel") else None
    fuel_per_100km = row.number("fuel_per_100km", least=0)
    max_nights = row.count("max_nights_away")
    avoid_unpaved = row.yes_no("avoid_unpaved")
    if not row.is_wrong and duty_end_s <= duty_start_s:
        row.note("feeds.row.duty_backwards", "duty_end", duty_start=write_clock(duty_start_s))
    if row.is_wrong:
        return None
    return Vehicle(
        vehicle_id=VehicleId(vehicle_id),
        name=name,
        depot_id=DepotId(depot_id),
        end_depot_id=DepotId(row.text("end_depot_id")) or None,
        avoid_unpaved=bool(avoid_unpaved),
        abilities=frozenset(row.parts("abilities")),
        weekdays=weekdays,
        off_dates=off_dates,
        duty_start_s=duty_start_s,
        duty_end_s=duty_end_s,
        prep_s=prep_s,
        closing_s=closing_s,
        max_stops_per_run=max_stops,
        seats=seats,
        rule_set_ids=tuple(RuleSetId(rule) for rule in row.parts("rule_sets")),
        fuel=fuel,
        fuel_per_100km=fuel_per_100km,
        max_nights_away=max_nights or 0,
        lodging_ids=frozenset(DepotId(place) for place in row.parts("lodgings")),
        **sizes,
    )


def vehicle_cells(item: Vehicle) -> dict[str, str]:
    return {
        "vehicle_id": item.vehicle_id,
        "name": item.name,
        "depot_id": item.depot_id,
        "end_depot_id": item.end_depot_id or "",
        "height_m": write_number(item.height_m),
        "width_m": write_number(item.width_m),
        "length_m": write_number(item.length_m),
        "weight_kg": write_number(item.weight_kg),
        "axle_load_kg": write_number(item.axle_load_kg),
        "avoid_unpaved": write_yes_no(item.avoid_unpaved),
        "abilities": ";".join(sorted(item.abilities)),
        "weekdays": write_weekdays(item.weekdays),
        "off_dates": ";".join(write_date(day) for day in sorted(item.off_dates)),
        "duty_start": write_clock(item.duty_start_s),
        "duty_end": write_clock(item.duty_end_s),
        "prep_min": write_minutes(item.prep_s),
        "closing_min": write_minutes(item.closing_s),
        "max_stops_per_run": write_number(item.max_stops_per_run),
        "seats": write_number(item.seats),
        "rule_sets": ";".join(item.rule_set_ids),
        "fuel": item.fuel or "",
        "fuel_per_100km": write_number(item.fuel_per_100km),
        "max_nights_away": write_number(item.max_nights_away or None),
        "lodgings": ";".join(sorted(item.lodging_ids)),
    }


VEHICLES: Entity[Vehicle] = Entity(
    name="vehicles",
    id_column="vehicle_id",
    columns=(
        "vehicle_id",
        "name",
        "depot_id",
        "end_depot_id",
        "height_m",
        "width_m",
        "length_m",
        "weight_kg",
        "axle_load_kg",
        "avoid_unpaved",
        "abilities",
        "weekdays",
        "off_dates",
        "duty_start",
        "duty_end",
        "prep_min",
        "closing_min",
        "max_stops_per_run",
        "seats",
        "rule_sets",
        "fuel",
        "fuel_per_100km",
        "max_nights_away",
        "lodgings",
    ),
    required=("vehicle_id", "name", "depot_id"),
    from_row=vehicle_from_row,
    to_cells=vehicle_cells,
    id_of=lambda item: item.vehicle_id,
)


def import_vehicles(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    depot_ids: Collection[str] | None = None,
) -> tuple[tuple[Vehicle, ...], ImportReport]:
    """Vehicles of a table.

    Parameters
    ----------
    depot_ids
        Known depots; a vehicle of any other is rejected. ``None`` does not ask.

    Raises
    ------
    InputError
        Where the file cannot be read at all (see ``import_table``).
    """

    def check(pairs: Sequence[tuple[Vehicle, Row]]) -> None:
        for column in ("depot_id", "end_depot_id", "lodgings"):
            check_known(pairs, column, depot_ids, "depots.csv")

    return import_table(
        path, VEHICLES, mapping=mapping, encoding=encoding, layer=layer, check=check
    )
