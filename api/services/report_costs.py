"""Report: what the service cost, by vehicle and month, by visit, loan and person."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlmodel import Session

from api.services.report_frame import ReportFrame, months_of, num_of
from api.services.report_readers import SpanReaders, other_users, users_note
from data.db import day_sheet_store, live_store
from data.model.costs import Costs, FuelKind
from data.model.day_sheet import DaySheet
from data.model.live import DayEnds
from data.model.measures import Sums
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
)
from data.model.report_settings import ReportSettings
from data.model.service_costs import (
    HOUR_S,
    CostPart,
    CostPrices,
    RunCost,
    RunUse,
    cost_of,
    filled_in,
    km_means,
    sum_costs,
)
from data.model.visit_record import VisitRecord

PRICES = ("crew_hour", "vehicle_km", "vehicle_day")
type Run = tuple[date, str]
"""A service date and a vehicle."""


def prices_of(settings: ReportSettings, region: Region) -> CostPrices:
    """The prices that a region gives its reports; what they lack is taken from its planning costs.

    Planning has one price of a kilometre and one of an hour with everything in them, so the former
    is taken only where no fuel has a price of its own.
    """
    own, plan = settings.prices, region.costs
    if plan.currency and plan.currency != own.currency and not _is_empty(own):
        return own
    taken: dict[str, Decimal] = {}
    if own.crew_hour is None and plan.per_hour is not None:
        taken["crew_hour"] = plan.per_hour
    if own.vehicle_km is None and plan.per_km is not None and not own.fuel:
        taken["vehicle_km"] = plan.per_km
    if own.vehicle_day is None and plan.per_day is not None:
        taken["vehicle_day"] = plan.per_day
    if not taken:
        return own
    kept = {n: p for n in PRICES if (p := getattr(own, n)) is not None}
    has_fuel = "vehicle_km" in taken
    return CostPrices(
        currency=plan.currency or own.currency,
        fuel=own.fuel,
        sources=dict(own.sources),
        has_fuel_in_km=has_fuel,
        **(kept | taken),
    )


def costs_of(settings: ReportSettings, region: Region) -> Costs:
    """Prices of a kilometre and an hour: those of planning, else of the reports.

    Fuel is that of the region's bookmobiles on the mean.
    """
    if region.costs.per_km is not None or region.costs.per_hour is not None:
        return region.costs
    prices = settings.prices
    fuels = [
        price * Decimal(str(v.fuel_per_100km)) / 100
        for v in region.vehicles
        if v.fuel is not None
        and v.fuel_per_100km is not None
        and (price := prices.fuel.get(v.fuel)) is not None
    ]
    parts = [sum(fuels, Decimal(0)) / len(fuels)] if fuels else []
    parts += [] if prices.vehicle_km is None else [prices.vehicle_km]
    return Costs(
        currency=prices.currency,
        per_km=sum(parts, Decimal(0)) if parts else None,
        per_hour=prices.crew_hour,
        per_day=prices.vehicle_day,
    )


def _is_empty(prices: CostPrices) -> bool:
    return not prices.fuel and all(getattr(prices, name) is None for name in PRICES)


def run_costs(
    session: Session, region: Region, prices: CostPrices, records: Iterable[VisitRecord]
) -> tuple[RunCost, ...]:
    """The money of each run on which one of some stop visits was held, in order of date.

    A run comes to the same whatever span it is told in: where its kilometres are not known they
    are the mean of its vehicle's year.
    """
    days: dict[Run, list[VisitRecord]] = {}
    for record in records:
        if record.is_held:
            days.setdefault((record.service_date, str(record.vehicle_id)), []).append(record)
    if not days:
        return ()
    dates = [on for on, _ in days]
    first, last = date(min(dates).year, 1, 1), date(max(dates).year, 12, 31)
    sheets: dict[Run, DaySheet] = {
        (s.service_date, str(s.vehicle_id)): s
        for s in day_sheet_store.list_sheets(
            session, region.region_id, from_date=first, until_date=last
        )
    }
    ends: dict[Run, DayEnds] = {
        (e.service_date, str(e.vehicle_id)): e
        for e in live_store.load_days(session, region.region_id, from_date=first, until_date=last)
    }
    means = km_means(
        (*run, km)
        for run in sheets.keys() | ends.keys()
        if (km := _km(sheets.get(run), ends.get(run))) is not None
    )
    told = (_use(run, some, sheets.get(run), ends.get(run)) for run, some in sorted(days.items()))
    vehicles = {str(v.vehicle_id): v for v in region.vehicles}
    return tuple(cost_of(u, prices, vehicles.get(u.vehicle_id)) for u in filled_in(told, means))


def _km(sheet: DaySheet | None, ends: DayEnds | None) -> float | None:
    """Kilometres of a run: by the odometer, else by the track."""
    if sheet is not None and sheet.odometer_km is not None:
        return sheet.odometer_km
    return None if ends is None else ends.driven_km


def _use(
    run: Run, records: Sequence[VisitRecord], sheet: DaySheet | None, ends: DayEnds | None
) -> RunUse:
    km = _km(sheet, ends)
    hours, is_measured = None, False
    if sheet is not None and sheet.out_s is not None and sheet.in_s is not None:
        hours, is_measured = (sheet.in_s - sheet.out_s) / HOUR_S, True
    elif ends is not None and ends.departed_at and ends.returned_at:
        hours = (ends.returned_at - ends.departed_at).total_seconds() / HOUR_S
        is_measured = True
    else:
        opened = [at for r in records if (at := r.opened_at or r.planned_open_at)]
        closed = [at for r in records if (at := r.closed_at or r.planned_close_at)]
        if opened and closed:
            hours = max(0.0, (max(closed) - min(opened)).total_seconds() / HOUR_S)
    return RunUse(
        vehicle_id=run[1],
        service_date=run[0],
        km=km,
        fuel=sheet.fuel if sheet is not None else None,
        hours=hours,
        is_km_measured=km is not None,
        is_hours_measured=is_measured,
    )


def cost_of_visits(costs: Iterable[RunCost], records: Iterable[VisitRecord]) -> dict[str, Decimal]:
    """The money of each held stop visit by its key: an equal part of its run's."""
    totals = {(c.use.service_date, c.use.vehicle_id): c.total for c in costs}
    held = [r for r in records if r.is_held]
    num = Counter((r.service_date, str(r.vehicle_id)) for r in held)
    found = {}
    for record in held:
        run = record.service_date, str(record.vehicle_id)
        total = totals.get(run)
        if total is not None:
            found[record.key] = total / num[run]
    return found


