"""Pages of registers without a browser: forms sent twice, late, by others, or odd."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from data.model.accounts import Role
from tests.api.regions.house import add_bundled, region_of
from tests.e2e.service import Running

DESK = "/desk/kaliningrad"
HTML = {"accept": "text/html"}
STOP = {"name": "Клуб", "lon": "20,85", "lat": "55,15", "service_min": "45", "since": "ever"}


@pytest.fixture(scope="module", autouse=True)
def kaliningrad(running: Running) -> Iterator[None]:
    """Every test of this module is about the bundled region."""
    add_bundled(running)
    yield


@pytest.fixture
def desk(running: Running) -> Iterator[httpx.Client]:
    """A dispatcher's browser."""
    with running.api(Role.DISPATCHER, "ru") as client:
        client.headers.update(HTML)
        yield client


def send(client: httpx.Client, path: str, **fields: Any) -> httpx.Response:
    return client.post(f"{DESK}{path}", data=fields)


def test_a_form_sent_twice_adds_one_thing(running: Running, desk: httpx.Client) -> None:
    """The empty form carries the key of the thing to be; a second press leads to the same list."""
    answers = [send(desk, "/add/stops", key="stop-0123456789", **STOP) for _ in range(2)]
    assert [a.status_code for a in answers] == [303, 303]
    assert [s.stop_id for s in region_of(running, "kaliningrad").stops] == ["stop-0123456789"]
    foreign = send(desk, "/add/stops", key="../../x", **STOP)
    assert foreign.status_code == 303
    assert len(region_of(running, "kaliningrad").stops) == 2


def test_a_stale_form_keeps_what_was_typed(desk: httpx.Client) -> None:
    """412 with one's own words in the fields; without a revision nothing is stored either."""
    first = send(desk, "/depots/kaliningrad", revision="1", name="А", lon="20.5", lat="54.7",
                 since="correct")  # fmt: skip
    assert first.status_code == 303
    for revision in ("1", ""):
        late = send(desk, "/depots/kaliningrad", revision=revision, name="Моё имя", lon="20.5",
                    lat="54.7", since="correct")  # fmt: skip
        assert late.status_code == 412
        assert "Моё имя" in late.text
        assert "запись изменили" in late.text


def test_who_may_not_change_sees_no_button(running: Running) -> None:
    """A librarian reads every register, finds no way to save, and is refused if he makes one."""
    with running.api(Role.LIBRARIAN, "ru") as librarian:
        librarian.headers.update(HTML)
        page = librarian.get(f"{DESK}/vehicles/kibo-1")
        assert page.status_code == 200
        assert "Сохранить" not in page.text
        assert "Снять с учёта" not in page.text
        assert send(librarian, "/vehicles/kibo-1", revision="1").status_code == 403
        assert send(librarian, "/calendar", kind="closed", first="2026-12-10").status_code == 403
        assert librarian.get("/setup").status_code == 403
    with running.api(None) as nobody:
        answer = nobody.get(f"{DESK}/stops", headers=HTML)
        assert answer.headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize(
    "path",
    [
        "/stops/nowhere", "/vehicles/../../x", "/norms/none", "/add/party",
        "/needs/verdict?settlement=x",
        "/calendar?year=9999", "/calendar?month=13", "/stops?on=soon", "/stops?start=-1",
    ],
)  # fmt: skip
def test_odd_addresses_get_a_page_of_ours(desk: httpx.Client, path: str) -> None:
    """404 or 422 in words, never a failure."""
    answer = desk.get(f"{DESK}{path}")
    assert answer.status_code in (404, 422)
    assert "<h1>" in answer.text


@pytest.mark.parametrize(
    "query",
    ["text=%00", "people_from=-5", "people_to=abc", "sort=party", "status=no", "on=31.02.2026",
     "start=99999999", "norm=%3Cscript%3E", "district=" + "x" * 5000],
)  # fmt: skip
def test_odd_filters_of_needs_ask_for_nothing(desk: httpx.Client, query: str) -> None:
    """An odd value in the address is left out, or refused in words."""
    for _ in range(30):
        answer = desk.get(f"{DESK}/needs?{query}")
        assert answer.status_code in (200, 422)
        assert "<script>" not in answer.text
        if 'id="measuring"' not in answer.text:
            return
    raise AssertionError("the audit is never measured")


def test_hostile_words_are_text_on_every_page(running: Running, desk: httpx.Client) -> None:
    """Names with markup stand escaped in lists, forms, calendar and history."""
    evil = "<img src=x onerror=alert(1)>"
    assert send(desk, "/add/crew", name=evil, role="driver", phone=evil).status_code == 303
    assert send(desk, "/add/stops", **{**STOP, "name": evil, "notes": evil}).status_code == 303
    entry = {"kind": "closed", "first": "2027-07-01", "name": evil}
    assert send(desk, "/calendar", **entry).status_code == 303
    odd = {"kind": "term", "first": "2027-07-02", "school": "a&b#c/d ш"}
    led = desk.get(send(desk, "/calendar", **odd).headers["location"])
    assert "a&amp;b#c/d ш" in led.text
    stop = next(s for s in region_of(running, "kaliningrad").stops if s.name == evil)
    for path in ("/crew", "/stops", f"/stops/{stop.stop_id}", "/calendar?year=2027&month=7"):
        page = desk.get(f"{DESK}{path}")
        assert page.status_code == 200
        assert evil not in page.text
        assert "&lt;img src=x" in page.text


def test_forms_of_too_many_fields_are_refused(desk: httpx.Client) -> None:
    answer = desk.post(f"{DESK}/add/stops", data={f"f{n}": "x" for n in range(3_000)})
    assert answer.status_code in (400, 422)


def test_weekdays_are_ticked(running: Running, desk: httpx.Client) -> None:
    """Saturday becomes a working day; none at all is refused."""
    answer = send(desk, "/calendar/weekdays", weekdays=["0", "5"], year="2026", month="12")
    assert answer.status_code == 303
    assert region_of(running, "kaliningrad").calendar.weekdays == {0, 5}
    assert send(desk, "/calendar/weekdays", year="2026", month="12").status_code == 422
