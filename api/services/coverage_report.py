"""A report of access coverage in one language: tables, charts, map, and their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path

import numpy as np

from api.print.typeset import Json, print_pdf
from api.progress import Ticker
from api.services.coverage import weighted_of
from api.services.coverage_links import CoverageLinks
from api.services.coverage_norm import norm_lines, norm_summary
from api.services.folders import made_folder, not_written
from api.services.needs import NeedAudit
from api.words import Words
from data.feeds.coverage_files import csv_text, write_geojson, write_workbook
from data.feeds.coverage_lines_table import lines_table
from data.feeds.coverage_table import CoverageTable, all_tables, told
from data.feeds.plan_geojson import write_features
from data.feeds.workbook import Column, Kind
from data.model.coverage import Coverage
from data.model.coverage_count import Cut
from data.model.coverage_lines import CoverageLine, lines_of
from data.model.coverage_told import limits_told
from data.model.reader_share import ReaderShare
from data.model.region import Region
from maps.coverage_ground import CoverageAreas
from maps.roads import Position, Roads

CHARTS = (Cut.MUNICIPALITY, Cut.SIZE, Cut.LIBRARY)
"""Cuts that have a chart; of the others a table says more."""
type LeftOut = Sequence[tuple[str, float, float]]
"""Name and place of stops that a plan was asked for and does not visit."""


@dataclass(frozen=True, kw_only=True)
class CoverageReport:
    """Coverage of a region told in one language; its parts are made when they are asked for."""

    region: Region
    coverage: Coverage
    words: Words
    on: date
    before_name: str
    after_name: str
    areas: CoverageAreas
    left_out: LeftOut = ()
    readers: tuple[ReaderShare, ...] = ()
    """Another coverage, told under a heading of its own."""
    audit: NeedAudit | None = None
    """The audit by the region's norm, if it is to be told beside."""

    @cached_property
    def municipalities(self) -> Mapping[str, str]:
        """Names by id."""
        return {str(m.municipality_id): m.name for m in self.region.municipalities}

    @cached_property
    def lines(self) -> tuple[CoverageLine, ...]:
        """Settlement by settlement."""
        return lines_of(self.coverage, self.municipalities, near_left_out(self))

    @cached_property
    def tables(self) -> tuple[CoverageTable, ...]:
        """Every table of figures."""
        weights = weighted_of(self.region)
        found = all_tables(self.coverage, self.words, self.municipalities, weights)
        if self.audit is None:
            return found
        return (*found, norm_summary(self.region, self.audit, self.words))

    @property
    def title(self) -> str:
        return self.words("coverage.map.title", region=self.region.name_in(self.words.language))

    @property
    def subtitle(self) -> str:
        """What is compared."""
        return self.words("coverage.compared", before=self.before_name, after=self.after_name)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the figures rest on."""
        told_of = [limits_told(self.coverage, self.words)]
        if self.coverage.is_estimated:
            about = self.words("coverage.estimated.about")
            told_of.append(f"{self.words('coverage.estimated')} {about}")
        else:
            told_of.append(self.words("coverage.roads", source=self.coverage.travel_source))
        if not self.region.library_register_is_complete:
            told_of.append(self.words("coverage.register"))
        return tuple(told_of)

    def table(self, name: str) -> CoverageTable:
        """One table by its name."""
        return next(t for t in self.tables if t.name == name)

    def chart(self, cut: Cut) -> str:
        """A chart of a cut, as SVG."""
        from maps.coverage_charts import bars_svg, reach_bars  # a second to load

        names = [str(row[0]) for row in self.table(cut.value).rows]
        return bars_svg(reach_bars(self.coverage, cut, names), self.words)

    def plot(self) -> str:
        """The map for paper, as SVG."""
        from maps.coverage_charts import map_svg

        areas = self.areas.districts
        return map_svg(self.region, self.coverage, self.lines, areas, self.words)

    @cached_property
    def plot_kept(self) -> str:
        """The same, drawn once."""
        return self.plot()

    def page(self) -> str:
        """The map as one HTML file."""
        from maps.coverage_map import draw_coverage_map

        return draw_coverage_map(
            self.region,
            self.coverage,
            self.lines,
            self.areas,
            self.words,
            subtitle=self.subtitle,
        )

    def csv(self) -> str:
        """Settlements as CSV."""
        return csv_text(self.coverage, self.lines)

    def pdf(self, *, at: datetime, links: CoverageLinks | None = None) -> bytes:
        """The report on paper, PDF/UA-1; with links, figures lead to their settlements."""
        return print_pdf("coverage", self._printed(links), self.words, at=at)

    def write_xlsx(self, path: Path, links: CoverageLinks | None = None) -> None:
        """All tables in one workbook; a figure stays a number, and leads to its settlements."""
        facts = [
            (self.words("coverage.fact.compared"), self.subtitle),
            (self.words("coverage.fact.on"), self.words.day(self.on)),
            *((self.words("coverage.fact.note"), note) for note in self.notes),
            *((self.words("table.fact.source"), s.title) for s in self.region.sources),
        ]
        facts += [(self.words("coverage.fact.note"), note) for note in self._led(links)]
        tables = [*self.tables, lines_table(self.lines, self.words)]
        if self.audit is not None:
            places = self.municipalities
            tables.append(norm_lines(self.region, self.audit, self.words, places))
        if self.readers:
            tables.append(readers_table(self.readers, self.words))
        write_workbook(
            path,
            self.words,
            title=self.title,
            facts=facts,
            tables=tables,
            made_on=self.on,
            link=None if links is None else links.cell,
        )

    def _led(self, links: CoverageLinks | None) -> list[str]:
        """That underlined figures open, where they do."""
        if links is None:
            return []
        return [self.words("reports.note.links", address=links.root)]

    def _printed(self, links: CoverageLinks | None) -> dict[str, Json]:
        sections: list[Json] = []
        for table in self.tables:
            svg = self.chart(table.cut) if table.cut in CHARTS else ""
            sections.append(self._section(table, svg, links))
        sections.append(self._section(_unserved(self), "", links))
        if self.readers:
            sections.append(self._section(readers_table(self.readers, self.words), "", links))
        return {
            "title": self.title,
            "region": self.region.name_in(self.words.language),
            "subtitle": self.subtitle,
            "made": self.words("coverage.made", day=self.words.day(self.on)),
            "notes": (*self.notes, *self._led(links)),
            "map": _for_print(self.plot_kept),
            "map_alt": self.words("coverage.map_alt", region=self.title),
            "sections": sections,
        }

    def _section(
        self, table: CoverageTable, svg: str, links: CoverageLinks | None
    ) -> dict[str, Json]:
        kinds = [column.kind for column in table.columns]
        return {
            "title": table.title,
            "notes": table.notes,
            "svg": _for_print(svg),
            "alt": self.words("coverage.chart_alt", table=table.title),
            "columns": [column.title for column in table.columns],
            "widths": [column.width for column in table.columns],
            "is_number": [kind is not Kind.TEXT for kind in kinds],
            "rows": [
                [
                    {
                        "text": told(cell, kind, self.words),
                        "link": "" if links is None else links.cell(table, i, j),
                    }
                    for j, (cell, kind) in enumerate(zip(row, kinds, strict=True))
                ]
                for i, row in enumerate(table.rows)
            ],
        }


def _for_print(svg: str) -> str:
    """A chart in the letters that printed documents have."""
    return svg.replace('font-family="sans-serif"', 'font-family="Noto Sans"')


def _unserved(report: CoverageReport) -> CoverageTable:
    """Who has nothing in reach, the largest first, as short as paper asks."""
    words = report.words
    lacking = [line for line in report.lines if line.is_inhabited and not line.is_covered]
    lacking.sort(key=lambda line: -(line.settlement.population or 0))
    names: tuple[tuple[str, Kind, int], ...] = (
        ("name", Kind.TEXT, 26),
        ("municipality", Kind.TEXT, 32),
        ("people", Kind.COUNT, 10),
        ("minutes", Kind.NUMBER, 10),
        ("km", Kind.NUMBER, 10),
        ("metres", Kind.COUNT, 12),
    )
    return CoverageTable(
        name="unserved",
        title=words("coverage.table.unserved"),
        columns=tuple(Column(words(f"coverage.col.{n}"), k, w) for n, k, w in names),
        rows=tuple(
            (
                line.settlement.name,
                line.municipality,
                words("table.unknown")
                if line.settlement.population is None
                else line.settlement.population,
                line.library_minutes,
                line.library_km,
                line.stop_metres,
            )
            for line in lacking
        ),
        keys=tuple(str(line.settlement.settlement_id) for line in lacking),
    )


def readers_table(shares: Sequence[ReaderShare], words: Words) -> CoverageTable:
    """The share of registered readers: a table of its own, never beside people in reach."""
    names = (
        ("municipality", Kind.TEXT, 36),
        ("readers", Kind.COUNT, 12),
        ("population", Kind.COUNT, 12),
        ("readers_share", Kind.NUMBER, 12),
        ("readers_target", Kind.NUMBER, 12),
        ("readers_lacking", Kind.COUNT, 14),
        ("readers_source", Kind.TEXT, 40),
    )
    return CoverageTable(
        name="readers",
        title=words("coverage.table.readers"),
        columns=tuple(Column(words(f"coverage.col.{n}"), k, w) for n, k, w in names),
        rows=tuple(
            (
                share.name or words("coverage.whole_region"),
                share.readers,
                share.population,
                None if share.ratio is None else 100 * share.ratio,
                100 * share.target_ratio,
                share.readers_lacking,
                ", ".join(str(part) for part in (share.source, share.year) if part),
            )
            for share in shares
        ),
        notes=(words("coverage.readers_told"),),
    )


def near_left_out(report: CoverageReport) -> tuple[str, ...]:
    """For each settlement a stop within walking distance that the plan leaves out."""
    if not report.left_out:
        return ()
    from maps.coverage import nearest_points, positions_of  # scipy: only where it is needed

    homes = positions_of(report.coverage.settlements)
    places = [(lon, lat) for _, lon, lat in report.left_out]
    index, metres = nearest_points(homes, np.array(places, np.float64))
    limit = report.coverage.params.metres
    return tuple(
        report.left_out[i][0] if away <= limit else ""
        for i, away in zip(index.tolist(), metres.tolist(), strict=True)
    )


def make_areas(
    region: Region,
    coverage: Coverage,
    places: Sequence[Position],
    roads: Roads,
    tick: Ticker,
) -> CoverageAreas:
    """Municipalities, and what is in reach of libraries and stops."""
    from maps.coverage_areas import district_areas, library_area, stop_area

    tick.phase("phase.coverage_areas")
    districts, ground = district_areas(region)
    return CoverageAreas(
        districts=districts,
        ground=ground,
        library=library_area(coverage, places, roads, tick.fraction),
        stops=stop_area(coverage.stops_after.stops, coverage.params.metres, roads),
    )


FILES = ("coverage.csv", "coverage.geojson", "coverage-areas.geojson", "coverage.xlsx",
         "coverage-map.html", "coverage.pdf")  # fmt: skip


def write_report(report: CoverageReport, folder: Path) -> None:
    """Write every file of a report.

    Raises
    ------
    InputError
        ``cli.not_written`` where the folder cannot be written into.
    """
    try:
        made_folder(folder)
        # The mark in front tells spreadsheet programs that this is UTF-8.
        csv_file = folder / "coverage.csv"
        csv_file.write_text("\ufeff" + report.csv(), encoding="utf-8", newline="")
        write_geojson(report.coverage, report.lines, folder / "coverage.geojson")
        write_features(report_areas(report), folder / "coverage-areas.geojson")
        report.write_xlsx(folder / "coverage.xlsx")
        (folder / "coverage-map.html").write_text(report.page(), encoding="utf-8")
        at = datetime.combine(report.on, time(), UTC)
        (folder / "coverage.pdf").write_bytes(report.pdf(at=at))
    except OSError as wrong:
        raise not_written(folder, wrong) from wrong


def report_areas(report: CoverageReport) -> list[dict[str, object]]:
    """What is in reach, as GeoJSON."""
    from maps.coverage_areas import area_features

    coverage, areas = report.coverage, report.areas
    facts = {"is_estimated": coverage.is_estimated, "travel_source": coverage.travel_source}
    limits = {"minutes": coverage.params.minutes, "km": coverage.params.library_km}
    walk = {"metres": coverage.params.metres, "is_straight": not coverage.is_walked}
    return list(
        area_features(
            [
                ("library", areas.library, facts | limits),
                ("stop", areas.stops, walk),
            ]
        )
    )
