"""Reports that are sent by themselves: standing orders, and deliveries that follow from them."""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from api.mail import Attachment, Letter, send_letter, write_whole
from api.services.report_files import MEDIA, desk_address, file_name, report_file
from api.services.report_frame import known_forms
from api.services.report_told import Teller
from api.services.reports import build_report
from api.settings import Settings
from api.state import Service
from api.words import LANGUAGES, Words
from data.db import audit_store, publication_store, region_store, report_store
from data.db.engine import reading, writing
from data.model.accounts import Caller
from data.model.errors import BookmobileError, InputError, NotFoundError
from data.model.letters import mail_address
from data.model.region import Region
from data.model.report import Report, ReportAsked, ReportKind
from data.model.report_schedule import (
    Channel,
    DeliveryState,
    PeriodRule,
    ReportDelivery,
    ReportFormat,
    ReportSchedule,
    period_before,
    retry_at,
)
from data.model.report_settings import ReportSettings

log = logging.getLogger(__name__)
FOLDER = "reports"
"""Folder of the service's data where reports for a folder go."""
CLAIM = timedelta(minutes=15)
"""Longer than a delivery takes; one whose process died is taken up after it."""


def change_settings(
    service: Service,
    region_id: str,
    settings: ReportSettings,
    *,
    expect_revision: int,
    by: Caller,
) -> ReportSettings:
    """Store what a region says for its reports.

    Raises
    ------
    ConflictError
        ``store.stale``.
    """
    with writing(service.engine) as session:
        stored = report_store.put_settings(
            session,
            region_id,
            settings,
            expect_revision=expect_revision,
            by=by.account_id,
            at=service.clock(),
        )
        audit_store.record(
            session,
            by,
            "reports.settings",
            region_id,
            region_id=region_id,
            revision=stored.revision,
        )
    return stored


def _address(text: str) -> str:
    try:
        return mail_address(text)
    except InputError as wrong:
        raise InputError("reports.bad_address", value=text[:80]) from wrong


def new_schedule(
    region_id: str,
    *,
    kind: str,
    format: str,  # noqa: A002 - the word that forms and the API use
    period: str,
    channel: str,
    recipient: str,
    language: str,
    vehicle_id: str | None,
    form_id: str,
    by: Caller,
    at: datetime,
) -> ReportSchedule:
    """A standing order from what somebody gave.

    Raises
    ------
    InputError
        ``reports.bad_choice`` for a code that is none; ``reports.*`` of the recipient and format.
    """
    _check("kind", kind, list(ReportKind))
    _check("format", format, list(ReportFormat))
    _check("period", period, list(PeriodRule))
    _check("channel", channel, list(Channel))
    _check("language", language, list(LANGUAGES))
    if channel == Channel.MAIL:
        recipient = _address(recipient)
    return ReportSchedule(
        schedule_id=str(uuid.uuid4()),
        region_id=region_id,
        kind=ReportKind(kind),
        format=ReportFormat(format),
        period=PeriodRule(period),
        channel=Channel(channel),
        recipient=recipient,
        language=language,
        vehicle_id=vehicle_id,
        form_id=form_id,
        created_at=at,
        created_by=by.account_id,
    )


def _check(name: str, value: str, known: list[str]) -> None:
    if value not in known:
        raise InputError("reports.bad_choice", field=name, value=value[:40], known=", ".join(known))


def add_schedule(
    service: Service, region: Region, schedule: ReportSchedule, *, by: Caller
) -> ReportSchedule:
    """Store a standing order; its first delivery is that of the span that ends next.

    Raises
    ------
    NotFoundError
        ``reports.no_vehicle``, ``forms.unknown``.
    """
    if schedule.vehicle_id and schedule.vehicle_id not in {
        str(v.vehicle_id) for v in region.vehicles
    }:
        raise NotFoundError("reports.no_vehicle", vehicle_id=schedule.vehicle_id[:64])
    if schedule.form_id and schedule.form_id not in {
        f.form_id for f in known_forms(service.settings)
    }:
        known = ", ".join(f.form_id for f in known_forms(service.settings))
        raise NotFoundError("forms.unknown", value=schedule.form_id[:64], known=known)
    with writing(service.engine) as session:
        report_store.add_schedule(session, schedule)
        audit_store.record(
            session,
            by,
            "reports.schedule_add",
            schedule.schedule_id,
            region_id=region.region_id,
            kind=schedule.kind.value,
            period=schedule.period.value,
        )
    return schedule


