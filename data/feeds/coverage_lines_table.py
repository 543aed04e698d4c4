"""Access coverage settlement by settlement, in words: what is in reach, and why not."""

from collections.abc import Iterable, Mapping
from typing import Any

from data.feeds.coverage_table import CoverageTable, columns_of
from data.feeds.workbook import Kind
from data.model.coverage_lines import CoverageLine
from data.model.labels import Labels


def lines_table(lines: Iterable[CoverageLine], label: Labels) -> CoverageTable:
    """Settlement by settlement."""
    rows, keys = [], []
    for line in lines:
        place = line.settlement
        keys.append(str(place.settlement_id))
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
    columns = columns_of(label, *names)
    return CoverageTable(
        name="settlements", title=title, columns=columns, rows=tuple(rows), keys=tuple(keys)
    )


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
