"""Every inlet of the running service: taken, refused with a reason, never a failure."""

import base64
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.db import track_store
from data.db.engine import reading
from data.model.telemetry import DeviceId, Fix
from data.model.track_bytes import settled
from data.model.tracker import Protocol
from fleet import batch, emit, wialon
from tests.api.tracking.depot import NORTH, REGION, SOUTH, Depot, depot
from tests.fleet.days import run_of

START = run_of(0).stops[0].start_at
LON, LAT = run_of(0).stops[0].lon, run_of(0).stops[0].lat
MOSQUITTO = Path("/usr/sbin/mosquitto")


def fix(s: int = 0, name: str = "x", *, sequence: int | None = None) -> Fix:
    """A fix at the first stop of the round, while the vehicle is on duty."""
    return Fix(
        device_id=DeviceId(name),
        fix_at=START + timedelta(seconds=s),
        lon=LON,
        lat=LAT,
        sequence=sequence,
        speed_mps=5.0,
    )


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    """A service with a tracker of each kind."""
    with depot(tmp_path_factory.mktemp("inlets"), START + timedelta(hours=1), wialon_port=0) as it:
        yield it


def stored(one: Depot, external_id: str) -> list[Fix]:
    """What the store has of a device."""
    with reading(one.engine) as session:
        found = track_store.read_track(
            session, REGION, NORTH, START - timedelta(days=1), START + timedelta(days=1)
        )
    return [f.fix for f in found if f.fix.device_id == external_id]


def basic(secret: str | None) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"bus:{secret}".encode()).decode()}


def test_owntracks(one: Depot) -> None:
    """The phone is told to forget what is stored; the place is what it said."""
    made = one.add(Protocol.OWNTRACKS, "ivan/phone")
    body = emit.owntracks(fix(0, "ivan/phone"))
    for _ in range(2):
        answer = one.client.post(
            "/inlets/owntracks",
            content=body,
            headers={**basic(made.secret), "x-limit-u": "ivan", "x-limit-d": "phone"},
        )
        assert (answer.status_code, answer.content) == (200, b"[]")
    (found,) = stored(one, "ivan/phone")
    assert (found.lon, found.lat) == (settled(fix()).lon, settled(fix()).lat)
    assert found.fix_at == START


@pytest.mark.parametrize("way", ["query", "form", "json"])
def test_osmand(one: Depot, way: str) -> None:
    """Query, form and JSON; the secret goes in the address, and is stored nowhere."""
    name = f"osmand-{way}"
    made = one.add(Protocol.OSMAND, name)
    if way == "json":
        body = {
            "device_id": name,
            "location": {
                "timestamp": START.isoformat(),
                "coords": {"latitude": LAT, "longitude": LON, "speed": 5},
            },
        }
        answer = one.client.post(f"/inlets/osmand?token={made.secret}", json=body)
    else:
        query = f"id={name}&lat={LAT}&lon={LON}&timestamp={int(START.timestamp())}&speed=10"
        if way == "query":
            answer = one.client.get(f"/inlets/osmand?token={made.secret}&{query}")
        else:
            answer = one.client.post(
                f"/inlets/osmand?token={made.secret}",
                content=query,
                headers={"content-type": "application/x-www-form-urlencoded"},
            )
    assert (answer.status_code, answer.json()) == (200, {"refused": []})
    (found,) = stored(one, name)
    assert found.fix_at == START
    assert "token" not in found.extra


