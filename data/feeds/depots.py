"""Depots: rows to values and back."""

from data.feeds.entity import Entity
from data.feeds.rows import Row
from data.feeds.values import write_number
from data.model.place import Depot, DepotId, SettlementId


def depot_from_row(row: Row) -> Depot | None:
    depot_id, name = row.required("depot_id"), row.required("name")
    position = row.required_position()
    if row.is_wrong or position is None:
        return None
    return Depot(
        depot_id=DepotId(depot_id),
        name=name,
        lon=position[0],
        lat=position[1],
        settlement_id=SettlementId(row.text("settlement_id")) or None,
    )


def depot_cells(item: Depot) -> dict[str, str]:
    return {
        "depot_id": item.depot_id,
        "name": item.name,
        "lon": write_number(item.lon),
        "lat": write_number(item.lat),
        "settlement_id": item.settlement_id or "",
    }


DEPOTS: Entity[Depot] = Entity(
    name="depots",
    id_column="depot_id",
    columns=(
        "depot_id",
        "name",
        "lon",
        "lat",
        "settlement_id",
    ),
    required=("depot_id", "name", "lon", "lat"),
    from_row=depot_from_row,
    to_cells=depot_cells,
    id_of=lambda item: item.depot_id,
)