def costs_report(session: Session, frame: ReportFrame) -> Report:
    """Fuel, crew and vehicle; what a stop visit, a visit, a loan and a person cost."""
    asked = frame.asked
    prices = prices_of(frame.settings, frame.region)
    costs = run_costs(session, frame.region, prices, frame.records)
    read = SpanReaders.of(session, frame)
    span = asked.from_date, asked.until_date
    notes = [
        Said(code="reports.note.costs"),
        Said(code="reports.note.persons"),
        users_note(read.count(span, frame.now.records)),
    ]
    told = sum_costs(costs)
    if told.total is None and costs:
        notes.insert(0, Said(code="reports.note.no_prices"))
    elif told.num_partly:
        facts: dict[str, object] = {part.value: num for part, num in told.num_unknown.items()}
        notes.insert(
            0, Said(code="reports.note.cost_partly", facts=facts | {"runs": told.num_runs})
        )
    if told.num_km_measured < told.num_runs:
        facts = {"known": told.num_km_measured, "runs": told.num_runs}
        code = "reports.note.km_estimated" if told.num_km_measured else "reports.note.km_unknown"
        notes.append(Said(code=code, facts=facts))
    if told.num_hours_measured < told.num_runs:
        facts = {"known": told.num_hours_measured, "runs": told.num_runs}
        notes.append(Said(code="reports.note.hours_estimated", facts=facts))
    tables = (
        _vehicles(frame, costs, prices, read),
        _months(frame, costs, prices, read),
        _prices(frame, prices),
    )
    return Report(asked=asked, tables=tables, notes=tuple(notes))


def _columns(first: str, prices: CostPrices) -> tuple[ReportColumn, ...]:
    money = {"currency": prices.currency}
    return (
        ReportColumn(code=first),
        ReportColumn(code="runs", kind=CellKind.COUNT),
        ReportColumn(code="km", kind=CellKind.COUNT),
        ReportColumn(code="hours", kind=CellKind.COUNT),
        *(
            ReportColumn(code=code, kind=CellKind.MONEY, facts=money)
            for code in ("fuel", "crew", "vehicle_cost", "cost", "per_stop_cost", "per_visit",
                         "per_loan", "per_person")
        ),
    )  # fmt: skip


