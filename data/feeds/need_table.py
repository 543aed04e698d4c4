"""The audit of need as tables: CSV for programs, XLSX for people, GeoJSON for maps.

Codes and column names in CSV and GeoJSON are English and stay; headings and words in the workbook
are in the reader's language. Known, assumed and missing are told apart in each.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path

from data.feeds.plan_geojson import point_feature, write_features
from data.feeds.workbook import Cell, Column, Kind, TableBook
from data.model.geo import COORDINATE_DIGITS
from data.model.labels import Labels
from data.model.norms import Need, NormSet
from data.model.place import Library
from data.model.region import Region

_UNDATED = date(2000, 1, 1)
"""The workbook's date of making where nothing dates the audit: never the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedRow:
    """One settlement of the audit; ``None`` is not known."""

    settlement_id: str
    name: str
    name_latin: str
    municipality: str
    lon: float
    lat: float
    population: int | None
    population_year: int | None
    children: int | None
    status: str
    library_inside: bool
    nearest_library_id: str | None
    nearest_library: str | None
    nearest_standing: str | None
    minutes: float | None
    km: float | None
    is_estimated: bool
    norm_minutes: float | None
    norm_km: float | None


COLUMNS = tuple(field.name for field in fields(NeedRow))


def need_rows(
    region: Region,
    needs: Iterable[Need],
    libraries: Iterable[Library],
    *,
    is_estimated: bool,
) -> tuple[NeedRow, ...]:
    """The audit settlement by settlement, in the order of the needs."""
    places = {s.settlement_id: s for s in region.settlements}
    municipalities: dict[str | None, str] = {
        m.municipality_id: m.name for m in region.municipalities
    }
    by_id: dict[str | None, Library] = {lib.library_id: lib for lib in libraries}
    rows = []
    for need in needs:
        place = places[need.settlement_id]
        nearest = by_id.get(need.nearest_library_id)
        rows.append(
            NeedRow(
                settlement_id=place.settlement_id,
                name=place.name,
                name_latin=place.name_latin,
                municipality=municipalities.get(place.municipality_id, ""),
                lon=round(place.lon, COORDINATE_DIGITS),
                lat=round(place.lat, COORDINATE_DIGITS),
                population=place.population,
                population_year=place.population_year,
                children=place.children,
                status=need.status.value,
                library_inside=need.has_library_inside,
                nearest_library_id=need.nearest_library_id,
                nearest_library=nearest.name if nearest else None,
                nearest_standing=nearest.standing.value if nearest else None,
                minutes=None if need.nearest_s is None else round(need.nearest_s / 60, 1),
                km=None if need.nearest_m is None else round(need.nearest_m / 1000, 2),
                is_estimated=is_estimated,
                norm_minutes=need.band.max_minutes,
                norm_km=need.band.max_km,
            )
        )
    return tuple(rows)


def write_need(
    region: Region,
    needs: Iterable[Need],
    libraries: Iterable[Library],
    folder: Path,
    *,
    label: Labels,
    norm: NormSet,
    is_estimated: bool,
) -> tuple[Path, ...]:
    """Write ``need.csv``, ``need.xlsx`` and ``need.geojson`` and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = need_rows(region, needs, libraries, is_estimated=is_estimated)
    paths = tuple(folder / f"need.{ending}" for ending in ("csv", "xlsx", "geojson"))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    paths[0].write_text(text.getvalue(), encoding="utf-8", newline="")
    book = TableBook(paths[1], label, region.start_date or norm.valid_from or _UNDATED)
    book.add_table(label("table.sheet.need"), need_columns(label), need_cells(rows, label))
    book.close()
    write_features(
        (
            point_feature(
                row.settlement_id,
                row.lon,
                row.lat,
                {k: v for k, v in asdict(row).items() if k not in {"lon", "lat"}}
                | {"norm_set_id": norm.norm_set_id},
            )
            for row in rows
        ),
        paths[2],
    )
    return paths


def need_columns(label: Labels) -> list[Column]:
    """Headings of the need sheet in words."""
    kinds = {
        "population": Kind.COUNT,
        "children": Kind.COUNT,
        "minutes": Kind.NUMBER,
        "km": Kind.NUMBER,
        "norm_minutes": Kind.COUNT,
        "norm_km": Kind.COUNT,
        "library_inside": Kind.FLAG,
        "is_estimated": Kind.FLAG,
    }
    widths = {"name": 24, "municipality": 28, "status": 30, "nearest_library": 34}
    return [
        Column(label(f"table.col.{name}"), kinds.get(name, Kind.TEXT), widths.get(name, 13))
        for name in COLUMNS
        if name not in {"lon", "lat", "nearest_library_id"}
    ]


def need_cells(rows: Sequence[NeedRow], label: Labels) -> list[list[Cell]]:
    """Cells of the need sheet; unknown populations and undated figures say so."""
    cells: list[list[Cell]] = []
    for row in rows:
        year = label("table.undated") if row.population_year is None else str(row.population_year)
        unknown = row.population is None
        cells.append(
            [
                row.settlement_id,
                row.name,
                row.name_latin,
                row.municipality,
                label("table.unknown") if unknown else row.population,
                "" if unknown else year,
                row.children,
                label(f"need_status.{row.status}"),
                row.library_inside,
                row.nearest_library
                or (label("map.library_unnamed") if row.minutes is not None else ""),
                label(f"standing.{row.nearest_standing}") if row.nearest_standing else "",
                row.minutes,
                row.km,
                row.is_estimated,
                row.norm_minutes,
                row.norm_km,
            ]
        )
    return cells
