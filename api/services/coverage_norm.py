"""The audit by a norm as tables of a coverage report: each settlement, the norm quoted beside it.

The verdicts are those of ``api.services.needs``; nothing is judged here.
"""

from collections.abc import Mapping

from api.services.needs import NeedAudit
from api.words import Words
from data.feeds.coverage_table import CoverageTable
from data.feeds.workbook import Cell, Column, Kind
from data.model.norms import AccessBand, NeedStatus, NormSet
from data.model.region import Region
from planner.need import LACKING


def norm_quoted(norm: NormSet, words: Words) -> tuple[str, ...]:
    """A norm as it is quoted: name with mark, source, validity."""
    lines = [
        words(
            "coverage.norm.quote",
            name=norm.name_in(words.language),
            mark=words(f"norms.mark.{norm.mark}"),
        )
    ]
    if norm.source:
        lines.append(words("needs.norm.source", source=norm.source_in(words.language)))
    if norm.valid_from or norm.valid_to:
        first = words.day(norm.valid_from) if norm.valid_from else "…"
        last = words.day(norm.valid_to) if norm.valid_to else "…"
        lines.append(words("coverage.norm.valid", first=first, last=last))
    return tuple(lines)


def asked_by(band: AccessBand, words: Words) -> str:
    """What a band asks, in words."""
    minutes, km = (
        "" if limit is None else words.number(limit, 1) for limit in (band.max_minutes, band.max_km)
    )
    if minutes and km:
        return words("needs.limit.both", minutes=minutes, km=km)
    if minutes:
        return words("needs.limit.minutes", minutes=minutes)
    return words("needs.limit.km", km=km or "0")


def norm_summary(region: Region, audit: NeedAudit, words: Words) -> CoverageTable:
    """How many settlements keep the norm, and on which libraries that rests."""
    people = {s.settlement_id: s.population or 0 for s in region.settlements}
    rows: list[tuple[Cell, ...]] = []
    keys = []
    for status in NeedStatus:
        chosen = [n for n in audit.needs if n.status is status]
        if not chosen:
            continue
        verdict = "fail" if status in LACKING else "pass"
        keys.append(f"{audit.norm.norm_set_id}/{status}")
        rows.append(
            (
                words(f"needs.verdict.{verdict}"),
                words(f"need_status.{status}"),
                len(chosen),
                sum(people[n.settlement_id] for n in chosen),
            )
        )
    return CoverageTable(
        name="norm",
        title=words("coverage.table.norm"),
        columns=_columns(
            words,
            ("verdict", Kind.TEXT, 22),
            ("status", Kind.TEXT, 40),
            ("settlements", Kind.COUNT, 14),
            ("people", Kind.COUNT, 14),
        ),
        rows=tuple(rows),
        keys=tuple(keys),
        notes=norm_quoted(audit.norm, words),
    )


def norm_lines(
    region: Region, audit: NeedAudit, words: Words, municipalities: Mapping[str, str]
) -> CoverageTable:
    """Every settlement's verdict, with what the norm asks of it and the norm itself."""
    places = {s.settlement_id: s for s in region.settlements}
    libraries: dict[str | None, str] = {
        lib.library_id: lib.name or words("map.library_unnamed") for lib in audit.libraries
    }
    norm, quoted = audit.norm, norm_quoted(audit.norm, words)
    rows: list[tuple[Cell, ...]] = []
    for need in audit.needs:
        place = places[need.settlement_id]
        verdict = "fail" if need.status in LACKING else "pass"
        rows.append(
            (
                place.name,
                municipalities.get(str(place.municipality_id), ""),
                words("table.unknown") if place.population is None else place.population,
                words(f"needs.verdict.{verdict}"),
                words(f"need_status.{need.status}"),
                asked_by(need.band, words),
                libraries.get(need.nearest_library_id, ""),
                None if need.nearest_s is None else need.nearest_s / 60,
                None if need.nearest_m is None else need.nearest_m / 1000,
                norm.name_in(words.language),
                words(f"norms.mark.{norm.mark}"),
                " ".join(quoted[1:]),
            )
        )
    return CoverageTable(
        name="norm_lines",
        title=words("coverage.table.norm"),
        columns=_columns(
            words,
            ("name", Kind.TEXT, 24),
            ("municipality", Kind.TEXT, 30),
            ("people", Kind.COUNT, 12),
            ("verdict", Kind.TEXT, 20),
            ("status", Kind.TEXT, 34),
            ("asked", Kind.TEXT, 34),
            ("nearest_library", Kind.TEXT, 34),
            ("minutes", Kind.NUMBER, 12),
            ("km", Kind.NUMBER, 12),
            ("norm", Kind.TEXT, 40),
            ("mark", Kind.TEXT, 20),
            ("norm_source", Kind.TEXT, 60),
        ),
        rows=tuple(rows),
    )


def _columns(words: Words, *named: tuple[str, Kind, int]) -> tuple[Column, ...]:
    return tuple(Column(words(f"coverage.col.{n}"), kind, width) for n, kind, width in named)
