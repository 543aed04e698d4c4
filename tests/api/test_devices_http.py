"""Devices over the API: pairing, what a device may, revoking, whose they are."""

import re
from datetime import timedelta

import httpx
import pytest

from api.limiter import Limiter
from api.services.accounts import add_account, new_account
from api.services.devices import normal_code, qr_svg
from api.services.signing_in import open_sign_in
from data.db.engine import writing
from data.model.accounts import PROGRAM, Role
from tests.api.bare_region import add_region
from tests.e2e.service import Running

DEVICES = "/api/v1/devices"


@pytest.fixture(scope="module", autouse=True)
def with_regions(running: Running) -> None:
    add_region(running.engine, "rutland", "north")
    add_region(running.engine, "lapland", "south")


@pytest.fixture(autouse=True)
def fresh_limits(running: Running) -> None:
    """Tries of one test do not count in the next."""
    running.service.limiter = Limiter()


def offer(client: httpx.Client, **values: object) -> httpx.Response:
    return client.post(DEVICES, json={"region_id": "rutland", "name": "Планшет", **values})


def paired(running: Running, code: str) -> httpx.Response:
    with running.api(None) as tablet:
        return tablet.post(f"{DEVICES}/pair", json={"code": code})


def who(running: Running, token: str) -> dict[str, object]:
    with running.api(None) as tablet:
        told: dict[str, object] = tablet.get(
            "/api/v1/session", headers={"authorization": f"Bearer {token}"}
        ).json()
        return told


def test_a_code_gives_a_token_once(running: Running) -> None:
    """The QR code holds the code behind the #; the token is the device, of its region alone."""
    with running.api(Role.DISPATCHER) as desk:
        made = offer(desk, vehicle_id="north")
        assert made.status_code == 201
        code, address = made.json()["code"], made.json()["address"]
        assert re.fullmatch(r"\d{8}", code)
        assert address == f"{running.settings.public_url}/pair#{code}"
        answer = paired(running, f" {code[:4]}-{code[4:]} ")
        assert answer.status_code == 200
        token = answer.json()["token"]
        known = who(running, token)
        assert known["roles"] == ["crew"]
        assert known["region_ids"] == ["rutland"]
        assert known["device_id"] == made.json()["device"]["device_id"]
        again = paired(running, code)
        assert (again.status_code, again.json()["code"]) == (403, "access.bad_code")
        listed = desk.get(DEVICES, params={"region_id": "rutland"}).json()["items"]
        (one,) = [d for d in listed if d["device_id"] == known["device_id"]]
        assert one["paired_at"] and one["used_at"]
        assert token not in str(listed) and code not in str(listed)


def test_a_code_is_valid_for_ten_minutes(running: Running) -> None:
    """After that it is as if it had never been."""
    with running.api(Role.DISPATCHER) as desk:
        code = offer(desk).json()["code"]
    real = running.service.clock
    try:
        running.service.clock = lambda: real() + timedelta(minutes=10)
        assert paired(running, code).status_code == 403
        running.service.clock = lambda: real() + timedelta(minutes=9)
        assert paired(running, code).status_code == 200
    finally:
        running.service.clock = real


def test_a_revoked_device_is_nobody(running: Running) -> None:
    """Its token stops at once; it stays listed for whoever asks for revoked ones."""
    with running.api(Role.DISPATCHER) as desk:
        made = offer(desk).json()
        device_id = made["device"]["device_id"]
        token = paired(running, made["code"]).json()["token"]
        again = desk.post(f"{DEVICES}/{device_id}/pairing")
        assert who(running, token)["roles"] == ["public"]
        token = paired(running, again.json()["code"]).json()["token"]
        assert who(running, token)["roles"] == ["crew"]
        assert desk.delete(f"{DEVICES}/{device_id}").json()["revoked_at"]
        assert desk.delete(f"{DEVICES}/{device_id}").status_code == 200
        assert who(running, token)["roles"] == ["public"]
        assert desk.post(f"{DEVICES}/{device_id}/pairing").status_code == 404
        ids = [d["device_id"] for d in desk.get(DEVICES).json()["items"]]
        kept = desk.get(DEVICES, params={"revoked": True, "limit": 200}).json()["items"]
        assert device_id not in ids
        assert device_id in [d["device_id"] for d in kept]


