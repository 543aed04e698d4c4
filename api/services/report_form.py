"""Report: form 6-НК by an edition of it, by vehicle and month, and how sure its numbers are."""

from dataclasses import replace
from datetime import date

from sqlmodel import Session

from api.services.report_frame import ReportFrame, change_of, months_of, num_of
from api.services.report_readers import SpanReaders, users_note
from data.model.measures import Sums
from data.model.readers_served import ReaderCount
from data.model.report import (
    Cell,
    CellKind,
    ChartKind,
    Named,
    Report,
    ReportChart,
    ReportColumn,
    ReportTable,
    Said,
    same_span,
)
from data.model.stat_form import FigureValue, FormFigure, form_values
from data.model.stop_counts import CountMethod

EVIDENCE = ("stops", "confirmed", "unconfirmed", "corrected", "uncounted", "unplanned",
            "not_held", "unknown")  # fmt: skip
YOUTH_FROM = 15
"""Youngest of the band that diaries count as youth."""


def form_report(session: Session, frame: ReportFrame) -> Report:
    """Figures of the span, since the year's beginning, and of the same span a year before."""
    read = SpanReaders.of(session, frame)
    span = frame.asked.from_date, frame.asked.until_date
    readers = read.count(span, frame.now.records)
    tables = [_figures(frame, read)]
    vehicles = frame.vehicle_ids(frame.asked.from_date, frame.asked.until_date)
    if frame.asked.vehicle_id is None and vehicles:
        tables.append(_vehicles(frame, vehicles, read, readers))
    tables += [_months(frame), _persons(frame, readers), _evidence(frame)]
    notes = [Said(code="reports.note.form_share")]
    form = frame.form
    if any(f.is_users for f in form.figures):
        notes.append(users_note(readers))
    youth = form.bands.get("youth")
    if youth is not None and youth.from_age != YOUTH_FROM:
        told = {"form": youth.from_age, "diary": YOUTH_FROM}
        notes.append(Said(code="reports.note.bands", facts=told))
    notes.append(
        Said(
            code=f"reports.mark.{form.mark}",
            facts={"source": Named(names=form.source)},
        )
    )
    return Report(
        asked=frame.asked, tables=tuple(tables), notes=tuple(notes), form=Named(names=form.names)
    )


