"""What a crew tells of its day reaches the desk: reasons, other stops, defects with photos."""

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from api.services.circulation_settling import settle_region
from api.services.ledger import Ledgers
from api.services.visit_records import keep_records
from tests.api.circulation.library import (
    MORNING,
    OLGA_TOKEN,
    STOPS,
    Library,
    TabletAt,
    library,
    pair,
)
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY

NOTES = f"regions/{REGION}/crew-notes"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "brown").save(out, "JPEG")
    return out.getvalue()


def test_notes_come_with_names_reasons_and_photos(one: Library) -> None:
    """The newest first, no slips; a photo once the tablet has sent it, and not for everybody."""
    device, token = pair(one.engine, 1)
    tablet, raw = TabletAt(device=device), photo()
    photo_id = hashlib.sha256(raw).hexdigest()
    slip = tablet.write("skip", MORNING, STOPS[2], reason="weather")
    tablet.write("void", MORNING, event_id=slip["event_id"])
    tablet.write("skip", MORNING, STOPS[1], reason="road", note=HOSTILE)
    tablet.write(
        "unplanned_stop", MORNING + timedelta(minutes=5), name="У фермы", lon=21.5, lat=54.6
    )["visit_id"] = "farm"
    tablet.write(
        "defect", MORNING + timedelta(minutes=9), STOPS[0], defect="light", note="темно",
        photo_ids=[photo_id],
    )  # fmt: skip
    one.bring(token, tablet)
    query = {"date": DAY.isoformat()}
    defect, farm, skip = one.ask("GET", NOTES, params=query).json()
    assert (skip["what"], skip["note"], skip["vehicle_id"]) == ("road", HOSTILE, NORTH)
    assert skip["visit_id"] == f"v-{STOPS[1]}"
    assert (farm["stop_name"], farm["lon"]) == ("У фермы", 21.5)
    assert (defect["what"], defect["photo_urls"], defect["num_photos_waiting"]) == ("light", [], 1)
    assert one.ask("PUT", f"sync/uploads/photos/{photo_id}", token, content=raw).status_code == 201
    defect = one.ask("GET", NOTES, params=query).json()[0]
    (url,) = defect["photo_urls"]
    answer = one.ask("GET", url.removeprefix("/api/v1/"))
    assert answer.headers["content-type"] == "image/jpeg"
    assert one.ask("GET", url.removeprefix("/api/v1/"), "nobody").status_code == 401
    assert one.ask("GET", f"{NOTES}/photos/{'0' * 64}").status_code == 404
    assert one.ask("GET", NOTES, params={"date": "2026-12-02"}).json() == []


def test_a_day_that_is_long_past_is_still_told(one: Library) -> None:
    """Once it is folded and no longer replayed, from what the tablet had sent."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    slip = tablet.write("skip", MORNING, STOPS[1], reason="weather")
    tablet.write("void", MORNING + timedelta(minutes=1), event_id=slip["event_id"])
    tablet.write("skip", MORNING + timedelta(minutes=2), STOPS[2], reason="nobody")
    tablet.lend("i1", "p1", MORNING + timedelta(minutes=3))
    one.bring(token, tablet)
    query = {"date": DAY.isoformat()}
    before = one.ask("GET", NOTES, params=query).json()
    keep_records(one.service, REGION)
    assert settle_region(one.service, REGION, one.depot.now, least=1) == 4
    one.service.ledgers = Ledgers()
    assert one.ask("GET", NOTES, params=query).json() == before
    assert [note["what"] for note in before] == ["nobody"]


def test_a_stop_tells_its_defects_of_any_day(one: Library) -> None:
    """Folded ones too; not those of other stops, nor what was taken back; also on the desk."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.write("defect", MORNING, STOPS[0], defect="surface", note=HOSTILE)
    slip = tablet.write("defect", MORNING, STOPS[0], defect="light", note="ошибка")
    tablet.write("void", MORNING + timedelta(minutes=1), event_id=slip["event_id"])
    tablet.write("skip", MORNING + timedelta(minutes=2), STOPS[2], reason="nobody")
    tablet.lend("i1", "p1", MORNING + timedelta(minutes=3))
    one.bring(token, tablet)
    before = one.ask("GET", f"{NOTES}/stops/{STOPS[0]}").json()
    assert [(note["what"], note["note"]) for note in before] == [("surface", HOSTILE)]
    keep_records(one.service, REGION)
    assert settle_region(one.service, REGION, one.depot.now, least=1) == 5
    one.service.ledgers = Ledgers()
    assert one.ask("GET", f"{NOTES}/stops/{STOPS[0]}").json() == before
    headers = {"authorization": f"Bearer {OLGA_TOKEN}"}
    page = one.depot.client.get(f"/desk/{REGION}/told/stops/{STOPS[0]}", headers=headers)
    assert page.status_code == 200
    assert HOSTILE not in page.text
    assert "&lt;script&gt;" in page.text
    assert f"/days/{DAY}" in page.text
    assert one.depot.client.get(f"/desk/{REGION}/told/stops/{STOPS[0]}").status_code != 200
