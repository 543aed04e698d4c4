"""Timetables, visits, cancellations and public pages over HTTP: roles, guards, feeds, refusals."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from sqlmodel import SQLModel

from api.limiter import Limit, Limiter
from data.db.engine import reading, writing
from data.db.leg_line_store import put_lines
from data.db.publication_store import list_exceptions, list_timetables
from data.model.accounts import Role
from data.model.addresses import part_of
from tests.api.publication.office import NOW, REGION, Office
from tests.e2e.service import Running, run_service

BASE = f"/api/v1/regions/{REGION}"
PAGES = f"/r/{REGION}"
HTML = {"accept": "text/html"}


class Served:
    """The office behind a server whose clock is in hand."""

    def __init__(self, running: Running, office: Office) -> None:
        self.running = running
        self.office = office
        running.service.clock = self.clock

    def clock(self) -> datetime:
        return self.office.now

    def api(self, role: Role | None, language: str = "en") -> httpx.Client:
        return self.running.api(role, language)

    def publish_body(self, **more: Any) -> dict[str, Any]:
        body = {
            "plan_id": self.office.plan_ids["plan-1"],
            "from_date": "2026-11-30",
            "until_date": "2027-01-24",
        }
        return body | more


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with run_service(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def served(running: Running) -> Served:
    """A server with the region and its plan, nothing published: a fresh database each time."""
    keep = {"account", "sign_in"}
    with running.engine.begin() as connection:
        connection.exec_driver_sql("pragma defer_foreign_keys=on")
        for table in reversed(SQLModel.metadata.sorted_tables):
            if table.name not in keep:
                connection.execute(table.delete())
    running.app.state.published = None
    return Served(running, Office(running.engine))


def test_publish_preview_and_its_guard(served: Served) -> None:
    """Preview, publish with its ETag, the same again is refused with the present state."""
    with served.api(Role.DISPATCHER) as anna:
        shown = anna.post(f"{BASE}/timetables/preview", json=served.publish_body())
        assert shown.status_code == 200
        assert shown.json()["counts"]["added"] > 0
        assert shown.headers["etag"] == '"0"'
        missing = anna.post(f"{BASE}/timetables", json=served.publish_body())
        assert (missing.status_code, missing.json()["code"]) == (428, "request.if_match")
        made = anna.post(
            f"{BASE}/timetables", json=served.publish_body(), headers={"if-match": '"0"'}
        )
        assert made.status_code == 201
        assert anna.get(made.headers["location"]).json() == made.json()
        stale = anna.post(
            f"{BASE}/timetables", json=served.publish_body(), headers={"if-match": '"0"'}
        )
        assert (stale.status_code, stale.json()["code"]) == (412, "request.stale")
        assert stale.json()["facts"]["current"]["version"] == 1
        listed = anna.get(f"{BASE}/timetables")
        assert listed.headers["etag"] == made.headers["etag"]
        assert [t["version"] for t in listed.json()["items"]] == [1]


def test_a_repeated_request_publishes_once(served: Served) -> None:
    """The same idempotency key gives the first answer again."""
    headers = {"if-match": "*", "idempotency-key": "once"}
    with served.api(Role.DISPATCHER) as anna:
        one = anna.post(f"{BASE}/timetables", json=served.publish_body(), headers=headers)
        two = anna.post(f"{BASE}/timetables", json=served.publish_body(), headers=headers)
    assert one.json() == two.json()
    assert two.headers["idempotency-replayed"] == "true"
    with reading(served.office.engine) as session:
        assert len(list_timetables(session, REGION)) == 1


@pytest.mark.parametrize("role", [None, Role.ANALYST, Role.CREW, Role.LIBRARIAN])
def test_only_dispatchers_publish_and_cancel(served: Served, role: Role | None) -> None:
    """Nobody else changes what readers are told; staff may look, nobody known may not."""
    served.office.publish()
    with served.api(role) as other:
        changes = [
            other.post(f"{BASE}/timetables", json=served.publish_body(), headers={"if-match": "*"}),
            other.post(
                f"{BASE}/cancellations",
                json={"scope": "day", "reason": "weather", "from_date": "2026-12-01"},
            ),
            other.post(
                f"/desk/{REGION}/cancel",
                data={"scope": "day", "reason": "weather", "from": "2026-12-01"},
            ),
        ]
        looked = other.get(f"{BASE}/visits")
    assert {a.status_code for a in changes} == {401 if role is None else 403}
    assert looked.status_code == (401 if role is None else 200)
    with reading(served.office.engine) as session:
        assert list_exceptions(session, REGION) == ()


def test_visits_are_listed_by_pages(served: Served) -> None:
    """Every visit once, in order, with filters that hold."""
    served.office.publish()
    with served.api(Role.ANALYST) as vera:
        seen: list[str] = []
        address: str | None = f"{BASE}/visits?limit=3"
        while address:
            page = vera.get(address)
            seen += [v["visit_id"] for v in page.json()["items"]]
            address = page.links["next"]["url"] if page.json()["next"] else None
        assert len(seen) == len(set(seen)) == len(served.office.visits())
        one = vera.get(f"{BASE}/visits", params={"stop": "kaluzhskoe", "until": "2026-12-05"})
        assert [v["service_date"] for v in one.json()["items"]] == ["2026-12-01"]
        assert vera.get(f"{BASE}/visits?after=zzz").json()["code"] == "request.bad_cursor"
        assert vera.get(f"{BASE}/visits/nothing").status_code == 404


def test_cancel_make_up_and_undo(served: Served) -> None:
    """The whole way over the API; the public calendar follows at each step."""
    served.office.publish()
    visit = served.office.visit("kaluzhskoe", NOW.date() + timedelta(5))
    body = {"scope": "visit", "reason": "illness", "visit_id": visit.visit_id}
    ics = f"{PAGES}/stops/kaluzhskoe.ics"
    with served.api(Role.DISPATCHER) as anna, served.api(None) as reader:
        shown = anna.post(f"{BASE}/cancellations/preview", json=body).json()
        assert (shown["num_visits"], shown["people"]) == (1, 470)
        assert (shown["loans"], shown["holds"]) == (0, 0)
        assert shown["visits"][0]["next"]["service_date"] == "2026-12-15"
        before = reader.get(ics)
        done = anna.post(f"{BASE}/cancellations", json=body | {"seen": shown["seen"]})
        assert done.status_code == 201
        assert [e["step"] for e in done.json()["effects"]] == ["visit", "next_visit", "notice"]
        after = reader.get(ics, headers={"if-none-match": before.headers["etag"]})
        assert after.status_code == 200
        assert b"STATUS:CANCELLED" in after.content
        offers = anna.get(f"{BASE}/visits/{visit.visit_id}/make-ups").json()
        key = {k: offers[0][k] for k in ("vehicle_id", "service_date", "start_s")}
        made = anna.post(f"{BASE}/visits/{visit.visit_id}/make-ups", json=key)
        assert made.status_code == 201
        assert made.json()["make_up_for"] == visit.visit_id
        stop = reader.get(f"/api/v1/public/{REGION}/stops/kaluzhskoe").json()
        assert stop["next"]["opens_date"] == offers[0]["service_date"]
        assert stop["visits"][0]["replaced_by"] == made.json()["visit_id"]
        undone = anna.post(f"{BASE}/cancellations/{done.json()['exception_id']}/undo")
        assert undone.status_code == 200
        assert b"STATUS:CANCELLED" not in reader.get(ics).content
        again = anna.post(f"{BASE}/cancellations/{done.json()['exception_id']}/undo")
        assert (again.status_code, again.json()["code"]) == (409, "cancel.undone")


FEEDS = {
    "timetable.ics": "text/calendar",
    "timetable.csv": "text/csv",
    "stops.geojson": "application/geo+json",
    "notices.atom": "application/atom+xml",
    "stops/kalinovka.ics": "text/calendar",
    "vehicles/kibo-1.ics": "text/calendar",
    "timetable.pdf": "application/pdf",
    "stops/kalinovka/poster.pdf": "application/pdf",
}


@pytest.mark.parametrize("feed", FEEDS)
def test_feeds_answer_304_until_something_changes(served: Served, feed: str) -> None:
    """ETag and Last-Modified, open to other sites, HEAD without a body."""
    served.office.publish()
    address = f"{PAGES}/{feed}"
    with served.api(None) as reader:
        first = reader.get(address)
        assert first.status_code == 200
        assert first.headers["content-type"].startswith(FEEDS[feed])
        assert first.headers["access-control-allow-origin"] == "*"
        assert "public" in first.headers["cache-control"]
        tag, modified = first.headers["etag"], first.headers["last-modified"]
        for known in (
            {"if-none-match": tag},
            {"if-none-match": f'"other", W/{tag}'},
            {"if-modified-since": modified},
        ):
            same = reader.get(address, headers=known)
            assert (same.status_code, same.content) == (304, b"")
            assert same.headers["etag"] == tag
        head = reader.head(address)
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
        assert reader.get(address, headers={"if-modified-since": "yesterday"}).status_code == 200
        served.office.now = NOW + timedelta(seconds=5)
        served.office.cancel("day", from_date=NOW.date() + timedelta(5))
        changed = reader.get(address, headers={"if-none-match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag
        since = reader.get(address, headers={"if-modified-since": modified})
        assert since.status_code == 200


@pytest.mark.parametrize("path", ["stops", "stops/kalinovka", "notices", "stops?q=калин"])
def test_json_answers_304_until_something_changes(served: Served, path: str) -> None:
    """Programs need not read again what they know; every page may ask, each in its language."""
    served.office.publish()
    address = f"/api/v1/public/{REGION}/{path}"
    with served.api(None) as reader:
        first = reader.get(address)
        assert first.headers["access-control-allow-origin"] == "*"
        known = {"if-none-match": first.headers["etag"]}
        same = reader.get(address, headers=known)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["access-control-allow-origin"] == "*"
        assert reader.get(address, headers=known | {"accept-language": "ru"}).status_code == 200
        served.office.now = NOW + timedelta(seconds=5)
        served.office.cancel("day", from_date=NOW.date() + timedelta(5))
        changed = reader.get(address, headers=known)
        assert changed.status_code == 200
        assert changed.content != first.content


def test_gtfs_is_another_one_once_the_roads_are_known(served: Served) -> None:
    """Ways are found after publishing: nobody keeps a feed without them until the next day."""
    served.office.publish()
    with served.api(None) as reader:
        first = reader.get(f"{PAGES}/gtfs.zip")
        known = {"if-none-match": first.headers["etag"]}
        assert reader.get(f"{PAGES}/gtfs.zip", headers=known).status_code == 304
        with writing(served.running.engine) as session:
            line = ((21.77, 54.80), (21.90, 54.80))
            put_lines(session, REGION, {"a leg": line}, roads_mark="roads", at=served.office.now)
        after = reader.get(f"{PAGES}/gtfs.zip", headers=known)
        assert after.status_code == 200
        assert after.headers["etag"] != first.headers["etag"]
        assert "last-modified" not in after.headers


def test_the_page_for_all_has_nothing_of_who_asked_first(served: Served) -> None:
    """The timetable that is kept for a minute leads back to itself, not to another's address."""
    served.office.publish()
    with served.api(None) as reader:
        reader.get(f"{PAGES}/timetable?from=anna", headers=HTML)
        page = reader.get(f"{PAGES}/timetable", headers=HTML).text
    assert "anna" not in page
    assert f'value="{PAGES}/timetable"' in page


