"""Reports: what is asked for becomes a report, and a number the stop visits behind it."""

from dataclasses import dataclass, replace

from sqlmodel import Session

from api.services.report_costs import costs_report
from api.services.report_form import form_report
from api.services.report_frame import form_named, load_frame, measure_named
from api.services.report_review import review_report
from api.services.report_services import services_report
from api.services.report_stock import stock_report
from api.services.report_targets import targets_report
from data.db import visit_record_store
from data.model.fleet import VehicleId
from data.model.measures import Measure, MeasuredLine, lines_of, value_of
from data.model.place import StopId
from data.model.region import Region
from data.model.report import Drill, Report, ReportAsked, ReportKind, check_report_span
from data.model.stat_form import FormFigure, StatForm
from data.model.visit_record import VisitRecord


def build_report(
    session: Session, region: Region, asked: ReportAsked, forms: tuple[StatForm, ...]
) -> Report:
    """The report that is asked for.

    Raises
    ------
    NotFoundError
        ``reports.no_vehicle``, ``forms.unknown``.
    """
    if asked.form_id:
        form_named(forms, asked.form_id)
    frame = load_frame(session, region, asked, forms)
    match asked.kind:
        case ReportKind.FORM:
            found = form_report(frame)
        case ReportKind.SERVICES:
            found = services_report(frame)
        case ReportKind.TARGETS:
            found = targets_report(session, frame)
        case ReportKind.REVIEW:
            found = review_report(session, frame)
        case ReportKind.STOCK:
            found = stock_report(session, frame)
        case ReportKind.COSTS:
            found = costs_report(session, frame)
    return replace(found, num_simulated=sum(r.is_simulated for r in frame.now.records))


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberBehind:
    """A number taken apart: the stop visits it sums, or the two numbers whose ratio it is."""

    drill: Drill
    figure: FormFigure | None
    """Of a form; ``None`` for a measure of other reports."""
    measure: Measure | None
    value: float | None
    lines: tuple[MeasuredLine, ...] = ()
    parts: tuple["NumberBehind", ...] = ()
    """Of a ratio: what is divided, and by what."""


def number_behind(
    session: Session, region: Region, drill: Drill, forms: tuple[StatForm, ...]
) -> NumberBehind:
    """Exactly what a number of a report sums.

    Raises
    ------
    InputError
        As ``check_report_span``.
    NotFoundError
        ``reports.no_measure``, ``forms.unknown``.
    """
    check_report_span(drill.from_date, drill.until_date)
    measure_named(forms, drill.measure)  # refuses what nobody measures before anything is read
    records = visit_record_store.load_records(
        session,
        region.region_id,
        from_date=drill.from_date,
        until_date=drill.until_date,
        vehicle_id=VehicleId(drill.vehicle_id) if drill.vehicle_id else None,
        stop_id=StopId(drill.stop_id) if drill.stop_id else None,
    )
    return _behind(records, drill, forms)


def _behind(
    records: tuple[VisitRecord, ...], drill: Drill, forms: tuple[StatForm, ...]
) -> NumberBehind:
    form_id, _, key = drill.measure.rpartition(":")
    figure = form_named(forms, form_id).figure(key) if form_id else None
    measure = measure_named(forms, drill.measure)
    if measure is not None:
        return NumberBehind(
            drill=drill,
            figure=figure,
            measure=measure,
            value=value_of(measure, records),
            lines=lines_of(measure, records),
        )
    assert figure is not None  # what is no measure is a ratio of the form
    assert figure.ratio is not None
    parts = tuple(
        _behind(records, replace(drill, measure=f"{form_id}:{part}"), forms)
        for part in (figure.ratio.over, figure.ratio.under)
    )
    over, under = (part.value for part in parts)
    value = figure.ratio.per * over / under if over is not None and under else None
    return NumberBehind(drill=drill, figure=figure, measure=None, value=value, parts=parts)
