"""Stops with their site cards: rows to values and back, and their import."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from data.feeds.entity import Entity
from data.feeds.importing import check_known, fill_ids, import_table, recode
from data.feeds.recurrence_cells import RECURRENCE_COLUMNS, recurrence_cells, recurrence_from_row
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.stops_schema import import_schedule, is_schedule
from data.feeds.values import (
    seconds_of_minutes,
    write_date,
    write_minutes,
    write_number,
    write_weekdays,
    write_windows,
    write_yes_no,
)
from data.model.place import SettlementId, SiteCard, Stop, StopId, StopKind


def _site_from_row(row: Row) -> SiteCard:
    return SiteCard(
        surface=row.text("surface"),
        room_m=row.number("room_m", least=0),
        power=row.yes_no("power"),
        mobile_signal=row.yes_no("mobile_signal"),
        light=row.yes_no("light"),
        toilet=row.yes_no("toilet"),
        step_free=row.yes_no("step_free"),
        contact=row.text("contact"),
        permission_until_date=row.day("permission_until"),
        photo=row.text("photo"),
        notes=row.text("notes"),
    )


def _longest_s(row: Row) -> int | None:
    """Longest open time, ``None`` where the cell is empty: the time is fixed."""
    minutes = row.number("service_most_min", least=0)
    return None if minutes is None else seconds_of_minutes(minutes)


def stop_from_row(row: Row) -> Stop | None:
    stop_id, name = row.required("stop_id"), row.required("name")
    position = row.required_position()
    least, most = row.count("min_gap_days"), row.count("max_gap_days")
    min_gap_days = 1 if least is None else least
    if most is not None and most < min_gap_days:
        row.note("feeds.row.gaps_backwards", "max_gap_days", min_gap_days=min_gap_days)
    visits = row.count("visits_per_cycle", least=1)
    served = row.count("services_visits", least=1)
    if served is not None and served > (visits or 1):
        row.note("feeds.row.services_visits", "services_visits", visits=visits or 1)
    same_weekday = row.yes_no("same_weekday")
    values: dict[str, Any] = {
        "kind": row.choice("kind", StopKind, StopKind.PUBLIC),
        "service_s": row.seconds("service_min", 3600),
        "service_most_s": _longest_s(row),
        "setup_s": row.seconds("setup_min", 0),
        "teardown_s": row.seconds("teardown_min", 0),
        "windows": row.windows("windows"),
        "weekdays": row.weekdays("weekdays"),
        "mandatory": bool(row.yes_no("mandatory")),
        "people": row.count("people"),
        "prize": row.number("prize", least=0) or 0.0,
        "site": _site_from_row(row),
        "recurrence": recurrence_from_row(row),
    }
    longest_s = values["service_most_s"]
    if longest_s is not None and longest_s < (values["service_s"] or 0):
        row.note("feeds.row.service_backwards", "service_most_min")
    if row.is_wrong or position is None:
        return None
    return Stop(
        stop_id=StopId(stop_id),
        name=name,
        lon=position[0],
        lat=position[1],
        community=row.text("community"),
        settlement_ids=tuple(SettlementId(part) for part in row.parts("settlement_ids")),
        visits_per_cycle=1 if visits is None else visits,
        same_weekday=True if same_weekday is None else same_weekday,
        min_gap_days=min_gap_days,
        max_gap_days=most,
        needs=frozenset(row.parts("needs")),
        services=frozenset(row.parts("services")),
        services_visits=served,
        **values,
    )


def stop_cells(item: Stop) -> dict[str, str]:
    site = item.site
    return {
        "stop_id": item.stop_id,
        "name": item.name,
        "community": item.community,
        "lon": write_number(item.lon),
        "lat": write_number(item.lat),
        "kind": item.kind.value,
        "settlement_ids": ";".join(item.settlement_ids),
        "service_min": write_minutes(item.service_s),
        "service_most_min": ""
        if item.service_most_s is None
        else write_minutes(item.service_most_s),
        "setup_min": write_minutes(item.setup_s),
        "teardown_min": write_minutes(item.teardown_s),
        "visits_per_cycle": write_number(item.visits_per_cycle),
        "windows": write_windows(item.windows),
        "weekdays": write_weekdays(item.weekdays),
        "same_weekday": write_yes_no(item.same_weekday),
        "min_gap_days": write_number(item.min_gap_days),
        "max_gap_days": write_number(item.max_gap_days),
        "needs": ";".join(sorted(item.needs)),
        "services": ";".join(sorted(item.services)),
        "services_visits": write_number(item.services_visits),
        "mandatory": write_yes_no(item.mandatory),
        "people": write_number(item.people),
        "prize": write_number(item.prize),
        "surface": site.surface,
        "room_m": write_number(site.room_m),
        "power": write_yes_no(site.power),
        "mobile_signal": write_yes_no(site.mobile_signal),
        "light": write_yes_no(site.light),
        "toilet": write_yes_no(site.toilet),
        "step_free": write_yes_no(site.step_free),
        "contact": site.contact,
        "permission_until": write_date(site.permission_until_date),
        "photo": site.photo,
        "notes": site.notes,
        **recurrence_cells(item.recurrence),
    }


STOPS: Entity[Stop] = Entity(
    name="stops",
    id_column="stop_id",
    columns=(
        "stop_id",
        "name",
        "community",
        "lon",
        "lat",
        "kind",
        "settlement_ids",
        "service_min",
        "service_most_min",
        "setup_min",
        "teardown_min",
        "visits_per_cycle",
        "windows",
        "weekdays",
        "same_weekday",
        "min_gap_days",
        "max_gap_days",
        "needs",
        "services",
        "services_visits",
        "mandatory",
        "people",
        "prize",
        "surface",
        "room_m",
        "power",
        "mobile_signal",
        "light",
        "toilet",
        "step_free",
        "contact",
        "permission_until",
        "photo",
        "notes",
        *RECURRENCE_COLUMNS,
    ),
    required=("stop_id", "name", "lon", "lat"),
    from_row=stop_from_row,
    to_cells=stop_cells,
    id_of=lambda item: item.stop_id,
)

_KINDS = {kind.value: kind.value for kind in StopKind} | {
    "dynamic": StopKind.ON_REQUEST.value,
    "other": StopKind.TECHNICAL.value,
    "общая": StopKind.PUBLIC.value,
    "публичная": StopKind.PUBLIC.value,
    "закрытая": StopKind.PRIVATE.value,
    "по заявке": StopKind.ON_REQUEST.value,
    "техническая": StopKind.TECHNICAL.value,
}


def import_stops(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    settlement_ids: Collection[str] | None = None,
    cycle_weeks: int = 4,
) -> tuple[tuple[Stop, ...], ImportReport]:
    """Stops of a table or vector file; ``settlement_ids`` as for libraries.

    A file of the exchange schema is known by its columns. A place of one row keeps its recurrence;
    visits of places with several rows are counted in a cycle of ``cycle_weeks``.

    Raises
    ------
    InputError
        Where the file cannot be read at all (see ``import_table``).
    """

    if not mapping and is_schedule(path):
        return import_schedule(path, cycle_weeks=cycle_weeks)

    def complete(rows: Sequence[Row]) -> None:
        fill_ids(rows, "stop_id", "stop", ("name", "community", "lon", "lat"))
        for row in rows:
            recode(row, "kind", _KINDS, StopKind.PUBLIC.value)

    return import_table(
        path,
        STOPS,
        mapping=mapping,
        encoding=encoding,
        layer=layer,
        optional=("stop_id",),
        complete=complete,
        check=lambda pairs: check_known(pairs, "settlement_ids", settlement_ids, "settlements.csv"),
    )
