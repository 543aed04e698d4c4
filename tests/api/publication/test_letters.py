"""Letters about a stop: asked for twice, sent once, never lost, ended at one click."""

import hashlib
import hmac
import itertools
import json
import logging
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, func, select

from api import mail
from api.jobs.pace import Pace
from api.jobs.worker import Worker
from api.limiter import Limiter
from api.services import letter_sending, letters
from api.services.letter_sending import CLAIM, LetterPost
from api.services.letter_telling import LetterTeller, Told
from api.services.letters import CONFIRM, MANAGE, Wish, token_of
from api.settings import Settings
from api.tidying import tidy
from data.db import letter_store, publication_store
from data.db.engine import open_engine, reading, writing
from data.db.letter_store import LetterFigures
from data.db.tables.letters import LetterRow, SubscriptionRow
from data.model.cancellation import Notice
from data.model.errors import InputError, NotFoundError
from data.model.letters import (
    ASK_AGAIN,
    CONFIRM_DAYS,
    GONE_DAYS,
    MOST_REFUSALS,
    OutLetter,
    Subscription,
    mail_address,
    without_addresses,
)
from data.model.place import StopId
from tests.api.publication.office import REGION, Office
from tests.api.reports.mailbox import Mailbox, mail_server
from tests.databases import migrated

READER = "reader@example.org"
STOP = "kalinovka"
TUESDAY = date(2026, 12, 1)


