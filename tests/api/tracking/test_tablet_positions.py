"""A paired tablet tells where it is with the token that it was paired with, and no other."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from data.model.fleet import VehicleId
from fleet import batch
from tests.api.tracking.depot import NORTH, REGION, SOUTH, STAFF_TOKEN, Depot, depot
from tests.api.tracking.test_followed_day import fixes_of_day
from tests.fleet.days import drive

ANNA = {"authorization": f"Bearer {STAFF_TOKEN}"}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    """A service in the middle of the first drive."""
    first = drive(0, seed=1).visits[0]
    assert first.from_at is not None
    now = first.from_at + timedelta(minutes=20)
    with depot(tmp_path_factory.mktemp("tablets"), now) as it:
        yield it


def paired(one: Depot, vehicle_id: VehicleId | None, name: str) -> tuple[str, str]:
    """A tablet's id and token: offered in the desk, its code typed in on the tablet."""
    asked = {"region_id": REGION, "name": name, "vehicle_id": vehicle_id, "roles": ["crew"]}
    offer = one.client.post("/api/v1/devices", json=asked, headers=ANNA)
    assert offer.status_code == 201, offer.text
    done = one.client.post("/api/v1/devices/pair", json={"code": offer.json()["code"]})
    assert done.status_code == 200, done.text
    return str(done.json()["device"]["device_id"]), str(done.json()["token"])


def status(one: Depot, token: str) -> int:
    """What a batch without fixes is answered."""
    headers = {"authorization": f"Bearer {token}"}
    body = batch.encode([], sent_at=one.now)
    return one.client.post("/api/v1/positions", content=body, headers=headers).status_code


def tracker_of(one: Depot, name: str) -> dict[str, Any]:
    """What the desk's list of trackers says of it."""
    (found,) = [t for t in one.get("trackers") if t["name"] == name]
    return dict(found)


def test_the_tablets_positions_move_its_vehicle(one: Depot) -> None:
    """Nobody adds a tracker: the token of pairing is enough, and the board follows the vehicle."""
    _, token = paired(one, NORTH, "Планшет КИБО-1")
    part = [f for f in fixes_of_day() if f.fix_at <= one.now]
    told = one.send(token, part)
    assert (told["stored"], told["known"], told["refused"]) == (len(part), 0, [])
    assert one.send(token, part)["known"] == len(part)
    one.follow()
    live = one.get(f"live/{NORTH}")
    assert live["fix"]["lon"] == pytest.approx(part[-1].lon, abs=1e-5)
    assert live["here_visit_id"] == live["stops"][0]["visit_id"]
    tracker = tracker_of(one, "Планшет КИБО-1")
    assert (tracker["vehicle_id"], tracker["num_stored"]) == (NORTH, len(part))


def test_a_revoked_tablet_is_refused(one: Depot) -> None:
    """Lost and revoked in the desk, it is refused within seconds; what it told is kept."""
    device_id, token = paired(one, SOUTH, "Потерянный планшет")
    assert status(one, token) == 200
    answer = one.client.delete(f"/api/v1/devices/{device_id}", headers=ANNA)
    assert answer.status_code == 200
    end = time.monotonic() + 10
    while status(one, token) != 401:
        assert time.monotonic() < end, "still taken"
        time.sleep(0.5)


def test_a_tablet_without_a_vehicle_tells_nothing(one: Depot) -> None:
    """One of a reading room rides on no vehicle: its positions are nobody's."""
    _, token = paired(one, None, "Планшет читального зала")
    assert status(one, token) == 401
    assert [t for t in one.get("trackers") if t["name"] == "Планшет читального зала"] == []
