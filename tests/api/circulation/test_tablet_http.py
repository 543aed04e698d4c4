"""A tablet's day over HTTP: what it takes along, what it brings, what it is told."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from api.services.devices import revoke_device
from tests.api.circulation.library import (
    MORNING,
    OLGA_TOKEN,
    STOPS,
    Library,
    TabletAt,
    library,
    pair,
)
from tests.api.tracking.depot import ANNA, REGION
from tests.fleet.days import DAY

LATE = MORNING + timedelta(hours=2)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


def test_a_day_holds_the_run_its_readers_and_nothing_more_of_them(one: Library) -> None:
    """Stops in order with due dates, only readers of the day's stops, no phone and no card."""
    _, token = pair(one.engine, 1)
    answer = one.ask("GET", "tablet/day", token, params={"date": DAY.isoformat()})
    day = answer.json()
    assert [stop["stop_id"] for stop in day["run"]["stops"]] == list(STOPS)
    assert len({p["patron_id"] for p in day["patrons"]} & {"away"}) == 0
    assert len(day["patrons"]) == 22
    assert len(day["items"]) == 60
    assert "+7 900" not in answer.text
    assert "card-00003" not in answer.text
    assert "birth" not in answer.text
    third = next(p for p in day["patrons"] if p["patron_id"] == "p3")
    scanned = day["cards"]["salt"] + "card-00003"
    assert third["card_hash"] == hashlib.sha256(scanned.encode()).hexdigest()
    assert third["card_end"] == "003"
    assert third["age_years"] == 63
    first = day["run"]["stops"][0]
    assert first["due"]["basis"] == "visit"
    assert first["due"]["due_visit_id"] == first["coming"][0]["visit_id"]
    assert first["blocked"] == ["blocked"]
    assert first["collectives"] == ["school"]


def test_a_day_that_is_known_is_not_sent_again(one: Library) -> None:
    """The version is the ETag; after a loan there is another."""
    device, token = pair(one.engine, 1)
    day = one.day(token)
    path, known = f"tablet/day?date={DAY}", {"if-none-match": f'"{day["version"]}"'}
    again = one.ask("GET", path, token, headers=known)
    assert again.status_code == 304
    tablet = TabletAt(device=device)
    tablet.lend("i1", "p1", LATE)
    told = one.bring(token, tablet)
    assert told["revision"] > day["revision"]
    assert one.ask("GET", path, token, headers=known).status_code == 200
    assert one.day(token)["loans"][0]["item_id"] == "i1"
    assert one.day(token)["journal"]["last_sequence"] == {tablet.journal_id: 1}


def test_events_are_taken_once(one: Library) -> None:
    """Sent twice, they are accepted and then duplicates, and there is one loan."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device, off_s=86_400)
    tablet.lend("i1", "p1", LATE)
    tablet.lend("i2", "p1", LATE + timedelta(minutes=1))
    first = one.bring(token, tablet)
    assert [a["answer"] for a in first["answers"]] == ["accepted", "accepted"]
    assert first["offset_s"] == -86_400
    assert datetime.fromisoformat(first["answers"][0]["corrected_at"]) == LATE
    second = one.bring(token, tablet)
    assert [a["answer"] for a in second["answers"]] == ["duplicate", "duplicate"]
    assert len(one.day(token)["loans"]) == 2


def test_one_bad_event_spoils_no_other(one: Library) -> None:
    """It is refused, told in words, kept for a person; the rest is taken."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend("i1", "p1", LATE)
    odd = tablet.lend("i2", "p1", LATE)
    odd["body"]["colour"] = "red"
    other = tablet.lend("i3", "p1", LATE)
    other["v"] = 99
    tablet.lend("i4", "p1", LATE)
    told = one.bring(token, tablet)
    answers = [a["answer"] for a in told["answers"]]
    assert answers == ["accepted", "refused", "refused", "accepted"]
    assert told["answers"][1]["code"] == "journal.unknown_field"
    assert "colour" in told["answers"][1]["message"]
    assert told["missing"] == {tablet.journal_id: [[2, 3]]}


def test_a_second_reader_of_a_lent_item_goes_to_a_person(one: Library) -> None:
    """Two vehicles lend one item; the answer tells rule, proposal and both histories."""
    first, token_1 = pair(one.engine, 1)
    second, token_2 = pair(one.engine, 2, vehicle_id="v2")
    north = TabletAt(device=first)
    north.lend("i1", "p1", LATE)
    south = TabletAt(device=second)
    south.lend("i1", "p2", LATE + timedelta(minutes=5))
    one.bring(token_1, north)
    (answer,) = one.bring(token_2, south)["answers"]
    assert answer["answer"] == "conflict"
    assert answer["conflict"]["rule"] == "lent_to_other"
    assert answer["conflict"]["proposal"] == "close_other_loan"
    assert answer["conflict"]["message"]
    lines = answer["conflict"]["own_history"] + answer["conflict"]["other_history"]
    assert {line["patron_id"] for line in lines} == {"p1", "p2"}


