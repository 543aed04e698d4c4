"""Driven days as workbooks and CSV: the same figures as on the page, typed for a spreadsheet."""

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from api.services.day_report import DayReport, PeriodReport, VehicleDay
from api.words import Words
from data.feeds.spreadsheet_text import harmless
from data.feeds.workbook import Cell, Column, Kind, TableBook
from data.model.calendar import DAY_S, HOUR_S, MINUTE_S
from data.model.day_record import RecordedLeg, RecordedVisit
from data.model.day_sheet import DaySheet, check_odometer
from data.model.day_stats import DayStats, Spread

type _Rows = list[list[Cell]]

_VISIT = (
    ("vehicle", Kind.TEXT, 18),
    ("stop", Kind.TEXT, 30),
    ("open_plan", Kind.CLOCK, 10),
    ("close_plan", Kind.CLOCK, 10),
    ("arrival_plan", Kind.CLOCK, 10),
    ("arrival", Kind.CLOCK, 10),
    ("departure_plan", Kind.CLOCK, 10),
    ("departure", Kind.CLOCK, 10),
    ("arrival_dev", Kind.NUMBER, 12),
    ("departure_dev", Kind.NUMBER, 12),
    ("dwell_plan", Kind.NUMBER, 12),
    ("dwell", Kind.NUMBER, 12),
    ("late_min", Kind.NUMBER, 12),
    ("outcome", Kind.TEXT, 16),
)
_STATS = (
    ("held", Kind.COUNT, 10),
    ("planned", Kind.COUNT, 10),
    ("kept", Kind.NUMBER, 12),
    ("punctual", Kind.NUMBER, 12),
    ("late", Kind.COUNT, 10),
    ("early", Kind.COUNT, 10),
    ("skipped", Kind.COUNT, 10),
    ("unplanned", Kind.COUNT, 10),
    ("dwell_plan", Kind.NUMBER, 12),
    ("dwell", Kind.NUMBER, 12),
    ("leg_plan", Kind.NUMBER, 12),
    ("leg_was", Kind.NUMBER, 12),
    ("planned_km", Kind.NUMBER, 12),
    ("driven", Kind.NUMBER, 12),
)
_SHEET_TEXTS = (
    "number",
    "carriage",
    "owner_name",
    "owner_address",
    "owner_phone",
    "owner_ogrn",
    "make_model",
    "plate",
    "driver",
    "licence",
)
_SHEET_FLAGS = (
    ("technical_s", "is_technical_passed"),
    ("medical_before_s", "is_medical_before_passed"),
    ("medical_after_s", "is_medical_after_passed"),
)


