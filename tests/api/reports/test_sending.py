"""Reports that are sent by themselves: once for each span, tried again, on record."""

import io
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import Engine
from sqlmodel import Session

from api.services import report_sending
from api.services.report_sending import deliver_due, new_schedule
from api.services.reports import build_report
from api.settings import Settings
from api.words import Words
from data.db import region_store, report_store, visit_record_store
from data.db.engine import reading, writing
from data.model.accounts import PROGRAM
from data.model.errors import InputError
from data.model.region import Region
from data.model.report import Report, ReportAsked, ReportKind
from data.model.report_schedule import (
    MOST_TRIES,
    Channel,
    DeliveryState,
    PeriodRule,
    ReportDelivery,
    ReportFormat,
    ReportSchedule,
    period_before,
    retry_at,
)
from tests.api.publication.office import REGION, region
from tests.api.reports.mailbox import Mailbox, mail_server
from tests.data.diary import diary
from tests.databases import KINDS, migrated, postgres_url

MADE = datetime(2026, 3, 20, 9, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, 5, tzinfo=UTC)


@dataclass(kw_only=True)
class Desk:
    engine: Engine
    settings: Settings

    def order(self, **more: Any) -> ReportSchedule:
        """A standing order for last month's form, into a folder unless told otherwise."""
        values: dict[str, Any] = {
            "schedule_id": "o1", "region_id": REGION, "kind": ReportKind.FORM,
            "format": ReportFormat.XLSX, "period": PeriodRule.MONTH, "channel": Channel.FOLDER,
            "recipient": "Минкульт", "created_at": MADE,
        }  # fmt: skip
        made = ReportSchedule(**values | more)
        with writing(self.engine) as session:
            report_store.add_schedule(session, made)
        return made

    def run(self, at: datetime, **settings: Any) -> int:
        return deliver_due(self.engine, replace(self.settings, **settings), at)

    def deliveries(self) -> tuple[ReportDelivery, ...]:
        with reading(self.engine) as session:
            return report_store.list_deliveries(session, REGION, limit=50)


@pytest.fixture(scope="module", params=KINDS)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Each database, built once."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('sending')}/x.sqlite"
        if request.param == "postgresql":
            url = stack.enter_context(postgres_url())
        yield stack.enter_context(migrated(url))


@pytest.fixture
def desk(database: Engine, tmp_path: Path) -> Desk:
    """A region with a diary of March, without any order."""
    return _filled(database, tmp_path)


def _filled(engine: Engine, folder: Path) -> Desk:
    with writing(engine) as session:
        known = {r.region_id for r in region_store.list_regions(session)}
        if REGION not in known:
            region_store.add_region(session, region(), at=MADE)
            visit_record_store.put_records(session, diary())
        for one in report_store.list_schedules(session, REGION):
            report_store.drop_schedule(session, REGION, one.schedule_id)
    return Desk(engine=engine, settings=Settings(data_dir=folder))


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


def test_a_month_is_sent_when_it_is_over_and_once(desk: Desk) -> None:
    """Nothing before April; then March's workbook lies in the folder, and never again."""
    desk.order()
    assert desk.run(MADE) == 0
    assert desk.run(datetime(2026, 3, 31, 21, 59, tzinfo=UTC)) == 0  # 23:59 in Kaliningrad
    assert desk.run(APRIL) == 1
    assert desk.run(APRIL + timedelta(hours=1)) == 0
    (one,) = desk.deliveries()
    assert (one.state, one.tries) == (DeliveryState.SENT, 1)
    assert (one.from_date, one.until_date) == (date(2026, 3, 1), date(2026, 3, 31))
    file = desk.settings.data_dir / "reports" / "Минкульт" / one.file
    assert file.stat().st_size == one.num_bytes
    sheet = load_workbook(file)["Форма"]
    assert [sheet["A2"].value, sheet["C2"].value] == ["Посещения КИБО", 30]


def test_an_order_that_rests_sends_nothing(desk: Desk) -> None:
    """Resting, spans pass by; gone on, the next one is sent."""
    desk.order(is_active=False)
    assert desk.run(APRIL) == 0
    with writing(desk.engine) as session:
        report_store.set_active(session, REGION, "o1", is_active=True)
    assert desk.run(APRIL) == 1