class Post:
    """The office with a mail server, and the letters that go out."""

    def __init__(self, office: Office, folder: Path, box: Mailbox) -> None:
        self.office, self.box, self.limiter = office, box, Limiter()
        self.settings = Settings(
            data_dir=folder,
            smtp_url=f"smtp://127.0.0.1:{box.port}",
            mail_from="bus@library.example",
            public_url="https://bus.example.org",
        )
        self.post = LetterPost(office.engine, self.settings)

    def ask(self, address: str = READER, stop: str = STOP, **more: Any) -> None:
        wish = Wish(
            region_id=REGION,
            stop_id=StopId(stop),
            address=address,
            language=more.get("language", "ru"),
            wants_reminder=more.get("reminder", False),
        )
        with writing(self.office.engine) as session:
            letters.ask_for_letters(session, wish, self.limiter, at=self.office.now)

    def readers(self) -> list[Subscription]:
        with reading(self.office.engine) as session:
            rows = session.exec(select(SubscriptionRow.subscription_id)).all()
            found = [letter_store.find_subscription(session, i) for i in rows]
        return [one for one in found if one is not None]

    def subscribe(self, address: str = READER, stop: str = STOP, **more: Any) -> Subscription:
        """Somebody who has confirmed."""
        self.ask(address, stop, **more)
        one = next(r for r in self.readers() if (r.address, r.stop_id) == (address, stop))
        with writing(self.office.engine) as session:
            confirmed = letters.confirm(session, REGION, token_of(one, CONFIRM), at=self.office.now)
        self.deliver()
        self.box.letters.clear()
        return confirmed

    def deliver(self, **later: float) -> int:
        return self.post.deliver(self.office.now + timedelta(**later))

    def figures(self) -> LetterFigures:
        with reading(self.office.engine) as session:
            return letter_store.letter_figures(
                session, REGION, since=self.office.now - timedelta(days=7)
            )


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A database with a published timetable, built once; tests work on copies of it."""
    file = tmp_path_factory.mktemp("published") / "office.sqlite"
    with migrated(f"sqlite:///{file}") as engine:
        office = Office(engine)
        office.publish()
    return file, office.plan_ids


@pytest.fixture
def post(published: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Post]:
    file, plan_ids = published
    copy = shutil.copy(file, tmp_path / "office.sqlite")
    engine = open_engine(f"sqlite:///{copy}")
    try:
        with mail_server() as box:
            yield Post(Office.reopened(engine, plan_ids), tmp_path, box)
    finally:
        engine.dispose()


def body_of(letter: EmailMessage, kind: str = "plain") -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def count(session: Session, table: Any) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


def test_an_address_is_asked_then_told_once_of_each_change(either: Office, tmp_path: Path) -> None:
    """Nothing before the owner confirms; a cancellation, its make-up and its undo each once."""
    either.publish()
    with mail_server() as box:
        post = Post(either, tmp_path, box)
        post.ask()
        assert post.deliver() == 1
        (asking,) = post.box.letters
        assert asking["To"] == READER
        assert asking["Subject"] == "Подтвердите подписку: Калиновка"
        assert asking["List-Unsubscribe"] is None
        (link,) = re.findall(r"https://\S+", body_of(asking))
        token = link.rpartition("/")[2]
        either.cancel("visit", visit_id=either.visit(STOP, TUESDAY).visit_id)
        assert post.deliver() == 0
        with writing(either.engine) as session:
            letters.confirm(session, REGION, token, at=either.now)
            letters.confirm(session, REGION, token, at=either.now)
        later = either.visit(STOP, date(2026, 12, 8))
        exception = either.cancel("visit", visit_id=later.visit_id)
        post.box.letters.clear()
        assert (post.deliver(), post.deliver(hours=1)) == (1, 0)
        (told,) = post.box.letters
        assert told["Subject"] == "Калиновка: стоянка отменена"
        assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        leave = told["List-Unsubscribe"].strip("<>")
        assert f"\r\nList-Unsubscribe: <{leave}>\r\n".encode() in post.box.raws[-1], "as it is"
        assert leave in body_of(told)
        assert leave in body_of(told, "html")
        assert "8 декабря" in body_of(told)
        either.undo(exception.exception_id)
        post.box.letters.clear()
        assert (post.deliver(), post.deliver(hours=2)) == (1, 0)
        (back,) = post.box.letters
        assert back["Subject"] == "Калиновка: стоянка состоится"
        assert "вторник, 8 декабря, " in body_of(back)


def test_what_is_taken_back_in_time_is_never_told(post: Post) -> None:
    """A cancellation by mistake, undone before its letter began, disturbs nobody."""
    post.subscribe()
    exception = post.office.cancel("day", from_date=TUESDAY)
    assert post.figures().num_waiting == 1
    post.office.undo(exception.exception_id)
    assert post.deliver() == 0
    assert post.box.letters == []


def test_a_new_timetable_is_told_where_it_takes_times_away(post: Post) -> None:
    """Publishing a plan whose visits of the stop are gone writes to its readers alone."""
    post.subscribe()
    post.subscribe("other@example.org", "kaluzhskoe", language="en")
    # The same plan, two weeks later: its first visits are withdrawn.
    post.office.publish(from_date=TUESDAY, until_date=TUESDAY + timedelta(days=1))
    num = post.deliver()
    notices = [n for n in post.office.notices() if n.stop_id in (STOP, "kaluzhskoe")]
    assert num == len(notices) == len(post.box.letters)
    assert {str(letter["To"]) for letter in post.box.letters} <= {READER, "other@example.org"}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_reminded_the_day_before_once(post: Post, language: str) -> None:
    """From nine in the morning by the region's clocks, and not of what is cancelled."""
    post.subscribe(reminder=True, language=language)
    post.subscribe("calm@example.org")
    visit = post.office.visit(STOP, TUESDAY)
    eve = datetime(2026, 11, 30, 6, 59, tzinfo=UTC)
    assert post.post.deliver(eve) == 0
    assert post.post.deliver(eve + timedelta(minutes=1)) == 1
    assert post.post.deliver(eve + timedelta(hours=3)) == 0
    (letter,) = post.box.letters
    assert letter["To"] == READER
    clock = f"{visit.opens_s // 3600:02}:{visit.opens_s % 3600 // 60:02}"
    assert clock in str(letter["Subject"])
    assert ("1 декабря" if language == "ru" else "1 December") in body_of(letter)


