"""Reports: what is asked for becomes a report."""

from dataclasses import replace
from datetime import date

from sqlmodel import Session

from api.services.report_costs import costs_report
from api.services.report_form import form_report
from api.services.report_frame import form_named, load_frame
from api.services.report_punctuality import punctuality_report
from api.services.report_review import review_report
from api.services.report_services import services_report
from api.services.report_stock import stock_report
from api.services.report_targets import targets_report
from data.model.region import Region
from data.model.report import Report, ReportAsked, ReportKind, Said, until_today
from data.model.stat_form import StatForm


def build_report(
    session: Session,
    region: Region,
    asked: ReportAsked,
    forms: tuple[StatForm, ...],
    *,
    today: date | None = None,
) -> Report:
    """The report that is asked for.

    Parameters
    ----------
    today
        The region's date. A span that ends later is told up to it: a whole year held against a
        part of one would tell of a decline that is none. ``None``: the span is over.

    Raises
    ------
    NotFoundError
        ``reports.no_vehicle``, ``forms.unknown``.
    """
    if asked.form_id:
        form_named(forms, asked.form_id)
    last = asked.until_date
    if today is not None:
        last = until_today(asked.from_date, last, today)
    is_cut = last < asked.until_date
    frame = load_frame(session, region, replace(asked, until_date=last), forms)
    match asked.kind:
        case ReportKind.FORM:
            found = form_report(session, frame)
        case ReportKind.SERVICES:
            found = services_report(frame)
        case ReportKind.TARGETS:
            found = targets_report(session, frame)
        case ReportKind.PUNCTUALITY:
            found = punctuality_report(frame)
        case ReportKind.REVIEW:
            found = review_report(session, frame)
        case ReportKind.STOCK:
            found = stock_report(session, frame)
        case ReportKind.COSTS:
            found = costs_report(session, frame)
    shown = frame.stop_visits(asked.from_date, last)
    cut = (Said(code="reports.note.until_today", facts={"day": last}),) if is_cut else ()
    return replace(found, notes=cut + found.notes, num_simulated=sum(r.is_simulated for r in shown))
