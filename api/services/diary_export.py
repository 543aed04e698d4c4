"""The diary as a workbook and its lines as CSV; what looks like a formula is text."""

import csv
import io
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from api.services.diary import SUMMED, Diary, Sums, faults_of
from api.services.diary_words import count_name, fault_text, reason_text
from api.words import Words
from data.feeds.spreadsheet_text import harmless
from data.feeds.workbook import Cell, Column, Kind, TableBook
from data.model.stop_counts import BANDED, PLAIN, Band
from data.model.visit_record import VisitRecord

_FIGURES = ("runs", "stops", "partial", "skipped", "cancelled", "unknown", "gps", "visits",
            "children", "youth", "users", "loans")  # fmt: skip
_NAMES = (*(n for b in BANDED for n in (b, *(f"{b}.{band}" for band in Band))), *PLAIN)


def diary_xlsx(diary: Diary, words: Words) -> bytes:
    """The month: opening, days, totals; and every line of it with all that was counted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "diary.xlsx"
        book = TableBook(path, words, diary.last)
        heads = [
            Column(words("diary.col.day"), Kind.TEXT, 34),
            *(Column(words(f"diary.fig.{n}"), Kind.COUNT, 12) for n in _FIGURES),
            *(Column(count_name(n, words), Kind.COUNT, 12) for n in SUMMED),
            Column(words("diary.fig.km"), Kind.NUMBER, 12),
            Column(words("diary.fig.fuel"), Kind.NUMBER, 12),
        ]
        rows: list[list[Cell]] = [_sums(words("diary.opening"), diary.opening)]
        rows += [_sums(words.day(d.on, "d MMMM y"), d.sums) for d in diary.days]
        rows += [
            _sums(words("diary.total.month"), diary.month),
            _sums(words("diary.total.year"), diary.year),
        ]
        book.add_table(words("diary.title"), heads, rows)
        records = [r for d in diary.days for r in d.records]
        zone = ZoneInfo(diary.head.time_zone)
        lines = [_line(r, diary.vehicles.get(str(r.vehicle_id), ""), zone, words) for r in records]
        book.add_table(words("diary.lines"), _heads(words), lines)
        book.close()
        return path.read_bytes()


def lines_csv(
    records: Iterable[VisitRecord], names: dict[str, str], zone: ZoneInfo, words: Words
) -> bytes:
    """Lines as CSV; begins with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.title for column in _heads(words)])
    for record in records:
        cells = _line(record, names.get(str(record.vehicle_id), ""), zone, words)
        writer.writerow([harmless("" if c is None else str(c)) for c in cells])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _sums(title: str, sums: Sums) -> list[Cell]:
    return [
        title,
        *(sums.value(n) for n in _FIGURES),
        *(sums.value(n) for n in SUMMED),
        sums.km,
        sums.fuel,
    ]


def _heads(words: Words) -> Sequence[Column]:
    own = ("date", "vehicle", "stop", "planned", "opened", "closed", "state", "reason", "gps",
           "methods", "key", "corrections", "faults")  # fmt: skip
    kinds = {"date": Kind.DATE, "corrections": Kind.COUNT}
    wide = {"stop": 30, "faults": 40}
    return [
        *(Column(words(f"diary.col.{n}"), kinds.get(n, Kind.TEXT), wide.get(n, 14)) for n in own),
        *(Column(count_name(n, words), Kind.COUNT, 12) for n in _NAMES),
    ]


def _line(record: VisitRecord, vehicle: str, zone: ZoneInfo, words: Words) -> list[Cell]:
    planned = _clock(record.planned_open_at, zone)
    if planned:
        planned = f"{planned}–{_clock(record.planned_close_at, zone)}"
    return [
        record.service_date,
        vehicle or str(record.vehicle_id),
        record.name,
        planned,
        _clock(record.opened_at, zone),
        _clock(record.closed_at, zone),
        words(f"diary.state.{record.state.value}"),
        reason_text(record.reason, words),
        words("diary.yes" if record.is_gps_confirmed else "diary.no"),
        ", ".join(words(f"diary.method.{m.value}") for m in record.count_methods),
        record.key,
        record.num_corrections,
        " ".join(fault_text(f, words) for f in faults_of(record)),
        *(record.counts.get(n, 0) for n in _NAMES),
    ]


def _clock(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(zone).strftime("%H:%M")
