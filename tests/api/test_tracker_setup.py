"""What each kind of tracker is told to do: values to enter, codes to scan."""

import base64
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from api.services.tracker_setup import set_up_of
from api.words import LANGUAGES, Words
from data.model.fleet import VehicleId
from data.model.telemetry import DeviceId
from data.model.tracker import Protocol, Tracker, TrackerId

SECRET = "s3cr-et_"
AT = datetime(2026, 12, 1, tzinfo=UTC)
HOST = "https://bus.example"


def tracker(protocol: Protocol, external_id: str) -> Tracker:
    return Tracker(
        tracker_id=TrackerId("t"),
        region_id="r",
        vehicle_id=VehicleId("kibo-1"),
        protocol=protocol,
        external_id=DeviceId(external_id),
        name="Телефон",
        created_at=AT,
    )


def test_traccar_client_reads_its_settings_from_the_code() -> None:
    """The app keeps scheme, host and path, and takes the settings from the query."""
    client, _ = set_up_of(tracker(Protocol.OSMAND, "мой автобус"), SECRET, f"{HOST}/inlets/osmand")
    code = urlsplit(client.qr)
    assert f"{code.scheme}://{code.netloc}{code.path}" == f"{HOST}/inlets/osmand/{SECRET}"
    asked = parse_qs(code.query)
    assert asked["id"] == ["мой автобус"]
    assert asked["accuracy"] == ["high"]
    assert asked["buffer"] == ["true"]


def test_osmand_keeps_the_places_for_its_values() -> None:
    """The address holds the places that the app fills; its speed, of another unit, is left out."""
    _, app = set_up_of(tracker(Protocol.OSMAND, "bus-1"), SECRET, f"{HOST}/inlets/osmand")
    (address,) = [step.value for step in app.steps if step.value]
    assert "lat={0}&lon={1}&timestamp={2}" in address
    assert "speed" not in address


def test_owntracks_is_configured_by_its_link() -> None:
    """The link holds the app's configuration: HTTP mode, address, user, device and secret."""
    (app,) = set_up_of(tracker(Protocol.OWNTRACKS, "bus/phone"), SECRET, f"{HOST}/inlets/owntracks")
    scheme, _, inline = app.qr.partition("?inline=")
    assert scheme == "owntracks:///config"
    told = json.loads(base64.b64decode(inline))
    assert told["_type"] == "configuration"
    assert (told["mode"], told["auth"], told["url"]) == (3, True, f"{HOST}/inlets/owntracks")
    assert (told["username"], told["deviceId"], told["password"]) == ("bus", "phone", SECRET)


def test_a_server_that_does_not_listen_says_so() -> None:
    """Without a port for Wialon IPS there is nothing to enter on the tracker."""
    (app,) = set_up_of(tracker(Protocol.WIALON, "353976013445485"), None, "bus.example")
    assert "wialon.off" in [step.code for step in app.steps]
    assert "wialon.password" not in [step.code for step in app.steps]


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_has_words(protocol: Protocol, language: str) -> None:
    """No step shows its code."""
    words = Words(language)
    for app in set_up_of(tracker(protocol, "bus/phone"), SECRET, "bus.example:20332"):
        assert words(f"trackers.app.{app.code}") != f"trackers.app.{app.code}"
        for step in app.steps:
            assert words(f"trackers.step.{step.code}") != f"trackers.step.{step.code}"
