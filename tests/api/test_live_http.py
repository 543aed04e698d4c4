"""Live events as open pages hear them."""

import json
import threading
import time
from pathlib import Path

import httpx

from api.services.accounts import add_account, new_account
from api.services.signing_in import open_sign_in
from data.db import event_store
from data.db.engine import writing
from data.model.accounts import PROGRAM, Role
from tests.api.bare_region import add_region
from tests.e2e.service import Running, run_service

EVENTS = "/api/v1/events"
WAIT_S = 20.0


class Ear:
    """Listens to the stream in a thread."""

    def __init__(self, client: httpx.Client, last_id: str | None = None, after: int | None = None):
        self.lines: list[str] = []
        self.is_open = threading.Event()
        self.is_over = threading.Event()
        headers = {} if last_id is None else {"last-event-id": last_id}
        params = {} if after is None else {"after": after}
        self._thread = threading.Thread(target=self._listen, args=(client, headers, params))
        self._thread.start()
        assert self.is_open.wait(WAIT_S)

    def _listen(
        self, client: httpx.Client, headers: dict[str, str], params: dict[str, int]
    ) -> None:
        try:
            with client.stream("GET", EVENTS, headers=headers, params=params) as answer:
                for line in answer.iter_lines():
                    self.lines.append(line)
                    self.is_open.set()
        except httpx.TransportError:
            pass
        self.is_over.set()

    def heard(self, number: int) -> list[tuple[str, str, dict[str, object]]]:
        """Id, topic and data of so many events; waits for them."""
        end = time.monotonic() + WAIT_S
        while len(found := self._events()) < number and time.monotonic() < end:
            time.sleep(0.02)
        return found

    def _events(self) -> list[tuple[str, str, dict[str, object]]]:
        found, fields = [], {}
        for line in list(self.lines):
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            else:
                if "data" in fields and "id" in fields:
                    found.append((fields["id"], fields["event"], json.loads(fields["data"])))
                fields = {}
        return found


def emit(running: Running, subject: str, region_id: str | None = None) -> None:
    with writing(running.engine) as session:
        event_store.emit(session, "plan", subject, region_id, version=2)


def test_a_page_hears_what_changes_and_what_it_missed(tmp_path: Path) -> None:
    """Soon after the commit; by its last id it gets the rest first, none twice, in order."""
    with run_service(tmp_path) as running, running.api(Role.DISPATCHER) as client:
        emit(running, "before")
        ear = Ear(client)
        begun = time.monotonic()
        emit(running, "one")
        emit(running, "two")
        heard = ear.heard(2)
        assert time.monotonic() - begun < 5
        assert [(topic, data["subject"]) for _, topic, data in heard] == [
            ("plan", "one"),
            ("plan", "two"),
        ]
        assert heard[0][2]["facts"] == {"version": 2}
        late = Ear(client, last_id=heard[0][0])
        assert [data["subject"] for _, _, data in late.heard(1)] == ["two"]
        first = Ear(client, after=0)
        emit(running, "three")
        told = [data["subject"] for _, _, data in first.heard(4)]
        assert told == ["before", "one", "two", "three"]
        assert len(ear.heard(3)) == 3
        begun = time.monotonic()
    assert time.monotonic() - begun < 8, "an open stream held the server up"
    assert ear.is_over.wait(WAIT_S)


def test_one_hears_of_own_regions_alone(tmp_path: Path) -> None:
    """A crew of one region hears nothing of another; nobody signed in hears nothing."""
    with run_service(tmp_path) as running:
        add_region(running.engine, "rutland")
        add_region(running.engine, "lapland")
        service = running.service
        made = new_account(
            service.clock(), login="lapp", name="", roles=[Role.CREW], region_ids=["lapland"]
        )
        with writing(running.engine) as session:
            account = add_account(session, PROGRAM, made, None)
        with running.api(None) as lapp, running.api(Role.ADMIN) as admin:
            assert lapp.get(EVENTS).status_code == 401
            lapp.cookies.set("session", open_sign_in(service, account, way="test").token)
            ear, all_ears = Ear(lapp), Ear(admin)
            for subject, region in (("r", "rutland"), ("l", "lapland"), ("all", None)):
                emit(running, subject, region)
            assert [d["subject"] for _, _, d in all_ears.heard(3)] == ["r", "l", "all"]
            assert [d["subject"] for _, _, d in ear.heard(2)] == ["l", "all"]
            missed = Ear(lapp, after=0)
            assert [d["subject"] for _, _, d in missed.heard(2)] == ["l", "all"]
            wrong = lapp.get(EVENTS, headers={"last-event-id": "x"})
            assert wrong.status_code == 422
