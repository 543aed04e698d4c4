"""Numbers that are no sums of the diary's counts: runs, hours, money, stock, people, verdicts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from api.services.number_books import NumberBooks
from api.services.report_costs import cost_of_visits
from api.services.report_review import RULES
from api.services.report_stock import stock_span
from api.services.report_targets import base_part, residents_of, served_places, without_library
from data.model import readers_served
from data.model.measures import LOANS, VISITS, Distinct, Measure, MeasuredLine, amount_of, lines_of
from data.model.number_behind import (
    Formula,
    ItemLine,
    NumberBehind,
    ReaderLine,
    RunLine,
    SettlementLine,
    StopLine,
)
from data.model.punctuality import SPREADS, TIMING, deviation_of
from data.model.report import CellKind, Drill, Named, Said
from data.model.service_costs import HOUR_S, RunCost
from data.model.stock import Carrier, PlaceKind
from data.model.stock_figures import StockItem, StockSpan
from data.model.stop_counts import Band
from data.model.stop_review import trend_of
from data.model.visit_record import VisitRecord

type _Of = Callable[[RunCost], float | Decimal | None]
_RUNS: dict[str, tuple[CellKind, _Of]] = {
    "km": (CellKind.COUNT, lambda c: c.use.km),
    "hours": (CellKind.COUNT, lambda c: c.use.hours),
    "fuel_cost": (CellKind.MONEY, lambda c: c.fuel),
    "crew_cost": (CellKind.MONEY, lambda c: c.crew),
    "vehicle_cost": (CellKind.MONEY, lambda c: c.vehicle),
    "cost": (CellKind.MONEY, lambda c: c.total),
}
_STOPS: dict[str, tuple[str, Callable[..., int]]] = {
    "stops": ("stops", lambda _: 1),
    "visits": ("visits", lambda s: s.num_visits),
    "held": ("stops", lambda s: s.num_held),
}
"""Of a verdict: the measure that a stop's amount opens, and the amount."""


def atom(books: NumberBooks, drill: Drill) -> NumberBehind | None:
    """A number that is no sum of counts; ``None`` for a name that is none of these."""
    name, _, rest = drill.measure.partition(".")
    if name in _RUNS and not rest:
        return _of_runs(books, drill)
    if name in ("trend", "trend_low", "trend_high") and not rest:
        return _trend(books, drill)
    if name in TIMING and not rest:
        return _timing(books, drill)
    if name in SPREADS and not rest:
        return _spread(books, drill)
    match name, rest:
        case "stock", _:
            return _stock(books, drill, rest)
        case "verdict", _:
            return _verdict(books, drill, rest)
        case "residents", "served" | "all":
            return _residents(books, drill, is_all=rest == "all")
        case "open_hours", "":
            return _open_hours(books, drill)
        case "open_visits" | "open_loans", "":
            return _open_counts(books, drill, VISITS if name == "open_visits" else LOANS)
        case "vehicles_without_library", "":
            return _vehicles(books, drill)
        case "readers", "":
            return readers_behind(books, drill, named(drill), None)
        case "readers_known" | "readers_unknown", "":
            return _known(books, drill, is_known=name == "readers_known")
        case "base_visits", "":
            return _base_visits(books, drill)
        case "library_users", "":
            return _given(drill, books.settings.targets.library_users, "target.library_users")
    return None


def named(drill: Drill) -> Said:
    """What a known number is called."""
    return Said(code=f"reports.measure.{drill.measure}")


def _of_runs(books: NumberBooks, drill: Drill) -> NumberBehind:
    kind, of = _RUNS[drill.measure]
    costs = books.costs(drill)
    if drill.stop_id:
        records = books.records(drill, all_stops=True)
        if drill.measure == "cost":
            return _cost_of_stop(books, drill, costs)
        held = {
            (r.service_date, str(r.vehicle_id))
            for r in records
            if r.is_held and r.stop_id == drill.stop_id
        }
        costs = tuple(c for c in costs if (c.use.service_date, c.use.vehicle_id) in held)
    lines = tuple(
        RunLine(cost=c, amount=of(c), is_estimate=_is_estimate(c, drill.measure)) for c in costs
    )
    known = [line.amount for line in lines if line.amount is not None]
    total = sum(known[1:], start=known[0]) if known else None
    return NumberBehind(
        drill=drill,
        name=named(drill),
        kind=kind,
        value=total,
        lines=lines,
        facts={"how": drill.measure},
    )