def let_rest(
    service: Service, region_id: str, schedule_id: str, *, is_active: bool, by: Caller
) -> ReportSchedule:
    """Let a standing order rest, or go on."""
    with writing(service.engine) as session:
        found = report_store.set_active(session, region_id, schedule_id, is_active=is_active)
        action = "reports.schedule_go_on" if is_active else "reports.schedule_rest"
        audit_store.record(session, by, action, schedule_id, region_id=region_id)
    return found


def drop_schedule(service: Service, region_id: str, schedule_id: str, *, by: Caller) -> None:
    """Take a standing order away."""
    with writing(service.engine) as session:
        report_store.drop_schedule(session, region_id, schedule_id)
        audit_store.record(session, by, "reports.schedule_drop", schedule_id, region_id=region_id)


def send_now(service: Service, region: Region, schedule_id: str, *, by: Caller) -> ReportDelivery:
    """Have the last span that is over sent at once, again where it was sent before."""
    now = service.clock()
    with writing(service.engine) as session:
        schedule = report_store.get_schedule(session, region.region_id, schedule_id)
        delivery = _delivery(schedule, region.time_zone, now)
        if not report_store.add_delivery(session, delivery):
            known = report_store.list_deliveries(
                session, region.region_id, limit=100, schedule_id=schedule_id
            )
            same = next(d for d in known if d.until_date == delivery.until_date)
            delivery = report_store.try_again(session, region.region_id, same.delivery_id, at=now)
        audit_store.record(session, by, "reports.send", schedule_id, region_id=region.region_id)
    return delivery


def send_again(service: Service, region_id: str, delivery_id: str, *, by: Caller) -> ReportDelivery:
    """Have a report sent once more."""
    with writing(service.engine) as session:
        found = report_store.try_again(session, region_id, delivery_id, at=service.clock())
        audit_store.record(session, by, "reports.send", delivery_id, region_id=region_id)
    return found


def deliver_due(engine: Engine, settings: Settings, now: datetime) -> int:
    """Note the reports that have fallen due, and send what is to be sent; gives how many tries."""
    num = 0
    if not _note_due(engine, now):
        return num
    began_s = monotonic()
    while True:
        lasts = CLAIM + timedelta(seconds=monotonic() - began_s)
        with writing(engine) as session:
            delivery = report_store.claim_delivery(session, now, lasts)
        if delivery is None:
            return num
        num += 1
        ended = _try(engine, settings, delivery, now)
        with writing(engine) as session:
            report_store.end_delivery(session, ended)
        facts = {
            "delivery_id": ended.delivery_id,
            "state": ended.state.value,
            "tries": ended.tries,
            "code": ended.code,
        }
        (log.info if ended.state is DeliveryState.SENT else log.warning)(
            "report.delivery", extra=facts
        )


def _note_due(engine: Engine, now: datetime) -> bool:
    """Note what has fallen due; whether there is anything to send. Mostly it only reads."""
    due = []
    with reading(engine) as session:
        open_ids = {r.region_id for r in region_store.list_regions(session)}
        for schedule in report_store.list_schedules(session, is_active=True):
            if schedule.region_id not in open_ids:
                continue
            zone = publication_store.region_head(session, schedule.region_id).time_zone
            delivery = _delivery(schedule, zone, now)
            created = schedule.created_at.astimezone(ZoneInfo(zone)).date()
            if delivery.until_date >= created and not report_store.is_noted(session, delivery):
                due.append(delivery)
        is_due = bool(due) or report_store.has_due(session, now)
    if due:
        with writing(engine) as session:
            for delivery in due:
                report_store.add_delivery(session, delivery)
    return is_due


