"""Settlements and municipalities: rows to values and back."""

from data.feeds.entity import Entity
from data.feeds.rows import Row
from data.feeds.values import write_number
from data.model.place import Municipality, MunicipalityId, Settlement, SettlementId


def settlement_from_row(row: Row) -> Settlement | None:
    settlement_id, name = row.required("settlement_id"), row.required("name")
    position = row.required_position()
    population, children, seniors = (
        row.count("population"),
        row.count("children"),
        row.count("seniors"),
    )
    year = row.count("population_year")
    if population is not None and (children or 0) + (seniors or 0) > population:
        row.flag("feeds.row.parts_above_population", "population")
    if row.is_wrong or position is None:
        return None
    return Settlement(
        settlement_id=SettlementId(settlement_id),
        name=name,
        lon=position[0],
        lat=position[1],
        name_latin=row.text("name_latin"),
        kind=row.text("kind"),
        municipality_id=MunicipalityId(row.text("municipality_id")) or None,
        population=population,
        population_year=year,
        children=children,
        seniors=seniors,
        source=row.text("source"),
        flags=row.parts("flags"),
    )


def settlement_cells(item: Settlement) -> dict[str, str]:
    return {
        "settlement_id": item.settlement_id,
        "name": item.name,
        "name_latin": item.name_latin,
        "kind": item.kind,
        "municipality_id": item.municipality_id or "",
        "lon": write_number(item.lon),
        "lat": write_number(item.lat),
        "population": write_number(item.population),
        "population_year": write_number(item.population_year),
        "children": write_number(item.children),
        "seniors": write_number(item.seniors),
        "source": item.source,
        "flags": ";".join(item.flags),
    }


def municipality_from_row(row: Row) -> Municipality | None:
    municipality_id, name = row.required("municipality_id"), row.required("name")
    counts = {
        column: row.count(column)
        for column in (
            "population",
            "population_urban",
            "population_rural",
            "population_year",
        )
    }
    if row.is_wrong:
        return None
    return Municipality(
        municipality_id=MunicipalityId(municipality_id),
        name=name,
        name_latin=row.text("name_latin"),
        source=row.text("source"),
        **counts,
    )


def municipality_cells(item: Municipality) -> dict[str, str]:
    return {
        "municipality_id": item.municipality_id,
        "name": item.name,
        "name_latin": item.name_latin,
        "population": write_number(item.population),
        "population_urban": write_number(item.population_urban),
        "population_rural": write_number(item.population_rural),
        "population_year": write_number(item.population_year),
        "source": item.source,
    }


SETTLEMENTS: Entity[Settlement] = Entity(
    name="settlements",
    id_column="settlement_id",
    columns=(
        "settlement_id",
        "name",
        "name_latin",
        "kind",
        "municipality_id",
        "lon",
        "lat",
        "population",
        "population_year",
        "children",
        "seniors",
        "source",
        "flags",
    ),
    required=("settlement_id", "name", "lon", "lat"),
    from_row=settlement_from_row,
    to_cells=settlement_cells,
    id_of=lambda item: item.settlement_id,
)

MUNICIPALITIES: Entity[Municipality] = Entity(
    name="municipalities",
    id_column="municipality_id",
    columns=(
        "municipality_id",
        "name",
        "name_latin",
        "population",
        "population_urban",
        "population_rural",
        "population_year",
        "source",
    ),
    required=("municipality_id", "name"),
    from_row=municipality_from_row,
    to_cells=municipality_cells,
    id_of=lambda item: item.municipality_id,
)