def test_a_letter_carries_the_report(desk: Desk, mailbox: Mailbox) -> None:
    """The PDF is attached, the words are the order's language, the way to the lines is told."""
    desk.order(channel=Channel.MAIL, recipient="otchet@example.org", format=ReportFormat.PDF)
    url = f"smtp://127.0.0.1:{mailbox.port}"
    assert desk.run(APRIL, smtp_url=url, mail_from="kibo@example.org") == 1
    (letter,) = mailbox.letters
    assert (letter["To"], letter["From"]) == ("otchet@example.org", "kibo@example.org")
    assert letter["Subject"].startswith("Форма 6-НК, Черняховский район, 1 мар")
    body = letter.get_body()
    assert body is not None
    assert "/desk/kaliningrad/reports/form?from=2026-03-01&until=2026-03-31" in body.get_content()
    (attached,) = letter.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    document = PdfReader(io.BytesIO(attached.get_content()))
    assert "Посещения КИБО" in document.pages[0].extract_text()


def test_what_fails_is_tried_again_and_told(desk: Desk, mailbox: Mailbox) -> None:
    """A full mailbox: the cause stays on record, the next try comes later, and then it is sent."""
    desk.order(channel=Channel.MAIL, recipient="otchet@example.org", format=ReportFormat.CSV)
    url = f"smtp://127.0.0.1:{mailbox.port}"
    mailbox.is_full = True
    assert desk.run(APRIL, smtp_url=url) == 1
    (one,) = desk.deliveries()
    assert (one.state, one.code, one.tries) == (DeliveryState.WAITING, "mail.not_sent", 1)
    assert "mailbox full" in Words("ru").error(_told(one))
    assert one.due_at == APRIL + timedelta(minutes=10)
    assert desk.run(APRIL + timedelta(minutes=9), smtp_url=url) == 0
    mailbox.is_full = False
    assert desk.run(APRIL + timedelta(minutes=10), smtp_url=url) == 1
    (one,) = desk.deliveries()
    assert (one.state, one.code, one.tries) == (DeliveryState.SENT, "", 2)
    assert len(mailbox.letters) == 1


def _told(delivery: ReportDelivery) -> Any:
    return InputError(delivery.code, **delivery.facts)


def test_after_the_last_try_a_person_has_to_look(desk: Desk) -> None:
    """Nobody listens on the port: six tries, then failed; sent again on request."""
    desk.order(channel=Channel.MAIL, recipient="otchet@example.org")
    at = APRIL
    for _ in range(MOST_TRIES):
        assert desk.run(at, smtp_url="smtp://127.0.0.1:1") == 1
        at += timedelta(days=2)
    (one,) = desk.deliveries()
    assert (one.state, one.tries) == (DeliveryState.FAILED, MOST_TRIES)
    assert desk.run(at, smtp_url="smtp://127.0.0.1:1") == 0
    with writing(desk.engine) as session:
        report_store.try_again(session, REGION, one.delivery_id, at=at)
    assert desk.run(at) == 1
    (one,) = desk.deliveries()
    assert one.state is DeliveryState.SENT
    assert (desk.settings.data_dir / "outbox" / one.file).read_bytes().startswith(b"From:")


def test_two_workers_send_one_letter(desk: Desk) -> None:
    """What one has claimed the other does not get, until the claim is over."""
    desk.order()
    later = APRIL + timedelta(minutes=30)
    lasts = timedelta(minutes=15)
    assert desk.run(MADE) == 0
    first, last = period_before(PeriodRule.MONTH, APRIL.date())
    with writing(desk.engine) as session:
        noted = ReportDelivery(
            delivery_id="d1", schedule_id="o1", region_id=REGION, from_date=first,
            until_date=last, due_at=APRIL,
        )  # fmt: skip
        assert report_store.add_delivery(session, noted)
        assert not report_store.add_delivery(session, replace(noted, delivery_id="d2"))
    with writing(desk.engine) as session:
        mine = report_store.claim_delivery(session, APRIL, lasts)
    with writing(desk.engine) as session:
        assert report_store.claim_delivery(session, APRIL, lasts) is None
    with writing(desk.engine) as session:
        again = report_store.claim_delivery(session, later, lasts)
    assert mine is not None
    assert again is not None
    assert (mine.tries, again.tries) == (1, 2)


