"""Report: which stops are used and which are not, what is proposed, and by which rule."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from sqlmodel import Session

from api.services.known_stops import known_stops
from api.services.report_costs import cost_of_visits, prices_of, run_costs
from api.services.report_frame import ReportFrame
from data.db import report_store, visit_record_store
from data.model.geo import distance_m
from data.model.measures import LOANS, VISITS, amount_of, sums_of
from data.model.public_timetable import PublicStop
from data.model.region import Region
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
from data.model.report_settings import ReportSettings
from data.model.stop_counts import Band
from data.model.stop_review import (
    StopFigures,
    StopVerdict,
    Verdict,
    judge_stop,
    trend_of,
)
from data.model.visit_record import VisitRecord

RULES = ("merge", "home", "point", "shift", "watch", "too_few", "grace", "keep")
NEAR_MOST = 3
DIARY_BEGINS_DAYS = 62
"""Stops of the diary's first two months may have been there long before it."""
_DEGREE_LEAST_M = 30_000
"""A degree of longitude is longer than that wherever people live."""
_ORDER = {v: n for n, v in enumerate((Verdict.REVIEW, Verdict.WATCH, Verdict.TOO_FEW,
                                      Verdict.GRACE, Verdict.KEEP))}  # fmt: skip


type Judged = tuple[StopFigures, StopVerdict]


def review_report(session: Session, frame: ReportFrame) -> Report:
    """Each stop with what is on record of it, the verdict, and the numbers of its rule."""
    rules = frame.settings.review
    judged = judged_stops(
        session, frame.region, frame.settings, frame.records, frame.asked.until_date
    )
    tables = (_verdicts(frame, judged), _stops(frame, judged))
    known = frame.stops
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
                "seniors": rules.home_senior_percent,
                "loans": rules.point_loans,
            },
        ),
        Said(code="reports.note.trend"),
    )
    return Report(asked=frame.asked, tables=tables, notes=notes, places=places)


def judged_stops(
    session: Session,
    region: Region,
    settings: ReportSettings,
    records: Sequence[VisitRecord],
    on: date,
) -> list[Judged]:
    """The stops of a span of the diary with their verdicts as of a date, the worst first."""
    stops = _figures(session, region, settings, records)
    judged = [(stop, judge_stop(stop, settings.review, on)) for stop in stops]
    judged.sort(key=lambda j: (_ORDER[j[1].verdict], j[0].visits_mean, j[0].name))
    return judged


def _figures(
    session: Session, region: Region, settings: ReportSettings, records: Sequence[VisitRecord]
) -> list[StopFigures]:
    span = visit_record_store.record_span(session, region.region_id)
    own: dict[str, list[VisitRecord]] = defaultdict(list)
    for record in records:
        if record.stop_id is not None:
            own[str(record.stop_id)].append(record)
    first = report_store.first_held_dates(session, region.region_id)
    costs = cost_of_visits(
        run_costs(session, region, prices_of(settings, region), records), records
    )
    where = known_stops(session, region.region_id, region.stops)
    residents = {str(s.settlement_id): s.population for s in region.settlements}
    used = [where[i] for i in own if i in where]
    found = []
    for stop_id, some in own.items():
        held = [r for r in some if r.is_held]
        if not held:
            continue
        points = [(r.service_date, float(amount_of(VISITS, r))) for r in held]
        sums = sums_of(held)
        timed = [r for r in held if r.open_s is not None]
        open_sums = sums if len(timed) == len(held) else sums_of(timed)
        money = [m for r in held if (m := costs.get(r.key)) is not None]
        stop = where.get(stop_id)
        since = first.get(stop_id, held[0].service_date)
        found.append(
            StopFigures(
                stop_id=stop_id,
                name=stop.name if stop else held[-1].name,
                num_held=len(held),
                open_s=sum(r.open_s or 0 for r in timed),
                num_open_visits=open_sums.value(VISITS),
                num_open_loans=open_sums.value(LOANS),
                num_visits=sums.value(VISITS),
                num_loans=sums.value(LOANS),
                first_date=since,
                is_new=span is not None and (since - span[0]).days > DIARY_BEGINS_DAYS,
                trend=trend_of(points),
                cost=sum(money, Decimal(0)) if money else None,
                people=_people(stop, held[-1], residents),
                senior_percent=_senior_percent(sums.counts),
                near=_near(stop, used, settings.review.merge_m) if stop is not None else (),
            )
        )
    return found


def _senior_percent(counts: Mapping[str, int]) -> float | None:
    """Seniors' part of the visits whose age is known."""
    by_band = {band: sum(counts.get(f"{name}.{band}", 0) for name in VISITS.names) for band in Band}
    known = sum(by_band.values())
    return 100 * by_band[Band.SENIOR] / known if known > 0 else None


def _people(
    stop: PublicStop | None, record: VisitRecord, residents: dict[str, int | None]
) -> int | None:
    if stop is not None and stop.people is not None:
        return stop.people
    ids = [str(i) for i in stop.settlement_ids] if stop is not None else []
    if not ids and record.settlement_id is not None:
        ids = [record.settlement_id]
    known = [n for i in ids if (n := residents.get(i)) is not None]
    return sum(known) if known else None


def _near(stop: PublicStop, others: list[PublicStop], most_m: int) -> tuple[tuple[str, float], ...]:
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


def _verdicts(frame: ReportFrame, judged: list[Judged]) -> ReportTable:
    rows = []
    for rule in RULES:
        some = [stop for stop, verdict in judged if verdict.rule == rule]
        sums = {
            "stops": len(some),
            "visits": sum(s.num_visits for s in some),
            "held": sum(s.num_held for s in some),
        }
        rows.append(
            (
                Cell(value=Said(code=f"reports.verdict.{rule}")),
                *(
                    Cell(value=value, drill=frame.drill(f"verdict.{rule}.{key}"))
                    for key, value in sums.items()
                ),
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


def _stops(frame: ReportFrame, judged: list[Judged]) -> ReportTable:
    currency = prices_of(frame.settings, frame.region).currency
    rows = []
    for stop, verdict in judged:
        trend = stop.trend
        rows.append(
            (
                Cell(value=stop.name),
                Cell(value=Said(code=f"reports.verdict.{verdict.rule}")),
                Cell(value=Said(code=f"reports.rule.{verdict.rule}", facts=verdict.facts)),
                *(
                    Cell(value=value, drill=frame.drill(key, stop_id=stop.stop_id))
                    for key, value in (
                        ("stops", stop.num_held),
                        ("visits", stop.num_visits),
                        ("loans", stop.num_loans),
                        ("per(visits,stops)", stop.visits_mean),
                        ("per(open_visits,open_hours)", stop.visits_per_hour),
                        ("per(open_loans,open_hours)", stop.loans_per_hour),
                        ("per(cost,visits)", stop.cost_per_visit),
                        ("trend", trend.slope if trend else None),
                        ("trend_low", trend.low if trend else None),
                        ("trend_high", trend.high if trend else None),
                    )
                ),
            )
        )
    return ReportTable(
        code="review",
        columns=(
            ReportColumn(code="stop"),
            ReportColumn(code="verdict"),
            ReportColumn(code="rule"),
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
        ),
        rows=tuple(rows),
    )


def _place(stop: StopFigures, verdict: StopVerdict, where: PublicStop) -> ReportPlace:
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