def test_a_wiped_tablet_goes_on_and_its_copy_is_restored(one: Library) -> None:
    """After a wipe a new journal begins at 1; the restored events keep their own, none is lost."""
    device, token = pair(one.engine, 1)
    before = TabletAt(device=device, word="before")
    for n in range(5):
        before.lend(f"i{n}", "p1", LATE + timedelta(minutes=n))
    one.bring(token, before, before.events[:2])
    after = TabletAt(device=device, word="after1")
    after.lend("i10", "p2", LATE + timedelta(minutes=30))
    told = one.bring(token, after, [*after.events, *before.events])
    assert [a["answer"] for a in told["answers"]] == [
        "accepted",
        *["duplicate"] * 2,
        *["accepted"] * 3,
    ]
    assert len(one.day(token)["loans"]) == 6


def test_a_copied_token_gives_no_number_twice(one: Library) -> None:
    """Two tablets with one journal: the later event under a number is refused and shown."""
    device, token = pair(one.engine, 1)
    real, copy = TabletAt(device=device), TabletAt(device=device)
    real.lend("i1", "p1", LATE)
    event = copy.lend("i2", "p2", LATE)
    event["event_id"] = "another-event"
    one.bring(token, real)
    (answer,) = one.bring(token, copy)["answers"]
    assert (answer["answer"], answer["code"]) == ("refused", "journal.sequence_taken")


def test_a_tablet_tells_no_clock_of_another(one: Library) -> None:
    device, _ = pair(one.engine, 1)
    _, token = pair(one.engine, 2)
    body = TabletAt(device=device).request(one.depot.now, [])
    answer = one.ask("POST", "sync/events", token, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "sync.not_your_journal")


def test_a_tablet_relays_what_another_wrote(one: Library) -> None:
    """A known tablet's events come by another; those of a stranger or a revoked one do not."""
    silent, _ = pair(one.engine, 1)
    relay, token = pair(one.engine, 2)
    stolen, _ = pair(one.engine, 3)
    revoke_device(one.service, ANNA, stolen.device_id)
    carrier = TabletAt(device=relay)
    events = []
    for n, device in enumerate((silent, stolen)):
        tablet = TabletAt(device=device)
        events.append(tablet.lend(f"i{n}", "p1", LATE))
    strange = {**events[0], "device_id": "f" * 32, "event_id": "strange"}
    told = one.bring(token, carrier, [*events, strange])
    assert [a["answer"] for a in told["answers"]] == ["accepted", "refused", "refused"]
    assert [a["code"] for a in told["answers"][1:]] == [
        "sync.device_revoked",
        "sync.unknown_device",
    ]


def test_a_revoked_tablet_is_shut_out_but_its_copy_comes_in_by_staff(one: Library) -> None:
    """Its token opens nothing; what it had written is brought in from a file by a librarian."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend("i1", "p1", LATE)
    revoke_device(one.service, ANNA, device.device_id)
    body = tablet.request(one.depot.now, tablet.events)
    assert one.ask("POST", "sync/events", token, json=body).status_code == 401
    assert one.ask("GET", "tablet/day", token).status_code == 401
    by_staff = one.ask("POST", "sync/events", OLGA_TOKEN, json=body, params={"region_id": REGION})
    assert by_staff.json()["answers"][0]["answer"] == "accepted"


def test_a_tablet_decides_nothing(one: Library) -> None:
    """Decisions, cancelled visits and events of a library point are not a vehicle's to tell."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    loan = tablet.lend("i1", "p1", LATE)
    tablet.write("decision", LATE, event_id=loan["event_id"], rule="blocked", choice="allow")
    tablet.write("visits_moved", LATE, STOPS[0], gone=["2026-12-22 v-1"])
    event = tablet.write("return", LATE, item_id="i1")
    event["place"] = "point:branch"
    told = one.bring(token, tablet)
    codes = [a["code"] for a in told["answers"]]
    assert codes == ["", "journal.not_yours", "journal.not_yours", "sync.not_aboard"]


def test_a_photo_is_kept_under_its_name(one: Library, tmp_path: Path) -> None:
    """Drawn anew under the digest of what was sent; another digest is refused."""
    from PIL import Image

    source = tmp_path / "photo.jpg"
    Image.new("RGB", (40, 30), "red").save(source)
    raw = source.read_bytes()
    _, token = pair(one.engine, 1)
    name = hashlib.sha256(raw).hexdigest()
    path = f"sync/uploads/photos/{name}"
    assert one.ask("PUT", path, token, content=raw).status_code == 201
    assert one.ask("PUT", path, token, content=raw).status_code == 201
    wrong = one.ask("PUT", path, token, content=raw + b" ")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "photo.other_file")
    assert len(list(tmp_path.rglob(f"{name}.jpg"))) == 1


def test_the_day_is_for_crews(one: Library) -> None:
    """Nobody unknown gets it; an unknown vehicle is told."""
    assert one.ask("GET", "tablet/day", "nothing").status_code == 401
    _, token = pair(one.engine, 1)
    wrong = one.ask("GET", "tablet/day", token, params={"vehicle": "none"})
    assert (wrong.status_code, wrong.json()["code"]) == (404, "tablet.unknown_vehicle")
    assert one.ask("GET", "tablet/map.pmtiles", token).status_code in (200, 206)
