"""Things of a region over HTTP: their history, their references, who changes what."""

import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from data.db import audit_store
from data.db.engine import reading
from data.model.accounts import Role
from tests.api.regions.house import add_bundled, region_of
from tests.e2e.service import Running

ROOT = "/api/v1/regions/kaliningrad"
BODIES: dict[str, dict[str, Any]] = {
    "stops": {
        "name": "Дом культуры",
        "lon": 20.85,
        "lat": 55.15,
        "settlement_ids": ["inid-146540"],
    },
    "settlements": {"name": "Новый", "lon": 21.0, "lat": 54.7, "municipality_id": "27701000"},
    "libraries": {"name": "Филиал", "settlement_id": "inid-146540"},
    "municipalities": {"name": "Округ", "population": 100},
    "vehicles": {"name": "КИБО 3", "depot_id": "kaliningrad", "abilities": ["lift", "heated"]},
    "depots": {"name": "Гараж", "lon": 20.5, "lat": 54.7, "kind": "lodging"},
    "crew": {"name": "Иванов", "role": "driver", "vehicle_ids": ["kibo-1"], "weekdays": [0, 2]},
    "specialists": {"name": "Анна", "service": "children", "weekdays": [1]},
    "norms": {
        "name": "Р-2879",
        "bands": [
            {"population_from": 0, "population_to": 500, "max_minutes": 40},
            {"population_from": 500, "max_km": 5},
        ],
        "unknown_population": {"max_minutes": 40},
    },
    "rules": {
        "name": "Договор",
        "rules": {"drive_daily_max_s": 28800, "break_split_s": [900, 1800]},
    },
}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "stops": ({"settlement_ids": ["nowhere"]}, "thing.unknown_reference"),
    "settlements": ({"population": 5, "children": 9}, "thing.parts_above_people"),
    "libraries": ({"settlement_id": None}, "thing.library_nowhere"),
    "municipalities": ({"name": "  "}, "request.invalid"),
    "vehicles": ({"duty_end_s": 0}, "thing.invalid"),
    "depots": ({"lon": 200}, "request.invalid"),
    "crew": ({"vehicle_ids": ["none"]}, "thing.unknown_reference"),
    "specialists": ({"duty_start_s": 9, "duty_end_s": 5}, "thing.invalid"),
    "norms": ({"bands": [{"population_from": 10, "max_km": 3}]}, "thing.bands_broken"),
    "rules": ({"valid_from": "2027-01-01", "valid_to": "2026-01-01"}, "thing.validity_backwards"),
}


@pytest.fixture(scope="module", autouse=True)
def kaliningrad(running: Running) -> Iterator[None]:
    """Every test of this module is about the bundled region."""
    add_bundled(running)
    yield


def add(client: httpx.Client, kind: str, **changed: Any) -> tuple[str, str]:
    """A new thing: its key and its ETag."""
    answer = client.post(f"{ROOT}/{kind}", json={**BODIES[kind], **changed})
    assert answer.status_code == 201, answer.text
    return answer.json()["key"], answer.headers["etag"]


@pytest.mark.parametrize("kind", BODIES)
def test_a_thing_is_added_changed_and_ended_with_its_history(
    dispatcher: httpx.Client, kind: str
) -> None:
    """Added since ever, changed from a date, corrected in place, ended: every state stays."""
    key, tag = add(dispatcher, kind)
    path = f"{ROOT}/{kind}/{key}"
    told = dispatcher.get(path)
    assert told.headers["etag"] == tag == '"1"'
    plain = {n: v for n, v in BODIES[kind].items() if not isinstance(v, dict | list)}
    assert {name: told.json()[name] for name in plain} == plain
    renamed = {**BODIES[kind], "name": "Другое"}
    changed = dispatcher.put(
        path, json=renamed, params={"from_date": "2027-01-01"}, headers={"if-match": tag}
    )
    assert changed.status_code == 200, changed.text
    corrected = dispatcher.put(
        path, json={**renamed, "name": "Третье"}, headers={"if-match": changed.headers["etag"]}
    )
    assert corrected.json()["revision"] == 3
    ended = dispatcher.delete(
        path, params={"to_date": "2028-01-01"}, headers={"if-match": corrected.headers["etag"]}
    )
    assert ended.status_code == 200, ended.text
    spans = [
        (v["name"], v["valid_from_date"], v["valid_to_date"])
        for v in dispatcher.get(f"{path}/history").json()
    ]
    assert spans == [
        (BODIES[kind]["name"], None, "2027-01-01"),
        ("Третье", "2027-01-01", "2028-01-01"),
    ]
    then = dispatcher.get(path, params={"on": "2026-12-31"}).json()
    assert then["name"] == BODIES[kind]["name"]
    assert dispatcher.get(path, params={"on": "2028-01-01"}).status_code == 404
    listed = dispatcher.get(f"{ROOT}/{kind}", params={"text": "Третье"}).json()["items"]
    assert listed == []