def _row(
    frame: ReportFrame,
    read: SpanReaders,
    name: Cell,
    costs: Sequence[RunCost],
    sums: Sums,
    span: tuple[date, date],
    vehicle_id: str | None = None,
) -> tuple[Cell, ...]:
    told = sum_costs(costs)
    total = told.total

    def cell(key: str, value: Decimal | float | None, num_unknown: int) -> Cell:
        drill = frame.drill(key, span, vehicle_id=vehicle_id)
        return Cell(value=value, drill=drill, is_estimate=num_unknown > 0)

    def by(key: str, num: int) -> Cell:
        value = total / num if total is not None and num > 0 else None
        return cell(f"per(cost,{key})", value, told.num_partly)

    persons, users = read.users(span, sums, vehicle_id)
    usual, _ = read.users((frame.asked.from_date, frame.asked.until_date), frame.now)

    return (
        name,
        frame.counted("runs", sums, span, vehicle_id=vehicle_id),
        cell("km", told.km, told.num_runs - told.num_km_measured),
        cell("hours", told.hours, told.num_runs - told.num_hours_measured),
        cell("fuel_cost", told.fuel, told.num_unknown[CostPart.FUEL]),
        cell("crew_cost", told.crew, told.num_unknown[CostPart.CREW]),
        cell("vehicle_cost", told.vehicle, told.num_unknown[CostPart.VEHICLE]),
        cell("cost", total, told.num_partly),
        *(by(key, num_of(key, sums)) for key in ("stops", "visits", "loans")),
        replace(by(persons, users), note=other_users(persons, usual)),
    )


def _vehicles(
    frame: ReportFrame, costs: Sequence[RunCost], prices: CostPrices, read: SpanReaders
) -> ReportTable:
    now, span = frame.now, (frame.asked.from_date, frame.asked.until_date)
    rows = []
    for vehicle_id in sorted({c.use.vehicle_id for c in costs}):
        own = frame.during(*span, vehicle_id)
        some = [c for c in costs if c.use.vehicle_id == vehicle_id]
        name = Cell(value=frame.vehicle_name(vehicle_id))
        rows.append(_row(frame, read, name, some, own, span, vehicle_id))
    rows.append(_row(frame, read, Cell(value=Said(code="reports.total")), costs, now, span))
    return ReportTable(
        code="costs",
        columns=_columns("vehicle", prices),
        rows=tuple(rows),
        has_total=True,
    )


def _months(
    frame: ReportFrame, costs: Sequence[RunCost], prices: CostPrices, read: SpanReaders
) -> ReportTable:
    rows = []
    for span in months_of(frame.asked.from_date, frame.asked.until_date):
        some = [c for c in costs if span[0] <= c.use.service_date <= span[1]]
        name = Cell(value=Said(code="reports.month", facts={"month": span[0]}))
        rows.append(_row(frame, read, name, some, frame.during(*span), span))
    return ReportTable(
        code="cost_months",
        columns=_columns("month", prices),
        rows=tuple(rows),
        chart=ReportChart(kind=ChartKind.COLUMNS, series=(4, 5, 6)),
    )


def _prices(frame: ReportFrame, prices: CostPrices) -> ReportTable:
    used = {v.fuel for v in frame.region.vehicles if v.fuel is not None}
    told: list[tuple[Said, Decimal | None, str]] = [
        (
            Said(code=f"reports.price.fuel.{kind.value}"),
            prices.fuel.get(kind),
            f"fuel.{kind.value}",
        )
        for kind in FuelKind
        if kind in used or kind in prices.fuel
    ]
    told += [(Said(code=f"reports.price.{n}"), getattr(prices, n), n) for n in PRICES]
    own = frame.settings.prices
    rows = []
    for name, price, key in told:
        source: str | Said = own.sources.get(key, "")
        if key in PRICES and price is not None and getattr(own, key) is None:
            source = Said(code="reports.price.of_plan")
        if price is None:
            source = Said(code="reports.price.unknown")
        setting = (
            "price.of_plan" if isinstance(source, Said) and price is not None else f"price.{key}"
        )
        rows.append((Cell(value=name), Cell(value=price, setting=setting), Cell(value=source)))
    return ReportTable(
        code="prices",
        columns=(
            ReportColumn(code="price"),
            ReportColumn(code="money", kind=CellKind.MONEY, facts={"currency": prices.currency}),
            ReportColumn(code="source"),
        ),
        rows=tuple(rows),
    )
