"""Report: what the stock aboard and at points is made of, how it is renewed and used."""

from collections import defaultdict
from datetime import timedelta

from sqlmodel import Session

from api.services.report_frame import ReportFrame, num_of, share_of
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
)
from data.model.stock import Carrier, ItemPlace, PlaceKind
from data.model.stock_figures import StockFigures, StockItem, stock_figures

_ORDER = {PlaceKind.VEHICLE: 0, PlaceKind.STORE: 1, PlaceKind.POINT: 2}


def stock_report(session: Session, frame: ReportFrame) -> Report:
    """Composition by place against the quotas; renewal and use by vehicle."""
    items = report_store.load_stock(session, frame.region.region_id)
    vehicle_id = frame.asked.vehicle_id
    if vehicle_id is not None:
        items = tuple(
            i for i in items if i.place.key == vehicle_id and i.place.kind is not PlaceKind.POINT
        )
    tables = (_composition(frame, items), _use(frame, items), _carriers(frame, items))
    notes = [Said(code="reports.note.stock")]
    told = _told(frame, items)
    if told.num_dated < told.num_items:
        facts = {"dated": told.num_dated, "items": told.num_items}
        notes.append(Said(code="reports.note.undated", facts=facts))
    return Report(asked=frame.asked, tables=tables, notes=tuple(notes))


def _told(frame: ReportFrame, items: tuple[StockItem, ...]) -> StockFigures:
    return stock_figures(
        items,
        from_date=frame.asked.until_date - timedelta(days=364),
        until_date=frame.asked.until_date,
        new_months=frame.settings.quotas.new_months,
    )


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
    told = [(Cell(value=_name(frame, p)), _told(frame, some)) for p, some in _by_place(items)]
    told.append((Cell(value=Said(code="reports.total")), _told(frame, items)))
    rows = [
        (
            name,
            Cell(value=f.num_items),
            Cell(value=f.num_children),
            _share(f, f.num_children),
            Cell(value=f.num_accessible),
            _share(f, f.num_accessible),
            Cell(value=f.num_new),
            _share(f, f.num_new),
            _share(f, f.num_acquired),
        )
        for name, f in told
    ]
    goals = (quotas.children, quotas.accessible, quotas.new, quotas.renewal)
    shares = [Cell(value=goal, kind=CellKind.RATIO) for goal in goals]
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


def _share(figures: StockFigures, part: int) -> Cell:
    return share_of(part, figures.num_items)


def _use(frame: ReportFrame, items: tuple[StockItem, ...]) -> ReportTable:
    """Turnover and items by user of each vehicle, its store with it."""
    own: dict[str, int] = defaultdict(int)
    for item in items:
        if item.place.kind is not PlaceKind.POINT:
            own[item.place.key] += 1
    span = frame.year_begin, frame.asked.until_date
    rows = []
    for vehicle_id in sorted({*own, *frame.vehicle_ids(*span)}):
        sums = frame.during(*span, vehicle_id)
        loans, users, stock = num_of("loans", sums), num_of("users", sums), own[vehicle_id]
        rows.append(
            (
                Cell(value=frame.vehicle_name(vehicle_id)),
                Cell(value=stock),
                frame.counted("loans", sums, span, vehicle_id=vehicle_id),
                Cell(value=loans / stock if stock else None),
                frame.counted("users", sums, span, vehicle_id=vehicle_id),
                Cell(value=stock / users if users > 0 else None),
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
            Cell(value=figures.by_carrier[carrier]),
            _share(figures, figures.by_carrier[carrier]),
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
