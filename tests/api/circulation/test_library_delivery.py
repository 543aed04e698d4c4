"""What happens aboard and at the desk is told to the library's own system, each thing once."""

import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth import cookie_name
from api.services import library_delivery, library_files
from api.services.library_delivery import LibraryState, deliver, library_state
from api.services.library_files import Bases
from api.services.library_system import LinkAsked, change_link, link_of, try_link
from data.db import library_store
from data.db.engine import reading, writing
from data.model.accounts import Caller, Role
from data.model.errors import ConflictError, InputError
from data.model.library_link import FileState, LibraryLink, SystemKind
from fleet.library.outbox import Ruling, Standing
from tests.api.circulation.library import (
    MORNING,
    OLGA_TOKEN,
    STOPS,
    Library,
    TabletAt,
    library,
    pair,
)
from tests.api.tracking.depot import REGION
from tests.fleet.library import irbis_server, sip2_server
from tests.fleet.library.evergreen_rules import Evergreen
from tests.fleet.library.koha_rules import Koha
from tests.fleet.library.sip2_server import Fault, Sip2TestServer
from tests.fleet.library.test_sip2_real_server import Library as Pysip2

ANNA = Caller(account_id="a" * 32, roles=frozenset({Role.LIBRARIAN}))


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


@pytest.fixture
def sip2() -> Iterator[Sip2TestServer]:
    told = Sip2TestServer(slow_s=0.3)
    told.shelf.patrons = {f"card-{n:05}": "Иванова" for n in range(20)}
    told.shelf.items = {f"i{n}": "Книга" for n in range(60)}
    with sip2_server.running(told):
        yield told


def connect(one: Library, kind: SystemKind, port: int = 0, **settings: Any) -> LibraryLink:
    """Switch a system on, as of the morning."""
    told = {"host": "127.0.0.1", "port": port, **settings} if kind.is_online else settings
    if kind is SystemKind.SIP2:
        told = {"login": "van", "timeout_s": 0.15, **told}
    asked = LinkAsked(
        kind=kind,
        is_on=True,
        settings=told,
        secrets={"password": "secret"},
        seen=link_of(one.service, REGION).revision,
    )
    return change_link(one.service, REGION, asked, by=ANNA, at=MORNING)


def lends(one: Library, num: int = 3) -> tuple[TabletAt, str]:
    """A tablet that lent items to readers of the same number, and brought it."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    for n in range(1, num + 1):
        tablet.lend(f"i{n}", f"p{n}", MORNING + timedelta(hours=1, minutes=n))
    one.bring(token, tablet)
    return tablet, token


def turn(one: Library, times: int = 1) -> LibraryState:
    """Turns of delivery, each when what failed before may be tried again."""
    for _ in range(times):
        deliver(one.service, REGION)
        one.depot.now += timedelta(hours=1)
    return library_state(one.service, REGION)


def test_loans_reach_a_system_once_with_the_ids_of_their_events(
    one: Library, sip2: Sip2TestServer
) -> None:
    """In order, each once, however often the journal comes and delivery is asked for."""
    connect(one, SystemKind.SIP2, sip2.port)
    tablet, token = lends(one)
    tablet.write("return", MORNING + timedelta(hours=2), STOPS[0], item_id="i1")
    one.bring(token, tablet)
    one.bring(token, tablet)
    state = turn(one, 3)
    assert sip2.shelf.loans == {"i2": "card-00002", "i3": "card-00003"}
    assert set(sip2.shelf.num_done.values()) == {1}
    assert state.counts[Standing.SETTLED] == 4
    assert state.link.reached_at is not None
    with reading(one.engine) as session:
        told = library_store.load_postings(session, REGION, ["settled"])
    ids = [p["operation"]["operation_id"] for p in told]
    assert ids == [e["event_id"] for e in tablet.events]
    assert sip2.complaints == []


def test_what_was_before_is_not_told(one: Library, sip2: Sip2TestServer) -> None:
    """The library knew of it by the ways that it had until then."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend("i1", "p1", MORNING - timedelta(minutes=5))
    tablet.lend("i2", "p2", MORNING + timedelta(minutes=5))
    one.bring(token, tablet)
    connect(one, SystemKind.SIP2, sip2.port)
    turn(one)
    assert sip2.shelf.loans == {"i2": "card-00002"}