def test_a_broken_report_holds_up_no_other_and_ends(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the program is a failed try like another, told to the desk; the rest is sent."""
    desk.order(kind=ReportKind.COSTS)
    desk.order(schedule_id="o2", recipient="Архив")

    def build(session: Session, region: Region, asked: ReportAsked, forms: Any) -> Report:
        if asked.kind is ReportKind.COSTS:
            raise KeyError(asked.kind)
        return build_report(session, region, asked, forms)

    monkeypatch.setattr(report_sending, "build_report", build)
    at = APRIL
    assert desk.run(at) == 2
    for _ in range(MOST_TRIES - 1):
        at += timedelta(hours=24)
        assert desk.run(at) == 1
    told = {d.schedule_id: (d.state, d.code, d.facts) for d in desk.deliveries()}
    assert told == {
        "o1": (DeliveryState.FAILED, "reports.broken", {"cause": "KeyError"}),
        "o2": (DeliveryState.SENT, "", {}),
    }
    assert desk.run(at + timedelta(hours=24)) == 0


def test_an_order_writes_to_a_host_in_ascii() -> None:
    """Mail servers without SMTPUTF8 take no other; what is no address is refused."""
    order = partial(
        new_schedule, REGION, kind="form", format="pdf", period="month", channel="mail",
        language="ru", vehicle_id=None, form_id="", by=PROGRAM, at=MADE,
    )  # fmt: skip
    assert order(recipient="info@библиотека.рф").recipient == "info@xn--80abaqnbpf2a4b.xn--p1ai"
    for bad in ("nobody", "a@b", "a@b.org\r\nBcc: c@d.org"):
        with pytest.raises(InputError, match=r"reports\.bad_address"):
            order(recipient=bad)


@pytest.mark.parametrize(
    ("rule", "today", "span"),
    [
        (PeriodRule.WEEK, date(2026, 11, 26), (date(2026, 11, 16), date(2026, 11, 22))),
        (PeriodRule.WEEK, date(2026, 11, 30), (date(2026, 11, 23), date(2026, 11, 29))),
        (PeriodRule.MONTH, date(2026, 3, 1), (date(2026, 2, 1), date(2026, 2, 28))),
        (PeriodRule.MONTH, date(2028, 3, 31), (date(2028, 2, 1), date(2028, 2, 29))),
        (PeriodRule.QUARTER, date(2026, 11, 26), (date(2026, 7, 1), date(2026, 9, 30))),
        (PeriodRule.QUARTER, date(2026, 1, 1), (date(2025, 10, 1), date(2025, 12, 31))),
        (PeriodRule.YEAR, date(2026, 1, 1), (date(2025, 1, 1), date(2025, 12, 31))),
        (PeriodRule.YEAR_TO_DATE, date(2026, 11, 1), (date(2026, 1, 1), date(2026, 10, 31))),
        (PeriodRule.YEAR_TO_DATE, date(2026, 1, 31), (date(2025, 1, 1), date(2025, 12, 31))),
    ],
)
def test_a_span_is_the_last_that_is_over(
    rule: PeriodRule, today: date, span: tuple[date, date]
) -> None:
    """Weeks end on Sunday, months where they end, quarters and years likewise."""
    assert period_before(rule, today) == span


def test_tries_come_ever_later_and_end() -> None:
    """Each wait is at least as long as the one before; the sixth try is the last."""
    times = [retry_at(tries, APRIL) for tries in range(1, MOST_TRIES + 1)]
    waits = [at - APRIL for at in times if at is not None]
    assert waits == sorted(waits)
    assert len(waits) == MOST_TRIES - 1
    assert times[-1] is None


@pytest.mark.parametrize(
    ("channel", "recipient", "code"),
    [
        (Channel.MAIL, "nobody", "reports.bad_address"),
        (Channel.MAIL, "a@b.org\r\nBcc: c@d.org", "reports.bad_address"),
        (Channel.MAIL, "<script>@b.org", "reports.bad_address"),
        (Channel.FOLDER, "../../etc", "reports.bad_folder"),
        (Channel.FOLDER, "/etc", "reports.bad_folder"),
        (Channel.FOLDER, "a/b", "reports.bad_folder"),
        (Channel.FOLDER, "..", "reports.bad_folder"),
        (Channel.FOLDER, "", "reports.bad_folder"),
        (Channel.FOLDER, "x" * 300, "reports.long_text"),
    ],
)
def test_hostile_recipients_are_refused(channel: Channel, recipient: str, code: str) -> None:
    """No second header by a line break, no way out of the folder of reports."""
    with pytest.raises(InputError) as refused:
        ReportSchedule(
            schedule_id="o1", region_id=REGION, kind=ReportKind.FORM, format=ReportFormat.CSV,
            period=PeriodRule.MONTH, channel=channel, recipient=recipient, created_at=MADE,
        )  # fmt: skip
    assert refused.value.code == code
