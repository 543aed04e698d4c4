"""A report as a file: workbook, CSV, GeoJSON, PDF; the same values as on the screen."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, urlencode

from api.print.typeset import Json, print_pdf
from api.services.report_told import Teller, chart_svg, drill_query, is_numeric
from api.settings import Settings
from api.words import Words
from data.feeds import workbook
from data.feeds.plan_geojson import point_feature
from data.feeds.spreadsheet_text import harmless
from data.feeds.workbook import Column, Kind, Share, TableBook
from data.model.addresses import part_of
from data.model.errors import NotFoundError
from data.model.report import Cell, CellKind, Named, Report, ReportColumn, ReportTable, Said
from data.model.report_schedule import PLACED_KINDS, ReportFormat

MEDIA = {
    ReportFormat.PDF: "application/pdf",
    ReportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ReportFormat.CSV: "text/csv; charset=utf-8",
    ReportFormat.GEOJSON: "application/geo+json",
}
_KINDS = {
    CellKind.TEXT: Kind.TEXT,
    CellKind.COUNT: Kind.COUNT,
    CellKind.NUMBER: Kind.NUMBER,
    CellKind.RATIO: Kind.NUMBER,
    CellKind.MONEY: Kind.NUMBER,
    CellKind.DATE: Kind.DATE,
}
_DIGITS = {CellKind.RATIO: 1, CellKind.MONEY: 2, CellKind.NUMBER: 3}
_WIDE_COLUMNS = 7
OF_PLAN = "price.of_plan"
"""Setting of a price that stands with the region's standard of planning."""


def report_file(
    report: Report,
    kind: ReportFormat,
    words: Words,
    *,
    region_name: str,
    at: datetime,
    desk_url: str,
    table: str = "",
) -> bytes:
    """The report as a file.

    Parameters
    ----------
    at
        When it is made, by the clock of the region: paper tells its date.
    desk_url
        Address of the region's desk, where the lines of a number open from workbook and paper;
        empty where nobody would reach it: then no number leads anywhere.
    table
        Of a CSV, which holds one table: its code; empty is the main one.

    Raises
    ------
    NotFoundError
        ``reports.no_table``, ``reports.no_places``.
    """
    made: Mapping[ReportFormat, Callable[[], bytes]] = {
        ReportFormat.PDF: lambda: report_pdf(
            report, words, region_name=region_name, at=at, desk_url=desk_url
        ),
        ReportFormat.XLSX: lambda: report_xlsx(
            report, words, region_name=region_name, desk_url=desk_url
        ),
        ReportFormat.CSV: lambda: report_csv(report, words, table=table),
        ReportFormat.GEOJSON: lambda: report_geojson(report),
    }
    return made[kind]()


def file_name(report: Report, kind: ReportFormat, language: str, table: str = "") -> str:
    """A name that says what is in the file, and is no other file's."""
    asked = report.asked
    parts = [
        asked.kind.value,
        table if kind is ReportFormat.CSV else "",
        asked.from_date.isoformat(),
        asked.until_date.isoformat(),
        part_of(asked.vehicle_id or ""),
        part_of(asked.form_id),
        language,
    ]
    return f"{'_'.join(filter(None, parts))}.{kind.value}"


def desk_address(settings: Settings, region_id: str, *, asked_at: str = "") -> str:
    """Where a region's desk is found by whoever holds a file; empty where nobody would.

    Parameters
    ----------
    asked_at
        Address of the service by which somebody has just asked for the file.
    """
    base = settings.public_url if settings.has_address else asked_at
    return f"{base.rstrip('/')}/desk/{quote(region_id, safe='')}" if base else ""


def report_xlsx(report: Report, words: Words, *, region_name: str, desk_url: str) -> bytes:
    """A sheet for each table, one before them that says what the report is.

    A number stays a number, and leads to its lines at the desk.
    """
    teller = Teller(words=words)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        book = TableBook(path, words, report.asked.until_date)
        facts: list[tuple[str, Kind, workbook.Cell]] = [
            (words("reports.region"), Kind.TEXT, region_name),
            (words("reports.col.period"), Kind.TEXT, _period(report, teller)),
        ]
        if report.form is not None:
            facts.append((words("reports.form"), Kind.TEXT, report.form.name_in(words.language)))
        notes = _notes(report, teller, desk_url)
        facts += [(words("reports.notes"), Kind.TEXT, text) for text in notes]
        title = teller.report_title(report)
        book.add_facts(words("reports.sheet.about"), title, facts)
        for table in report.tables:
            heads = [_head(teller, table, k) for k in range(len(table.columns))]
            rows = [
                [_typed(cell, column, teller) for cell, column in zip(row, table.columns,
                                                                      strict=True)]
                for row in table.rows
            ]  # fmt: skip
            links = [[_link(cell, desk_url) for cell in row] for row in table.rows]
            book.add_table(words(f"reports.sheet.{table.code}"), heads, rows, links)
        book.close()
        return path.read_bytes()


def _link(cell: Cell, desk_url: str) -> str:
    """Where a number is opened; empty where it is not known."""
    if not desk_url or cell.value is None or not (cell.drill or cell.setting):
        return ""
    if cell.drill is not None:
        return f"{desk_url}/reports/lines?{urlencode(drill_query(cell.drill))}"
    if cell.setting == OF_PLAN:
        return f"{desk_url}/settings/standard"
    return f"{desk_url}/reports/settings#{quote(cell.setting)}"