def test_a_refusal_waits_for_a_person(one: Library, sip2: Sip2TestServer) -> None:
    """With the system's words; set aside only with a reason; again once it is put right."""
    connect(one, SystemKind.SIP2, sip2.port, no_block=False)
    sip2.shelf.loans["i1"] = "card-00009"
    del sip2.shelf.patrons["card-00002"]
    lends(one)
    state = turn(one)
    assert state.counts[Standing.SETTLED] == 1
    asking = {p.operation.item_id: p for p in state.asking}
    assert set(asking) == {"i1", "i2"}
    assert asking["i1"].answer is not None
    assert asking["i1"].answer.told
    with pytest.raises(InputError, match=r"library\.needs_reason"):
        decide(one, asking["i1"].operation_id, Ruling.LEAVE)
    decide(one, asking["i1"].operation_id, Ruling.LEAVE, note="давно у другого")
    sip2.shelf.patrons["card-00002"] = "Иванова"
    decide(one, asking["i2"].operation_id, Ruling.AGAIN)
    state = turn(one)
    assert state.counts[Standing.SETTLED] == 3
    assert sip2.shelf.loans["i2"] == "card-00002"
    with pytest.raises(ConflictError, match=r"library\.nothing_to_decide"):
        decide(one, asking["i2"].operation_id, Ruling.BY_HAND)


def decide(one: Library, operation_id: str, ruling: Ruling, note: str = "") -> None:
    library_delivery.decide(
        one.service, REGION, operation_id, ruling, note=note, by=ANNA, at=one.depot.now
    )


BAD = (Fault.SLOW, Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.GARBLE, Fault.CUT, Fault.NONSENSE)


def test_over_a_bad_line_each_loan_is_carried_out_once(one: Library, sip2: Sip2TestServer) -> None:
    """Slow, dropped before and after, garbled, cut: at last all is told, and nothing twice."""
    connect(one, SystemKind.SIP2, sip2.port, retries=0)
    tablet, token = lends(one, 2)
    for number, fault in enumerate(BAD, start=3):
        tablet.lend(f"i{number}", f"p{number}", one.depot.now)
        one.bring(token, tablet)
        sip2.faults += [Fault.NONE, Fault.NONE, fault, Fault.NONE, fault]
        state = turn(one, 6)
        sip2.faults.clear()
        assert set(sip2.shelf.num_done.values()) == {1}, fault
    state = turn(one)
    assert sip2.shelf.loans == {f"i{n}": f"card-{n:05}" for n in range(1, 9)}
    assert state.counts[Standing.SETTLED] == 8
    assert state.link.trouble == {}


def test_a_system_that_is_away_is_told_of_and_tried_again(one: Library) -> None:
    """Since when it is away stays the same; what waits, waits; back again, all is told."""
    port = sip2_server.free_port()
    connect(one, SystemKind.SIP2, port)
    lends(one)
    first = turn(one).link.trouble
    state = turn(one, 3)
    assert state.link.trouble["since"] == first["since"]
    assert (state.counts[Standing.WAITING], state.counts[Standing.SETTLED]) == (3, 0)
    assert state.waiting_since is not None
    told = Sip2TestServer()
    told.shelf.patrons = {f"card-{n:05}": "Иванова" for n in range(20)}
    told.shelf.items = {f"i{n}": "Книга" for n in range(60)}
    with sip2_server.running(told):
        connect(one, SystemKind.SIP2, told.port)
        state = turn(one, 2)
    assert (state.counts[Standing.SETTLED], state.link.trouble) == (3, {})


def test_a_service_that_ended_while_it_sent_asks_before_it_sends_again(
    one: Library, sip2: Sip2TestServer
) -> None:
    """What was noted as about to be sent, and was carried out, is not carried out twice."""
    connect(one, SystemKind.SIP2, sip2.port)
    lends(one, 1)
    library_delivery.take_operations(one.service, REGION)
    with writing(one.engine) as session:
        (told,) = library_store.load_postings(session, REGION, ["waiting"])
        library_store.put_postings(
            session, REGION, [{**told, "standing": "doubtful", "num_tries": 1}], now=one.depot.now
        )
        # The process that died holds its lease until it runs out.
        assert library_store.lease(session, REGION, "dead", one.depot.now, timedelta(minutes=5))
    sip2.shelf.loans["i1"] = "card-00001"
    assert turn(one).counts[Standing.DOUBTFUL] == 1
    assert turn(one).counts[Standing.SETTLED] == 1
    assert "11 i1" not in sip2.shelf.num_done


def test_late_news_of_what_was_told_goes_to_a_person(one: Library, sip2: Sip2TestServer) -> None:
    """A slip taken back before it was sent is not sent; another reader found later is asked of."""
    connect(one, SystemKind.SIP2, sip2.port)
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    slip = tablet.lend("i5", "p5", MORNING + timedelta(hours=1))
    one.bring(token, tablet)
    library_delivery.take_operations(one.service, REGION)
    tablet.write("void", MORNING + timedelta(hours=1, minutes=1), event_id=slip["event_id"])
    one.bring(token, tablet)
    state = turn(one)
    assert sip2.shelf.loans == {}
    assert sum(state.counts.values()) == 0


