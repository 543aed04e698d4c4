"""Access coverage as files: CSV and GeoJSON of settlements, a workbook of all tables.

Column names and codes of CSV and GeoJSON are English and stay.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from data.feeds.coverage_table import CoverageTable
from data.feeds.plan_geojson import point_feature, write_features
from data.feeds.spreadsheet_text import harmless
from data.feeds.workbook import Cell, Kind, TableBook
from data.model.coverage import Coverage
from data.model.coverage_lines import CoverageLine
from data.model.geo import COORDINATE_DIGITS
from data.model.labels import Labels

type Link = Callable[[CoverageTable, int, int], str]
CSV_COLUMNS = (
    "settlement_id", "name", "municipality", "lon", "lat", "population", "population_year",
    "children", "youth", "seniors", "disabled", "reach_before", "reach_after", "nearest_library",
    "library_standing", "library_minutes", "library_km", "nearest_stop_id", "nearest_stop",
    "stop_metres", "visits_in_28_days", "rhythm", "open_minutes_per_1000", "is_estimated",
    "limit_minutes", "limit_km", "limit_metres", "reasons",
)  # fmt: skip


def csv_rows(coverage: Coverage, lines: Iterable[CoverageLine]) -> Iterable[dict[str, Any]]:
    """Settlements as codes and numbers."""
    params = coverage.params
    for line in lines:
        place, library, stop = line.settlement, line.library, line.stop
        yield {
            "settlement_id": place.settlement_id,
            "name": place.name,
            "municipality": line.municipality,
            "lon": round(place.lon, COORDINATE_DIGITS),
            "lat": round(place.lat, COORDINATE_DIGITS),
            "population": place.population,
            "population_year": place.population_year,
            "children": place.children,
            "youth": place.youth,
            "seniors": place.seniors,
            "disabled": place.disabled,
            "reach_before": line.before.value,
            "reach_after": line.after.value,
            "nearest_library": library.name if library else None,
            "library_standing": library.standing.value if library else None,
            "library_minutes": _rounded(line.library_minutes, 1),
            "library_km": _rounded(line.library_km, 2),
            "nearest_stop_id": stop.stop_id if stop else None,
            "nearest_stop": stop.name if stop else None,
            "stop_metres": _rounded(line.stop_metres, 0),
            "visits_in_28_days": round(line.visits_28, 2),
            "rhythm": line.rhythm.value if line.rhythm else None,
            "open_minutes_per_1000": _rounded(line.minutes_per_1000, 1),
            "is_estimated": "yes" if coverage.is_estimated else "no",
            "limit_minutes": params.minutes,
            "limit_km": params.library_km,
            "limit_metres": params.metres,
            "reasons": " ".join(r.code.removeprefix("coverage.reason.") for r in line.reasons),
        }


def csv_text(coverage: Coverage, lines: Iterable[CoverageLine]) -> str:
    """Settlements as CSV; no cell can run as a formula."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in csv_rows(coverage, lines):
        writer.writerow({name: harmless(value) for name, value in row.items()})
    return text.getvalue()


def write_geojson(coverage: Coverage, lines: Iterable[CoverageLine], path: Path) -> None:
    """Settlements as points."""
    write_features(
        (
            point_feature(
                row["settlement_id"],
                row["lon"],
                row["lat"],
                {name: value for name, value in row.items() if name not in {"lon", "lat"}},
            )
            for row in csv_rows(coverage, lines)
        ),
        path,
    )


def write_workbook(
    path: Path,
    label: Labels,
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    tables: Sequence[CoverageTable],
    made_on: date,
    link: Link | None = None,
) -> None:
    """All tables as sheets of one workbook, led by what the figures rest on.

    Parameters
    ----------
    link
        Where the figure in a row and column of a table leads; empty is nowhere.
    """
    book = TableBook(path, label, made_on)
    told_facts: list[tuple[str, Kind, Cell]] = [(n, Kind.TEXT, v) for n, v in facts]
    book.add_facts(label("coverage.sheet.about"), title, told_facts)
    for table in tables:
        links = linked(table, link) if link is not None else ()
        book.add_table(label(f"coverage.sheet.{table.name}"), table.columns, table.rows, links)
    book.close()


def linked(table: CoverageTable, link: Link) -> list[list[str]]:
    """Where each cell of a table leads."""
    return [[link(table, i, j) for j in range(len(table.columns))] for i in range(len(table.rows))]


def _rounded(value: float | None, digits: int) -> float | None:
    if value is None:
        return None
    return round(value, digits) if digits else round(value)
