"""Report: which stops are used and which are not, what is proposed, and by which rule."""

from collections import defaultdict
from decimal import Decimal

from sqlmodel import Session

from api.services.report_costs import run_costs
from api.services.report_frame import ReportFrame
from data.db import report_store, visit_record_store
from data.model.geo import distance_m
from data.model.measures import LOANS, VISITS, amount_of
from data.model.place import Stop
from data.model.report import (
    Cell,
    CellKind,
    ChartKind,
    Report,
    ReportChart,
    ReportColumn,
    ReportPlace,
    ReportTable,
    Said,
)
from data.model.stop_review import (
    StopFigures,
    StopVerdict,
    Verdict,
    judge_stop,
    trend_of,
)
from data.model.visit_record import VisitRecord

NEAR_MOST = 3
DIARY_BEGINS_DAYS = 62
"""Stops of the diary's first two months may have been there long before it."""
_DEGREE_LEAST_M = 30_000
"""A degree of longitude is longer than that wherever people live."""
_ORDER = {v: n for n, v in enumerate((Verdict.REVIEW, Verdict.WATCH, Verdict.TOO_FEW,
                                      Verdict.GRACE, Verdict.KEEP))}  # fmt: skip


def review_report(session: Session, frame: ReportFrame) -> Report:
    """Each stop with what is on record of it, the verdict, and the numbers of its rule."""
    rules, on = frame.settings.review, frame.asked.until_date
    stops = _figures(session, frame)
    judged = [(stop, judge_stop(stop, rules, on)) for stop in stops]
    judged.sort(key=lambda j: (_ORDER[j[1].verdict], j[0].visits_mean, j[0].name))
    tables = (_verdicts(judged), _stops(frame, judged))
    known = _stop_places(frame)
    places = tuple(
        _place(stop, verdict, where)
        for stop, verdict in judged
        if (where := known.get(stop.stop_id)) is not None
    )
    notes = (
        Said(
            code="reports.note.review",
            facts={
                "least": rules.min_visitors,
                "grace": rules.grace_months,
                "grace_most": rules.grace_most_months,
                "held": rules.least_held,
            },
        ),
        Said(
            code="reports.note.proposals",
            facts={
                "metres": rules.merge_m,
                "people": rules.home_people,
                "loans": rules.point_loans,
            },
        ),
        Said(code="reports.note.trend"),
    )
    return Report(asked=frame.asked, tables=tables, notes=notes, places=places)


def _stop_places(frame: ReportFrame) -> dict[str, Stop]:
    return {str(s.stop_id): s for s in frame.region.stops}


def _figures(session: Session, frame: ReportFrame) -> list[StopFigures]:
    asked, region_id = frame.asked, frame.region.region_id
    span = visit_record_store.record_span(session, region_id)
    begin = span[0] if span is not None else asked.from_date
    own: dict[str, list[VisitRecord]] = defaultdict(list)
    for record in frame.now.records:
        if record.stop_id is not None and record.is_planned:
            own[str(record.stop_id)].append(record)
    first = report_store.first_held_dates(session, region_id)
    costs = _cost_of_visits(session, frame)
    where = _stop_places(frame)
    residents = {str(s.settlement_id): s.population for s in frame.region.settlements}
    used = [where[i] for i in own if i in where]
    found = []
    for stop_id, records in own.items():
        held = [r for r in records if r.is_held]
        if not held:
            continue
        times = [s for r in held if (s := r.open_s) is not None]
        points = [(r.service_date, float(amount_of(VISITS, r))) for r in held]
        money = [m for r in held if (m := costs.get(r.key)) is not None]
        stop = where.get(stop_id)
        since = first.get(stop_id, held[0].service_date)
        found.append(
            StopFigures(
                stop_id=stop_id,
                name=stop.name if stop else held[-1].name,
                num_held=len(held),
                num_not_held=len(records) - len(held),
                open_s=sum(times),
                num_open_known=len(times),
                num_visits=sum(amount_of(VISITS, r) for r in held),
                num_loans=sum(amount_of(LOANS, r) for r in held),
                first_date=since,
                is_new=(since - begin).days > DIARY_BEGINS_DAYS,
                trend=trend_of(points),
                cost=sum(money, Decimal(0)) if money else None,
                people=_people(stop, held[-1], residents),
                near=_near(stop, used, frame.settings.review.merge_m) if stop is not None else (),
            )
        )
    return found


def _people(stop: Stop | None, record: VisitRecord, residents: dict[str, int | None]) -> int | None:
    if stop is not None and stop.people is not None:
        return stop.people
    ids = [str(i) for i in stop.settlement_ids] if stop is not None else []
    if not ids and record.settlement_id is not None:
        ids = [record.settlement_id]
    known = [n for i in ids if (n := residents.get(i)) is not None]
    return sum(known) if known else None


