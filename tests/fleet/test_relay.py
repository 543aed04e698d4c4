"""The vehicle's own computer: real processes, a real service, power cuts in the middle."""

import itertools
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.certificates import make_certificates
from api.relay_cli import SECRET_FILE
from data.db import journal_store
from data.db.engine import reading
from fleet.relay_forward import RelayForwarder
from fleet.relay_http import RelayServer
from fleet.relay_store import RelayStore
from tests.api.circulation.library import MORNING, TabletAt, pair, readers, stamp, stock, stock_up
from tests.api.tracking.depot import REGION, fill
from tests.e2e.service import Running, run_service

SERVICE = "http://localhost"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with stock and readers, on the afternoon of the day."""
    with run_service(tmp_path_factory.mktemp("service")) as made:
        fill(made.engine, MORNING)
        stock_up(made.engine, *stock(), *readers())
        made.service.clock = lambda: MORNING + timedelta(hours=6)
        yield made


class Box:
    """The relay as a process of its own, https by its own certificate."""

    def __init__(self, folder: Path, service: str, token: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"https://localhost:{self.port}"
        made = make_certificates(folder / "certs", ["localhost"], datetime.now(UTC))
        self.trust = ssl.create_default_context(cafile=str(made.authority))
        (folder / "token").write_text(token, encoding="ascii")
        self._command = [
            sys.executable, "-c", "from api.cli import main; main()", "relay", "--server", service,
            "--token-file", str(folder / "token"), "--address", self.url,
            "--certificates", str(folder / "certs"), "--store", str(folder / "store"),
            "--host", "127.0.0.1", "--every", "0.2",
        ]  # fmt: skip

    @contextmanager
    def on(self) -> Iterator[subprocess.Popen[bytes]]:
        running = subprocess.Popen(self._command, stderr=subprocess.PIPE)
        try:
            until = time.monotonic() + 120
            while not self._answers():
                assert running.poll() is None, running.stderr and running.stderr.read()
                assert time.monotonic() < until, "the box does not start"
                time.sleep(0.05)
            yield running
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGTERM)
                running.wait(60)
            assert running.stderr is not None
            running.stderr.close()

    def _answers(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def client(self) -> httpx.Client:
        secret = (self.folder / "store" / SECRET_FILE).read_text(encoding="ascii")
        headers = {"authorization": f"Bearer {secret}"}
        return httpx.Client(base_url=self.url, headers=headers, verify=self.trust, timeout=60)


def sent(tablet: TabletAt, events: list[dict[str, Any]], after: int = 0) -> dict[str, Any]:
    return {
        "journal": tablet.journal_id,
        "device_now": stamp(tablet.clock(MORNING + timedelta(hours=5))),
        "last_sequence": len(tablet.events),
        "events": events,
        "answers_after": after,
    }


def test_a_box_that_loses_power_in_mid_batch_loses_and_doubles_nothing(
    running: Running, tmp_path: Path
) -> None:
    """Killed while batches come in: what it had taken reaches the service once, answers return."""
    device, _ = pair(running.engine, 11)
    _, box_token = pair(running.engine, 12)
    tablet = TabletAt(device=device)
    for n in range(400):
        tablet.write(
            "count", MORNING + timedelta(seconds=30 * n), "s1", counts={"copies_made": 1 + n % 3}
        )
    box = Box(tmp_path, f"http://localhost:{free_port()}", box_token)
    accepted: set[str] = set()
    with box.on() as process, box.client() as client:
        killer = threading.Timer(0.05, lambda: os.kill(process.pid, signal.SIGKILL))
        with pytest.raises(httpx.TransportError):
            for k in itertools.count(0, 5):
                batch = tablet.events[k % 400 : k % 400 + 5]
                answer = client.post("/relay/v1/events", json=sent(tablet, batch)).json()
                accepted |= set(answer["kept"])
                if k == 95:
                    killer.start()
        process.wait(30)
    assert len(accepted) >= 100
    # The service is found now; the tablet brings everything once more, the known ones too.
    box._command[box._command.index("--server") + 1] = running.url
    with box.on(), box.client() as client:
        held = {
            e["event_id"]
            for e in client.get(f"/relay/v1/journal?device={device.device_id}").json()["events"]
        }
        assert accepted <= held
        answers: dict[str, str] = {}
        after, until = 0, time.monotonic() + 120
        pending = tablet.events
        while len(answers) < 400 and time.monotonic() < until:
            told = client.post("/relay/v1/events", json=sent(tablet, pending, after)).json()
            answers |= {a["event_id"]: a["answer"] for a in told["answers"]}
            after, pending = told["answers_until"], []
            time.sleep(0.1)
        assert told["count"] == 400
    assert set(answers) == {e["event_id"] for e in tablet.events}
    assert set(answers.values()) == {"accepted"}
    with reading(running.engine) as session:
        kept = [
            e.document
            for e in journal_store.load_events(session, REGION)
            if e.device_id == tablet.journal_id
        ]
    assert sorted(kept, key=lambda e: e["sequence"]) == tablet.events


def test_a_tablets_clock_is_told_by_how_long_ago_it_was_seen(
    running: Running, tmp_path: Path
) -> None:
    """The tablet's clock is a day off, the box's own is wrong too: times come out right."""
    device, _ = pair(running.engine, 13)
    _, box_token = pair(running.engine, 14)
    tablet = TabletAt(device=device, off_s=-86_400)
    at = MORNING + timedelta(hours=5, minutes=50)
    tablet.write("loan", at, "s1", item_id="i40", patron_id="p3", due_date="2026-12-22")
    store = RelayStore(tmp_path)
    store.take(tablet.events)
    store.see_clock(tablet.journal_id, 1, tablet.clock(MORNING + timedelta(hours=6)))
    forwarder = RelayForwarder(
        store, running.url, box_token, clock=lambda: datetime(2020, 1, 1, tzinfo=UTC)
    )
    assert forwarder.step() > 0
    forwarder.close()
    answers, _ = store.answers(device.device_id, 0, 10)
    assert [a["answer"] for a in answers] == ["accepted"]
    corrected = datetime.fromisoformat(answers[0]["corrected_at"])
    # The service's clock stands still in the test, while this machine's goes on.
    assert abs(corrected - at) < timedelta(minutes=5)
    store.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[httpx.Client]:
    """A box without a service behind it, over plain http."""
    store = RelayStore(tmp_path)
    server = RelayServer(("127.0.0.1", 0), store, "sesame", frozenset({SERVICE}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
        yield client
    server.shutdown()
    server.server_close()
    thread.join()
    store.close()


def test_only_tablets_of_the_service_come_in(door: httpx.Client) -> None:
    """Without the secret nothing; from another site's page nothing; from the service's it works."""
    own = {"authorization": "Bearer sesame"}
    body = {"journal": "d.a", "device_now": "2026-12-01T08:00:00Z", "events": []}
    assert door.post("/relay/v1/events", json=body).status_code == 401
    wrong = {"authorization": "Bearer sesam"}
    assert door.get("/relay/v1/journal?device=d", headers=wrong).status_code == 401
    foreign = own | {"origin": "https://elsewhere.example"}
    assert door.post("/relay/v1/events", json=body, headers=foreign).status_code == 403
    good = door.post("/relay/v1/events", json=body, headers=own | {"origin": SERVICE})
    assert good.status_code == 200
    assert good.headers["access-control-allow-origin"] == SERVICE
    asked = door.options("/relay/v1/events", headers={"origin": SERVICE})
    assert asked.status_code == 204
    assert "authorization" in asked.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "body",
    [
        b"no json", b"[]", b"{}", b'{"journal": "", "device_now": "2026-12-01", "events": []}',
        b'{"journal": "d.a", "device_now": "2026-12-01T08:00:00Z", "events": [1]}',
        b'{"journal": "d.a", "device_now": "yesterday", "events": []}',
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_and_the_box_goes_on(
    door: httpx.Client, body: bytes
) -> None:
    """Broken requests are answered 422 and change nothing."""
    own = {"authorization": "Bearer sesame"}
    assert door.post("/relay/v1/events", content=body, headers=own).status_code == 422
    assert door.get("/relay/v1/journal?device=d", headers=own).json()["events"] == []


def test_an_event_that_nobody_understands_is_told_and_not_kept(
    door: httpx.Client, running: Running
) -> None:
    """One bad event does not spoil its batch, and one id with two contents is kept once."""
    device, _ = pair(running.engine, 15)
    tablet = TabletAt(device=device)
    good = tablet.write("count", MORNING, "s1", counts={"copies_made": 1})
    changed = good | {"body": {"counts": {"copies_made": 2}}}
    bad = good | {"event_id": "bad", "kind": "spell"}
    own = {"authorization": "Bearer sesame"}
    told = door.post(
        "/relay/v1/events", json=sent(tablet, [bad, good, changed]), headers=own
    ).json()
    assert told["kept"] == [good["event_id"]]
    assert told["refused"]["bad"].startswith("journal.")
    assert told["refused"][good["event_id"]] == "journal.id_taken"
    again = door.post("/relay/v1/events", json=sent(tablet, [good]), headers=own).json()
    assert (again["kept"], again["count"]) == ([good["event_id"]], 1)
