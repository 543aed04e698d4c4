"""Report: the promises of the concept against the base year."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sqlmodel import Session

from api.services.report_frame import ReportFrame, num_of
from data.db import visit_record_store
from data.model.counted_visit import Counted
from data.model.fleet import VehicleId
from data.model.measures import Sums, sums_of
from data.model.place import Settlement
from data.model.public_timetable import PublicStop
from data.model.region import Region
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
from data.model.report_settings import TargetKey, base_year_of

HISTORY_YEARS = 5


def targets_report(session: Session, frame: ReportFrame) -> Report:
    """Visits, coverage, content readers, bookmobiles for settlements without a library.

    The year of the span's last date is told up to that date, and held against the same part of
    the base year.
    """
    on, targets = frame.asked.until_date, frame.settings.targets
    base_year = base_year_of(targets, on)
    base_span = same_span(frame.year_begin, on, on.year - base_year)
    base = _records(session, frame, *base_span)
    year = frame.during(frame.year_begin, on)
    rows = [
        _visits(frame, year, base, base_span),
        *_coverage(frame, year),
        _content(frame, year),
        _vehicles(frame, year),
    ]
    columns = (
        ReportColumn(code="target"),
        ReportColumn(code="base", kind=CellKind.COUNT),
        ReportColumn(code="by_now", kind=CellKind.COUNT, facts={"day": on}),
        ReportColumn(code="result", kind=CellKind.NUMBER),
        ReportColumn(code="goal", kind=CellKind.NUMBER),
        ReportColumn(code="reached"),
    )
    notes = [
        Said(code="reports.note.targets", facts={"source": targets.source or "—"}),
        Said(code="reports.note.coverage"),
    ]
    if not base.records and targets.base_visits is None:
        notes.insert(0, Said(code="reports.note.no_base", facts={"year": base_year}))
    elif not base.records:
        notes.append(Said(code="reports.note.base_part", facts={"year": base_year}))
    tables = (
        ReportTable(code="targets", columns=columns, rows=tuple(rows)),
        _years(session, frame, on),
    )
    return Report(asked=frame.asked, tables=tables, notes=tuple(notes))


def _records(session: Session, frame: ReportFrame, first: date, last: date) -> Sums:
    """A span of the diary: from the frame where that has it."""
    if frame.begin <= first:
        return frame.during(first, last)
    vehicle_id = frame.asked.vehicle_id
    return sums_of(
        visit_record_store.load_counted(
            session,
            frame.region.region_id,
            from_date=first,
            until_date=last,
            vehicle_id=VehicleId(vehicle_id) if vehicle_id else None,
        )
    )


def _reached(result: float | None, goal: float | None) -> Cell:
    if result is None or goal is None:
        return Cell(value=Said(code="reports.reached.unknown"))
    # Shares are quotients: one that is the goal but for rounding has reached it.
    return Cell(value=Said(code=f"reports.reached.{'yes' if result >= goal - 1e-9 else 'no'}"))


def _visits(
    frame: ReportFrame,
    year: Sums,
    base: Sums,
    base_span: tuple[date, date],
) -> tuple[Cell, ...]:
    targets, on = frame.settings.targets, frame.asked.until_date
    now = num_of("visits", year)
    span = frame.year_begin, on
    of_year = Said(code="reports.of_year", facts={"year": base_span[0].year})
    growth_key = "growth(visits)"
    if base.records:
        before: float | None = num_of("visits", base)
        told = Cell(value=before, drill=frame.drill("visits", base_span), note=of_year)
    elif targets.base_visits is not None:
        before = base_part(targets.base_visits, on)
        drill = frame.drill("base_visits", span)
        told = Cell(value=before, is_estimate=True, note=of_year, drill=drill)
        growth_key = "growth(visits,base_visits)"
    else:
        before, told = None, Cell(note=of_year)
    growth = now / before - 1 if before else None
    return (
        Cell(value=Said(code=f"reports.target.{TargetKey.VISITS}")),
        told,
        frame.counted("visits", year, span),
        Cell(
            value=growth,
            kind=CellKind.RATIO,
            drill=frame.drill(growth_key, span, against=base_span if base.records else None),
        ),
        Cell(value=targets.visits, kind=CellKind.RATIO, setting="target.visits"),
        _reached(growth, targets.visits),
    )


def base_part(base_visits: int, on: date) -> int:
    """The part of a year's visits that falls on the days of a year up to a date."""
    begin = date(on.year, 1, 1)
    days = (date(on.year, 12, 31) - begin).days + 1
    return round(base_visits * ((on - begin).days + 1) / days)


def served_places(
    region: Region, stops: Mapping[str, PublicStop], records: Iterable[Counted]
) -> tuple[Settlement, ...]:
    """Settlements of the stops at which stop visits were held."""
    of_stops = {stop_id: stop.settlement_ids for stop_id, stop in stops.items()}
    served: set[str] = set()
    for record in records:
        if record.is_held:
            served |= {str(record.settlement_id)} if record.settlement_id is not None else set()
            served |= {str(i) for i in of_stops.get(str(record.stop_id), ())}
    return tuple(s for s in region.settlements if str(s.settlement_id) in served)


