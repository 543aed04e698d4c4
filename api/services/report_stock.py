"""Report: what the stock aboard and at points is made of, how it is renewed and used."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

from sqlmodel import Session

from api.services.report_frame import ReportFrame, num_of, share_of
from api.services.report_readers import SpanReaders, other_users, users_note
from data.db import report_store
from data.model.report import (
    Cell,
    CellKind,
    ChartKind,
    Report,
    ReportChart,
    ReportColumn,
    ReportTable,
    Said,
    year_earlier,
)
from data.model.report_settings import ReportSettings
from data.model.stock import Carrier, ItemPlace, PlaceKind
from data.model.stock_figures import StockFigures, StockItem, StockSpan, stock_figures

_ORDER = {PlaceKind.VEHICLE: 0, PlaceKind.STORE: 1, PlaceKind.POINT: 2}


def stock_report(session: Session, frame: ReportFrame) -> Report:
    """Composition by place against the quotas; renewal and use by vehicle."""
    items = report_store.load_stock(session, frame.region.region_id)
    vehicle_id = frame.asked.vehicle_id
    if vehicle_id is not None:
        items = tuple(
            i for i in items if i.place.key == vehicle_id and i.place.kind is not PlaceKind.POINT
        )
    read = SpanReaders.of(session, frame)
    tables = (_composition(frame, items), _use(frame, items, read), _carriers(frame, items))
    span = frame.year_begin, frame.asked.until_date
    notes = [
        Said(code="reports.note.stock"),
        users_note(read.count(span, frame.during(*span).records)),
    ]
    told = _told(frame, items)
    if told.num_dated < told.num_items:
        facts = {"dated": told.num_dated, "items": told.num_items}
        notes.append(Said(code="reports.note.undated", facts=facts))
    return Report(asked=frame.asked, tables=tables, notes=tuple(notes))


def _told(frame: ReportFrame, items: tuple[StockItem, ...]) -> StockFigures:
    return stock_figures(items, stock_span(frame.settings, frame.asked.until_date))


def stock_span(settings: ReportSettings, on: date) -> StockSpan:
    """What is told of stock as of a date: the year that ends with it."""
    first = year_earlier(on) + timedelta(days=1)
    return StockSpan(from_date=first, until_date=on, new_months=settings.quotas.new_months)


def _by_place(items: tuple[StockItem, ...]) -> list[tuple[ItemPlace, tuple[StockItem, ...]]]:
    found: dict[ItemPlace, list[StockItem]] = defaultdict(list)
    for item in items:
        found[item.place].append(item)
    places = sorted(found, key=lambda p: (_ORDER[p.kind], p.key))
    return [(place, tuple(found[place])) for place in places]


def _name(frame: ReportFrame, place: ItemPlace) -> Said:
    if place.kind is PlaceKind.POINT:
        named = {str(x.library_id): x.name for x in frame.region.libraries}
        name = named.get(place.key, place.key)
    else:
        name = frame.vehicle_name(place.key)
    return Said(code=f"reports.place.{place.kind.value}", facts={"name": name})


def _composition(frame: ReportFrame, items: tuple[StockItem, ...]) -> ReportTable:
    quotas = frame.settings.quotas
    told = [
        (Cell(value=_name(frame, p)), _told(frame, some), f"{p.kind.value}:{p.key}")
        for p, some in _by_place(items)
    ]
    told.append((Cell(value=Said(code="reports.total")), _told(frame, items), ""))
    rows = []
    for name, f, place in told:
        cells = [name, _counted(frame, "items", f.num_items, place)]
        parts = {"children": f.num_children, "accessible": f.num_accessible, "new": f.num_new}
        for key, num in parts.items():
            cells.append(_counted(frame, key, num, place))
            cells.append(_share(frame, f, key, num, place))
        rows.append((*cells, _share(frame, f, "acquired", f.num_acquired, place)))
    shares = [
        Cell(value=getattr(quotas, key), kind=CellKind.RATIO, setting=f"quota.{key}")
        for key in ("children", "accessible", "new", "renewal")
    ]
    rows.append(
        (
            Cell(value=Said(code="reports.quota")),
            Cell(), Cell(), shares[0], Cell(), shares[1], Cell(), shares[2], shares[3],
        )
    )  # fmt: skip
    return ReportTable(
        code="stock",
        columns=(
            ReportColumn(code="place"),
            ReportColumn(code="items", kind=CellKind.COUNT),
            ReportColumn(code="children_items", kind=CellKind.COUNT),
            ReportColumn(code="children_share", kind=CellKind.RATIO),
            ReportColumn(code="accessible_items", kind=CellKind.COUNT),
            ReportColumn(code="accessible_share", kind=CellKind.RATIO),
            ReportColumn(code="new_items", kind=CellKind.COUNT),
            ReportColumn(code="new_share", kind=CellKind.RATIO),
            ReportColumn(code="renewal", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
    )


def _counted(frame: ReportFrame, key: str, num: int, place: str = "") -> Cell:
    return Cell(value=num, drill=frame.drill(f"stock.{key}", place=place))


def _share(frame: ReportFrame, figures: StockFigures, key: str, part: int, place: str = "") -> Cell:
    drill = frame.drill(f"share(stock.{key},stock.items)", place=place)
    return replace(share_of(part, figures.num_items), drill=drill)


def _use(frame: ReportFrame, items: tuple[StockItem, ...], read: SpanReaders) -> ReportTable:
    """Turnover and items by user of each vehicle, its store with it."""
    own: dict[str, int] = defaultdict(int)
    for item in items:
        if item.place.kind is not PlaceKind.POINT:
            own[item.place.key] += 1
    span = frame.year_begin, frame.asked.until_date
    usual, _ = read.users(span, frame.during(*span))
    rows = []
    for vehicle_id in sorted({*own, *frame.vehicle_ids(*span)}):
        sums = frame.during(*span, vehicle_id)
        loans, stock = num_of("loans", sums), own[vehicle_id]
        by, users = read.users(span, sums, vehicle_id)

        def cell(key: str, value: float | None, vehicle_id: str = vehicle_id) -> Cell:
            place = f"own:{vehicle_id}"
            drill = frame.drill(key, span, vehicle_id=vehicle_id, place=place)
            return Cell(value=value, drill=drill)

        rows.append(
            (
                Cell(value=frame.vehicle_name(vehicle_id)),
                _counted(frame, "items", stock, f"own:{vehicle_id}"),
                frame.counted("loans", sums, span, vehicle_id=vehicle_id),
                cell("per(loans,stock.items)", loans / stock if stock else None),
                Cell(
                    value=users,
                    drill=frame.drill(by, span, vehicle_id=vehicle_id),
                    note=other_users(by, usual),
                ),
                cell(f"per(stock.items,{by})", stock / users if users > 0 else None),
                frame.counted("exchange_out", sums, span, vehicle_id=vehicle_id),
                frame.counted("exchange_in", sums, span, vehicle_id=vehicle_id),
            )
        )
    return ReportTable(
        code="stock_use",
        columns=(
            ReportColumn(code="vehicle"),
            ReportColumn(code="items", kind=CellKind.COUNT),
            ReportColumn(code="loans", kind=CellKind.COUNT),
            ReportColumn(code="turnover", kind=CellKind.NUMBER),
            ReportColumn(code="users", kind=CellKind.COUNT),
            ReportColumn(code="items_per_user", kind=CellKind.NUMBER),
            ReportColumn(code="exchange_out", kind=CellKind.COUNT),
            ReportColumn(code="exchange_in", kind=CellKind.COUNT),
        ),
        rows=tuple(rows),
        facts={"day": frame.asked.until_date},
    )


def _carriers(frame: ReportFrame, items: tuple[StockItem, ...]) -> ReportTable:
    figures = _told(frame, items)
    rows = [
        (
            Cell(value=Said(code=f"reports.carrier.{carrier.value}")),
            _counted(frame, carrier.value, figures.by_carrier[carrier]),
            _share(frame, figures, carrier.value, figures.by_carrier[carrier]),
        )
        for carrier in Carrier
    ]
    return ReportTable(
        code="carriers",
        columns=(
            ReportColumn(code="carrier"),
            ReportColumn(code="items", kind=CellKind.COUNT),
            ReportColumn(code="share", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
        chart=ReportChart(kind=ChartKind.BARS, series=(1,)),
    )