def _figures(frame: ReportFrame, read: SpanReaders) -> ReportTable:
    asked, form = frame.asked, frame.form
    spans = (
        (asked.from_date, asked.until_date),
        (frame.year_begin, asked.until_date),
        same_span(asked.from_date, asked.until_date),
    )
    by_span = {}
    for span in dict.fromkeys(spans):
        some = frame.during(*span)
        by_span[span] = form_values(form, some, readers=read.count(span, some.records))
    told = [by_span[span] for span in spans]
    rows = []
    for number, figure in enumerate(form.figures):
        cells = [_cell(frame, found[number], span) for found, span in zip(told, spans, strict=True)]
        rows.append(
            (
                Cell(value=Named(names=figure.names), note=_note(figure, told[0][number])),
                Cell(value=_place(figure)),
                *cells,
                replace(
                    change_of(told[0][number].value, told[2][number].value),
                    drill=frame.drill(f"growth({form.form_id}:{figure.key})", against=spans[2]),
                ),
            )
        )
    return ReportTable(
        code="form",
        columns=(
            ReportColumn(code="figure"),
            ReportColumn(code="graph"),
            ReportColumn(code="period", kind=CellKind.COUNT),
            ReportColumn(code="year_to_date", kind=CellKind.COUNT),
            ReportColumn(code="year_before", kind=CellKind.COUNT),
            ReportColumn(code="change", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
    )


def _cell(
    frame: ReportFrame,
    found: FigureValue,
    span: tuple[date, date],
    vehicle_id: str | None = None,
) -> Cell:
    key = f"{frame.form.form_id}:{found.figure.key}"
    kind = CellKind.NUMBER if found.figure.ratio else CellKind.COUNT
    return Cell(value=found.value, kind=kind, drill=frame.drill(key, span, vehicle_id=vehicle_id))


def _note(figure: FormFigure, found: FigureValue) -> Said | None:
    if figure.is_users:
        by = "registrations" if found.is_by_registrations else "ids"
        return Said(code=f"reports.users.by_{by}")
    if figure.note:
        return Said(code="reports.as_told", facts={"text": Named(names=figure.note)})
    return None


def _place(figure: FormFigure) -> Said | str:
    if figure.section and figure.graph:
        facts = {"section": figure.section, "graph": figure.graph}
        return Said(code="reports.section_graph", facts=facts)
    if figure.section:
        return Said(code="reports.section", facts={"section": figure.section})
    return ""


def _vehicles(
    frame: ReportFrame, vehicles: list[str], read: SpanReaders, readers: ReaderCount
) -> ReportTable:
    form, now = frame.form, frame.now
    figures = [f for f in form.figures if f.is_by_vehicle]
    shown = replace(form, figures=tuple(f for f in figures if f.measure is not None))
    span = frame.asked.from_date, frame.asked.until_date
    rows = []
    for vehicle_id in vehicles:
        own = frame.during(*span, vehicle_id)
        served = read.count(span, own.records, vehicle_id)
        told = form_values(shown, own, readers=served)
        cells = [_cell(frame, v, span, vehicle_id) for v in told]
        rows.append(
            (Cell(value=frame.vehicle_name(vehicle_id)), *cells, _confirmed(frame, own, vehicle_id))
        )
    total = [_cell(frame, v, span) for v in form_values(shown, now, readers=readers)]
    rows.append((Cell(value=Said(code="reports.total")), *total, _confirmed(frame, now)))
    return ReportTable(
        code="form_vehicles",
        columns=(
            ReportColumn(code="vehicle"),
            *(
                ReportColumn(code="named", kind=CellKind.COUNT,
                             facts={"name": Named(names=f.names)})
                for f in shown.figures
            ),
            ReportColumn(code="confirmed", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
        has_total=True,
    )  # fmt: skip


def _confirmed(frame: ReportFrame, sums: Sums, vehicle_id: str | None = None) -> Cell:
    return frame.share("confirmed", "stops", sums, vehicle_id=vehicle_id)


def _months(frame: ReportFrame) -> ReportTable:
    asked = frame.asked
    rows = []
    for span in months_of(asked.from_date, asked.until_date):
        before = same_span(*span)
        sums, earlier = frame.during(*span), frame.during(*before)
        rows.append(
            (
                Cell(value=Said(code="reports.month", facts={"month": span[0]})),
                frame.counted("visits", sums, span),
                frame.counted("visits", earlier, before),
                frame.counted("stops", sums, span),
                frame.counted("runs", sums, span),
                frame.counted("loans", sums, span),
            )
        )
    return ReportTable(
        code="months",
        columns=(
            ReportColumn(code="month"),
            ReportColumn(code="visits", kind=CellKind.COUNT),
            ReportColumn(code="visits_before", kind=CellKind.COUNT),
            ReportColumn(code="stops", kind=CellKind.COUNT),
            ReportColumn(code="runs", kind=CellKind.COUNT),
            ReportColumn(code="loans", kind=CellKind.COUNT),
        ),
        rows=tuple(rows),
        chart=ReportChart(kind=ChartKind.COLUMNS, series=(1, 2)),
    )


def _persons(frame: ReportFrame, readers: ReaderCount) -> ReportTable:
    """Different readers and registrations side by side, with how far readers are known."""
    told: tuple[tuple[str, int | None], ...] = (
        ("readers", readers.num_readers or None),
        ("users", num_of("users", frame.now)),
        ("readers_known", readers.num_known),
        ("readers_unknown", readers.num_unknown),
    )
    rows = tuple(
        (
            Cell(value=Said(code=f"reports.measure.{key}")),
            Cell(
                value=value,
                drill=frame.drill(key),
                note=Said(code="reports.users.not_countable") if value is None else None,
            ),
        )
        for key, value in told
    )
    return ReportTable(
        code="persons",
        columns=(ReportColumn(code="what"), ReportColumn(code="number", kind=CellKind.COUNT)),
        rows=rows,
    )


def _evidence(frame: ReportFrame) -> ReportTable:
    now = frame.now
    rows = []
    for key in (*EVIDENCE, *(f"method_{method}" for method in CountMethod)):
        of_held = key not in ("not_held", "unknown")
        share = frame.share(key, "stops", now) if of_held else Cell(kind=CellKind.RATIO)
        rows.append(
            (Cell(value=Said(code=f"reports.evidence.{key}")), frame.counted(key, now), share)
        )
    return ReportTable(
        code="evidence",
        columns=(
            ReportColumn(code="what"),
            ReportColumn(code="stops", kind=CellKind.COUNT),
            ReportColumn(code="share", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
    )