def _is_estimate(cost: RunCost, measure: str) -> bool:
    use = cost.use
    if measure == "km":
        return not use.is_km_measured
    if measure == "cost":
        return bool(cost.unknown)
    return measure == "hours" and not use.is_hours_measured


def _cost_of_stop(books: NumberBooks, drill: Drill, costs: tuple[RunCost, ...]) -> NumberBehind:
    """Equal parts of the runs on which a stop was held."""
    shares = cost_of_visits(costs, books.records(drill, all_stops=True))
    lines = tuple(
        MeasuredLine(record=r, amount=shares[r.key])
        for r in books.records(drill)
        if r.is_held and r.key in shares
    )
    value = sum((shares[x.record.key] for x in lines), Decimal(0)) if lines else None
    return NumberBehind(
        drill=drill,
        name=named(drill),
        kind=CellKind.MONEY,
        value=value,
        lines=lines,
        facts={"how": "cost_of_stop"},
    )


def _open_hours(books: NumberBooks, drill: Drill) -> NumberBehind:
    lines = tuple(
        MeasuredLine(record=r, amount=open_s / HOUR_S)
        for r in books.records(drill)
        if (open_s := r.open_s) is not None
    )
    value = sum(float(x.amount) for x in lines)
    return NumberBehind(
        drill=drill,
        name=named(drill),
        kind=CellKind.NUMBER,
        value=value,
        lines=lines,
        facts={"how": "open_hours"},
    )


def _open_counts(books: NumberBooks, drill: Drill, measure: Measure) -> NumberBehind:
    """Counts of the stop visits whose open hours are known: nothing else is divided by hours."""
    lines = tuple(
        MeasuredLine(record=r, amount=amount_of(measure, r))
        for r in books.records(drill)
        if r.open_s is not None
    )
    return NumberBehind(
        drill=drill,
        name=named(drill),
        kind=CellKind.COUNT,
        value=sum(x.amount for x in lines),
        lines=lines,
        facts={"how": "open_counts"},
    )


def _trend(books: NumberBooks, drill: Drill) -> NumberBehind:
    lines = tuple(
        MeasuredLine(record=r, amount=amount_of(VISITS, r))
        for r in books.records(drill)
        if r.is_held
    )
    found = trend_of([(x.record.service_date, float(x.amount)) for x in lines])
    facts: dict[str, object] = {"num": len(lines)}
    value = None
    if found is not None:
        ends = {"trend": found.slope, "trend_low": found.low, "trend_high": found.high}
        value = ends[drill.measure]
        facts |= {"slope": found.slope, "low": found.low, "high": found.high}
    return NumberBehind(
        drill=drill,
        name=named(drill),
        kind=CellKind.NUMBER,
        value=value,
        formula=Formula.TREND,
        lines=lines,
        facts=facts,
    )


def _timing(books: NumberBooks, drill: Drill) -> NumberBehind:
    """Stop visits by how their times kept to the promised ones, or the minutes themselves."""
    of = TIMING[drill.measure]
    lines = tuple(
        MeasuredLine(record=r, amount=amount)
        for r in books.records(drill)
        if (amount := of(r)) is not None
    )
    is_minutes = drill.measure.endswith("_min")
    return NumberBehind(
        drill=drill,
        name=named(drill),
        kind=CellKind.NUMBER if is_minutes else CellKind.COUNT,
        value=sum(x.amount for x in lines),
        lines=lines,
        facts={"how": drill.measure} if is_minutes else {},
    )


def _spread(books: NumberBooks, drill: Drill) -> NumberBehind:
    lines = _timing(books, replace(drill, measure=SPREADS[drill.measure])).lines
    return NumberBehind(
        drill=drill,
        name=named(drill),
        kind=CellKind.NUMBER,
        value=deviation_of([float(x.amount) for x in lines if isinstance(x, MeasuredLine)]),
        formula=Formula.SPREAD,
        lines=lines,
        facts={"how": drill.measure},
    )


def _stock(books: NumberBooks, drill: Drill, key: str) -> NumberBehind | None:
    span = stock_span(books.settings, drill.until_date)
    counts = _counted_item(key, span)
    if counts is None:
        return None
    lines = tuple(
        ItemLine(item=item) for item in books.stock if _is_there(item, drill) and counts(item)
    )
    return NumberBehind(drill=drill, name=named(drill), value=len(lines), lines=lines)


