"""Settlements and municipalities: rows to values and back, and their import."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from data.feeds.entity import Entity
from data.feeds.importing import fill, fill_ids, import_table
from data.feeds.position_checks import FAR_M, LAND_TOLERANCE_M, Land, middle
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.values import write_number
from data.model.geo import Ring, distance_m
from data.model.place import Municipality, MunicipalityId, Settlement, SettlementId

GROUP_COLUMNS = ("children", "youth", "seniors", "disabled")
"""Groups of the population that have a column of their own."""


def most_of(groups: Mapping[str, int | None]) -> int:
    """Least number of people that can hold the groups: ages do not overlap, disability may."""
    ages = sum(groups.get(name) or 0 for name in ("children", "youth", "seniors"))
    return max(ages, groups.get("disabled") or 0)


def settlement_from_row(row: Row) -> Settlement | None:
    settlement_id, name = row.required("settlement_id"), row.required("name")
    position = row.required_position()
    population = row.count("population")
    groups = {name: row.count(name) for name in GROUP_COLUMNS}
    year = row.count("population_year")
    if population is not None and most_of(groups) > population:
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
        **groups,
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
        **{name: write_number(getattr(item, name)) for name in GROUP_COLUMNS},
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
        *GROUP_COLUMNS,
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

_OKTMO_DIGITS = 11
"""Digits of the code of a settlement; shorter ones name a municipality."""


def import_settlements(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    land: Sequence[Ring] | None = None,
    off_land: Literal["reject", "flag"] = "reject",
    land_tolerance_m: float = LAND_TOLERANCE_M,
) -> tuple[tuple[Settlement, ...], ImportReport]:
    """Settlements of a table or vector file.

    Where the file has no ids, a settlement's OKTMO code (11 digits, found once) is its id, else a
    mark made from its name, municipality and position. A population that says "no data" is
    missing, never zero.

    Parameters
    ----------
    land
        Outline of the land. A position more than ``land_tolerance_m`` off it is rejected, or
        flagged with ``off_land="flag"``.

    Raises
    ------
    InputError
        Where the file cannot be read at all (see ``import_table``).
    """
    outline = Land(land) if land else None

    def check(pairs: Sequence[tuple[Settlement, Row]]) -> None:
        if outline is not None:
            _check_land(pairs, outline, land_tolerance_m, off_land)
        _check_far(pairs)

    return import_table(
        path,
        SETTLEMENTS,
        mapping=mapping,
        encoding=encoding,
        layer=layer,
        extra_columns=("oktmo",),
        optional=("settlement_id",),
        complete=_complete_settlements,
        check=check,
    )


def _complete_settlements(rows: Sequence[Row]) -> None:
    codes = [_oktmo(row) for row in rows]
    times = Counter(codes)
    for row, code in zip(rows, codes, strict=True):
        if code and times[code] == 1 and not row.has("settlement_id"):
            fill(row, "settlement_id", f"oktmo-{code}")
    fill_ids(rows, "settlement_id", "place", ("name", "municipality_id", "lon", "lat"))


def _oktmo(row: Row) -> str:
    """The OKTMO code of a settlement; spreadsheets drop its leading zero."""
    code = row.text("oktmo").removesuffix(".0")
    if code.isdigit() and len(code) in {_OKTMO_DIGITS - 1, _OKTMO_DIGITS}:
        return code.zfill(_OKTMO_DIGITS)
    return ""


def _check_land(
    pairs: Sequence[tuple[Settlement, Row]],
    land: Land,
    tolerance_m: float,
    off_land: Literal["reject", "flag"],
) -> None:
    for item, row in pairs:
        off_m = land.metres_off(item.lon, item.lat)
        if off_m > tolerance_m:
            tell = row.note if off_land == "reject" else row.flag
            tell("feeds.row.off_land", name=item.name, km=round(off_m / 1000, 1), **_place(item))


def _check_far(pairs: Sequence[tuple[Settlement, Row]]) -> None:
    if not pairs:
        return
    lon, lat = middle([(item.lon, item.lat) for item, _ in pairs])
    for item, row in pairs:
        away_m = distance_m(lon, lat, item.lon, item.lat)
        if away_m > FAR_M:
            row.flag("feeds.row.far_away", name=item.name, km=round(away_m / 1000), **_place(item))


def _place(item: Settlement) -> dict[str, float]:
    return {"lon": item.lon, "lat": item.lat}


def import_municipalities(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    layer: str | None = None,
) -> tuple[tuple[Municipality, ...], ImportReport]:
    """Municipalities of a table; without an id the name is taken for it."""

    def complete(rows: Sequence[Row]) -> None:
        for row in rows:
            if not row.has("municipality_id"):
                fill(row, "municipality_id", row.text("name"))

    return import_table(
        path,
        MUNICIPALITIES,
        mapping=mapping,
        encoding=encoding,
        layer=layer,
        optional=("municipality_id",),
        complete=complete,
    )


def completed_municipalities(
    municipalities: Sequence[Municipality], settlements: Sequence[Settlement]
) -> tuple[Municipality, ...]:
    """The municipalities, with a row for each that settlements name and none holds."""
    known = {item.municipality_id for item in municipalities}
    named = dict.fromkeys(s.municipality_id for s in settlements if s.municipality_id)
    return tuple(municipalities) + tuple(
        Municipality(municipality_id=key, name=str(key)) for key in named if key not in known
    )
