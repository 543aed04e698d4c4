"""Access coverage as tables: for pages, printed reports and workbooks alike; CSV and GeoJSON.

A table is made once, with typed cells; a page tells them as text (``told``), a workbook keeps them
as numbers. Column names and codes of CSV and GeoJSON are English and stay.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data.feeds.plan_geojson import point_feature, write_features
from data.feeds.workbook import Cell, Column, Kind, TableBook
from data.model.calendar import MINUTE_S
from data.model.coverage import Coverage, Reach
from data.model.coverage_count import Count, Cut, Row, equity_of, groups_of, rows_of, total_of
from data.model.coverage_lines import CoverageLine
from data.model.geo import COORDINATE_DIGITS
from data.model.labels import Labels
from data.model.weighted import Floats

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so may be run by a spreadsheet program."""
UNKNOWN = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageTable:
    """A table of figures; ``keys[i]`` is the class of row ``i`` in the table's cut."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    keys: tuple[str, ...] = ()
    cut: Cut | None = None
    notes: tuple[str, ...] = ()


def told(cell: Cell, kind: Kind, label: Labels) -> str:
    """A cell as people read it."""
    if cell is None or cell == "":
        return UNKNOWN
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool) or kind is Kind.FLAG:
        return label("table.yes" if cell else "table.no")
    if isinstance(cell, date):
        return label.day(cell)
    return label.number(cell, 1 if kind is Kind.NUMBER else 0)


def summary_table(coverage: Coverage, label: Labels) -> CoverageTable:
    """The whole region: what is in reach, before and after."""
    total = total_of(coverage)
    rows: list[tuple[Cell, ...]] = []
    for reach in reversed(Reach):
        before, after = total.before[reach], total.after[reach]
        rows.append(
            (
                label(f"coverage.reach.{reach}"),
                before.settlements,
                before.people,
                _share(before.people, total),
                after.settlements,
                after.people,
                _share(after.people, total),
            )
        )
    covered = [total.covered(is_after=is_after) for is_after in (False, True)]
    both: list[Cell] = [label("coverage.in_reach")]
    for count in covered:
        both += [count.settlements, count.people, _share(count.people, total)]
    notes = []
    if total.total.unknown:
        notes.append(label.count("coverage.unknown_population", total.total.unknown))
    return CoverageTable(
        name="reach",
        title=label("coverage.table.reach"),
        columns=_columns(
            label,
            ("reach", Kind.TEXT, 44),
            ("settlements_before", Kind.COUNT, 14),
            ("people_before", Kind.COUNT, 14),
            ("share_before", Kind.NUMBER, 12),
            ("settlements_after", Kind.COUNT, 14),
            ("people_after", Kind.COUNT, 14),
            ("share_after", Kind.NUMBER, 12),
        ),
        rows=(tuple(both), *rows),
        keys=("covered", *(r.value for r in reversed(Reach))),
        notes=tuple(notes),
    )


def cut_table(
    coverage: Coverage, cut: Cut, label: Labels, municipalities: Mapping[str, str]
) -> CoverageTable:
    """Settlements and people by class, in reach before and after."""
    found = rows_of(coverage, cut)
    return CoverageTable(
        name=cut.value,
        title=label(f"coverage.table.{cut}"),
        columns=_columns(
            label,
            (cut.value, Kind.TEXT, 36),
            ("settlements", Kind.COUNT, 14),
            ("people", Kind.COUNT, 12),
            ("people_before", Kind.COUNT, 14),
            ("share_before", Kind.NUMBER, 12),
            ("people_after", Kind.COUNT, 14),
            ("share_after", Kind.NUMBER, 12),
            ("gained", Kind.COUNT, 12),
            ("left", Kind.COUNT, 14),
        ),
        rows=tuple(_cut_row(row, cut, label, municipalities) for row in found),
        keys=tuple(row.key for row in found),
        cut=cut,
    )


def _cut_row(
    row: Row, cut: Cut, label: Labels, municipalities: Mapping[str, str]
) -> tuple[Cell, ...]:
    before, after = row.covered(is_after=False), row.covered(is_after=True)
    return (
        class_name(row, cut, label, municipalities),
        row.total.settlements,
        row.total.people,
        before.people,
        _share(before.people, row),
        after.people,
        _share(after.people, row),
        row.gained,
        row.after[Reach.NONE].settlements,
    )


def class_name(row: Row, cut: Cut, label: Labels, municipalities: Mapping[str, str]) -> str:
    """A class in words: a municipality's name, "100 to 499 people" …"""
    if cut is Cut.MUNICIPALITY:
        return municipalities.get(row.key, row.key) or label("coverage.no_municipality")
    if not row.key:
        return label(f"coverage.class.{cut}.none")
    if cut is Cut.RHYTHM:
        return label(f"coverage.rhythm.{row.key}")
    low = None if row.low is None else label.number(row.low)
    if row.high is None:
        return label(f"coverage.class.{cut}.from", low=low)
    # Whole people: the class ends one below the next.
    high = label.number(row.high - 1 if cut is Cut.SIZE else row.high)
    if low is None:
        return label(f"coverage.class.{cut}.to", high=high)
    return label(f"coverage.class.{cut}.between", low=low, high=high)