def _delivery(schedule: ReportSchedule, zone: str, now: datetime) -> ReportDelivery:
    """The delivery of the last span that is over in the region."""
    today = now.astimezone(ZoneInfo(zone)).date()
    first, last = period_before(schedule.period, today)
    return ReportDelivery(
        delivery_id=str(uuid.uuid4()),
        schedule_id=schedule.schedule_id,
        region_id=schedule.region_id,
        from_date=first,
        until_date=last,
        due_at=now,
    )


def _try(
    engine: Engine, settings: Settings, delivery: ReportDelivery, now: datetime
) -> ReportDelivery:
    """One try; a refusal is kept in the delivery, and a time for the next."""
    try:
        with reading(engine) as session:
            schedule = report_store.get_schedule(session, delivery.region_id, delivery.schedule_id)
            region = region_store.load_region(session, delivery.region_id)
            asked = ReportAsked(
                kind=schedule.kind,
                region_id=delivery.region_id,
                from_date=delivery.from_date,
                until_date=delivery.until_date,
                vehicle_id=schedule.vehicle_id,
                form_id=schedule.form_id,
            )
            report = build_report(session, region, asked, known_forms(settings))
        name, num_bytes = _send(settings, schedule, delivery, region, report, now)
    except BookmobileError as error:
        facts = {
            k: v if isinstance(v, int | float | str) else str(v) for k, v in error.facts.items()
        }
        return _missed(delivery, now, error.code, facts)
    except Exception as wrong:  # the edge of the sender: one report holds up no other
        log.exception("report.broken", extra={"delivery_id": delivery.delivery_id})
        return _missed(delivery, now, "reports.broken", {"cause": type(wrong).__name__})
    return replace(
        delivery,
        state=DeliveryState.SENT,
        ended_at=now,
        file=name,
        num_bytes=num_bytes,
        code="",
        facts={},
    )


def _missed(
    delivery: ReportDelivery, now: datetime, code: str, facts: Mapping[str, object]
) -> ReportDelivery:
    again = retry_at(delivery.tries, now)
    return replace(
        delivery,
        state=DeliveryState.FAILED if again is None else DeliveryState.WAITING,
        due_at=delivery.due_at if again is None else again,
        ended_at=now if again is None else None,
        code=code,
        facts=dict(facts),
    )


def _send(
    settings: Settings,
    schedule: ReportSchedule,
    delivery: ReportDelivery,
    region: Region,
    report: Report,
    now: datetime,
) -> tuple[str, int]:
    """Make the file and bring it where it is to go; gives its name and size."""
    words = Words(schedule.language)
    region_name = region.name_in(words.language)
    desk_url = desk_address(settings, region.region_id)
    at = now.astimezone(ZoneInfo(region.time_zone))
    body = report_file(
        report, schedule.format, words, region_name=region_name, at=at, desk_url=desk_url
    )
    name = f"{region.region_id}_{file_name(report, schedule.format, words.language)}"
    if schedule.channel is Channel.FOLDER:
        write_whole(settings.data_dir / FOLDER / schedule.recipient / name, body)
        return name, len(body)
    teller = Teller(words=words)
    told = {
        "report": teller.report_title(report),
        "region": region_name,
        "period": teller.period(delivery.from_date, delivery.until_date),
    }
    # A letter names the service in any case: who reads it on its own machine finds it there.
    desk_url = desk_url or desk_address(settings, region.region_id, asked_at=settings.public_url)
    address = f"{desk_url}/reports/{schedule.kind.value}"
    query = f"from={delivery.from_date.isoformat()}&until={delivery.until_date.isoformat()}"
    letter = Letter(
        letter_id=delivery.delivery_id,
        recipient=schedule.recipient,
        subject=words("reports.mail.subject", **told),
        text=words("reports.mail.text", address=f"{address}?{query}", **told),
        attachments=(Attachment(name=name, media=MEDIA[schedule.format], body=body),),
    )
    kept = send_letter(settings, letter, at=now)
    return (name if kept is None else kept.name), len(body)
