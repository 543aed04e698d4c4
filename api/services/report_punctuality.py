"""Report: what was promised and what was kept, by bookmobile, month and stop (DOMAIN §8)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from api.services.report_frame import ReportFrame, months_of, num_of
from data.model.measures import sums_of
from data.model.punctuality import TOLERANCE_MIN, timing_of
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
from data.model.visit_record import VisitRecord

type _Stop = tuple[str, list[VisitRecord]]
_COLUMNS = (
    *(ReportColumn(code=c, kind=CellKind.COUNT) for c in ("promised", "kept")),
    ReportColumn(code="kept_share", kind=CellKind.RATIO),
    *(ReportColumn(code=c, kind=CellKind.COUNT) for c in ("not_held", "unknown", "timed")),
    ReportColumn(code="punctual_share", kind=CellKind.RATIO),
    *(ReportColumn(code=c, kind=CellKind.COUNT) for c in ("late", "early")),
    *(
        ReportColumn(code=c, kind=CellKind.NUMBER)
        for c in ("late_mean", "late_sd", "stay_change", "stay_sd")
    ),
)


def punctuality_report(frame: ReportFrame) -> Report:
    """Promises kept, punctuality, and how stays differ from what was promised."""
    by_stop: dict[str, list[VisitRecord]] = defaultdict(list)
    for record in frame.records:
        if record.stop_id is not None and record.is_planned:
            by_stop[str(record.stop_id)].append(record)
    stops = sorted(by_stop.items(), key=lambda s: (_kept_in_time(s[1]), s[0]))
    facts = {"minutes": TOLERANCE_MIN}
    return Report(
        asked=frame.asked,
        tables=(_vehicles(frame), _months(frame), _stops(frame, stops)),
        notes=tuple(
            Said(code=f"reports.note.{code}", facts=facts)
            for code in ("punctual", "kept", "stays", "drives")
        ),
        places=tuple(p for stop in stops if (p := _place(frame, *stop)) is not None),
    )


def _kept_in_time(records: Sequence[VisitRecord]) -> float:
    """The part of promised stop visits that is known to have been held in time."""
    return timing_of(records).num_punctual / len(records)


def _row(
    frame: ReportFrame,
    name: Cell,
    records: Sequence[VisitRecord],
    span: tuple[date, date] | None = None,
    *,
    vehicle_id: str | None = None,
    stop_id: str | None = None,
) -> tuple[Cell, ...]:
    sums, timing = sums_of(records), timing_of(records)
    promised, kept = num_of("promised", sums), num_of("kept", sums)
    told: tuple[tuple[str, float | None], ...] = (
        ("promised", promised),
        ("kept", kept),
        ("share(kept,promised)", _ratio(kept, promised)),
        ("not_held", num_of("not_held", sums)),
        ("unknown", num_of("unknown", sums)),
        ("timed", timing.num_timed),
        ("share(punctual,timed)", _ratio(timing.num_punctual, timing.num_timed)),
        ("late", timing.num_late),
        ("early", timing.num_early),
        ("per(late_min,timed)", _ratio(timing.late_min, timing.num_timed)),
        ("late_sd", timing.late_sd_min),
        ("per(stay_change_min,stays)", _ratio(timing.stay_change_min, timing.num_stays)),
        ("stay_sd", timing.stay_sd_min),
    )
    return (
        name,
        *(
            Cell(value=value, drill=frame.drill(key, span, vehicle_id=vehicle_id, stop_id=stop_id))
            for key, value in told
        ),
    )


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _vehicles(frame: ReportFrame) -> ReportTable:
    own: dict[str, list[VisitRecord]] = defaultdict(list)
    for record in frame.records:
        own[str(record.vehicle_id)].append(record)
    rows = [
        _row(frame, Cell(value=frame.vehicle_name(i)), some, vehicle_id=i)
        for i, some in sorted(own.items())
    ]
    total = _row(frame, Cell(value=Said(code="reports.total")), frame.records)
    return ReportTable(
        code="punctuality",
        columns=(ReportColumn(code="vehicle"), *_COLUMNS),
        rows=(*rows, total),
        has_total=True,
    )


def _months(frame: ReportFrame) -> ReportTable:
    rows = []
    for span in months_of(frame.asked.from_date, frame.asked.until_date):
        name = Cell(value=Said(code="reports.month", facts={"month": span[0]}))
        some = [r for r in frame.records if span[0] <= r.service_date <= span[1]]
        rows.append(_row(frame, name, some, span))
    return ReportTable(
        code="punctual_months",
        columns=(ReportColumn(code="month"), *_COLUMNS),
        rows=tuple(rows),
        chart=ReportChart(kind=ChartKind.COLUMNS, series=(1, 2)),
    )


def _stops(frame: ReportFrame, stops: Sequence[_Stop]) -> ReportTable:
    return ReportTable(
        code="punctual_stops",
        columns=(ReportColumn(code="stop"), *_COLUMNS),
        rows=tuple(
            _row(frame, Cell(value=_name(frame, *stop)), stop[1], stop_id=stop[0]) for stop in stops
        ),
    )


def _name(frame: ReportFrame, stop_id: str, records: Sequence[VisitRecord]) -> str:
    known = frame.stops.get(stop_id)
    return known.name if known is not None else records[-1].name


def _place(frame: ReportFrame, stop_id: str, records: Sequence[VisitRecord]) -> ReportPlace | None:
    where = frame.stops.get(stop_id)
    if where is None:
        return None
    sums, timing = sums_of(records), timing_of(records)
    return ReportPlace(
        place_id=stop_id,
        name=where.name,
        lon=where.lon,
        lat=where.lat,
        figures={
            "promised": num_of("promised", sums),
            "kept": num_of("kept", sums),
            "timed": timing.num_timed,
            "punctual": timing.num_punctual,
            "late": timing.num_late,
            "early": timing.num_early,
        },
    )