def test_pysip2_is_told(one: Library) -> None:
    """Somebody else's server: loans, a refusal in its words, a return."""
    with Pysip2("utf-8") as server:
        connect(one, SystemKind.SIP2, server.port, timeout_s=5)
        server.loans["i2"] = "somebody"
        assert try_link(one.service, REGION, item="i2")["item_lent"] is True
        tablet, token = lends(one)
        tablet.write("return", MORNING + timedelta(hours=2), STOPS[0], item_id="i3")
        one.bring(token, tablet)
        state = turn(one)
        assert server.loans == {"i1": "card-00001", "i2": "somebody"}
    (asking,) = state.asking
    assert asking.answer is not None
    assert asking.answer.told == "Выдано другому читателю"


def test_irbis_is_told(one: Library) -> None:
    """Loans stand in the readers' records with the operation's mark; an unknown reader is asked."""
    with irbis_server.running(irbis_server.IrbisTestServer(slow_s=0.6)) as server:
        for n in (1, 2):
            server.readers.add(f"10#Иванова {n}", f"30#card-{n:05}")
        server.books.add("200#^aЁлка", "903#84", *(f"910#^a0^b{n}^hi{n}" for n in (1, 2, 3)))
        connect(one, SystemKind.IRBIS64, server.port, login="kibo", timeout_s=2)
        link = link_of(one.service, REGION)
        asked = LinkAsked(
            kind=link.kind, is_on=True, settings=link.settings, secrets={"password": "Секрет"},
            seen=link.revision,
        )  # fmt: skip
        change_link(one.service, REGION, asked, by=ANNA, at=MORNING)
        bad = irbis_server.Fault
        server.faults += [bad.NONE, bad.NONE, bad.DROP_AFTER, bad.CUT, bad.SLOW, bad.NONSENSE]
        tablet, _ = lends(one)
        state = turn(one, 6)
        loans = [line for n in (1, 2) for line in server.readers.lines(n, 40)]
    assert len(loans) == 2
    assert [f"bm:{e['event_id']}" in line for e, line in zip(tablet.events, loans, strict=False)]
    assert [p.operation.card for p in state.asking] == ["card-00003"]


def test_settings_and_refusals_at_the_desk(one: Library, sip2: Sip2TestServer) -> None:
    """The page keeps the password to itself, tells the refusal, and takes the decision."""
    cookie = {"cookie": f"{cookie_name(one.service.settings)}={OLGA_TOKEN}"}
    page = f"/desk/{REGION}/circulation/library"

    def post(path: str, **form: str) -> httpx.Response:
        return one.depot.client.post(f"{page}/{path}", data=form, headers=cookie)

    told = {
        "kind": "sip2", "host": "127.0.0.1", "port": str(sip2.port), "timeout_s": "1",
        "login": "van", "password": "secret", "is_on": "1", "seen": "0", "encoding": "utf-8",
        "terminator": "cr", "has_checks": "1",
    }  # fmt: skip
    assert post("settings", **{**told, "encoding": "koi8"}).status_code == 422
    assert post("settings", **told).status_code == 303
    assert post("try", card="card-00001").status_code == 200
    sip2.shelf.loans["i1"] = "card-00009"
    one.depot.now += timedelta(minutes=1)
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend("i1", "p1", one.depot.now)
    one.bring(token, tablet)
    assert post("send").status_code == 303
    shown = one.depot.client.get(page, headers=cookie).text
    assert "secret" not in shown
    assert "card-00001" in shown
    (posting,) = library_state(one.service, REGION).asking
    assert post(f"operations/{posting.operation_id}", ruling="leave").status_code == 422
    done = post(f"operations/{posting.operation_id}", ruling="leave", note="у другого")
    assert done.status_code == 303
    assert library_state(one.service, REGION).asking == ()


def every_kind(one: Library) -> None:
    """A day with every kind of operation that there is."""
    tablet, token = lends(one)
    hour = MORNING + timedelta(hours=3)
    tablet.write("return", hour, STOPS[0], item_id="i1")
    tablet.write("registration", hour, STOPS[0], patron_id="new", card="card-new", name="Новый")
    hold = tablet.write("hold", hour, STOPS[0], hold_id="h1", title_id="t9", patron_id="p1")
    hold["body"]["stop_id"] = STOPS[0]
    tablet.write("hold_cancelled", hour + timedelta(minutes=1), STOPS[0], hold_id="h1")
    one.bring(token, tablet)
    one.depot.now += timedelta(days=1)
    tablet.write("renewal", one.depot.now, STOPS[0], item_id="i2", due_date="2026-12-29")
    one.bring(token, tablet)


