"""Other programs ask for letters and stops, and the desk's own programs score and answer."""

from collections.abc import Iterator

import httpx
import pytest

from api.limiter import Limiter
from api.services.letter_sending import LetterPost
from data.db import letter_store, stop_request_store
from data.db.engine import reading
from data.model.accounts import Role
from tests.api.publication.office import REGION, Office
from tests.api.reports.mailbox import Mailbox, mail_server
from tests.e2e.service import Running, run_service

PUBLIC = f"/api/v1/public/{REGION}"
DESK = f"/api/v1/regions/{REGION}"
WISH = {"stop_id": "kalinovka", "address": "vera@example.org", "reminder": True}
ASKED = {"place": "зеленый бор", "reason": "До библиотеки далеко", "people": 12}


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, box: Mailbox) -> Iterator[Running]:
    url = f"smtp://127.0.0.1:{box.port}"
    with run_service(tmp_path_factory.mktemp("json"), smtp_url=url) as running:
        office = Office(running.engine)
        running.service.clock = lambda: office.now
        office.publish()
        yield running


@pytest.fixture
def anybody(running: Running) -> Iterator[httpx.Client]:
    """A program without an account, which has not asked yet."""
    object.__setattr__(running.service, "limiter", Limiter())
    with running.api(None, "ru") as client:
        yield client


def test_letters_are_asked_for_as_on_the_page(
    running: Running, anybody: httpx.Client, box: Mailbox
) -> None:
    """The owner of the address is asked first; the answer tells nothing of the address."""
    taken = anybody.post(f"{PUBLIC}/letters", json=WISH)
    assert (taken.status_code, taken.json()) == (202, {"stop_id": "kalinovka", "confirm_days": 2})
    again = anybody.post(f"{PUBLIC}/letters", json=WISH)
    assert (again.status_code, again.json()) == (202, taken.json())
    with reading(running.engine) as session:
        assert letter_store.readers_of(session, REGION, {"kalinovka"}) == ()
    post = LetterPost(running.engine, running.settings)
    while post.deliver(running.service.clock()):
        pass
    assert [str(letter["To"]) for letter in box.letters] == ["vera@example.org"]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"address": "vera"}, 422, "letters.bad_address"),
        ({"address": "a@example.org\r\nBcc: b@example.org"}, 422, "letters.bad_address"),
        ({"stop_id": "../../etc"}, 404, "public.no_stop"),
        ({"address": "a" * 300}, 422, "request.invalid"),
        ({"more": 1}, 422, "request.invalid"),
    ],
)
def test_wrong_wishes(
    anybody: httpx.Client, more: dict[str, object], status: int, code: str
) -> None:
    """Each is refused with what is wrong."""
    refused = anybody.post(f"{PUBLIC}/letters", json=WISH | more)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_too_many_wishes(anybody: httpx.Client) -> None:
    """Ten an hour from one address of the network, by pages and programs together."""
    for number in range(10):
        wish = WISH | {"address": f"p{number}@example.org"}
        assert anybody.post(f"{PUBLIC}/letters", json=wish).status_code == 202
    assert anybody.post(f"{PUBLIC}/letters", json=WISH).status_code == 429
    form = {"address": "q@example.org"}
    assert anybody.post(f"/r/{REGION}/stops/kalinovka/letters", data=form).status_code == 429


def test_the_box_in_numbers(running: Running, anybody: httpx.Client) -> None:
    """Staff see figures and no address; dispatchers have it tried again."""
    with running.api(Role.DISPATCHER) as desk:
        shown = desk.get(f"{DESK}/letters")
        assert shown.status_code == 200
        assert shown.json()["unconfirmed"] >= 1
        assert shown.json()["can_send"] is True
        assert "@" not in shown.text
        assert desk.post(f"{DESK}/letters/again").json()["letters"] >= 0
        assert desk.get("/api/v1/regions/nowhere/letters").status_code == 404
    with running.api(Role.ANALYST) as other:
        assert other.get(f"{DESK}/letters").status_code == 200
        assert other.post(f"{DESK}/letters/again").status_code == 403
    assert anybody.get(f"{DESK}/letters").status_code == 401


def test_a_stop_is_asked_for_scored_answered_and_counted(
    running: Running, anybody: httpx.Client
) -> None:
    """From the request to the planner; the secret alone reads the answer, and no contact in it."""
    taken = anybody.post(f"{PUBLIC}/stop-requests", json=ASKED | {"contact": "+7 911 000-00-00"})
    assert taken.status_code == 201
    told = taken.json()
    assert told["page"].endswith(f"/r/{REGION}/request/{told['secret']}")
    own = f"{PUBLIC}/stop-requests/{told['secret']}"
    assert told["address"].endswith(own)
    assert anybody.get(own).json()["state"] == "open"
    assert anybody.get(f"{PUBLIC}/stop-requests/{'x' * 43}").status_code == 404
    with running.api(Role.DISPATCHER) as desk:
        (one,) = desk.get(f"{DESK}/stop-requests").json()
        assert (one["settlement_id"], one["people"]) == ("zelenyy", 12)
        address = f"{DESK}/stop-requests/{one['request_id']}"
        early = desk.put(f"{address}/count", json={"people": 12})
        assert (early.status_code, early.json()["code"]) == (409, "stop_request.not_accepted")
        assert desk.post(f"{address}/score").json()["points"] > 0
        answer = {"state": "accepted", "answer": "Приедем в январе."}
        assert desk.put(f"{address}/answer", json=answer).json()["state"] == "accepted"
        assert desk.put(f"{address}/answer", json=answer).status_code == 409
        assert desk.put(f"{address}/count", json={"people": 12}).json()["counted_people"] == 12
        assert desk.put(f"{address}/count", json={"people": None}).json()["counted_people"] is None
        assert desk.get(f"{DESK}/stop-requests").json() == []
        listed = desk.get(f"{DESK}/stop-requests", params={"state": "accepted"}).json()
        assert [r["request_id"] for r in listed] == [one["request_id"]]
    read = anybody.get(own)
    assert read.json()["answer"] == "Приедем в январе."
    assert "911" not in read.text
    with running.api(Role.ANALYST) as other:
        assert other.get(address).status_code == 200
        assert other.put(f"{address}/count", json={"people": 1}).status_code == 403


@pytest.mark.parametrize(
    "more", [{"people": 0}, {"reason": ""}, {"place": "x" * 121}, {"reason": "x" * 100_000}]
)
def test_wrong_requests_are_not_kept(
    running: Running, anybody: httpx.Client, more: dict[str, object]
) -> None:
    """Each is refused by its field."""
    with reading(running.engine) as session:
        before = len(stop_request_store.list_requests(session, REGION))
    refused = anybody.post(f"{PUBLIC}/stop-requests", json=ASKED | more)
    assert refused.status_code == 422
    assert next(iter(more)) in refused.text
    with reading(running.engine) as session:
        assert len(stop_request_store.list_requests(session, REGION)) == before


def test_other_sites_cannot_ask_for_their_visitors(anybody: httpx.Client) -> None:
    """A page of another site that makes a browser send either is refused."""
    site = {"origin": "https://evil.example"}
    for path, body in (("letters", WISH), ("stop-requests", ASKED)):
        assert anybody.post(f"{PUBLIC}/{path}", json=body, headers=site).status_code == 403