@pytest.mark.parametrize("kind", BODIES)
def test_a_wrong_value_is_refused_by_its_field(dispatcher: httpx.Client, kind: str) -> None:
    """The refusal has a code, words without gaps, and names a field; nothing is stored."""
    wrong, code = WRONG[kind]
    answer = dispatcher.post(
        f"{ROOT}/{kind}", json={**BODIES[kind], **wrong}, params={"key": f"wrong-{kind}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert "{" not in answer.json()["message"]
    parts = answer.json()["problems"]
    assert code == "thing.invalid" or all(part["field"] for part in parts)
    assert dispatcher.get(f"{ROOT}/{kind}/wrong-{kind}").status_code == 404


@pytest.mark.parametrize("kind", BODIES)
def test_a_change_names_what_it_was_made_from(dispatcher: httpx.Client, kind: str) -> None:
    """Without If-Match 428; a stale one 412 with the state as it is now; nothing is lost."""
    key, tag = add(dispatcher, kind)
    path = f"{ROOT}/{kind}/{key}"
    body = {**BODIES[kind], "name": "Мой"}
    assert dispatcher.put(path, json=body).status_code == 428
    assert dispatcher.delete(path).status_code == 428
    rival = dispatcher.put(path, json={**body, "name": "Чужой"}, headers={"if-match": tag})
    assert rival.status_code == 200
    late = dispatcher.put(path, json=body, headers={"if-match": tag})
    assert late.status_code == 412
    assert late.json()["facts"]["current"]["name"] == "Чужой"
    assert late.headers["etag"] == rival.headers["etag"]
    assert dispatcher.get(path).json()["name"] == "Чужой"


def test_hostile_names_are_only_text(dispatcher: httpx.Client) -> None:
    """Markup, quotes, a slash and other scripts' signs come back as they were sent."""
    name = "<img src=x onerror=alert(1)> «Ёлка» ' \" ; --"
    answer = dispatcher.post(
        f"{ROOT}/stops", json={**BODIES["stops"], "name": name}, params={"key": "node/1 <b>"}
    )
    assert answer.status_code == 201
    assert dispatcher.get(f"{ROOT}/stops/node/1 <b>").json()["name"] == name
    assert len(dispatcher.get(f"{ROOT}/stops/node/1 <b>/history").json()) == 1
    cyrillic = dispatcher.post(f"{ROOT}/stops", json=BODIES["stops"], params={"key": "клуб ĉ"})
    assert cyrillic.status_code == 201
    assert dispatcher.get(cyrillic.headers["location"]).json()["key"] == "клуб ĉ"
    for bad in ("a\0b", "x" * 301, 5, None):
        answer = dispatcher.post(f"{ROOT}/stops", json={**BODIES["stops"], "name": bad})
        assert answer.status_code == 422


def test_roles_and_regions_bound_who_changes(running: Running, dispatcher: httpx.Client) -> None:
    """Staff read; dispatchers write; an unknown region is not found; nobody is asked to sign in."""
    with running.api(Role.LIBRARIAN) as librarian:
        assert librarian.get(f"{ROOT}/stops").status_code == 200
        assert librarian.post(f"{ROOT}/stops", json=BODIES["stops"]).status_code == 403
    with running.api(None) as nobody:
        assert nobody.get(f"{ROOT}/stops").status_code == 401
    elsewhere = ROOT.replace("kaliningrad", "nowhere")
    assert dispatcher.get(f"{elsewhere}/stops").status_code == 404
    assert dispatcher.post(f"{elsewhere}/stops", json=BODIES["stops"]).status_code == 404
    assert dispatcher.post(f"{elsewhere}/norms", json=BODIES["norms"]).status_code == 404


def test_the_same_request_twice_adds_one(dispatcher: httpx.Client) -> None:
    """An Idempotency-Key gives the first answer again, and refuses another body."""
    headers = {"idempotency-key": "stop-1"}
    first = dispatcher.post(f"{ROOT}/stops", json=BODIES["stops"], headers=headers)
    again = dispatcher.post(f"{ROOT}/stops", json=BODIES["stops"], headers=headers)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = dispatcher.post(f"{ROOT}/stops", json={**BODIES["stops"], "name": "X"}, headers=headers)
    assert other.json()["code"] == "request.key_reused"


def test_lists_come_in_pages(dispatcher: httpx.Client) -> None:
    """Every settlement is in exactly one page, ordered by id."""
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        params = {"limit": 200} | ({"after": after} if after else {})
        page = dispatcher.get(f"{ROOT}/settlements", params=params).json()
        seen += [item["key"] for item in page["items"]]
        after = page["next"]
    assert seen == sorted(set(seen))
    assert len(seen) >= 1082


def test_what_is_in_use_does_not_end(dispatcher: httpx.Client) -> None:
    """A base with vehicles, a settlement with stops, a norm that judges: each says who needs it."""
    for kind, key in (("depots", "kaliningrad"), ("norms", "design-default"), ("rules", "ru-424")):
        tag = dispatcher.get(f"{ROOT}/{kind}/{key}").headers["etag"]
        answer = dispatcher.delete(f"{ROOT}/{kind}/{key}", headers={"if-match": tag})
        assert (answer.status_code, answer.json()["code"]) == (422, "thing.in_use")
        assert answer.json()["facts"]["count"] >= 1


def test_a_closed_branch_stays_and_no_longer_counts(
    running: Running, dispatcher: httpx.Client
) -> None:
    """Closing keeps the library in the register; the gap to the official count is filled anew."""
    before = region_of(running, "kaliningrad")
    key, tag = add(dispatcher, "libraries", settlement_id="inid-109516", name="Володаровка")
    answer = dispatcher.post(
        f"{ROOT}/libraries/{key}/close",
        json={"closed_date": "2026-12-01"},
        headers={"if-match": tag},
    )
    assert answer.status_code == 200, answer.text
    after = region_of(running, "kaliningrad")
    branch = next(lib for lib in after.libraries if lib.library_id == key)
    assert branch.is_open_on(date(2026, 11, 30))
    assert not branch.is_open_on(date(2026, 12, 1))
    assert len(after.libraries) == len(before.libraries) + 1
    early = dispatcher.post(
        f"{ROOT}/libraries/{key}/close",
        json={"closed_date": "2026-12-01"},
        headers={"if-match": tag},
    )
    assert early.status_code == 412


def test_a_known_library_takes_the_place_of_an_assumed_one(
    running: Running, dispatcher: httpx.Client
) -> None:
    """Known and assumed together stay the official count."""

    def assumed() -> set[str]:
        region = region_of(running, "kaliningrad")
        return {str(lib.library_id) for lib in region.libraries if lib.standing.value == "assumed"}

    before = assumed()
    home = next(iter(sorted(before))).removeprefix("assumed-").rsplit("-", 1)[0]
    key, tag = add(dispatcher, "libraries", settlement_id=home, name="Настоящая")
    assert len(assumed()) == len(before) - 1
    assert f"assumed-{home}-1" not in assumed() or len(before) > len(assumed())
    dispatcher.delete(f"{ROOT}/libraries/{key}", headers={"if-match": tag})
    assert assumed() == before


def test_a_merged_settlement_hands_everything_over(
    running: Running, dispatcher: httpx.Client
) -> None:
    """Stops and libraries go to the other settlement, its people with them; history says where."""
    old, tag = add(dispatcher, "settlements", name="Малый", population=10)
    new, _ = add(dispatcher, "settlements", name="Большой", population=100)
    stop, _ = add(dispatcher, "stops", settlement_ids=[old])
    library, _ = add(dispatcher, "libraries", settlement_id=old)
    answer = dispatcher.post(
        f"{ROOT}/settlements/{old}/merge",
        json={"into": new, "on_date": "2027-01-01", "adds_people": True},
        headers={"if-match": tag},
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["merged_into"], answer.json()["valid_to_date"]) == (new, "2027-01-01")
    assert dispatcher.get(f"{ROOT}/settlements/{new}").json()["population"] == 110
    assert dispatcher.get(f"{ROOT}/stops/{stop}").json()["settlement_ids"] == [new]
    assert dispatcher.get(f"{ROOT}/libraries/{library}").json()["settlement_id"] == new
    then = dispatcher.get(f"{ROOT}/stops/{stop}", params={"on": "2026-12-31"}).json()
    assert then["settlement_ids"] == [old]
    itself = dispatcher.post(
        f"{ROOT}/settlements/{new}/merge",
        json={"into": new, "on_date": "2027-01-01"},
        headers={"if-match": "*"},
    )
    assert itself.json()["code"] == "settlement.merge_self"


def test_every_change_is_noted(running: Running, dispatcher: httpx.Client) -> None:
    """The audit log says who added what."""
    key, _ = add(dispatcher, "crew")
    with reading(running.engine) as session:
        [entry] = audit_store.entries(session, limit=3, action="crew.add", subject=key)
    assert entry.account_id == running.accounts[Role.DISPATCHER].account_id
    assert entry.region_id == "kaliningrad"


def picture(form: str, size: tuple[int, int] = (2400, 1200), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#336699").save(out, form, **options)
    return out.getvalue()


def test_a_photo_is_drawn_anew(running: Running, dispatcher: httpx.Client) -> None:
    """Kept smaller and without what the camera wrote; served to everybody as a picture."""
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    for form in ("JPEG", "PNG", "WEBP"):
        raw = picture(form, exif=exif) if form == "JPEG" else picture(form)
        answer = dispatcher.put(f"{ROOT}/uploads/photos", content=raw)
        assert answer.status_code == 201, answer.text
        name = answer.json()["photo"]
        with running.api(None) as nobody:
            shown = nobody.get(f"{ROOT}/photos/{name}")
        assert shown.headers["content-type"] == "image/jpeg"
        assert shown.headers["x-content-type-options"] == "nosniff"
        image = Image.open(io.BytesIO(shown.content))
        assert (image.format, image.size) == ("JPEG", (1600, 800))
        assert not image.getexif()
    key, _ = add(dispatcher, "stops", site={"photo": name, "surface": "asphalt"})
    assert dispatcher.get(f"{ROOT}/stops/{key}").json()["site"]["photo"] == name


def test_what_is_no_photo_is_refused(running: Running, dispatcher: httpx.Client) -> None:
    """Text, SVG, GIF, a cut file, a picture of too many points, a name that climbs."""
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    for raw in (b"", b"hello", svg, picture("GIF", (9, 9)), picture("PNG")[:200]):
        answer = dispatcher.put(f"{ROOT}/uploads/photos", content=raw)
        assert (answer.status_code, answer.json()["code"]) == (422, "photo.not_an_image")
    huge = picture("PNG", (12_000, 9_000))
    assert dispatcher.put(f"{ROOT}/uploads/photos", content=huge).json()["code"] == (
        "photo.too_many_pixels"
    )
    for name in ("..%2F..%2Fbookmobile.sqlite", "x.jpg", "0" * 32 + ".png"):
        assert dispatcher.get(f"{ROOT}/photos/{name}").status_code == 404
    assert not list(Path(running.settings.data_dir).rglob("photos/*.part"))
    bad = {**BODIES["stops"], "site": {"photo": "../../x.jpg"}}
    assert dispatcher.post(f"{ROOT}/stops", json=bad).status_code == 422


def test_imported_things_beyond_todays_limits_are_shown(
    running: Running, dispatcher: httpx.Client
) -> None:
    """A value that no form would take today, but a file once brought, does not break a page."""
    from dataclasses import replace

    from data.db import region_store
    from data.db.engine import writing
    from data.model.place import Stop, StopId

    with writing(running.engine) as session:
        region_store.put_thing(
            session,
            "kaliningrad",
            replace(
                Stop(stop_id=StopId("odd"), name="Odd", lon=20.0, lat=54.0),
                service_s=400_000,
                visits_per_cycle=500,
                needs=frozenset({"a" * 100}),
            ),
            at=running.service.clock(),
            expect_revision=None,
        )
    answer = dispatcher.get(f"{ROOT}/stops/odd")
    assert (answer.status_code, answer.json()["service_s"]) == (200, 400_000)
    page = running.api(Role.DISPATCHER)
    with page:
        html = page.get("/desk/kaliningrad/stops/odd", headers={"accept": "text/html"})
    assert html.status_code == 200
