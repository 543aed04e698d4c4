"""Depots: rows to values and back, and their import."""

from collections.abc import Collection, Mapping
from pathlib import Path

from data.feeds.entity import Entity
from data.feeds.importing import check_known, fill_ids, import_table
from data.feeds.report import ImportReport
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