def _counted_item(key: str, span: StockSpan) -> Callable[[StockItem], bool] | None:
    known: dict[str, Callable[[StockItem], bool]] = {
        "items": lambda _: True,
        "children": lambda i: i.is_for_children,
        "accessible": lambda i: i.is_accessible,
        "new": span.is_new,
        "acquired": span.is_acquired,
        **{c.value: lambda i, c=c: i.carrier is c for c in Carrier},  # type: ignore[misc]
    }
    return known.get(key)


def _is_there(item: StockItem, drill: Drill) -> bool:
    """Whether an item is at the place, or in the vehicle, that is asked for."""
    kind, _, key = drill.place.partition(":")
    if kind and kind != "own":
        return item.place.kind.value == kind and item.place.key == key
    own = key or drill.vehicle_id
    return not own or (item.place.kind is not PlaceKind.POINT and item.place.key == own)


def _verdict(books: NumberBooks, drill: Drill, rest: str) -> NumberBehind | None:
    rule, _, key = rest.partition(".")
    if rule not in RULES or key not in _STOPS:
        return None
    measure, amount = _STOPS[key]
    lines = tuple(
        StopLine(stop=stop, verdict=verdict, measure=measure, amount=amount(stop))
        for stop, verdict in books.judged(drill)
        if verdict.rule == rule
    )
    name = Said(
        code=f"reports.measure.verdict.{key}",
        facts={"verdict": Said(code=f"reports.verdict.{rule}")},
    )
    return NumberBehind(drill=drill, name=name, value=sum(x.amount for x in lines), lines=lines)


def _residents(books: NumberBooks, drill: Drill, *, is_all: bool) -> NumberBehind:
    region = books.region
    places = (
        region.settlements if is_all else served_places(region, books.stops, books.records(drill))
    )
    lines = tuple(
        SettlementLine(settlement_id=str(s.settlement_id), name=s.name, amount=s.population)
        for s in sorted(places, key=lambda s: (-(s.population or 0), s.name))
    )
    value = residents_of(places)
    return NumberBehind(drill=drill, name=named(drill), value=value, lines=lines)


def _vehicles(books: NumberBooks, drill: Drill) -> NumberBehind:
    measure = Measure(distinct=Distinct.VEHICLES)
    found = without_library(books.region, books.records(drill), drill.until_date)
    lines = lines_of(measure, found)
    value = sum(int(x.amount) for x in lines)
    return NumberBehind(drill=drill, name=named(drill), value=value, measure=measure, lines=lines)


def readers_behind(
    books: NumberBooks, drill: Drill, name: Said | Named, band: Band | None
) -> NumberBehind:
    """Different readers, of a band or all, each at the first stop visit that served the reader."""
    records = books.records(drill)
    served = books.served(records)
    first: dict[str, VisitRecord] = {}
    times: Counter[str] = Counter()
    for record in records:
        for one in served.get(record.key, ()):
            if band is None or one.band is band:
                first.setdefault(one.reader, record)
                times[one.reader] += 1
    lines = tuple(
        ReaderLine(reader=i, line=MeasuredLine(record=r, amount=1), num_served=times[i])
        for i, r in first.items()
    )
    return NumberBehind(drill=drill, name=name, value=len(lines), lines=lines)


def _known(books: NumberBooks, drill: Drill, *, is_known: bool) -> NumberBehind:
    """Stop visits whose readers are known by their ids, or that served nobody knows whom."""
    is_one = readers_served.is_known if is_known else readers_served.is_unknown
    lines = tuple(MeasuredLine(record=r, amount=1) for r in books.records(drill) if is_one(r))
    return NumberBehind(drill=drill, name=named(drill), value=len(lines), lines=lines)


def _base_visits(books: NumberBooks, drill: Drill) -> NumberBehind:
    given, on = books.settings.targets.base_visits, drill.until_date
    facts = {"visits": given, "day": on}
    return NumberBehind(
        drill=drill,
        name=named(drill),
        value=None if given is None else base_part(given, on),
        formula=Formula.YEAR_PART,
        facts=facts,
        setting="target.base_visits",
    )


def _given(drill: Drill, value: int | None, setting: str) -> NumberBehind:
    return NumberBehind(
        drill=drill, name=named(drill), value=value, formula=Formula.GIVEN, setting=setting
    )