def without_library[C: Counted](region: Region, records: Iterable[C], on: date) -> tuple[C, ...]:
    """Stop visits held in settlements where no library is open."""
    with_library = {
        str(x.settlement_id)
        for x in region.libraries
        if x.settlement_id is not None and x.is_open_on(on)
    }
    return tuple(
        r
        for r in records
        if r.is_held and r.settlement_id is not None and r.settlement_id not in with_library
    )


def _coverage(frame: ReportFrame, year: Sums) -> list[tuple[Cell, ...]]:
    """Users among residents: of the settlements served, and of the region where libraries told."""
    targets, region = frame.settings.targets, frame.region
    span = frame.year_begin, frame.asked.until_date
    users = num_of("users", year)
    residents = sum(s.population or 0 for s in served_places(region, frame.stops, year.records))
    share = users / residents if residents else None
    goal = Cell(value=targets.coverage, kind=CellKind.RATIO, setting="target.coverage")

    def cell(key: str, value: float | None, **more: Any) -> Cell:
        return Cell(value=value, drill=frame.drill(key, span), **more)

    of_residents = Said(code="reports.residents")
    rows: list[tuple[Cell, ...]] = [
        (
            Cell(value=Said(code="reports.target.coverage")),
            cell("residents.served", residents or None, note=of_residents),
            frame.counted("users", year, span),
            cell("share(users,residents.served)", share, kind=CellKind.RATIO),
            goal,
            _reached(share, targets.coverage),
        )
    ]
    everybody = sum(s.population or 0 for s in region.settlements)
    if targets.library_users is not None and everybody:
        all_users = targets.library_users + users
        whole = all_users / everybody
        summed = "sum(users,library_users)"
        rows.append(
            (
                Cell(value=Said(code="reports.target.coverage_region")),
                cell("residents.all", everybody, note=of_residents),
                cell(summed, all_users, is_estimate=True),
                cell(f"share({summed},residents.all)", whole, kind=CellKind.RATIO),
                goal,
                _reached(whole, targets.coverage),
            )
        )
    return rows


def _content(frame: ReportFrame, year: Sums) -> tuple[Cell, ...]:
    targets = frame.settings.targets
    span = frame.year_begin, frame.asked.until_date
    yes, answers = num_of("satisfied", year), num_of("answers", year)
    share = frame.share("satisfied", "answers", year, span)
    return (
        Cell(value=Said(code="reports.target.satisfaction")),
        replace(frame.counted("answers", year, span), note=Said(code="reports.of_answers")),
        frame.counted("satisfied", year, span),
        share,
        Cell(value=targets.satisfaction, kind=CellKind.RATIO, setting="target.satisfaction"),
        _reached(yes / answers if answers else None, targets.satisfaction),
    )


def _vehicles(frame: ReportFrame, year: Sums) -> tuple[Cell, ...]:
    """Bookmobiles that held stop visits in settlements where no library is open."""
    targets, on = frame.settings.targets, frame.asked.until_date
    found = without_library(frame.region, year.records, on)
    working = len({str(r.vehicle_id) for r in found})
    span = frame.year_begin, on
    drill = frame.drill("vehicles_without_library", span)
    return (
        Cell(value=Said(code="reports.target.vehicles")),
        Cell(),
        frame.counted("vehicles", year, span),
        Cell(value=working, kind=CellKind.COUNT, drill=drill),
        Cell(value=targets.vehicles, kind=CellKind.COUNT, setting="target.vehicles"),
        _reached(working, targets.vehicles),
    )


def _years(session: Session, frame: ReportFrame, on: date) -> ReportTable:
    """Whole years as far as the diary goes back; the last one up to the date."""
    span = visit_record_store.record_span(session, frame.region.region_id)
    first_year = on.year if span is None else max(span[0].year, on.year - HISTORY_YEARS + 1)
    rows = []
    for year in range(first_year, on.year + 1):
        part = date(year, 1, 1), min(on, date(year, 12, 31))
        sums = _records(session, frame, *part)
        rows.append(
            (
                Cell(value=_year_name(year, part[1])),
                *(
                    frame.counted(key, sums, part)
                    for key in ("visits", "stops", "runs", "loans", "users")
                ),
                frame.share("satisfied", "answers", sums, part),
            )
        )
    return ReportTable(
        code="years",
        columns=(
            ReportColumn(code="year"),
            *(
                ReportColumn(code=code, kind=CellKind.COUNT)
                for code in ("visits", "stops", "runs", "loans", "users")
            ),
            ReportColumn(code="content", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
        chart=ReportChart(kind=ChartKind.COLUMNS, series=(1,)),
    )


def _year_name(year: int, last: date) -> str | Said:
    """A year; one that is not over says so."""
    if last == date(year, 12, 31):
        return str(year)
    return Said(code="reports.part_of_year", facts={"year": str(year), "day": last})