def day_xlsx(report: DayReport, words: Words) -> bytes:
    """A date: figures of the vehicles, visits, drives, waybills."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.xlsx"
        book = TableBook(path, words, report.on)
        heads = [_column(words, "vehicle", Kind.TEXT, 18), *_columns(words, _STATS)]
        rows: _Rows = [[v.name, *_stats(v.stats)] for v in report.vehicles]
        book.add_table(words("days.sheet.vehicles"), heads, rows)
        book.add_table(words("days.sheet.visits"), _columns(words, _VISIT), _visits(report, words))
        book.add_table(words("days.sheet.legs"), *_legs(report, words))
        sheets = [v.sheet for v in report.vehicles if v.sheet is not None]
        names = {str(v.vehicle_id): v.name for v in report.vehicles}
        book.add_table(words("days.sheet.sheets"), *_sheets(sheets, names, words, report))
        book.close()
        return path.read_bytes()


def day_csv(report: DayReport, words: Words) -> bytes:
    """A date's visits; begins with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([words("days.date"), *(words(f"days.col.{n}") for n, _, _ in _VISIT)])
    for row in _visits(report, words):
        cells = [
            _clock(value) if kind is Kind.CLOCK else value
            for value, (_, kind, _) in zip(row, _VISIT, strict=True)
        ]
        writer.writerow([report.on.isoformat(), *(harmless(_text(c)) for c in cells)])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def period_xlsx(report: PeriodReport, words: Words) -> bytes:
    """A span: days, vehicles, stops, legs with their spread, sheets."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "days.xlsx"
        book = TableBook(path, words, report.last)
        heads = _columns(words, _STATS)
        dated = [_column(words, "date", Kind.DATE, 14), *heads]
        book.add_table(words("days.sheet.days"), dated, [[on, *_stats(s)] for on, s in report.days])
        named = [_column(words, "vehicle", Kind.TEXT, 18), *heads]
        rows: _Rows = [[report.names.get(str(i), str(i)), *_stats(s)] for i, s in report.vehicles]
        book.add_table(words("days.sheet.vehicles"), named, rows)
        stops: _Rows = [
            [
                report.place(s.stop_id),
                s.num_held,
                s.num_planned,
                100 * s.num_kept / s.num_planned,
                *_spread(s.late),
                *_spread(s.dwell, with_plan=True),
            ]
            for s in report.stops
        ]
        head = [
            _column(words, "stop", Kind.TEXT, 30),
            _column(words, "held", Kind.COUNT, 10),
            _column(words, "planned", Kind.COUNT, 10),
            _column(words, "punctual", Kind.NUMBER, 12),
            *(_column(words, n, Kind.NUMBER, 12) for n in ("late_mean", "late_sd")),
            *(_column(words, n, Kind.NUMBER, 12) for n in ("dwell_plan", "mean", "sd")),
        ]
        book.add_table(words("days.sheet.stops"), head, stops)
        legs: _Rows = [
            [
                report.place(leg.origin_id),
                report.place(leg.target_id),
                leg.drive.num,
                *_spread(leg.drive, with_plan=True),
            ]
            for leg in report.legs
        ]
        head = [
            _column(words, "from", Kind.TEXT, 30),
            _column(words, "to", Kind.TEXT, 30),
            _column(words, "times", Kind.COUNT, 10),
            *(_column(words, n, Kind.NUMBER, 12) for n in ("leg_plan", "mean", "sd")),
        ]
        book.add_table(words("days.sheet.legs"), head, legs)
        names = {str(i): n for i, n in report.names.items()}
        book.add_table(words("days.sheet.sheets"), *_sheets(report.sheets, names, words, None))
        book.close()
        return path.read_bytes()


def _column(words: Words, name: str, kind: Kind, width: int) -> Column:
    return Column(words(f"days.col.{name}"), kind, width)


def _columns(words: Words, named: Sequence[tuple[str, Kind, int]]) -> list[Column]:
    return [_column(words, *one) for one in named]


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / MINUTE_S, 1)


def _stats(stats: DayStats) -> list[Cell]:
    def share(ratio: float | None) -> float | None:
        return None if ratio is None else round(100 * ratio, 1)

    return [
        stats.num_held,
        stats.num_planned,
        share(stats.kept_ratio),
        share(stats.punctual_ratio),
        stats.num_late,
        stats.num_early,
        stats.num_skipped,
        stats.num_unplanned,
        _minutes(stats.planned_dwell_s),
        _minutes(stats.dwell_s),
        _minutes(stats.planned_drive_s),
        _minutes(stats.drive_s),
        None if stats.planned_m is None else round(stats.planned_m / 1000, 1),
        round(stats.driven_m / 1000, 1),
    ]


def _visits(report: DayReport, words: Words) -> _Rows:
    return [_visit(report, v, visit, words) for v in report.vehicles for visit in v.record.visits]


def _visit(
    report: DayReport, vehicle: VehicleDay, visit: RecordedVisit, words: Words
) -> list[Cell]:
    return [
        vehicle.name,
        report.place(visit.stop_id) or words("days.somewhere"),
        visit.planned_open_s,
        visit.planned_close_s,
        visit.planned_arrival_s,
        visit.arrival_s,
        visit.planned_departure_s,
        visit.departure_s,
        _minutes(visit.arrival_dev_s),
        _minutes(visit.departure_dev_s),
        _minutes(visit.planned_dwell_s),
        _minutes(visit.dwell_s),
        _minutes(visit.late_s),
        words(f"days.state.{visit.state.value}"),
    ]


def _legs(report: DayReport, words: Words) -> tuple[list[Column], _Rows]:
    heads = [
        _column(words, "vehicle", Kind.TEXT, 18),
        _column(words, "from", Kind.TEXT, 30),
        _column(words, "to", Kind.TEXT, 30),
        _column(words, "departure", Kind.CLOCK, 10),
        _column(words, "arrival", Kind.CLOCK, 10),
        _column(words, "leg_plan", Kind.NUMBER, 12),
        _column(words, "leg_was", Kind.NUMBER, 12),
    ]

    def cells(name: str, leg: RecordedLeg) -> list[Cell]:
        return [
            name,
            report.place(leg.origin_id),
            report.place(leg.target_id),
            leg.depart_s,
            leg.arrive_s,
            _minutes(leg.planned_s),
            _minutes(leg.drive_s),
        ]

    return heads, [cells(v.name, leg) for v in report.vehicles for leg in v.record.legs]


def _sheets(
    sheets: Sequence[DaySheet],
    names: dict[str, str],
    words: Words,
    report: DayReport | None,
) -> tuple[list[Column], _Rows]:
    """Waybills; with a report, each odometer is held against the track."""
    tracks = {}
    if report is not None:
        tracks = {v.vehicle_id: v.check for v in report.vehicles}
    heads = [
        _column(words, "date", Kind.DATE, 14),
        _column(words, "vehicle", Kind.TEXT, 18),
        *(Column(words(f"waybill.{n}"), Kind.TEXT, 18) for n in _SHEET_TEXTS),
        *(Column(words(f"waybill.{n}"), Kind.CLOCK, 12) for n in ("out_s", "in_s")),
        *(
            Column(words(f"waybill.{n}"), Kind.NUMBER, 14)
            for n in ("odometer_out_km", "odometer_in_km", "fuel")
        ),
        _column(words, "odometer_km", Kind.NUMBER, 12),
        _column(words, "driven", Kind.NUMBER, 12),
        _column(words, "odometer", Kind.TEXT, 24),
        *(
            Column(words(f"waybill.{n}"), kind, 14)
            for pair in _SHEET_FLAGS
            for n, kind in zip(pair, (Kind.CLOCK, Kind.TEXT), strict=True)
        ),
        Column(words("waybill.note"), Kind.TEXT, 30),
    ]
    rows: _Rows = []
    for sheet in sheets:
        check = tracks.get(sheet.vehicle_id) or check_odometer(sheet, None)
        told = "" if check.difference_km is None else f"{check.difference_km:.1f}"
        passed = {True: words("waybill.passed"), False: words("waybill.not_passed"), None: ""}
        flags: list[Cell] = []
        for at, is_passed in _SHEET_FLAGS:
            flags += [getattr(sheet, at), passed[getattr(sheet, is_passed)]]
        rows.append(
            [
                sheet.service_date,
                names.get(str(sheet.vehicle_id), str(sheet.vehicle_id)),
                *(getattr(sheet, n) for n in _SHEET_TEXTS),
                sheet.out_s,
                sheet.in_s,
                sheet.odometer_out_km,
                sheet.odometer_in_km,
                sheet.fuel,
                sheet.odometer_km,
                None if check.track_km is None else round(check.track_km, 1),
                words(f"days.odometer.{check.verdict.value}", km=told),
                *flags,
                sheet.note,
            ]
        )
    return heads, rows


def _spread(found: Spread | None, *, with_plan: bool = False) -> list[Cell]:
    planned = _minutes(found.planned_s) if found else None
    spread: list[Cell] = [
        _minutes(found.mean_s) if found else None,
        _minutes(found.sd_s) if found else None,
    ]
    return [planned, *spread] if with_plan else spread


def _clock(value: Cell) -> Cell:
    if not isinstance(value, int | float):
        return value
    of_day = int(value) % DAY_S
    return f"{of_day // HOUR_S:02d}:{of_day % HOUR_S // MINUTE_S:02d}"


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)