def test_papers_are_made_so_often_for_one_address(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has had many made waits; what is kept is given all the same, and to everybody."""
    served.office.publish()
    monkeypatch.setattr(served.running.service, "limiter", Limiter())
    with served.api(None) as reader:
        large = f"{PAGES}/stops/kalinovka/large-print.pdf"
        assert reader.get(large).status_code == 200
        for _ in range(59):
            served.running.service.limiter.check(Limit.PRINT, "127.0.0.1")
        refused = reader.get(f"{PAGES}/stops/kaluzhskoe/large-print.pdf")
        assert refused.status_code == 429
        assert refused.headers["retry-after"]
        assert reader.get(large).status_code == 200


def test_addresses_in_feeds_are_whole(served: Served) -> None:
    """Without a public address feeds name the one by which they were asked: calendars need it."""
    served.office.publish()
    with served.api(None) as reader:
        base = str(reader.base_url).rstrip("/")
        ics = Calendar.from_ical(reader.get(f"{PAGES}/timetable.ics").content)
        stops = reader.get(f"/api/v1/public/{REGION}/stops").json()
        atom = reader.get(f"{PAGES}/notices.atom").text
        feeds = reader.get(f"/api/v1/public/{REGION}/feeds").json()
    assert str(ics["SOURCE"]) == f"{base}{PAGES}/timetable.ics"
    assert all(str(e["URL"]).startswith(f"{base}{PAGES}/stops/") for e in ics.walk("VEVENT"))
    assert all(s["calendar"].startswith(f"{base}{PAGES}/stops/") for s in stops)
    assert all(f["address"].startswith(base) for f in feeds)
    assert f'href="{base}{PAGES}/notices.atom"' in atom


def test_paper_by_its_address(served: Served) -> None:
    """Every document is a PDF of its own, named for saving; sizes and languages are told apart."""
    served.office.publish()
    made: dict[str, bytes] = {}
    with served.api(None) as reader:
        for path in (
            "stops/kalinovka/poster.pdf", "stops/kalinovka/poster.pdf?size=a3",
            "stops/kalinovka/poster.pdf?size=a4&lang=en", "stops/kalinovka/large-print.pdf",
            "vehicles/kibo-1/large-print.pdf", "posters.pdf?size=a3", "large-print.pdf",
            "timetable.pdf",
        ):  # fmt: skip
            answer = reader.get(f"{PAGES}/{path}")
            assert answer.status_code == 200, path
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.content.startswith(b"%PDF-1.7"), path
            made[path] = answer.content
        assert len(set(made.values())) == len(made)
        english = reader.get(f"{PAGES}/stops/kalinovka/poster.pdf?lang=en")
        assert english.content == made["stops/kalinovka/poster.pdf?size=a4&lang=en"]
        assert english.headers["content-language"] == "en"
        assert 'filename="bookmobile-kalinovka-a4-en.pdf"' in english.headers["content-disposition"]
        page = reader.get(f"{PAGES}/stops/kalinovka", headers=HTML).text
        assert f"{PAGES}/stops/kalinovka/poster.pdf?size=a3" in page
        assert f"{PAGES}/timetable.pdf" in reader.get(f"{PAGES}/timetable", headers=HTML).text
    with served.api(Role.DISPATCHER) as anna:
        desk = anna.get(f"/desk/{REGION}/timetable?stop=kalinovka", headers=HTML).text
    assert f"{PAGES}/posters.pdf?size=a4" in desk
    assert f"{PAGES}/stops/kalinovka/poster.pdf?size=a3" in desk
    assert "BOOKMOBILE_PUBLIC_URL" in desk, "a service that nobody else reaches prints no code"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("stops/nothing/poster.pdf", 404),
        ("stops/..%2fx/poster.pdf", 404),
        ("stops/kalinovka/poster.pdf?size=a0", 422),
        ("posters.pdf?size=", 422),
        ("vehicles/nothing/large-print.pdf", 404),
    ],
)
def test_paper_that_is_not_there(served: Served, path: str, status: int) -> None:
    """An unknown stop, vehicle or size is refused, not printed."""
    served.office.publish()
    with served.api(None) as reader:
        assert reader.get(f"{PAGES}/{path}").status_code == status


def test_feeds_speak_the_language_of_their_address(served: Served) -> None:
    """Not that of whoever fetches them: a calendar program sends no useful one."""
    served.office.publish()
    with served.api(None, "en") as reader:
        own = Calendar.from_ical(reader.get(f"{PAGES}/timetable.ics").content)
        english = reader.get(f"{PAGES}/timetable.ics?lang=en")
        other = reader.get(f"{PAGES}/timetable.ics?lang=xx")
    assert str(own["NAME"]) == "Библиобус: Черняховский район"
    assert english.headers["content-language"] == "en"
    assert other.headers["content-language"] == "ru"


def test_feeds_are_listed(served: Served) -> None:
    """Every address of the list answers."""
    served.office.publish()
    with served.api(None) as reader:
        listed = reader.get(f"/api/v1/public/{REGION}/feeds").json()
        stops = {v.stop_id for v in served.office.visits()}
        wanted = ("timetable.ics", "gtfs.zip", "trip-updates", "vehicle-positions", "alerts")
        names = " ".join(f["name"] + f["address"] for f in listed)
        assert all(name in names for name in wanted)
        assert len(listed) == 4 + 1 + 4 + len(stops)
        for feed in listed:
            assert reader.get(feed["address"]).status_code == 200


def test_villages_are_found_by_any_spelling(served: Served) -> None:
    """ё, Latin letters, a village without a stop, a position."""
    served.office.publish()

    def names(**query: object) -> list[str]:
        answer = reader.get(f"/api/v1/public/{REGION}/stops", params=query)  # type: ignore[arg-type]
        return [s["stop_id"] for s in answer.json()]

    with served.api(None) as reader:
        assert names(q="каменское") == ["kamenskoe"]
        assert names(q="Kamenskoye") == ["kamenskoe"]
        assert names(q="зеленый бор")[0] == "kalinovka", "the nearest stop"
        assert names(lon=21.56, lat=54.66)[0] == "kamenskoe"
        assert names(q="Лондон") == []
        half = reader.get(f"/api/v1/public/{REGION}/stops?lon=21")
        assert (half.status_code, half.json()["code"]) == (422, "public.bad_position")


def test_the_embedded_list_may_stand_in_any_page(served: Served) -> None:
    """Only this page: every other one refuses frames."""
    served.office.publish()
    with served.api(None) as reader:
        embedded = reader.get(f"{PAGES}/embed", params={"stop": "kalinovka"})
        page = reader.get(f"{PAGES}/stops/kalinovka")
    assert "frame-ancestors *" in embedded.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "Калиновка" in embedded.text
    assert "<script" not in embedded.text


def test_one_list_shows_some_stops_or_all(served: Served) -> None:
    """A municipality embeds its own stops, a library all; each visit names its stop."""
    served.office.publish()
    with served.api(None, "ru") as reader:
        whole = reader.get(f"{PAGES}/embed").text
        some = reader.get(f"{PAGES}/embed?stop=kalinovka&stop=kaluzhskoe&lang=en").text
        data = reader.get(f"{PAGES}/data", headers=HTML).text
    assert "<h1>Библиобус: Черняховский район</h1>" in whole
    assert {name in whole for name in ("Калиновка", "Калужское", "Каменское")} == {True}
    assert f'href="{PAGES}/timetable"' in whole
    assert "Калиновка" in some
    assert "Калужское" in some
    assert "Каменское" not in some
    assert 'lang="en"' in some
    assert f"{PAGES}/embed&#34;" in data or f'{PAGES}/embed"' in data


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (PAGES + "/stops/nothing", 404),
        (PAGES + "/stops/nothing.ics", 404),
        (PAGES + "/stops/..%2F..%2Fetc%2Fpasswd", 404),
        (PAGES + "/stops/~2e~2e", 404),
        (PAGES + "/vehicles/nothing", 404),
        (PAGES + "/embed?stop=~", 404),
        (PAGES + "/embed?stop=kalinovka&stop=nothing", 404),
        (PAGES + "/embed?" + "stop=kalinovka&" * 51, 422),
        (PAGES + "?lon=x&lat=1", 422),
        (PAGES + "?lon=nan&lat=1", 422),
        (PAGES + "?q=" + "я" * 501, 422),
        (PAGES + "?q=%00", 200),
        ("/r/nothing", 404),
        ("/r/~00", 404),
        ("/nothing", 404),
        ("/r/" + REGION + "/feeds", 404),
    ],
)
def test_wrong_addresses_are_refused_in_words(served: Served, path: str, status: int) -> None:
    """A page in the reader's language, never a fault of the server."""
    served.office.publish()
    with served.api(None, "ru") as reader:
        answer = reader.get(path, headers=HTML)
    assert answer.status_code == status
    assert "charset=utf-8" in answer.headers["content-type"]


def test_the_short_address_leads_to_the_page(served: Served) -> None:
    """As it stands on a poster."""
    with served.api(None) as reader:
        answer = reader.get(f"/{REGION}")
    assert (answer.status_code, answer.headers["location"]) == (308, PAGES)


def test_before_the_first_timetable(served: Served) -> None:
    """Pages and feeds are there and say that nothing is published."""
    with served.api(None, "ru") as reader:
        for page in ("", "/timetable", "/notices", "/data"):
            assert reader.get(PAGES + page).status_code == 200
        assert "График ещё не опубликован" in reader.get(PAGES).text
        for feed in ("timetable.ics", "timetable.csv", "stops.geojson", "notices.atom"):
            assert reader.get(f"{PAGES}/{feed}").status_code == 200


def test_private_stops_are_nobodys_business(served: Served) -> None:
    """No page, feed or list names the school's stop, though the desk knows its visits."""
    served.office.publish()
    assert served.office.visit("kamenskoe", NOW.date() + timedelta(12)).is_coming
    served.office.make_private("kamenskoe")
    with served.api(None) as reader:
        texts = [
            reader.get(PAGES + page).text
            for page in ("", "/timetable", "/timetable.ics", "/timetable.csv", "/stops.geojson")
        ]
        assert not [t for t in texts if "Каменское" in t or "kamenskoe" in t]
        assert reader.get(f"{PAGES}/stops/kamenskoe").status_code == 404


def test_hostile_names_are_harmless(served: Served) -> None:
    """A script for a stop's name and a climbing id: escaped on every page, found at its address."""
    served.office.publish()
    served.office.rename("kalinovka", "<script>alert(1)</script>=1+1")
    with served.api(None) as reader, served.api(Role.DISPATCHER) as anna:
        pages = [
            reader.get(PAGES),
            reader.get(PAGES + "?q=<script>alert(2)</script>"),
            reader.get(f"{PAGES}/stops/kalinovka"),
            reader.get(f"{PAGES}/timetable"),
            reader.get(f"{PAGES}/vehicles/kibo-1"),
            reader.get(f"{PAGES}/embed?stop=kalinovka"),
            anna.get(f"/desk/{REGION}/timetable?from=2026-11-30"),
            anna.get(f"/desk/{REGION}/cancel?scope=day&from=2026-12-01&reason=road&note=<b>x"),
        ]
        atom = reader.get(f"{PAGES}/notices.atom")
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<b>x" not in page.text
    assert atom.status_code == 200
    assert part_of("../x") == "~2e~2e~2fx"


@pytest.mark.parametrize(
    "path",
    [
        "/timetable?from=0001-01-01",
        "/timetable?from=9999-12-31",
        "/timetable?from=nonsense&stop=nothing",
        "/timetable/publish?plan=nothing",
        "/timetable/publish?plan=PLAN&from=2026-13-45",
        "/timetable/publish?plan=PLAN&from=9999-12-31",
        "/timetable/publish?plan=PLAN&until=9999-12-31",
        "/timetable/publish?plan=PLAN&cap=-5",
        "/cancel?scope=everything&reason=weather",
        "/cancel?scope=day&reason=boredom&from=2026-12-01",
        "/cancel?scope=day&reason=weather&from=9999-12-31",
        "/cancel?scope=closed&reason=weather&from=2026-12-01&until=9999-12-31",
        "/cancel?scope=visit&reason=weather&visit=nothing",
        "/exceptions/nothing",
    ],
)
def test_nonsense_at_the_desk_is_refused_in_words(served: Served, path: str) -> None:
    """Whatever an address says, the page comes back with a reason; nothing fails."""
    served.office.publish()
    plan_id = served.office.plan_ids["plan-1"]
    with served.api(Role.DISPATCHER, "ru") as anna:
        answer = anna.get(f"/desk/{REGION}{path.replace('PLAN', plan_id)}", headers=HTML)
    assert answer.status_code in (200, 404, 422)
    assert "</html>" in answer.text


def test_a_kept_page_follows_every_change(served: Served) -> None:
    """The whole timetable is made once for all readers, and anew for a language and a cancel."""
    served.office.publish()
    path = f"{PAGES}/timetable"
    with served.api(None) as reader, served.api(None, "ru") as other:
        first = reader.get(path, headers=HTML)
        assert first.headers["content-language"] == "en"
        assert reader.get(path, headers=HTML).text == first.text
        assert other.get(path, headers=HTML).headers["content-language"] == "ru"
        with served.api(Role.DISPATCHER) as desk:
            assert "Диспетчер стенда" in desk.get(path, headers=HTML).text
        visit = min(served.office.visits(), key=lambda v: v.service_date)
        served.office.cancel("visit", visit_id=visit.visit_id)
        after = reader.get(path, headers=HTML)
    assert after.text != first.text
    assert "Диспетчер стенда" not in after.text
