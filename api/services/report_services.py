"""Report: what the service is used for beside lending, and whether readers are content."""

from dataclasses import replace
from datetime import date

from api.services.report_frame import ReportFrame, change_of, months_of, num_of
from data.model.measures import Sums
from data.model.report import (
    Cell,
    CellKind,
    ChartKind,
    Report,
    ReportChart,
    ReportColumn,
    ReportTable,
    Said,
    same_span,
)

MIX = ("references", "references_virtual", "egov", "internet", "events", "participants", "copies",
       "requests", "requests_filled", "refusals", "home", "home_docs", "points", "collectives",
       "exchange_out", "exchange_in", "visits_disabled")  # fmt: skip
MONTHLY = ("egov", "internet", "events", "references", "answers")
ANSWERS = ("satisfied", "satisfied_partly", "satisfied_no")


def services_report(frame: ReportFrame) -> Report:
    """Consultations, internet sessions, events, enquiries and answers to the one question."""
    tables = (_mix(frame), _months(frame), _answers(frame), _vehicles(frame))
    notes = (Said(code="reports.note.services"), Said(code="reports.note.question"))
    return Report(asked=frame.asked, tables=tables, notes=notes)


def _mix(frame: ReportFrame) -> ReportTable:
    asked, now = frame.asked, frame.now
    before = same_span(asked.from_date, asked.until_date)
    earlier = frame.during(*before)
    held = num_of("stops", now)
    rows = []
    for key in MIX:
        num = num_of(key, now)
        rows.append(
            (
                Cell(value=Said(code=f"reports.measure.{key}")),
                frame.counted(key, now),
                frame.counted(key, earlier, before),
                replace(
                    change_of(num, num_of(key, earlier)),
                    drill=frame.drill(f"growth({key})", against=before),
                ),
                Cell(value=num / held if held else None, drill=frame.drill(f"per({key},stops)")),
            )
        )
    return ReportTable(
        code="mix",
        columns=(
            ReportColumn(code="service"),
            ReportColumn(code="period", kind=CellKind.COUNT),
            ReportColumn(code="year_before", kind=CellKind.COUNT),
            ReportColumn(code="change", kind=CellKind.RATIO),
            ReportColumn(code="per_stop", kind=CellKind.NUMBER),
        ),
        rows=tuple(rows),
        chart=ReportChart(kind=ChartKind.BARS, series=(1,)),
    )


def _months(frame: ReportFrame) -> ReportTable:
    rows = []
    for span in months_of(frame.asked.from_date, frame.asked.until_date):
        sums = frame.during(*span)
        rows.append(
            (
                Cell(value=Said(code="reports.month", facts={"month": span[0]})),
                *(frame.counted(key, sums, span) for key in MONTHLY),
                _content(frame, sums, span),
            )
        )
    return ReportTable(
        code="service_months",
        columns=(
            ReportColumn(code="month"),
            *(ReportColumn(code=key, kind=CellKind.COUNT) for key in MONTHLY),
            ReportColumn(code="content", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
        chart=ReportChart(kind=ChartKind.COLUMNS, series=(1, 2, 3)),
    )


def _answers(frame: ReportFrame) -> ReportTable:
    now = frame.now
    rows = [
        (
            Cell(value=Said(code=f"reports.measure.{key}")),
            frame.counted(key, now),
            frame.share(key, "answers", now),
        )
        for key in ANSWERS
    ]
    rows.append(
        (
            Cell(value=Said(code="reports.total")),
            frame.counted("answers", now),
            frame.share("answers", "answers", now),
        )
    )
    return ReportTable(
        code="answers",
        columns=(
            ReportColumn(code="answer"),
            ReportColumn(code="answers", kind=CellKind.COUNT),
            ReportColumn(code="share", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
        has_total=True,
    )


def _vehicles(frame: ReportFrame) -> ReportTable:
    span = frame.asked.from_date, frame.asked.until_date
    rows = []
    for vehicle_id in frame.vehicle_ids(*span):
        own = frame.during(*span, vehicle_id)
        rows.append(
            (
                Cell(value=frame.vehicle_name(vehicle_id)),
                *(frame.counted(key, own, vehicle_id=vehicle_id) for key in MONTHLY),
                _content(frame, own, vehicle_id=vehicle_id),
            )
        )
    return ReportTable(
        code="service_vehicles",
        columns=(
            ReportColumn(code="vehicle"),
            *(ReportColumn(code=key, kind=CellKind.COUNT) for key in MONTHLY),
            ReportColumn(code="content", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
    )


def _content(
    frame: ReportFrame,
    sums: Sums,
    span: tuple[date, date] | None = None,
    *,
    vehicle_id: str | None = None,
) -> Cell:
    return frame.share("satisfied", "answers", sums, span, vehicle_id=vehicle_id)