def test_nothing_is_lost_while_the_server_is_away(post: Post) -> None:
    """Refused connections and full mailboxes are tried again; the desk sees how many and why."""
    post.subscribe()
    post.subscribe("second@example.org")
    post.office.cancel("day", from_date=TUESDAY)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    away = LetterPost(
        post.office.engine, replace(post.settings, smtp_url=f"smtp://127.0.0.1:{closed}")
    )
    assert away.deliver(post.office.now) == 1, "one try tells that the server is away"
    found = post.figures()
    assert (found.num_waiting, found.num_failing) == (2, 1)
    assert "refused" in found.last_cause.lower()
    post.box.is_full = True
    assert post.deliver(minutes=2) == 2
    assert post.figures().last_cause == "452 mailbox full"
    post.box.is_full = False
    assert post.deliver(hours=1) == 2
    assert sorted(str(letter["To"]) for letter in post.box.letters) == [
        READER,
        "second@example.org",
    ]
    assert post.box.num_talks >= 2
    found = post.figures()
    assert (found.num_waiting, found.num_sent, found.last_cause) == (0, 2, "")


def test_a_claim_lasts_from_when_it_is_made(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also late in a long round: what is being sent then is no other sender's."""
    post.subscribe()
    post.subscribe("second@example.org")
    post.office.cancel("day", from_date=TUESDAY)
    passed = itertools.count(0, 400)
    monkeypatch.setattr(letter_sending, "monotonic", lambda: next(passed))
    sending = post.post._sent
    others: list[OutLetter | None] = []

    def while_it_is_sent(mailer: mail.Mailer, letter: OutLetter, now: datetime) -> bool:
        with writing(post.office.engine) as session:
            # What another sender asks at that moment, 400 seconds after the letter before.
            asked = now + timedelta(seconds=400 * (len(others) + 1))
            others.append(letter_store.claim_letter(session, asked, CLAIM, is_hook=False))
        return sending(mailer, letter, now)

    with writing(post.office.engine) as session:
        # Only one waits when the second is sent, so nothing is left for another.
        day = timedelta(days=1)
        first = letter_store.claim_letter(session, post.office.now, day, is_hook=False)
    assert first is not None
    monkeypatch.setattr(post.post, "_sent", while_it_is_sent)
    assert post.deliver() == 1
    assert others == [None]


def test_a_letter_that_cannot_be_made_holds_up_no_other(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the program is a failed try; the other letter goes out, and both in the end."""
    post.subscribe()
    post.subscribe("second@example.org")
    post.office.cancel("day", from_date=TUESDAY)
    made = LetterTeller.notice

    def fault(self: LetterTeller, reader: Subscription, notice: Notice) -> Told:
        if reader.address == READER:
            raise KeyError(notice.code)
        return made(self, reader, notice)

    with monkeypatch.context() as broken:
        broken.setattr(LetterTeller, "notice", fault)
        assert post.deliver() == 2
    assert [str(letter["To"]) for letter in post.box.letters] == ["second@example.org"]
    assert (post.figures().num_waiting, post.figures().last_cause) == (1, "KeyError")
    assert post.deliver(hours=1) == 1
    assert len(post.box.letters) == 2


def test_a_slow_server_is_not_waited_for(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some patience the letter waits for another try, under the same number."""
    post.subscribe()
    post.office.cancel("day", from_date=TUESDAY)
    monkeypatch.setattr(mail, "PATIENCE_S", 0.2)
    post.box.wait_s = 0.6
    assert post.deliver() == 1
    assert "timed out" in post.figures().last_cause
    post.box.wait_s = 0.0
    assert post.deliver(minutes=5) == 1
    assert post.figures().num_waiting == 0
    assert len({str(letter["Message-ID"]) for letter in post.box.letters}) == 1


def test_a_letter_of_no_use_any_more_is_given_up_and_seen(post: Post) -> None:
    """A server away until the visit is over: the letter counts as not delivered."""
    post.subscribe()
    post.office.cancel("day", from_date=TUESDAY)
    post.box.is_full = True
    assert post.deliver() == 1
    post.box.is_full = False
    post.office.now = datetime(2026, 12, 3, tzinfo=UTC)
    assert post.deliver() == 1
    assert post.box.letters == []
    found = post.figures()
    assert (found.num_failed, found.last_cause) == (1, "452 mailbox full")


def test_an_address_that_does_not_exist_is_erased(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """At once where it was only asked, else after some letters; no log or table repeats it."""
    post.box.unknown = {"nobody@example.org", READER}
    with caplog.at_level(logging.DEBUG):
        post.ask("nobody@example.org")
        assert post.deliver() == 1
        assert post.readers() == []
        post.box.unknown = set()
        post.subscribe()
        post.box.unknown = {READER}
        for number in range(MOST_REFUSALS):
            assert len(post.readers()) == 1
            on = TUESDAY + timedelta(weeks=number)
            post.office.cancel("visit", visit_id=post.office.visit(STOP, on).visit_id)
            assert post.deliver() == 1
            if number < MOST_REFUSALS - 1:
                assert "550 5.1.1" in post.figures().last_cause
                assert "example.org" not in post.figures().last_cause
    assert post.readers() == []
    with reading(post.office.engine) as session:
        assert count(session, LetterRow) == 0
    told = "\n".join(f"{r.getMessage()} {vars(r)}" for r in caplog.records)
    assert "letter.tried" in told
    assert "example.org" not in told


def test_leaving_erases_the_address_and_its_letters(post: Post) -> None:
    """One stop, or all of the address; links of others or of another purpose do nothing."""
    one = post.subscribe()
    post.subscribe(stop="kaluzhskoe")
    other = post.subscribe("other@example.org")
    token = token_of(one, MANAGE)
    forged = f"{other.subscription_id}.0.{token.rpartition('.')[2]}"
    now = post.office.now
    with writing(post.office.engine) as session:
        for wrong in (forged, token_of(one, CONFIRM), f"{token}x", "a.b.c", "", "x" * 120):
            with pytest.raises(NotFoundError, match=r"letters\.no_link"):
                letters.end(session, REGION, wrong, at=now)
        with pytest.raises(NotFoundError):
            letters.end(session, "elsewhere", token, at=now)
    post.office.cancel("day", from_date=TUESDAY)
    with writing(post.office.engine) as session:
        assert letters.end(session, REGION, token, everywhere=True, at=now) == 2
    assert [r.address for r in post.readers()] == ["other@example.org"]
    post.deliver()
    assert {str(letter["To"]) for letter in post.box.letters} == {"other@example.org"}


def test_who_does_not_confirm_is_erased(post: Post) -> None:
    """Two days later the link is over and the address is gone."""
    post.ask()
    (one,) = post.readers()
    late = post.office.now + timedelta(days=CONFIRM_DAYS, seconds=1)
    with reading(post.office.engine) as session, pytest.raises(NotFoundError, match="late_link"):
        letters.subscription_of(session, REGION, token_of(one, CONFIRM), CONFIRM, at=late)
    tidy(post.office.engine, post.settings, post.office.now)
    assert len(post.readers()) == 1
    assert tidy(post.office.engine, post.settings, late)["subscriptions"] == 1
    assert post.readers() == []


def test_asking_often_writes_seldom(post: Post) -> None:
    """Once in ten minutes, five a day; who is told already learns it by letter, not on the page."""
    post.ask()
    post.ask(READER.upper().replace("EXAMPLE.ORG", "example.org"))
    assert post.deliver() == 1
    for number in range(1, 8):
        post.office.now += ASK_AGAIN
        post.ask()
        post.deliver()
        assert len(post.box.letters) == min(number + 1, 5)
    assert len(post.readers()) == 1
    one = post.subscribe("second@example.org")
    post.office.now += ASK_AGAIN
    post.ask("second@example.org", reminder=True)
    assert post.deliver() == 1
    assert post.box.letters[0]["Subject"] == "Вы уже подписаны: Калиновка"
    (same,) = [r for r in post.readers() if r.address == one.address]
    assert (same.is_confirmed, same.wants_reminder) == (True, False)


def test_without_a_server_letters_are_files(post: Post) -> None:
    """They lie in the outbox, whole, as whoever sends them by hand would send them."""
    post.ask()
    kept = LetterPost(post.office.engine, replace(post.settings, smtp_url=None))
    assert kept.deliver(post.office.now) == 1
    (file,) = (post.settings.data_dir / "outbox").glob("*.eml")
    assert READER.encode() in file.read_bytes()


@pytest.mark.parametrize(
    "wrong",
    ["", "nobody", "a@b", "a b@example.org", "a@example.org\nBcc: x@y.zz", "<a@example.org>",
     "a@-example.org", "a@example.1", "é@example.org", "a@exa mple.org", "x" * 65 + "@example.org",
     "a@" + ".".join(["x" * 60] * 5), "a..b@example.org", "@example.org", "a@example.org,b@c.org"],
)  # fmt: skip
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(InputError, match=r"letters\.bad_address"):
        mail_address(wrong)


def test_an_address_in_a_russian_domain_is_written_in_ascii() -> None:
    assert mail_address(" Ivan.Petrov+bus@почта.рф ") == "Ivan.Petrov+bus@xn--80a1acny.xn--p1ai"


@given(st.text(max_size=60))
def test_what_is_taken_for_an_address_is_one_line_of_ascii(text: str) -> None:
    """Whatever is typed in, nothing of it can become a second header or recipient."""
    try:
        told = mail_address(text)
    except InputError:
        return
    assert told.isascii()
    assert told.isprintable()
    assert told.count("@") == 1
    assert not set(told) & set(' <>,;:"\\()[]')
    assert without_addresses(f"550 <{told}> {told}: none") == "550 <<…>> <…>: none"


class Gateway:
    """A program of the outside world that takes notices, or does not."""

    def __init__(self) -> None:
        self.status = 204
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.port = 0


@contextmanager
def gateway() -> Iterator[Gateway]:
    told = Gateway()

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            told.headers.append({k.lower(): v for k, v in self.headers.items()})
            self.send_response(told.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Take) as server:
        told.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def test_another_program_is_told_each_notice_once(post: Post, tmp_path: Path) -> None:
    """Signed, in both languages, again while it is away, and that it no longer holds."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"between us\n")
    with gateway() as told:
        settings = replace(
            post.settings,
            notice_hook_url=f"http://127.0.0.1:{told.port}/notices?key=1",
            notice_hook_secret_file=secret,
        )
        plugged = LetterPost(post.office.engine, settings)
        exception = post.office.cancel("visit", visit_id=post.office.visit(STOP, TUESDAY).visit_id)
        now = post.office.now
        told.status = 503
        assert plugged.deliver(now) == 1
        assert post.figures().last_cause == "HTTP 503"
        told.status = 204
        assert plugged.deliver(now + timedelta(minutes=2)) == 1
        assert plugged.deliver(now + timedelta(minutes=3)) == 0
        body, headers = told.bodies[-1], told.headers[-1]
        assert told.bodies == [body, body]
        assert len({h["idempotency-key"] for h in told.headers}) == 1
        signed = hmac.new(b"between us", body, hashlib.sha256).hexdigest()
        assert headers["x-bookmobile-signature"] == f"sha256={signed}"
        message = json.loads(body)
        assert (message["event"], message["stop"]["name"]) == ("notice", "Калиновка")
        assert message["texts"]["ru"].startswith("Калиновка: Стоянка 1 декабря, 10:00 отменена")
        assert message["texts"]["en"].startswith("Калиновка: ")
        assert message["stop"]["address"] == f"https://bus.example.org/r/{REGION}/stops/{STOP}"
        post.office.undo(exception.exception_id)
        assert plugged.deliver(now + timedelta(minutes=4)) == 1
        back = json.loads(told.bodies[-1])
        assert (back["event"], back["notice_id"]) == ("withdrawn", message["notice_id"])
        assert back["texts"]["ru"] == "Калиновка: Стоянка 1 декабря, 10:00 состоится."
        assert plugged.deliver(now + timedelta(minutes=5)) == 0
        told.status = 404
        post.office.cancel("day", from_date=date(2026, 12, 8))
        assert plugged.deliver(now + timedelta(minutes=6)) == 2
        assert plugged.deliver(now + timedelta(hours=6)) == 0, "refused for good"
    assert post.post.deliver(now) == 0, "without the setting nobody is told"


def test_the_worker_empties_the_box(post: Post) -> None:
    """The process that runs beside the service sends letters by itself."""
    settings = replace(post.settings, database_url=str(post.office.engine.url))
    worker = Worker(
        settings, name="post", lanes=(), pace=Pace(reap_s=0.05), clock=lambda: post.office.now
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        post.ask()
        until = time.monotonic() + 60
        while not post.box.letters and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        worker.leave()
        thread.join()
    assert [str(letter["To"]) for letter in post.box.letters] == [READER]


def test_another_program_learns_that_an_old_notice_no_longer_holds(post: Post) -> None:
    """However long ago it was told of it."""
    with gateway() as told:
        settings = replace(post.settings, notice_hook_url=f"http://127.0.0.1:{told.port}/")
        plugged = LetterPost(post.office.engine, settings)
        visit = post.office.visit(STOP, date(2026, 12, 15))
        exception = post.office.cancel("visit", visit_id=visit.visit_id)
        assert plugged.deliver(post.office.now) == 1
        post.office.now += timedelta(days=4)
        assert plugged.deliver(post.office.now) == 0
        post.office.undo(exception.exception_id)
        assert plugged.deliver(post.office.now) == 1
    assert [json.loads(body)["event"] for body in told.bodies] == ["notice", "withdrawn"]


def test_one_way_that_is_closed_leaves_the_other_open(post: Post) -> None:
    """A program that is away holds up no letter, nor a mail server the program."""
    post.subscribe()
    with socket.socket() as free, gateway() as told:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
        settings = replace(post.settings, notice_hook_url=f"http://127.0.0.1:{closed}/")
        post.office.cancel("day", from_date=TUESDAY)
        assert LetterPost(post.office.engine, settings).deliver(post.office.now) == 2
        assert [str(letter["To"]) for letter in post.box.letters] == [READER]
        settings = replace(
            settings,
            smtp_url=f"smtp://127.0.0.1:{closed}",
            notice_hook_url=f"http://127.0.0.1:{told.port}/",
        )
        post.office.cancel("day", from_date=date(2026, 12, 8))
        later = post.office.now + timedelta(hours=1)
        LetterPost(post.office.engine, settings).deliver(later)
        assert len(told.bodies) > 1
        assert post.figures().num_waiting == 1


def test_the_address_of_a_stop_that_is_gone_is_erased(post: Post) -> None:
    """Not while its last visit is a season ago."""
    post.subscribe()
    with reading(post.office.engine) as session:
        last = max(
            v.service_date
            for v in publication_store.load_visits(session, REGION)
            if v.stop_id == STOP
        )
    evening = datetime(last.year, last.month, last.day, 20, tzinfo=UTC)
    for days, num_left in ((GONE_DAYS - 1, 1), (GONE_DAYS + 1, 0)):
        with writing(post.office.engine) as session:
            letter_store.erase_old(session, evening + timedelta(days=days))
        assert len(post.readers()) == num_left