def _near(stop: Stop, others: list[Stop], most_m: int) -> tuple[tuple[str, float], ...]:
    """Other stops that are used, nearest first, as the crow flies."""
    box = most_m / _DEGREE_LEAST_M
    found = [
        (other.name, distance_m(stop.lon, stop.lat, other.lon, other.lat))
        for other in others
        if other.stop_id != stop.stop_id
        and abs(other.lon - stop.lon) < box
        and abs(other.lat - stop.lat) < box
    ]
    return tuple(sorted(found, key=lambda f: f[1])[:NEAR_MOST])


def _cost_of_visits(session: Session, frame: ReportFrame) -> dict[str, Decimal]:
    """The money of each held stop visit: an equal part of its run's."""
    asked = frame.asked
    totals = {
        (c.use.service_date, c.use.vehicle_id): c.total
        for c in run_costs(session, frame, asked.from_date, asked.until_date)
    }
    held = [r for r in frame.now.records if r.is_held]
    num: dict[tuple[object, str], int] = defaultdict(int)
    for record in held:
        num[record.service_date, str(record.vehicle_id)] += 1
    found = {}
    for record in held:
        day = record.service_date, str(record.vehicle_id)
        total = totals.get(day)
        if total is not None:
            found[record.key] = total / num[day]
    return found


def _verdicts(judged: list[tuple[StopFigures, StopVerdict]]) -> ReportTable:
    rows = []
    rules = ["merge", "home", "point", "shift", "watch", "too_few", "grace", "keep"]
    for rule in rules:
        some = [stop for stop, verdict in judged if verdict.rule == rule]
        rows.append(
            (
                Cell(value=Said(code=f"reports.verdict.{rule}")),
                Cell(value=len(some)),
                Cell(value=sum(s.num_visits for s in some)),
                Cell(value=sum(s.num_held for s in some)),
            )
        )
    return ReportTable(
        code="verdicts",
        columns=(
            ReportColumn(code="verdict"),
            ReportColumn(code="num_stops", kind=CellKind.COUNT),
            ReportColumn(code="visits", kind=CellKind.COUNT),
            ReportColumn(code="stops", kind=CellKind.COUNT),
        ),
        rows=tuple(rows),
        chart=ReportChart(kind=ChartKind.BARS, series=(1,)),
    )


def _stops(frame: ReportFrame, judged: list[tuple[StopFigures, StopVerdict]]) -> ReportTable:
    currency = frame.settings.prices.currency
    rows = []
    for stop, verdict in judged:
        trend = stop.trend
        rows.append(
            (
                Cell(value=stop.name),
                Cell(value=Said(code=f"reports.verdict.{verdict.rule}")),
                Cell(value=stop.num_held, drill=frame.drill("stops", stop_id=stop.stop_id)),
                Cell(value=stop.num_visits, drill=frame.drill("visits", stop_id=stop.stop_id)),
                Cell(value=stop.num_loans, drill=frame.drill("loans", stop_id=stop.stop_id)),
                Cell(value=stop.visits_mean),
                Cell(value=stop.visits_per_hour),
                Cell(value=stop.loans_per_hour),
                Cell(value=stop.cost_per_visit),
                Cell(value=trend.slope if trend else None),
                Cell(value=trend.low if trend else None),
                Cell(value=trend.high if trend else None),
                Cell(value=Said(code=f"reports.rule.{verdict.rule}", facts=verdict.facts)),
            )
        )
    return ReportTable(
        code="review",
        columns=(
            ReportColumn(code="stop"),
            ReportColumn(code="verdict"),
            ReportColumn(code="stops", kind=CellKind.COUNT),
            ReportColumn(code="visits", kind=CellKind.COUNT),
            ReportColumn(code="loans", kind=CellKind.COUNT),
            ReportColumn(code="visits_mean", kind=CellKind.NUMBER),
            ReportColumn(code="visits_hour", kind=CellKind.NUMBER),
            ReportColumn(code="loans_hour", kind=CellKind.NUMBER),
            ReportColumn(code="per_visit", kind=CellKind.MONEY, facts={"currency": currency}),
            ReportColumn(code="trend", kind=CellKind.NUMBER),
            ReportColumn(code="trend_low", kind=CellKind.NUMBER),
            ReportColumn(code="trend_high", kind=CellKind.NUMBER),
            ReportColumn(code="rule"),
        ),
        rows=tuple(rows),
    )


def _place(stop: StopFigures, verdict: StopVerdict, where: Stop) -> ReportPlace:
    return ReportPlace(
        place_id=stop.stop_id,
        name=stop.name,
        lon=where.lon,
        lat=where.lat,
        figures={
            "verdict": verdict.verdict.value,
            "proposal": verdict.proposal.value if verdict.proposal else None,
            "stop_visits": stop.num_held,
            "visits": stop.num_visits,
            "loans": stop.num_loans,
            "visits_per_hour": _round(stop.visits_per_hour),
            "loans_per_hour": _round(stop.loans_per_hour),
            "trend_per_month": _round(stop.trend.slope if stop.trend else None),
        },
    )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
