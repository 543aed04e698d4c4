"""Depots: rows to values and back, and their import."""

from collections.abc import Collection, Mapping
from pathlib import Path

from data.feeds.entity import Entity
from data.feeds.importing import check_known, fill_ids, import_table
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.values import write_minutes, write_number
from data.model.place import Depot, DepotId, DepotKind, SettlementId

_DEPOT = Depot(depot_id=DepotId(""), name="", lon=0.0, lat=0.0)
"""Carries the defaults of empty cells."""


def depot_from_row(row: Row) -> Depot | None:
    depot_id, name = row.required("depot_id"), row.required("name")
    position = row.required_position()
    kind = row.choice("kind", DepotKind, DepotKind.BASE)
    room_m = row.number("room_m", least=0)
    check_s = row.seconds("check_min", _DEPOT.check_s)
    night_cost_s = row.seconds("night_cost_min", _DEPOT.night_cost_s)
    if row.is_wrong or position is None:
        return None
    return Depot(
        depot_id=DepotId(depot_id),
        name=name,
        lon=position[0],
        lat=position[1],
        settlement_id=SettlementId(row.text("settlement_id")) or None,
        kind=kind,
        room_m=room_m,
        check_s=check_s,
        night_cost_s=night_cost_s,
    )


def depot_cells(item: Depot) -> dict[str, str]:
    return {
        "depot_id": item.depot_id,
        "name": item.name,
        "lon": write_number(item.lon),
        "lat": write_number(item.lat),
        "settlement_id": item.settlement_id or "",
        "kind": item.kind.value,
        "room_m": write_number(item.room_m),
        "check_min": _minutes(item, item.check_s, _DEPOT.check_s),
        "night_cost_min": _minutes(item, item.night_cost_s, _DEPOT.night_cost_s),
    }


def _minutes(item: Depot, value_s: int, default_s: int) -> str:
    """Minutes that only a lodging asks for; a base has a cell where it says another value."""
    return write_minutes(value_s) if item.is_lodging or value_s != default_s else ""


DEPOTS: Entity[Depot] = Entity(
    name="depots",
    id_column="depot_id",
    columns=(
        "depot_id",
        "name",
        "lon",
        "lat",
        "settlement_id",
        "kind",
        "room_m",
        "check_min",
        "night_cost_min",
    ),
    required=("depot_id", "name", "lon", "lat"),
    from_row=depot_from_row,
    to_cells=depot_cells,
    id_of=lambda item: item.depot_id,
)


def import_depots(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    settlement_ids: Collection[str] | None = None,
) -> tuple[tuple[Depot, ...], ImportReport]:
    """Depots of a table or vector file; ``settlement_ids`` as for libraries.

    Raises
    ------
    InputError
        Where the file cannot be read at all (see ``import_table``).
    """
    return import_table(
        path,
        DEPOTS,
        mapping=mapping,
        encoding=encoding,
        layer=layer,
        optional=("depot_id",),
        complete=lambda rows: fill_ids(rows, "depot_id", "depot", ("name", "lon", "lat")),
        check=lambda pairs: check_known(pairs, "settlement_id", settlement_ids, "settlements.csv"),
    )