def test_traccar_vouches_for_its_devices(one: Depot) -> None:
    """A forwarding server proves itself once; its devices need no secret, others stay unknown."""
    server = one.add(Protocol.TRACCAR, vehicle_id=None)
    one.add(Protocol.TRACCAR, "352625690000001")
    headers = {"authorization": f"Bearer {server.secret}"}
    body = emit.traccar(fix(0, "352625690000001"))
    answer = one.client.post("/inlets/traccar", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"refused": []})
    assert len(stored(one, "352625690000001")) == 1
    wrong = one.client.post(
        "/inlets/traccar", content=body, headers={"authorization": "Bearer nonsense"}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (403, "tracker.bad_secret")
    event = {
        "event": {"type": "deviceOffline", "eventTime": START.isoformat()},
        "device": {"uniqueId": "352625690000001"},
    }
    assert one.client.post("/inlets/traccar", json=event, headers=headers).status_code == 200


def test_an_unknown_device_is_refused_shown_and_adopted(one: Depot) -> None:
    """The dispatcher sees who knocked, says whose it is, and from then on it is taken."""
    query: dict[str, str | float] = {
        "id": "stranger",
        "lat": LAT,
        "lon": LON,
        "timestamp": START.timestamp(),
    }
    for _ in range(3):
        answer = one.client.get("/inlets/osmand", params=query)
        assert (answer.status_code, answer.json()["code"]) == (403, "tracker.unknown")
        assert "stranger" in answer.json()["message"]
    (knocked,) = [d for d in one.get("unknown-devices") if d["external_id"] == "stranger"]
    assert knocked["num_messages"] == 3
    answer = one.ask(
        "POST",
        "unknown-devices/osmand/stranger/adoption",
        json={"vehicle_id": SOUTH, "name": "Телефон водителя"},
    )
    assert answer.status_code == 201
    assert answer.json()["secret"] is None
    assert one.client.get("/inlets/osmand", params=query).status_code == 200
    assert "stranger" not in [d["external_id"] for d in one.get("unknown-devices")]


def test_names_with_slashes_are_adopted(one: Depot) -> None:
    """OwnTracks names are USER/DEVICE."""
    body = emit.owntracks(fix(0, "olga/tablet"))
    where = {"u": "olga", "d": "tablet"}
    assert one.client.post("/inlets/owntracks", params=where, content=body).status_code == 403
    answer = one.ask(
        "POST",
        f"unknown-devices/owntracks/{quote('olga/tablet')}/adoption",
        json={"vehicle_id": SOUTH, "name": "Планшет"},
    )
    assert answer.status_code == 201
    assert one.client.post("/inlets/owntracks", params=where, content=body).status_code == 200


def test_our_batches(one: Depot) -> None:
    """Gzip or plain; what is bad is refused alone; without a token nothing is."""
    made = one.add(Protocol.BOOKMOBILE)
    fixes = [fix(s, sequence=s) for s in range(5)]
    told = json.loads(batch.encode(fixes, sent_at=one.now))
    told["fixes"][2]["lat"] = 91
    body = batch.packed(json.dumps(told).encode())
    headers = {"authorization": f"Bearer {made.secret}", "content-encoding": "gzip"}
    answer = one.client.post("/api/v1/positions", content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {
        "stored": 4,
        "known": 0,
        "refused": [{"sequence": 2, "index": 2, "code": "refusal.bad_position"}],
    }
    bare = one.client.post("/api/v1/positions", content=body, headers={"content-encoding": "gzip"})
    assert bare.status_code == 401
    broken = one.client.post("/api/v1/positions", content=b"{", headers=headers)
    assert (broken.status_code, broken.json()["code"]) == (422, "refusal.not_gzip")


@pytest.mark.parametrize(
    "path", ["/inlets/owntracks", "/inlets/osmand", "/inlets/traccar", "/api/v1/positions"]
)
def test_a_device_that_hangs_up_is_no_failure(
    one: Depot, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Its network is gone in the middle of a message: one quiet line, nothing else is hurt."""
    port = one.settings.port
    with caplog.at_level("INFO"), socket.create_connection(("localhost", port)) as line:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 4000\r\n\r\n"
        line.sendall(head.encode() + b'{"_type": "loc')
        time.sleep(0.3)
        line.close()
        end = time.monotonic() + 20
        while not any(r.getMessage() == "request.hung_up" for r in caplog.records):
            assert time.monotonic() < end, "nobody noticed that it is gone"
            time.sleep(0.05)
    assert [r for r in caplog.records if r.levelname in ("ERROR", "CRITICAL") or r.exc_info] == []
    assert one.client.get("/health").status_code == 200


def test_secrets_are_changed_and_trackers_closed(one: Depot) -> None:
    """The old secret stops at once; a closed tracker is taken no more."""
    made = one.add(Protocol.BOOKMOBILE)
    key = made.tracker.tracker_id
    renewed = one.ask("POST", f"trackers/{key}/secret").json()["secret"]
    empty = batch.encode([], sent_at=one.now)

    def post(secret: str | None) -> int:
        headers = {"authorization": f"Bearer {secret}"}
        return one.client.post("/api/v1/positions", content=empty, headers=headers).status_code

    assert (post(made.secret), post(renewed)) == (401, 200)
    assert one.ask("PATCH", f"trackers/{key}", json={"name": "Новый"}).json()["name"] == "Новый"
    assert one.ask("DELETE", f"trackers/{key}").status_code == 200
    assert post(renewed) == 401
    assert key not in [t["tracker_id"] for t in one.get("trackers")]
    assert key in [t["tracker_id"] for t in one.get("trackers", closed=True)]


def talk(one: Depot, *packets: bytes) -> bytes:
    """Send packets over one connection; everything that is answered."""
    assert one.road.wialon is not None
    with socket.create_connection(("127.0.0.1", one.road.wialon.port), timeout=10) as line:
        answers = b""
        for packet in packets:
            line.sendall(packet)
        line.shutdown(socket.SHUT_WR)
        while part := line.recv(65536):
            answers += part
    return answers


def wialon_fix(at: datetime) -> str:
    degrees_lat, degrees_lon = int(LAT), int(LON)
    lat = f"{degrees_lat:02d}{60 * (LAT - degrees_lat):07.4f}"
    lon = f"{degrees_lon:03d}{60 * (LON - degrees_lon):07.4f}"
    return f"{at:%d%m%y};{at:%H%M%S};{lat};N;{lon};E;36;90;40;9"


def test_wialon(one: Depot) -> None:
    """Sign-on, short packets and a black box of version 2.0; each answered when it is stored."""
    one.add(Protocol.WIALON, "353976013445485", needs_secret=False)
    login = wialon.encode_packet("L", "2.0;353976013445485;NA;")
    later = [START + timedelta(seconds=10 * k) for k in range(1, 4)]
    box = wialon.encode_packet("B", "|".join(map(wialon_fix, later)) + "|")
    short = wialon.encode_packet("SD", wialon_fix(START) + ";")
    assert talk(one, login, short, box, short) == b"#AL#1\r\n#ASD#1\r\n#AB#3\r\n#ASD#1\r\n"
    found = stored(one, "353976013445485")
    assert [f.fix_at for f in found] == [START, *later]
    assert abs(found[0].lon - LON) < 1e-5
    assert found[0].speed_mps == 10.0


def test_wialon_strangers_are_refused(one: Depot) -> None:
    """An unknown number and a wrong password get the protocol's own refusals."""
    made = one.add(Protocol.WIALON, "350000000000001")
    short = wialon.encode_packet("SD", wialon_fix(START) + ";")
    stranger = talk(one, wialon.encode_packet("L", "2.0;359999999999999;NA;"), short)
    assert stranger == b"#AL#0\r\n"
    wrong = talk(one, wialon.encode_packet("L", "2.0;350000000000001;guess;"), short)
    assert wrong == b"#AL#01\r\n"
    login = wialon.encode_packet("L", f"2.0;350000000000001;{made.secret};")
    assert talk(one, login, short) == b"#AL#1\r\n#ASD#1\r\n"
    one.road.known.write_notes()
    codes = {d["external_id"]: d["code"] for d in one.get("unknown-devices")}
    assert codes["359999999999999"] == "tracker.unknown"
    assert codes["350000000000001"] == "tracker.bad_secret"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=10,
)
FIELDS: tuple[str, ...] = (
    "_type",
    "lat",
    "lon",
    "tst",
    "fixes",
    "sequence",
    "fix_at",
    "device",
    "uniqueId",
)
FIELDS += ("position", "fixTime", "latitude", "device_id", "location", "coords", "event", "extras")
hostile = st.one_of(
    st.binary(max_size=300),
    json_values.map(lambda v: json.dumps(v).encode()),
    st.dictionaries(st.sampled_from(FIELDS), json_values).map(lambda v: json.dumps(v).encode()),
    st.sampled_from(
        [
            emit.owntracks(fix()),
            emit.traccar(fix(0, "hostile")),
            emit.osmand(fix(0, "hostile")).encode(),
            batch.encode([fix(0, sequence=1)], sent_at=START),
            batch.packed(batch.encode([fix(0, sequence=1)], sent_at=START)),
        ]
    ).flatmap(lambda body: st.integers(0, len(body)).map(lambda n: body[:n] + b"\x00\xff" * 3)),
)
ADDRESSES = ("/inlets/owntracks?u=h&d=h", "/inlets/osmand", "/inlets/traccar", "/api/v1/positions")


@pytest.fixture(scope="module")
def secrets(one: Depot) -> dict[str, str | None]:
    """A tracker for each address, so that messages come past the door."""
    return {
        ADDRESSES[0]: one.add(Protocol.OWNTRACKS, "h/h").secret,
        ADDRESSES[1]: one.add(Protocol.OSMAND, "hostile").secret,
        ADDRESSES[2]: one.add(Protocol.TRACCAR, "hostile").secret,
        ADDRESSES[3]: one.add(Protocol.BOOKMOBILE).secret,
    }


@given(address=st.sampled_from(ADDRESSES), body=hostile, known=st.booleans(), gzip=st.booleans())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_hostile_messages(
    one: Depot,
    secrets: dict[str, str | None],
    address: str,
    body: bytes,
    known: bool,  # noqa: FBT001
    gzip: bool,  # noqa: FBT001
) -> None:
    """Whatever comes over HTTP is taken or refused with a code; it never fails the service."""
    headers = {"content-type": "application/json"}
    if known:
        headers["authorization"] = f"Bearer {secrets[address]}"
    if gzip:
        headers["content-encoding"] = "gzip"
    answer = one.client.post(address, content=body, headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert answer.json()["code"]
        assert answer.json()["message"]


@given(
    st.dictionaries(
        st.sampled_from(("id", "lat", "lon", "timestamp", "speed", "location", "valid", "hdop")),
        st.text(max_size=12) | st.floats().map(str) | st.integers().map(str),
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_hostile_queries(one: Depot, secrets: dict[str, str | None], query: dict[str, str]) -> None:
    """The same of OsmAnd's query."""
    asked = {"id": "hostile", "token": secrets[ADDRESSES[1]] or "", **query}
    answer = one.client.get("/inlets/osmand", params=asked)
    assert answer.status_code < 500, answer.text


LOGIN = wialon.encode_packet("L", "2.0;353976013445485;NA;")
packets = st.one_of(
    st.binary(max_size=200),
    st.text(alphabet="#LDSBPM;|.0123456789NAEW\r\n", max_size=120).map(str.encode),
    st.tuples(st.sampled_from(["L", "D", "SD", "B", "M", "P", "X"]), st.text(max_size=80)).map(
        lambda p: wialon.encode_packet(p[0], p[1].replace("\n", " "))
    ),
)


@given(st.lists(packets, max_size=5), st.booleans())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_hostile_packets(
    one: Depot,
    given_packets: list[bytes],
    known: bool,  # noqa: FBT001
) -> None:
    """Whatever comes over TCP, the listener goes on listening."""
    with suppress(ConnectionError):
        talk(one, *([LOGIN] if known else []), *given_packets)
    assert talk(one, wialon.encode_packet("L", "2.0;359999999999999;NA;")) == b"#AL#0\r\n"


def test_an_endless_line_ends_the_connection(one: Depot) -> None:
    """A megabyte without an end is not kept in memory."""
    assert one.road.wialon is not None
    where = ("127.0.0.1", one.road.wialon.port)
    with socket.create_connection(where, timeout=10) as line, pytest.raises(ConnectionError):
        for _ in range(200):
            line.sendall(b"#L#" + b"x" * 65536)
            time.sleep(0.005)


@pytest.mark.skipif(not MOSQUITTO.exists(), reason="needs the Debian package mosquitto")
def test_mqtt(tmp_path: Path) -> None:
    """A real broker: stored, then acknowledged; what came while nobody listened comes too."""
    from paho.mqtt.publish import single

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen([MOSQUITTO, "-c", config], stderr=subprocess.DEVNULL)
    try:
        for part in (0, 1):
            now, url = START + timedelta(hours=1), f"mqtt://127.0.0.1:{port}"
            folder = tmp_path / str(part)
            folder.mkdir()
            with depot(folder, now, mqtt_url=url, public_url="http://bus.example") as one:
                one.add(Protocol.OWNTRACKS, "ivan/phone")
                # Who follows the vehicles listens to the broker, too.
                one.follow()

                def send(s: int, name: str = "ivan/phone", port: int = port) -> None:
                    single(
                        f"owntracks/{name}",
                        emit.owntracks(fix(s, name)),
                        qos=1,
                        hostname="127.0.0.1",
                        port=port,
                    )

                wait(lambda one=one: one.road.mqtt.is_listening)
                if part:
                    # Sent while nobody listened.
                    wait(lambda one=one: len(stored(one, "ivan/phone")) == 1)
                    continue
                for s in range(5):
                    send(s)
                send(6, "who/knows")
                single("owntracks/ivan/phone", b"{broken", qos=1, hostname="127.0.0.1", port=port)
                wait(lambda one=one: len(stored(one, "ivan/phone")) == 5)
                one.road.known.write_notes()
                assert [d["external_id"] for d in one.get("unknown-devices")] == ["who/knows"]
            if not part:
                send(100)
    finally:
        broker.terminate()
        broker.wait()


def wait(until: object, *, seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not until():  # type: ignore[operator]
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_nobody_is_told_without_signing_in(one: Depot) -> None:
    """Where vehicles are and were is for staff alone."""
    for path in (
        "trackers",
        "unknown-devices",
        "live",
        "alerts",
        f"tracks/{NORTH}?date=2026-12-01",
    ):
        answer = httpx.get(f"http://localhost:{one.settings.port}/api/v1/regions/{REGION}/{path}")
        assert answer.status_code == 401