def groups_table(coverage: Coverage, label: Labels) -> CoverageTable:
    """Age groups and people with a disability, as far as the region's data tell them."""
    rows, unknown = [], []
    for group in groups_of(coverage):
        name = label(f"coverage.group.{group.group}")
        if not group.is_known:
            unknown.append(name)
            continue
        before, after = (100 * n / group.total for n in (group.covered_before, group.covered_after))
        rows.append(
            (name, group.total, group.covered_before, before, group.covered_after, after,
             group.num_unknown)
        )  # fmt: skip
    notes = (label("coverage.groups_unknown", groups=", ".join(unknown)),) if unknown else ()
    return CoverageTable(
        name="groups",
        title=label("coverage.table.groups"),
        columns=_columns(
            label,
            ("group", Kind.TEXT, 32),
            ("people", Kind.COUNT, 12),
            ("people_before", Kind.COUNT, 14),
            ("share_before", Kind.NUMBER, 12),
            ("people_after", Kind.COUNT, 14),
            ("share_after", Kind.NUMBER, 12),
            ("untold", Kind.COUNT, 18),
        ),
        rows=tuple(rows),
        notes=notes,
    )


def equity_table(coverage: Coverage, label: Labels, weights: Floats | None) -> CoverageTable:
    """How evenly the time to a library or stop is spread: mean, P90, worst tenth, Gini."""
    rows = []
    for one in equity_of(coverage, weights):
        group = one.group.value if one.group else one.kind
        times = (one.mean_s, one.p90_s, one.worst_tenth_s)
        rows.append(
            (
                label(f"coverage.group.{group}"),
                label("coverage.after" if one.is_after else "coverage.before"),
                *(None if t is None else round(t / MINUTE_S, 1) for t in times),
                "" if one.gini is None else label.number(one.gini, 3),
            )
        )
    return CoverageTable(
        name="equity",
        title=label("coverage.table.equity"),
        columns=_columns(
            label,
            ("group", Kind.TEXT, 32),
            ("when", Kind.TEXT, 12),
            ("mean", Kind.NUMBER, 14),
            ("p90", Kind.NUMBER, 14),
            ("tenth", Kind.NUMBER, 18),
            ("gini", Kind.TEXT, 12),
        ),
        rows=tuple(rows),
        notes=(label("coverage.equity_told"),),
    )


def all_tables(
    coverage: Coverage, label: Labels, municipalities: Mapping[str, str], weights: Floats | None
) -> tuple[CoverageTable, ...]:
    """Every table of figures, in the order of a report."""
    return (
        summary_table(coverage, label),
        *(cut_table(coverage, cut, label, municipalities) for cut in Cut),
        groups_table(coverage, label),
        equity_table(coverage, label, weights),
    )


def lines_table(lines: Iterable[CoverageLine], label: Labels) -> CoverageTable:
    """Settlement by settlement."""
    rows = []
    for line in lines:
        place = line.settlement
        rows.append(
            (
                place.settlement_id,
                place.name,
                line.municipality,
                label("table.unknown") if place.population is None else place.population,
                label("table.undated") if place.population_year is None else place.population_year,
                label(f"coverage.reach.{line.before}"),
                label(f"coverage.reach.{line.after}"),
                (line.library.name or label("map.library_unnamed")) if line.library else "",
                label(f"standing.{line.library.standing}") if line.library else "",
                line.library_minutes,
                line.library_km,
                line.stop.name if line.stop else "",
                None if line.stop_metres is None else round(line.stop_metres),
                label(f"coverage.rhythm.{line.rhythm}") if line.rhythm else "",
                line.minutes_per_1000,
                " ".join(reason_told(r.code, r.facts, label) for r in line.reasons),
            )
        )
    names: tuple[tuple[str, Kind, int], ...] = (
        ("settlement_id", Kind.TEXT, 16),
        ("name", Kind.TEXT, 24),
        ("municipality", Kind.TEXT, 30),
        ("people", Kind.COUNT, 12),
        ("year", Kind.TEXT, 12),
        ("before", Kind.TEXT, 26),
        ("after", Kind.TEXT, 26),
        ("nearest_library", Kind.TEXT, 34),
        ("standing", Kind.TEXT, 16),
        ("minutes", Kind.NUMBER, 12),
        ("km", Kind.NUMBER, 12),
        ("nearest_stop", Kind.TEXT, 26),
        ("metres", Kind.COUNT, 12),
        ("rhythm", Kind.TEXT, 22),
        ("per_1000", Kind.NUMBER, 18),
        ("reasons", Kind.TEXT, 60),
    )
    title = label("coverage.table.settlements")
    columns = _columns(label, *names)
    return CoverageTable(name="settlements", title=title, columns=columns, rows=tuple(rows))


def reason_told(code: str, facts: Mapping[str, Any], label: Labels) -> str:
    """A reason in words."""
    shown = {
        name: label.number(value, 1) if isinstance(value, int | float) else value
        for name, value in facts.items()
        if value is not None
    }
    if "metres" in facts:
        shown["metres"] = label.number(float(facts["metres"]))
    if code == "coverage.reason.library_far":
        shown["name"] = facts["name"] or label("map.library_unnamed")
        if facts["limit_km"] is not None:
            code += "_km"
    return label(code, **shown)


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


def harmless(value: object) -> object:
    """A cell's value; a text that a spreadsheet program would run is led by an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


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
) -> None:
    """All tables as sheets of one workbook, led by what the figures rest on."""
    book = TableBook(path, label, made_on)
    told_facts: list[tuple[str, Kind, Cell]] = [(n, Kind.TEXT, v) for n, v in facts]
    book.add_facts(label("coverage.sheet.about"), title, told_facts)
    for table in tables:
        book.add_table(label(f"coverage.sheet.{table.name}"), table.columns, table.rows)
    book.close()


def _columns(label: Labels, *named: tuple[str, Kind, int]) -> tuple[Column, ...]:
    return tuple(Column(label(f"coverage.col.{n}"), kind, width) for n, kind, width in named)


def _share(people: int, row: Row) -> float | None:
    total: Count = row.total
    return 100 * people / total.people if total.people else None


def _rounded(value: float | None, digits: int) -> float | None:
    if value is None:
        return None
    return round(value, digits) if digits else round(value)