def _head(teller: Teller, table: ReportTable, k: int) -> Column:
    column = table.columns[k]
    title = _plain_head(teller, column)
    width = 34 if k == 0 else 60 if column.code in ("rule", "source") else 16
    kinds = {row[k].kind or column.kind for row in table.rows} or {column.kind}
    kind = kinds.pop() if len(kinds) == 1 else CellKind.NUMBER
    return Column(title, _KINDS[kind], width)


def _plain_head(teller: Teller, column: ReportColumn) -> str:
    title = teller.head(column)
    return f"{title}, %" if column.kind is CellKind.RATIO else title


def _typed(cell: Cell, column: ReportColumn, teller: Teller) -> workbook.Cell:
    """A cell for a program: numbers as numbers, shares as per cent.

    In a column of other numbers a share bears its unit.
    """
    kind, value = cell.kind or column.kind, cell.value
    if isinstance(value, Said | Named | str) or value is None:
        return None if value is None else teller.value(value, kind)
    if isinstance(value, date):
        return value
    if kind is CellKind.RATIO and column.kind is not CellKind.RATIO:
        return Share(round(float(value), 2 + _DIGITS[kind]))
    number = float(value) * 100 if kind is CellKind.RATIO else float(value)
    if kind is CellKind.COUNT:
        return int(number) if number.is_integer() else number
    return round(number, _DIGITS.get(kind, 3))


def report_csv(report: Report, words: Words, *, table: str = "") -> bytes:
    """One table; begins with the mark by which spreadsheets know UTF-8.

    Raises
    ------
    NotFoundError
        ``reports.no_table``.
    """
    found = next((t for t in report.tables if t.code == table), None)
    if table and found is None:
        known = ", ".join(t.code for t in report.tables)
        raise NotFoundError("reports.no_table", value=table[:40], known=known)
    chosen, teller = found or report.main_table, Teller(words=words)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([harmless(_plain_head(teller, c)) for c in chosen.columns])
    for row in chosen.rows:
        cells = [_typed(c, h, teller) for c, h in zip(row, chosen.columns, strict=True)]
        writer.writerow([_text(c) for c in cells])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _text(cell: workbook.Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Share):
        return f"{cell:.{_DIGITS[CellKind.RATIO]}%}"
    return harmless(cell.isoformat() if isinstance(cell, date) else str(cell))


def report_geojson(report: Report) -> bytes:
    """The places of a report with their figures (RFC 7946).

    Raises
    ------
    NotFoundError
        ``reports.no_places`` for a report that speaks of none.
    """
    if report.asked.kind not in PLACED_KINDS:
        raise NotFoundError("reports.no_places", kind=report.asked.kind.value)
    features = [
        point_feature(f"stop/{p.place_id}", p.lon, p.lat, {"name": p.name, **dict(p.figures)})
        for p in report.places
    ]
    body = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    return f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n'.encode()


def report_pdf(
    report: Report, words: Words, *, region_name: str, at: datetime, desk_url: str = ""
) -> bytes:
    """The report on paper, PDF/UA-1; charts beside their tables.

    A number leads to its lines at the desk, as in a workbook.
    """
    teller = Teller(words=words)
    title = teller.report_title(report)
    data: dict[str, Json] = {
        "title": f"{title}. {region_name}",
        "heading": title,
        "region": region_name,
        "period": _period(report, teller),
        "form": report.form.name_in(words.language) if report.form is not None else "",
        "made": words("print.made", day=words.day(at.date(), "d MMMM y")),
        "simulated": _simulated(report, words),
        "notes": tuple(_notes(report, teller, desk_url)),
        "tables": [_printed(table, teller, desk_url) for table in report.tables],
    }
    return print_pdf("report", data, words, at=at)


def _printed(table: ReportTable, teller: Teller, desk_url: str) -> dict[str, Json]:
    columns = table.columns
    first = table.rows[0] if table.rows else None
    chart = chart_svg(table, teller)
    title = teller.title(table)
    return {
        "title": title,
        "wide": len(columns) > _WIDE_COLUMNS,
        "heads": [teller.head(c) for c in columns],
        "numeric": [
            c.kind is not CellKind.TEXT if first is None else is_numeric(first[k], c)
            for k, c in enumerate(columns)
        ],
        "long": [c.code in ("rule", "source") for c in columns],
        "rows": [
            [
                _leading(cell, column, teller, desk_url)
                for cell, column in zip(row, columns, strict=True)
            ]
            for row in table.rows
        ],
        "total": table.has_total,
        "chart": chart or "",
        "chart_alt": teller.words("reports.chart_of", table=title) if chart else "",
    }


def _leading(cell: Cell, column: ReportColumn, teller: Teller, desk_url: str) -> dict[str, Json]:
    """A cell's text, where it leads, and what stands behind it."""
    return {
        "text": teller.cell(cell, column),
        "link": _link(cell, desk_url),
        "note": "" if cell.note is None else f" ({teller.said(cell.note)})",
    }


def _period(report: Report, teller: Teller) -> str:
    return teller.period(report.asked.from_date, report.asked.until_date)


def _notes(report: Report, teller: Teller, desk_url: str) -> list[str]:
    told = [teller.said(note) for note in report.notes]
    if desk_url:
        told.append(teller.words("reports.note.links", address=desk_url))
    simulated = _simulated(report, teller.words)
    return [simulated, *told] if simulated else told


def _simulated(report: Report, words: Words) -> str:
    num = report.num_simulated
    return words.count("reports.simulated", num) if num else ""


def money(value: Decimal | None) -> str:
    """A price as a form shows it; empty where it is not known."""
    return "" if value is None else f"{value.normalize():f}"
