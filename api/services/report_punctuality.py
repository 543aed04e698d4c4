"""Report: what was promised and what was kept, by bookmobile, month and stop (DOMAIN §8)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from api.services.report_frame import ReportFrame, months_of
from data.model.punctuality import TOLERANCE_MIN, Timing, VisitTimes, times_of, timing_of
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

type _Visit = tuple[VisitRecord, VisitTimes]
type _Stop = tuple[str, str, Timing]
"""Id, name and times of a stop."""
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
    visits = [(r, times_of(r)) for r in frame.records]
    by_stop: dict[str, list[VisitTimes]] = defaultdict(list)
    names: dict[str, str] = {}
    for record, times in visits:
        if record.stop_id is not None and record.is_planned:
            by_stop[str(record.stop_id)].append(times)
            names[str(record.stop_id)] = record.name
    stops = [(stop_id, names[stop_id], timing_of(some)) for stop_id, some in by_stop.items()]
    stops.sort(key=lambda s: (s[2].num_punctual / s[2].num_promised, s[0]))
    facts = {"minutes": TOLERANCE_MIN}
    return Report(
        asked=frame.asked,
        tables=(_vehicles(frame, visits), _months(frame, visits), _stops(frame, stops)),
        notes=tuple(
            Said(code=f"reports.note.{code}", facts=facts)
            for code in ("punctual", "kept", "stays", "drives")
        ),
        places=tuple(p for stop in stops if (p := _place(frame, *stop)) is not None),
    )


def _row(
    frame: ReportFrame,
    name: Cell,
    timing: Timing,
    span: tuple[date, date] | None = None,
    *,
    vehicle_id: str | None = None,
    stop_id: str | None = None,
) -> tuple[Cell, ...]:
    told: tuple[tuple[str, float | None], ...] = (
        ("promised", timing.num_promised),
        ("kept", timing.num_kept),
        ("share(kept,promised)", _ratio(timing.num_kept, timing.num_promised)),
        ("not_held", timing.num_not_held),
        ("unknown", timing.num_unknown),
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


def _vehicles(frame: ReportFrame, visits: Sequence[_Visit]) -> ReportTable:
    own: dict[str, list[VisitTimes]] = defaultdict(list)
    for record, times in visits:
        own[str(record.vehicle_id)].append(times)
    rows = [
        _row(frame, Cell(value=frame.vehicle_name(i)), timing_of(some), vehicle_id=i)
        for i, some in sorted(own.items())
    ]
    whole = timing_of([times for _, times in visits])
    return ReportTable(
        code="punctuality",
        columns=(ReportColumn(code="vehicle"), *_COLUMNS),
        rows=(*rows, _row(frame, Cell(value=Said(code="reports.total")), whole)),
        has_total=True,
    )


def _months(frame: ReportFrame, visits: Sequence[_Visit]) -> ReportTable:
    rows = []
    for span in months_of(frame.asked.from_date, frame.asked.until_date):
        name = Cell(value=Said(code="reports.month", facts={"month": span[0]}))
        some = [times for record, times in visits if span[0] <= record.service_date <= span[1]]
        rows.append(_row(frame, name, timing_of(some), span))
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
            _row(frame, Cell(value=_name(frame, stop_id, name)), timing, stop_id=stop_id)
            for stop_id, name, timing in stops
        ),
    )


def _name(frame: ReportFrame, stop_id: str, name: str) -> str:
    known = frame.stops.get(stop_id)
    return known.name if known is not None else name


def _place(frame: ReportFrame, stop_id: str, _: str, timing: Timing) -> ReportPlace | None:
    where = frame.stops.get(stop_id)
    if where is None:
        return None
    return ReportPlace(
        place_id=stop_id,
        name=where.name,
        lon=where.lon,
        lat=where.lat,
        figures={
            "promised": timing.num_promised,
            "kept": timing.num_kept,
            "timed": timing.num_timed,
            "punctual": timing.num_punctual,
            "late": timing.num_late,
            "early": timing.num_early,
        },
    )