def test_a_device_may_not_do_what_people_do(running: Running) -> None:
    """Neither dispatching nor anybody's password; of other regions' devices it sees nothing."""
    with running.api(Role.DISPATCHER) as desk:
        token = paired(running, offer(desk).json()["code"]).json()["token"]
    with running.api(None) as tablet:
        tablet.headers["authorization"] = f"Bearer {token}"
        assert offer(tablet).json()["code"] == "access.role"
        words = {"old": "x", "new": "long enough words"}
        answer = tablet.put("/api/v1/session/password", json=words)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.account_only")
        assert tablet.get("/api/v1/session/sign-ins").status_code == 403


def test_a_dispatcher_pairs_in_own_regions_alone(running: Running) -> None:
    """Devices of another region are as if they were not there."""
    service = running.service
    made = new_account(
        service.clock(), login="lapp", name="", roles=[Role.DISPATCHER], region_ids=["lapland"]
    )
    with writing(running.engine) as session:
        account = add_account(session, PROGRAM, made, None)
    with running.api(Role.DISPATCHER) as desk, running.api(None) as lapp:
        theirs = offer(desk).json()["device"]["device_id"]
        lapp.cookies.set("session", open_sign_in(service, account, way="test").token)
        refused = offer(lapp)
        assert (refused.status_code, refused.json()["code"]) == (403, "access.region")
        assert lapp.get(f"{DEVICES}/{theirs}").status_code == 404
        assert lapp.delete(f"{DEVICES}/{theirs}").status_code == 404
        assert lapp.post(f"{DEVICES}/{theirs}/pairing").status_code == 404
        assert lapp.get(DEVICES, params={"region_id": "rutland"}).status_code == 403
        own = offer(lapp, region_id="lapland").json()["device"]["device_id"]
        listed = [d["device_id"] for d in lapp.get(DEVICES).json()["items"]]
        assert listed == [own]
        assert lapp.get(f"{DEVICES}/{own}").status_code == 200


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"vehicle_id": "south"}, 422, "device.unknown_vehicle"),
        ({"region_id": "atlantis"}, 404, "device.unknown_region"),
        ({"roles": ["dispatcher"]}, 422, "device.roles"),
        ({"roles": ["admin", "crew"]}, 422, "device.roles"),
        ({"name": "  "}, 422, "device.name"),
        ({"name": ""}, 422, "request.invalid"),
        ({"name": "x" * 121}, 422, "request.invalid"),
    ],
)
def test_bad_values_are_refused(
    running: Running, values: dict[str, object], status: int, code: str
) -> None:
    """Nothing is stored, no code is shown."""
    with running.api(Role.DISPATCHER) as desk:
        before = desk.get(DEVICES, params={"limit": 200}).json()
        answer = offer(desk, **values)
        after = desk.get(DEVICES, params={"limit": 200}).json()
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert after == before


def test_codes_cannot_be_tried_at_will(running: Running) -> None:
    """After ten tries from one address the right code has to wait too."""
    with running.api(Role.DISPATCHER) as desk:
        code = offer(desk).json()["code"]
    tries = [paired(running, f"{number:08d}").status_code for number in range(10)]
    assert set(tries) == {403}
    late = paired(running, code)
    assert (late.status_code, late.json()["code"]) == (429, "access.too_many")


def test_codes_are_read_however_they_are_typed() -> None:
    """Gaps and dashes do not matter; digits of other scripts are no digits of a code."""
    assert normal_code(" 1234-5678\n") == "12345678"
    assert normal_code("١٢٣٤") == ""


def test_the_qr_code_is_a_picture_without_script() -> None:
    """It can stand in a page under the strict policy."""
    drawn = qr_svg("https://bus.example.org/pair#12345678")
    assert drawn.startswith("<svg")
    assert "style=" not in drawn
    assert "<script" not in drawn