def test_koha_takes_the_file_and_the_rest_goes_to_a_person(one: Library) -> None:
    """Every kind: loans, returns, renewals pass Koha's rules; the other three are asked of."""
    connect(one, SystemKind.KOHA_FILE)
    every_kind(one)
    made = library_files.make_file(one.service, REGION, Bases(), by=ANNA, at=one.depot.now)
    assert (made.num_carried, made.num_left_out) == (5, 3)
    name, content = library_files.file_of(one.service, REGION, made.file_no)
    koha = Koha()
    koha.process(content)
    assert koha.errors == []
    assert (set(koha.loans), koha.renewed) == ({"i2", "i3"}, ["i2"])
    assert name.endswith(".koc")
    with pytest.raises(InputError, match=r"library\.nothing_waits"):
        library_files.make_file(one.service, REGION, Bases(), by=ANNA, at=one.depot.now)
    library_files.say_of_file(
        one.service, REGION, made.file_no, FileState.PUT_BACK, by=ANNA, at=one.depot.now
    )
    again = library_files.make_file(one.service, REGION, Bases(), by=ANNA, at=one.depot.now)
    assert library_files.file_of(one.service, REGION, again.file_no)[1] == content
    library_files.say_of_file(
        one.service, REGION, again.file_no, FileState.IMPORTED, by=ANNA, at=one.depot.now
    )
    state = library_state(one.service, REGION)
    assert (state.counts[Standing.SETTLED], state.counts[Standing.ASKS]) == (5, 3)
    with pytest.raises(ConflictError, match=r"library\.file_decided"):
        library_files.say_of_file(
            one.service, REGION, made.file_no, FileState.IMPORTED, by=ANNA, at=one.depot.now
        )


def test_evergreen_takes_the_file(one: Library) -> None:
    """Its own rules: who has what in the end, and our due date."""
    connect(one, SystemKind.EVERGREEN_FILE)
    every_kind(one)
    made = library_files.make_file(one.service, REGION, Bases(), by=ANNA, at=one.depot.now)
    evergreen = Evergreen()
    evergreen.execute(library_files.file_of(one.service, REGION, made.file_no)[1])
    assert evergreen.errors == []
    cards = {item: card for item, (card, _) in evergreen.loans.items()}
    assert cards == {"i2": "card-00002", "i3": "card-00003"}
    assert evergreen.loans["i2"][1].date() == date(2026, 12, 29)


def test_irbis_takes_files_of_the_readers_that_changed(one: Library) -> None:
    """Without an export of the readers nothing can be entered, and nothing is lost by asking."""
    connect(one, SystemKind.IRBIS_FILE, encoding="cp1251")
    lends(one)
    with pytest.raises(InputError, match=r"library\.readers_needed"):
        library_files.make_file(one.service, REGION, Bases(), by=ANNA, at=one.depot.now)
    readers = "".join(f"#10: Иванова\r\n#30: card-{n:05}\r\n*****\r\n" for n in range(3))
    books = "#200: ^aЁлка\r\n#903: 84\r\n" + "".join(f"#910: ^a0^b{n}^hi{n}\r\n" for n in range(4))
    bases = Bases(readers=readers.encode("cp1251"), books=f"{books}*****\r\n".encode("cp1251"))
    made = library_files.make_file(one.service, REGION, bases, by=ANNA, at=one.depot.now)
    assert (made.num_carried, made.num_left_out) == (2, 1)
    _, content = library_files.file_of(one.service, REGION, made.file_no)
    with zipfile.ZipFile(BytesIO(content)) as folder:
        text = folder.read("readers.txt").decode("cp1251")
    assert text.count("#40:") == 2


def test_a_password_never_goes_to_another_host(one: Library, sip2: Sip2TestServer) -> None:
    """Kept while the host stays; gone with another host; a wrong port is told by its name."""
    link = connect(one, SystemKind.SIP2, sip2.port)
    told = {**link.settings, "institution": "BM"}
    asked = LinkAsked(kind=link.kind, is_on=True, settings=told, secrets={}, seen=link.revision)
    link = change_link(one.service, REGION, asked, by=ANNA, at=MORNING)
    assert link.secrets == {"password": "secret"}
    assert "secret" not in repr(link)
    with pytest.raises(ConflictError):
        change_link(one.service, REGION, asked, by=ANNA, at=MORNING)
    elsewhere = LinkAsked(
        kind=link.kind, is_on=True, settings={**told, "host": "evil.example"}, secrets={},
        seen=link.revision,
    )  # fmt: skip
    link = change_link(one.service, REGION, elsewhere, by=ANNA, at=MORNING)
    assert link.secrets == {}
    wrong = LinkAsked(
        kind=link.kind, is_on=True, settings={**told, "port": 99_999}, secrets={},
        seen=link.revision,
    )  # fmt: skip
    with pytest.raises(InputError, match=r"library\.bad_setting"):
        change_link(one.service, REGION, wrong, by=ANNA, at=MORNING)
